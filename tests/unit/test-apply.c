/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

/* Which tasks get a slice, and which are left alone: on tasks that are made up. */

#include <errno.h>
#include <glib.h>
#include <linux/sched.h>

#include "apply-fixture.h"

static void test_sets_the_slice_of_the_tier(void)
{
	FakeMachine machine = machine_with_task();

	g_assert_cmpint(apply_default(&machine, event(PROCDB_TIER_BATCH)), ==, PROCDB_APPLY_SET);
	g_assert_cmpuint(machine.tasks[0].attr.slice_ns, ==, batch_slice());
	g_assert_cmpint(machine.tasks[0].attr.nice, ==, 0);
	g_assert_true(procdb_slice_is_marked(machine.tasks[0].attr.slice_ns));
	g_assert_cmpuint(machine.tasks[0].attr.slice_ns / 1000000, ==, 20);
}

static guint64 slice_for_runs_of(guint64 runtime)
{
	FakeMachine machine = machine_with_task();
	struct procdb_task_event e = event(PROCDB_TIER_LAT_CRITICAL);

	e.runtime = runtime;
	g_assert_cmpint(apply_default(&machine, e), ==, PROCDB_APPLY_SET);
	g_assert_true(procdb_slice_is_marked(machine.tasks[0].attr.slice_ns));
	return machine.tasks[0].attr.slice_ns;
}

static void test_a_lat_critical_run_fits_into_its_slice(void)
{
	static const struct {
		guint64 runs, slice; /* ns */
	} cases[] = {
	    {0, 107300},       {60000, 107300},	    {200000, 307300},	    {800000, 1207300},
	    {950000, 1227300}, {12000000, 1227300}, {G_MAXUINT64, 1227300},
	};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		guint64 slice = slice_for_runs_of(cases[i].runs);

		g_assert_cmpuint(slice, ==, cases[i].slice);
	}
}

/* A later deadline than without us is no service to a task that waits for a person. */
static void test_a_lat_critical_slice_is_never_longer_than_the_kernels(void)
{
	static const guint64 bases[] = {0, 50000, 100000, 700000, 1400000, 2800000, 3000000};

	for (gsize i = 0; i < G_N_ELEMENTS(bases); i++)
		for (guint64 runtime = 0; runtime < 1ULL << 40; runtime = runtime * 3 + 1000) {
			guint64 slice =
			    procdb_slice_for(PROCDB_TIER_LAT_CRITICAL, 107300, runtime, bases[i]);

			g_assert_true(slice == 0 || (slice < bases[i] && slice >= 107300));
		}
}

static void test_a_batch_slice_is_never_shorter_than_the_kernels(void)
{
	ProcdbApplySettings settings = procdb_apply_default_settings;
	FakeMachine machine = machine_with_task();

	settings.tiers[PROCDB_TIER_BATCH].slice_us = FAKE_DEFAULT_SLICE / 1000 - 100;
	g_assert_cmpint(apply_to(&machine, &settings, event(PROCDB_TIER_BATCH)), ==,
			PROCDB_APPLY_NOTHING);
	g_assert_cmpuint(machine.sets, ==, 0);
}

static void test_only_lat_critical_slices_follow_the_runs(void)
{
	FakeMachine machine = machine_with_task();
	struct procdb_task_event e = event(PROCDB_TIER_BATCH);

	e.runtime = 90000000;
	g_assert_cmpint(apply_default(&machine, e), ==, PROCDB_APPLY_SET);
	g_assert_cmpuint(machine.tasks[0].attr.slice_ns, ==, batch_slice());
	/* Left alone is left alone, however long it runs. */
	g_assert_cmpuint(procdb_slice_for(PROCDB_TIER_LAT_CRITICAL, 0, 1000000, FAKE_DEFAULT_SLICE),
			 ==, 0);
}

static void test_a_slice_a_quarter_off_is_near_enough(void)
{
	g_assert_true(procdb_slice_is_near(307300, 307300));
	g_assert_true(procdb_slice_is_near(257300, 307300));
	g_assert_true(procdb_slice_is_near(367300, 307300));
	g_assert_false(procdb_slice_is_near(107300, 307300));
	g_assert_false(procdb_slice_is_near(20007300, 307300));
}

static void test_leaves_interactive_alone(void)
{
	FakeMachine machine = machine_with_task();

	g_assert_cmpint(apply_default(&machine, event(PROCDB_TIER_INTERACTIVE)), ==,
			PROCDB_APPLY_NOTHING);
	g_assert_cmpuint(machine.sets, ==, 0);
}

static void test_refuses_other_policies(void)
{
	static const guint32 policies[] = {SCHED_FIFO, SCHED_RR, SCHED_BATCH, SCHED_IDLE,
					   SCHED_DEADLINE};

	for (gsize i = 0; i < G_N_ELEMENTS(policies); i++) {
		FakeMachine machine = machine_with_task();

		machine.tasks[0].attr.policy = policies[i];
		g_assert_cmpint(apply_default(&machine, event(PROCDB_TIER_BATCH)), ==,
				PROCDB_APPLY_REFUSED_POLICY);
		g_assert_cmpuint(machine.sets, ==, 0);
	}
}

static void test_refuses_a_niced_task(void)
{
	static const gint32 values[] = {-20, -1, 1, 19};

	for (gsize i = 0; i < G_N_ELEMENTS(values); i++) {
		FakeMachine machine = machine_with_task();

		machine.tasks[0].attr.nice = values[i];
		g_assert_cmpint(apply_default(&machine, event(PROCDB_TIER_BATCH)), ==,
				PROCDB_APPLY_REFUSED_NICE);
		g_assert_cmpuint(machine.sets, ==, 0);
	}
}

static void test_refuses_a_task_with_its_own_slice(void)
{
	FakeMachine machine = machine_with_task();
	struct procdb_task_event e = event(PROCDB_TIER_BATCH);

	machine.tasks[0].attr.slice_ns = e.slice = FOREIGN_SLICE;
	e.custom_slice = 1;
	g_assert_cmpint(apply_default(&machine, e), ==, PROCDB_APPLY_REFUSED_SLICE);
	/* Equal to the default, and yet set by a program. */
	machine.tasks[0].attr.slice_ns = e.slice = FAKE_DEFAULT_SLICE;
	g_assert_cmpint(apply_default(&machine, e), ==, PROCDB_APPLY_REFUSED_SLICE);
	g_assert_cmpuint(machine.sets, ==, 0);
}

static void test_refuses_a_slice_set_since_the_event(void)
{
	FakeMachine machine = machine_with_task();

	machine.tasks[0].attr.slice_ns = FOREIGN_SLICE;
	g_assert_cmpint(apply_default(&machine, event(PROCDB_TIER_BATCH)), ==,
			PROCDB_APPLY_REFUSED_SLICE);
	g_assert_cmpuint(machine.sets, ==, 0);
}

/* gcc is latency critical; cc1 inherits that, is put back as a child, and is batch at its exec. */
static void test_sets_what_was_put_back_since_the_event(void)
{
	FakeMachine machine = machine_with_task();
	struct procdb_task_event forked = event(PROCDB_TIERS), executed = event(PROCDB_TIER_BATCH);

	give_batch(&machine.tasks[0]);
	forked.slice = executed.slice = machine.tasks[0].attr.slice_ns;
	forked.custom_slice = executed.custom_slice = 1;
	g_assert_cmpint(apply_default(&machine, forked), ==, PROCDB_APPLY_RESTORED);
	g_assert_cmpint(apply_default(&machine, executed), ==, PROCDB_APPLY_SET);
	g_assert_cmpuint(machine.tasks[0].attr.slice_ns, ==, batch_slice());
	/* But not what another program has set meanwhile. */
	machine.tasks[0].attr.slice_ns = FOREIGN_SLICE;
	g_assert_cmpint(apply_default(&machine, executed), ==, PROCDB_APPLY_REFUSED_SLICE);
}

static void test_keeps_reset_on_fork(void)
{
	FakeMachine machine = machine_with_task();

	machine.tasks[0].attr.flags = SCHED_FLAG_RESET_ON_FORK;
	g_assert_cmpint(apply_default(&machine, event(PROCDB_TIER_BATCH)), ==, PROCDB_APPLY_SET);
	g_assert_cmpuint(machine.tasks[0].attr.flags, ==, SCHED_FLAG_RESET_ON_FORK);
}

static void test_a_reused_pid_is_not_touched(void)
{
	FakeMachine machine = machine_with_task();

	machine.tasks[0].start_time = 8;
	g_assert_cmpint(apply_default(&machine, event(PROCDB_TIER_BATCH)), ==,
			PROCDB_APPLY_REFUSED_GONE);
	machine.tasks[0].pid = 0;
	g_assert_cmpint(apply_default(&machine, event(PROCDB_TIER_BATCH)), ==,
			PROCDB_APPLY_REFUSED_GONE);
	g_assert_cmpuint(machine.sets, ==, 0);
}

static void test_a_pid_reused_under_our_hands_is_put_back(void)
{
	FakeMachine machine = machine_with_task();
	FakeTask stranger = {PID, 9, {.policy = SCHED_NORMAL, .slice_ns = FAKE_DEFAULT_SLICE}};

	machine.reuse_with = &stranger;
	g_assert_cmpint(apply_default(&machine, event(PROCDB_TIER_BATCH)), ==,
			PROCDB_APPLY_REFUSED_GONE);
	g_assert_cmpuint(machine.tasks[0].start_time, ==, 9);
	g_assert_cmpuint(machine.tasks[0].attr.slice_ns, ==, FAKE_DEFAULT_SLICE);
}

static void test_nothing_is_changed_where_that_may_not_be(void)
{
	FakeMachine machine = machine_with_task();
	struct procdb_task_event e = event(PROCDB_TIER_BATCH);
	g_autoptr(ProcdbApply) apply = NULL;
	ProcdbApplyStatus status;

	machine.refusal = "another service is here";
	apply = procdb_apply_new(&procdb_apply_default_settings, &fake_task_ops, &machine);
	g_assert_cmpint(procdb_apply_handle(apply, &e), ==, PROCDB_APPLY_NOTHING);
	procdb_apply_status(apply, &status);
	g_assert_false(status.active);
	g_assert_cmpstr(status.reason, ==, machine.refusal);
	machine.refusal = NULL;
	g_assert_true(procdb_apply_refresh(apply));
	g_assert_cmpint(procdb_apply_handle(apply, &e), ==, PROCDB_APPLY_SET);
}

static void test_no_more_than_the_cap_in_a_second(void)
{
	FakeMachine machine = machine_with_task();
	struct procdb_task_event e = event(PROCDB_TIER_BATCH), other = event(PROCDB_TIERS);
	g_autoptr(ProcdbApply) apply = apply_with_cap(&machine, 2);

	g_assert_cmpint(procdb_apply_handle(apply, &e), ==, PROCDB_APPLY_SET);
	/* What changes nothing does not count. */
	g_assert_cmpint(procdb_apply_handle(apply, &e), ==, PROCDB_APPLY_NOTHING);
	g_assert_cmpint(procdb_apply_handle(apply, &other), ==, PROCDB_APPLY_RESTORED);
	g_assert_cmpint(procdb_apply_handle(apply, &e), ==, PROCDB_APPLY_REFUSED_LIMIT);
	machine.clock += G_GINT64_CONSTANT(1000000000);
	g_assert_cmpint(procdb_apply_handle(apply, &e), ==, PROCDB_APPLY_SET);
}

static void test_what_a_pause_took_is_given_back_beyond_the_cap(void)
{
	FakeMachine machine = machine_with_task();
	struct procdb_task_event e = event(PROCDB_TIER_BATCH);
	struct procdb_task_event other = event(PROCDB_TIER_LAT_CRITICAL);
	g_autoptr(ProcdbApply) apply = apply_with_cap(&machine, 1);

	g_assert_cmpint(procdb_apply_handle(apply, &e), ==, PROCDB_APPLY_SET);
	procdb_apply_set_pause(apply, NULL, TRUE);
	g_assert_cmpuint(machine.tasks[0].attr.slice_ns, ==, FAKE_DEFAULT_SLICE);
	procdb_apply_set_pause(apply, NULL, FALSE);
	g_assert_cmpint(procdb_apply_handle(apply, &e), ==, PROCDB_APPLY_SET);
	g_assert_cmpint(procdb_apply_handle(apply, &other), ==, PROCDB_APPLY_REFUSED_LIMIT);
}

static void test_none_changes_nothing_and_puts_back(void)
{
	ProcdbApplySettings settings = procdb_apply_default_settings;
	FakeMachine machine = machine_with_task();
	struct procdb_task_event e = event(PROCDB_TIER_BATCH);
	g_autoptr(ProcdbApply) apply = procdb_apply_new(&settings, &fake_task_ops, &machine);

	g_assert_cmpint(procdb_apply_handle(apply, &e), ==, PROCDB_APPLY_SET);
	settings.mode = PROCDB_APPLY_NONE;
	procdb_apply_configure(apply, &settings);
	g_assert_cmpuint(machine.tasks[0].attr.slice_ns, ==, FAKE_DEFAULT_SLICE);
	g_assert_cmpint(procdb_apply_handle(apply, &e), ==, PROCDB_APPLY_NOTHING);
	g_assert_cmpuint(machine.tasks[0].attr.slice_ns, ==, FAKE_DEFAULT_SLICE);
}

static void test_auto_gives_way_to_sched_ext(void)
{
	FakeMachine machine = machine_with_task();
	struct procdb_task_event e = event(PROCDB_TIER_BATCH);
	g_autoptr(ProcdbApply) apply =
	    procdb_apply_new(&procdb_apply_default_settings, &fake_task_ops, &machine);

	g_assert_cmpint(procdb_apply_handle(apply, &e), ==, PROCDB_APPLY_SET);
	machine.sched_ext = TRUE;
	g_assert_true(procdb_apply_refresh(apply));
	g_assert_false(procdb_apply_is_active(apply));
	g_assert_cmpuint(machine.tasks[0].attr.slice_ns, ==, FAKE_DEFAULT_SLICE);
	machine.sched_ext = FALSE;
	g_assert_true(procdb_apply_refresh(apply));
	g_assert_cmpint(procdb_apply_handle(apply, &e), ==, PROCDB_APPLY_SET);
}

static void test_a_pause_puts_back_and_ends_as_configured(void)
{
	FakeMachine machine = machine_with_task();
	g_autoptr(ProcdbApply) apply =
	    procdb_apply_new(&procdb_apply_default_settings, &fake_task_ops, &machine);
	struct procdb_task_event e = event(PROCDB_TIER_BATCH);
	ProcdbApplyStatus status;

	g_assert_cmpint(procdb_apply_handle(apply, &e), ==, PROCDB_APPLY_SET);
	procdb_apply_set_pause(apply, "for a while", FALSE);
	g_assert_cmpuint(machine.tasks[0].attr.slice_ns, ==, FAKE_DEFAULT_SLICE);
	g_assert_cmpint(procdb_apply_handle(apply, &e), ==, PROCDB_APPLY_NOTHING);
	/* A tick, and a scheduler that comes and goes, do not end it. */
	procdb_apply_refresh(apply);
	machine.sched_ext = TRUE;
	procdb_apply_refresh(apply);
	machine.sched_ext = FALSE;
	procdb_apply_refresh(apply);
	procdb_apply_status(apply, &status);
	g_assert_false(status.active);
	g_assert_cmpstr(status.reason, ==, "for a while");
	procdb_apply_set_pause(apply, NULL, FALSE);
	g_assert_true(procdb_apply_is_active(apply));
	g_assert_cmpint(procdb_apply_handle(apply, &e), ==, PROCDB_APPLY_SET);
}

static void test_a_task_counts_once_however_often_it_is_set(void)
{
	FakeMachine machine = machine_with_task();
	g_autoptr(ProcdbApply) apply =
	    procdb_apply_new(&procdb_apply_default_settings, &fake_task_ops, &machine);
	struct procdb_task_event e = event(PROCDB_TIER_BATCH);
	ProcdbApplyStatus status;

	g_assert_cmpint(procdb_apply_handle(apply, &e), ==, PROCDB_APPLY_SET);
	for (guint window = 0; window < 3; window++) {
		procdb_apply_set_pause(apply, NULL, TRUE);
		procdb_apply_set_pause(apply, NULL, FALSE);
		g_assert_cmpint(procdb_apply_handle(apply, &e), ==, PROCDB_APPLY_SET);
	}
	procdb_apply_status(apply, &status);
	g_assert_cmpuint(status.tasks, ==, 1);
	g_assert_cmpuint(status.results[PROCDB_APPLY_SET], ==, 4);
}

static void test_a_task_that_only_inherited_a_slice_did_not_count_yet(void)
{
	FakeMachine machine = machine_with_task();
	g_autoptr(ProcdbApply) apply =
	    procdb_apply_new(&procdb_apply_default_settings, &fake_task_ops, &machine);
	struct procdb_task_event e = event(PROCDB_TIER_LAT_CRITICAL);
	ProcdbApplyStatus status;

	give_batch(&machine.tasks[0]);
	e.slice = batch_slice();
	e.custom_slice = 1;
	g_assert_cmpint(procdb_apply_handle(apply, &e), ==, PROCDB_APPLY_SET);
	procdb_apply_status(apply, &status);
	g_assert_cmpuint(status.tasks, ==, 1);
}

static void test_a_second_without_is_no_other_status(void)
{
	FakeMachine machine = machine_with_task();
	g_autoptr(ProcdbApply) apply =
	    procdb_apply_new(&procdb_apply_default_settings, &fake_task_ops, &machine);
	struct procdb_task_event e = event(PROCDB_TIER_BATCH);
	ProcdbApplyStatus status;

	g_assert_cmpint(procdb_apply_handle(apply, &e), ==, PROCDB_APPLY_SET);
	procdb_apply_set_pause(apply, NULL, TRUE);
	g_assert_cmpuint(machine.tasks[0].attr.slice_ns, ==, FAKE_DEFAULT_SLICE);
	g_assert_cmpint(procdb_apply_handle(apply, &e), ==, PROCDB_APPLY_NOTHING);
	procdb_apply_status(apply, &status);
	g_assert_true(status.active);
	g_assert_cmpstr(status.reason, ==, "");
	/* What has another reason is said. */
	machine.sched_ext = TRUE;
	procdb_apply_refresh(apply);
	procdb_apply_status(apply, &status);
	g_assert_false(status.active);
	g_assert_cmpstr(status.reason, ==, "a sched_ext scheduler runs the tasks");
}

static void test_a_pause_does_not_begin_what_is_not_configured(void)
{
	FakeMachine machine = machine_with_task();
	ProcdbApplySettings settings = procdb_apply_default_settings;
	g_autoptr(ProcdbApply) apply = NULL;

	settings.mode = PROCDB_APPLY_NONE;
	apply = procdb_apply_new(&settings, &fake_task_ops, &machine);
	procdb_apply_set_pause(apply, "for a while", FALSE);
	procdb_apply_set_pause(apply, NULL, FALSE);
	g_assert_false(procdb_apply_is_active(apply));
}

static void test_a_refusal_of_the_kernel_is_counted(void)
{
	FakeMachine machine = machine_with_task();
	struct procdb_task_event e = event(PROCDB_TIER_BATCH);
	g_autoptr(ProcdbApply) apply =
	    procdb_apply_new(&procdb_apply_default_settings, &fake_task_ops, &machine);
	ProcdbApplyStatus status;

	machine.set_error = -EPERM;
	g_assert_cmpint(procdb_apply_handle(apply, &e), ==, PROCDB_APPLY_FAILED);
	machine.set_error = 0;
	g_assert_cmpint(procdb_apply_handle(apply, &e), ==, PROCDB_APPLY_SET);
	procdb_apply_status(apply, &status);
	g_assert_cmpuint(status.results[PROCDB_APPLY_FAILED], ==, 1);
	g_assert_cmpuint(status.results[PROCDB_APPLY_SET], ==, 1);
	g_assert_cmpuint(status.latency_mean_ns, ==, 500000);
	g_assert_cmpuint(status.latency_max_ns, ==, 500000);
}

static void test_a_mark_survives_every_setting(void)
{
	for (guint us = 0; us <= PROCDB_SLICE_MAX_US + 1000; us += 37) {
		ProcdbTierSetting setting = {.slice_us = us, .nice = us % 25};
		guint64 slice = procdb_slice_encode(&setting);

		if (us == 0) {
			g_assert_cmpuint(slice, ==, 0);
			continue;
		}
		g_assert_true(procdb_slice_is_marked(slice));
		g_assert_cmpuint(slice, >=, 100000);
		g_assert_cmpuint(slice, <=, 100000000);
	}
	/* What the kernel, people and programs use. */
	g_assert_false(procdb_slice_is_marked(0));
	g_assert_false(procdb_slice_is_marked(700000));
	g_assert_false(procdb_slice_is_marked(1400000));
	g_assert_false(procdb_slice_is_marked(2800000));
	g_assert_false(procdb_slice_is_marked(3000000));
	g_assert_false(procdb_slice_is_marked(100000));
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/apply/sets-the-slice-of-the-tier", test_sets_the_slice_of_the_tier);
	g_test_add_func("/apply/a-lat-critical-run-fits-into-its-slice",
			test_a_lat_critical_run_fits_into_its_slice);
	g_test_add_func("/apply/a-lat-critical-slice-is-never-longer-than-the-kernels",
			test_a_lat_critical_slice_is_never_longer_than_the_kernels);
	g_test_add_func("/apply/a-batch-slice-is-never-shorter-than-the-kernels",
			test_a_batch_slice_is_never_shorter_than_the_kernels);
	g_test_add_func("/apply/only-lat-critical-slices-follow-the-runs",
			test_only_lat_critical_slices_follow_the_runs);
	g_test_add_func("/apply/a-slice-a-quarter-off-is-near-enough",
			test_a_slice_a_quarter_off_is_near_enough);
	g_test_add_func("/apply/a-pause-puts-back-and-ends-as-configured",
			test_a_pause_puts_back_and_ends_as_configured);
	g_test_add_func("/apply/counts-once", test_a_task_counts_once_however_often_it_is_set);
	g_test_add_func("/apply/inherited",
			test_a_task_that_only_inherited_a_slice_did_not_count_yet);
	g_test_add_func("/apply/without", test_a_second_without_is_no_other_status);
	g_test_add_func("/apply/a-pause-does-not-begin-what-is-not-configured",
			test_a_pause_does_not_begin_what_is_not_configured);
	g_test_add_func("/apply/leaves-interactive-alone", test_leaves_interactive_alone);
	g_test_add_func("/apply/refuses-other-policies", test_refuses_other_policies);
	g_test_add_func("/apply/refuses-a-niced-task", test_refuses_a_niced_task);
	g_test_add_func("/apply/refuses-a-task-with-its-own-slice",
			test_refuses_a_task_with_its_own_slice);
	g_test_add_func("/apply/refuses-a-slice-set-since-the-event",
			test_refuses_a_slice_set_since_the_event);
	g_test_add_func("/apply/sets-what-was-put-back-since-the-event",
			test_sets_what_was_put_back_since_the_event);
	g_test_add_func("/apply/keeps-reset-on-fork", test_keeps_reset_on_fork);
	g_test_add_func("/apply/a-reused-pid-is-not-touched", test_a_reused_pid_is_not_touched);
	g_test_add_func("/apply/a-pid-reused-under-our-hands-is-put-back",
			test_a_pid_reused_under_our_hands_is_put_back);
	g_test_add_func("/apply/nothing-is-changed-where-that-may-not-be",
			test_nothing_is_changed_where_that_may_not_be);
	g_test_add_func("/apply/no-more-than-the-cap-in-a-second",
			test_no_more_than_the_cap_in_a_second);
	g_test_add_func("/apply/given-back-beyond-the-cap",
			test_what_a_pause_took_is_given_back_beyond_the_cap);
	g_test_add_func("/apply/none-changes-nothing-and-puts-back",
			test_none_changes_nothing_and_puts_back);
	g_test_add_func("/apply/auto-gives-way-to-sched-ext", test_auto_gives_way_to_sched_ext);
	g_test_add_func("/apply/a-refusal-of-the-kernel-is-counted",
			test_a_refusal_of_the_kernel_is_counted);
	g_test_add_func("/apply/a-mark-survives-every-setting", test_a_mark_survives_every_setting);
	return g_test_run();
}
