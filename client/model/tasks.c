/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include "tasks.h"

static void read_task(GVariant *map, Task *task)
{
	*task = (Task){.name = "", .set_by = TASK_SET_BY_KERNEL, .members = map};
	g_variant_lookup(map, "pid", "u", &task->pid);
	g_variant_lookup(map, "tid", "u", &task->tid);
	g_variant_lookup(map, "name", "&s", &task->name);
	g_variant_lookup(map, "predicted", "&s", &task->predicted);
	g_variant_lookup(map, "measured", "&s", &task->measured);
	g_variant_lookup(map, "override", "&s", &task->decided);
	g_variant_lookup(map, "override_by", "&s", &task->decided_by);
	g_variant_lookup(map, "program", "&s", &task->program);
	g_variant_lookup(map, "script", "&s", &task->script);
	g_variant_lookup(map, "set_by", "&s", &task->set_by);
	g_variant_lookup(map, "slice_ns", "t", &task->slice_ns);
	g_variant_lookup(map, "cpu_ns", "t", &task->cpu_ns);
	g_variant_lookup(map, "nice", "i", &task->nice);
	g_variant_lookup(map, "policy", "u", &task->policy);
}

/* The process that answers us; 0: not known. */
static guint32 service_pid(const Ctl *ctl)
{
	g_autoptr(GVariant) reply = g_dbus_connection_call_sync(
	    g_dbus_proxy_get_connection(G_DBUS_PROXY(ctl->proxy)), "org.freedesktop.DBus",
	    "/org/freedesktop/DBus", "org.freedesktop.DBus", "GetConnectionUnixProcessID",
	    g_variant_new("(s)", PROCDB_BUS_NAME), G_VARIANT_TYPE("(u)"),
	    G_DBUS_CALL_FLAGS_NO_AUTO_START, ctl->timeout_ms, NULL, NULL);
	guint32 pid = 0;

	if (reply)
		g_variant_get(reply, "(u)", &pid);
	return pid;
}

/*
 * A task that ran before its name had an override keeps the slice that it was given: only the slice
 * tells. The kernel's own is the same for all tasks that have it.
 */
static void find_given(Tasks *tasks)
{
	guint64 own = 0;

	for (guint i = 0; i < tasks->items->len && own == 0; i++)
		if (g_str_equal(tasks_get(tasks, i)->set_by, TASK_SET_BY_KERNEL))
			own = tasks_get(tasks, i)->slice_ns;
	for (guint i = 0; own > 0 && i < tasks->items->len; i++) {
		Task *task = &g_array_index(tasks->items, Task, i);

		if (g_str_equal(task->set_by, TASK_SET_BY_US))
			task->given = procdb_tier_name(
			    task->slice_ns > own ? PROCDB_TIER_BATCH : PROCDB_TIER_LAT_CRITICAL);
	}
}

Tasks *tasks_fetch(Ctl *ctl, GError **error)
{
	g_autoptr(GVariant) reply =
	    g_dbus_proxy_call_sync(G_DBUS_PROXY(ctl->proxy), "ListTasks",
				   g_variant_new("(@a{sv}u)", g_variant_new("a{sv}", NULL), 0),
				   ctl->call_flags, ctl->timeout_ms, NULL, error);
	GVariantIter iter;
	guint32 service;
	GVariant *map;
	Tasks *tasks;

	if (!reply)
		return NULL;
	service = service_pid(ctl);
	tasks = g_new0(Tasks, 1);
	tasks->reply = g_variant_get_child_value(reply, 0);
	tasks->items = g_array_new(FALSE, FALSE, sizeof(Task));
	g_variant_iter_init(&iter, tasks->reply);
	/* The maps live as long as the reply that they are of. */
	while (g_variant_iter_loop(&iter, "@a{sv}", &map)) {
		Task task;

		read_task(map, &task);
		task.is_of_service = service != 0 && task.pid == service;
		g_array_append_val(tasks->items, task);
	}
	find_given(tasks);
	return tasks;
}

void tasks_free(Tasks *tasks)
{
	g_array_unref(tasks->items);
	g_variant_unref(tasks->reply);
	g_free(tasks);
}

GHashTable *tasks_sources(Ctl *ctl, GError **error)
{
	static const char *const fields[] = {"name", "prediction_source", NULL};
	g_autoptr(Rows) rows = rows_query(ctl, NULL, fields, NULL, error);
	GHashTable *sources;

	if (!rows)
		return NULL;
	sources = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	for (guint i = 0; i < rows->items->len; i++) {
		const Row *row = rows_get(rows, i);

		if (row->prediction_source)
			g_hash_table_insert(sources, g_strdup(row->name),
					    g_strdup(row->prediction_source));
	}
	return sources;
}

gboolean tasks_have(const Tasks *tasks, const char *name)
{
	for (guint i = 0; i < tasks->items->len; i++)
		if (g_str_equal(tasks_get(tasks, i)->name, name))
			return TRUE;
	return FALSE;
}

/* Whether the slice that it has of us is that of the present prediction of its name. */
static gboolean is_as_predicted(const Task *task)
{
	return task->predicted &&
	       (!task->measured || g_str_equal(task->measured, task->predicted) ||
		g_strcmp0(task->given, task->predicted) == 0);
}

const char *tasks_tier(const Task *task)
{
	if (task->decided)
		return task->decided;
	if (g_str_equal(task->set_by, TASK_SET_BY_US) && is_as_predicted(task))
		return task->predicted;
	return task->measured ? task->measured : task->predicted;
}

/* Of a slice of ours: what it follows from. */
static char *why_ours(const Task *task, const char *source)
{
	if (task->decided)
		return g_strdup_printf("override of its %s", task->decided_by);
	if (!is_as_predicted(task))
		return g_strdup("measured");
	if (g_strcmp0(source, "hold") == 0)
		return g_strdup("held by a caller");
	return g_strdup(g_strcmp0(source, "override") == 0 ? "override" : "predicted");
}

char *tasks_why(const Task *task, const GHashTable *sources)
{
	if (g_str_equal(task->set_by, TASK_SET_BY_KERNEL))
		return g_strdup("none");
	if (!g_str_equal(task->set_by, TASK_SET_BY_US))
		return g_strdup(task->is_of_service ? "the service's own"
						    : "set by another program");
	return why_ours(task, g_hash_table_lookup((GHashTable *)sources, task->name));
}

JsonNode *tasks_json(const Tasks *tasks, const GHashTable *sources)
{
	JsonArray *array = json_array_new();
	JsonNode *node = json_node_alloc();

	for (guint i = 0; i < tasks->items->len; i++) {
		g_autofree char *why = tasks_why(tasks_get(tasks, i), sources);
		JsonNode *task = ctl_json_from_variant(tasks_get(tasks, i)->members);

		json_object_set_string_member(json_node_get_object(task), "why", why);
		json_array_add_element(array, task);
	}
	json_node_init_array(node, array);
	json_array_unref(array);
	return node;
}
