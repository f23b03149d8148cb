/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

/*
 * Overrides of machines, which travel only between those that ask for it. They are decisions of
 * administrators, and nothing adds up: the store has what each machine has decided, and a machine
 * takes over what enough others say and none of them contradicts.
 */

#include "rows.h"
#include "session.h"

/* All machines that have decided something, with their decisions. NULL with error set. */
GHashTable *farm_overrides_read(FarmSession *session, GError **error);

/*
 * Puts the overrides that an administrator has set here in place of those that the store has of
 * this machine; not those that came from a farm, or from files of the configuration. *count: how
 * many. Returns an exit code, after a message if it is not CTL_OK.
 */
int farm_overrides_push(Ctl *ctl, FarmSession *session, const char *directory, guint *count);

typedef struct {
	guint taken;
	guint kept;   /* there is another one here, or it was cleared here: that stays */
	guint unsure; /* too few say so, or they disagree */
} FarmTaken;

/* Takes over what is agreed on, where there is no override here. Returns as the one above. */
int farm_overrides_pull(Ctl *ctl, FarmSession *session, const FarmOptions *options,
			const Rows *rows, FarmTaken *taken);
