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
	g_variant_lookup(map, "set_by", "&s", &task->set_by);
	g_variant_lookup(map, "slice_ns", "t", &task->slice_ns);
	g_variant_lookup(map, "cpu_ns", "t", &task->cpu_ns);
	g_variant_lookup(map, "nice", "i", &task->nice);
	g_variant_lookup(map, "policy", "u", &task->policy);
}

Tasks *tasks_fetch(Ctl *ctl, GError **error)
{
	g_autoptr(GVariant) reply =
	    g_dbus_proxy_call_sync(G_DBUS_PROXY(ctl->proxy), "ListTasks",
				   g_variant_new("(@a{sv}u)", g_variant_new("a{sv}", NULL), 0),
				   ctl->call_flags, ctl->timeout_ms, NULL, error);
	GVariantIter iter;
	GVariant *map;
	Tasks *tasks;

	if (!reply)
		return NULL;
	tasks = g_new0(Tasks, 1);
	tasks->reply = g_variant_get_child_value(reply, 0);
	tasks->items = g_array_new(FALSE, FALSE, sizeof(Task));
	g_variant_iter_init(&iter, tasks->reply);
	/* The maps live as long as the reply that they are of. */
	while (g_variant_iter_loop(&iter, "@a{sv}", &map)) {
		Task task;

		read_task(map, &task);
		g_array_append_val(tasks->items, task);
	}
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
	g_autoptr(Rows) rows = rows_query(ctl, NULL, 0, NULL, error);
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

const char *tasks_tier(const Task *task)
{
	return task->measured ? task->measured : task->predicted;
}

/* Of a slice of ours: what it follows from. */
static char *why_ours(const Task *task, const char *source)
{
	if (g_strcmp0(source, "hold") == 0)
		return g_strdup("held for a command");
	if (g_strcmp0(source, "override") == 0)
		return g_strdup("override");
	if (!task->predicted || (task->measured && !g_str_equal(task->measured, task->predicted)))
		return g_strdup("measured");
	return g_strdup("predicted");
}

char *tasks_why(const Task *task, const GHashTable *sources)
{
	if (g_str_equal(task->set_by, TASK_SET_BY_KERNEL))
		return g_strdup("none");
	if (!g_str_equal(task->set_by, TASK_SET_BY_US))
		return g_strdup("set by another program");
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
