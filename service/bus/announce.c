/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

/* The signals of the object: PropertiesChanged and ProfilesChanged. */

#include "private.h"

#include "authorizer.h"
#include "followers.h"
#include "name.h"

/* The shortest time between two PropertiesChanged. */
#define ANNOUNCE_US G_USEC_PER_SEC

void procdb_object_apply_status(ProcdbObject *self, ProcdbApplyStatus *status)
{
	const ProcdbApply *apply = self->host->apply ? self->host->apply(self->host_data) : NULL;

	if (apply)
		procdb_apply_status(apply, status);
	else
		*status = (ProcdbApplyStatus){.mode = PROCDB_APPLY_NONE};
}

void procdb_object_trial_status(ProcdbObject *self, ProcdbTrialStatus *status)
{
	*status = (ProcdbTrialStatus){.state = PROCDB_TRIAL_NONE, .reason = ""};
	if (self->host->trial)
		self->host->trial(self->host_data, status);
}

void procdb_object_refresh(ProcdbObject *self)
{
	ProcdbApplyStatus apply;
	ProcdbGuardStatus guard = {.state = PROCDB_GUARD_OFF};
	ProcdbTrialStatus trial;

	if (!self->properties_old)
		return;
	self->properties_old = FALSE;
	procdb_object_apply_status(self, &apply);
	procdb_object_trial_status(self, &trial);
	if (self->host->guard)
		self->host->guard(self->host_data, &guard);
	procdb_properties_read(&self->properties, self->engine, &apply, &trial, &guard);
}

static void tell_problems(ProcdbObject *self)
{
	self->problems_untold = FALSE;
	if (self->bus)
		(void)sd_bus_emit_properties_changed(self->bus, PROCDB_BUS_PATH,
						     PROCDB_BUS_INTERFACE, "ConfigurationProblems",
						     NULL);
}

void procdb_object_announce(ProcdbObject *self)
{
	g_autoptr(GPtrArray) names = g_ptr_array_new();

	if (self->bus && !procdb_broadcast_may(self->broadcast))
		return;
	if (self->problems_untold)
		tell_problems(self);
	procdb_object_refresh(self);
	procdb_properties_follow(&self->announced, &self->properties, names);
	for (guint i = names->len; i > 0; i--)
		if (!procdb_vtable_announces(g_dbus_interface_info_lookup_property(
			procdb_interface(), names->pdata[i - 1])))
			g_ptr_array_remove_index(names, i - 1);
	if (names->len == 0 || !self->bus)
		return;
	g_ptr_array_add(names, NULL);
	self->announced_us = g_get_monotonic_time();
	(void)sd_bus_emit_properties_changed_strv(self->bus, PROCDB_BUS_PATH, PROCDB_BUS_INTERFACE,
						  (char **)names->pdata);
}

void procdb_object_changed(ProcdbObject *self)
{
	self->properties_old = TRUE;
	g_clear_pointer(&self->names, procdb_names_free);
	/* Otherwise the next step announces them. */
	if (g_get_monotonic_time() - self->announced_us >= ANNOUNCE_US)
		procdb_object_announce(self);
}

void procdb_object_settings_changed(ProcdbObject *self)
{
	self->problems_untold = TRUE;
	procdb_object_changed(self);
	if (self->problems_untold && self->bus && procdb_broadcast_may(self->broadcast))
		tell_problems(self);
}

/* Makes a ProfilesChanged with these arguments. */
static int make_profiles_changed(sd_bus *bus, GVariant *arguments, sd_bus_message **signal)
{
	g_auto(GStrv) changed = NULL;
	g_auto(GStrv) removed = NULL;
	guint64 serial;
	int result = sd_bus_message_new_signal(bus, signal, PROCDB_BUS_PATH, PROCDB_BUS_INTERFACE,
					       "ProfilesChanged");

	g_variant_get(arguments, "(t^as^as)", &serial, &changed, &removed);
	if (result >= 0)
		result = sd_bus_message_append(*signal, "t", serial);
	if (result >= 0)
		result = sd_bus_message_append_strv(*signal, changed);
	return result < 0 ? result : sd_bus_message_append_strv(*signal, removed);
}

void procdb_object_emit_profiles_changed(ProcdbObject *self, const GArray *changed,
					 const GArray *removed)
{
	g_auto(GStrv) changed_names = procdb_comms_escape(changed);
	g_auto(GStrv) removed_names = procdb_comms_escape(removed);

	if (self->gate)
		procdb_followers_send(procdb_gate_followers(self->gate),
				      procdb_authorizer_action("ListProfiles"),
				      make_profiles_changed,
				      g_variant_new("(t^as^as)", procdb_engine_serial(self->engine),
						    changed_names, removed_names));
}
