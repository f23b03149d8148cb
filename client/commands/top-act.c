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
	top_fetch(top);
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
		    g_strdup_printf("The override of \"%s\" is cleared.", top->subject));
}

void top_delete(Top *top)
{
	act(top, "DeleteProfile", g_variant_new("(s)", top->subject),
	    g_strdup_printf("What was learned about \"%s\" is forgotten.", top->subject));
}

/* All that the list has of the program of an explanation; NULL if it has nothing. */
static GVariant *members_of(const Top *top, GVariant *explanation)
{
	const char *name = "";

	g_variant_lookup(explanation, "name", "&s", &name);
	for (guint i = 0; top->rows && i < top->rows->items->len; i++) {
		if (g_str_equal(rows_get(top->rows, i)->name, name))
			return rows_get(top->rows, i)->members;
	}
	return NULL;
}

static void on_explained(GObject *source, GAsyncResult *result, gpointer user_data)
{
	g_autoptr(GVariant) explanation = NULL;
	g_autoptr(GError) error = NULL;
	Top *top = user_data;

	if (!procdb_dbus_proc_db1_call_explain_finish(PROCDB_DBUS_PROC_DB1(source), &explanation,
						      result, &error)) {
		if (g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
			return;
		g_dbus_error_strip_remote_error(error);
		top_say(top, escape_plain(error->message));
		return;
	}
	g_clear_pointer(&top->explanation, g_variant_unref);
	top->explanation = profile_join(explanation, members_of(top, explanation));
	top->view.first_line = 0;
	top_redraw(top);
}

void top_explain(Top *top)
{
	const char *name = top_name(top);

	if (name)
		procdb_dbus_proc_db1_call_explain(top->ctl->proxy, name,
						  G_DBUS_CALL_FLAGS_NO_AUTO_START, -1,
						  top->cancellable, on_explained, top);
}
