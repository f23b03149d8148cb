/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include <signal.h>
#include <unistd.h>

#include <glib-unix.h>

#include "bus.h"
#include "commands.h"
#include "failure.h"
#include "options.h"
#include "output.h"
#include "row-text.h"
#include "top.h"

/* CPU time changes without a word from the service. */
#define REFRESH_S 2

static void on_profiles_changed(Top *top, guint64 serial, const char *const *changed,
				const char *const *removed)
{
	top_hear(top, serial, changed, removed);
}

static void on_properties_changed(GVariant *changed, gpointer user_data)
{
	top_fetch_title(user_data);
}

static void begin(Top *top)
{
	top_fetch_title(top);
	top_fetch(top, TOP_ALL);
}

static void on_owner_changed(Top *top)
{
	top->is_old = FALSE;
	if (top_is_running(top))
		begin(top);
	else
		top_alarm_stopped(top);
}

static void on_bus_closed(Top *top)
{
	top_alarm(top, g_strdup("The connection to the system bus broke; press q."));
}

static gboolean on_refresh(gpointer user_data)
{
	Top *top = user_data;

	if (top_is_running(top)) {
		top_fetch_title(top);
		if (!top->is_old)
			top_fetch(top, TOP_BUSY);
	}
	return G_SOURCE_CONTINUE;
}

/* "5 s ago" ages without a word from the service. */
static gboolean on_second(gpointer user_data)
{
	top_redraw(user_data);
	return G_SOURCE_CONTINUE;
}

static gboolean on_resize(gpointer user_data)
{
	top_screen_resize();
	top_redraw(user_data);
	return G_SOURCE_CONTINUE;
}

static gboolean on_stop(gpointer user_data)
{
	g_main_loop_quit(((Top *)user_data)->loop);
	return G_SOURCE_CONTINUE;
}

static gboolean on_input(int fd, GIOCondition condition, gpointer user_data)
{
	Top *top = user_data;
	gboolean is_function;
	int key;

	while ((key = top_screen_key(&is_function)) != -1)
		top_take_key(top, key, is_function);
	/* The terminal is gone. */
	if (condition & (G_IO_HUP | G_IO_ERR))
		g_main_loop_quit(top->loop);
	return G_SOURCE_CONTINUE;
}

static void run(Top *top)
{
	GDBusConnection *bus = g_dbus_proxy_get_connection(G_DBUS_PROXY(top->ctl->proxy));
	guint sources[] = {
	    g_unix_signal_add(SIGWINCH, on_resize, top),
	    g_unix_signal_add(SIGINT, on_stop, top),
	    g_unix_signal_add(SIGTERM, on_stop, top),
	    g_unix_signal_add(SIGHUP, on_stop, top),
	    g_timeout_add_seconds(1, on_second, top),
	    g_timeout_add_seconds(REFRESH_S, on_refresh, top),
	    g_unix_fd_add(STDIN_FILENO, G_IO_IN | G_IO_HUP | G_IO_ERR, on_input, top),
	};
	guint properties;

	g_dbus_connection_set_exit_on_close(bus, FALSE);
	g_signal_connect_swapped(bus, "closed", G_CALLBACK(on_bus_closed), top);
	g_signal_connect_swapped(top->ctl->proxy, "profiles-changed",
				 G_CALLBACK(on_profiles_changed), top);
	g_signal_connect_swapped(top->ctl->proxy, "notify::g-name-owner",
				 G_CALLBACK(on_owner_changed), top);
	properties = bus_follow_properties(top->ctl, on_properties_changed, top);
	begin(top);
	top_redraw(top);
	g_main_loop_run(top->loop);

	for (size_t i = 0; i < G_N_ELEMENTS(sources); i++)
		g_source_remove(sources[i]);
	g_dbus_connection_signal_unsubscribe(bus, properties);
	g_signal_handlers_disconnect_by_data(bus, top);
	g_signal_handlers_disconnect_by_data(top->ctl->proxy, top);
	g_cancellable_cancel(top->cancellable);
	/*
	 * Runs the callbacks of the cancelled calls while the data that they point to is still
	 * there.
	 */
	while (g_main_context_iteration(NULL, FALSE))
		;
}

static void clear(Top *top)
{
	g_string_free(top->filter, TRUE);
	g_hash_table_unref(top->places);
	g_clear_pointer(&top->rows, rows_free);
	row_table_free(top->table);
	g_clear_pointer(&top->explained, g_variant_unref);
	g_clear_pointer(&top->explanation, g_variant_unref);
	g_free(top->title);
	g_free(top->alarm);
	g_free(top->message);
	g_free(top->prompt);
	g_free(top->cursor);
	g_free(top->subject);
}

/* Ctrl-\ ends it as SIGTERM does: no program may leave the terminal as it is now. */
static void on_quit(int number)
{
	kill(getpid(), SIGTERM);
}

int cmd_top(Ctl *ctl, const CtlCommand *command, char **argv)
{
	g_autoptr(GMainLoop) loop = g_main_loop_new(NULL, FALSE);
	g_autoptr(GCancellable) cancellable = g_cancellable_new();
	Top top = {.ctl = ctl, .loop = loop, .cancellable = cancellable};
	g_autofree char *sort = NULL;
	g_auto(GStrv) args = NULL;
	g_autoptr(GVariant) properties = NULL;
	g_autoptr(GError) error = NULL;
	const GOptionEntry entries[] = {
	    {"sort", 's', 0, G_OPTION_ARG_STRING, &sort, "Sort by a column", "COLUMN"},
	    {"reverse", 'r', 0, G_OPTION_ARG_NONE, &top.view.reverse, "Reverse the order", NULL},
	    {"confident", 'c', 0, G_OPTION_ARG_NONE, &top.view.confident, "Only confident ones",
	     NULL},
	    {NULL},
	};
	int column, status;

	if (!options_parse(ctl, command, entries, argv, &args))
		return CTL_USAGE;
	column = sort ? order_column(sort) : ROW_LAST_SEEN;
	if ((column < 0 || column >= ROW_TEXTS) &&
	    !options_is_word(command, "column", sort, order_words()))
		return CTL_USAGE;
	top.view.sort = (guint)column;
	top.by_choice = sort != NULL;
	if (ctl->json || !isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO))
		return options_usage(command, "it needs a terminal; for programs there are \"list "
					      "--json\" and \"monitor --json\"");
	status = bus_connect(ctl);
	if (status != CTL_OK)
		return status;
	/* An error at the start is printed, not shown on the screen. */
	properties = bus_properties(ctl, &error);
	if (!properties)
		return failure_report(NULL, NULL, error);
	if (!top_screen_open(out_colour(ctl)))
		return CTL_FAILED;
	signal(SIGQUIT, on_quit);
	top.filter = g_string_new(NULL);
	top.places = order_places_new();
	top.table = row_table_new();
	run(&top);
	top_screen_close();
	clear(&top);
	return CTL_OK;
}
