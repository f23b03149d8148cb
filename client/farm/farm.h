/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

/* The commands of "pandemoniumctl farm". Each prints what it did, and returns an exit code. */

#include "ctl.h"

typedef struct {
	const char *store; /* as farm_url_parse() takes it */
	const char *label; /* of the administrator: what is shared, NULL: "default" */
	const char
	    *host; /* by which the farm knows this machine, NULL: its name and a part of its ID */
	const char *password_file; /* NULL: the credential farm-password, if there is one */
	const char *ca_file;
	const char *directory; /* of the memory of pushes, NULL: $STATE_DIRECTORY or a fixed one */
	int timeout_s;
	gboolean overrides; /* push or pull these as well */
	int quorum;	    /* machines that have to know a name before it is pulled */
} FarmOptions;

int farm_push(Ctl *ctl, const FarmOptions *options);
int farm_pull(Ctl *ctl, const FarmOptions *options);
/* What each machine gave; of one name, if name is not NULL. */
int farm_audit(Ctl *ctl, const FarmOptions *options, const char *name);
/* Takes out all that a machine gave. */
int farm_forget(Ctl *ctl, const FarmOptions *options, const char *host);
