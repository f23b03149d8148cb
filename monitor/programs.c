/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include "programs.h"

#include <string.h>

#include "rows.h"

/* CPU time changes without a word from the service. */
#define BUSY_US (G_GINT64_CONSTANT(2) * G_USEC_PER_SEC)
#define PACE_MS 1000
/* A name has no more bytes, when it is escaped. */
#define MAX_SEARCH 64
/* After a list that failed. */
#define RETRY_MS 5000
/* Rows that jump about each second cannot be read. */
#define SETTLE_US (G_GINT64_CONSTANT(5) * G_USEC_PER_SEC)

/* What is shown, and what it is known by. */
static const char *const fields[] = {"name",
				     "tier",
				     "observations",
				     "avg_runtime_ns",
				     "origin",
				     "prediction_source",
				     "held",
				     "kind",
				     "program",
				     "application",
				     "cpu_ns",
				     "runs",
				     "cpu_share",
				     "wakeups_per_second",
				     PROCDB_FIELD_PACKED,
				     NULL};

/* What a list is of. */
typedef enum {
	ALL,
	CHANGED, /* since the last one */
	BUSY,	 /* those that use most CPU time: the others rest */
	MATCHES, /* of what is searched for, which may not be among those that are here */
} ListOf;

struct _MonitorPrograms {
	GObject parent;
	ProcdbDBusProcDb1 *proxy;
	GCancellable *cancellable; /* of the list that is on its way; NULL: none is */
	GListStore *list;
	GHashTable *by_name; /* of MonitorProgram, by its own name */
	guint64 serial;	     /* of the last list */
	guint64 signalled;   /* of the last ProfilesChanged, or of the last whole list */
	gboolean is_stale;   /* something changed since the last list was asked for */
	gboolean is_whole;   /* the next list is of all programs */
	guint pace_ms;
	guint timer;
	gint64 asked_us;
	gint64 settled_us; /* when rows were last given other places */
	gint64 busy_us;	   /* when those that use CPU time were last asked for */
	ListOf asked;
	gboolean is_cut; /* there are more programs than a list has */
	char *pattern;	 /* that names have to match, of what is searched for; NULL: nothing */
	gboolean is_searching; /* the matches are not asked for yet */
};

G_DEFINE_FINAL_TYPE(MonitorPrograms, monitor_programs, G_TYPE_OBJECT)

enum { UPDATED, FAILED, SIGNALS };

static guint signals[SIGNALS];

static void ask_when_due(MonitorPrograms *self);

static void drop(MonitorPrograms *self, const char *name)
{
	MonitorProgram *program = g_hash_table_lookup(self->by_name, name);
	guint position;

	if (!program)
		return;
	if (g_list_store_find(self->list, program, &position))
		g_list_store_remove(self->list, position);
	g_hash_table_remove(self->by_name, name);
}

/*
 * Adds the programs that are new, before others change: the lists that sort this one take for
 * granted that what they have is in order.
 */
static void add_new(MonitorPrograms *self, const Rows *rows)
{
	g_autoptr(GPtrArray) added = g_ptr_array_new();

	for (guint i = 0; i < rows->items->len; i++) {
		const Row *row = rows_get(rows, i);
		MonitorProgram *program;

		if (g_hash_table_contains(self->by_name, row->name))
			continue;
		program = monitor_program_new(row->name);
		monitor_program_take(program, row);
		monitor_program_settle(program, MONITOR_CHANGES_CPU | MONITOR_CHANGES_WAKEUPS);
		g_hash_table_insert(self->by_name, (gpointer)monitor_program_name(program),
				    program);
		g_ptr_array_add(added, program);
	}
	if (added->len > 0)
		g_list_store_splice(self->list, g_list_model_get_n_items(G_LIST_MODEL(self->list)),
				    0, added->pdata, added->len);
}

/* Those that are not among the busy ones, of a list since begun_us, use no more than that. */
static void rest_others(MonitorPrograms *self, gint64 begun_us, double most)
{
	GHashTableIter iter;
	gpointer program;

	g_hash_table_iter_init(&iter, self->by_name);
	while (g_hash_table_iter_next(&iter, NULL, &program)) {
		if (monitor_program_taken_us(program) < begun_us)
			monitor_program_rest(program, most);
	}
}

/* Drops what a list of all, taken since begun_us, does not have. */
static void drop_others(MonitorPrograms *self, gint64 begun_us)
{
	for (guint i = g_list_model_get_n_items(G_LIST_MODEL(self->list)); i-- > 0;) {
		g_autoptr(MonitorProgram) program =
		    g_list_model_get_item(G_LIST_MODEL(self->list), i);

		if (monitor_program_taken_us(program) >= begun_us)
			continue;
		g_hash_table_remove(self->by_name, monitor_program_name(program));
		g_list_store_remove(self->list, i);
	}
}

/*
 * Lets those that have left their place find another one. Others stay, and are no work for the
 * lists that sort: of two hundred rows with widgets, each that another one takes the place of costs
 * more than all that was asked for.
 */
static MonitorChanges settle(MonitorPrograms *self)
{
	const gint64 now_us = g_get_monotonic_time();
	MonitorChanges changes = 0;
	GHashTableIter iter;
	gpointer program;

	if (now_us - self->settled_us < SETTLE_US)
		return 0;
	g_hash_table_iter_init(&iter, self->by_name);
	while (g_hash_table_iter_next(&iter, NULL, &program)) {
		const MonitorChanges moves = monitor_program_moves(program);

		if (moves == 0)
			continue;
		monitor_program_settle(program, moves);
		changes |= moves;
		self->settled_us = now_us;
	}
	return changes;
}

/* What those at most use that had no room in a list of the busy ones. */
static double least_of(const Rows *rows)
{
	return rows->items->len < ROWS_BUSY ? 0 : rows_get(rows, rows->items->len - 1)->cpu_share;
}

static MonitorChanges take_all(MonitorPrograms *self, const Rows *rows)
{
	const gint64 begun_us = g_get_monotonic_time();
	MonitorChanges changes = 0;

	add_new(self, rows);
	for (guint i = 0; i < rows->items->len; i++) {
		const Row *row = rows_get(rows, i);
		MonitorProgram *program = g_hash_table_lookup(self->by_name, row->name);

		if (program && monitor_program_taken_us(program) < begun_us)
			changes |= monitor_program_take(program, row);
	}
	if (self->asked == ALL)
		drop_others(self, begun_us);
	else if (self->asked == BUSY)
		rest_others(self, begun_us, least_of(rows));
	return changes | settle(self);
}

static gboolean on_due(gpointer data);

/* What could not be had is still wanted, but not at once. */
static void want_again(MonitorPrograms *self)
{
	self->is_whole = self->is_whole || self->asked == ALL;
	self->is_searching = self->is_searching || (self->asked == MATCHES && self->pattern);
	self->is_stale = TRUE;
	if (self->timer == 0 && self->pace_ms > 0)
		self->timer = g_timeout_add(MAX(self->pace_ms, RETRY_MS), on_due, self);
}

static void on_list(GObject *source, GAsyncResult *result, gpointer data)
{
	g_autoptr(MonitorPrograms) self = data;
	g_autoptr(GVariant) columns = NULL;
	g_autoptr(Rows) rows = NULL;
	g_autoptr(GError) error = NULL;
	guint64 serial;

	if (!procdb_dbus_proc_db1_call_query_columns_finish(PROCDB_DBUS_PROC_DB1(source), &columns,
							    &serial, result, &error)) {
		/* Another list may be on its way by now. */
		if (g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
			return;
		g_clear_object(&self->cancellable);
		want_again(self);
		g_signal_emit(self, signals[FAILED], 0, error);
		return;
	}
	g_clear_object(&self->cancellable);
	rows = rows_from_columns(columns);
	if (self->asked == ALL || self->asked == CHANGED)
		self->serial = serial;
	if (self->asked == ALL) {
		self->signalled = serial;
		self->is_cut = rows->items->len >= ROWS_MOST;
		/* What was found may not be in it. */
		self->is_searching = self->is_cut && self->pattern;
	}
	/* More changed than one list tells. */
	if (self->asked == CHANGED && rows->items->len >= ROWS_MOST)
		self->is_whole = TRUE;
	g_signal_emit(self, signals[UPDATED], 0, (guint)take_all(self, rows));
	ask_when_due(self);
}

static ListOf next_list(const MonitorPrograms *self)
{
	if (self->is_whole || self->serial == 0)
		return ALL;
	if (self->is_searching)
		return MATCHES;
	return self->asked != BUSY && self->asked_us - self->busy_us >= BUSY_US ? BUSY : CHANGED;
}

static void ask(MonitorPrograms *self)
{
	GVariantDict filter = G_VARIANT_DICT_INIT(NULL);

	self->asked_us = g_get_monotonic_time();
	self->asked = next_list(self);
	if (self->asked == MATCHES)
		g_variant_dict_insert(&filter, "pattern", "s", self->pattern);
	else if (self->asked == CHANGED)
		g_variant_dict_insert(&filter, "changed_since", "t", self->serial);
	else
		self->busy_us = self->asked_us;
	g_variant_dict_insert(&filter, "sort", "s", "cpu");
	if (self->asked == MATCHES) {
		self->is_searching = FALSE;
	} else {
		/* After the busy ones comes what changed. */
		self->is_stale = self->asked == BUSY;
		self->is_whole = FALSE;
	}
	self->cancellable = g_cancellable_new();
	procdb_dbus_proc_db1_call_query_columns(self->proxy, g_variant_dict_end(&filter), fields,
						self->asked == BUSY ? ROWS_BUSY : ROWS_MOST,
						G_DBUS_CALL_FLAGS_NO_AUTO_START, -1,
						self->cancellable, on_list, g_object_ref(self));
}

static gboolean on_due(gpointer data)
{
	MonitorPrograms *self = data;

	self->timer = 0;
	ask_when_due(self);
	return G_SOURCE_REMOVE;
}

/* At most one list is on its way, and the next one is asked for when the pace allows. */
static void ask_when_due(MonitorPrograms *self)
{
	const gint64 passed_ms = (g_get_monotonic_time() - self->asked_us) / 1000;

	if ((!self->is_stale && !self->is_whole && !self->is_searching) || self->cancellable ||
	    self->timer > 0 || self->pace_ms == 0)
		return;
	if (self->asked_us == 0 || passed_ms >= self->pace_ms)
		ask(self);
	else
		self->timer = g_timeout_add((guint)(self->pace_ms - passed_ms), on_due, self);
}

static void on_profiles_changed(ProcdbDBusProcDb1 *proxy, guint64 serial,
				const char *const *changed, const char *const *removed,
				MonitorPrograms *self)
{
	for (const char *const *name = removed; *name; name++)
		drop(self, *name);
	/* Names are only told when there are few, and signals may have been missed. */
	if ((!changed[0] && !removed[0]) || serial != self->signalled + 1)
		self->is_whole = self->is_whole || serial > self->signalled;
	self->signalled = MAX(self->signalled, serial);
	self->is_stale = self->is_stale || changed[0];
	ask_when_due(self);
}

/* Another service knows other programs, and its serials begin above all of this one. */
static void on_owner_changed(ProcdbDBusProcDb1 *proxy, GParamSpec *pspec, MonitorPrograms *self)
{
	g_autofree char *owner = g_dbus_proxy_get_name_owner(G_DBUS_PROXY(proxy));

	g_cancellable_cancel(self->cancellable);
	g_clear_object(&self->cancellable);
	self->serial = self->signalled = 0;
	self->asked_us = 0;
	self->is_whole = owner != NULL;
	self->is_stale = self->is_searching = self->is_cut = FALSE;
	ask_when_due(self);
}

static void dispose(GObject *object)
{
	MonitorPrograms *self = MONITOR_PROGRAMS(object);

	g_clear_handle_id(&self->timer, g_source_remove);
	g_cancellable_cancel(self->cancellable);
	g_clear_object(&self->cancellable);
	if (self->proxy)
		g_signal_handlers_disconnect_by_data(self->proxy, self);
	g_clear_object(&self->proxy);
	g_clear_object(&self->list);
	g_clear_pointer(&self->by_name, g_hash_table_unref);
	g_clear_pointer(&self->pattern, g_free);
	G_OBJECT_CLASS(monitor_programs_parent_class)->dispose(object);
}

static void monitor_programs_class_init(MonitorProgramsClass *class)
{
	G_OBJECT_CLASS(class)->dispose = dispose;
	signals[UPDATED] = g_signal_new("updated", MONITOR_TYPE_PROGRAMS, G_SIGNAL_RUN_LAST, 0,
					NULL, NULL, NULL, G_TYPE_NONE, 1, G_TYPE_UINT);
	signals[FAILED] = g_signal_new("failed", MONITOR_TYPE_PROGRAMS, G_SIGNAL_RUN_LAST, 0, NULL,
				       NULL, NULL, G_TYPE_NONE, 1, G_TYPE_ERROR);
}

static void monitor_programs_init(MonitorPrograms *self)
{
	self->list = g_list_store_new(MONITOR_TYPE_PROGRAM);
	self->by_name = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, g_object_unref);
	self->pace_ms = PACE_MS;
}

MonitorPrograms *monitor_programs_new(ProcdbDBusProcDb1 *proxy)
{
	MonitorPrograms *self = g_object_new(MONITOR_TYPE_PROGRAMS, NULL);

	self->proxy = g_object_ref(proxy);
	g_signal_connect(proxy, "profiles-changed", G_CALLBACK(on_profiles_changed), self);
	g_signal_connect(proxy, "notify::g-name-owner", G_CALLBACK(on_owner_changed), self);
	on_owner_changed(proxy, NULL, self);
	return self;
}

GListModel *monitor_programs_list(MonitorPrograms *self)
{
	return G_LIST_MODEL(self->list);
}

void monitor_programs_set_pace(MonitorPrograms *self, guint pace_ms)
{
	if (self->pace_ms == pace_ms)
		return;
	self->pace_ms = pace_ms;
	g_clear_handle_id(&self->timer, g_source_remove);
	ask_when_due(self);
}

static char *pattern_of(const char *text)
{
	return *text && strlen(text) <= MAX_SEARCH ? g_strdup_printf("*%s*", text) : NULL;
}

void monitor_programs_search(MonitorPrograms *self, const char *text)
{
	g_free(self->pattern);
	self->pattern = pattern_of(text);
	self->is_searching = self->is_cut && self->pattern;
	ask_when_due(self);
}

gboolean monitor_programs_may_find(MonitorPrograms *self, const char *text)
{
	g_autofree char *pattern = pattern_of(text);

	return self->is_cut && pattern &&
	       (self->is_searching || (self->cancellable && self->asked == MATCHES) ||
		g_strcmp0(pattern, self->pattern) != 0);
}
