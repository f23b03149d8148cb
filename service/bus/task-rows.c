/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include "task-rows.h"

#include "errors.h"
#include "identity.h"
#include "ledger.h"
#include "name.h"
#include "rows.h"
#include "scripts.h"

/* The bytes of a row without path, unit and application, at most. */
#define TASK_MOST ((gsize)512)

char *procdb_identity_application(const ProcdbIdentity *identity)
{
	g_autofree char *unit = g_strndup(identity->unit, PROCDB_UNIT_LEN);
	g_autofree char *application = procdb_application_of(unit);

	return application ? procdb_identity_text(application, PROCDB_UNIT_LEN) : NULL;
}

static int add_text(int result, sd_bus_message *message, const char *key, const char *bytes,
		    gsize size)
{
	g_autofree char *text = procdb_identity_text(bytes, size);

	return *text ? PROCDB_ADD(result, message, key, "s", text) : result;
}

int procdb_identity_append(sd_bus_message *message, const ProcdbIdentity *identity, gboolean all)
{
	const char *kind = procdb_kind_name(identity->kind);
	g_autofree char *application = NULL;
	int result = 0;

	if (*kind)
		result = PROCDB_ADD(result, message, "kind", "s", kind);
	result = PROCDB_ADD(result, message, "user", "s",
			    procdb_user_class_name(procdb_user_class(identity->uid)));
	if (!all)
		return result;
	result = add_text(result, message, "program", identity->path, PROCDB_PATH_LEN);
	result = add_text(result, message, "unit", identity->unit, PROCDB_UNIT_LEN);
	application = procdb_identity_application(identity);
	return application ? PROCDB_ADD(result, message, "application", "s", application) : result;
}

static gsize text_size(const char *bytes, gsize most)
{
	gsize size = 0;

	for (gsize i = 0; i < most && bytes[i]; i++)
		size += g_ascii_isprint(bytes[i]) && bytes[i] != '\\' ? 1 : 4;
	return size;
}

gsize procdb_identity_size(const ProcdbIdentity *identity)
{
	/* The application is a part of the unit. */
	return text_size(identity->path, PROCDB_PATH_LEN) +
	       2 * text_size(identity->unit, PROCDB_UNIT_LEN);
}

const struct procdb_comm *procdb_task_key(const struct procdb_task_row *task)
{
	static const struct procdb_comm none;

	return procdb_comm_equal(&task->key, &none) ? &task->comm : &task->key;
}

const struct procdb_entry *procdb_task_entry(const ProcdbEngine *engine,
					     const struct procdb_task_row *task)
{
	const struct procdb_table *table = procdb_engine_table(engine);
	const struct procdb_entry *named = procdb_table_find(table, &task->comm);
	const struct procdb_entry *learned = procdb_table_find(table, procdb_task_key(task));

	if (named && procdb_entry_is_decided(named))
		return named;
	return learned ? learned : named;
}

/* The entry by which a task is predicted; NULL if nothing predicts. */
static const struct procdb_entry *predicting(const ProcdbEngine *engine,
					     const struct procdb_task_row *task)
{
	const struct procdb_entry *entry = procdb_task_entry(engine, task);

	return entry && entry->published ? entry : NULL;
}

static const char *origin_of(const struct procdb_task_row *task)
{
	switch (task->set_by) {
	case PROCDB_SLICE_OURS:
		return "procdb";
	case PROCDB_SLICE_OTHERS:
		return "other";
	default:
		return "kernel";
	}
}

/* What is told to those that may know its user: what an override says, and what it runs. */
static int append_told(int result, sd_bus_message *message, const struct procdb_task_row *task,
		       ProcdbScriptReader *reader, guint *asked)
{
	g_autofree char *script = NULL;

	/* It says what the path and the unit would. */
	if (task->decision) {
		result = PROCDB_ADD(
		    result, message, "override", "s",
		    procdb_tier_name((enum procdb_tier)PROCDB_DECIDED_TIER(task->decision)));
		result = PROCDB_ADD(result, message, "override_by", "s",
				    task->decision & PROCDB_BY_PROGRAM ? "program" : "unit");
	}
	if (*asked < PROCDB_MAX_SCRIPTS && procdb_task_is_interpreter(task)) {
		script = procdb_script_reader_ask(reader, task);
		(*asked)++;
	}
	return script ? PROCDB_ADD(result, message, "script", "s", script) : result;
}

/* asked: how many tasks were asked for their script. */
static int append_task(sd_bus_message *message, const ProcdbEngine *engine,
		       const struct procdb_task_row *task, guint32 uid, ProcdbScriptReader *reader,
		       guint *asked)
{
	const ProcdbIdentity identity = {task->kind, task->uid, task->path, task->unit};
	const struct procdb_entry *entry = predicting(engine, task);
	g_autofree char *name = procdb_name_escape(&task->comm);
	int result = sd_bus_message_open_container(message, 'a', "{sv}");

	result = PROCDB_ADD(result, message, "pid", "u", task->tgid);
	result = PROCDB_ADD(result, message, "tid", "u", task->pid);
	result = PROCDB_ADD(result, message, "name", "s", name);
	result = PROCDB_ADD(result, message, "uid", "u", task->uid);
	if (result >= 0)
		result = procdb_identity_append(message, &identity,
						procdb_user_may_know(uid, task->uid));
	if (entry)
		result = PROCDB_ADD(result, message, "predicted", "s",
				    procdb_tier_name(procdb_entry_tier(entry)));
	if (task->measured < PROCDB_TIERS)
		result = PROCDB_ADD(result, message, "measured", "s",
				    procdb_tier_name((enum procdb_tier)task->measured));
	if (task->slice > 0)
		result = PROCDB_ADD(result, message, "slice_ns", "t", (guint64)task->slice);
	if (procdb_user_may_know(uid, task->uid))
		result = append_told(result, message, task, reader, asked);
	result = PROCDB_ADD(result, message, "set_by", "s", origin_of(task));
	result = PROCDB_ADD(result, message, "nice", "i", task->nice);
	result = PROCDB_ADD(result, message, "policy", "u", task->policy);
	result = PROCDB_ADD(result, message, "cpu_ns", "t", (guint64)task->cpu);
	return result < 0 ? result : sd_bus_message_close_container(message);
}

static gboolean passes(const ProcdbEngine *engine, const ProcdbFilter *filter,
		       const struct procdb_task_row *task)
{
	const struct procdb_entry *entry;

	if ((filter->pid >= 0 && task->tgid != filter->pid) ||
	    (filter->uid >= 0 && task->uid != filter->uid) ||
	    (filter->applied >= 0 &&
	     (task->set_by == PROCDB_SLICE_OURS ? 1 : 0) != filter->applied) ||
	    !procdb_filter_takes_kind(filter, task->kind))
		return FALSE;
	if (filter->tier != PROCDB_TIERS) {
		entry = predicting(engine, task);
		if (!entry || (int)procdb_entry_tier(entry) != filter->tier)
			return FALSE;
	}
	return procdb_filter_takes_name(filter, &task->comm);
}

GPtrArray *procdb_tasks_matching(const ProcdbEngine *engine, const GArray *tasks,
				 const ProcdbFilter *filter, guint limit, guint32 uid, gsize *size,
				 GError **error)
{
	g_autoptr(GPtrArray) matching = g_ptr_array_new();

	*size = 0;
	for (guint i = 0; i < tasks->len && (limit == 0 || matching->len < limit); i++) {
		struct procdb_task_row *task = &g_array_index(tasks, struct procdb_task_row, i);
		const ProcdbIdentity identity = {task->kind, task->uid, task->path, task->unit};

		if (!passes(engine, filter, task))
			continue;
		*size += TASK_MOST;
		if (procdb_user_may_know(uid, task->uid))
			*size += procdb_identity_size(&identity) +
				 (procdb_task_is_interpreter(task) ? PROCDB_SCRIPT_MOST : 0);
		g_ptr_array_add(matching, task);
	}
	if (*size <= PROCDB_MAX_ANSWER)
		return g_steal_pointer(&matching);
	g_set_error(error, PROCDB_BUS_ERROR, PROCDB_BUS_ERROR_LIMIT_EXCEEDED,
		    "One answer has no room for %u tasks with long paths: set a limit, or filter "
		    "for fewer",
		    matching->len);
	return NULL;
}

int procdb_tasks_append(sd_bus_message *message, const ProcdbEngine *engine,
			const GPtrArray *matching, guint32 uid, ProcdbScriptReader *reader)
{
	int result = sd_bus_message_open_container(message, 'a', "a{sv}");
	guint asked = 0;

	for (guint i = 0; i < matching->len && result >= 0; i++)
		result = append_task(message, engine, g_ptr_array_index(matching, i), uid, reader,
				     &asked);
	return result < 0 ? result : sd_bus_message_close_container(message);
}
