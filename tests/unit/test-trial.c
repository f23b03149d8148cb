/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

/* The windows of a trial, on a machine that is made up and in which a second takes 2 ms. */

#include "trial.h"

#define PAIRS 12

typedef struct {
	gboolean on;	   /* applying */
	gboolean restored; /* as configured */
	const char *refusal;
	gboolean uncounted; /* the observer does not run */
	guint64 with_us;    /* delays with applying, */
	guint64 without_us; /* and without */
	guint switches;
	guint windows_with;
	guint changes;
	struct procdb_delays delays;
} Machine;

static void machine_apply(gpointer data, gboolean on)
{
	Machine *machine = data;

	machine->on = on;
	machine->restored = FALSE;
	machine->switches++;
	machine->windows_with += on;
}

static void machine_restore(gpointer data)
{
	Machine *machine = data;

	machine->on = TRUE;
	machine->restored = TRUE;
}

static const char *machine_refusal(gpointer data)
{
	return ((Machine *)data)->refusal;
}

/* Between any two looks 100 tasks were woken up. */
static gboolean machine_delays(gpointer data, struct procdb_delays *now, GError **error)
{
	Machine *machine = data;
	const guint64 us = machine->on ? machine->with_us : machine->without_us;

	if (machine->uncounted) {
		g_set_error_literal(error, G_IO_ERROR, G_IO_ERROR_FAILED, "nothing is counted");
		return FALSE;
	}
	machine->delays
	    .waits[PROCDB_TIER_LAT_CRITICAL][machine->on][procdb_delay_bucket(us * 1000)] += 100;
	machine->delays.batch_run += 50000000;
	*now = machine->delays;
	return TRUE;
}

static void machine_changed(gpointer data)
{
	((Machine *)data)->changes++;
}

static const ProcdbTrialHost host = {
    .apply = machine_apply,
    .restore = machine_restore,
    .refusal = machine_refusal,
    .delays = machine_delays,
    .changed = machine_changed,
};

/* PAIRS pairs of windows. */
static const ProcdbTrialSettings settings = {
    .seconds = 1, .window_ms = 1000 / PAIRS / 2 - 1, .settle_ms = 1, .certainty = .99};
static const ProcdbTrialSettings endless = {
    .seconds = 600, .window_ms = 1, .settle_ms = 0, .certainty = .99};

static ProcdbTrialState state_of(const ProcdbTrial *trial)
{
	ProcdbTrialStatus status;

	procdb_trial_status(trial, &status);
	return status.state;
}

static void start(ProcdbTrial *trial, const ProcdbTrialSettings *with)
{
	g_autoptr(GError) error = NULL;

	g_assert_true(procdb_trial_start(trial, with, &error));
	g_assert_no_error(error);
	g_assert_cmpint(state_of(trial), ==, PROCDB_TRIAL_RUNNING);
}

static void run(ProcdbTrial *trial)
{
	while (state_of(trial) == PROCDB_TRIAL_RUNNING)
		g_main_context_iteration(NULL, TRUE);
}

static enum procdb_effect effect_of(Machine *machine)
{
	g_autoptr(ProcdbTrial) trial = procdb_trial_new(&host, machine);
	ProcdbTrialStatus status;

	start(trial, &settings);
	run(trial);
	procdb_trial_status(trial, &status);
	g_assert_cmpint(status.state, ==, PROCDB_TRIAL_DONE);
	g_assert_cmpuint(status.percent, ==, 100);
	g_assert_cmpuint(status.comparison.pairs, ==, PAIRS);
	g_assert_cmpuint(status.comparison.waits, ==, PAIRS * 200);
	g_assert_true(machine->restored);
	/* As many windows with applying as without: one of each in each pair. */
	g_assert_cmpuint(machine->switches, ==, PAIRS * 2);
	g_assert_cmpuint(machine->windows_with, ==, PAIRS);
	g_assert_cmpuint(machine->changes, >, PAIRS);
	return status.comparison.effect;
}

static void test_its_verdict_is_that_of_the_windows(void)
{
	Machine helped = {.with_us = 300, .without_us = 3000};
	Machine harmed = {.with_us = 3000, .without_us = 300};
	Machine same = {.with_us = 1000, .without_us = 1000};
	Machine idle = {.with_us = 5, .without_us = 5};

	g_assert_cmpint(effect_of(&helped), ==, PROCDB_EFFECT_HELPS);
	g_assert_cmpint(effect_of(&harmed), ==, PROCDB_EFFECT_HARMS);
	g_assert_cmpint(effect_of(&same), ==, PROCDB_EFFECT_NONE);
	g_assert_cmpint(effect_of(&idle), ==, PROCDB_EFFECT_UNKNOWN);
}

static void test_stopped_it_leaves_applying_as_configured(void)
{
	Machine machine = {.with_us = 300, .without_us = 3000};
	g_autoptr(ProcdbTrial) trial = procdb_trial_new(&host, &machine);
	ProcdbTrialStatus status;

	start(trial, &endless);
	while (machine.switches < 20)
		g_main_context_iteration(NULL, TRUE);
	procdb_trial_stop(trial, "enough");
	g_assert_true(machine.restored);
	procdb_trial_status(trial, &status);
	g_assert_cmpint(status.state, ==, PROCDB_TRIAL_ENDED);
	g_assert_cmpstr(status.reason, ==, "enough");
	/* What it has seen is no verdict. */
	g_assert_cmpint(status.comparison.effect, ==, PROCDB_EFFECT_UNKNOWN);
	/* No window begins any more. */
	g_assert_false(g_main_context_pending(NULL));
}

static void test_freed_it_leaves_applying_as_configured(void)
{
	Machine machine = {.with_us = 300, .without_us = 3000};
	ProcdbTrial *trial = procdb_trial_new(&host, &machine);

	start(trial, &endless);
	g_main_context_iteration(NULL, TRUE);
	procdb_trial_free(trial);
	g_assert_true(machine.restored);
}

static void test_it_ends_when_nothing_is_applied_any_more(void)
{
	Machine machine = {.with_us = 300, .without_us = 3000};
	g_autoptr(ProcdbTrial) trial = procdb_trial_new(&host, &machine);
	ProcdbTrialStatus status;

	start(trial, &endless);
	machine.refusal = "another scheduler runs";
	run(trial);
	procdb_trial_status(trial, &status);
	g_assert_cmpint(status.state, ==, PROCDB_TRIAL_ENDED);
	g_assert_cmpstr(status.reason, ==, "another scheduler runs");
	g_assert_true(machine.restored);
}

static void test_it_ends_when_nothing_is_counted_any_more(void)
{
	Machine machine = {.with_us = 300, .without_us = 3000};
	g_autoptr(ProcdbTrial) trial = procdb_trial_new(&host, &machine);

	start(trial, &endless);
	machine.uncounted = TRUE;
	run(trial);
	g_assert_cmpint(state_of(trial), ==, PROCDB_TRIAL_ENDED);
	g_assert_true(machine.restored);
}

static void test_it_ends_when_the_counters_begin_anew(void)
{
	Machine machine = {.with_us = 300, .without_us = 300};
	g_autoptr(ProcdbTrial) trial = procdb_trial_new(&host, &machine);

	machine.delays.waits[PROCDB_TIER_BATCH][0][9] = 1;
	start(trial, &endless);
	g_main_context_iteration(NULL, TRUE);
	machine.delays = (struct procdb_delays){0};
	run(trial);
	g_assert_cmpint(state_of(trial), ==, PROCDB_TRIAL_ENDED);
	g_assert_true(machine.restored);
}

static void test_what_cannot_be_compared_does_not_begin(void)
{
	Machine machine = {.refusal = "the mode is none"};
	g_autoptr(ProcdbTrial) trial = procdb_trial_new(&host, &machine);
	g_autoptr(GError) error = NULL;

	g_assert_false(procdb_trial_start(trial, &settings, &error));
	g_assert_error(error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED);
	g_clear_error(&error);
	machine.refusal = NULL;
	machine.uncounted = TRUE;
	g_assert_false(procdb_trial_start(trial, &settings, &error));
	g_assert_nonnull(error);
	g_assert_cmpuint(machine.switches, ==, 0);
	g_assert_cmpint(state_of(trial), ==, PROCDB_TRIAL_NONE);
}

static void test_one_runs_at_a_time(void)
{
	Machine machine = {.with_us = 300, .without_us = 300};
	g_autoptr(ProcdbTrial) trial = procdb_trial_new(&host, &machine);
	g_autoptr(GError) error = NULL;

	start(trial, &endless);
	g_assert_false(procdb_trial_start(trial, &settings, &error));
	g_assert_error(error, G_IO_ERROR, G_IO_ERROR_BUSY);
	g_assert_cmpint(state_of(trial), ==, PROCDB_TRIAL_RUNNING);
	procdb_trial_stop(trial, "enough");
	start(trial, &endless);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/trial/verdict", test_its_verdict_is_that_of_the_windows);
	g_test_add_func("/trial/stopped", test_stopped_it_leaves_applying_as_configured);
	g_test_add_func("/trial/freed", test_freed_it_leaves_applying_as_configured);
	g_test_add_func("/trial/inactive", test_it_ends_when_nothing_is_applied_any_more);
	g_test_add_func("/trial/uncounted", test_it_ends_when_nothing_is_counted_any_more);
	g_test_add_func("/trial/anew", test_it_ends_when_the_counters_begin_anew);
	g_test_add_func("/trial/refused", test_what_cannot_be_compared_does_not_begin);
	g_test_add_func("/trial/one", test_one_runs_at_a_time);
	return g_test_run();
}
