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

static int hold_start(FakeMachine *machine, const FakeTask *task)
{
	if (!task)
		return -1;
	for (int handle = 0; handle < FAKE_MAX_TASKS; handle++) {
		if (machine->held_start[handle] != 0)
			continue;
		machine->held_start[handle] = task->start_time;
		machine->open_handles++;
		return handle;
	}
	g_assert_not_reached();
}

static int hold(gpointer data, const struct procdb_task_event *event)
{
	FakeTask *task = find(data, event->pid);

	return task && task->start_time == event->start_time ? hold_start(data, task) : -1;
}

static int hold_pid(gpointer data, guint pid)
{
	return hold_start(data, find(data, pid));
}

static gboolean held(gpointer data, int handle)
{
	FakeMachine *machine = data;

	for (guint i = 0; i < FAKE_MAX_TASKS; i++)
		if (machine->tasks[i].pid != 0 &&
		    machine->tasks[i].start_time == machine->held_start[handle])
			return TRUE;
	return FALSE;
}

static void release(gpointer data, int handle)
{
	FakeMachine *machine = data;

	machine->held_start[handle] = 0;
	machine->open_handles--;
}

static int get(gpointer data, guint pid, ProcdbSchedAttr *attr)
{
	FakeTask *task = find(data, pid);

	if (!task)
		return -ESRCH;
	*attr = task->attr;
	return 0;
}

static int set(gpointer data, guint pid, const ProcdbSchedAttr *attr)
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
	task->attr = *attr;
	if (attr->slice_ns == 0)
		task->attr.slice_ns = FAKE_DEFAULT_SLICE;
	return 0;
}

static void list(gpointer data, GArray *pids)
{
	FakeMachine *machine = data;

	for (guint i = 0; i < FAKE_MAX_TASKS; i++)
		if (machine->tasks[i].pid != 0)
			g_array_append_val(pids, machine->tasks[i].pid);
	if (machine->fork_once) {
		machine->fork_once = FALSE;
		machine->tasks[1] = machine->tasks[0];
		machine->tasks[1].pid++;
		machine->tasks[1].start_time++;
	}
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
    .hold = hold,
    .hold_pid = hold_pid,
    .held = held,
    .release = release,
    .get = get,
    .set = set,
    .list = list,
    .sched_ext = sched_ext,
    .clock = fake_clock,
};
