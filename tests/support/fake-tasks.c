/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include "fake-tasks.h"

#include <errno.h>

static FakeTask *find(FakeMachine *machine, guint pid)
{
	for (guint i = 0; i < FAKE_MAX_TASKS; i++)
		if (pid != 0 && machine->tasks[i].pid == pid)
			return &machine->tasks[i];
	return NULL;
}

static int open_task(gpointer data, guint pid, guint64 start_time, guint64 pidfs_ino)
{
	FakeMachine *machine = data;
	FakeTask *task = find(machine, pid);

	if (!task || task->start_time != start_time)
		return -1;
	for (int handle = 0; handle < FAKE_MAX_TASKS; handle++) {
		if (machine->open_start[handle] != 0)
			continue;
		machine->open_start[handle] = task->start_time;
		machine->open_handles++;
		return handle;
	}
	g_assert_not_reached();
}

static FakeTask *task_of(FakeMachine *machine, int handle)
{
	for (guint i = 0; i < FAKE_MAX_TASKS; i++)
		if (machine->tasks[i].pid != 0 &&
		    machine->tasks[i].start_time == machine->open_start[handle])
			return &machine->tasks[i];
	return NULL;
}

static gboolean is_alive(gpointer data, int handle)
{
	return task_of(data, handle) != NULL;
}

static void close_task(gpointer data, int handle)
{
	FakeMachine *machine = data;

	machine->open_start[handle] = 0;
	machine->open_handles--;
}

static int get_attr(gpointer data, guint pid, ProcdbSchedAttr *attr)
{
	FakeTask *task = find(data, pid);

	if (!task)
		return -ESRCH;
	*attr = task->attr;
	return 0;
}

static int set_attr(gpointer data, guint pid, const ProcdbSchedAttr *attr)
{
	FakeMachine *machine = data;
	FakeTask *task = find(machine, pid);

	machine->sets++;
	if (machine->reuse_with && task) {
		*task = *machine->reuse_with;
		machine->reuse_with = NULL;
	}
	if (!task)
		return -ESRCH;
	if (machine->set_error)
		return machine->set_error;
	/* As the kernel does with SCHED_FLAG_KEEP_POLICY. */
	if (!procdb_policy_has_slices(task->attr.policy))
		return -EINVAL;
	task->attr.nice = attr->nice;
	task->attr.slice_ns = attr->slice_ns;
	if (attr->slice_ns == 0)
		task->attr.slice_ns = FAKE_DEFAULT_SLICE;
	return 0;
}

static gboolean list_given(gpointer data, GArray *tasks)
{
	FakeMachine *machine = data;

	if (machine->unlisted)
		return FALSE;
	for (guint i = 0; i < FAKE_MAX_TASKS; i++) {
		const FakeTask *task = &machine->tasks[i];
		struct procdb_given_task found = {
		    .start_time = task->start_time,
		    .slice = task->attr.slice_ns,
		    .given = task->given,
		    .pid = task->pid,
		};

		if (task->pid != 0 && procdb_given_is(&task->given, task->attr.slice_ns))
			g_array_append_val(tasks, found);
	}
	if (machine->fork_once) {
		machine->fork_once = FALSE;
		machine->tasks[1] = machine->tasks[0];
		machine->tasks[1].pid++;
		machine->tasks[1].start_time++;
	}
	return TRUE;
}

static void list_leftovers(gpointer data, GArray *tasks)
{
	list_given(data, tasks);
}

static void read_record(gpointer data, int handle, struct procdb_given *given)
{
	FakeTask *task = task_of(data, handle);

	*given = task ? task->given : (struct procdb_given){0};
}

static gboolean write_record(gpointer data, int handle, const struct procdb_given *given)
{
	FakeTask *task = task_of(data, handle);

	if (task)
		task->given = *given;
	return task != NULL;
}

static void guard_task(gpointer data, guint pid)
{
	((FakeMachine *)data)->changes = 0;
}

static void expect_values(gpointer data, const ProcdbSchedAttr *now, const ProcdbSchedAttr *next)
{
	FakeMachine *machine = data;

	if (!machine->others)
		return;
	machine->tasks[0].attr = *machine->others;
	machine->changes++;
	machine->change = (struct procdb_guard){
	    .nice = machine->others->nice,
	    .others = machine->others->slice_ns == now->slice_ns ? PROCDB_GUARD_NO_SLICE
								 : machine->others->slice_ns,
	};
	machine->others = NULL;
}

static guint count_changes(gpointer data, struct procdb_guard *last)
{
	FakeMachine *machine = data;

	*last = machine->change;
	return machine->changes;
}

static const char *refusal(gpointer data)
{
	return ((FakeMachine *)data)->refusal;
}

static gboolean refresh(gpointer data)
{
	return FALSE;
}

static gboolean sched_ext(gpointer data)
{
	return ((FakeMachine *)data)->sched_ext;
}

static gint64 fake_clock(gpointer data)
{
	return ((FakeMachine *)data)->clock;
}

const ProcdbTaskOps fake_task_ops = {
    .open_task = open_task,
    .is_alive = is_alive,
    .close_task = close_task,
    .get_attr = get_attr,
    .set_attr = set_attr,
    .read_record = read_record,
    .write_record = write_record,
    .list_given = list_given,
    .list_leftovers = list_leftovers,
    .guard_task = guard_task,
    .expect_values = expect_values,
    .count_changes = count_changes,
    .refusal = refusal,
    .refresh = refresh,
    .sched_ext = sched_ext,
    .clock = fake_clock,
};
