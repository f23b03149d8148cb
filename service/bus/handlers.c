/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include "handlers.h"

#include "errors.h"
#include "name.h"
#include "private.h"
#include "trials.h"

/* Puts the name in front of an error that is about it. */
static void say_name(GError **error, const char *name)
{
	if (g_error_matches(*error, PROCDB_BUS_ERROR, PROCDB_BUS_ERROR_INVALID_NAME) ||
	    g_error_matches(*error, PROCDB_ENGINE_ERROR, PROCDB_ENGINE_ERROR_NO_SUCH_PROFILE))
		procdb_name_blame(error, name);
}

static const struct procdb_entry *find(ProcdbObject *self, const char *name, GError **error)
{
	const struct procdb_entry *entry = NULL;
	struct procdb_comm comm;

	if (procdb_name_unescape(name, &comm, error))
		entry = procdb_engine_find(self->engine, &comm, error);
	if (!entry)
		say_name(error, name);
	return entry;
}

/* Answers with the array of all profiles that append() writes; whole: of records. */
static int reply_all(ProcdbObject *self, sd_bus_message *call, gboolean whole,
		     int (*append)(sd_bus_message *message, ProcdbEngine *engine,
				   const ProcdbNames *names))
{
	sd_bus_message *reply = NULL;
	GError *error = NULL;
	int result;

	if (!procdb_rows_fit(self->engine, whole, &error))
		return procdb_bus_reply_error(call, error);
	if (!self->names)
		self->names = procdb_names_new(self->engine);
	result = sd_bus_message_new_method_return(call, &reply);
	if (result >= 0)
		result = append(reply, self->engine, self->names);
	return procdb_bus_send_reply(reply, result);
}

static int list_profiles(ProcdbObject *self, sd_bus_message *call)
{
	return reply_all(self, call, FALSE, procdb_rows_append);
}

static int export_profiles(ProcdbObject *self, sd_bus_message *call)
{
	return reply_all(self, call, TRUE, procdb_records_append);
}

static int explain(ProcdbObject *self, sd_bus_message *call)
{
	const struct procdb_entry *entry;
	sd_bus_message *reply = NULL;
	GError *error = NULL;
	const char *name;
	int result = sd_bus_message_read(call, "s", &name);

	if (result < 0)
		return result;
	entry = find(self, name, &error);
	if (!entry)
		return procdb_bus_reply_error(call, error);
	result = sd_bus_message_new_method_return(call, &reply);
	if (result >= 0)
		result = procdb_explanation_append(reply, self->engine, entry);
	return procdb_bus_send_reply(reply, result);
}

static int get_confidence(ProcdbObject *self, sd_bus_message *call)
{
	const struct procdb_rules *rules = &procdb_engine_settings(self->engine)->rules;
	const struct procdb_entry *entry;
	GError *error = NULL;
	const char *name;
	int result = sd_bus_message_read(call, "s", &name);

	if (result < 0)
		return result;
	entry = find(self, name, &error);
	if (!entry)
		return procdb_bus_reply_error(call, error);
	return sd_bus_reply_method_return(call, "d",
					  procdb_profile_confidence(&entry->profile, rules));
}

static int delete_profile(ProcdbObject *self, sd_bus_message *call)
{
	GError *error = NULL;
	struct procdb_comm comm;
	const char *name;
	int result = sd_bus_message_read(call, "s", &name);

	if (result < 0)
		return result;
	if (procdb_name_unescape(name, &comm, &error))
		procdb_engine_delete(self->engine, &comm, 1, NULL, &error);
	say_name(&error, name);
	return procdb_object_reply_when_saved(self, call, 0, 0, error);
}

/* Names the wrong one of several names in the error. */
static int read_names(ProcdbObject *self, sd_bus_message *call, GArray *comms, GError **error)
{
	const char *name;
	int result = sd_bus_message_enter_container(call, 'a', "s");

	while (result >= 0 && (result = sd_bus_message_read_basic(call, 's', &name)) > 0) {
		const struct procdb_entry *entry;

		if (comms->len == PROCDB_MAX_NAMES_IN) {
			g_set_error(error, PROCDB_BUS_ERROR, PROCDB_BUS_ERROR_LIMIT_EXCEEDED,
				    "At most %d names can be deleted in one call",
				    PROCDB_MAX_NAMES_IN);
			return 0;
		}
		entry = find(self, name, error);
		if (!entry)
			return 0;
		g_array_append_val(comms, entry->comm);
	}
	return result;
}

static int delete_profiles(ProcdbObject *self, sd_bus_message *call)
{
	g_autoptr(GArray) comms = g_array_new(FALSE, FALSE, sizeof(struct procdb_comm));
	GError *error = NULL;
	guint deleted = 0;
	int result = read_names(self, call, comms, &error);

	if (result < 0)
		return result;
	if (!error)
		procdb_engine_delete(self->engine, (const struct procdb_comm *)comms->data,
				     comms->len, &deleted, &error);
	return procdb_object_reply_when_saved(self, call, 'u', deleted, error);
}

static int reset(ProcdbObject *self, sd_bus_message *call)
{
	return procdb_object_reply_when_saved(self, call, 'u', procdb_engine_reset(self->engine),
					      NULL);
}

/*
 * Calls of a user that wait for a save, each with a copy of itself; of changes, which wait too,
 * there are few.
 */
#define MAX_WAITING 1024

static int save(ProcdbObject *self, sd_bus_message *call)
{
	if (procdb_object_waiting(self, procdb_gate_caller(self->gate, call)->uid) >= MAX_WAITING)
		return procdb_bus_reply_error(
		    call,
		    g_error_new_literal(PROCDB_BUS_ERROR, PROCDB_BUS_ERROR_LIMIT_EXCEEDED,
					"Too many of your calls wait for a save; try again later"));
	return procdb_object_wait_for_save(self, call, 's', 0, procdb_engine_request_save);
}

static int reload(ProcdbObject *self, sd_bus_message *call)
{
	GError *error = NULL;

	self->host->reconfigure(self->host_data, &error);
	g_clear_error(&self->tasks_error);
	procdb_object_settings_changed(self);
	return procdb_bus_reply_number(
	    call, (guint)procdb_table_size(procdb_engine_table(self->engine)), error);
}

static int load_database(ProcdbObject *self, sd_bus_message *call)
{
	GError *error = NULL;
	guint loaded = 0;

	procdb_engine_reload(self->engine, &loaded, &error);
	procdb_object_rules_changed(self);
	procdb_object_changed(self);
	return procdb_bus_reply_number(call, loaded, error);
}

static int import(ProcdbObject *self, sd_bus_message *call)
{
	g_autoptr(GArray) records = g_array_new(FALSE, FALSE, sizeof(struct procdb_record));
	GError *error = NULL;
	int replace = FALSE, result = 0;

	if (procdb_rows_read(call, FALSE, records, &error))
		result = sd_bus_message_read(call, "b", &replace);
	if (result < 0)
		return result;
	if (!error)
		procdb_engine_import(self->engine, records, replace, FALSE, &error);
	return procdb_object_reply_when_saved(self, call, 'u', records->len, error);
}

static int import_profiles(ProcdbObject *self, sd_bus_message *call)
{
	g_autoptr(GArray) records = g_array_new(FALSE, FALSE, sizeof(struct procdb_record));
	int replace = FALSE, merge = FALSE, result = 0;
	GError *error = NULL;

	if (procdb_rows_read(call, TRUE, records, &error))
		result = sd_bus_message_read(call, "bb", &replace, &merge);
	if (result < 0)
		return result;
	if (!error)
		procdb_engine_import(self->engine, records, replace, merge, &error);
	return procdb_object_reply_when_saved(self, call, 'u', records->len, error);
}

static int import_prior(ProcdbObject *self, sd_bus_message *call)
{
	g_autoptr(GArray) records = g_array_new(FALSE, FALSE, sizeof(struct procdb_record));
	GError *error = NULL;

	if (procdb_rows_read(call, TRUE, records, &error)) {
		for (guint i = 0; i < records->len; i++)
			procdb_profile_of_farm(
			    &g_array_index(records, struct procdb_record, i).profile);
		procdb_engine_import(self->engine, records, FALSE, TRUE, &error);
	}
	return procdb_object_reply_when_saved(self, call, 'u', records->len, error);
}

/* Calls a function of the host with the one argument. */
static int set_by_host(ProcdbObject *self, sd_bus_message *call,
		       gboolean (*set)(gpointer user_data, const char *value, GError **error))
{
	GError *error = NULL;
	const char *value;
	int result = sd_bus_message_read(call, "s", &value);

	if (result < 0)
		return result;
	set(self->host_data, value, &error);
	procdb_object_changed(self);
	return procdb_bus_reply_nothing(call, error);
}

static int set_backend(ProcdbObject *self, sd_bus_message *call)
{
	/* Another one may let tasks be listed. */
	g_clear_error(&self->tasks_error);
	return set_by_host(self, call, self->host->set_backend);
}

static int set_apply(ProcdbObject *self, sd_bus_message *call)
{
	return set_by_host(self, call, self->host->set_apply);
}

static int override(ProcdbObject *self, sd_bus_message *call, const char *name, guint8 tier)
{
	GError *error = NULL;
	struct procdb_comm comm;

	if (procdb_name_unescape(name, &comm, &error) &&
	    (tier == PROCDB_NO_OVERRIDE || procdb_name_can_match(&comm, &error)))
		procdb_engine_override(self->engine, &comm, tier, &error);
	say_name(&error, name);
	return procdb_object_reply_when_saved(self, call, 0, 0, error);
}

static int set_override(ProcdbObject *self, sd_bus_message *call)
{
	enum procdb_tier tier;
	const char *name, *tier_name;
	GError *error = NULL;
	int result = sd_bus_message_read(call, "ss", &name, &tier_name);

	if (result < 0)
		return result;
	if (procdb_name_read_tier(tier_name, &tier, &error))
		return override(self, call, name, (guint8)tier);
	return procdb_bus_reply_error(call, error);
}

static int clear_override(ProcdbObject *self, sd_bus_message *call)
{
	const char *name;
	int result = sd_bus_message_read(call, "s", &name);

	return result < 0 ? result : override(self, call, name, PROCDB_NO_OVERRIDE);
}

ProcdbHandler procdb_handler_find(const char *method, gboolean *reads)
{
	static const struct {
		const char *method;
		ProcdbHandler handler;
		gboolean reads;
	} handlers[] = {
	    {"ListProfiles", list_profiles, TRUE},
	    {"GetProfile", procdb_object_get_profile, TRUE},
	    {"GetConfidence", get_confidence, TRUE},
	    {"Explain", explain, TRUE},
	    {"DeleteProfile", delete_profile},
	    {"DeleteProfiles", delete_profiles},
	    {"Reset", reset},
	    {"Save", save},
	    {"Reload", reload},
	    {"LoadDatabase", load_database},
	    {"Import", import},
	    {"ExportProfiles", export_profiles, TRUE},
	    {"ImportProfiles", import_profiles},
	    {"ImportPrior", import_prior},
	    {"ImportPrograms", procdb_object_import_programs},
	    {"SetBackend", set_backend},
	    {"SetApply", set_apply},
	    {"SetOverride", set_override},
	    {"ClearOverride", clear_override},
	    {"SetOverrideFor", procdb_object_set_override_for},
	    {"ClearOverrideFor", procdb_object_clear_override_for},
	    {"ListOverrides", procdb_object_list_overrides, TRUE},
	    {"QueryProfiles", procdb_object_query_profiles, TRUE},
	    {"QueryColumns", procdb_object_query_columns, TRUE},
	    {"ListTasks", procdb_object_list_tasks, TRUE},
	    {"GetProfileOfPid", procdb_object_get_profile_of_pid, TRUE},
	    {"Hold", procdb_object_hold},
	    {"ReleaseHold", procdb_object_release_hold},
	    {"GetDelays", procdb_handle_get_delays, TRUE},
	    {"GetHistory", procdb_handle_get_history, TRUE},
	    {"GetTrial", procdb_handle_get_trial, TRUE},
	    {"StartTrial", procdb_handle_start_trial},
	    {"StopTrial", procdb_handle_stop_trial},
	};

	for (gsize i = 0; i < G_N_ELEMENTS(handlers); i++) {
		if (!g_str_equal(handlers[i].method, method))
			continue;
		*reads = handlers[i].reads;
		return handlers[i].handler;
	}
	return NULL;
}
