/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include "profile-rows.h"

#include <stdlib.h>
#include <string.h>

#include "delay-stats.h"
#include "errors.h"
#include "identity.h"
#include "name.h"
#include "rows.h"
#include "scripts.h"
#include "task-rows.h"

#define NS_PER_S 1e9
/* Tasks of a name of which the scripts are looked at. */
#define SCRIPT_TASKS 8

static void scripts_free(gpointer data)
{
	ProcdbScripts *scripts = data;

	g_free((gpointer)scripts->first);
	g_free(scripts);
}

/* tasks[index] has this name, or is learned under it; only: no other name is asked for, or NULL. */
static void add_task(ProcdbView *view, const struct procdb_comm *name, guint index,
		     const struct procdb_comm *only)
{
	GArray *same;

	if (only && !procdb_comm_equal(name, only))
		return;
	same = g_hash_table_lookup(view->by_name, name);
	if (!same) {
		same = g_array_new(FALSE, FALSE, sizeof(guint));
		g_hash_table_insert(view->by_name, (gpointer)name, same);
	}
	if (same->len < PROCDB_MAX_PIDS)
		g_array_append_val(same, index);
}

void procdb_view_init(ProcdbView *view, ProcdbEngine *engine, const ProcdbHolds *holds, guint32 uid,
		      const GArray *tasks, const struct procdb_comm *only)
{
	*view = (ProcdbView){.engine = engine, .holds = holds, .uid = uid, .tasks = tasks};
	view->by_name = g_hash_table_new_full(procdb_comm_hash, procdb_comm_equal, NULL,
					      (GDestroyNotify)g_array_unref);
	view->scripts =
	    g_hash_table_new_full(procdb_comm_hash, procdb_comm_equal, NULL, scripts_free);
	for (guint i = 0; tasks && i < tasks->len; i++) {
		const struct procdb_task_row *task =
		    &g_array_index(tasks, struct procdb_task_row, i);
		const struct procdb_comm *key = procdb_task_key(task);

		add_task(view, key, i, only);
		/* What is known of its name as it is counts first. */
		if (!procdb_comm_equal(key, &task->comm))
			add_task(view, &task->comm, i, only);
	}
}

void procdb_view_clear(ProcdbView *view)
{
	g_clear_pointer(&view->by_name, g_hash_table_unref);
	g_clear_pointer(&view->scripts, g_hash_table_unref);
}

/* The tasks that have a name now, or are learned under it; NULL for none. */
static const GArray *tasks_of(const ProcdbView *view, const struct procdb_comm *comm)
{
	return g_hash_table_lookup(view->by_name, comm);
}

static const struct procdb_task_row *task_at(const ProcdbView *view, const GArray *same, guint i)
{
	return &g_array_index(view->tasks, struct procdb_task_row, g_array_index(same, guint, i));
}

gboolean procdb_view_identity(const ProcdbView *view, const struct procdb_entry *entry,
			      ProcdbIdentity *identity)
{
	const GArray *same = tasks_of(view, &entry->comm);
	const struct procdb_task_row *task = same ? task_at(view, same, 0) : NULL;
	const ProcdbProgram *program = procdb_engine_program(view->engine, &entry->comm);
	struct procdb_identity known;
	const gboolean found = procdb_engine_identity(view->engine, entry, &known);
	/* Of what was counted only, neither is known. */
	const gboolean described = found && (known.kind != PROCDB_KIND_UNKNOWN || *known.path);
	/* As a thread: no start was seen, and tasks alone tell. */
	const gboolean is_executed = known.runs > 0 || (program && *program->last.path);

	*identity = (ProcdbIdentity){known.kind, known.uid, known.path, known.unit};
	if (task && (!*known.path || (!is_executed && *task->path))) {
		*identity = (ProcdbIdentity){task->kind, task->uid, task->path, task->unit};
		/* The texts of what was known may go with it. */
		procdb_engine_note_identity(view->engine,
					    &(struct procdb_identity){.comm = entry->comm,
								      .uid = task->uid,
								      .kind = task->kind,
								      .path = task->path,
								      .unit = task->unit});
	}
	return described || task;
}

static gboolean is_asked(const ProcdbView *view, const struct procdb_task_row *task)
{
	return view->reader && procdb_user_may_know(view->uid, task->uid) &&
	       procdb_task_is_interpreter(task);
}

/* Those of some tasks; NULL if none of them is of an interpreter. */
static ProcdbScripts *find_scripts(const ProcdbView *view, const GArray *same)
{
	g_autoptr(GPtrArray) found = g_ptr_array_new_with_free_func(g_free);
	ProcdbScripts *scripts;
	gboolean asked = FALSE;

	for (guint i = 0; i < same->len && i < SCRIPT_TASKS; i++) {
		const struct procdb_task_row *task = task_at(view, same, i);
		g_autofree char *script = NULL;

		if (!is_asked(view, task))
			continue;
		asked = TRUE;
		script = procdb_script_reader_ask(view->reader, task);
		if (script && !g_ptr_array_find_with_equal_func(found, script, g_str_equal, NULL))
			g_ptr_array_add(found, g_steal_pointer(&script));
	}
	if (!asked)
		return NULL;
	scripts = g_new(ProcdbScripts, 1);
	*scripts = (ProcdbScripts){g_strdup(found->len > 0 ? found->pdata[0] : ""), found->len};
	return scripts;
}

const ProcdbScripts *procdb_view_scripts(const ProcdbView *view, const struct procdb_entry *entry)
{
	static const ProcdbScripts none = {.first = ""};
	const GArray *same = tasks_of(view, &entry->comm);
	ProcdbScripts *scripts = g_hash_table_lookup(view->scripts, &entry->comm);

	if (scripts || !same ||
	    g_hash_table_size(view->scripts) >= PROCDB_MAX_SCRIPTS / SCRIPT_TASKS)
		return scripts ? scripts : &none;
	scripts = find_scripts(view, same);
	if (!scripts)
		return &none;
	g_hash_table_insert(view->scripts, (gpointer)&entry->comm, scripts);
	return scripts;
}

static int add_scripts(int result, sd_bus_message *message, const ProcdbView *view,
		       const struct procdb_entry *entry)
{
	const ProcdbScripts *scripts = procdb_view_scripts(view, entry);

	if (scripts->number == 0)
		return result;
	result = PROCDB_ADD(result, message, "script", "s", scripts->first);
	return PROCDB_ADD(result, message, "scripts", "u", (guint32)scripts->number);
}

static int add_hold(int result, sd_bus_message *message, const ProcdbView *view,
		    const struct procdb_entry *entry)
{
	const ProcdbHold *hold = entry->held ? procdb_holds_find(view->holds, &entry->comm) : NULL;

	if (!hold)
		return result;
	result = PROCDB_ADD(result, message, "held", "s", procdb_tier_name(hold->tier));
	result = PROCDB_ADD(result, message, "held_by", "s", hold->caller->name);
	result = PROCDB_ADD(result, message, "held_uid", "u", hold->caller->uid);
	return PROCDB_ADD(result, message, "held_reason", "s", hold->reason);
}

static int add_prediction(int result, sd_bus_message *message, const ProcdbView *view,
			  const struct procdb_entry *entry)
{
	const char *source = procdb_prediction_source(view->engine, entry);

	result = PROCDB_ADD(result, message, "prediction_source", "s", source);
	if (g_str_equal(source, "none"))
		return result;
	return PROCDB_ADD(result, message, "predicted_tier", "s",
			  procdb_tier_name(procdb_entry_tier(entry)));
}

double procdb_program_rate(const ProcdbProgram *program, guint64 count)
{
	return program->alive > 0 ? (double)count * NS_PER_S / (double)program->alive : -1;
}

/* How long its tasks waited for a CPU, of those that had a slice of a program, and of those
 * without. */
static int add_waits(int result, sd_bus_message *message, const ProcdbProgram *program)
{
	static const struct {
		const char *count;
		const char *percentiles[3];
	} names[PROCDB_DELAY_SIDES] = {
	    [PROCDB_DELAY_PLAIN] = {"waits_without",
				    {"wait_p50_without", "wait_p90_without", "wait_p99_without"}},
	    [PROCDB_DELAY_APPLIED] = {"waits_with",
				      {"wait_p50_with", "wait_p90_with", "wait_p99_with"}},
	};
	static const double shares[] = {.5, .9, .99};

	for (guint side = 0; side < PROCDB_DELAY_SIDES; side++) {
		const guint64 count = procdb_octaves_count(program->waits[side]);

		if (count == 0)
			continue;
		result = PROCDB_ADD(result, message, names[side].count, "t", count);
		for (guint i = 0; i < G_N_ELEMENTS(shares); i++)
			result =
			    PROCDB_ADD(result, message, names[side].percentiles[i], "t",
				       procdb_octaves_percentile(program->waits[side], shares[i]));
	}
	return result;
}

/* Counts are told only where they are counted: by the rule of the reference they are not. */
static int add_counts(int result, sd_bus_message *message, const ProcdbView *view,
		      const struct procdb_entry *entry)
{
	const ProcdbProgram *program = procdb_engine_program(view->engine, &entry->comm);
	struct procdb_identity known;

	if (procdb_engine_identity(view->engine, entry, &known))
		result = PROCDB_ADD(result, message, "cpu_ns", "t", known.cpu);
	result = PROCDB_ADD(result, message, "runs", "t", known.runs);
	if (!program)
		return result;
	result = PROCDB_ADD(result, message, "cpu_share", "d", program->cpu_share);
	result = add_waits(result, message, program);
	if (program->alive == 0)
		return result;
	result = PROCDB_ADD(result, message, "wakeups_per_second", "d",
			    procdb_program_rate(program, program->wakeups));
	return PROCDB_ADD(result, message, "switches_per_second", "d",
			  procdb_program_rate(program, program->switches));
}

guint procdb_view_pids(const ProcdbView *view, const struct procdb_entry *entry,
		       guint32 pids[PROCDB_MAX_PIDS])
{
	const GArray *same = tasks_of(view, &entry->comm);

	for (guint i = 0; same && i < same->len; i++)
		pids[i] = task_at(view, same, i)->pid;
	return same ? same->len : 0;
}

static int add_pids(int result, sd_bus_message *message, const ProcdbView *view,
		    const struct procdb_entry *entry)
{
	guint32 pids[PROCDB_MAX_PIDS];
	const guint count = procdb_view_pids(view, entry, pids);

	if (result < 0 || count == 0)
		return result;
	result = sd_bus_message_open_container(message, 'e', "sv");
	if (result >= 0)
		result = sd_bus_message_append(message, "s", "pids");
	if (result >= 0)
		result = sd_bus_message_open_container(message, 'v', "au");
	if (result >= 0)
		result = sd_bus_message_append_array(message, 'u', pids, count * sizeof(pids[0]));
	if (result >= 0)
		result = sd_bus_message_close_container(message);
	return result < 0 ? result : sd_bus_message_close_container(message);
}

int procdb_view_append(const ProcdbView *view, sd_bus_message *message,
		       const struct procdb_entry *entry)
{
	ProcdbIdentity identity;
	int result = procdb_profile_open(message, view->engine, entry);

	result = add_prediction(result, message, view, entry);
	result = add_hold(result, message, view, entry);
	result = add_counts(result, message, view, entry);
	if (result >= 0 && procdb_view_identity(view, entry, &identity)) {
		const gboolean all = procdb_user_may_know(view->uid, identity.uid);

		result = procdb_identity_append(message, &identity, all);
		if (all)
			result = PROCDB_ADD(result, message, "uid", "u", identity.uid);
	}
	result = add_scripts(result, message, view, entry);
	result = add_pids(result, message, view, entry);
	return result < 0 ? result : sd_bus_message_close_container(message);
}

/* A profile that passes, and what it is sorted by. */
struct match {
	const struct procdb_entry *entry;
	double key; /* greater first; 0 when sorted by name */
};

static int compare(const void *a, const void *b)
{
	const struct match *x = a, *y = b;

	if (x->key != y->key)
		return x->key < y->key ? 1 : -1;
	return memcmp(&x->entry->comm, &y->entry->comm, sizeof(x->entry->comm));
}

static double key_of(const ProcdbView *view, const struct procdb_entry *entry, ProcdbSort sort)
{
	const ProcdbProgram *program;
	struct procdb_identity known;

	switch (sort) {
	case PROCDB_SORT_CPU:
		program = procdb_engine_program(view->engine, &entry->comm);
		(void)procdb_engine_identity(view->engine, entry, &known);
		/* The total decides among those that do nothing now: it is less than this. */
		return (program ? program->cpu_share : 0) + (double)known.cpu * 1e-21;
	case PROCDB_SORT_LAST_SEEN:
		return (double)entry->profile.last_seen_us;
	default:
		return 0;
	}
}

/* Of the name, or of the last part of a path that the caller is told. */
static gboolean has_title(const ProcdbView *view, const ProcdbFilter *filter,
			  const struct procdb_entry *entry)
{
	g_autofree char *name = procdb_name_escape(&entry->comm);
	g_autofree char *script = NULL, *path = NULL, *program = NULL;
	const ProcdbScripts *scripts;
	ProcdbIdentity identity;

	if (procdb_filter_has_title(filter, name))
		return TRUE;
	/* Processes are asked for these. Of several one is known. */
	scripts = procdb_view_scripts(view, entry);
	if (scripts->number > 1)
		return TRUE;
	script = g_path_get_basename(scripts->first);
	if (scripts->number > 0 && procdb_filter_has_title(filter, script))
		return TRUE;
	if (!procdb_view_identity(view, entry, &identity) ||
	    !procdb_user_may_know(view->uid, identity.uid) || !*identity.path)
		return FALSE;
	path = procdb_identity_text(identity.path, PROCDB_PATH_LEN);
	program = g_path_get_basename(path);
	return procdb_filter_has_title(filter, program);
}

/* The cheap questions first: a filtered list is asked for every second. */
static gboolean passes(const ProcdbView *view, const ProcdbFilter *filter,
		       const struct procdb_entry *entry)
{
	const struct procdb_rules *rules = &procdb_engine_settings(view->engine)->rules;
	ProcdbIdentity identity;

	if (filter->is_after && memcmp(&entry->comm, &filter->after, sizeof(entry->comm)) <= 0)
		return FALSE;
	if (filter->since && filter->changed_since <= procdb_engine_serial(view->engine) &&
	    entry->serial <= filter->changed_since)
		return FALSE;
	if (filter->tier != PROCDB_TIERS && (int)procdb_entry_tier(entry) != filter->tier)
		return FALSE;
	if (filter->applied >= 0 && (entry->published ? 1 : 0) != filter->applied)
		return FALSE;
	if (filter->confident >= 0 &&
	    (procdb_profile_is_confident(&entry->profile, rules) ? 1 : 0) != filter->confident)
		return FALSE;
	if ((filter->kinds || filter->users) && procdb_view_identity(view, entry, &identity) &&
	    (!procdb_filter_takes_kind(filter, identity.kind) ||
	     (filter->users && !(filter->users & (1U << procdb_user_class(identity.uid))))))
		return FALSE;
	return procdb_filter_takes_name(filter, &entry->comm) &&
	       (!filter->titles || has_title(view, filter, entry));
}

/* The bytes of the texts of an entry that this caller is told, at most. */
static gsize texts_size(const ProcdbView *view, const struct procdb_entry *entry)
{
	const gsize script = strlen(procdb_view_scripts(view, entry)->first);
	ProcdbIdentity identity;

	return procdb_view_identity(view, entry, &identity) &&
		       procdb_user_may_know(view->uid, identity.uid)
		   ? procdb_identity_size(&identity) + script
		   : script;
}

gboolean procdb_view_fits(const ProcdbView *view, const GPtrArray *entries, gsize each,
			  gboolean texts, gsize *size, GError **error)
{
	*size = 0;
	for (guint i = 0; i < entries->len; i++)
		*size += each + (texts ? texts_size(view, g_ptr_array_index(entries, i)) : 0);
	if (*size <= PROCDB_MAX_ANSWER)
		return TRUE;
	g_set_error(error, PROCDB_BUS_ERROR, PROCDB_BUS_ERROR_LIMIT_EXCEEDED,
		    "One answer has no room for %u profiles with long paths: set a limit, or "
		    "filter for fewer",
		    entries->len);
	return FALSE;
}

GPtrArray *procdb_view_matching(const ProcdbView *view, const ProcdbFilter *filter, guint limit,
				GError **error)
{
	const struct procdb_table *table = procdb_engine_table(view->engine);
	g_autoptr(GArray) matches = g_array_new(FALSE, FALSE, sizeof(struct match));
	GPtrArray *entries;
	guint count;

	for (gsize i = 0; i < procdb_table_size(table); i++) {
		struct match match = {.entry = procdb_table_at(table, i)};

		if (!passes(view, filter, match.entry))
			continue;
		match.key = key_of(view, match.entry, filter->sort);
		g_array_append_val(matches, match);
	}
	count = MIN(matches->len, limit ? limit : G_MAXUINT);
	if (count > PROCDB_MAX_ROWS) {
		g_set_error(error, PROCDB_BUS_ERROR, PROCDB_BUS_ERROR_LIMIT_EXCEEDED,
			    "%u profiles match, and one answer has room for %u: set a limit, or "
			    "filter for fewer",
			    matches->len, PROCDB_MAX_ROWS);
		return NULL;
	}
	g_array_sort(matches, compare);
	entries = g_ptr_array_sized_new(count);
	for (guint i = 0; i < count; i++)
		g_ptr_array_add(entries, (gpointer)g_array_index(matches, struct match, i).entry);
	return entries;
}
