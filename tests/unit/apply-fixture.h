/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

/* What tests of the apply layer share: one made-up task, and events about it. */

#include <linux/sched.h>

#include "apply.h"
#include "fake-tasks.h"

#define FOREIGN_SLICE 5000000
#define PID 100

static inline FakeMachine machine_with_task(void)
{
	return (FakeMachine){
	    .clock = 1000000,
	    .tasks = {{PID, 7, {.policy = SCHED_NORMAL, .slice_ns = FAKE_DEFAULT_SLICE}}},
	};
}

static inline struct procdb_task_event event(guint8 tier)
{
	return (struct procdb_task_event){
	    .when = 500000,
	    .start_time = 7,
	    .slice = FAKE_DEFAULT_SLICE,
	    .base = FAKE_DEFAULT_SLICE,
	    .pid = PID,
	    .tier = tier,
	};
}

static inline guint64 batch_slice(void)
{
	return procdb_slice_encode(&procdb_apply_default_settings.tiers[PROCDB_TIER_BATCH]);
}

/* As if it had been given the slice of batch. */
static inline void give_batch(FakeTask *task)
{
	task->attr.slice_ns = batch_slice();
	task->given.slice[0] = batch_slice();
}

static inline ProcdbApplyResult apply_to(FakeMachine *machine, const ProcdbApplySettings *settings,
					 struct procdb_task_event e)
{
	g_autoptr(ProcdbApply) apply = procdb_apply_new(settings, &fake_task_ops, machine);
	ProcdbApplyResult result = procdb_apply_handle(apply, &e);

	g_assert_cmpuint(machine->open_handles, ==, 0);
	return result;
}

/* With the default settings, but for so many changes in a second. */
static inline ProcdbApply *apply_with_cap(FakeMachine *machine, guint max_per_second)
{
	ProcdbApplySettings settings = procdb_apply_default_settings;

	settings.max_per_second = max_per_second;
	return procdb_apply_new(&settings, &fake_task_ops, machine);
}

static inline ProcdbApplyResult apply_default(FakeMachine *machine, struct procdb_task_event e)
{
	return apply_to(machine, &procdb_apply_default_settings, e);
}
