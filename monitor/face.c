/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include "face.h"

#include "escape.h"
#include "figures.h"

/* "at 10:32" for µs since the epoch, with the day if that is another one. */
static char *at_time(gint64 time_us)
{
	g_autoptr(GDateTime) time = g_date_time_new_from_unix_local(time_us / G_USEC_PER_SEC);
	g_autoptr(GDateTime) now = g_date_time_new_now_local();

	if (!time || !now)
		return g_strdup("later");
	return g_date_time_format(time, g_date_time_get_day_of_year(time) ==
						g_date_time_get_day_of_year(now)
					    ? "at %H:%M"
					    : "on %A at %H:%M");
}

static char *paused(gint64 retry_us)
{
	/* When that has passed, it waits for load. */
	g_autofree char *when = retry_us > g_get_real_time()
				    ? at_time(retry_us)
				    : g_strdup("when programs have to wait");

	return g_strdup_printf("Slices are paused: programs waited longer with them than without. "
			       "They are tried again %s.",
			       when);
}

static const char *or_empty(const char *text)
{
	return text ? text : "";
}

char *monitor_face_banner(ProcdbDBusProcDb1 *proxy)
{
	const char *status = or_empty(procdb_dbus_proc_db1_get_backend_status(proxy));
	const char *reason = or_empty(procdb_dbus_proc_db1_get_backend_reason(proxy));
	const char *in_use = or_empty(procdb_dbus_proc_db1_get_backend_in_use(proxy));
	const char *guard = or_empty(procdb_dbus_proc_db1_get_guard_state(proxy));
	const char *mode = or_empty(procdb_dbus_proc_db1_get_apply(proxy));
	const char *why = or_empty(procdb_dbus_proc_db1_get_apply_reason(proxy));

	if (!g_str_equal(status, "active") && *status) {
		g_autofree char *text = escape_plain(*reason ? reason : status);

		/* Another one may stand in for the backend that was chosen. */
		return g_strdup_printf(*in_use ? "What was chosen to observe does not run: %s"
					       : "Nothing is observed now: %s",
				       text);
	}
	/* It takes slices back and gives them again every other second, also those of a pause. */
	if (g_str_equal(or_empty(procdb_dbus_proc_db1_get_trial_state(proxy)), "running"))
		return NULL;
	if (g_str_equal(guard, "paused"))
		return paused(procdb_dbus_proc_db1_get_guard_retry(proxy));
	/* That no slices are wanted is no news. */
	if (!g_str_equal(mode, "none") && *why) {
		g_autofree char *text = escape_plain(why);

		return g_strdup_printf("No slices are given: %s", text);
	}
	return NULL;
}

char *monitor_face_counts(ProcdbDBusProcDb1 *proxy)
{
	g_autofree char *known = out_count(procdb_dbus_proc_db1_get_profiles(proxy), "program");
	g_autofree char *confident = out_number(procdb_dbus_proc_db1_get_confident(proxy));
	g_autofree char *overrides =
	    out_count(procdb_dbus_proc_db1_get_overrides(proxy), "override");

	return g_strdup_printf("%s known, %s confident, %s", known, confident, overrides);
}

const char *monitor_face_empty(guint known, const char **title)
{
	*title = known > 0 ? "No Program Matches" : "No Programs Yet";
	return known > 0 ? "The search, the tier and the menu choose which are shown."
			 : "They are shown here as soon as they have run for a while.";
}

char *monitor_face_program(MonitorProgram *program)
{
	const char *name = monitor_program_name(program);
	const char *tier = monitor_program_tier(program);

	if (monitor_program_is_overridden(program))
		return g_strdup_printf("%s: an override says %s", name, tier);
	if (g_str_has_suffix(tier, "?"))
		return g_strdup_printf("%s: not predicted yet", name);
	return g_strdup_printf("%s: new tasks start as %s", name, tier);
}

char *monitor_face_verdict(GVariant *trial)
{
	const char *state = "", *reason = "", *verdict = "?", *because = "";

	g_variant_lookup(trial, "state", "&s", &state);
	g_variant_lookup(trial, "reason", "&s", &reason);
	g_variant_lookup(trial, "verdict", "&s", &verdict);
	g_variant_lookup(trial, "because", "&s", &because);
	if (!g_str_equal(state, "done"))
		return g_strdup_printf("The trial ended early: %s", reason);
	return g_strdup_printf("Trial: %s: %s", verdict, because);
}
