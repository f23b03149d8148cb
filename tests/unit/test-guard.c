/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

/* The guard, on a machine that is made up and in which a minute takes 5 ms. */

#include "guard.h"

typedef struct {
	ProcdbGuardWish wish;
	const char *refusal;
	guint64 with_us;    /* delays with applying, */
	guint64 without_us; /* and without */
	guint waits;	    /* between any two looks */
	guint windows;	    /* without applying */
	guint pauses;
	guint changes;
	ProcdbGuardWish told; /* what was wished when the last change was told */
	guint looks;	      /* at delays, without applying */
	struct procdb_delays delays;
} Machine;

static void machine_apply(gpointer data, ProcdbGuardWish wish)
{
	Machine *machine = data;

	machine->windows += wish == PROCDB_GUARD_WITHOUT;
	machine->pauses += wish == PROCDB_GUARD_PAUSE && machine->wish != wish;
	machine->wish = wish;
}

static const char *machine_refusal(gpointer data)
{
	return ((Machine *)data)->refusal;
}

static gboolean machine_delays(gpointer data, struct procdb_delays *now, GError **error)
{
	Machine *machine = data;
	const gboolean on = machine->wish == PROCDB_GUARD_APPLY;
	const guint64 us = on ? machine->with_us : machine->without_us;

	machine->delays.waits[PROCDB_TIER_LAT_CRITICAL][on][procdb_delay_bucket(us * 1000)] +=
	    machine->waits;
	*now = machine->delays;
	return TRUE;
}

static void machine_changed(gpointer data)
{
	Machine *machine = data;

	machine->changes++;
	machine->told = machine->wish;
}

static const ProcdbGuardHost host = {
    .apply = machine_apply,
    .refusal = machine_refusal,
    .delays = machine_delays,
    .changed = machine_changed,
};

static const ProcdbGuardSettings quick = {
    .pair = {.seconds = 0, .window_ms = 1, .settle_ms = 0, .certainty = .95},
    .look = {.seconds = 1, .window_ms = 20, .settle_ms = 0, .certainty = .9999},
    .later_ms = 5,
    .often_ms = 5,
    .sooner_ms = 1,
    .share = 1,
    .saved_ms = 100000,
    .pause_ms = 30,
    .pause_most_ms = 100,
};

static ProcdbGuardState state_of(const ProcdbGuard *guard)
{
	ProcdbGuardStatus status;

	procdb_guard_status(guard, &status);
	return status.state;
}

static void run_until(ProcdbGuard *guard, ProcdbGuardState state)
{
	const gint64 deadline = g_get_monotonic_time() + 20 * G_USEC_PER_SEC;

	while (state_of(guard) != state) {
		g_assert_cmpint(g_get_monotonic_time(), <, deadline);
		g_main_context_iteration(NULL, TRUE);
	}
}

static void run_for(guint ms)
{
	const gint64 end = g_get_monotonic_time() + ms * 1000;

	while (g_get_monotonic_time() < end)
		g_main_context_iteration(NULL, FALSE);
}

static ProcdbGuard *guard_on(Machine *machine, const ProcdbGuardSettings *settings)
{
	ProcdbGuard *guard = procdb_guard_new(&host, settings, machine);

	g_assert_cmpint(state_of(guard), ==, PROCDB_GUARD_OFF);
	procdb_guard_configure(guard, TRUE);
	g_assert_cmpint(state_of(guard), ==, PROCDB_GUARD_WATCHING);
	return guard;
}

static void test_harm_pauses_and_its_end_resumes(void)
{
	Machine machine = {.with_us = 3000, .without_us = 300, .waits = 100};
	g_autoptr(ProcdbGuard) guard = guard_on(&machine, &quick);
	ProcdbGuardStatus status;

	run_until(guard, PROCDB_GUARD_LOOKING);
	run_until(guard, PROCDB_GUARD_PAUSED);
	/* Callers that are told ask at once what that means for applying. */
	g_assert_cmpint(machine.told, ==, PROCDB_GUARD_PAUSE);
	g_assert_cmpint(machine.wish, ==, PROCDB_GUARD_PAUSE);
	procdb_guard_status(guard, &status);
	g_assert_cmpint(status.retry_us, >, g_get_real_time());
	g_assert_cmpuint(status.found.with[PROCDB_P90], >, status.found.without[PROCDB_P90]);
	machine.with_us = machine.without_us;
	run_until(guard, PROCDB_GUARD_WATCHING);
	g_assert_cmpint(machine.wish, ==, PROCDB_GUARD_APPLY);
	procdb_guard_status(guard, &status);
	g_assert_cmpint(status.retry_us, ==, 0);
}

static void test_harm_that_stays_is_tried_less_and_less_often(void)
{
	Machine machine = {.with_us = 3000, .without_us = 300, .waits = 100};
	g_autoptr(ProcdbGuard) guard = guard_on(&machine, &quick);
	gint64 length[4], least[4] = {0}, before = 0;

	run_until(guard, PROCDB_GUARD_PAUSED);
	for (guint i = 0; i < G_N_ELEMENTS(length); i++) {
		const guint changes = machine.changes;
		ProcdbGuardStatus status;

		procdb_guard_status(guard, &status);
		length[i] = (status.retry_us - g_get_real_time() + 500) / 1000;
		/* A machine that stalls makes what is left shorter, and this longer. */
		least[i] = (status.retry_us - before) / 1000;
		while (machine.changes == changes) {
			before = g_get_real_time();
			g_main_context_iteration(NULL, TRUE);
		}
		g_assert_cmpint(state_of(guard), ==, PROCDB_GUARD_PAUSED);
		g_assert_cmpint(machine.wish, ==, PROCDB_GUARD_PAUSE);
	}
	g_assert_cmpint(length[0], <=, 30);
	g_assert_cmpint(length[1], <=, 60);
	g_assert_cmpint(least[1], >=, 60);
	g_assert_cmpint(length[2], <=, 100);
	g_assert_cmpint(least[2], >=, 100);
	g_assert_cmpint(length[3], <=, 100);
}

static void test_without_harm_it_goes_on_watching(void)
{
	Machine helped = {.with_us = 300, .without_us = 3000, .waits = 100};
	Machine same = {.with_us = 1000, .without_us = 1000, .waits = 100};
	Machine *machines[] = {&helped, &same};

	for (gsize i = 0; i < G_N_ELEMENTS(machines); i++) {
		g_autoptr(ProcdbGuard) guard = guard_on(machines[i], &quick);

		while (machines[i]->windows < 20)
			g_main_context_iteration(NULL, TRUE);
		g_assert_cmpint(state_of(guard), ==, PROCDB_GUARD_WATCHING);
		g_assert_cmpuint(machines[i]->pauses, ==, 0);
	}
}

static void test_without_load_no_window_is_taken(void)
{
	Machine idle = {.with_us = 5, .without_us = 5, .waits = 100};
	Machine still = {.with_us = 3000, .without_us = 300, .waits = 0};
	Machine refused = {
	    .with_us = 3000, .without_us = 300, .waits = 100, .refusal = "another scheduler runs"};
	Machine *machines[] = {&idle, &still, &refused};

	for (gsize i = 0; i < G_N_ELEMENTS(machines); i++) {
		g_autoptr(ProcdbGuard) guard = guard_on(machines[i], &quick);

		run_for(60);
		g_assert_cmpuint(machines[i]->windows, ==, 0);
	}
}

static void test_windows_without_take_their_share_only(void)
{
	Machine machine = {.with_us = 1000, .without_us = 1000, .waits = 100};
	ProcdbGuardSettings settings = quick;

	/* Enough for three pairs and no further one. */
	settings.share = 0;
	settings.saved_ms = 3;
	{
		g_autoptr(ProcdbGuard) guard = guard_on(&machine, &settings);

		while (machine.windows < 3)
			g_main_context_iteration(NULL, TRUE);
		run_for(50);
		g_assert_cmpuint(machine.windows, ==, 3);
	}
}

static void test_after_a_quiet_time_it_looks_more_often(void)
{
	Machine machine = {.with_us = 1000, .without_us = 1000, .waits = 100};
	ProcdbGuardSettings settings = quick;

	/* Three quarters are left after five pairs; then comes none within the time of this test.
	 */
	settings.share = 0;
	settings.saved_ms = 20;
	settings.later_ms = 100000;
	{
		g_autoptr(ProcdbGuard) guard = guard_on(&machine, &settings);

		while (machine.windows < 6)
			g_main_context_iteration(NULL, TRUE);
		run_for(50);
		g_assert_cmpuint(machine.windows, ==, 6);
	}
}

static void test_a_trial_is_left_alone(void)
{
	Machine machine = {.with_us = 3000, .without_us = 300, .waits = 100};
	g_autoptr(ProcdbGuard) guard = guard_on(&machine, &quick);
	guint windows;

	while (machine.wish != PROCDB_GUARD_WITHOUT)
		g_main_context_iteration(NULL, TRUE);
	procdb_guard_hold(guard, TRUE);
	g_assert_cmpint(machine.wish, ==, PROCDB_GUARD_APPLY);
	windows = machine.windows;
	run_for(60);
	g_assert_cmpuint(machine.windows, ==, windows);
	procdb_guard_hold(guard, FALSE);
	run_until(guard, PROCDB_GUARD_PAUSED);
	/* A pause ends for the time of a trial. */
	procdb_guard_hold(guard, TRUE);
	g_assert_cmpint(machine.wish, ==, PROCDB_GUARD_APPLY);
	procdb_guard_hold(guard, FALSE);
	g_assert_cmpint(machine.wish, ==, PROCDB_GUARD_PAUSE);
}

static void test_other_settings_end_a_pause(void)
{
	Machine machine = {.with_us = 3000, .without_us = 300, .waits = 100};
	g_autoptr(ProcdbGuard) guard = guard_on(&machine, &quick);

	run_until(guard, PROCDB_GUARD_PAUSED);
	procdb_guard_configure(guard, TRUE);
	g_assert_cmpint(state_of(guard), ==, PROCDB_GUARD_WATCHING);
	g_assert_cmpint(machine.told, ==, PROCDB_GUARD_APPLY);
	g_assert_cmpint(machine.wish, ==, PROCDB_GUARD_APPLY);
	run_until(guard, PROCDB_GUARD_PAUSED);
	procdb_guard_configure(guard, FALSE);
	g_assert_cmpint(state_of(guard), ==, PROCDB_GUARD_OFF);
	g_assert_cmpint(machine.wish, ==, PROCDB_GUARD_APPLY);
	g_assert_false(g_main_context_pending(NULL));
}

static void test_freed_it_takes_no_window(void)
{
	Machine machine = {.with_us = 3000, .without_us = 300, .waits = 100};
	ProcdbGuard *guard = guard_on(&machine, &quick);

	while (machine.wish != PROCDB_GUARD_WITHOUT)
		g_main_context_iteration(NULL, TRUE);
	procdb_guard_free(guard);
	g_assert_cmpint(machine.wish, ==, PROCDB_GUARD_APPLY);
	run_for(20);
}

static void test_the_load_that_left_keeps_the_pause(void)
{
	Machine machine = {.with_us = 3000, .without_us = 300, .waits = 100};
	g_autoptr(ProcdbGuard) guard = guard_on(&machine, &quick);

	run_until(guard, PROCDB_GUARD_PAUSED);
	machine.waits = 0;
	run_for(150);
	g_assert_cmpint(state_of(guard), ==, PROCDB_GUARD_PAUSED);
	g_assert_cmpint(machine.wish, ==, PROCDB_GUARD_PAUSE);
	machine.waits = 100;
	machine.with_us = 300;
	machine.without_us = 3000;
	run_until(guard, PROCDB_GUARD_WATCHING);
}

/* Without waits in one window of two, a dozen of 25 pairs can be compared: too few for 99.99 %. */
static gboolean machine_delays_now_and_then(gpointer data, struct procdb_delays *now,
					    GError **error)
{
	Machine *machine = data;
	const guint waits = machine->waits;

	if (machine->wish != PROCDB_GUARD_APPLY && machine->looks++ / 2 % 2 == 1)
		machine->waits = 0;
	machine_delays(data, now, error);
	machine->waits = waits;
	return TRUE;
}

static void test_a_look_at_too_few_pairs_keeps_the_pause(void)
{
	Machine machine = {.with_us = 3000, .without_us = 300, .waits = 100};
	ProcdbGuardHost now_and_then = host;
	g_autoptr(ProcdbGuard) guard = procdb_guard_new(&now_and_then, &quick, &machine);
	ProcdbGuardStatus status;
	guint changes;

	procdb_guard_configure(guard, TRUE);
	run_until(guard, PROCDB_GUARD_PAUSED);
	procdb_guard_status(guard, &status);
	g_assert_true(status.harms);
	now_and_then.delays = machine_delays_now_and_then;
	changes = machine.changes;
	while (machine.changes == changes)
		g_main_context_iteration(NULL, TRUE);
	procdb_guard_status(guard, &status);
	g_assert_cmpuint(status.found.pairs, >=, PROCDB_PAIRS_MIN);
	g_assert_false(status.found.delay[PROCDB_P50].known);
	g_assert_false(status.harms);
	g_assert_cmpint(status.state, ==, PROCDB_GUARD_PAUSED);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/guard/harm", test_harm_pauses_and_its_end_resumes);
	g_test_add_func("/guard/again", test_harm_that_stays_is_tried_less_and_less_often);
	g_test_add_func("/guard/no-harm", test_without_harm_it_goes_on_watching);
	g_test_add_func("/guard/no-load", test_without_load_no_window_is_taken);
	g_test_add_func("/guard/share", test_windows_without_take_their_share_only);
	g_test_add_func("/guard/often", test_after_a_quiet_time_it_looks_more_often);
	g_test_add_func("/guard/too-few", test_a_look_at_too_few_pairs_keeps_the_pause);
	g_test_add_func("/guard/trial", test_a_trial_is_left_alone);
	g_test_add_func("/guard/settings", test_other_settings_end_a_pause);
	g_test_add_func("/guard/freed", test_freed_it_takes_no_window);
	g_test_add_func("/guard/load-left", test_the_load_that_left_keeps_the_pause);
	return g_test_run();
}
