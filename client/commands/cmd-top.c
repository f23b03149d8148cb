/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include <curses.h>
#include <string.h>
#include <unistd.h>

#include <glib-unix.h>

#include "bus.h"
#include "commands.h"
#include "failure.h"
#include "options.h"
#include "output.h"
#include "row-text.h"
#include "top-screen.h"

#define KEY_ESCAPE 27
#define KEY_CTRL_L 12

typedef struct {
	Ctl *ctl;
	GMainLoop *loop;
	GCancellable *cancellable;
	GVariant *reply; /* the last list of all profiles */
	Rows *rows;	 /* what is shown of it */
	GString *filter;
	char *title;
	char *alarm;
	gboolean fetching; /* a list is on its way */
	gboolean stale;	   /* and something changed since it was asked for */
	TopView view;
} Top;

static gboolean is_wanted(const Row *row, gpointer user_data)
{
	Top *top = user_data;
	g_autofree char *pattern = NULL;

	if (top->view.confident && !row->confident)
		return FALSE;
	if (top->filter->len == 0)
		return TRUE;
	pattern = rows_is_pattern(top->filter->str) ? g_strdup(top->filter->str)
						    : g_strdup_printf("*%s*", top->filter->str);
	return rows_match(pattern, row->name);
}

static void redraw(Top *top)
{
	top->view.rows = top->rows;
	top->view.title = top->title ? top->title : "";
	top->view.alarm = top->alarm;
	top->view.filter = top->filter->str;
	top_screen_draw(&top->view);
}

/* Chooses and sorts anew from the last list. */
static void update(Top *top)
{
	g_clear_pointer(&top->rows, rows_free);
	if (top->reply) {
		top->rows = rows_from_variant(top->reply);
		rows_keep(top->rows, is_wanted, top);
		rows_sort(top->rows, rows_order(row_columns[top->view.sort].key),
			  top->view.reverse);
	}
	redraw(top);
}

static void set_alarm(Top *top, char *alarm)
{
	g_free(top->alarm);
	top->alarm = alarm;
	redraw(top);
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
	g_free(top->title);
	top->title = g_strdup_printf("ProcDb %s   %s: %s   %u profiles, %u confident   "
				     "%" G_GUINT64_FORMAT " observations",
				     version, backend, state, profiles, confident, observations);
	redraw(top);
}

static gboolean is_running(const Top *top)
{
	g_autofree char *owner = g_dbus_proxy_get_name_owner(G_DBUS_PROXY(top->ctl->proxy));

	return owner != NULL;
}

static void alarm_stopped(Top *top)
{
	set_alarm(top, g_strdup("The service stopped; these are its last values."));
}

static void fetch(Top *top);

static void on_list(GObject *source, GAsyncResult *result, gpointer user_data)
{
	g_autoptr(GVariant) profiles = NULL;
	g_autoptr(GError) error = NULL;
	Top *top = user_data;

	if (!procdb_dbus_proc_db1_call_list_profiles_finish(PROCDB_DBUS_PROC_DB1(source), &profiles,
							    result, &error)) {
		if (g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
			return;
		top->fetching = FALSE;
		g_dbus_error_strip_remote_error(error);
		if (is_running(top))
			set_alarm(top, g_strdup_printf("No answer: %s", error->message));
		else
			alarm_stopped(top);
		/* Another service may have come while the last one took the answer along. */
		if (top->stale && is_running(top))
			fetch(top);
		return;
	}
	top->fetching = FALSE;
	g_clear_pointer(&top->alarm, g_free);
	g_clear_pointer(&top->reply, g_variant_unref);
	top->reply = g_steal_pointer(&profiles);
	update(top);
	if (top->stale)
		fetch(top);
}

/*
 * Asks for the list; at most one call is under way. A service that was
 * stopped stays stopped: only the first call, before the screen, may start it.
 */
static void fetch(Top *top)
{
	GDBusConnection *bus = g_dbus_proxy_get_connection(G_DBUS_PROXY(top->ctl->proxy));

	top->stale = top->fetching;
	if (top->fetching)
		return;
	top->fetching = TRUE;
	procdb_dbus_proc_db1_call_list_profiles(top->ctl->proxy, G_DBUS_CALL_FLAGS_NO_AUTO_START,
						-1, top->cancellable, on_list, top);
	g_dbus_connection_call(
	    bus, PROCDB_BUS_NAME, PROCDB_BUS_PATH, "org.freedesktop.DBus.Properties", "GetAll",
	    g_variant_new("(s)", PROCDB_BUS_INTERFACE), G_VARIANT_TYPE("(a{sv})"),
	    G_DBUS_CALL_FLAGS_NO_AUTO_START, -1, top->cancellable, on_properties, top);
}

static void on_profiles_changed(Top *top)
{
	fetch(top);
}

static void on_properties_changed(GVariant *changed, gpointer user_data)
{
	fetch(user_data);
}

static void on_owner_changed(Top *top)
{
	if (is_running(top))
		fetch(top);
	else
		alarm_stopped(top);
}

static void on_bus_closed(Top *top)
{
	set_alarm(top, g_strdup("The connection to the system bus broke; press q."));
}

/* "5 s ago" ages without a word from the service. */
static gboolean on_second(gpointer user_data)
{
	redraw(user_data);
	return G_SOURCE_CONTINUE;
}

static gboolean on_resize(gpointer user_data)
{
	top_screen_resize();
	redraw(user_data);
	return G_SOURCE_CONTINUE;
}

static gboolean on_stop(gpointer user_data)
{
	g_main_loop_quit(((Top *)user_data)->loop);
	return G_SOURCE_CONTINUE;
}

static void stop_editing(Top *top, gboolean keep)
{
	top->view.editing = FALSE;
	if (!keep)
		g_string_truncate(top->filter, 0);
}

static void edit_filter(Top *top, int key, gboolean is_function)
{
	const char *end = top->filter->str + top->filter->len;

	if (!is_function && (key == '\r' || key == '\n'))
		stop_editing(top, TRUE);
	else if (!is_function && key == KEY_ESCAPE)
		stop_editing(top, FALSE);
	else if ((is_function && key == KEY_BACKSPACE) || key == 127 || key == 8)
		g_string_truncate(
		    top->filter,
		    top->filter->len ? (gsize)(g_utf8_prev_char(end) - top->filter->str) : 0);
	else if (!is_function && g_unichar_isprint((gunichar)key) && top->filter->len < 64)
		g_string_append_unichar(top->filter, (gunichar)key);
	update(top);
}

static void scroll_by(Top *top, gint64 lines)
{
	gint64 to = (gint64)top->view.scroll + lines;

	top->view.scroll = (guint)CLAMP(to, 0, G_MAXINT);
	redraw(top);
}

static void on_function_key(Top *top, int key)
{
	int page = (int)top_screen_page();

	switch (key) {
	case KEY_UP:
		scroll_by(top, -1);
		break;
	case KEY_DOWN:
		scroll_by(top, 1);
		break;
	case KEY_PPAGE:
		scroll_by(top, -page);
		break;
	case KEY_NPAGE:
		scroll_by(top, page);
		break;
	case KEY_HOME:
		scroll_by(top, -G_MAXINT);
		break;
	case KEY_END:
		scroll_by(top, G_MAXINT);
		break;
	case KEY_RESIZE: /* said by ncurses after on_resize() */
		redraw(top);
		break;
	}
}

static void on_character(Top *top, int key)
{
	TopView *view = &top->view;

	switch (key) {
	case 'q':
		g_main_loop_quit(top->loop);
		return;
	case '<':
		view->sort = (view->sort + ROW_TEXTS - 1) % ROW_TEXTS;
		break;
	case '>':
		view->sort = (view->sort + 1) % ROW_TEXTS;
		break;
	case 'r':
		view->reverse = !view->reverse;
		break;
	case 'c':
		view->confident = !view->confident;
		break;
	case '/':
		view->editing = TRUE;
		break;
	case KEY_ESCAPE:
		stop_editing(top, FALSE);
		break;
	case KEY_CTRL_L:
		top_screen_resize();
		break;
	case 'h':
	case '?':
		view->help = TRUE;
		break;
	}
	update(top);
}

static gboolean on_input(int fd, GIOCondition condition, gpointer user_data)
{
	Top *top = user_data;
	gboolean is_function;
	int key;

	while ((key = top_screen_key(&is_function)) != -1) {
		if (top->view.editing) {
			edit_filter(top, key, is_function);
		} else if (top->view.help && key != KEY_RESIZE) {
			top->view.help = FALSE;
			redraw(top);
		} else if (is_function) {
			on_function_key(top, key);
		} else {
			on_character(top, key);
		}
	}
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
	fetch(top);
	redraw(top);
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

static guint sort_index(const char *key)
{
	for (guint i = 0; i < ROW_TEXTS; i++) {
		if (g_str_equal(row_columns[i].key, key))
			return i;
	}
	return ROW_TEXTS;
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
	    {"sort", 's', 0, G_OPTION_ARG_STRING, &sort, "Sort by a column of the JSON", "COLUMN"},
	    {"reverse", 'r', 0, G_OPTION_ARG_NONE, &top.view.reverse, "Reverse the order", NULL},
	    {"confident", 'c', 0, G_OPTION_ARG_NONE, &top.view.confident, "Only confident ones",
	     NULL},
	    {NULL},
	};
	int status;

	if (!options_parse(ctl, command, entries, argv, &args))
		return CTL_USAGE;
	if (sort && !options_is_word(command, "column", sort, rows_sort_keys()))
		return CTL_USAGE;
	top.view.sort = sort_index(sort ? sort : "last_seen_us");
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
	top.filter = g_string_new(NULL);
	run(&top);
	top_screen_close();
	g_string_free(top.filter, TRUE);
	g_clear_pointer(&top.rows, rows_free);
	g_clear_pointer(&top.reply, g_variant_unref);
	g_free(top.title);
	g_free(top.alarm);
	return CTL_OK;
}
