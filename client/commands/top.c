/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include "top.h"

#include "row-text.h"

/* More than these are not asked for; of more the service sends those that use most CPU time. */
#define MOST_ROWS 2000

/* The filter as a pattern; NULL without one. */
static char *pattern_of(const Top *top)
{
	if (top->filter->len == 0)
		return NULL;
	return rows_is_pattern(top->filter->str) ? g_strdup(top->filter->str)
						 : g_strdup_printf("*%s*", top->filter->str);
}

static gboolean is_wanted(const Row *row, gpointer user_data)
{
	Top *top = user_data;
	g_autofree char *pattern = pattern_of(top);
	g_autofree char *title = NULL;

	if ((top->view.confident && !row->confident) ||
	    (top->view.tier && !rows_is_of(row, top->view.tier)))
		return FALSE;
	title = pattern ? rows_title(row) : NULL;
	if (pattern && !rows_match(pattern, row->name) && !rows_match(pattern, title))
		return FALSE;
	if (top->view.kernel || !rows_is_kernel_thread(row))
		return TRUE;
	top->view.hidden++;
	return FALSE;
}

void top_redraw(Top *top)
{
	top->view.rows = top->rows;
	top->view.title = top->title ? top->title : "";
	top->view.alarm = top->alarm;
	top->view.message = top->message;
	top->view.prompt = top->prompt;
	top->view.filter = top->filter->str;
	top->view.explanation = top->explanation;
	top_screen_draw(&top->view);
}

/* By CPU time where the service knows it. */
static void choose_order(Top *top)
{
	guint sort = ROW_LAST_SEEN;

	if (top->by_choice)
		return;
	for (guint i = 0; i < top->rows->items->len; i++) {
		if (rows_get(top->rows, i)->cpu_share >= 0)
			sort = ROW_CPU;
	}
	if (sort != top->view.sort)
		g_hash_table_remove_all(top->places);
	top->view.sort = sort;
}

/* The cursor goes with its row, and stays where it is when that is gone. */
static void follow_cursor(Top *top)
{
	const guint count = top->rows->items->len;
	guint at;

	for (guint i = 0; top->cursor && i < count; i++) {
		if (g_str_equal(rows_get(top->rows, i)->name, top->cursor))
			top->view.selected = i;
	}
	at = MIN(top->view.selected, count > 0 ? count - 1 : 0);
	top->view.selected = at;
}

void top_update(Top *top)
{
	if (top->reply) {
		g_clear_pointer(&top->rows, rows_free);
		top->view.hidden = 0;
		top->rows = rows_from_variant(top->reply);
		choose_order(top);
		rows_keep(top->rows, is_wanted, top);
		order_sort_calmly(top->rows, order_of_column((int)top->view.sort),
				  top->view.reverse, top->places);
		follow_cursor(top);
	}
	top_redraw(top);
}

const char *top_name(const Top *top)
{
	return top->rows && top->view.selected < top->rows->items->len
		   ? rows_get(top->rows, top->view.selected)->name
		   : NULL;
}

void top_say(Top *top, char *message)
{
	g_free(top->message);
	top->message = message;
	top_redraw(top);
}

void top_alarm(Top *top, char *alarm)
{
	g_free(top->alarm);
	top->alarm = alarm;
	top_redraw(top);
}

static void on_properties(GObject *source, GAsyncResult *result, gpointer user_data)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GVariant) reply =
	    g_dbus_connection_call_finish(G_DBUS_CONNECTION(source), result, &error);
	g_autoptr(GVariant) values = NULL;
	g_autoptr(GVariantDict) dict = NULL;
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
	g_variant_dict_lookup(dict, "ApplyActive", "b", &top->view.applies);
	g_free(top->title);
	top->title = g_strdup_printf("ProcDb %s   %s: %s   %u profiles, %u confident   "
				     "%" G_GUINT64_FORMAT " observations",
				     version, backend, state, profiles, confident, observations);
	top_redraw(top);
}

gboolean top_is_running(const Top *top)
{
	g_autofree char *owner = g_dbus_proxy_get_name_owner(G_DBUS_PROXY(top->ctl->proxy));

	return owner != NULL;
}

void top_alarm_stopped(Top *top)
{
	top_alarm(top, g_strdup("The service stopped; these are its last values."));
}

static void on_failure(Top *top, GError *error)
{
	g_dbus_error_strip_remote_error(error);
	if (top_is_running(top))
		top_alarm(top, g_strdup_printf("No answer: %s", error->message));
	else
		top_alarm_stopped(top);
	/* Another service may have come while the last one took the answer along. */
	if (top->stale && top_is_running(top))
		top_fetch(top);
}

static void on_list(GObject *source, GAsyncResult *result, gpointer user_data)
{
	g_autoptr(GVariant) reply = NULL;
	g_autoptr(GError) error = NULL;
	Top *top = user_data;

	reply = g_dbus_proxy_call_finish(G_DBUS_PROXY(source), result, &error);
	if (g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
		return;
	top->fetching = FALSE;
	if (!top->is_old && rows_is_unknown_method(error)) {
		top->is_old = TRUE;
		top_fetch(top);
		return;
	}
	if (!reply) {
		on_failure(top, error);
		return;
	}
	g_clear_pointer(&top->alarm, g_free);
	/* Rows that are shown point into the reply that they are of, and keep it. */
	g_clear_pointer(&top->reply, g_variant_unref);
	top->reply = g_variant_get_child_value(reply, 0);
	top->is_cut |= g_variant_n_children(top->reply) >= MOST_ROWS;
	top_update(top);
	if (top->stale)
		top_fetch(top);
}

static GVariant *query(const Top *top)
{
	g_autofree char *pattern = pattern_of(top);
	GVariantDict filter = G_VARIANT_DICT_INIT(NULL);

	g_variant_dict_insert(&filter, "sort", "s", "cpu");
	/* Else programs are found as well, which the service does not match. */
	if (pattern && top->is_cut)
		g_variant_dict_insert(&filter, "pattern", "s", pattern);
	return g_variant_new("(@a{sv}u)", g_variant_dict_end(&filter), MOST_ROWS);
}

/*
 * Asks for the list; at most one call is under way. A service that was
 * stopped stays stopped: only the first call, before the screen, may start it.
 */
void top_fetch(Top *top)
{
	GDBusConnection *bus = g_dbus_proxy_get_connection(G_DBUS_PROXY(top->ctl->proxy));

	top->stale = top->fetching;
	if (top->fetching)
		return;
	top->fetching = TRUE;
	g_dbus_proxy_call(G_DBUS_PROXY(top->ctl->proxy),
			  top->is_old ? "ListProfiles" : "QueryProfiles",
			  top->is_old ? NULL : query(top), G_DBUS_CALL_FLAGS_NO_AUTO_START, -1,
			  top->cancellable, on_list, top);
	g_dbus_connection_call(
	    bus, PROCDB_BUS_NAME, PROCDB_BUS_PATH, "org.freedesktop.DBus.Properties", "GetAll",
	    g_variant_new("(s)", PROCDB_BUS_INTERFACE), G_VARIANT_TYPE("(a{sv})"),
	    G_DBUS_CALL_FLAGS_NO_AUTO_START, -1, top->cancellable, on_properties, top);
}
