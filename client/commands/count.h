/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

/* A command that has the service do something, and says how many profiles that concerned. */

#include "ctl.h"

typedef struct {
	const char *method; /* of the interface */
	gboolean (*call)(ProcdbDBusProcDb1 *proxy, GDBusCallFlags flags, gint timeout_ms,
			 guint *count, GCancellable *cancellable, GError **error);
	const char *key;	/* of the count in JSON */
	const char *before;	/* the sentence before the count */
	const char *after;	/* and behind it */
	const char *question;	/* asked first, unless --yes is given; NULL: nothing is asked */
	gboolean wants_yes;	/* without a terminal to ask on, --yes has to be given */
	const char *left_alone; /* said when the answer is no */
	int (*none)(Ctl *ctl);	/* says what a count of 0 means; NULL: the sentence does */
} CountCommand;

/* Runs it; returns an exit code. */
int count_run(Ctl *ctl, const CtlCommand *command, char **argv, const CountCommand *what);
