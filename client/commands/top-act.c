/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include "top.h"

#include "bus.h"
#include "escape.h"
#include "profile.h"
#include "refusal.h"

typedef struct {
	Top *top;
	char *done; /* what to say if it went well */
} Act;

static void told(Top *top, const char *done, const GError *error)
{
	top_say(top, error ? refusal_line(error) : g_strdup(done));
}

static void on_acted(GObject *source, GAsyncResult *result, gpointer user_data)
{
	g_autofree Act *act = user_data;
	g_autofree char *done = act->done;
	g_autoptr(GError) error = NULL;
	g_autoptr(GVariant) reply = g_dbus_proxy_call_finish(G_DBUS_PROXY(source), result, &error);

	if (!g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
		told(act->top, done, error);
}

/*
 * Where a password may be asked for on the terminal, the screen is left for that time, and the
 * agent has the keys. Takes done over.
 */
static void act_on_terminal(Top *top, const char *method, GVariant *arguments, char *done)
{
	g_autofree char *text = done;
	g_autoptr(GVariant) reply = NULL;
	g_autoptr(GError) error = NULL;
	Ctl *ctl = top->ctl;

	top_screen_close();
	bus_start_agent(ctl);
	reply = g_dbus_proxy_call_sync(G_DBUS_PROXY(ctl->proxy), method, arguments, ctl->call_flags,
				       ctl->timeout_ms, top->cancellable, &error);
	bus_stop_agent(ctl);
	top_screen_resize();
	told(top, text, reply ? NULL : error);
}

static void act(Top *top, const char *method, GVariant *arguments, char *done)
{
	Act *data;

	if (bus_may_ask(top->ctl)) {
		act_on_terminal(top, method, arguments, done);
		return;
	}
	data = g_new(Act, 1);
	*data = (Act){.top = top, .done = done};
	g_dbus_proxy_call(G_DBUS_PROXY(top->ctl->proxy), method, arguments,
			  G_DBUS_CALL_FLAGS_NO_AUTO_START, -1, top->cancellable, on_acted, data);
}

void top_override(Top *top, const char *tier)
{
	if (tier)
		act(top, "SetOverride", g_variant_new("(ss)", top->subject, tier),
		    g_strdup_printf("New tasks named \"%s\" start as %s from now on.", top->subject,
				    tier));
	else
		act(top, "ClearOverride", g_variant_new("(s)", top->subject),
		    g_strdup_printf("\"%s\" has no override of an administrator now.",
				    top->subject));
}

void top_delete(Top *top)
{
	act(top, "DeleteProfile", g_variant_new("(s)", top->subject),
	    top->is_decided
		? g_strdup_printf("\"%s\" is forgotten, and its override; one that a file "
				  "declares comes back.",
				  top->subject)
		: g_strdup_printf("What was learned about \"%s\" is forgotten.", top->subject));
}

/* Without the rest, if there is none to be had, the sentence is shown. */
static void on_profile(GObject *source, GAsyncResult *result, gpointer user_data)
{
	g_autoptr(GVariant) profile = NULL;
	g_autoptr(GError) error = NULL;
	const char *name = "", *asked = "";
	Top *top = user_data;

	if (!procdb_dbus_proc_db1_call_get_profile_finish(PROCDB_DBUS_PROC_DB1(source), &profile,
							  result, &error) &&
	    g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
		return;
	/* Another one may have been asked for since. */
	g_variant_lookup(top->explained, "name", "&s", &name);
	if (profile && g_variant_lookup(profile, "name", "&s", &asked) && !g_str_equal(name, asked))
		return;
	g_clear_pointer(&top->explanation, g_variant_unref);
	top->explanation = profile_join(top->explained, profile);
	top->view.first_line = 0;
	top_redraw(top);
}

static void on_explained(GObject *source, GAsyncResult *result, gpointer user_data)
{
	g_autoptr(GVariant) explanation = NULL;
	g_autoptr(GError) error = NULL;
	const char *name = "";
	Top *top = user_data;

	if (!procdb_dbus_proc_db1_call_explain_finish(PROCDB_DBUS_PROC_DB1(source), &explanation,
						      result, &error)) {
		if (g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
			return;
		g_dbus_error_strip_remote_error(error);
		top_say(top, escape_plain(error->message));
		return;
	}
	g_clear_pointer(&top->explained, g_variant_unref);
	top->explained = g_steal_pointer(&explanation);
	g_variant_lookup(top->explained, "name", "&s", &name);
	procdb_dbus_proc_db1_call_get_profile(top->ctl->proxy, name,
					      G_DBUS_CALL_FLAGS_NO_AUTO_START, -1, top->cancellable,
					      on_profile, top);
}

void top_explain(Top *top)
{
	const char *name = top_name(top);

	if (name)
		procdb_dbus_proc_db1_call_explain(top->ctl->proxy, name,
						  G_DBUS_CALL_FLAGS_NO_AUTO_START, -1,
						  top->cancellable, on_explained, top);
}
