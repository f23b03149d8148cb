/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

/* What a rule decided for a task, which holds as long as it runs the same: on one that is made up.
 */

#include "apply-fixture.h"

#define BATCH_BY_PROGRAM PROCDB_DECISION(PROCDB_TIER_BATCH, PROCDB_BY_PROGRAM)
#define BATCH_BY_UNIT PROCDB_DECISION(PROCDB_TIER_BATCH, 0)

static struct procdb_task_event decided(guint8 reason, guint8 decision)
{
	struct procdb_task_event e =
	    event(decision ? PROCDB_DECIDED_TIER(decision) : (guint8)PROCDB_TIERS);

	e.reason = reason;
	e.decision = decision;
	return e;
}

static guint8 decision_of(const FakeMachine *machine)
{
	return machine->tasks[0].given.decision;
}

static void test_it_holds_for_life(void)
{
	FakeMachine machine = machine_with_task();
	struct procdb_task_event measured = event(PROCDB_TIER_LAT_CRITICAL);

	g_assert_cmpint(apply_default(&machine, decided(PROCDB_TASK_EXECUTED, BATCH_BY_PROGRAM)),
			==, PROCDB_APPLY_SET);
	g_assert_cmpuint(decision_of(&machine), ==, BATCH_BY_PROGRAM);
	/* Sent before BPF knew of it, or by a task whose tier changed. */
	measured.reason = PROCDB_TASK_MATURED;
	g_assert_cmpint(apply_default(&machine, measured), ==, PROCDB_APPLY_NOTHING);
	g_assert_cmpuint(machine.tasks[0].attr.slice_ns, ==, batch_slice());
}

static void test_it_ends_with_the_program(void)
{
	FakeMachine machine = machine_with_task();

	apply_default(&machine, decided(PROCDB_TASK_EXECUTED, BATCH_BY_PROGRAM));
	g_assert_cmpint(apply_default(&machine, decided(PROCDB_TASK_EXECUTED, 0)), ==,
			PROCDB_APPLY_RESTORED);
	g_assert_cmpuint(decision_of(&machine), ==, 0);
	g_assert_cmpuint(machine.tasks[0].attr.slice_ns, ==, FAKE_DEFAULT_SLICE);
}

static void test_to_be_left_alone_is_a_decision(void)
{
	FakeMachine machine = machine_with_task();
	struct procdb_task_event measured = event(PROCDB_TIER_BATCH);

	g_assert_cmpint(
	    apply_default(&machine, decided(PROCDB_TASK_EXECUTED,
					    PROCDB_DECISION(PROCDB_TIER_INTERACTIVE, 0))),
	    ==, PROCDB_APPLY_NOTHING);
	measured.reason = PROCDB_TASK_MATURED;
	g_assert_cmpint(apply_default(&machine, measured), ==, PROCDB_APPLY_NOTHING);
	g_assert_cmpuint(machine.tasks[0].attr.slice_ns, ==, FAKE_DEFAULT_SLICE);
}

static void test_a_unit_does_not_decide_over_a_program(void)
{
	FakeMachine machine = machine_with_task();
	const guint8 lat = PROCDB_DECISION(PROCDB_TIER_LAT_CRITICAL, PROCDB_BY_PROGRAM);

	apply_default(&machine, decided(PROCDB_TASK_EXECUTED, lat));
	apply_default(&machine, decided(PROCDB_TASK_MOVED, BATCH_BY_UNIT));
	g_assert_cmpuint(decision_of(&machine), ==, lat);
	apply_default(&machine, decided(PROCDB_TASK_EXECUTED, 0));
	g_assert_cmpint(apply_default(&machine, decided(PROCDB_TASK_MOVED, BATCH_BY_UNIT)), ==,
			PROCDB_APPLY_SET);
	g_assert_cmpuint(decision_of(&machine), ==, BATCH_BY_UNIT);
}

static void test_a_unit_decides_as_long_as_the_task_is_in_it(void)
{
	FakeMachine machine = machine_with_task();
	const guint8 lat = PROCDB_DECISION(PROCDB_TIER_LAT_CRITICAL, PROCDB_BY_PROGRAM);

	apply_default(&machine, decided(PROCDB_TASK_MOVED, BATCH_BY_UNIT));
	apply_default(&machine, decided(PROCDB_TASK_MOVED, 0));
	g_assert_cmpuint(decision_of(&machine), ==, 0);
	/* What decides by the program stays, wherever the task goes. */
	apply_default(&machine, decided(PROCDB_TASK_EXECUTED, lat));
	apply_default(&machine, decided(PROCDB_TASK_MOVED, 0));
	g_assert_cmpuint(decision_of(&machine), ==, lat);
}

static void test_a_pause_does_not_lose_it(void)
{
	FakeMachine machine = machine_with_task();
	g_autoptr(ProcdbApply) apply =
	    procdb_apply_new(&procdb_apply_default_settings, &fake_task_ops, &machine);
	const struct procdb_task_event e = decided(PROCDB_TASK_EXECUTED, BATCH_BY_PROGRAM);
	struct procdb_task_event measured = event(PROCDB_TIER_INTERACTIVE);

	procdb_apply_set_pause(apply, "a test", FALSE);
	g_assert_cmpint(procdb_apply_handle(apply, &e), ==, PROCDB_APPLY_NOTHING);
	g_assert_cmpuint(machine.tasks[0].attr.slice_ns, ==, FAKE_DEFAULT_SLICE);
	g_assert_cmpuint(decision_of(&machine), ==, BATCH_BY_PROGRAM);
	procdb_apply_set_pause(apply, NULL, FALSE);
	measured.reason = PROCDB_TASK_MATURED;
	g_assert_cmpint(procdb_apply_handle(apply, &measured), ==, PROCDB_APPLY_SET);
	g_assert_cmpuint(machine.tasks[0].attr.slice_ns, ==, batch_slice());
	g_assert_cmpuint(machine.open_handles, ==, 0);
}

/* The program executes another one before the service looks, as launchers do. */
static void test_in_a_pause_it_ends_as_well(void)
{
	FakeMachine machine = machine_with_task();
	g_autoptr(ProcdbApply) apply =
	    procdb_apply_new(&procdb_apply_default_settings, &fake_task_ops, &machine);
	const struct procdb_task_event first = decided(PROCDB_TASK_EXECUTED, BATCH_BY_PROGRAM);
	const struct procdb_task_event second = decided(PROCDB_TASK_EXECUTED, 0);

	procdb_apply_set_pause(apply, "a test", FALSE);
	procdb_apply_handle(apply, &first);
	procdb_apply_handle(apply, &second);
	g_assert_cmpuint(decision_of(&machine), ==, 0);
}

/* When no more tasks may be changed in this second, it is noted, and given later. */
static void test_the_limit_does_not_lose_it(void)
{
	ProcdbApplySettings settings = procdb_apply_default_settings;
	FakeMachine machine = machine_with_task();
	const struct procdb_task_event e = decided(PROCDB_TASK_EXECUTED, BATCH_BY_PROGRAM);
	struct procdb_task_event measured = event(PROCDB_TIER_INTERACTIVE);
	g_autoptr(ProcdbApply) apply = NULL;

	settings.max_per_second = 0;
	apply = procdb_apply_new(&settings, &fake_task_ops, &machine);
	g_assert_cmpint(procdb_apply_handle(apply, &e), ==, PROCDB_APPLY_REFUSED_LIMIT);
	g_assert_cmpuint(decision_of(&machine), ==, BATCH_BY_PROGRAM);
	settings.max_per_second = 1;
	procdb_apply_configure(apply, &settings);
	measured.reason = PROCDB_TASK_MATURED;
	g_assert_cmpint(procdb_apply_handle(apply, &measured), ==, PROCDB_APPLY_SET);
	g_assert_cmpuint(machine.tasks[0].attr.slice_ns, ==, batch_slice());
}

static void test_a_task_that_is_gone_is_not_noted(void)
{
	FakeMachine machine = machine_with_task();
	struct procdb_task_event e = decided(PROCDB_TASK_EXECUTED, BATCH_BY_PROGRAM);

	/* Another one has its pid. */
	e.start_time++;
	g_assert_cmpint(apply_default(&machine, e), ==, PROCDB_APPLY_REFUSED_GONE);
	g_assert_cmpuint(decision_of(&machine), ==, 0);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/decisions/hold-for-life", test_it_holds_for_life);
	g_test_add_func("/decisions/end-with-the-program", test_it_ends_with_the_program);
	g_test_add_func("/decisions/left-alone", test_to_be_left_alone_is_a_decision);
	g_test_add_func("/decisions/a-unit-is-below-a-program",
			test_a_unit_does_not_decide_over_a_program);
	g_test_add_func("/decisions/a-unit-decides-as-long-as-the-task-is-in-it",
			test_a_unit_decides_as_long_as_the_task_is_in_it);
	g_test_add_func("/decisions/a-pause-does-not-lose-it", test_a_pause_does_not_lose_it);
	g_test_add_func("/decisions/a-pause-does-not-keep-it", test_in_a_pause_it_ends_as_well);
	g_test_add_func("/decisions/the-limit-does-not-lose-it", test_the_limit_does_not_lose_it);
	g_test_add_func("/decisions/a-task-that-is-gone", test_a_task_that_is_gone_is_not_noted);
	return g_test_run();
}
