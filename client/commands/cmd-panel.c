/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include <stdio.h>

#include <glib-unix.h>

#include "bus.h"
#include "commands.h"
#include "json.h"
#include "options.h"
#include "output.h"

/* What a module of a panel shows. */
typedef struct {
	Ctl *ctl;
	GMainLoop *loop;
	char *shown; /* the last line; NULL: none yet */
	int status;
} Panel;

/* The line of text, its explanation, and a word that panels choose icons and colours by. */
typedef struct {
	const char *state;
	char *text;
	GString *tooltip; /* Pango markup */
} Face;

/* What comes from outside may hold markup. */
static void say(Face *face, const char *format, ...) G_GNUC_PRINTF(2, 3);

static void say(Face *face, const char *format, ...)
{
	g_autofree char *plain = NULL;
	g_autofree char *markup = NULL;
	va_list args;

	va_start(args, format);
	plain = g_strdup_vprintf(format, args);
	va_end(args);
	markup = g_markup_escape_text(plain, -1);
	g_string_append_printf(face->tooltip, "%s%s", face->tooltip->len > 0 ? "\n" : "", markup);
}

/* In the order of what a person has to know first. */
static void read_state(Face *face, GVariantDict *dict)
{
	const char *backend = "", *reason = "", *trial = "", *guard = "", *why = "", *apply = "";
	gboolean active = FALSE;
	guint32 percent = 0, confident = 0;

	g_variant_dict_lookup(dict, "BackendStatus", "&s", &backend);
	g_variant_dict_lookup(dict, "BackendReason", "&s", &reason);
	g_variant_dict_lookup(dict, "TrialState", "&s", &trial);
	g_variant_dict_lookup(dict, "TrialProgress", "u", &percent);
	g_variant_dict_lookup(dict, "GuardState", "&s", &guard);
	g_variant_dict_lookup(dict, "Apply", "&s", &apply);
	g_variant_dict_lookup(dict, "ApplyActive", "b", &active);
	g_variant_dict_lookup(dict, "ApplyReason", "&s", &why);
	g_variant_dict_lookup(dict, "Confident", "u", &confident);
	if (g_str_equal(backend, "failed")) {
		face->state = "failed";
		face->text = g_strdup("failed");
	} else if (g_str_equal(trial, "running")) {
		face->state = "trial";
		face->text = g_strdup_printf("trial %u %%", percent);
	} else if (g_str_equal(guard, "paused")) {
		face->state = "paused";
		face->text = g_strdup("paused");
	} else {
		face->state = active ? "applying" : "observing";
		face->text = out_number(confident);
	}
	if (*reason)
		say(face, "%s", reason);
	/* A trial gives them and takes them back every other second. */
	if (*apply && !g_str_equal(trial, "running"))
		say(face, "%s%s",
		    active ? "Slices are given"
		    : *why ? "No slices: "
			   : "No slices are given",
		    active ? "" : why);
}

static void read_counts(Face *face, GVariantDict *dict)
{
	guint32 profiles = 0, confident = 0, overrides = 0;
	g_autofree char *known = NULL, *decided = NULL;

	g_variant_dict_lookup(dict, "Profiles", "u", &profiles);
	g_variant_dict_lookup(dict, "Confident", "u", &confident);
	g_variant_dict_lookup(dict, "Overrides", "u", &overrides);
	known = out_count(profiles, "program");
	decided = out_count(overrides, "override");
	say(face, "%s, %u confident, %s", known, confident, decided);
}

static void print(Panel *panel, const Face *face)
{
	JsonBuilder *builder = ctl_json_begin();
	g_autoptr(JsonNode) node = NULL;
	g_autofree char *line = NULL;

	ctl_json_set_string(builder, "text", face->text);
	ctl_json_set_string(builder, "alt", face->state);
	ctl_json_set_string(builder, "class", face->state);
	ctl_json_set_string(builder, "tooltip", face->tooltip->str);
	node = ctl_json_end(builder);
	line = ctl_json_to_text(node, FALSE);
	if (g_strcmp0(line, panel->shown) == 0)
		return;
	g_free(panel->shown);
	panel->shown = g_steal_pointer(&line);
	/* A panel that has gone reads no more. */
	if (puts(panel->shown) < 0 || fflush(stdout) != 0)
		g_main_loop_quit(panel->loop);
}

static void say_no_answer(Face *face, const GError *error)
{
	g_autoptr(GError) plain = g_error_copy(error);

	g_dbus_error_strip_remote_error(plain);
	face->state = "failed";
	face->text = g_strdup("failed");
	say(face, "The service runs, but does not answer: %s", plain->message);
}

static void update(Panel *panel)
{
	g_autofree char *owner = g_dbus_proxy_get_name_owner(G_DBUS_PROXY(panel->ctl->proxy));
	g_autoptr(GError) error = NULL;
	g_autoptr(GVariant) properties = owner ? bus_properties(panel->ctl, &error) : NULL;
	Face face = {.tooltip = g_string_new(NULL)};

	if (properties) {
		g_autoptr(GVariantDict) dict = g_variant_dict_new(properties);

		read_state(&face, dict);
		read_counts(&face, dict);
		/* If it went while it was asked, that its name has no owner is told later. */
	} else if (owner && !bus_is_gone(error)) {
		say_no_answer(&face, error);
	} else {
		face.state = "stopped";
		face.text = g_strdup("off");
		say(&face, "The service does not run.");
	}
	print(panel, &face);
	g_free(face.text);
	g_string_free(face.tooltip, TRUE);
}

static void on_properties_changed(GVariant *changed, gpointer data)
{
	update(data);
}

static void on_owner_changed(GObject *proxy, GParamSpec *pspec, gpointer data)
{
	update(data);
}

static void on_bus_closed(GDBusConnection *bus, gboolean remote, GError *error, gpointer data)
{
	Panel *panel = data;

	g_printerr("The connection to the system bus broke.\n");
	panel->status = CTL_UNREACHABLE;
	g_main_loop_quit(panel->loop);
}

static gboolean on_stop(gpointer data)
{
	g_main_loop_quit(((Panel *)data)->loop);
	return G_SOURCE_CONTINUE;
}

static void follow(Panel *panel)
{
	Ctl *ctl = panel->ctl;
	GDBusConnection *bus = g_dbus_proxy_get_connection(G_DBUS_PROXY(ctl->proxy));
	const guint sources[] = {
	    g_unix_signal_add(SIGINT, on_stop, panel),
	    g_unix_signal_add(SIGTERM, on_stop, panel),
	};
	guint properties;

	g_dbus_connection_set_exit_on_close(bus, FALSE);
	g_signal_connect(bus, "closed", G_CALLBACK(on_bus_closed), panel);
	g_signal_connect(ctl->proxy, "notify::g-name-owner", G_CALLBACK(on_owner_changed), panel);
	properties = bus_follow_properties(ctl, on_properties_changed, panel);
	update(panel);
	g_main_loop_run(panel->loop);
	g_dbus_connection_signal_unsubscribe(bus, properties);
	g_signal_handlers_disconnect_by_data(bus, panel);
	g_signal_handlers_disconnect_by_data(ctl->proxy, panel);
	for (gsize i = 0; i < G_N_ELEMENTS(sources); i++)
		g_source_remove(sources[i]);
}

int cmd_panel(Ctl *ctl, const CtlCommand *command, char **argv)
{
	g_autoptr(GMainLoop) loop = g_main_loop_new(NULL, FALSE);
	Panel panel = {.ctl = ctl, .loop = loop, .status = CTL_OK};
	g_auto(GStrv) args = NULL;
	int status;

	if (!options_parse(ctl, command, NULL, argv, &args))
		return CTL_USAGE;
	status = bus_connect_running(ctl);
	if (status != CTL_OK)
		return status;
	ctl->timeout_ms = BUS_ANSWER_MS;
	follow(&panel);
	g_free(panel.shown);
	return panel.status;
}
