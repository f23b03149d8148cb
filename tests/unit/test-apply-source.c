/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

/* When events of running tasks wake the main loop, and when they have to wait. */

#include <sys/eventfd.h>
#include <unistd.h>

#include "source.h"

#include "apply-fixture.h"

/* Those of source.c: what is paid for one wake-up, and how many are saved up. */
#define WAKE_EVERY_US 4000
#define WAKES_SAVED 100

/* As BPF's ring buffer: an event wakes the loop only while it is armed, which that ends. */
struct _ProcdbBackend {
	int fd;
	gboolean armed;
	guint pending;
	guint wakes;
	guint taken;
	guint between; /* events that come as soon as the backend was armed */
	guint8 tier;   /* of the events */
	guint asked;   /* how often for all tasks */
	guint rests;   /* how often for those that sleep */
	guint batch_tasks;
	guint lost;	     /* events */
	guint crowded;	     /* seconds in which other groups want the CPUs, from now on */
	guint64 batch_slice; /* of the last request */
};

static void send_event(ProcdbBackend *backend)
{
	const guint64 one = 1;

	backend->pending++;
	if (!backend->armed)
		return;
	backend->armed = FALSE;
	backend->wakes++;
	g_assert_cmpint(write(backend->fd, &one, sizeof(one)), ==, sizeof(one));
}

static void consume(ProcdbBackend *backend, GArray *events)
{
	const struct procdb_task_event known = event(backend->tier);
	guint64 wakes;

	for (; backend->pending > 0; backend->pending--, backend->taken++)
		g_array_append_val(events, known);
	/* Nothing is left that poll() would tell. */
	(void)read(backend->fd, &wakes, sizeof(wakes));
}

int procdb_backend_events_fd(ProcdbBackend *backend)
{
	return backend->fd;
}

void procdb_backend_take_events(ProcdbBackend *backend, GArray *events, gboolean arm)
{
	consume(backend, events);
	if (!arm)
		return;
	backend->armed = TRUE;
	if (backend->between > 0) {
		backend->between--;
		send_event(backend);
	}
	consume(backend, events);
}

gboolean procdb_backend_ask_again(ProcdbBackend *backend)
{
	backend->asked++;
	send_event(backend);
	return TRUE;
}

guint procdb_backend_let_rest(ProcdbBackend *backend)
{
	backend->rests++;
	return backend->batch_tasks;
}

void procdb_backend_status(ProcdbBackend *backend, ProcdbBackendStatus *status)
{
	*status = (ProcdbBackendStatus){.tasks_lost = backend->lost};
}

guint64 procdb_backend_other_groups(ProcdbBackend *backend, guint64 least)
{
	if (backend->crowded == 0)
		return 0;
	backend->crowded--;
	return G_MAXUINT64;
}

void procdb_backend_request_events(ProcdbBackend *backend, const guint64 *slices)
{
	backend->batch_slice = slices ? slices[PROCDB_TIER_BATCH] : 0;
}

void procdb_backend_set_rules(ProcdbBackend *backend, ProcdbDecide decide, gpointer data)
{
}

typedef struct {
	FakeMachine machine;
	ProcdbBackend backend;
	ProcdbApply *apply;
	ProcdbApplySource *source;
} Fixture;

/* Dispatches what is ready, and nothing that will be. */
static void run_what_is_ready(void)
{
	while (g_main_context_iteration(NULL, FALSE))
		;
}

static void setup(Fixture *f, gconstpointer data)
{
	f->machine = machine_with_task();
	f->backend = (ProcdbBackend){
	    .fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK),
	    .tier = PROCDB_TIERS,
	};
	f->apply = procdb_apply_new(&procdb_apply_default_settings, &fake_task_ops, &f->machine);
	f->source = procdb_apply_source_new(f->apply);
	procdb_apply_source_set_backend(f->source, &f->backend);
	run_what_is_ready();
}

static void teardown(Fixture *f, gconstpointer data)
{
	procdb_apply_source_free(f->source);
	procdb_apply_free(f->apply);
	close(f->backend.fd);
}

static void each_event_of_a_build_wakes_the_loop(Fixture *f, gconstpointer data)
{
	for (guint i = 1; i <= WAKES_SAVED / 2; i++) {
		send_event(&f->backend);
		run_what_is_ready();
		g_assert_cmpuint(f->backend.wakes, ==, i);
		g_assert_cmpuint(f->backend.taken, ==, i);
		g_assert_true(f->backend.armed);
	}
}

static void a_fork_storm_costs_a_bounded_number_of_wake_ups(Fixture *f, gconstpointer data)
{
	gint64 began = g_get_monotonic_time(), took;

	for (guint i = 0; i < 20000; i++) {
		send_event(&f->backend);
		run_what_is_ready();
	}
	took = g_get_monotonic_time() - began;
	g_assert_cmpuint(f->backend.wakes, <=, WAKES_SAVED + took / WAKE_EVERY_US + 1);
}

static void what_came_in_a_storm_is_taken_without_another_event(Fixture *f, gconstpointer data)
{
	const gint64 until = g_get_monotonic_time() + 60 * G_USEC_PER_SEC;

	/* Armed again at once each time: only the saved wake-ups end that. */
	while (f->backend.armed) {
		send_event(&f->backend);
		run_what_is_ready();
		g_assert_cmpint(g_get_monotonic_time(), <, until);
	}
	send_event(&f->backend);
	/* A poll is due, and the one that finds nothing arms again. */
	while (!f->backend.armed) {
		g_main_context_iteration(NULL, TRUE);
		g_assert_cmpint(g_get_monotonic_time(), <, until);
	}
	g_assert_cmpuint(f->backend.pending, ==, 0);
}

static void an_event_that_came_while_it_was_armed_is_no_end_of_waking(Fixture *f,
								      gconstpointer data)
{
	f->backend.between = 1;
	send_event(&f->backend);
	run_what_is_ready();
	g_assert_cmpuint(f->backend.taken, ==, 2);
	g_assert_true(f->backend.armed);

	send_event(&f->backend);
	run_what_is_ready();
	g_assert_cmpuint(f->backend.taken, ==, 3);
}

static void events_that_come_whenever_it_is_armed_are_polled(Fixture *f, gconstpointer data)
{
	const gint64 until = g_get_monotonic_time() + 60 * G_USEC_PER_SEC;

	f->backend.between = 10;
	send_event(&f->backend);
	/* Ends although each arming is used up at once. */
	run_what_is_ready();
	while (f->backend.taken < 11 || !f->backend.armed) {
		g_main_context_iteration(NULL, TRUE);
		g_assert_cmpint(g_get_monotonic_time(), <, until);
	}
}

static void what_was_asked_for_is_no_end_of_waking(Fixture *f, gconstpointer data)
{
	g_assert_true(procdb_apply_source_ask_again(f->source));
	g_assert_cmpuint(f->backend.taken, ==, 1);
	run_what_is_ready();
	g_assert_true(f->backend.armed);
	send_event(&f->backend);
	run_what_is_ready();
	g_assert_cmpuint(f->backend.taken, ==, 2);
}

static void while_no_task_is_changed_nothing_wakes_the_loop(Fixture *f, gconstpointer data)
{
	const gint64 until = g_get_monotonic_time() + 60 * G_USEC_PER_SEC;

	procdb_apply_set_pause(f->apply, "the test pauses it", FALSE);
	for (guint i = 0; i < 100; i++) {
		send_event(&f->backend);
		run_what_is_ready();
	}
	/* It was armed when the first one came. */
	g_assert_cmpuint(f->backend.wakes, <=, 1);
	/* The next second throws them away, and leaves it so. */
	while (f->backend.pending > 0) {
		g_main_context_iteration(NULL, TRUE);
		g_assert_cmpint(g_get_monotonic_time(), <, until);
	}
	g_assert_false(f->backend.armed);
	procdb_apply_set_pause(f->apply, NULL, FALSE);
	while (!f->backend.armed) {
		g_main_context_iteration(NULL, TRUE);
		g_assert_cmpint(g_get_monotonic_time(), <, until);
	}
}

/* Else a program of a second ago would count as one that had to wait for its slice so long. */
static void what_came_in_a_pause_is_not_handled_after_it(Fixture *f, gconstpointer data)
{
	ProcdbApplyStatus status;

	f->backend.tier = PROCDB_TIER_BATCH;
	procdb_apply_set_pause(f->apply, NULL, TRUE);
	for (guint i = 0; i < 10; i++) {
		send_event(&f->backend);
		run_what_is_ready();
	}
	procdb_apply_set_pause(f->apply, NULL, FALSE);
	g_assert_true(procdb_apply_source_ask_again(f->source));
	procdb_apply_status(f->apply, &status);
	g_assert_cmpuint(status.results[PROCDB_APPLY_SET], ==, 1);
	g_assert_cmpuint(status.results[PROCDB_APPLY_NOTHING], ==, 0);
}

/* Runs the loop until the source had so many of its seconds. */
static void run_seconds(guint seconds)
{
	const gint64 until =
	    g_get_monotonic_time() + (gint64)seconds * G_USEC_PER_SEC + G_USEC_PER_SEC / 2;

	while (g_get_monotonic_time() < until)
		if (!g_main_context_iteration(NULL, FALSE))
			g_usleep(1000);
}

static void tasks_are_asked_about_when_a_sched_ext_scheduler_has_left(Fixture *f,
								      gconstpointer data)
{
	f->machine.sched_ext = TRUE;
	run_seconds(1);
	g_assert_false(procdb_apply_is_active(f->apply));
	f->backend.asked = 0;
	f->machine.sched_ext = FALSE;
	run_seconds(1);
	g_assert_true(procdb_apply_is_active(f->apply));
	g_assert_cmpuint(f->backend.asked, >, 0);
}

static void tasks_are_asked_about_when_events_were_lost(Fixture *f, gconstpointer data)
{
	run_seconds(1);
	f->backend.asked = 0;
	run_seconds(1);
	g_assert_cmpuint(f->backend.asked, ==, 0);
	f->backend.lost = 3;
	run_seconds(1);
	g_assert_cmpuint(f->backend.asked, ==, 1);
}

static void sleepers_are_looked_for_while_there_are_long_slices(Fixture *f, gconstpointer data)
{
	run_seconds(1);
	g_assert_cmpuint(f->backend.rests, ==, 0);
	f->backend.tier = PROCDB_TIER_BATCH;
	f->backend.batch_tasks = 1;
	send_event(&f->backend);
	run_seconds(2);
	g_assert_cmpuint(f->backend.rests, >=, 2);
	/* Nor does it matter to a trial, in which they have none for a while. */
	f->backend.rests = 0;
	procdb_apply_set_pause(f->apply, "a trial compares", FALSE);
	run_seconds(2);
	g_assert_cmpuint(f->backend.rests, >=, 1);
	f->backend.batch_tasks = 0;
	run_seconds(1);
	f->backend.rests = 0;
	run_seconds(1);
	g_assert_cmpuint(f->backend.rests, ==, 0);
}

/* Whether BPF is told, the status says, and the task has, that batch tasks get no slice. */
static gboolean long_is_held(const Fixture *f)
{
	const gboolean held = f->backend.batch_slice == 0;
	ProcdbApplyStatus status;

	procdb_apply_status(f->apply, &status);
	g_assert_cmpint(status.held, ==, held);
	g_assert_cmpuint(f->machine.tasks[0].attr.slice_ns, ==,
			 held ? FAKE_DEFAULT_SLICE : batch_slice());
	return held;
}

static void run_until_long_is_held(const Fixture *f)
{
	const gint64 until = g_get_monotonic_time() + 60 * G_USEC_PER_SEC;

	while (!long_is_held(f)) {
		g_assert_cmpint(g_get_monotonic_time(), <, until);
		g_main_context_iteration(NULL, TRUE);
		run_what_is_ready();
	}
}

static void long_slices_go_while_groups_compete(Fixture *f, gconstpointer data)
{
	f->backend.tier = PROCDB_TIER_BATCH;
	send_event(&f->backend);
	run_seconds(1);
	g_assert_false(long_is_held(f));
	/* A second of it is a daemon that does something. */
	f->backend.crowded = 1;
	run_seconds(2);
	g_assert_false(long_is_held(f));
	/* The fake sends an event for each task that it is asked about. */
	f->backend.crowded = G_MAXUINT;
	run_until_long_is_held(f);
	/* A pause of a second is no end of it. */
	f->backend.crowded = 0;
	run_seconds(2);
	g_assert_true(long_is_held(f));
	run_seconds(10);
	g_assert_false(long_is_held(f));
}

static void long_slices_stay_where_that_is_configured(Fixture *f, gconstpointer data)
{
	ProcdbApplySettings settings = procdb_apply_default_settings;

	settings.long_among_groups = TRUE;
	procdb_apply_configure(f->apply, &settings);
	f->backend.tier = PROCDB_TIER_BATCH;
	send_event(&f->backend);
	f->backend.crowded = G_MAXUINT;
	run_seconds(4);
	g_assert_false(long_is_held(f));
}

/* It takes CPU time from batch tasks for others of their group, which is what these need there. */
static void a_nice_value_stays_while_groups_compete(Fixture *f, gconstpointer data)
{
	ProcdbApplySettings settings = procdb_apply_default_settings;
	const ProcdbSchedAttr *attr = &f->machine.tasks[0].attr;

	settings.tiers[PROCDB_TIER_BATCH].nice = 5;
	procdb_apply_configure(f->apply, &settings);
	f->backend.tier = PROCDB_TIER_BATCH;
	send_event(&f->backend);
	run_what_is_ready();
	g_assert_cmpuint(attr->slice_ns, ==, batch_slice());
	g_assert_true(procdb_apply_hold_long(f->apply, TRUE));
	procdb_apply_source_settings_changed(f->source);
	g_assert_true(procdb_apply_source_ask_again(f->source));
	g_assert_cmpuint(attr->slice_ns, ==, f->backend.batch_slice);
	g_assert_cmpuint(attr->slice_ns, >, FAKE_DEFAULT_SLICE);
	g_assert_cmpuint(attr->slice_ns, <, FAKE_DEFAULT_SLICE + 20000);
	g_assert_cmpint(attr->nice, ==, 5);
}

/* It goes with a slice as long as the kernel's, which the first event tells. */
static void a_nice_value_does_not_wait_for_the_end_of_a_crowd(Fixture *f, gconstpointer data)
{
	ProcdbApplySettings settings = procdb_apply_default_settings;

	settings.tiers[PROCDB_TIER_BATCH].nice = 5;
	procdb_apply_configure(f->apply, &settings);
	g_assert_true(procdb_apply_hold_long(f->apply, TRUE));
	procdb_apply_source_settings_changed(f->source);
	g_assert_cmpuint(f->backend.batch_slice, ==, 0);
	f->backend.tier = PROCDB_TIER_INTERACTIVE;
	send_event(&f->backend);
	run_what_is_ready();
	g_assert_true(procdb_apply_hold_long(f->apply, TRUE));
	procdb_apply_source_settings_changed(f->source);
	g_assert_cmpuint(f->backend.batch_slice, >, FAKE_DEFAULT_SLICE);
	g_assert_false(procdb_apply_hold_long(f->apply, TRUE));
}

#define TEST(name) g_test_add("/apply-source/" #name, Fixture, NULL, setup, name, teardown)

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	TEST(each_event_of_a_build_wakes_the_loop);
	TEST(a_fork_storm_costs_a_bounded_number_of_wake_ups);
	TEST(what_came_in_a_storm_is_taken_without_another_event);
	TEST(an_event_that_came_while_it_was_armed_is_no_end_of_waking);
	TEST(while_no_task_is_changed_nothing_wakes_the_loop);
	TEST(what_came_in_a_pause_is_not_handled_after_it);
	TEST(what_was_asked_for_is_no_end_of_waking);
	TEST(events_that_come_whenever_it_is_armed_are_polled);
	TEST(tasks_are_asked_about_when_a_sched_ext_scheduler_has_left);
	TEST(tasks_are_asked_about_when_events_were_lost);
	TEST(sleepers_are_looked_for_while_there_are_long_slices);
	TEST(long_slices_go_while_groups_compete);
	TEST(long_slices_stay_where_that_is_configured);
	TEST(a_nice_value_stays_while_groups_compete);
	TEST(a_nice_value_does_not_wait_for_the_end_of_a_crowd);
	return g_test_run();
}
