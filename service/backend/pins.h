/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

/*
 * The pin directory in the BPF file system, by which schedulers and the service share maps: its
 * safety, its content, its owner. The ABI fixes the paths (procdb-abi.h).
 */

#include <gio/gio.h>
#include <sys/types.h>

#include "procdb-abi.h"
#include "survey.h"

/* The identity of the two pins: a new pin is a new inode. All zero while one of them is missing. */
typedef struct {
	dev_t device;
	ino_t observe;
	ino_t init;

	/* The directory at that time, for procdb_pins_changed(); no part of the identity. */
	struct {
		dev_t device;
		ino_t inode;
		struct timespec changed;
		gboolean settled; /* a later change would have another timestamp */
	} directory;
} ProcdbPinsId;

typedef enum {
	PROCDB_PINS_ABSENT,  /* at least one of the two is not there */
	PROCDB_PINS_OURS,    /* of this service, or of one that did not stop cleanly */
	PROCDB_PINS_FOREIGN, /* another program's */
} ProcdbPinsOwner;

/* Identifies the present pins. */
ProcdbPinsId procdb_pins_identify(void);
gboolean procdb_pins_present(const ProcdbPinsId *id);
gboolean procdb_pins_equal(const ProcdbPinsId *a, const ProcdbPinsId *b);

/*
 * Whether the present pins are others than *id; updates *id. Takes one system call while no file
 * in the directory comes or goes.
 */
gboolean procdb_pins_changed(ProcdbPinsId *id);

/*
 * TRUE when there is a BPF file system, and the pin directory is missing or can be written by root
 * and this process only. The error says what is wrong and how to mend it.
 */
gboolean procdb_pins_check_directory(GError **error);

/* Makes the pin directory (0700) if it is not there, and checks it. */
gboolean procdb_pins_make_directory(GError **error);

/*
 * Opens both pins after checking directory, owners, types and sizes. FALSE with
 * error set and nothing open on any mismatch.
 */
gboolean procdb_pins_open(int *observe_fd, int *init_fd, guint *init_capacity, GError **error);

/* The owner of the pins, by the marker that our programs pin beside their maps. */
ProcdbPinsOwner procdb_pins_owner(void);

/*
 * Whether the pinned maps are those of another program that was killed: no program and no
 * descriptor uses them any more. own: the number of descriptors of each map that this process has.
 * FALSE when the kernel does not tell. *survey is made when it is needed; the caller keeps it for
 * the next check, and frees it.
 */
gboolean procdb_pins_are_abandoned(ProcdbSurvey **survey, guint own);
/* The refreshes between two such checks: one takes 18 system calls. */
#define PROCDB_PINS_CHECK_TICKS 15
/* The reason in the state of a backend then: the fact, and after ";" the remedy. */
#define PROCDB_PINS_ABANDONED                                                                      \
	"the maps in " PROCDB_PIN_DIR " are those of a scheduler that has ended; remove them: "    \
	"rm " PROCDB_PIN_OBSERVE " " PROCDB_PIN_INIT

/*
 * Pins both maps and the marker. What is pinned there is replaced if we pinned it, or if its
 * program has ended; FALSE (G_IO_ERROR_EXISTS) if another program uses it.
 */
gboolean procdb_pins_write(int observe_fd, int init_fd, GError **error);

/*
 * Opens the record of what tasks were given (task-ledger.h), which is pinned beside the maps by the
 * service that runs, or by one that was killed. While it is pinned, no program can remove the
 * directory. -1 when there is no such pin, or it is no task storage with values of this size.
 */
int procdb_pins_open_record(guint32 value_size);
/*
 * Pins the record fd unless it is pinned; returns whether it is then. pinned: the result of the
 * call before. own: fd is a real record; it replaces one that a killed service left, and the
 * directory is made if need be. Otherwise fd is a placeholder, which replaces no record and makes
 * no directory.
 */
gboolean procdb_pins_ensure_record(int fd, gboolean pinned, gboolean own);
/* Removes the pin of the record if it is of this map, and the directory if it is empty then. */
void procdb_pins_remove_record(int fd);

/* The id of the map that is pinned at a path; 0 on an error. */
guint32 procdb_pins_map_id(const char *path);

/* Removes the pins if they are ours, and the directory if it is empty then. */
void procdb_pins_remove(void);
