/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

/*
 * A lock beside the database (NAME.lock, flock(2)), so that of two services with one database,
 * on two buses or in two containers, only one writes it. It ends with the process.
 */

#include "files.h"

typedef enum {
	PROCDB_LOCK_HELD,    /* by us */
	PROCDB_LOCK_TAKEN,   /* by another service */
	PROCDB_LOCK_UNKNOWN, /* there can be none, as long as there is no directory */
} ProcdbLockResult;

/* Takes it, without waiting. make: with the directory, as a save makes it. */
ProcdbLockResult procdb_lock_take(ProcdbFiles *files, gboolean make);
/*
 * The same for what is held, whose file may have been removed: then it is taken anew. directory:
 * that of the file, open; for the thread of a save, for a disk may hang.
 */
ProcdbLockResult procdb_lock_renew(ProcdbFiles *files, int directory);
/* Gives it back and removes it, if it is ours. */
void procdb_lock_release(ProcdbFiles *files);
