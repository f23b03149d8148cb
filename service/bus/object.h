/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

/*
 * The object on the bus: decodes, calls the engine, replies. A method is handled only for
 * a call that passed the gate.
 */

#include "apply.h"
#include "engine.h"
#include "gate.h"
#include "guard.h"
#include "history.h"
#include "interface.h"
#include "trial.h"

/* Names that one ProfilesChanged lists. */
#define PROCDB_MAX_NAMES_OUT 256
/* Sentences that ConfigurationProblems lists at most. */
#define PROCDB_MAX_PROBLEMS 64

/* The functions that the composition (daemon.c) offers to the object. */
typedef struct {
	/* Reads the configuration again and applies it. FALSE with error set: nothing changed. */
	gboolean (*reconfigure)(gpointer user_data, GError **error);
	/* Changes the backend until the configuration is read again. */
	gboolean (*set_backend)(gpointer user_data, const char *backend, GError **error);
	/* Changes the mode of applying predictions until the configuration is read again. */
	gboolean (*set_apply)(gpointer user_data, const char *mode, GError **error);
	/* The apply layer; NULL where there is none. */
	const ProcdbApply *(*apply)(gpointer user_data);
	/*
	 * Appends the tasks that run (struct procdb_task_row); FALSE with error set when the kernel
	 * does not list them. May be NULL.
	 */
	gboolean (*list_tasks)(gpointer user_data, GArray *tasks, GError **error);
	/* How long tasks have waited (delays.h). The members from here on may be NULL. */
	gboolean (*delays)(gpointer user_data, struct procdb_delays *sum, GError **error);
	/* Begins a trial of so many seconds; ends it. */
	gboolean (*start_trial)(gpointer user_data, guint seconds, GError **error);
	void (*stop_trial)(gpointer user_data, const char *reason);
	/* The trial that runs, or ran last. */
	void (*trial)(gpointer user_data, ProcdbTrialStatus *status);
	void (*guard)(gpointer user_data, ProcdbGuardStatus *status);
	/* How long tasks waited in the last hour. */
	const struct procdb_history *(*history)(gpointer user_data);
	/* Overrides by program or unit were set, cleared or loaded. */
	void (*rules_changed)(gpointer user_data);
	/* The problems that the last read of the configuration found; NULL-terminated. */
	const char *const *(*problems)(gpointer user_data);
} ProcdbHost;

typedef struct _ProcdbObject ProcdbObject;

/* Makes an object for this engine; engine and host must outlive it. */
ProcdbObject *procdb_object_new(ProcdbEngine *engine, const ProcdbHost *host, gpointer user_data);
void procdb_object_free(ProcdbObject *object);

/*
 * Exports the object on a bus, behind a gate that asks this authority. The caller owns bus and
 * authority. FALSE with error set when the bus refuses.
 */
gboolean procdb_object_export(ProcdbObject *self, sd_bus *bus, const ProcdbAuthority *authority,
			      gpointer authority_self, GError **error);
/* Removes the object from the bus. Waiting calls are denied, later ones get no answer. */
void procdb_object_unexport(ProcdbObject *object);
/* The gate while the object is exported, else NULL. Owned by the object. */
ProcdbGate *procdb_object_gate(ProcdbObject *object);

/* Call it after each message that sd-bus handled, with the µs of CPU time that it took. */
void procdb_object_handled(ProcdbObject *object, gint64 us);
/* Call it when a trial began, got on or ended. */
void procdb_object_trial_changed(ProcdbObject *object);
/* The same when the guard has another state. */
void procdb_object_guard_changed(ProcdbObject *object);

/* Call it when the host changed the settings without a call on the bus. */
void procdb_object_settings_changed(ProcdbObject *object);
