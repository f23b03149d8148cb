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
#include "interface.h"

/* Names that one ProfilesChanged lists. */
#define PROCDB_MAX_NAMES_OUT 256
/* Sentences that ConfigurationProblems lists at most. */
#define PROCDB_MAX_PROBLEMS 64

/* What the object asks of the composition (daemon.c). */
typedef struct {
	/*
	 * Reads the configuration again and puts it in force. FALSE with error
	 * set when everything stays as it was.
	 */
	gboolean (*reconfigure)(gpointer user_data, GError **error);
	/* Observes with another backend from now on, until the next start. */
	gboolean (*set_backend)(gpointer user_data, const char *backend, GError **error);
	/* Applies predictions in another mode from now on, until the next start. */
	gboolean (*set_apply)(gpointer user_data, const char *mode, GError **error);
	/* What was applied; NULL where nothing can be. */
	const ProcdbApply *(*apply)(gpointer user_data);
	/* What is wrong with the configuration, as it was last read; NULL at the end. */
	const char *const *(*problems)(gpointer user_data);
} ProcdbHost;

typedef struct _ProcdbObject ProcdbObject;

/* An object for this engine; engine and host have to outlive it. */
ProcdbObject *procdb_object_new(ProcdbEngine *engine, const ProcdbHost *host, gpointer user_data);
void procdb_object_free(ProcdbObject *object);

/*
 * Puts it on a bus, behind a gate that asks this authority; both stay the caller's. FALSE
 * with error set when that fails.
 */
gboolean procdb_object_export(ProcdbObject *self, sd_bus *bus, const ProcdbAuthority *authority,
			      gpointer authority_self, GError **error);
/* Takes it from there: calls that wait are denied, and others not answered any more. */
void procdb_object_unexport(ProcdbObject *object);
/* The gate, while it is exported; else NULL. The object's own. */
ProcdbGate *procdb_object_gate(ProcdbObject *object);

/* To be called when the host changed the settings by itself. */
void procdb_object_settings_changed(ProcdbObject *object);
