/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include "backend-ops.h"
#include "backends.h"
#include "pins.h"

typedef struct {
	ProcdbBackend base;
	gboolean pinned;		 /* whether the pinned backend is chosen */
	ProcdbPinsId pins;		 /* at the time of the choice */
	gboolean foreign;		 /* another program pinned them */
	gboolean abandoned;		 /* that program was killed */
	guint check_in;			 /* refreshes until abandoned is checked again */
	ProcdbSurvey *survey;		 /* for that check; NULL before the first */
	ProcdbObserverSettings settings; /* a copy */
} Auto;

static Auto *automatic(ProcdbBackend *backend)
{
	return (Auto *)backend;
}

/*
 * Finds out which program made the pins. The maps of a scheduler that was killed are pinned still,
 * but get no observations. Another scheduler may take them over, so the check is repeated.
 */
static void check_scheduler(Auto *self)
{
	self->check_in = PROCDB_PINS_CHECK_TICKS;
	self->foreign = procdb_pins_owner() == PROCDB_PINS_FOREIGN;
	self->abandoned = self->foreign && procdb_pins_are_abandoned(&self->survey, 0);
}

/* Chooses the backend for the present pins. FALSE when it is chosen already. */
static gboolean choose(Auto *self)
{
	gboolean pinned = self->foreign && !self->abandoned;

	if (self->base.chosen && pinned == self->pinned)
		return FALSE;
	self->pinned = pinned;
	procdb_backend_choose(&self->base, pinned ? procdb_backend_pinned_new()
						  : procdb_backend_observer_new(&self->settings));
	return TRUE;
}

/* Whether the pins are others than at the choice. An active backend has identified them already. */
static gboolean pins_changed(Auto *self)
{
	const ProcdbPinsId *seen = self->pinned ? procdb_backend_pinned_pins(self->base.chosen)
						: procdb_backend_observer_pins(self->base.chosen);
	gboolean changed;

	if (!seen)
		return procdb_pins_changed(&self->pins);
	changed = !procdb_pins_equal(seen, &self->pins);
	self->pins = *seen;
	return changed;
}

static gboolean auto_refresh(ProcdbBackend *backend)
{
	Auto *self = automatic(backend);
	gboolean others = procdb_backend_refresh(backend->chosen);

	if (pins_changed(self)) {
		check_scheduler(self);
	} else if (self->pinned) {
		/* The pinned backend checks itself: it knows how many descriptors it has. */
		self->abandoned = procdb_backend_pinned_is_abandoned(backend->chosen);
	} else if (self->foreign) {
		if (self->check_in == 0)
			check_scheduler(self);
		else
			self->check_in--;
	}
	if (choose(self))
		others = procdb_backend_refresh(backend->chosen);
	return others;
}

static void auto_status(ProcdbBackend *backend, ProcdbBackendStatus *status)
{
	procdb_backend_status(backend->chosen, status);
}

static void auto_close(ProcdbBackend *backend)
{
	Auto *self = automatic(backend);

	procdb_backend_choose(backend, NULL);
	procdb_observer_settings_clear(&self->settings);
	g_clear_pointer(&self->survey, procdb_survey_free);
	g_free(self);
}

ProcdbBackend *procdb_backend_auto_new(const ProcdbObserverSettings *settings)
{
	static const ProcdbBackendOps ops = {
	    .refresh = auto_refresh,
	    .status = auto_status,
	    .close = auto_close,
	};
	Auto *self = g_new0(Auto, 1);

	self->base.ops = &ops;
	procdb_observer_settings_copy(&self->settings, settings);
	self->pins = procdb_pins_identify();
	check_scheduler(self);
	choose(self);
	return &self->base;
}
