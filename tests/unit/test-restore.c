/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

/* What was given is put back, and what other programs have set stands. */

#include <glib.h>

#include "apply-fixture.h"

static void test_puts_back_what_an_unknown_program_inherited(void)
{
	FakeMachine machine = machine_with_task();

	give_batch(&machine.tasks[0]);
	g_assert_cmpint(apply_default(&machine, event(PROCDB_TIERS)), ==, PROCDB_APPLY_RESTORED);
	g_assert_cmpuint(machine.tasks[0].attr.slice_ns, ==, FAKE_DEFAULT_SLICE);
}

static void test_sets_nice_when_told_to_and_puts_it_back(void)
{
	ProcdbApplySettings settings = procdb_apply_default_settings;
	FakeMachine machine = machine_with_task();
	g_autoptr(ProcdbApply) apply = NULL;

	settings.tiers[PROCDB_TIER_BATCH].nice = 5;
	g_assert_cmpint(apply_to(&machine, &settings, event(PROCDB_TIER_BATCH)), ==,
			PROCDB_APPLY_SET);
	g_assert_cmpint(machine.tasks[0].attr.nice, ==, 5);

	/* Another service than the one that set it. */
	apply = procdb_apply_new(&procdb_apply_default_settings, &fake_task_ops, &machine);
	g_assert_cmpuint(procdb_apply_restore(apply), ==, 1);
	g_assert_cmpint(machine.tasks[0].attr.nice, ==, 0);
	g_assert_cmpuint(machine.tasks[0].attr.slice_ns, ==, FAKE_DEFAULT_SLICE);
}

static void test_a_pause_that_could_list_none_does_so_later(void)
{
	FakeMachine machine = machine_with_task();
	g_autoptr(ProcdbApply) apply =
	    procdb_apply_new(&procdb_apply_default_settings, &fake_task_ops, &machine);
	struct procdb_task_event batch = event(PROCDB_TIER_BATCH);

	g_assert_cmpint(procdb_apply_handle(apply, &batch), ==, PROCDB_APPLY_SET);
	machine.unlisted = TRUE;
	procdb_apply_set_pause(apply, "the test says so", FALSE);
	g_assert_cmpuint(machine.tasks[0].attr.slice_ns, !=, FAKE_DEFAULT_SLICE);
	machine.unlisted = FALSE;
	procdb_apply_refresh(apply);
	g_assert_cmpuint(machine.tasks[0].attr.slice_ns, ==, FAKE_DEFAULT_SLICE);
}

/* It would keep its slice whatever it does from now on, and give it to its children. */
static void test_without_an_observer_nothing_is_given(void)
{
	ProcdbApplySettings settings = procdb_apply_default_settings;
	FakeMachine machine = machine_with_task();
	struct procdb_task_event batch = event(PROCDB_TIER_BATCH);
	g_autoptr(ProcdbApply) apply = NULL;
	ProcdbApplyStatus status;

	settings.tiers[PROCDB_TIER_BATCH].nice = 5;
	apply = procdb_apply_new(&settings, &fake_task_ops, &machine);
	g_assert_cmpint(procdb_apply_handle(apply, &batch), ==, PROCDB_APPLY_SET);
	procdb_apply_set_blind(apply, TRUE);
	g_assert_cmpint(machine.tasks[0].attr.nice, ==, 0);
	g_assert_cmpuint(machine.tasks[0].attr.slice_ns, ==, FAKE_DEFAULT_SLICE);
	procdb_apply_status(apply, &status);
	g_assert_false(status.active);
	g_assert_cmpstr(status.reason, ==, "nothing observes tasks");
	g_assert_cmpint(procdb_apply_handle(apply, &batch), ==, PROCDB_APPLY_NOTHING);
	procdb_apply_set_blind(apply, FALSE);
	g_assert_cmpint(procdb_apply_handle(apply, &batch), ==, PROCDB_APPLY_SET);
}

/* Any task may set any slice for itself, and what an administrator gave it is not its to take. */
static void test_a_forged_mark_is_not_believed(void)
{
	FakeMachine machine = machine_with_task();
	struct procdb_task_event unknown = event(PROCDB_TIERS), batch = event(PROCDB_TIER_BATCH);
	g_autoptr(ProcdbApply) apply =
	    procdb_apply_new(&procdb_apply_default_settings, &fake_task_ops, &machine);

	machine.tasks[0].attr.slice_ns = 20007319;
	machine.tasks[0].attr.nice = 19;
	batch.slice = unknown.slice = 20007319;
	batch.custom_slice = unknown.custom_slice = TRUE;
	g_assert_cmpint(procdb_apply_handle(apply, &unknown), ==, PROCDB_APPLY_NOTHING);
	g_assert_cmpint(procdb_apply_handle(apply, &batch), ==, PROCDB_APPLY_REFUSED_SLICE);
	g_assert_cmpuint(procdb_apply_restore(apply), ==, 0);
	g_assert_cmpuint(machine.sets, ==, 0);
}

/* Of a task that we did give a slice, the nice value is still not ours. */
static void test_a_nice_value_that_was_not_given_is_not_taken(void)
{
	FakeMachine machine = machine_with_task();

	give_batch(&machine.tasks[0]);
	machine.tasks[0].attr.nice = 19;
	g_assert_cmpint(apply_default(&machine, event(PROCDB_TIERS)), ==, PROCDB_APPLY_RESTORED);
	g_assert_cmpint(machine.tasks[0].attr.nice, ==, 19);
}

/* Looking and setting are two calls: what another program does in between is to stand. */
static void test_what_others_set_in_between_stands(void)
{
	static const struct {
		ProcdbSchedAttr others;
		ProcdbApplyResult result;
	} cases[] = {
	    {{SCHED_NORMAL, 0, 10, FAKE_DEFAULT_SLICE}, PROCDB_APPLY_REFUSED_NICE},
	    {{SCHED_NORMAL, 0, -5, FAKE_DEFAULT_SLICE}, PROCDB_APPLY_REFUSED_NICE},
	    {{SCHED_NORMAL, 0, 3, FOREIGN_SLICE}, PROCDB_APPLY_REFUSED_SLICE},
	    {{SCHED_FIFO, 0, 0, 0}, PROCDB_APPLY_REFUSED_POLICY},
	};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		FakeMachine machine = machine_with_task();

		machine.others = &cases[i].others;
		g_assert_cmpint(apply_default(&machine, event(PROCDB_TIER_BATCH)), ==,
				cases[i].result);
		g_assert_cmpmem(&machine.tasks[0].attr, sizeof(ProcdbSchedAttr), &cases[i].others,
				sizeof(ProcdbSchedAttr));
	}
}

static void test_what_cannot_be_restored_is_counted(void)
{
	FakeMachine machine = machine_with_task();
	g_autoptr(ProcdbApply) apply =
	    procdb_apply_new(&procdb_apply_default_settings, &fake_task_ops, &machine);
	ProcdbApplyStatus status;

	give_batch(&machine.tasks[0]);
	machine.tasks[0].attr.policy = SCHED_FIFO;
	g_assert_cmpuint(procdb_apply_restore(apply), ==, 0);
	procdb_apply_status(apply, &status);
	g_assert_cmpuint(status.kept, ==, 1);
	g_assert_cmpuint(machine.sets, ==, 0);
}

static void test_restoring_keeps_a_nice_value_set_later(void)
{
	FakeMachine machine = machine_with_task();
	g_autoptr(ProcdbApply) apply =
	    procdb_apply_new(&procdb_apply_default_settings, &fake_task_ops, &machine);

	give_batch(&machine.tasks[0]);
	machine.tasks[0].attr.nice = 10;
	g_assert_cmpuint(procdb_apply_restore(apply), ==, 1);
	g_assert_cmpint(machine.tasks[0].attr.nice, ==, 10);
	g_assert_cmpuint(machine.tasks[0].attr.slice_ns, ==, FAKE_DEFAULT_SLICE);
}

static void test_restoring_touches_only_our_slices(void)
{
	FakeMachine machine = machine_with_task();
	g_autoptr(ProcdbApply) apply =
	    procdb_apply_new(&procdb_apply_default_settings, &fake_task_ops, &machine);

	machine.tasks[1] = (FakeTask){101, 1, {.slice_ns = FOREIGN_SLICE}};
	machine.tasks[2] = (FakeTask){102, 2, {.policy = SCHED_BATCH}};
	give_batch(&machine.tasks[2]);
	machine.tasks[3] = (FakeTask){103, 3, {.policy = SCHED_FIFO}};
	g_assert_cmpuint(procdb_apply_restore(apply), ==, 1);
	g_assert_cmpuint(machine.sets, ==, 1);
	g_assert_cmpuint(machine.tasks[1].attr.slice_ns, ==, FOREIGN_SLICE);
	g_assert_cmpuint(machine.tasks[2].attr.slice_ns, ==, FAKE_DEFAULT_SLICE);
	g_assert_cmpuint(machine.tasks[2].attr.policy, ==, SCHED_BATCH);
}

static void test_restoring_finds_a_child_born_meanwhile(void)
{
	FakeMachine machine = machine_with_task();
	g_autoptr(ProcdbApply) apply =
	    procdb_apply_new(&procdb_apply_default_settings, &fake_task_ops, &machine);

	give_batch(&machine.tasks[0]);
	machine.fork_once = TRUE;
	g_assert_cmpuint(procdb_apply_restore(apply), ==, 2);
	g_assert_cmpuint(machine.tasks[1].attr.slice_ns, ==, FAKE_DEFAULT_SLICE);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/apply/puts-back-what-an-unknown-program-inherited",
			test_puts_back_what_an_unknown_program_inherited);
	g_test_add_func("/apply/a-pause-that-could-list-none-does-so-later",
			test_a_pause_that_could_list_none_does_so_later);
	g_test_add_func("/apply/sets-nice-when-told-to-and-puts-it-back",
			test_sets_nice_when_told_to_and_puts_it_back);
	g_test_add_func("/apply/without-an-observer-nothing-is-given",
			test_without_an_observer_nothing_is_given);
	g_test_add_func("/apply/a-forged-mark-is-not-believed", test_a_forged_mark_is_not_believed);
	g_test_add_func("/apply/a-nice-value-that-was-not-given-is-not-taken",
			test_a_nice_value_that_was_not_given_is_not_taken);
	g_test_add_func("/apply/what-others-set-in-between-stands",
			test_what_others_set_in_between_stands);
	g_test_add_func("/apply/what-cannot-be-restored-is-counted",
			test_what_cannot_be_restored_is_counted);
	g_test_add_func("/apply/restoring-keeps-a-nice-value-set-later",
			test_restoring_keeps_a_nice_value_set_later);
	g_test_add_func("/apply/restoring-touches-only-our-slices",
			test_restoring_touches_only_our_slices);
	g_test_add_func("/apply/restoring-finds-a-child-born-meanwhile",
			test_restoring_finds_a_child_born_meanwhile);
	return g_test_run();
}
