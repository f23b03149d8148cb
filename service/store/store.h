/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

/*
 * The database file. It is read whole, and replaced atomically and durably. The previous version is
 * kept beside it (NAME.prev), and bad ones are quarantined (NAME.bad-WHEN).
 *
 * Threads: call all functions in one thread, which runs the default main context of the call of
 * procdb_store_save_async(). That function does its I/O in another thread. All others block until
 * their I/O, and a save under way, has ended.
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
 * Adds an older file, which procdb_store_load() loads while there is no file at the path of the
 * store; of several such files the first usable one counts. If another program wrote the older
 * file, and a service of this kind wrote PATH.prev, that is loaded, and from PATH the profiles that
 * PATH.prev does not have. These files are only read, and only if root or we own them.
 */
void procdb_store_add_import(ProcdbStore *store, const char *path);

/*
 * Limits the number of profiles that a load takes, the most recently seen ones, and by that its
 * memory for a file of any size. Without a limit all profiles are loaded.
 */
void procdb_store_set_limit(ProcdbStore *store, const ProcdbLimit *limit);

/*
 * Lets one service at a time write the file. Each load takes a lock beside it (lock.h); so does a
 * save, if no load has succeeded in that. While another service has the lock, a load only reads the
 * file, and each save fails (G_IO_ERROR_BUSY) until a load gets the lock: so a newer version of the
 * other service is never replaced by an older one of ours.
 */
void procdb_store_claim(ProcdbStore *store);

/*
 * Appends the profiles of the file to records (of struct procdb_record).
 * - No file: no profiles.
 * - No valid database: the file is quarantined, and NAME.prev takes its place, durably. If that is
 *   bad as well there are no profiles, and *diag says why.
 * - A file without an extension, as another program writes it: NAME.prev is loaded, if that is
 *   ours, and from the file the profiles that NAME.prev does not have.
 * FALSE (GIOError) when there is a file that cannot be read. procdb_store_report() has the details.
 * Removes the leftover of an interrupted save, too.
 */
gboolean procdb_store_load(ProcdbStore *store, GArray *records, ProcdbDiag *diag, GError **error);

typedef enum {
	PROCDB_SOURCE_NONE,	/* no file, or no usable one */
	PROCDB_SOURCE_NEWEST,	/* the file itself */
	PROCDB_SOURCE_PREVIOUS, /* the one before it, since the newest is bad */
	PROCDB_SOURCE_MERGED, /* the one before it, with the profiles that a foreign newest adds */
	PROCDB_SOURCE_IMPORT, /* an older file at another place: worth a save soon */
} ProcdbSource;

/* How the last load went. */
typedef struct {
	ProcdbSource source;
	ProcdbDecoded newest; /* what the file itself looked like */
	const char
	    *quarantined;    /* the name of the bad file, or of that of a newer version; or NULL */
	gboolean damaged;    /* the file was there, and not all of it could be believed */
	guint left_out;	     /* profiles that there was no room for */
	const char *message; /* a sentence for the log; NULL if all was in order */
	const char *taken;   /* ... when another service has the file, which is only read then */
} ProcdbStoreReport;

/* Valid until the next load. */
const ProcdbStoreReport *procdb_store_report(const ProcdbStore *store);

/*
 * The identities (identities.h) of the file that the last load took, for the caller to free; NULL
 * if there is none. Names without a profile may be among them.
 */
GHashTable *procdb_store_take_identities(ProcdbStore *store);
/* The identities that the next save writes, of procdb_identities_end(). Takes them over. */
void procdb_store_set_identities(ProcdbStore *store, GBytes *identities);

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

/* The same of rules (rules.h): those of the last load, and those that the next save writes. */
GPtrArray *procdb_store_take_rules(ProcdbStore *store);
void procdb_store_set_rules(ProcdbStore *store, GBytes *rules);
