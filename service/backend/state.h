/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

/* The state of a backend: a token for programs, a reason for people. */

#include "backend.h"

typedef struct {
	const char *token; /* "active", "waiting" or "failed"; static */
	char *reason;	   /* "" when there is none */
	char *text;	   /* the token, the reason and its consequence, as a sentence */
} ProcdbBackendState;

/*
 * Sets the state. The token is static. The reason, and the consequence that the text names after
 * it, may be NULL; both are copied.
 */
void procdb_backend_state_set(ProcdbBackendState *state, const char *token, const char *reason,
			      const char *consequence);
void procdb_backend_state_clear(ProcdbBackendState *state);

/* Fills in state, token and reason of the status. */
void procdb_backend_state_report(const ProcdbBackendState *state, ProcdbBackendStatus *status);
