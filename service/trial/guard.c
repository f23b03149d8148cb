/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include "guard.h"

#include "boot-clock.h"
#include "suspicion.h"

struct _ProcdbGuard {
	const ProcdbGuardHost *host;
	gpointer data;
	ProcdbGuardSettings settings;
	ProcdbTrial *trial; /* the present windows, or the last ones */
	gboolean held;	    /* by a trial of a caller */
	ProcdbGuardState state;
	struct procdb_suspicion suspicion;
	struct procdb_comparison found;
	gboolean harms; /* it does, by that */
	guint timer;	/* GSource id */
	/* Times are monotonic. */
	gint64 saved_us;    /* of windows without applying that may be taken */
	gint64 saved_at_us; /* when that was worked out */
	guint pause_ms;	    /* the last pause, or the present one; 0: none yet */
	gint64 retry_us;    /* the end of the present one by procdb_boot_us() */
	gint64 retry_at_us; /* the same in µs since the epoch, as was last told */
	guint pauses;	    /* so far */
	gint64 resumed_us;  /* when the last one ended */
	/* What was counted when it was looked last for load; at 0: not yet. */
	struct procdb_delays before;
	gint64 before_us;
};

#define US_PER_MS 1000
/* How often the clock is looked at in a pause, and from which difference on it was set. */
#define LOOK_AT_CLOCK_MS 60000
#define CLOCK_STEP_US ((gint64)2 * G_USEC_PER_SEC)

/*
 * No look uses the windows of another, or those that made it suspicious. So looking again and again
 * makes none of them less certain: it is wrong once in 20000 looks for each percentile, and 3 % of
 * the time are not enough for more than 30 looks a day.
 */
const ProcdbGuardSettings procdb_guard_default_settings = {
    .pair = {.seconds = 1, .window_ms = 1000, .settle_ms = 200, .certainty = .95},
    .look = {.seconds = 60, .window_ms = 1000, .settle_ms = 200, .certainty = .9999},
    .later_ms = 60 * 1000,
    .often_ms = 30 * 1000,
    .sooner_ms = 10 * 1000,
    .share = .03,
    .saved_ms = 90 * 1000,
    .pause_ms = 10 * 60 * 1000,
    .pause_most_ms = 24 * 60 * 60 * 1000,
};

const char *procdb_guard_state_name(ProcdbGuardState state)
{
	static const char *const names[] = {
	    [PROCDB_GUARD_OFF] = "off",
	    [PROCDB_GUARD_WATCHING] = "watching",
	    [PROCDB_GUARD_LOOKING] = "looking",
	    [PROCDB_GUARD_PAUSED] = "paused",
	};

	g_return_val_if_fail(state < G_N_ELEMENTS(names), "");
	return names[state];
}

/* As it is outside of windows. */
static void apply_by_state(ProcdbGuard *guard)
{
	guard->host->apply(guard->data, guard->state == PROCDB_GUARD_PAUSED && !guard->held
					    ? PROCDB_GUARD_PAUSE
					    : PROCDB_GUARD_APPLY);
}

static void windows_apply(gpointer data, gboolean on)
{
	ProcdbGuard *guard = data;

	guard->host->apply(guard->data, on ? PROCDB_GUARD_APPLY
					: guard->state == PROCDB_GUARD_PAUSED
					    ? PROCDB_GUARD_PAUSE
					    : PROCDB_GUARD_WITHOUT);
}

static void windows_restore(gpointer data)
{
	apply_by_state(data);
}

static const char *windows_refusal(gpointer data)
{
	ProcdbGuard *guard = data;

	return guard->host->refusal(guard->data);
}

static gboolean windows_delays(gpointer data, struct procdb_delays *now, GError **error)
{
	ProcdbGuard *guard = data;

	return guard->host->delays(guard->data, now, error);
}

static gboolean on_timer(gpointer data);

static void wait_for(ProcdbGuard *guard, guint ms)
{
	g_clear_handle_id(&guard->timer, g_source_remove);
	/* In whole seconds GLib wakes up for it when it wakes up anyway. */
	guard->timer = ms >= 1000 ? g_timeout_add_seconds(ms / 1000, on_timer, guard)
				  : g_timeout_add(ms, on_timer, guard);
}

static void become(ProcdbGuard *guard, ProcdbGuardState state)
{
	if (guard->state == state)
		return;
	guard->state = state;
	guard->host->changed(guard->data);
}

/* The same with what it means for applying, which is done by the time that it is told. */
static void become_and_apply(ProcdbGuard *guard, ProcdbGuardState state)
{
	const gboolean other = guard->state != state;

	guard->state = state;
	apply_by_state(guard);
	if (other)
		guard->host->changed(guard->data);
}

/* How long the windows of a closer look are without applying, µs. */
static gint64 cost_of_look(const ProcdbGuard *guard)
{
	return (gint64)guard->settings.look.seconds * G_USEC_PER_SEC / 2;
}

static gint64 cost_of_pair(const ProcdbGuard *guard)
{
	return (gint64)(guard->settings.pair.settle_ms + guard->settings.pair.window_ms) *
	       US_PER_MS;
}

/* Whether windows without applying may be taken for us; they are then. */
static gboolean spend(ProcdbGuard *guard, gint64 us)
{
	if (guard->saved_us < us)
		return FALSE;
	guard->saved_us -= us;
	return TRUE;
}

static void save_up(ProcdbGuard *guard)
{
	const gint64 now = g_get_monotonic_time();
	const gint64 most = (gint64)guard->settings.saved_ms * US_PER_MS;
	const gint64 more = (gint64)((double)(now - guard->saved_at_us) * guard->settings.share);

	guard->saved_us = MIN(guard->saved_us + more, most);
	guard->saved_at_us = now;
}

/* From one pair to the next where the last ones were not worse. */
static guint calm_ms(const ProcdbGuard *guard)
{
	const gint64 most = (gint64)guard->settings.saved_ms * US_PER_MS;

	return guard->saved_us >= most / 4 * 3 ? guard->settings.often_ms
					       : guard->settings.later_ms;
}

/* Whether enough had to wait for a CPU since the last time that it was looked. */
static gboolean has_load(ProcdbGuard *guard)
{
	const gint64 now = g_get_monotonic_time(), before_us = guard->before_us;
	struct procdb_delays delays, had;
	gboolean since;

	guard->before_us = 0;
	if (!guard->host->delays(guard->data, &delays, NULL))
		return FALSE;
	since = before_us != 0 && procdb_delays_since(&guard->before, &delays, &had);
	guard->before = delays;
	guard->before_us = now;
	return since && procdb_delays_are_load(&had, (guint64)(now - before_us) * 1000);
}

/* first: there was nothing yet to tell the load from; now there is. */
static void wait_for_load(ProcdbGuard *guard, gboolean first)
{
	wait_for(guard,
		 first && guard->before_us != 0 ? guard->settings.sooner_ms : calm_ms(guard));
}

/* Begins the windows; what they find comes to on_windows_changed(). */
static void begin(ProcdbGuard *guard, const ProcdbTrialSettings *settings)
{
	if (!procdb_trial_start(guard->trial, settings, NULL))
		wait_for(guard, guard->settings.later_ms);
}

static void look_closely(ProcdbGuard *guard)
{
	begin(guard, &guard->settings.look);
	/* There is nothing to compare any more. */
	if (guard->timer)
		become(guard, PROCDB_GUARD_WATCHING);
}

static void watch(ProcdbGuard *guard)
{
	const gboolean first = guard->before_us == 0;

	if (has_load(guard) && !guard->host->refusal(guard->data) &&
	    spend(guard, cost_of_pair(guard)))
		begin(guard, &guard->settings.pair);
	else
		wait_for_load(guard, first);
}

/*
 * Waits for the end of a pause. GLib's clock stands still while the machine sleeps, so it is looked
 * again each minute.
 */
static void wait_for_retry(ProcdbGuard *guard, gint64 left_us)
{
	wait_for(guard, (guint)MIN(left_us / US_PER_MS + 1, LOOK_AT_CLOCK_MS));
}

/* The wall clock may have been set since the time of the end was told. */
static void tell_retry(ProcdbGuard *guard, gint64 left_us)
{
	const gint64 at_us = g_get_real_time() + left_us;

	if (ABS(at_us - guard->retry_at_us) < CLOCK_STEP_US)
		return;
	guard->retry_at_us = at_us;
	guard->host->changed(guard->data);
}

/* In the middle of a pause: the windows with applying are the only ones in which it is applied. */
static void try_again(ProcdbGuard *guard)
{
	const gboolean first = guard->before_us == 0;
	const gint64 left_us = guard->retry_us - procdb_boot_us();

	if (left_us > 0) {
		tell_retry(guard, left_us);
		wait_for_retry(guard, left_us);
		return;
	}
	if (!has_load(guard)) {
		wait_for_load(guard, first);
		return;
	}
	guard->host->apply(guard->data, PROCDB_GUARD_APPLY);
	begin(guard, &guard->settings.look);
	if (guard->timer)
		apply_by_state(guard);
}

static gboolean on_timer(gpointer data)
{
	ProcdbGuard *guard = data;

	guard->timer = 0;
	save_up(guard);
	if (guard->state == PROCDB_GUARD_PAUSED)
		try_again(guard);
	else if (guard->state == PROCDB_GUARD_LOOKING)
		look_closely(guard);
	else
		watch(guard);
	return G_SOURCE_REMOVE;
}

/* The length of a pause that begins now. */
static guint next_pause(const ProcdbGuard *guard, gboolean again)
{
	const gint64 well_us = (gint64)guard->pause_ms * US_PER_MS;

	if (guard->pause_ms == 0 ||
	    (!again && g_get_monotonic_time() - guard->resumed_us > well_us))
		return guard->settings.pause_ms;
	return (guint)MIN((guint64)guard->pause_ms * 2, guard->settings.pause_most_ms);
}

/* Pauses applying for a time from now on. */
static void pause_for(ProcdbGuard *guard, guint pause_ms)
{
	const gboolean again = guard->state == PROCDB_GUARD_PAUSED;
	const gint64 pause_us = (gint64)pause_ms * US_PER_MS;

	guard->pause_ms = pause_ms;
	guard->retry_us = procdb_boot_us() + pause_us;
	guard->retry_at_us = g_get_real_time() + pause_us;
	guard->pauses++;
	/* What waited before says nothing of the load when it is tried again. */
	guard->before_us = 0;
	become_and_apply(guard, PROCDB_GUARD_PAUSED);
	if (again)
		guard->host->changed(guard->data);
	wait_for_retry(guard, pause_us);
}

/*
 * Whether a look says nothing that would end a pause: the load has gone, or comes and goes so that
 * the pairs are too few for an interval, or it is worse with slices still, and not surely.
 */
static gboolean is_unsure(const struct procdb_comparison *found)
{
	return found->effect == PROCDB_EFFECT_UNKNOWN || !found->delay[PROCDB_P50].known ||
	       procdb_delays_seem_to_rise(found);
}

static void resume(ProcdbGuard *guard)
{
	if (guard->state == PROCDB_GUARD_PAUSED)
		guard->resumed_us = g_get_monotonic_time();
	guard->retry_us = 0;
	become_and_apply(guard, PROCDB_GUARD_WATCHING);
	wait_for(guard, guard->settings.later_ms);
}

static void take_look(ProcdbGuard *guard, const struct procdb_comparison *found)
{
	guard->suspicion = (struct procdb_suspicion){0};
	guard->found = *found;
	guard->harms = procdb_delays_rise(found);
	if (guard->harms)
		pause_for(guard, next_pause(guard, guard->state == PROCDB_GUARD_PAUSED));
	else if (guard->state == PROCDB_GUARD_PAUSED && is_unsure(found))
		pause_for(guard, guard->pause_ms);
	else
		resume(guard);
}

static void take_pair(ProcdbGuard *guard, const struct procdb_pair *pair)
{
	const enum procdb_suspect suspect = procdb_suspicion_add(&guard->suspicion, pair);

	save_up(guard);
	if (suspect == PROCDB_SUSPECT_HARM && spend(guard, cost_of_look(guard))) {
		become(guard, PROCDB_GUARD_LOOKING);
		wait_for(guard, 0);
	} else if (suspect != PROCDB_SUSPECT_NOTHING &&
		   /* A closer look must remain possible. */
		   guard->saved_us >= cost_of_look(guard) + cost_of_pair(guard)) {
		wait_for(guard, guard->settings.sooner_ms);
	} else {
		wait_for(guard, calm_ms(guard));
	}
}

static void on_windows_changed(gpointer data)
{
	ProcdbGuard *guard = data;
	ProcdbTrialStatus status;

	procdb_trial_status(guard->trial, &status);
	if (status.state == PROCDB_TRIAL_RUNNING)
		return;
	if (status.state != PROCDB_TRIAL_DONE) {
		if (guard->state == PROCDB_GUARD_LOOKING)
			become(guard, PROCDB_GUARD_WATCHING);
		wait_for(guard, guard->settings.later_ms);
	} else if (guard->state == PROCDB_GUARD_WATCHING) {
		take_pair(guard, &status.pairs[0]);
	} else {
		take_look(guard, &status.comparison);
	}
}

ProcdbGuard *procdb_guard_new(const ProcdbGuardHost *host, const ProcdbGuardSettings *settings,
			      gpointer data)
{
	static const ProcdbTrialHost windows = {
	    .apply = windows_apply,
	    .restore = windows_restore,
	    .refusal = windows_refusal,
	    .delays = windows_delays,
	    .changed = on_windows_changed,
	};
	ProcdbGuard *guard = g_new0(ProcdbGuard, 1);

	guard->host = host;
	guard->data = data;
	guard->settings = *settings;
	guard->saved_us = (gint64)settings->saved_ms * US_PER_MS;
	guard->saved_at_us = g_get_monotonic_time();
	guard->trial = procdb_trial_new(&windows, guard);
	return guard;
}

void procdb_guard_quit(ProcdbGuard *guard)
{
	procdb_trial_stop(guard->trial, "the guard ends it");
	g_clear_handle_id(&guard->timer, g_source_remove);
	guard->before_us = 0;
}

void procdb_guard_free(ProcdbGuard *guard)
{
	if (!guard)
		return;
	procdb_guard_quit(guard);
	procdb_trial_free(guard->trial);
	g_free(guard);
}

void procdb_guard_configure(ProcdbGuard *guard, gboolean on)
{
	const ProcdbGuardState state = on ? PROCDB_GUARD_WATCHING : PROCDB_GUARD_OFF;

	procdb_guard_quit(guard);
	guard->suspicion = (struct procdb_suspicion){0};
	guard->pause_ms = 0;
	guard->retry_us = 0;
	if (guard->state == PROCDB_GUARD_PAUSED)
		become_and_apply(guard, state);
	else
		become(guard, state);
	if (on && !guard->held)
		wait_for(guard, guard->settings.sooner_ms);
}

void procdb_guard_hold(ProcdbGuard *guard, gboolean held)
{
	if (guard->held == held)
		return;
	procdb_guard_quit(guard);
	guard->held = held;
	apply_by_state(guard);
	if (!held && guard->state != PROCDB_GUARD_OFF)
		wait_for(guard, guard->settings.sooner_ms);
}

void procdb_guard_status(const ProcdbGuard *guard, ProcdbGuardStatus *status)
{
	*status = (ProcdbGuardStatus){
	    .state = guard->state,
	    .retry_us = guard->state == PROCDB_GUARD_PAUSED ? guard->retry_at_us : 0,
	    .pauses = guard->pauses,
	    .found = guard->found,
	    .harms = guard->harms,
	};
}
