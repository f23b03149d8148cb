/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

/*
 * The files of a store in their directory:
 *
 *	NAME			the database
 *	NAME.prev		the one before it
 *	NAME.tmp		a save under way, or the leftover of one
 *	NAME.lock		as long as a service has the database
 *	NAME.bad-20261123T010203Z	a quarantined database: bad, or too new for us
 *
 * At every moment of a save NAME is a whole file, the old or the new one.
 * Blocking I/O only. One struct may be used by several threads, but for its
 * creation: each function takes the lock.
 */

#include <gio/gio.h>
#include <time.h>

#include "codec.h"

typedef struct {
	gint refs;
	char *given;
	char *path;	       /* where the one that was given led */
	gboolean through_link; /* by a link */
	char *directory;
	char *name;
	char *prev_name;
	char *temp_name; /* one fixed name, so that what crashes leave cannot pile up */
	char *bad_prefix;
	char *lock_name;
	int lock_fd; /* of the lock while it is ours, else -1; lock.h */

	gint saving;	  /* atomic: a save is in a thread or on its way there */
	GCond saved;	  /* it is not any more */
	GMutex lock;	  /* of all I/O, and of what follows */
	guint64 written;  /* serial of the newest content that was written */
	gboolean unread;  /* NAME was not there or could not be read at the last look */
	gboolean foreign; /* NAME was whole at the last look, and another program's */
	/* The file at NAME that is known to be whole; size -1 if none is. */
	struct {
		guint64 device;
		guint64 inode;
		gint64 size;
		struct timespec mtime;
	} whole;
} ProcdbFiles;

/*
 * The files of a path. A symbolic link is followed now, where only root and we can put one,
 * and stays: what it leads to is replaced, and its directory has to be there.
 */
ProcdbFiles *procdb_files_new(const char *path);
ProcdbFiles *procdb_files_ref(ProcdbFiles *files);
void procdb_files_unref(ProcdbFiles *files);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ProcdbFiles, procdb_files_unref)

/* A file that was read and decoded. */
typedef struct {
	gboolean exists;
	gboolean readable; /* with FALSE, error says why */
	ProcdbDecoded decoded;
	gboolean zeros;		/* what is damaged about it is that there are zeros */
	GArray *records;	/* of struct procdb_record */
	GHashTable *identities; /* of identities.h */
	GPtrArray *rules;	/* of rules.h */
	GError *error;
} ProcdbFile;

void procdb_file_clear(ProcdbFile *file);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(ProcdbFile, procdb_file_clear)

/* Whether all of it can be believed. */
gboolean procdb_file_is_whole(const ProcdbFile *file);
/* ... and was written by a service of this kind. */
gboolean procdb_file_is_ours(const ProcdbFile *file);

/* Around a save in a thread: from before that starts until its last I/O is done. */
void procdb_files_begin_saving(ProcdbFiles *files);
void procdb_files_end_saving(ProcdbFiles *files);
gboolean procdb_files_is_saving(ProcdbFiles *files);

/*
 * Reads NAME, once no save is under way, and removes the leftover of one. In a
 * directory where others may put files it has to belong to us or to root. Of what is larger than
 * PROCDB_MAX_FILE_SIZE no more than the header is read; no more records than the limit (NULL:
 * none) are taken.
 */
void procdb_files_read(ProcdbFiles *files, const ProcdbLimit *limit, ProcdbFile *file);
/* Reads NAME.prev. */
void procdb_files_read_prev(ProcdbFiles *files, const ProcdbLimit *limit, ProcdbFile *file);
/*
 * Reads any other file; not through a symbolic link, and it must belong to
 * us or to root.
 */
void procdb_files_read_other(const char *path, const ProcdbLimit *limit, ProcdbFile *file);

/*
 * Quarantines a bad NAME: links it to a second name with the time in it. With
 * restore NAME.prev takes its place, otherwise NAME stays. At most
 * PROCDB_MAX_QUARANTINED are kept, the oldest go. Returns the second name, or
 * NULL (GIOError). The caller owns it.
 */
#define PROCDB_MAX_QUARANTINED 8
char *procdb_files_quarantine(ProcdbFiles *files, gboolean restore, GError **error);

/* Whether NAME is what was read or written last. */
gboolean procdb_files_is_current(ProcdbFiles *files);

/*
 * Replaces NAME: written beside it, synced, renamed, directory synced. The old
 * one becomes NAME.prev, or is quarantined if it is bad; with forget no older
 * content is left under either name. Makes the directory (0700) if there is none.
 * serial orders the contents: an older one than what was written already is
 * not written. A directory in the place of a file beside it gets another name, and what
 * something is mounted on cannot be replaced. FALSE (GIOError) with NAME as it was, unless it is
 * the last step that failed, the sync of the directory.
 */
gboolean procdb_files_replace(ProcdbFiles *files, GBytes *bytes, guint64 serial, gboolean forget,
			      GError **error);
