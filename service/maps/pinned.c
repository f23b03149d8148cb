/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include "backends.h"
#include "pair.h"
#include "pins.h"
#include "state.h"

typedef struct {
	ProcdbMaps base;
	ProcdbPair pair;
	ProcdbPinsId pins; /* as last seen; while pair is open, those that it was opened from */
	ProcdbMapsState state;
} Pinned;

static Pinned *pinned(ProcdbMaps *maps)
{
	return (Pinned *)maps;
}

static void set_state(Pinned *self, const char *token, const GError *reason)
{
	procdb_maps_state_set(&self->state, token, reason ? reason->message : NULL, NULL);
}

static gboolean pinned_refresh(ProcdbMaps *maps)
{
	Pinned *self = pinned(maps);
	gboolean moved = procdb_pins_moved(&self->pins);
	g_autoptr(GError) error = NULL;
	int observe_fd, init_fd;
	guint capacity;

	if (procdb_pair_is_open(&self->pair) && !moved)
		return FALSE;

	/* A scheduler that restarts pins new maps: the old ones work and stay empty for ever. */
	procdb_pair_close(&self->pair);
	if (!procdb_pins_present(&self->pins)) {
		if (procdb_pins_check_folder(&error))
			set_state(self, "waiting", NULL);
		else
			set_state(self, "failed", error);
		return FALSE;
	}
	if (!procdb_pins_open(&observe_fd, &init_fd, &capacity, &error)) {
		set_state(self, "failed", error);
		return FALSE;
	}
	/* Replaced while we opened them: the next refresh sees that. */
	procdb_pair_open(&self->pair, observe_fd, init_fd, capacity);
	set_state(self, "active", NULL);
	return TRUE;
}

static gboolean pinned_drain(ProcdbMaps *maps, GArray *seen, GError **error)
{
	return procdb_pair_drain(&pinned(maps)->pair, seen, error);
}

static gboolean pinned_publish(ProcdbMaps *maps, const struct procdb_comm *comms,
			       const struct procdb_class *classes, guint n, guint *done,
			       GError **error)
{
	return procdb_pair_publish(&pinned(maps)->pair, comms, classes, n, done, error);
}

static gboolean pinned_retract(ProcdbMaps *maps, const struct procdb_comm *comms, guint n,
			       GError **error)
{
	return procdb_pair_retract(&pinned(maps)->pair, comms, n, error);
}

static gboolean pinned_predictions(ProcdbMaps *maps, GArray *entries, GError **error)
{
	return procdb_pair_predictions(&pinned(maps)->pair, entries, error);
}

static gboolean pinned_lookup(ProcdbMaps *maps, const struct procdb_comm *comm,
			      struct procdb_class *prediction)
{
	return procdb_pair_lookup(&pinned(maps)->pair, comm, prediction);
}

static void pinned_status(ProcdbMaps *maps, ProcdbMapsStatus *status)
{
	*status = (ProcdbMapsStatus){
	    .backend = "pinned",
	    .in_use = procdb_pair_is_open(&pinned(maps)->pair) ? "pinned" : "",
	    .errors = pinned(maps)->pair.errors,
	    .init_capacity = pinned(maps)->pair.init_capacity,
	};
	procdb_maps_state_report(&pinned(maps)->state, status);
}

static void pinned_close(ProcdbMaps *maps)
{
	Pinned *self = pinned(maps);

	procdb_pair_clear(&self->pair);
	procdb_maps_state_clear(&self->state);
	g_free(self);
}

const ProcdbPinsId *procdb_maps_pinned_pins(ProcdbMaps *maps)
{
	return procdb_pair_is_open(&pinned(maps)->pair) ? &pinned(maps)->pins : NULL;
}

ProcdbMaps *procdb_maps_pinned_new(void)
{
	static const ProcdbMapsOps ops = {
	    .refresh = pinned_refresh,
	    .drain = pinned_drain,
	    .publish = pinned_publish,
	    .retract = pinned_retract,
	    .predictions = pinned_predictions,
	    .lookup = pinned_lookup,
	    .status = pinned_status,
	    .close = pinned_close,
	};
	Pinned *self = g_new0(Pinned, 1);

	self->base.ops = &ops;
	procdb_pair_init(&self->pair);
	set_state(self, "waiting", NULL);
	return &self->base;
}
