/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

/*
 * The directory below the BPF file system in which schedulers and the service
 * meet: is it safe, what is in it, whose is it. The pin paths are fixed by the
 * ABI (procdb-abi.h).
 */

#include <gio/gio.h>
#include <sys/types.h>

#include "procdb-abi.h"
#include "survey.h"

/* Which two pins are there: a new pin is a new inode. All zero: not both are. */
typedef struct {
	dev_t device;
	ino_t observe;
	ino_t init;

	/* The directory when we looked, no part of the identity: procdb_pins_moved(). */
	struct {
		dev_t device;
		ino_t inode;
		struct timespec changed;
		gboolean settled; /* a later change would have another time */
	} directory;
} ProcdbPinsId;

typedef enum {
	PROCDB_PINS_ABSENT,  /* at least one of the two is not there */
	PROCDB_PINS_OURS,    /* left behind by a service that did not stop cleanly */
	PROCDB_PINS_FOREIGN, /* another program's */
} ProcdbPinsOwner;

/* What is pinned now. */
ProcdbPinsId procdb_pins_identify(void);
gboolean procdb_pins_present(const ProcdbPinsId *id);
gboolean procdb_pins_equal(const ProcdbPinsId *a, const ProcdbPinsId *b);

/*
 * Whether something else is pinned now than *id, which follows. One system
 * call as long as no file is added to the directory or removed.
 */
gboolean procdb_pins_moved(ProcdbPinsId *id);

/*
 * TRUE when there is a BPF file system and only root and this process can put
 * something into the pin directory, or there is no directory. Else an error
 * that says what is wrong and how to mend it.
 */
gboolean procdb_pins_check_directory(GError **error);

/* Makes the pin directory (0700) if it is not there, and checks it. */
gboolean procdb_pins_make_directory(GError **error);

/*
 * Opens both pins after checking directory, owners, types and sizes. FALSE with
 * error set and nothing open on any mismatch.
 */
gboolean procdb_pins_open(int *observe_fd, int *init_fd, guint *init_capacity, GError **error);

/* Whose pins these are, by the marker that the observer pins beside its maps. */
ProcdbPinsOwner procdb_pins_owner(void);

/*
 * Whether the maps of another program are there that nothing holds any more but their pins: it
 * was killed. own: how many descriptors of each this process has. FALSE when it cannot be told.
 * *survey is made if there is need for one, and is the caller's to keep for the next look, and
 * to free.
 */
gboolean procdb_pins_are_abandoned(ProcdbSurvey **survey, guint own);
/* How many refreshes after a look whether it is so the next one is: a look is 18 system calls. */
#define PROCDB_PINS_LOOK_TICKS 15
/* What to say then: what it is, and after a ";" what to do. */
#define PROCDB_PINS_ABANDONED                                                                      \
	"the maps in " PROCDB_PIN_DIR " are those of a scheduler that has ended; remove them: "    \
	"rm " PROCDB_PIN_OBSERVE " " PROCDB_PIN_INIT

/* Pins both maps and the marker in place of whatever is pinned there. */
gboolean procdb_pins_write(int observe_fd, int init_fd, GError **error);

/*
 * The record of what was given to tasks (task-ledger.h), pinned beside the maps: of the service that
 * runs, so that no program can remove the directory under it, or of one that was killed. Its
 * descriptor, or -1 when there is none that could be one with such values.
 */
int procdb_pins_open_record(guint32 value_size);
/*
 * Pins it if it is not there; pinned: it was, at the last look. own: in the place of one that a
 * service left, and in a directory of our own; else only in a directory that is there. Whether it
 * is.
 */
gboolean procdb_pins_keep_record(int fd, gboolean pinned, gboolean own);
/* Removes it, and the directory if that empties it. */
void procdb_pins_remove_record(void);

/* The id of the map that is pinned at a path, 0 if it cannot be told. */
guint32 procdb_pins_map_id(const char *path);

/* Removes our pins, if they are still ours, and the directory if that empties it. */
void procdb_pins_remove(void);
