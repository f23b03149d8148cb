/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include "object.h"

#include <string.h>

#include "authorizer.h"
#include "errors.h"
#include "handlers.h"
#include "private.h"
#include "vtable.h"

/* Estimated bytes of the answers of GetAll and Introspect. */
#define LARGE_ANSWER ((gsize)16384)
/* Tasks of a machine of which they were not counted yet. */
#define TASKS 512

static const char *const *problems(const ProcdbObject *self)
{
	static const char *const none[] = {NULL};

	return self->host->problems ? self->host->problems(self->host_data) : none;
}

/* Reads the properties that are not in ProcdbProperties. */
static int get_made(sd_bus *bus, const char *path, const char *interface, const char *property,
		    sd_bus_message *reply, void *data, sd_bus_error *error)
{
	ProcdbObject *self = data;
	ProcdbEngineStatus status;
	ProcdbApplyStatus apply;

	if (g_str_equal(property, "ConfigurationProblems"))
		return sd_bus_message_append_strv(reply, (char **)problems(self));
	procdb_engine_status(self->engine, &status);
	if (g_str_equal(property, "PredictionOutcomes"))
		return procdb_outcomes_append(reply, &status);
	procdb_object_apply_status(self, &apply);
	return procdb_apply_statistics_append(reply, &apply, status.backend.tasks_lost);
}

static void on_profiles_changed(const GArray *changed, const GArray *removed, gpointer data)
{
	ProcdbObject *self = data;
	g_autoptr(GArray) none = g_array_new(FALSE, FALSE, sizeof(struct procdb_comm));
	gboolean all = changed->len + removed->len > PROCDB_MAX_NAMES_OUT;

	self->properties_old = TRUE;
	g_clear_pointer(&self->names, procdb_names_free);
	procdb_object_emit_profiles_changed(self, all ? none : changed, all ? none : removed);
}

static void on_stepped(gpointer data)
{
	ProcdbObject *self = data;

	if (self->tasks && g_get_monotonic_time() - self->tasks_us > PROCDB_TASKS_US)
		g_clear_pointer(&self->tasks, g_array_unref);
	self->properties_old = TRUE;
	procdb_object_announce(self);
}

/* Our interface first: some programs use the first one. */
static char *introspection(void)
{
	GString *xml = g_string_new("<!DOCTYPE node PUBLIC \"-//freedesktop//DTD D-BUS Object "
				    "Introspection 1.0//EN\"\n"
				    "\"http://www.freedesktop.org/standards/dbus/1.0/"
				    "introspect.dtd\">\n<node>\n");

	g_dbus_interface_info_generate_xml(procdb_interface(), 1, xml);
	g_string_append(
	    xml,
	    " <interface name=\"org.freedesktop.DBus.Peer\">\n"
	    "  <method name=\"Ping\"/>\n"
	    "  <method name=\"GetMachineId\"><arg type=\"s\" name=\"machine_uuid\" "
	    "direction=\"out\"/></method>\n"
	    " </interface>\n"
	    " <interface name=\"org.freedesktop.DBus.Introspectable\">\n"
	    "  <method name=\"Introspect\"><arg name=\"xml_data\" type=\"s\" "
	    "direction=\"out\"/></method>\n"
	    " </interface>\n"
	    " <interface name=\"org.freedesktop.DBus.Properties\">\n"
	    "  <method name=\"Get\"><arg name=\"interface_name\" direction=\"in\" type=\"s\"/>"
	    "<arg name=\"property_name\" direction=\"in\" type=\"s\"/>"
	    "<arg name=\"value\" direction=\"out\" type=\"v\"/></method>\n"
	    "  <method name=\"GetAll\"><arg name=\"interface_name\" direction=\"in\" type=\"s\"/>"
	    "<arg name=\"properties\" direction=\"out\" type=\"a{sv}\"/></method>\n"
	    "  <method name=\"Set\"><arg name=\"interface_name\" direction=\"in\" type=\"s\"/>"
	    "<arg name=\"property_name\" direction=\"in\" type=\"s\"/>"
	    "<arg name=\"value\" direction=\"in\" type=\"v\"/></method>\n"
	    "  <signal name=\"PropertiesChanged\"><arg type=\"s\" name=\"interface_name\"/>"
	    "<arg type=\"a{sv}\" name=\"changed_properties\"/>"
	    "<arg type=\"as\" name=\"invalidated_properties\"/></signal>\n"
	    " </interface>\n"
	    "</node>\n");
	return g_string_free(xml, FALSE);
}

/* Whether an argument of Get, GetAll or Set is longer than any name on the bus. */
static gboolean has_long_name(sd_bus_message *call)
{
	gboolean found = FALSE;
	const char *name;
	char type;

	while (!found && sd_bus_message_peek_type(call, &type, NULL) > 0 && type == 's' &&
	       sd_bus_message_read_basic(call, 's', &name) > 0)
		found = strlen(name) > PROCDB_MAX_BUS_NAME;
	(void)sd_bus_message_rewind(call, TRUE);
	return found;
}

/* Called before sd-bus searches the vtable. */
static int on_any_call(sd_bus_message *call, void *data, sd_bus_error *error)
{
	ProcdbObject *self = data;

	if (sd_bus_message_is_method_call(call, "org.freedesktop.DBus.Properties", NULL) > 0) {
		/* sd-bus would say the name in its error, and that is charged as a short one. */
		if (has_long_name(call))
			return sd_bus_reply_method_errorf(call, SD_BUS_ERROR_INVALID_ARGS,
							  "A name has at most %d bytes",
							  PROCDB_MAX_BUS_NAME);
		procdb_object_refresh(self);
	}
	if (sd_bus_message_is_method_call(call, "org.freedesktop.DBus.Introspectable",
					  "Introspect") <= 0 ||
	    sd_bus_message_is_empty(call) <= 0)
		return 0;
	return sd_bus_reply_method_return(call, "s", self->introspection);
}

static int on_method(sd_bus_message *call, void *data, sd_bus_error *error)
{
	ProcdbObject *self = data;
	gboolean reads = FALSE;
	ProcdbHandler handler = procdb_handler_find(sd_bus_message_get_member(call), &reads);

	if (!self->gate || !handler || !procdb_gate_let_through(self->gate, call) ||
	    !procdb_authorizer_action_of_call(call))
		return procdb_bus_reply_error(
		    call, g_error_new(PROCDB_BUS_ERROR, PROCDB_BUS_ERROR_ACCESS_DENIED,
				      "%s is denied: the interface names no polkit action for it",
				      sd_bus_message_get_member(call)));
	/* It would cost its caller nothing, and the service the work for a whole list. */
	if (reads && sd_bus_message_get_expect_reply(call) <= 0)
		return 1;
	/* It reads what a save writes, and a disk may take its time. */
	if (g_str_equal(sd_bus_message_get_member(call), "LoadDatabase"))
		return procdb_handler_call_when_saved(handler, self, call);
	return handler(self, call);
}

static gsize answer_size(sd_bus_message *call, gpointer data)
{
	ProcdbObject *self = data;

	if (sd_bus_message_is_method_call(call, PROCDB_BUS_INTERFACE, "ListProfiles") > 0)
		return PROCDB_SMALL_ANSWER + procdb_rows_size(self->engine, FALSE);
	if (sd_bus_message_is_method_call(call, PROCDB_BUS_INTERFACE, "ExportProfiles") > 0)
		return PROCDB_SMALL_ANSWER + procdb_rows_size(self->engine, TRUE);
	if (sd_bus_message_is_method_call(call, PROCDB_BUS_INTERFACE, "QueryProfiles") > 0)
		return PROCDB_SMALL_ANSWER +
		       procdb_object_rows_size(
			   self, call, procdb_table_size(procdb_engine_table(self->engine)));
	if (sd_bus_message_is_method_call(call, PROCDB_BUS_INTERFACE, "QueryColumns") > 0)
		return PROCDB_SMALL_ANSWER + procdb_object_columns_size(self, call);
	if (sd_bus_message_is_method_call(call, PROCDB_BUS_INTERFACE, "ListTasks") > 0)
		return PROCDB_SMALL_ANSWER +
		       procdb_object_rows_size(self, call, MAX(self->tasks_len, TASKS));
	if (sd_bus_message_is_method_call(call, NULL, "Introspect") > 0 ||
	    sd_bus_message_is_method_call(call, NULL, "GetAll") > 0 ||
	    sd_bus_message_is_method_call(call, PROCDB_BUS_INTERFACE, "GetDelays") > 0)
		return LARGE_ANSWER;
	if (sd_bus_message_is_method_call(call, PROCDB_BUS_INTERFACE, "ListOverrides") > 0)
		return PROCDB_SMALL_ANSWER +
		       procdb_engine_count_overrides(self->engine) * PROCDB_ROW_SIZE;
	if (sd_bus_message_is_method_call(call, PROCDB_BUS_INTERFACE, "GetHistory") > 0)
		return 2 * LARGE_ANSWER;
	if (sd_bus_message_is_method_call(call, PROCDB_BUS_INTERFACE, "GetProfile") > 0 ||
	    sd_bus_message_is_method_call(call, PROCDB_BUS_INTERFACE, "GetProfileOfPid") > 0 ||
	    sd_bus_message_is_method_call(call, PROCDB_BUS_INTERFACE, "Explain") > 0)
		return 2 * PROCDB_ROW_SIZE;
	return PROCDB_SMALL_ANSWER;
}

/* The caller of a hold left. */
static void on_holds_ended(gpointer data)
{
	procdb_object_changed(data);
}

gboolean procdb_object_export(ProcdbObject *self, sd_bus *bus, const ProcdbAuthority *authority,
			      gpointer authority_self, GError **error)
{
	int result;

	self->bus = sd_bus_ref(bus);
	self->broadcast = procdb_broadcast_new(bus);
	self->gate = procdb_gate_new(bus, authority, authority_self, answer_size, self);
	result = sd_bus_add_object(bus, &self->object_slot, PROCDB_BUS_PATH, on_any_call, self);
	if (result >= 0)
		result = sd_bus_add_object_vtable(bus, &self->vtable_slot, PROCDB_BUS_PATH,
						  PROCDB_BUS_INTERFACE,
						  procdb_vtable_get(self->vtable), self);
	if (result < 0)
		g_propagate_error(error,
				  procdb_bus_errno(result, "Cannot export the object on the bus"));
	return result >= 0;
}

void procdb_object_unexport(ProcdbObject *self)
{
	/* The callers of this connection end with it. */
	procdb_holds_end_all(self->holds);
	procdb_object_leave_trial(self);
	g_clear_pointer(&self->gate, procdb_gate_free);
	g_clear_pointer(&self->broadcast, procdb_broadcast_free);
	g_clear_pointer(&self->object_slot, sd_bus_slot_unref);
	g_clear_pointer(&self->vtable_slot, sd_bus_slot_unref);
	g_clear_pointer(&self->bus, sd_bus_unref);
}

ProcdbGate *procdb_object_gate(ProcdbObject *self)
{
	return self->gate;
}

void procdb_object_handled(ProcdbObject *self, gint64 us)
{
	if (self->gate)
		procdb_gate_handled(self->gate, us);
}

ProcdbObject *procdb_object_new(ProcdbEngine *engine, const ProcdbHost *host, gpointer user_data)
{
	static const ProcdbEngineListener listener = {
	    .profiles_changed = on_profiles_changed,
	    .stepped = on_stepped,
	};
	ProcdbObject *self = g_new0(ProcdbObject, 1);

	self->engine = engine;
	self->host = host;
	self->host_data = user_data;
	self->savers = g_ptr_array_new();
	self->holds = procdb_holds_new(engine, on_holds_ended, self);
	self->scripts = procdb_script_reader_new("/proc");
	self->properties_old = TRUE;
	self->introspection = introspection();
	self->vtable =
	    procdb_vtable_new(on_method, get_made, G_STRUCT_OFFSET(ProcdbObject, properties));
	procdb_engine_set_listener(engine, &listener, self);
	procdb_object_announce(self);
	return self;
}

void procdb_object_free(ProcdbObject *self)
{
	if (!self)
		return;
	procdb_object_unexport(self);
	procdb_object_detach_savers(self);
	g_ptr_array_unref(self->savers);
	procdb_holds_free(self->holds);
	procdb_script_reader_free(self->scripts);
	g_clear_pointer(&self->tasks, g_array_unref);
	g_clear_error(&self->tasks_error);
	procdb_engine_set_listener(self->engine, NULL, NULL);
	procdb_names_free(self->names);
	procdb_vtable_free(self->vtable);
	g_free(self->introspection);
	procdb_properties_clear(&self->properties);
	procdb_properties_clear(&self->announced);
	g_free(self);
}
