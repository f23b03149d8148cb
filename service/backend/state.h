/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

/* How a backend is: a token for programs, and why it is so for people. */

#include "backend.h"

typedef struct {
	const char *token; /* "active", "waiting" or "failed"; static */
	char *reason;	   /* "" when there is none */
	char *text;	   /* all of it in words */
} ProcdbBackendState;

/*
 * The token is static. reason and what follows from it, consequence, may be NULL; both are
 * copied.
 */
void procdb_backend_state_set(ProcdbBackendState *state, const char *token, const char *reason,
			      const char *consequence);
void procdb_backend_state_clear(ProcdbBackendState *state);

/* Fills in what the state says. */
void procdb_backend_state_report(const ProcdbBackendState *state, ProcdbBackendStatus *status);
