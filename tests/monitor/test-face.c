/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

/* What the banner of the window says of a service that is made up. */

#include "face.h"

static ProcdbDBusProcDb1 *service_new(void)
{
	ProcdbDBusProcDb1 *service = procdb_dbus_proc_db1_skeleton_new();

	procdb_dbus_proc_db1_set_backend_status(service, "active");
	procdb_dbus_proc_db1_set_apply(service, "slices");
	return service;
}

static void test_all_is_well(void)
{
	g_autoptr(ProcdbDBusProcDb1) service = service_new();

	g_assert_null(monitor_face_banner(service));
}

static void test_a_pause_has_a_time_until_that_has_passed(void)
{
	g_autoptr(ProcdbDBusProcDb1) service = service_new();
	const char *said =
	    "Slices are paused: programs waited longer with them than without. They are tried ";
	const gint64 now_us = g_get_real_time();
	const gint64 past_us[] = {0, 1, now_us - G_USEC_PER_SEC};
	g_autoptr(GDateTime) later =
	    g_date_time_new_from_unix_local(now_us / G_USEC_PER_SEC + 3600);
	g_autofree char *time = g_date_time_format(later, "at %H:%M");
	g_autofree char *expected = g_strdup_printf("%sagain %s.", said, time);
	g_autofree char *waits = g_strdup_printf("%sagain when programs have to wait.", said);
	g_autofree char *banner = NULL;

	procdb_dbus_proc_db1_set_guard_state(service, "paused");
	procdb_dbus_proc_db1_set_guard_retry(service,
					     now_us + G_GINT64_CONSTANT(3600) * G_USEC_PER_SEC);
	banner = monitor_face_banner(service);
	g_assert_cmpstr(banner, ==, expected);
	for (gsize i = 0; i < G_N_ELEMENTS(past_us); i++) {
		g_autofree char *after = NULL;

		procdb_dbus_proc_db1_set_guard_retry(service, past_us[i]);
		after = monitor_face_banner(service);
		g_assert_cmpstr(after, ==, waits);
	}
}

static void test_that_another_backend_stands_in_is_no_silence(void)
{
	static const struct {
		const char *in_use, *said;
	} cases[] = {
	    {"observer", "What was chosen to observe does not run: scx_x is running"},
	    {"", "Nothing is observed now: scx_x is running"},
	};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(ProcdbDBusProcDb1) service = service_new();
		g_autofree char *banner = NULL;

		procdb_dbus_proc_db1_set_backend_status(service, "waiting");
		procdb_dbus_proc_db1_set_backend_reason(service, "scx_x is running");
		procdb_dbus_proc_db1_set_backend_in_use(service, cases[i].in_use);
		banner = monitor_face_banner(service);
		g_assert_cmpstr(banner, ==, cases[i].said);
	}
}

static void test_a_trial_moves_no_banner(void)
{
	g_autoptr(ProcdbDBusProcDb1) service = service_new();

	procdb_dbus_proc_db1_set_trial_state(service, "running");
	procdb_dbus_proc_db1_set_apply_reason(service,
					      "a trial compares it with what would be without");
	g_assert_null(monitor_face_banner(service));
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/face/all-is-well", test_all_is_well);
	g_test_add_func("/face/pause", test_a_pause_has_a_time_until_that_has_passed);
	g_test_add_func("/face/another-backend-stands-in",
			test_that_another_backend_stands_in_is_no_silence);
	g_test_add_func("/face/trial", test_a_trial_moves_no_banner);
	return g_test_run();
}
