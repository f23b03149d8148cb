/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

/*
 * A trial: applying is switched on and off in short windows next to each other, in an order that
 * is drawn for each two of them, and how long tasks waited with it is compared with how long they
 * waited without. What else changes on the machine meanwhile is in both.
 */

#include <gio/gio.h>

#include "verdict.h"

typedef struct _ProcdbTrial ProcdbTrial;

typedef struct {
	guint seconds;	  /* of the whole trial; 20 to 600 on the bus. At least one pair is taken */
	guint window_ms;  /* that is measured */
	guint settle_ms;  /* before that, after a switch: until tasks run with what they have now */
	double certainty; /* of each interval, as 0.99 */
} ProcdbTrialSettings;

/* 60 seconds; windows of 1 s after 0.2 s; 0.99. */
extern const ProcdbTrialSettings procdb_trial_default_settings;
#define PROCDB_TRIAL_SECONDS_MIN 20
#define PROCDB_TRIAL_SECONDS_MAX 600

/* What a trial needs of the service. */
typedef struct {
	/* Applies or does not, whatever is configured, until restore(). */
	void (*apply)(gpointer data, gboolean on);
	/* Applying is as it is configured again. Called at the end of each trial. */
	void (*restore)(gpointer data);
	/* Why nothing can be applied now, as a clause; NULL when it is applied. */
	const char *(*refusal)(gpointer data);
	/* As procdb_backend_delays(). */
	gboolean (*delays)(gpointer data, struct procdb_delays *now, GError **error);
	/* The trial began, ended, or got on. Must not start the next one. */
	void (*changed)(gpointer data);
} ProcdbTrialHost;

typedef enum {
	PROCDB_TRIAL_NONE,    /* there was none yet */
	PROCDB_TRIAL_RUNNING, /* one runs */
	PROCDB_TRIAL_DONE,    /* the last one is complete */
	PROCDB_TRIAL_ENDED,   /* the last one ended early: the reason says why */
} ProcdbTrialState;

typedef struct {
	ProcdbTrialState state;
	const char *reason; /* "" unless it ended early */
	guint seconds;	    /* that it was to take */
	guint percent;	    /* of it that is over */
	/* Once it has ended; the effect is unknown unless it is complete. */
	struct procdb_comparison comparison;
	/* What was compared: there while it runs, and in the last changed(). */
	const struct procdb_pair *pairs;
} ProcdbTrialStatus;

/* host must outlive the object; data is passed to its functions. */
ProcdbTrial *procdb_trial_new(const ProcdbTrialHost *host, gpointer data);
/* Ends a trial that runs, and frees. */
void procdb_trial_free(ProcdbTrial *trial);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ProcdbTrial, procdb_trial_free)

/*
 * Begins a trial in the main loop. FALSE with error set: G_IO_ERROR_BUSY while one runs,
 * G_IO_ERROR_NOT_SUPPORTED where nothing can be applied or nothing is counted.
 */
gboolean procdb_trial_start(ProcdbTrial *trial, const ProcdbTrialSettings *settings,
			    GError **error);
/* Ends the trial that runs, if one does, for this reason (static). */
void procdb_trial_stop(ProcdbTrial *trial, const char *reason);

/* reason and what the comparison points to are valid until the next call. */
void procdb_trial_status(const ProcdbTrial *trial, ProcdbTrialStatus *status);
/* "none", "running", "done" or "ended". */
const char *procdb_trial_state_name(ProcdbTrialState state);
