/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#include "store.h"

#include "files.h"
#include "identities.h"
#include "lock.h"
#include "rules.h"

struct _ProcdbStore {
	ProcdbFiles *files;
	GPtrArray *import_paths;
	ProcdbLimit limit;
	ProcdbSections beside;	 /* for the next save */
	GHashTable *loaded;	 /* identities of the last load, until they are taken */
	GPtrArray *loaded_rules; /* the same */
	guint64 serial;		 /* of the newest content encoded */
	gboolean claimed;
	char *taken; /* while another service has the file: what to say */

	ProcdbStoreReport report;
	char *quarantined;
	char *message;
};

static void clear_sections(ProcdbSections *sections)
{
	g_clear_pointer(&sections->identities, g_bytes_unref);
	g_clear_pointer(&sections->rules, g_bytes_unref);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(ProcdbSections, clear_sections)

static ProcdbSections steal_sections(ProcdbStore *store)
{
	const ProcdbSections stolen = store->beside;

	store->beside = (ProcdbSections){NULL, NULL};
	return stolen;
}

ProcdbStore *procdb_store_new(const char *path)
{
	ProcdbStore *store = g_new0(ProcdbStore, 1);

	store->files = procdb_files_new(path);
	store->import_paths = g_ptr_array_new_with_free_func(g_free);
	store->limit = (ProcdbLimit){G_MAXUINT, G_MAXUINT};
	return store;
}

void procdb_store_free(ProcdbStore *store)
{
	procdb_files_unref(store->files);
	g_ptr_array_unref(store->import_paths);
	clear_sections(&store->beside);
	g_clear_pointer(&store->loaded, g_hash_table_unref);
	g_clear_pointer(&store->loaded_rules, g_ptr_array_unref);
	g_free(store->quarantined);
	g_free(store->message);
	g_free(store->taken);
	g_free(store);
}

const char *procdb_store_path(const ProcdbStore *store)
{
	return store->files->path;
}

void procdb_store_add_import(ProcdbStore *store, const char *path)
{
	g_ptr_array_add(store->import_paths, g_strdup(path));
}

void procdb_store_set_limit(ProcdbStore *store, const ProcdbLimit *limit)
{
	store->limit = *limit;
}

void procdb_store_claim(ProcdbStore *store)
{
	store->claimed = TRUE;
}

/* Whether the file is ours, as far as can be told. */
static gboolean take_lock(ProcdbStore *store, gboolean make)
{
	g_clear_pointer(&store->taken, g_free);
	if (!store->claimed || procdb_lock_take(store->files, make) != PROCDB_LOCK_TAKEN)
		return TRUE;
	store->taken = g_strdup_printf("another service writes the database %s, so this one does "
				       "not; stop one of them, and run: pandemoniumctl load",
				       procdb_store_path(store));
	return FALSE;
}

/* FALSE (G_IO_ERROR_BUSY) when another service had the file at the last load, or has it. */
static gboolean may_write(ProcdbStore *store, GError **error)
{
	if (!store->taken && take_lock(store, TRUE))
		return TRUE;
	g_set_error_literal(error, G_IO_ERROR, G_IO_ERROR_BUSY, store->taken);
	return FALSE;
}

const ProcdbStoreReport *procdb_store_report(const ProcdbStore *store)
{
	return &store->report;
}

static void set_message(ProcdbStore *store, char *message)
{
	g_free(store->message);
	store->message = message;
	store->report.message = message;
}

static void take(ProcdbStore *store, const ProcdbFile *file, ProcdbSource source, GArray *records)
{
	/* Only a whole file is taken, and a whole file has them. */
	g_assert(file->records);
	if (file->records->len > 0)
		g_array_append_vals(records, file->records->data, file->records->len);
	g_clear_pointer(&store->loaded, g_hash_table_unref);
	store->loaded = g_hash_table_ref(file->identities);
	g_clear_pointer(&store->loaded_rules, g_ptr_array_unref);
	store->loaded_rules = g_ptr_array_ref(file->rules);
	store->report.source = source;
	store->report.left_out = file->decoded.left_out;
}

/* The fault of a file, as the end of a sentence; the caller frees. */
static char *describe(const ProcdbFile *file)
{
	if (!file->readable)
		return g_strdup_printf("cannot be used (%s)", file->error->message);
	if (file->decoded.diag != PROCDB_DIAG_NONE)
		return g_strdup_printf("is no valid database (%s)",
				       procdb_diag_name(file->decoded.diag));
	return g_strdup(file->zeros ? "is damaged (zeros in place of what was written)"
				    : "is damaged (wrong checksum)");
}

/* Quarantines the file. Returns the result as the end of a sentence. */
static char *quarantine(ProcdbStore *store, gboolean restore)
{
	g_autoptr(GError) error = NULL;

	store->quarantined = procdb_files_quarantine(store->files, restore, &error);
	store->report.quarantined = store->quarantined;
	if (store->quarantined)
		return g_strdup_printf("it is kept as %s", store->quarantined);
	return g_strdup_printf("it could not be kept under another name (%s)", error->message);
}

/* Quarantines a file of a newer version: the next save would lose what only that understands. */
static void keep_newer(ProcdbStore *store)
{
	g_autofree char *outcome = quarantine(store, FALSE);

	set_message(store, g_strdup_printf("%s was written by a newer version; only what its "
					   "entries say is used; %s",
					   procdb_store_path(store), outcome));
}

/* Appends those of a foreign file whose names are not in records; how many. */
static guint merge(GArray *records, const GArray *foreign)
{
	g_autoptr(GHashTable) known = g_hash_table_new(procdb_comm_hash, procdb_comm_equal);
	g_autoptr(GArray) added = g_array_new(FALSE, FALSE, sizeof(struct procdb_record));

	for (guint i = 0; i < records->len; i++)
		g_hash_table_add(known, &g_array_index(records, struct procdb_record, i).comm);
	for (guint i = 0; i < foreign->len; i++) {
		struct procdb_record *record = &g_array_index(foreign, struct procdb_record, i);

		if (g_hash_table_add(known, &record->comm))
			g_array_append_vals(added, record, 1);
	}
	/* The keys are in records: nothing is looked up from here on. */
	g_array_append_vals(records, added->data, added->len);
	return added->len;
}

/*
 * A file without a block of ours is that of another program, or lost its end exactly there:
 * no telling. Either way what the version before it says was learned here, or decided by an
 * administrator: it stays, and the other file adds what it does not know.
 */
static void merge_foreign(ProcdbStore *store, const ProcdbFile *foreign, GArray *records)
{
	g_auto(ProcdbFile) prev = {0};
	guint kept, added;

	procdb_files_read_prev(store->files, &store->limit, &prev);
	if (!procdb_file_is_ours(&prev)) {
		take(store, foreign, PROCDB_SOURCE_NEWEST, records);
		return;
	}
	take(store, &prev, PROCDB_SOURCE_MERGED, records);
	kept = records->len;
	added = merge(records, foreign->records);
	set_message(store,
		    g_strdup_printf("%s was not written by this service; %u profiles of the "
				    "previous version stay, and %u that it does not know are "
				    "added",
				    procdb_store_path(store), kept, added));
}

static void say_not_imported(ProcdbStore *store, const char *path, const ProcdbFile *file)
{
	if (!file->readable)
		set_message(store, g_strdup_printf("The older database was not imported: %s",
						   file->error->message));
	else
		set_message(store, g_strdup_printf("The older database %s was not imported: it is "
						   "no valid database (%s)",
						   path, procdb_diag_name(file->decoded.diag)));
}

/* FALSE when no profiles can be taken from there. */
static gboolean import_from(ProcdbStore *store, const char *path, GArray *records)
{
	g_autofree char *prev_path = g_strconcat(path, ".prev", NULL);
	g_auto(ProcdbFile) file = {0};
	g_auto(ProcdbFile) prev = {0};

	procdb_files_read_other(path, &store->limit, &file);
	/* Another program may have put its own in the place of ours, which is then beside it. */
	if (!procdb_file_is_ours(&file))
		procdb_files_read_other(prev_path, &store->limit, &prev);
	if (procdb_file_is_ours(&prev)) {
		take(store, &prev, PROCDB_SOURCE_IMPORT, records);
		if (procdb_file_is_whole(&file))
			merge(records, file.records);
		set_message(store, g_strdup_printf("Imported %u profiles from %s and %s",
						   records->len, prev_path, path));
		return TRUE;
	}
	if (!file.exists)
		return FALSE;
	if (!file.readable || file.decoded.diag != PROCDB_DIAG_NONE) {
		say_not_imported(store, path, &file);
		return FALSE;
	}
	take(store, &file, PROCDB_SOURCE_IMPORT, records);
	set_message(store,
		    g_strdup_printf("Imported %u profiles from %s", file.records->len, path));
	return TRUE;
}

static void import(ProcdbStore *store, GArray *records)
{
	for (guint i = 0; i < store->import_paths->len; i++)
		if (import_from(store, g_ptr_array_index(store->import_paths, i), records))
			return;
}

/* Quarantines a damaged file and loads the best version that there is. */
static void recover(ProcdbStore *store, const ProcdbFile *newest, GArray *records)
{
	g_auto(ProcdbFile) prev = {0};
	g_autofree char *what = describe(newest);
	g_autofree char *outcome = NULL;
	const char *used = "there are no profiles to start with";
	gboolean restore;

	procdb_files_read_prev(store->files, &store->limit, &prev);
	restore = procdb_file_is_whole(&prev);
	if (!restore && !newest->readable)
		return;
	if (restore) {
		take(store, &prev, PROCDB_SOURCE_PREVIOUS, records);
		used = "the previous version is used";
	} else if (newest->readable && newest->decoded.diag == PROCDB_DIAG_NONE) {
		take(store, newest, PROCDB_SOURCE_NEWEST, records);
		used = "only what its entries say is used";
	}
	outcome = quarantine(store, restore);
	set_message(
	    store, g_strdup_printf("%s %s; %s; %s", procdb_store_path(store), what, used, outcome));
}

gboolean procdb_store_load(ProcdbStore *store, GArray *records, ProcdbDiag *diag, GError **error)
{
	g_auto(ProcdbFile) newest = {0};

	store->report = (ProcdbStoreReport){0};
	*diag = PROCDB_DIAG_NONE;
	g_clear_pointer(&store->quarantined, g_free);
	g_clear_pointer(&store->loaded, g_hash_table_unref);
	g_clear_pointer(&store->loaded_rules, g_ptr_array_unref);
	set_message(store, NULL);
	if (!take_lock(store, FALSE)) {
		store->report.taken = store->taken;
		procdb_files_read_other(procdb_store_path(store), &store->limit, &newest);
		store->report.newest = newest.decoded;
		if (procdb_file_is_whole(&newest))
			take(store, &newest, PROCDB_SOURCE_NEWEST, records);
		return TRUE;
	}
	procdb_files_read(store->files, &store->limit, &newest);
	store->report.newest = newest.decoded;

	if (!newest.exists) {
		import(store, records);
		return TRUE;
	}
	store->report.damaged = !procdb_file_is_whole(&newest);
	if (store->report.damaged) {
		recover(store, &newest, records);
		if (store->report.source != PROCDB_SOURCE_NONE)
			return TRUE;
		if (!newest.readable) {
			g_propagate_error(error, g_steal_pointer(&newest.error));
			return FALSE;
		}
		*diag = newest.decoded.diag;
		return TRUE;
	}
	if (!procdb_file_is_ours(&newest)) {
		merge_foreign(store, &newest, records);
		return TRUE;
	}
	take(store, &newest, PROCDB_SOURCE_NEWEST, records);
	if (newest.decoded.ext == PROCDB_EXT_NEWER)
		keep_newer(store);
	return TRUE;
}

GHashTable *procdb_store_take_identities(ProcdbStore *store)
{
	return g_steal_pointer(&store->loaded);
}

void procdb_store_set_identities(ProcdbStore *store, GBytes *identities)
{
	g_clear_pointer(&store->beside.identities, g_bytes_unref);
	store->beside.identities = identities;
}

GPtrArray *procdb_store_take_rules(ProcdbStore *store)
{
	return g_steal_pointer(&store->loaded_rules);
}

void procdb_store_set_rules(ProcdbStore *store, GBytes *rules)
{
	g_clear_pointer(&store->beside.rules, g_bytes_unref);
	store->beside.rules = rules;
}

gboolean procdb_store_save(ProcdbStore *store, const struct procdb_record *records, guint n,
			   GError **error)
{
	g_auto(ProcdbSections) beside = steal_sections(store);
	g_autoptr(GBytes) bytes = NULL;

	if (!may_write(store, error))
		return FALSE;
	bytes = procdb_codec_encode_all(records, n, &beside);
	return procdb_files_replace(store->files, bytes, ++store->serial, FALSE, error);
}

gboolean procdb_store_save_forgetting(ProcdbStore *store, const struct procdb_record *records,
				      guint n, GError **error)
{
	g_auto(ProcdbSections) beside = steal_sections(store);
	g_autoptr(GBytes) bytes = NULL;

	if (!may_write(store, error))
		return FALSE;
	bytes = procdb_codec_encode_all(records, n, &beside);
	return procdb_files_replace(store->files, bytes, ++store->serial, TRUE, error);
}

/* The thread's own data; it shares only the files, which have a lock. */
struct save {
	ProcdbFiles *files;
	GArray *records;
	ProcdbSections beside;
	guint64 serial;
	gboolean forget;
};

static void save_free(gpointer data)
{
	struct save *save = data;

	procdb_files_unref(save->files);
	g_array_unref(save->records);
	clear_sections(&save->beside);
	g_free(save);
}

static void save_in_thread(GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
	struct save *save = data;
	g_autoptr(GBytes) bytes = procdb_codec_encode_all(
	    (const struct procdb_record *)save->records->data, save->records->len, &save->beside);
	GError *error = NULL;
	gboolean ok = procdb_files_replace(save->files, bytes, save->serial, save->forget, &error);

	procdb_files_end_saving(save->files);
	if (ok)
		g_task_return_boolean(task, TRUE);
	else
		g_task_return_error(task, error);
}

gboolean procdb_store_is_current(const ProcdbStore *store)
{
	return procdb_files_is_current(store->files);
}

gboolean procdb_store_is_saving(const ProcdbStore *store)
{
	return procdb_files_is_saving(store->files);
}

void procdb_store_save_async(ProcdbStore *store, GArray *records, gboolean forget,
			     GAsyncReadyCallback callback, gpointer user_data)
{
	g_auto(ProcdbSections) beside = steal_sections(store);
	g_autoptr(GArray) taken = records;
	g_autoptr(GTask) task = g_task_new(NULL, NULL, callback, user_data);
	GError *error = NULL;
	struct save *save;

	g_task_set_source_tag(task, procdb_store_save_async);
	if (procdb_store_is_saving(store)) {
		g_task_return_new_error(task, G_IO_ERROR, G_IO_ERROR_PENDING,
					"A save of %s is under way", procdb_store_path(store));
		return;
	}
	if (!may_write(store, &error)) {
		g_task_return_error(task, error);
		return;
	}
	save = g_new0(struct save, 1);
	save->files = procdb_files_ref(store->files);
	save->records = g_steal_pointer(&taken);
	save->beside.identities = g_steal_pointer(&beside.identities);
	save->beside.rules = g_steal_pointer(&beside.rules);
	save->serial = ++store->serial;
	save->forget = forget;
	g_task_set_task_data(task, save, save_free);
	procdb_files_begin_saving(store->files);
	g_task_run_in_thread(task, save_in_thread);
}

gboolean procdb_store_save_finish(GAsyncResult *result, GError **error)
{
	g_return_val_if_fail(g_task_is_valid(result, NULL), FALSE);

	return g_task_propagate_boolean(G_TASK(result), error);
}
