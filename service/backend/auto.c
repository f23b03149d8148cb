/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include "backends.h"
#include "pins.h"

typedef struct {
	ProcdbBackend base;
	ProcdbBackend *chosen;
	gboolean pinned;		 /* whether chosen is the pinned backend */
	ProcdbPinsId pins;		 /* what was pinned when we chose */
	gboolean foreign;		 /* by another program */
	gboolean abandoned;		 /* which was killed */
	guint look_in;			 /* refreshes until the next look whether it was */
	ProcdbSurvey *survey;		 /* for that; NULL before the first */
	ProcdbObserverSettings settings; /* its compositors are ours */
	gboolean watching;
	guint64 slices[PROCDB_TIERS];
} Auto;

static Auto *automatic(ProcdbBackend *backend)
{
	return (Auto *)backend;
}

/*
 * Looks whose pins there are. A scheduler that was killed leaves its own, and nothing ever
 * comes from there; another may take them up again.
 */
static void look_for_scheduler(Auto *self)
{
	self->look_in = PROCDB_PINS_LOOK_TICKS;
	self->foreign = procdb_pins_owner() == PROCDB_PINS_FOREIGN;
	self->abandoned = self->foreign && procdb_pins_are_abandoned(&self->survey, 0);
}

/* The backend for what is pinned now. FALSE when it is the one that we have. */
static gboolean choose(Auto *self)
{
	gboolean pinned = self->foreign && !self->abandoned;

	if (self->chosen && pinned == self->pinned)
		return FALSE;
	g_clear_pointer(&self->chosen, procdb_backend_close);
	self->pinned = pinned;
	self->chosen =
	    pinned ? procdb_backend_pinned_new() : procdb_backend_observer_new(&self->settings);
	if (self->watching && self->chosen->ops->watch_tasks)
		self->chosen->ops->watch_tasks(self->chosen, self->slices);
	return TRUE;
}

/* Whether other pins are there than when we chose. A backend in action has looked already. */
static gboolean pins_moved(Auto *self)
{
	const ProcdbPinsId *seen = self->pinned ? procdb_backend_pinned_pins(self->chosen)
						: procdb_backend_observer_pins(self->chosen);
	gboolean moved;

	if (!seen)
		return procdb_pins_moved(&self->pins);
	moved = !procdb_pins_equal(seen, &self->pins);
	self->pins = *seen;
	return moved;
}

static gboolean auto_refresh(ProcdbBackend *backend)
{
	Auto *self = automatic(backend);
	gboolean others = self->chosen->ops->refresh(self->chosen);

	if (pins_moved(self)) {
		look_for_scheduler(self);
	} else if (self->pinned) {
		/* It looks itself, and knows which descriptors are its own. */
		self->abandoned = procdb_backend_pinned_is_abandoned(self->chosen);
	} else if (self->foreign) {
		if (self->look_in == 0)
			look_for_scheduler(self);
		else
			self->look_in--;
	}
	if (choose(self))
		others = self->chosen->ops->refresh(self->chosen);
	return others;
}

static gboolean auto_drain(ProcdbBackend *backend, GArray *seen, GError **error)
{
	ProcdbBackend *chosen = automatic(backend)->chosen;

	return chosen->ops->drain(chosen, seen, error);
}

static gboolean auto_scores(ProcdbBackend *backend, GArray *scores, GError **error)
{
	ProcdbBackend *chosen = automatic(backend)->chosen;

	return !chosen->ops->scores || chosen->ops->scores(chosen, scores, error);
}

static gboolean auto_publish(ProcdbBackend *backend, const struct procdb_comm *comms,
			     const struct procdb_class *classes, guint n, guint *done,
			     GError **error)
{
	ProcdbBackend *chosen = automatic(backend)->chosen;

	return chosen->ops->publish(chosen, comms, classes, n, done, error);
}

static gboolean auto_retract(ProcdbBackend *backend, const struct procdb_comm *comms, guint n,
			     GError **error)
{
	ProcdbBackend *chosen = automatic(backend)->chosen;

	return chosen->ops->retract(chosen, comms, n, error);
}

static gboolean auto_predictions(ProcdbBackend *backend, GArray *entries, GError **error)
{
	ProcdbBackend *chosen = automatic(backend)->chosen;

	return chosen->ops->predictions(chosen, entries, error);
}

static gboolean auto_lookup(ProcdbBackend *backend, const struct procdb_comm *comm,
			    struct procdb_class *prediction)
{
	ProcdbBackend *chosen = automatic(backend)->chosen;

	return chosen->ops->lookup(chosen, comm, prediction);
}

static void auto_watch_tasks(ProcdbBackend *backend, const guint64 *slices)
{
	Auto *self = automatic(backend);

	self->watching = slices != NULL;
	for (guint i = 0; slices && i < PROCDB_TIERS; i++)
		self->slices[i] = slices[i];
	if (self->chosen->ops->watch_tasks)
		self->chosen->ops->watch_tasks(self->chosen, slices);
}

static int auto_tasks_fd(ProcdbBackend *backend)
{
	ProcdbBackend *chosen = automatic(backend)->chosen;

	return chosen->ops->tasks_fd ? chosen->ops->tasks_fd(chosen) : -1;
}

static void auto_take_tasks(ProcdbBackend *backend, GArray *events, gboolean arm)
{
	ProcdbBackend *chosen = automatic(backend)->chosen;

	if (chosen->ops->take_tasks)
		chosen->ops->take_tasks(chosen, events, arm);
}

static void auto_status(ProcdbBackend *backend, ProcdbBackendStatus *status)
{
	ProcdbBackend *chosen = automatic(backend)->chosen;

	chosen->ops->status(chosen, status);
}

static void auto_close(ProcdbBackend *backend)
{
	Auto *self = automatic(backend);

	procdb_backend_close(self->chosen);
	procdb_observer_settings_clear(&self->settings);
	g_clear_pointer(&self->survey, procdb_survey_free);
	g_free(self);
}

ProcdbBackend *procdb_backend_auto_new(const ProcdbObserverSettings *settings)
{
	static const ProcdbBackendOps ops = {
	    .refresh = auto_refresh,
	    .drain = auto_drain,
	    .scores = auto_scores,
	    .publish = auto_publish,
	    .retract = auto_retract,
	    .predictions = auto_predictions,
	    .lookup = auto_lookup,
	    .watch_tasks = auto_watch_tasks,
	    .tasks_fd = auto_tasks_fd,
	    .take_tasks = auto_take_tasks,
	    .status = auto_status,
	    .close = auto_close,
	};
	Auto *self = g_new0(Auto, 1);

	self->base.ops = &ops;
	procdb_observer_settings_copy(&self->settings, settings);
	self->pins = procdb_pins_identify();
	look_for_scheduler(self);
	choose(self);
	return &self->base;
}
