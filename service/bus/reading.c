/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

/* The handlers of what answers with named values: profiles with their programs, and tasks. */

#include "private.h"

#include "columns.h"
#include "errors.h"
#include "filter.h"
#include "name.h"
#include "profile-rows.h"
#include "task-rows.h"

/* After a failure: each attempt may load a BPF program, and any caller may ask. */
#define RETRY_US (G_GINT64_CONSTANT(60) * G_USEC_PER_SEC)

/* The tasks that run, listed once a second at most; NULL with error set when they cannot be. */
static const GArray *tasks_now(ProcdbObject *self, GError **error)
{
	gint64 now = g_get_monotonic_time();

	if (self->tasks && now - self->tasks_us < PROCDB_TASKS_US)
		return self->tasks;
	if (self->tasks_error && now - self->tasks_us < RETRY_US) {
		if (error)
			*error = g_error_copy(self->tasks_error);
		return NULL;
	}
	g_clear_pointer(&self->tasks, g_array_unref);
	g_clear_error(&self->tasks_error);
	if (!self->host->list_tasks) {
		g_set_error_literal(error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED,
				    "This service does not list tasks");
		return NULL;
	}
	self->tasks = g_array_new(FALSE, FALSE, sizeof(struct procdb_task_row));
	self->tasks_us = now;
	if (!self->host->list_tasks(self->host_data, self->tasks, &self->tasks_error)) {
		g_clear_pointer(&self->tasks, g_array_unref);
		if (error)
			*error = g_error_copy(self->tasks_error);
		return NULL;
	}
	self->tasks_len = self->tasks->len;
	return self->tasks;
}

static guint32 uid_of(ProcdbObject *self, sd_bus_message *call)
{
	return procdb_gate_caller(self->gate, call)->uid;
}

/* A view for a call, of one name or of any (NULL); tasks may be NULL. */
static void begin_reading(ProcdbObject *self, sd_bus_message *call, ProcdbView *view,
			  const GArray *tasks, const struct procdb_comm *only)
{
	procdb_engine_refresh_programs(self->engine);
	procdb_view_init(view, self->engine, self->holds, uid_of(self, call), tasks, only);
	view->reader = self->scripts;
}

/* Answers with the profile of a name; the error, if there is none, begins with whose. */
static int reply_profile(ProcdbObject *self, sd_bus_message *call, const struct procdb_comm *comm,
			 const char *whose)
{
	GError *error = NULL;
	const struct procdb_entry *entry = procdb_engine_find(self->engine, comm, &error);
	g_auto(ProcdbView) view = {0};
	sd_bus_message *reply = NULL;
	int result;

	if (!entry) {
		g_prefix_error(&error, "%s", whose);
		return procdb_bus_reply_error(call, error);
	}
	/* Where tasks are not listed, rows have none. */
	begin_reading(self, call, &view, tasks_now(self, NULL), comm);
	result = sd_bus_message_new_method_return(call, &reply);
	if (result >= 0)
		result = procdb_view_append(&view, reply, entry);
	return procdb_bus_send_reply(reply, result);
}

int procdb_object_get_profile(ProcdbObject *self, sd_bus_message *call)
{
	g_autofree char *whose = NULL;
	struct procdb_comm comm;
	GError *error = NULL;
	const char *name;
	int result = sd_bus_message_read(call, "s", &name);

	if (result < 0)
		return result;
	if (!procdb_name_unescape(name, &comm, &error)) {
		procdb_name_blame(&error, name);
		return procdb_bus_reply_error(call, error);
	}
	whose = g_strdup_printf("'%s': ", name);
	return reply_profile(self, call, &comm, whose);
}

static const struct procdb_task_row *find_task(const GArray *tasks, guint32 pid)
{
	for (guint i = 0; tasks && i < tasks->len; i++) {
		const struct procdb_task_row *task =
		    &g_array_index(tasks, struct procdb_task_row, i);

		if (task->pid == pid)
			return task;
	}
	return NULL;
}

int procdb_object_get_profile_of_pid(ProcdbObject *self, sd_bus_message *call)
{
	const struct procdb_task_row *task;
	const struct procdb_entry *entry;
	g_autofree char *name = NULL, *whose = NULL;
	struct procdb_comm comm;
	GError *error = NULL;
	guint32 pid;
	int result = sd_bus_message_read(call, "u", &pid);

	if (result < 0)
		return result;
	task = find_task(tasks_now(self, &error), pid);
	if (!task && !error)
		g_set_error(&error, PROCDB_BUS_ERROR, PROCDB_BUS_ERROR_NO_SUCH_TASK,
			    self->tasks_len < PROCDB_MAX_TASKS
				? "There is no task %u"
				: "Task %u is not among the %u that are listed",
			    pid, PROCDB_MAX_TASKS);
	if (!task)
		return procdb_bus_reply_error(call, error);
	name = procdb_name_escape(&task->comm);
	entry = procdb_task_entry(self->engine, task);
	comm = entry ? entry->comm : *procdb_task_key(task);
	whose = g_strdup_printf("%u is a task named '%s': ", pid, name);
	return reply_profile(self, call, &comm, whose);
}

static int append_maps(sd_bus_message *reply, const ProcdbView *view, const GPtrArray *entries)
{
	int result = sd_bus_message_open_container(reply, 'a', "a{sv}");

	for (guint i = 0; i < entries->len && result >= 0; i++)
		result = procdb_view_append(view, reply, g_ptr_array_index(entries, i));
	return result < 0 ? result : sd_bus_message_close_container(reply);
}

/* columns: of an answer by columns; NULL: a map for each profile. */
static int reply_matching(ProcdbObject *self, sd_bus_message *call, const ProcdbFilter *filter,
			  guint32 limit, const ProcdbColumns *columns)
{
	g_auto(ProcdbView) view = {0};
	g_autoptr(GPtrArray) entries = NULL;
	const gboolean tasks = !columns || filter->kinds || filter->users || filter->titles ||
			       procdb_columns_need_tasks(*columns);
	const gsize row = columns ? procdb_columns_size(*columns) : PROCDB_ROW_MOST;
	sd_bus_message *reply = NULL;
	GError *error = NULL;
	gsize size;
	int result;

	begin_reading(self, call, &view, tasks ? tasks_now(self, NULL) : NULL, NULL);
	if (columns && !filter->titles && !procdb_columns_have_scripts(*columns))
		view.reader = NULL;
	entries = procdb_view_matching(&view, filter, limit, &error);
	if (!entries ||
	    !procdb_view_fits(&view, entries, row, !columns || procdb_columns_have_texts(*columns),
			      &size, &error))
		return procdb_bus_reply_error(call, error);
	/* How many match, and how long their texts are, was not known before. */
	procdb_gate_charge(self->gate, call, PROCDB_SMALL_ANSWER + size);
	result = sd_bus_message_new_method_return(call, &reply);
	if (result >= 0)
		result = columns ? procdb_columns_append(reply, &view, entries, *columns)
				 : append_maps(reply, &view, entries);
	if (result >= 0)
		result = sd_bus_message_append(reply, "t", procdb_engine_serial(self->engine));
	return procdb_bus_send_reply(reply, result);
}

int procdb_object_query_profiles(ProcdbObject *self, sd_bus_message *call)
{
	g_auto(ProcdbFilter) filter = {0};
	GError *error = NULL;
	guint32 limit = 0;
	int result = procdb_filter_read(call, PROCDB_FILTER_PROFILES, &filter, &error);

	if (error)
		return procdb_bus_reply_error(call, error);
	if (result >= 0)
		result = sd_bus_message_read(call, "u", &limit);
	return result < 0 ? result : reply_matching(self, call, &filter, limit, NULL);
}

int procdb_object_query_columns(ProcdbObject *self, sd_bus_message *call)
{
	g_auto(ProcdbFilter) filter = {0};
	ProcdbColumns columns = 0;
	GError *error = NULL;
	guint32 limit = 0;
	int result = procdb_filter_read(call, PROCDB_FILTER_PROFILES, &filter, &error);

	if (result >= 0 && !error)
		result = procdb_columns_read(call, &columns, &error);
	if (error)
		return procdb_bus_reply_error(call, error);
	if (result >= 0)
		result = sd_bus_message_read(call, "u", &limit);
	return result < 0 ? result : reply_matching(self, call, &filter, limit, &columns);
}

int procdb_object_list_tasks(ProcdbObject *self, sd_bus_message *call)
{
	g_auto(ProcdbFilter) filter = {0};
	g_autoptr(GPtrArray) matching = NULL;
	sd_bus_message *reply = NULL;
	const GArray *tasks = NULL;
	GError *error = NULL;
	guint32 limit = 0;
	gsize size;
	int result = procdb_filter_read(call, PROCDB_FILTER_TASKS, &filter, &error);

	if (result >= 0 && !error)
		result = sd_bus_message_read(call, "u", &limit);
	if (result < 0)
		return result;
	if (!error)
		tasks = tasks_now(self, &error);
	if (tasks)
		matching = procdb_tasks_matching(self->engine, tasks, &filter, limit,
						 uid_of(self, call), &size, &error);
	if (!matching)
		return procdb_bus_reply_error(call, error);
	procdb_gate_charge(self->gate, call, PROCDB_SMALL_ANSWER + size);
	result = sd_bus_message_new_method_return(call, &reply);
	if (result >= 0)
		result = procdb_tasks_append(reply, self->engine, matching, uid_of(self, call),
					     self->scripts);
	return procdb_bus_send_reply(reply, result);
}

/* Rows that an answer may have at most. limit is the next argument of the call. */
static gsize most_rows(sd_bus_message *call, int result, gsize all)
{
	guint32 limit = 0;

	if (result < 0 || sd_bus_message_read(call, "u", &limit) < 0)
		limit = 0;
	(void)sd_bus_message_rewind(call, TRUE);
	return limit > 0 ? MIN(limit, all) : all;
}

gsize procdb_object_rows_size(ProcdbObject *self, sd_bus_message *call, gsize all)
{
	return most_rows(call, sd_bus_message_skip(call, "a{sv}"), all) * PROCDB_ROW_SIZE;
}

gsize procdb_object_columns_size(ProcdbObject *self, sd_bus_message *call)
{
	const gsize all = procdb_table_size(procdb_engine_table(self->engine));
	g_autoptr(GError) error = NULL;
	ProcdbColumns columns = 0;
	int result = sd_bus_message_skip(call, "a{sv}");

	if (result >= 0)
		result = procdb_columns_read(call, &columns, &error);
	return most_rows(call, error ? -EINVAL : result, all) * procdb_columns_size(columns);
}
