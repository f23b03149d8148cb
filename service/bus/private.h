/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

/* The state that the files of the object share. */

#include "broadcast.h"
#include "holds.h"
#include "object.h"
#include "properties.h"
#include "rows.h"
#include "scripts.h"
#include "vtable.h"

/* For how long a list of tasks is used. */
#define PROCDB_TASKS_US G_USEC_PER_SEC
/* The estimated bytes of an answer, beside its rows if it has some. */
#define PROCDB_SMALL_ANSWER ((gsize)1024)
/* The estimated bytes of a row of named values. */
#define PROCDB_ROW_SIZE ((gsize)1536)

struct _ProcdbObject {
	ProcdbEngine *engine;
	const ProcdbHost *host;
	gpointer host_data;
	ProcdbVtable *vtable;
	char *introspection;
	ProcdbProperties properties;
	gboolean properties_old; /* the engine may have changed since they were read */
	ProcdbProperties announced;
	gint64 announced_us; /* monotonic: the last PropertiesChanged */
	gboolean problems_untold;
	ProcdbNames *names; /* cached for ListProfiles until the engine changes */
	GPtrArray *savers;  /* struct saver of savers.c: calls that wait for a save */
	ProcdbHolds *holds;
	ProcdbScriptReader *scripts;
	GArray *tasks;		    /* struct procdb_task_row, cached for a second; NULL: none */
	gint64 tasks_us;	    /* monotonic: when they were listed, or could not be */
	GError *tasks_error;	    /* why not, that time; NULL: they were */
	guint tasks_len;	    /* how many there were when they were last listed */
	ProcdbCaller *trial_caller; /* the trial ends when it leaves the bus; NULL: none runs */
	gulong trial_gone;	    /* id of the watch of it */
	/* Set while the object is exported. */
	sd_bus *bus;
	ProcdbGate *gate;
	ProcdbBroadcast *broadcast;
	sd_bus_slot *object_slot;
	sd_bus_slot *vtable_slot;
};

/* savers.c */

/* How many calls of a user wait for a save. */
guint procdb_object_waiting(ProcdbObject *object, guint32 uid);
/* Requests a save, and answers a call when it has ended: of type as struct saver has it. */
int procdb_object_wait_for_save(ProcdbObject *object, sd_bus_message *call, char type, guint number,
				void (*request)(ProcdbEngine *engine, ProcdbEngineSaved func,
						gpointer user_data));
/* Answers when the change is in the file, or with the error; frees the error. */
int procdb_object_reply_when_saved(ProcdbObject *object, sd_bus_message *call, char type,
				   guint number, GError *error);
/* Detaches the calls that wait for a save; they are answered without the object. */
void procdb_object_detach_savers(ProcdbObject *object);

/* reading.c, holding.c, overrides.c and programs.c: handlers, as in handlers.h */

int procdb_object_get_profile(ProcdbObject *object, sd_bus_message *call);
int procdb_object_query_profiles(ProcdbObject *object, sd_bus_message *call);
int procdb_object_query_columns(ProcdbObject *object, sd_bus_message *call);
int procdb_object_list_tasks(ProcdbObject *object, sd_bus_message *call);
int procdb_object_get_profile_of_pid(ProcdbObject *object, sd_bus_message *call);
int procdb_object_hold(ProcdbObject *object, sd_bus_message *call);
int procdb_object_release_hold(ProcdbObject *object, sd_bus_message *call);
int procdb_object_set_override_for(ProcdbObject *object, sd_bus_message *call);
int procdb_object_clear_override_for(ProcdbObject *object, sd_bus_message *call);
int procdb_object_list_overrides(ProcdbObject *object, sd_bus_message *call);
int procdb_object_import_programs(ProcdbObject *object, sd_bus_message *call);
/* Tells the host that there are other overrides by program and unit. */
void procdb_object_rules_changed(ProcdbObject *object);
/* The estimated bytes of the answer to a call of QueryProfiles or ListTasks. */
gsize procdb_object_rows_size(ProcdbObject *object, sd_bus_message *call, gsize all);
/* The same of QueryColumns. */
gsize procdb_object_columns_size(ProcdbObject *object, sd_bus_message *call);

/* trials.c */

/* The trial ends with the connection of its caller, and with that of the service. */
void procdb_object_leave_trial(ProcdbObject *object);

/* announce.c */

/* The trial that runs or ran last; none where there are none. */
void procdb_object_trial_status(ProcdbObject *object, ProcdbTrialStatus *status);

/* The status of the apply layer; mode none where there is none. */
void procdb_object_apply_status(ProcdbObject *object, ProcdbApplyStatus *status);
/* Reads the properties again if the engine may have changed since. */
void procdb_object_refresh(ProcdbObject *object);
/* Emits PropertiesChanged for those properties that changed and whose annotation says so. */
void procdb_object_announce(ProcdbObject *object);
/* Call it after a request changed the engine. PropertiesChanged is sent once a second at most. */
void procdb_object_changed(ProcdbObject *object);
/* Sends ProfilesChanged to callers that may list profiles; a broadcast would show names to all. */
void procdb_object_emit_profiles_changed(ProcdbObject *object, const GArray *changed,
					 const GArray *removed);
