/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include "top.h"

#include "figures.h"

/* A table that has grown to this, as names come and go, begins anew. */
#define MOST_KEPT (4 * ROWS_MOST)

/* Why the column of slices is empty, which no row can say; NULL: it is not. */
static char *slices_text(GVariant *properties)
{
	g_autofree char *trial = out_trial(properties);
	gboolean active = FALSE;
	const char *why = "";

	if (trial)
		return g_strdup_printf("a trial runs: %s", trial);
	g_variant_lookup(properties, "ApplyActive", "b", &active);
	g_variant_lookup(properties, "ApplyReason", "&s", &why);
	return active || !*why ? NULL : g_strdup_printf("no slices: %s", why);
}

static void on_properties(GObject *source, GAsyncResult *result, gpointer user_data)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GVariant) reply =
	    g_dbus_connection_call_finish(G_DBUS_CONNECTION(source), result, &error);
	g_autoptr(GVariant) values = NULL;
	g_autoptr(GVariantDict) dict = NULL;
	g_autofree char *slices = NULL;
	const char *version = "?", *backend = "?", *state = "?";
	guint32 profiles = 0, confident = 0;
	guint64 observations = 0;
	Top *top = user_data;

	/* The list's own failure is shown; cancelled means that top is gone. */
	if (!reply)
		return;
	values = g_variant_get_child_value(reply, 0);
	dict = g_variant_dict_new(values);
	g_variant_dict_lookup(dict, "Version", "&s", &version);
	g_variant_dict_lookup(dict, "Backend", "&s", &backend);
	g_variant_dict_lookup(dict, "BackendState", "&s", &state);
	g_variant_dict_lookup(dict, "Profiles", "u", &profiles);
	g_variant_dict_lookup(dict, "Confident", "u", &confident);
	g_variant_dict_lookup(dict, "Observations", "t", &observations);
	top->view.slices = row_slices_of(values);
	g_free(top->title);
	slices = slices_text(values);
	top->title = g_strdup_printf("ProcDb %s   %s%s%s: %s   %u profiles, %u confident   "
				     "%" G_GUINT64_FORMAT " observations",
				     version, slices ? slices : "", slices ? "   " : "", backend,
				     state, profiles, confident, observations);
	top_redraw(top);
}

void top_fetch_title(Top *top)
{
	GDBusConnection *bus = g_dbus_proxy_get_connection(G_DBUS_PROXY(top->ctl->proxy));

	g_dbus_connection_call(
	    bus, PROCDB_BUS_NAME, PROCDB_BUS_PATH, "org.freedesktop.DBus.Properties", "GetAll",
	    g_variant_new("(s)", PROCDB_BUS_INTERFACE), G_VARIANT_TYPE("(a{sv})"),
	    G_DBUS_CALL_FLAGS_NO_AUTO_START, -1, top->cancellable, on_properties, top);
}

static void on_failure(Top *top, GError *error)
{
	g_dbus_error_strip_remote_error(error);
	if (top_is_running(top))
		top_alarm(top, g_strdup_printf("No answer: %s", error->message));
	else
		top_alarm_stopped(top);
	/* Another service may have come while the last one took the answer along. */
	if (top->wanted && top_is_running(top))
		top_fetch(top, TOP_ALL);
	/* With the next call: what changed may have been in this answer. */
	else
		top->wanted |= TOP_ALL;
}

static void take_rows(Top *top, TopList list, GVariant *reply)
{
	g_autoptr(GVariant) profiles = g_variant_get_child_value(reply, 0);
	g_autoptr(Rows) rows =
	    top->is_old ? rows_from_variant(profiles) : rows_from_columns(profiles);
	guint64 serial = 0;

	/* What is shown points into the table. */
	g_clear_pointer(&top->rows, rows_free);
	if (!top->is_old)
		g_variant_get_child(reply, 1, "t", &serial);
	if (list == TOP_ALL) {
		row_table_clear(top->table);
		top->is_cut = !top->is_old && rows->items->len >= ROWS_MOST;
		top->heard = serial;
	}
	row_table_take(top->table, rows);
	if (list == TOP_BUSY)
		row_table_rest(top->table, rows);
	if (list == TOP_ALL || list == TOP_CHANGED)
		top->serial = serial;
	if (list == TOP_ALL && top->is_cut)
		top->wanted |= TOP_MATCHES;
	else if (row_table_size(top->table) > MOST_KEPT ||
		 (list == TOP_CHANGED && rows->items->len >= ROWS_MOST))
		top->wanted |= TOP_ALL;
}

static void on_list(GObject *source, GAsyncResult *result, gpointer user_data)
{
	g_autoptr(GVariant) reply = NULL;
	g_autoptr(GError) error = NULL;
	Top *top = user_data;
	TopList list;

	reply = g_dbus_proxy_call_finish(G_DBUS_PROXY(source), result, &error);
	if (g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
		return;
	list = top->asked;
	top->asked = 0;
	if (!top->is_old && (rows_is_unknown_method(error) || rows_is_unknown_field(error))) {
		top->is_old = TRUE;
		top_fetch(top, TOP_ALL);
		return;
	}
	if (!reply) {
		on_failure(top, error);
		return;
	}
	g_clear_pointer(&top->alarm, g_free);
	take_rows(top, list, reply);
	top_update(top);
	if (top->wanted)
		top_fetch(top, 0);
}

static GVariant *query(const Top *top, TopList list)
{
	g_autofree const char **fields = rows_fields();
	g_autofree char *pattern = top_pattern(top);
	GVariantDict filter = G_VARIANT_DICT_INIT(NULL);

	g_variant_dict_insert(&filter, "sort", "s", "cpu");
	if (list == TOP_MATCHES && pattern)
		g_variant_dict_insert(&filter, "pattern", "s", pattern);
	if (list == TOP_CHANGED)
		g_variant_dict_insert(&filter, "changed_since", "t", top->serial);
	return g_variant_new("(@a{sv}^asu)", g_variant_dict_end(&filter), fields,
			     list == TOP_BUSY ? ROWS_BUSY : ROWS_MOST);
}

/* The most that is wanted; what is part of it is not wanted any more. */
static TopList choose_list(Top *top)
{
	/*
	 * A pattern finds names in the service, as they are written, and programs as well in what
	 * is here, whatever their case.
	 */
	if (!top->is_cut || top->filter->len == 0)
		top->wanted &= ~(guint)TOP_MATCHES;
	if (top->is_old && top->wanted)
		top->wanted = TOP_ALL;
	for (guint list = TOP_ALL; list <= TOP_BUSY; list <<= 1) {
		if (!(top->wanted & list))
			continue;
		top->wanted = list == TOP_ALL ? 0 : top->wanted & ~list;
		return (TopList)list;
	}
	return 0;
}

/* A service that was stopped stays stopped: only the first call, before the screen, may start it.
 */
void top_fetch(Top *top, TopList list)
{
	top->wanted |= list;
	if (top->asked)
		return;
	top->asked = choose_list(top);
	if (!top->asked)
		return;
	g_dbus_proxy_call(G_DBUS_PROXY(top->ctl->proxy),
			  top->is_old ? "ListProfiles" : "QueryColumns",
			  top->is_old ? NULL : query(top, top->asked),
			  G_DBUS_CALL_FLAGS_NO_AUTO_START, -1, top->cancellable, on_list, top);
}

void top_hear(Top *top, guint64 serial, const char *const *changed, const char *const *removed)
{
	const gboolean is_next = serial == top->heard + 1;

	top->heard = serial;
	/* Its answer comes after this, and has it. */
	if (top->asked == TOP_ALL)
		return;
	/* Signals were missed, or more changed than one can name. */
	if (!is_next || (!*changed && !*removed)) {
		top_fetch(top, TOP_ALL);
		return;
	}
	if (*removed) {
		g_clear_pointer(&top->rows, rows_free);
		row_table_drop(top->table, removed);
		top_update(top);
	}
	if (*changed)
		top_fetch(top, TOP_CHANGED);
}
