/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

/*
 * The guard: looks seldom and shortly, by the windows of a trial, whether applying makes
 * latency-critical tasks wait longer, and pauses it where it surely does. docs/proof.md says how,
 * what that costs, and how often it is wrong.
 */

#include "trial.h"

typedef struct _ProcdbGuard ProcdbGuard;

typedef struct {
	ProcdbTrialSettings pair; /* one pair of windows */
	ProcdbTrialSettings look; /* a closer look, which decides */
	guint later_ms;		  /* from one pair to the next, or to the next look for load */
	guint often_ms;		  /* the same while nearly all is left that may be saved up */
	guint sooner_ms; /* the same while the last pairs were worse, and at the beginning */
	/* Of the time, the share that windows without applying may take, and what may be saved up.
	 */
	double share;
	guint saved_ms;
	guint pause_ms;	     /* the first pause; each further one is twice as long */
	guint pause_most_ms; /* at most */
} ProcdbGuardSettings;

/* A pair or two a minute; 3 %; pauses of 10 minutes to a day. */
extern const ProcdbGuardSettings procdb_guard_default_settings;

/* How the guard wants it to be. */
typedef enum {
	PROCDB_GUARD_APPLY,   /* as configured */
	PROCDB_GUARD_WITHOUT, /* not for the second of a window */
	PROCDB_GUARD_PAUSE,   /* not until it is tried again */
} ProcdbGuardWish;

/* What a guard needs of the service. */
typedef struct {
	void (*apply)(gpointer data, ProcdbGuardWish wish);
	/* As of ProcdbTrialHost, whatever the guard wished. */
	const char *(*refusal)(gpointer data);
	gboolean (*delays)(gpointer data, struct procdb_delays *now, GError **error);
	/* The state became another one, or the time at which a pause ends. */
	void (*changed)(gpointer data);
} ProcdbGuardHost;

typedef enum {
	PROCDB_GUARD_OFF,      /* it does not look */
	PROCDB_GUARD_WATCHING, /* as far as it knows, applying does no harm */
	PROCDB_GUARD_LOOKING,  /* it did harm in some pairs: the guard looks closely */
	PROCDB_GUARD_PAUSED,   /* applying harms, and is paused */
} ProcdbGuardState;

typedef struct {
	ProcdbGuardState state;
	guint pauses;	 /* that there were, with the present one */
	gint64 retry_us; /* µs since the epoch: when a pause is looked at again; 0: there is none */
	/* Of the last closer look, and whether slices harm by it: else a pause goes on unproven. */
	struct procdb_comparison found;
	gboolean harms;
} ProcdbGuardStatus;

/* Off. host must outlive the object; data is passed to its functions. */
ProcdbGuard *procdb_guard_new(const ProcdbGuardHost *host, const ProcdbGuardSettings *settings,
			      gpointer data);
/* Applying stays as the guard wished last. */
void procdb_guard_free(ProcdbGuard *guard);
/* Takes no windows any more, for the service ends. A pause stays one. */
void procdb_guard_quit(ProcdbGuard *guard);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ProcdbGuard, procdb_guard_free)

/*
 * Switches it on or off, and begins anew: what was seen under other settings, and a pause, are
 * forgotten.
 */
void procdb_guard_configure(ProcdbGuard *guard, gboolean on);

/*
 * A trial of a caller begins (TRUE): the guard takes no windows, and lifts its pause. Or it has
 * ended, and the guard goes on where it was.
 */
void procdb_guard_hold(ProcdbGuard *guard, gboolean held);

void procdb_guard_status(const ProcdbGuard *guard, ProcdbGuardStatus *status);
/* "off", "watching", "looking" or "paused". */
const char *procdb_guard_state_name(ProcdbGuardState state);
