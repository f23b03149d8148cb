/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include "source.h"

/*
 * The events that one procdb_backend_ask_again() may bring until its ring buffer is full, less
 * some; and how often it is asked: for some thousand tasks.
 */
#define ASKED_MANY 1000
#define ASK_ROUNDS 8

/*
 * How often events may wake the loop in the long run, which is also how often it is polled while
 * more than that come; and how many wake-ups may be saved up. So a program is given its slice at
 * once, also of a large build's hundred a second, and a fork storm costs no more wake-ups than
 * this.
 */
#define WAKE_EVERY_US 4000
#define WAKES_SAVED 100

/*
 * Groups of tasks compete when all but the busiest want this part of one CPU for so many seconds in
 * a row, of which a daemon that works for a moment now and then has none; and they do not any more
 * when that was so long ago.
 */
#define CROWD_SHARE 16
#define CROWD_SECONDS 2
#define CALM_US (10LL * G_USEC_PER_SEC)

typedef struct {
	GSource base;
	ProcdbApplySource *owner;
} LoopSource;

struct _ProcdbApplySource {
	ProcdbApply *apply;
	ProcdbBackend *backend;
	LoopSource *loop;
	GPollFD polled; /* in loop while its descriptor is not -1 */
	gint64 due;	/* monotonic µs of the next poll; -1: none */
	gint64 spent;	/* monotonic µs up to which wake-ups are paid for, WAKE_EVERY_US each */
	gboolean unfinished; /* tasks may run without their slice, and send no event */
	guint64 missed;	     /* events that were lost or refused, up to the last second */
	guint64 long_sets;   /* slices of batch that were set up to then */
	guint batch_tasks;   /* that were found then */
	gint64 looked;	     /* monotonic µs: last for groups that compete, ... */
	guint crowded;	     /* seconds in a row in which they did */
	gint64 calm_at;	     /* when they do not any more */
	gboolean blind;	     /* the backend has no events */
	gboolean armed;	     /* the next event wakes the loop; else the source polls */
	gboolean resting;    /* events have been thrown away, and those that wait will be */
	guint timer;	     /* GSource id of procdb_apply_refresh(), once a second */
	GArray *events;	     /* struct procdb_task_event */
	ProcdbDecide decide; /* NULL: no rules */
	gpointer decide_data;
};

static void stop_polling(ProcdbApplySource *source)
{
	if (source->polled.fd >= 0)
		g_source_remove_poll(&source->loop->base, &source->polled);
	source->polled.fd = -1;
	source->due = -1;
}

/* Moves the pending events to source->events. */
static void fetch(ProcdbApplySource *source, gboolean arm)
{
	g_array_set_size(source->events, 0);
	procdb_backend_take_events(source->backend, source->events, arm);
}

static guint take(ProcdbApplySource *source, gboolean arm)
{
	fetch(source, arm);
	for (guint i = 0; i < source->events->len; i++)
		procdb_apply_handle(source->apply,
				    &g_array_index(source->events, struct procdb_task_event, i));
	return source->events->len;
}

/* Has the source poll at once: what was taken elsewhere may have used up the arming. */
static void poll_now(ProcdbApplySource *source)
{
	if (source->polled.fd < 0)
		return;
	source->armed = FALSE;
	source->polled.events = 0;
	source->due = g_get_monotonic_time();
}

/* Counts the wake-up that brought events, and says whether the next event may wake the loop. */
static gboolean may_wake_again(ProcdbApplySource *source, gint64 now)
{
	source->spent =
	    MAX(source->spent, now - (gint64)WAKES_SAVED * WAKE_EVERY_US) + WAKE_EVERY_US;
	return source->spent <= now;
}

/*
 * While no task is changed, and no rule looks at what tasks execute, no event has to wake the loop:
 * events are thrown away once a second.
 */
static gboolean may_rest(const ProcdbApplySource *source)
{
	return !source->decide && !procdb_apply_is_active(source->apply);
}

static void rest(ProcdbApplySource *source)
{
	fetch(source, FALSE);
	source->resting = TRUE;
	source->armed = FALSE;
	source->polled.events = source->polled.revents = 0;
	source->due = -1;
}

/* FALSE if events keep coming: one between arming and taking has used up the arming. */
static gboolean arm(ProcdbApplySource *source)
{
	guint tries = 2;

	while (tries > 0 && take(source, TRUE) > 0)
		tries--;
	return tries > 0;
}

/*
 * Handles the pending events. After it BPF wakes the loop at the next, or the source polls: while
 * events come faster than they may wake it, and where they do not stop coming here.
 */
static void work(ProcdbApplySource *source)
{
	gint64 now = g_source_get_time(&source->loop->base);

	source->resting = FALSE;
	source->armed = (take(source, FALSE) == 0 || may_wake_again(source, now)) && arm(source);
	/*
	 * Not by g_source_modify_unix_fd() and g_source_set_ready_time(): each of
	 * them wakes the main loop up once more, from itself.
	 */
	source->polled.events = source->armed ? G_IO_IN : 0;
	source->polled.revents = 0;
	source->due = source->armed ? -1 : now + WAKE_EVERY_US;
}

static gboolean loop_prepare(GSource *base, int *timeout)
{
	ProcdbApplySource *source = ((LoopSource *)base)->owner;
	int fd = source->backend ? procdb_backend_events_fd(source->backend) : -1;
	gint64 now = g_source_get_time(base);

	/* A backend may start, fail and start again at any time. */
	if (fd != source->polled.fd) {
		stop_polling(source);
		if (fd >= 0) {
			source->polled = (GPollFD){.fd = fd};
			g_source_add_poll(base, &source->polled);
			source->due = now;
		}
	}
	*timeout = source->due < 0 ? -1 : (int)(MAX(source->due - now, 0) + 999) / 1000;
	return source->due >= 0 && source->due <= now;
}

static gboolean loop_check(GSource *base)
{
	ProcdbApplySource *source = ((LoopSource *)base)->owner;

	return (source->due >= 0 && source->due <= g_source_get_time(base)) ||
	       (source->armed && source->polled.revents != 0);
}

static gboolean loop_dispatch(GSource *base, GSourceFunc callback, gpointer data)
{
	ProcdbApplySource *source = ((LoopSource *)base)->owner;

	if (source->polled.fd >= 0 && may_rest(source))
		rest(source);
	else if (source->polled.fd >= 0)
		work(source);
	return G_SOURCE_CONTINUE;
}

/* Not at once: a backend that stops and starts again within a second takes nothing from tasks. */
static void look_for_events(ProcdbApplySource *source)
{
	gboolean blind = !source->backend || procdb_backend_events_fd(source->backend) < 0;

	if (!blind && source->blind)
		source->unfinished = TRUE;
	source->blind = blind;
	procdb_apply_set_blind(source->apply, blind);
}

/* Tasks that were set or put back. */
static guint64 changed_so_far(const ProcdbApplySource *source)
{
	return procdb_apply_count(source->apply, PROCDB_APPLY_SET) +
	       procdb_apply_count(source->apply, PROCDB_APPLY_RESTORED);
}

/* Events that had no room, or came beyond the limit. */
static guint64 missed_so_far(const ProcdbApplySource *source)
{
	ProcdbBackendStatus status = {0};

	if (source->backend)
		procdb_backend_status(source->backend, &status);
	return procdb_apply_count(source->apply, PROCDB_APPLY_REFUSED_LIMIT) + status.tasks_lost;
}

/*
 * Only while there may be tasks with a long slice, or others that are batch: as long as they have
 * been found, also while no slice is given, and while none is long: those that sleep must not get
 * one when that ends.
 */
static void look_for_sleepers(ProcdbApplySource *source)
{
	ProcdbApplyStatus status;

	procdb_apply_status(source->apply, &status);
	if (!source->backend ||
	    (status.long_sets == source->long_sets && source->batch_tasks == 0 && !status.held))
		return;
	source->long_sets = status.long_sets;
	source->batch_tasks = procdb_backend_let_rest(source->backend);
}

/*
 * Tasks whose events were missed are asked about again. Of overrides by program and unit, which
 * need a path, that does not tell.
 */
static void look_for_missed(ProcdbApplySource *source)
{
	const guint64 missed = missed_so_far(source);

	if (missed != source->missed)
		source->unfinished = TRUE;
	source->missed = missed;
}

/* Long slices are for a machine that one group of tasks uses: crowd.h in bpf/ says why. */
static void look_for_groups(ProcdbApplySource *source)
{
	const gint64 now = g_get_monotonic_time();
	const guint64 least = MAX((guint64)(now - source->looked) * 1000 / CROWD_SHARE, 1);
	const gboolean many =
	    source->backend && procdb_backend_other_groups(source->backend, least) >= least;

	source->looked = now;
	source->crowded = many ? source->crowded + 1 : 0;
	if (source->crowded >= CROWD_SECONDS)
		source->calm_at = now + CALM_US;
	if (!procdb_apply_hold_long(source->apply, now < source->calm_at))
		return;
	procdb_apply_source_settings_changed(source);
	source->unfinished = TRUE;
}

static gboolean on_second(gpointer data)
{
	ProcdbApplySource *source = data;

	look_for_groups(source);
	look_for_events(source);
	look_for_missed(source);
	/* A sched_ext scheduler left: tasks that run have sent their events to deaf ears. */
	if (procdb_apply_refresh(source->apply) && procdb_apply_is_active(source->apply))
		source->unfinished = TRUE;
	if (source->polled.fd >= 0 && may_rest(source))
		rest(source);
	else if (!source->armed && source->due < 0)
		poll_now(source);
	look_for_sleepers(source);
	if (source->unfinished && procdb_apply_is_active(source->apply))
		procdb_apply_source_ask_again(source);
	return G_SOURCE_CONTINUE;
}

ProcdbApplySource *procdb_apply_source_new(ProcdbApply *apply)
{
	static GSourceFuncs funcs = {
	    .prepare = loop_prepare,
	    .check = loop_check,
	    .dispatch = loop_dispatch,
	};
	ProcdbApplySource *source = g_new0(ProcdbApplySource, 1);

	source->apply = apply;
	source->polled.fd = -1;
	source->due = -1;
	source->looked = g_get_monotonic_time();
	source->events = g_array_new(FALSE, FALSE, sizeof(struct procdb_task_event));
	source->loop = (LoopSource *)g_source_new(&funcs, sizeof(LoopSource));
	source->loop->owner = source;
	g_source_set_static_name(&source->loop->base, "procdb-apply");
	/* Without it GLib takes the descriptor out of the poll set around every dispatch. */
	g_source_set_can_recurse(&source->loop->base, TRUE);
	g_source_attach(&source->loop->base, NULL);
	/* GLib fires this together with the engine's tick: no further wake-up. */
	source->timer = g_timeout_add_seconds(1, on_second, source);
	return source;
}

void procdb_apply_source_free(ProcdbApplySource *source)
{
	if (!source)
		return;
	procdb_apply_source_set_backend(source, NULL);
	g_source_remove(source->timer);
	g_source_destroy(&source->loop->base);
	g_source_unref(&source->loop->base);
	g_array_unref(source->events);
	g_free(source);
}

void procdb_apply_source_settings_changed(ProcdbApplySource *source)
{
	const ProcdbApplySettings *settings = procdb_apply_settings(source->apply);
	ProcdbTierSetting tiers[PROCDB_TIERS];
	guint64 slices[PROCDB_TIERS];

	if (!source->backend)
		return;
	procdb_apply_tiers(source->apply, tiers);
	for (guint i = 0; i < PROCDB_TIERS; i++)
		slices[i] = procdb_slice_encode(&tiers[i]);
	procdb_backend_request_events(source->backend,
				      settings->mode == PROCDB_APPLY_NONE ? NULL : slices);
}

void procdb_apply_source_set_rules(ProcdbApplySource *source, ProcdbDecide decide, gpointer data)
{
	source->decide = decide;
	source->decide_data = data;
	if (source->backend)
		procdb_backend_set_rules(source->backend, decide, data);
}

void procdb_apply_source_set_backend(ProcdbApplySource *source, ProcdbBackend *backend)
{
	if (source->backend)
		procdb_backend_request_events(source->backend, NULL);
	stop_polling(source);
	source->backend = backend;
	if (backend)
		procdb_backend_set_rules(backend, source->decide, source->decide_data);
	procdb_apply_source_settings_changed(source);
}

gboolean procdb_apply_source_ask_again(ProcdbApplySource *source)
{
	const guint64 refused = procdb_apply_count(source->apply, PROCDB_APPLY_REFUSED_LIMIT);
	gboolean listed = TRUE, more = TRUE;

	/* They are from before tasks were changed again, and all tasks are asked about now. */
	if (source->resting && source->polled.fd >= 0)
		fetch(source, FALSE);
	/*
	 * Tasks that have their slice by now send no event again; those that are left alone do
	 * each time, and a round of nothing else is the last.
	 */
	for (guint round = 0; source->backend && round < ASK_ROUNDS && listed && more; round++) {
		const guint64 before = changed_so_far(source);

		listed = procdb_backend_ask_again(source->backend);
		more = listed && take(source, FALSE) >= ASKED_MANY &&
		       changed_so_far(source) > before &&
		       procdb_apply_count(source->apply, PROCDB_APPLY_REFUSED_LIMIT) == refused;
	}
	poll_now(source);
	/* What this lost itself is asked about when anything else is. */
	source->missed = missed_so_far(source);
	source->unfinished =
	    !listed || more ||
	    procdb_apply_count(source->apply, PROCDB_APPLY_REFUSED_LIMIT) > refused;
	return !source->unfinished;
}

gboolean procdb_apply_source_is_unfinished(const ProcdbApplySource *source)
{
	return source->unfinished;
}
