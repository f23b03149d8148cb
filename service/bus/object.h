/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

/*
 * The object on the bus: decodes, calls the engine, replies. Every method call
 * passes the authorizer before its handler runs.
 */

#include "apply.h"
#include "authorizer.h"
#include "engine.h"
#include "procdb-dbus.h"

#define PROCDB_BUS_NAME "org.pandemonium.ProcDb"
#define PROCDB_BUS_PATH "/org/pandemonium/ProcDb"
/* Goes up when something is added to the interface. */
#define PROCDB_API_VERSION 2
/* Names that one DeleteProfiles may hold, and that one ProfilesChanged lists. */
#define PROCDB_MAX_NAMES_IN 4096
#define PROCDB_MAX_NAMES_OUT 256
/* Sentences that ConfigurationProblems lists at most. */
#define PROCDB_MAX_PROBLEMS 64

#define PROCDB_TYPE_OBJECT (procdb_object_get_type())
G_DECLARE_FINAL_TYPE(ProcdbObject, procdb_object, PROCDB, OBJECT, ProcdbDBusProcDb1Skeleton)

/* What the object asks of whoever put the service together. */
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

/* An object for this engine; engine and host have to outlive it. To be exported by the caller. */
ProcdbObject *procdb_object_new(ProcdbEngine *engine, const ProcdbHost *host, gpointer user_data);

/* Who decides from now on; it stays the caller's. NULL, as at first: nobody may call anything. */
void procdb_object_set_authorizer(ProcdbObject *self, ProcdbAuthorizer *authorizer);

/* To be called when the host changed the settings by itself. */
void procdb_object_settings_changed(ProcdbObject *self);
