/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

/* What is left alone has no slice of ours, also where it had one before. */

#include "apply-fixture.h"

/* A task with the slice of batch, of which another program has renewed something since. */
static FakeMachine machine_renewed(guint32 policy, gint32 nice)
{
	FakeMachine machine = machine_with_task();

	give_batch(&machine.tasks[0]);
	machine.tasks[0].attr.policy = policy;
	machine.tasks[0].attr.nice = nice;
	return machine;
}

static struct procdb_task_event event_with_slice(guint8 tier)
{
	struct procdb_task_event e = event(tier);

	e.slice = batch_slice();
	e.custom_slice = 1;
	return e;
}

static void assert_own_slice(const FakeMachine *machine)
{
	g_assert_cmpuint(machine->tasks[0].attr.slice_ns, ==, FAKE_DEFAULT_SLICE);
}

static void test_a_nice_value_that_is_set_later(void)
{
	for (guint tier = 0; tier < PROCDB_TIERS; tier++) {
		FakeMachine machine = machine_renewed(SCHED_NORMAL, -5);

		g_assert_cmpint(apply_default(&machine, event_with_slice((guint8)tier)), ==,
				PROCDB_APPLY_RESTORED);
		assert_own_slice(&machine);
		g_assert_cmpint(machine.tasks[0].attr.nice, ==, -5);
		g_assert_cmpint(apply_default(&machine, event(PROCDB_TIER_BATCH)), ==,
				PROCDB_APPLY_REFUSED_NICE);
	}
}

static void test_a_policy_that_is_set_later(void)
{
	FakeMachine machine = machine_renewed(SCHED_BATCH, 0);
	FakeMachine real_time = machine_renewed(SCHED_FIFO, 0);

	g_assert_cmpint(apply_default(&machine, event_with_slice(PROCDB_TIER_LAT_CRITICAL)), ==,
			PROCDB_APPLY_RESTORED);
	assert_own_slice(&machine);
	g_assert_cmpuint(machine.tasks[0].attr.policy, ==, SCHED_BATCH);
	/* The kernel takes no slice back from these. */
	g_assert_cmpint(apply_default(&real_time, event_with_slice(PROCDB_TIER_BATCH)), ==,
			PROCDB_APPLY_REFUSED_POLICY);
	g_assert_cmpuint(real_time.sets, ==, 0);
}

static void test_a_nice_value_of_ours_that_is_set_to_another(void)
{
	FakeMachine machine = machine_renewed(SCHED_NORMAL, 0);

	/* With BatchNice=5. */
	machine.tasks[0].given.nice = 5;
	machine.tasks[0].given.nice_given = 1;
	g_assert_cmpint(apply_default(&machine, event_with_slice(PROCDB_TIER_BATCH)), ==,
			PROCDB_APPLY_RESTORED);
	assert_own_slice(&machine);
}

static void test_what_was_given_is_taken_back_beyond_the_cap(void)
{
	FakeMachine machine = machine_with_task();
	struct procdb_task_event e = event(PROCDB_TIER_BATCH);
	struct procdb_task_event other = event_with_slice(PROCDB_TIERS);
	g_autoptr(ProcdbApply) apply = apply_with_cap(&machine, 1);

	g_assert_cmpint(procdb_apply_handle(apply, &e), ==, PROCDB_APPLY_SET);
	g_assert_cmpint(procdb_apply_handle(apply, &other), ==, PROCDB_APPLY_RESTORED);
	assert_own_slice(&machine);
	g_assert_cmpint(procdb_apply_handle(apply, &e), ==, PROCDB_APPLY_REFUSED_LIMIT);
}

/* As long as it is real-time the kernel does not take the slice back. */
static void test_what_was_real_time_is_put_back_when_it_is_not_any_more(void)
{
	ProcdbApplySettings settings = procdb_apply_default_settings;
	FakeMachine machine = machine_renewed(SCHED_FIFO, 0);
	g_autoptr(ProcdbApply) apply = procdb_apply_new(&settings, &fake_task_ops, &machine);
	ProcdbApplyStatus status;

	settings.mode = PROCDB_APPLY_NONE;
	procdb_apply_configure(apply, &settings);
	procdb_apply_status(apply, &status);
	g_assert_cmpuint(status.kept, ==, 1);
	machine.tasks[0].attr.policy = SCHED_NORMAL;
	for (guint second = 0; second < 10; second++)
		g_assert_false(procdb_apply_refresh(apply));
	assert_own_slice(&machine);
	procdb_apply_status(apply, &status);
	g_assert_cmpuint(status.kept, ==, 0);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/left-alone/nice-later", test_a_nice_value_that_is_set_later);
	g_test_add_func("/left-alone/policy-later", test_a_policy_that_is_set_later);
	g_test_add_func("/left-alone/our-nice-value-to-another",
			test_a_nice_value_of_ours_that_is_set_to_another);
	g_test_add_func("/left-alone/taken-back-beyond-the-cap",
			test_what_was_given_is_taken_back_beyond_the_cap);
	g_test_add_func("/left-alone/put-back-when-not-real-time-any-more",
			test_what_was_real_time_is_put_back_when_it_is_not_any_more);
	return g_test_run();
}
