/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

/*
 * The database file: read whole, replaced atomically and durably, with the
 * previous one kept beside it (NAME.prev) and bad ones set aside
 * (NAME.bad-WHEN).
 *
 * Threads: all functions are for one thread, the one that runs the main
 * context that is the default where procdb_store_save_async() is called. That
 * one leaves all to a thread; the others block until their I/O is done, and until
 * a save under way is.
 */

#include <gio/gio.h>

#include "codec.h"

typedef struct _ProcdbStore ProcdbStore;

/* A store for the file at path, or where it leads if it is a symbolic link. */
ProcdbStore *procdb_store_new(const char *path);
/* A save under way still ends, and its callback is called. */
void procdb_store_free(ProcdbStore *store);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ProcdbStore, procdb_store_free)

const char *procdb_store_path(const ProcdbStore *store);

/*
 * Adds an older file that procdb_store_load() takes the profiles from as long as there is no
 * file of ours; the first that is of use counts. If another program wrote it, and there is a
 * PATH.prev that a service like this one wrote, that one's, and of PATH the names that it does
 * not know. They are only read, and only if they belong to root or to us.
 */
void procdb_store_add_import(ProcdbStore *store, const char *path);

/*
 * From now on a load takes no more profiles than these, the most recently seen ones, and
 * no more memory for a file of any size. All of them, as long as it was not called.
 */
void procdb_store_set_limit(ProcdbStore *store, const ProcdbLimit *limit);

/*
 * From now on the file is written by one service at a time: each load, and a save as long as
 * none could, takes a lock beside it (lock.h). While another service has it a load only reads
 * the file, nothing else is tried or moved, and every save fails (G_IO_ERROR_BUSY) until a load
 * gets the lock: what the other one has written meanwhile is never replaced by what is older.
 */
void procdb_store_claim(ProcdbStore *store);

/*
 * Appends the profiles of the file to records (of struct procdb_record). A
 * file that does not exist is empty. One that is no valid database is set
 * aside, and the previous one used in its place, durably; if that is no better
 * there are no profiles and *diag says why. Of one without an extension, as another
 * program writes it, those are taken that the previous one does not know, if that is
 * one of ours. FALSE (GIOError) when a file is
 * there and cannot be read. procdb_store_report() tells the rest. Also removes
 * the leftover of an interrupted save.
 */
gboolean procdb_store_load(ProcdbStore *store, GArray *records, ProcdbDiag *diag, GError **error);

typedef enum {
	PROCDB_SOURCE_NONE,	/* there was no file, or none of use */
	PROCDB_SOURCE_NEWEST,	/* the file itself */
	PROCDB_SOURCE_PREVIOUS, /* the one before it, since the newest is bad */
	PROCDB_SOURCE_MERGED,	/* the one before it, with what a foreign newest adds */
	PROCDB_SOURCE_IMPORT,	/* an older file at another place: worth a save soon */
} ProcdbSource;

/* How the last load went. */
typedef struct {
	ProcdbSource source;
	ProcdbDecoded newest;  /* what the file itself looked like */
	const char *set_aside; /* where the bad file, or that of a newer version, is now, or NULL */
	guint left_out;	       /* profiles that there was no room for */
	const char *message;   /* a sentence for the log; NULL if all was in order */
	const char *taken;     /* ... when another service has the file, which is only read then */
} ProcdbStoreReport;

/* Valid until the next load. */
const ProcdbStoreReport *procdb_store_report(const ProcdbStore *store);

/*
 * Replaces the file by one with these n records: written beside it, synced,
 * renamed, directory synced. Makes the directory (0700) if there is none; refuses
 * one that belongs to or is writable for others. On an error (GIOError) the
 * old file is as it was, unless what failed is the last step, the sync of the
 * directory: then the new one is in place, but may be lost in a power cut.
 */
gboolean procdb_store_save(ProcdbStore *store, const struct procdb_record *records, guint n,
			   GError **error);

/*
 * The same, and the previous version goes as well: what was deleted cannot
 * come back from it.
 */
gboolean procdb_store_save_forgetting(ProcdbStore *store, const struct procdb_record *records,
				      guint n, GError **error);

/*
 * The same as procdb_store_save(), or with forget as
 * procdb_store_save_forgetting(), in a thread, which takes over the records (of struct
 * procdb_record). One at a time: G_IO_ERROR_PENDING while
 * procdb_store_is_saving(). A synchronous save in the meantime waits for it
 * and is never overwritten by it; a load waits for it. The callback's source
 * object is NULL; it may be called after procdb_store_free().
 */
void procdb_store_save_async(ProcdbStore *store, GArray *records, gboolean forget,
			     GAsyncReadyCallback callback, gpointer user_data);
gboolean procdb_store_save_finish(GAsyncResult *result, GError **error);
/* Whether the file is the one that was read or written last: no other program has touched it. */
gboolean procdb_store_is_current(const ProcdbStore *store);
gboolean procdb_store_is_saving(const ProcdbStore *store);
