/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include "window.h"

#include "call.h"
#include "escape.h"
#include "face.h"
#include "figures.h"
#include "plot.h"
#include "programs.h"
#include "rows.h"
#include "table.h"

/* A list is asked for this often at most, while the window has the focus, and while not. */
#define PACE_FOCUSED_MS 3000
#define PACE_UNFOCUSED_MS 5000
/* 1 << 16 is GDK_TOPLEVEL_STATE_SUSPENDED of GTK 4.12: Wayland tells that, and no other. */
#define UNSEEN (GDK_TOPLEVEL_STATE_MINIMIZED | (GdkToplevelState)(1 << 16))
/* The service adds to the history once a minute. */
#define HISTORY_US (G_GINT64_CONSTANT(60) * G_USEC_PER_SEC)
#define TRIAL_SECONDS 60

struct _MonitorWindow {
	AdwApplicationWindow parent;
	ProcdbDBusProcDb1 *proxy;
	MonitorPrograms *programs;
	GCancellable *cancellable;
	gint64 history_us;  /* when it was asked for last; 0: never */
	char *trial;	    /* the state of it that is shown */
	gboolean is_listed; /* a list of this service has come */

	GtkWidget *search;
	GtkWidget *tier;
	GtkWidget *banner;
	GtkWidget *banner_label;
	GtkWidget *toasts;
	GtkWidget *stack;
	GtkWidget *status;
	GtkWidget *start;
	GtkWidget *verdict;
	GtkWidget *progress;
	GtkWidget *trial_button;
	GtkWidget *plot;
	GtkWidget *plot_title;
	GtkWidget *rows;
	GtkWidget *view;
	GtkWidget *empty;
	GtkWidget *summary;
	GtkWidget *override;
};

G_DEFINE_FINAL_TYPE(MonitorWindow, monitor_window, ADW_TYPE_APPLICATION_WINDOW)

static gboolean is_running(MonitorWindow *self)
{
	GDBusProxy *proxy = self->proxy ? G_DBUS_PROXY(self->proxy) : NULL;
	g_autofree char *owner = proxy ? g_dbus_proxy_get_name_owner(proxy) : NULL;

	return owner && !g_dbus_connection_is_closed(g_dbus_proxy_get_connection(proxy));
}

static void told(GObject *listener, const char *text, gboolean is_failure)
{
	MonitorWindow *self = MONITOR_WINDOW(listener);
	AdwToast *toast;
	g_autofree char *markup = g_markup_escape_text(text, -1);

	/* The window was closed while the call was under way. */
	if (!self->proxy)
		return;
	toast = adw_toast_new(markup);
	adw_toast_set_priority(toast, ADW_TOAST_PRIORITY_HIGH);
	adw_toast_set_timeout(toast, is_failure ? 10 : 4);
	adw_toast_overlay_add_toast(ADW_TOAST_OVERLAY(self->toasts), toast);
}

static void on_history(GObject *source, GAsyncResult *result, gpointer data)
{
	g_autoptr(GVariant) history = NULL;
	g_autoptr(GError) error = NULL;
	MonitorWindow *self = data;

	if (procdb_dbus_proc_db1_call_get_history_finish(PROCDB_DBUS_PROC_DB1(source), &history,
							 result, &error))
		monitor_plot_set_history(MONITOR_PLOT(self->plot), history);
	else if (!g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
		g_debug("No history: %s", error->message);
}

static void on_trial(GObject *source, GAsyncResult *result, gpointer data)
{
	g_autoptr(GVariant) trial = NULL;
	g_autoptr(GError) error = NULL;
	g_autofree char *text = NULL;
	MonitorWindow *self = data;

	if (!procdb_dbus_proc_db1_call_get_trial_finish(PROCDB_DBUS_PROC_DB1(source), &trial,
							result, &error))
		return;
	text = monitor_face_verdict(trial);
	gtk_label_set_text(GTK_LABEL(self->verdict), text);
	gtk_widget_set_tooltip_text(self->verdict, text);
}

static void show_trial(MonitorWindow *self)
{
	const char *state = procdb_dbus_proc_db1_get_trial_state(self->proxy);
	const gboolean runs = g_strcmp0(state, "running") == 0;
	const guint percent = procdb_dbus_proc_db1_get_trial_progress(self->proxy);

	gtk_widget_set_visible(self->progress, runs);
	gtk_widget_set_visible(self->verdict, !runs);
	/* Each time it is set, screen readers are told. */
	if (runs)
		gtk_progress_bar_set_fraction(GTK_PROGRESS_BAR(self->progress),
					      MIN(percent, 100) / 100.0);
	if (g_strcmp0(state, self->trial) == 0)
		return;
	gtk_button_set_label(GTK_BUTTON(self->trial_button),
			     runs ? "_Stop the Trial" : "_Try Whether It Helps");
	g_free(self->trial);
	self->trial = g_strdup(state);
	gtk_label_set_text(GTK_LABEL(self->verdict), "");
	if (state && !runs && !g_str_equal(state, "none"))
		procdb_dbus_proc_db1_call_get_trial(self->proxy, G_DBUS_CALL_FLAGS_NO_AUTO_START,
						    -1, self->cancellable, on_trial, self);
}

static void show_summary(MonitorWindow *self)
{
	MonitorProgram *program = monitor_table_selected(GTK_COLUMN_VIEW(self->view));
	g_autofree char *text =
	    program ? monitor_face_program(program) : monitor_face_counts(self->proxy);

	gtk_label_set_text(GTK_LABEL(self->summary), text);
	gtk_widget_set_sensitive(self->override, program != NULL);
	gtk_widget_action_set_enabled(GTK_WIDGET(self), "win.override", program != NULL);
}

static void show_banner(MonitorWindow *self)
{
	g_autofree char *text = is_running(self) ? monitor_face_banner(self->proxy) : NULL;

	if (text)
		gtk_label_set_text(GTK_LABEL(self->banner_label), text);
	gtk_info_bar_set_revealed(GTK_INFO_BAR(self->banner), text != NULL);
}

/* In the place of a table without rows stands why it has none. */
static void show_rows(MonitorWindow *self)
{
	GListModel *known = monitor_programs_list(self->programs);
	GListModel *shown = G_LIST_MODEL(gtk_column_view_get_model(GTK_COLUMN_VIEW(self->view)));
	const char *search = gtk_editable_get_text(GTK_EDITABLE(self->search));
	const gboolean is_empty = self->is_listed && g_list_model_get_n_items(shown) == 0 &&
				  !monitor_programs_may_find(self->programs, search);
	const char *title, *why = monitor_face_empty(g_list_model_get_n_items(known), &title);

	adw_status_page_set_title(ADW_STATUS_PAGE(self->empty), title);
	adw_status_page_set_description(ADW_STATUS_PAGE(self->empty), why);
	gtk_widget_set_visible(self->rows, !is_empty);
	gtk_widget_set_visible(self->empty, is_empty);
}

static void on_properties_changed(GDBusProxy *proxy, GVariant *changed, const char *const *gone,
				  MonitorWindow *self)
{
	show_banner(self);
	show_trial(self);
	show_summary(self);
}

static void on_selected(GtkSelectionModel *model, GParamSpec *pspec, MonitorWindow *self)
{
	show_summary(self);
}

/* What comes once a minute is asked for when something else has changed. */
static void on_updated(MonitorPrograms *programs, guint changes, MonitorWindow *self)
{
	const gint64 now_us = g_get_monotonic_time();

	self->is_listed = TRUE;
	show_rows(self);
	show_summary(self);
	/* A time that it names may have passed. */
	show_banner(self);
	/* A list that failed may have taken its place. */
	if (is_running(self))
		gtk_stack_set_visible_child_name(GTK_STACK(self->stack), "list");
	if (self->history_us > 0 && now_us - self->history_us < HISTORY_US)
		return;
	self->history_us = now_us;
	procdb_dbus_proc_db1_call_get_history(self->proxy, G_DBUS_CALL_FLAGS_NO_AUTO_START, -1,
					      self->cancellable, on_history, self);
}

static void on_failed(MonitorPrograms *programs, const GError *error, MonitorWindow *self)
{
	g_autoptr(GError) plain = g_error_copy(error);
	g_autofree char *text = NULL;

	if (!is_running(self))
		return;
	if (rows_is_unknown_method(error)) {
		monitor_window_fail(self, "The Service Is Too Old",
				    "It is older than this window. Restart it: systemctl restart "
				    "pandemonium-procdbd");
		return;
	}
	g_dbus_error_strip_remote_error(plain);
	text = escape_plain(plain->message);
	monitor_window_fail(self, "The Service Gave No List", text);
}

static void on_owner_changed(GDBusProxy *proxy, GParamSpec *pspec, MonitorWindow *self)
{
	const gboolean runs = is_running(self);

	self->history_us = 0;
	self->is_listed = FALSE;
	show_rows(self);
	if (!runs) {
		adw_status_page_set_title(ADW_STATUS_PAGE(self->status),
					  "The Service Does Not Run");
		adw_status_page_set_description(ADW_STATUS_PAGE(self->status),
						"Programs are shown here as soon as it does.");
	}
	gtk_widget_set_visible(self->start, !runs);
	gtk_widget_action_set_enabled(GTK_WIDGET(self), "win.trial", runs);
	gtk_stack_set_visible_child_name(GTK_STACK(self->stack), runs ? "list" : "stopped");
	on_properties_changed(proxy, NULL, NULL, self);
}

static void on_bus_closed(GDBusConnection *bus, gboolean remote, GError *error, MonitorWindow *self)
{
	gtk_widget_action_set_enabled(GTK_WIDGET(self), "win.trial", FALSE);
	show_banner(self);
	monitor_window_fail(self, "The Connection to the System Bus Broke",
			    "Close this window, and open it again.");
}

static void act_override(GtkWidget *widget, const char *action, GVariant *parameter)
{
	MonitorWindow *self = MONITOR_WINDOW(widget);
	MonitorProgram *program = monitor_table_selected(GTK_COLUMN_VIEW(self->view));
	const char *tier = g_variant_get_string(parameter, NULL);
	g_autofree char *done = NULL;
	const char *name;

	if (!program || !is_running(self))
		return;
	name = monitor_program_name(program);
	if (g_str_equal(tier, "none")) {
		done = g_strdup_printf("“%s” has no override of an administrator now", name);
		monitor_call(self->proxy, "ClearOverride", g_variant_new("(s)", name), done,
			     G_OBJECT(self), told);
	} else {
		done = g_strdup_printf("New tasks named “%s” start as %s from now on", name, tier);
		monitor_call(self->proxy, "SetOverride", g_variant_new("(ss)", name, tier), done,
			     G_OBJECT(self), told);
	}
}

static void act_trial(GtkWidget *widget, const char *action, GVariant *parameter)
{
	MonitorWindow *self = MONITOR_WINDOW(widget);
	const char *state = self->proxy ? procdb_dbus_proc_db1_get_trial_state(self->proxy) : NULL;

	if (!is_running(self))
		return;
	if (g_strcmp0(state, "running") == 0)
		monitor_call(self->proxy, "StopTrial", NULL, NULL, G_OBJECT(self), told);
	else
		monitor_call(self->proxy, "StartTrial", g_variant_new("(u)", TRIAL_SECONDS),
			     "Trying for a minute: use the machine as always", G_OBJECT(self),
			     told);
}

static void act_start(GtkWidget *widget, const char *action, GVariant *parameter)
{
	MonitorWindow *self = MONITOR_WINDOW(widget);

	if (self->proxy)
		monitor_call_start(g_dbus_proxy_get_connection(G_DBUS_PROXY(self->proxy)),
				   G_OBJECT(self), told);
}

static void act_search(GtkWidget *widget, const char *action, GVariant *parameter)
{
	gtk_widget_grab_focus(MONITOR_WINDOW(widget)->search);
}

/* The plot is of the tier that is chosen, or of the one that slices are to help. */
static void on_tier(GtkDropDown *tier, GParamSpec *pspec, MonitorWindow *self)
{
	const guint selected = gtk_drop_down_get_selected(tier);
	const char *word = selected > 0 && selected != GTK_INVALID_LIST_POSITION
			       ? rows_words[selected - 1]
			       : procdb_tier_name(PROCDB_TIER_LAT_CRITICAL);
	g_autofree char *title = NULL;

	if (rows_tier_rank(word) < 0)
		return;
	title = g_strdup_printf("Delays of the Last Hour, %s", word);
	gtk_label_set_text(GTK_LABEL(self->plot_title), title);
	monitor_plot_set_tier(MONITOR_PLOT(self->plot), word);
}

static void on_search(GtkEditable *search, MonitorWindow *self)
{
	if (!self->programs)
		return;
	monitor_programs_search(self->programs, gtk_editable_get_text(search));
	show_rows(self);
}

/* Enter goes from the search to what was found. */
static void on_found(GtkSearchEntry *search, MonitorWindow *self)
{
	GtkSelectionModel *model = gtk_column_view_get_model(GTK_COLUMN_VIEW(self->view));

	if (!model || g_list_model_get_n_items(G_LIST_MODEL(model)) == 0)
		return;
	gtk_selection_model_select_item(model, 0, TRUE);
	gtk_widget_grab_focus(self->view);
}

static void act_about(GtkWidget *widget, const char *action, GVariant *parameter)
{
	adw_show_about_window(GTK_WINDOW(widget), "application-name", "ProcDb Monitor",
			      "application-icon", "org.pandemonium.Monitor", "version",
			      PROCDB_VERSION, "developer-name", "The ProcDb developers",
			      "copyright", "© 2026 The ProcDb developers", "license-type",
			      GTK_LICENSE_GPL_2_0_ONLY, "comments",
			      "What programs behave like, and what that is good for", NULL);
}

/* A list that is not seen is not asked for, and one beside other windows seldom. */
static void set_pace(MonitorWindow *self)
{
	GdkSurface *surface = gtk_native_get_surface(GTK_NATIVE(self));
	const gboolean is_seen = surface && gtk_widget_get_mapped(GTK_WIDGET(self)) &&
				 !(gdk_toplevel_get_state(GDK_TOPLEVEL(surface)) & UNSEEN);

	if (self->programs)
		monitor_programs_set_pace(self->programs, !is_seen ? 0
							  : gtk_window_is_active(GTK_WINDOW(self))
							      ? PACE_FOCUSED_MS
							      : PACE_UNFOCUSED_MS);
}

static void on_mapped(GtkWidget *widget)
{
	GdkSurface *surface = gtk_native_get_surface(GTK_NATIVE(widget));

	g_signal_handlers_disconnect_by_func(surface, set_pace, widget);
	g_signal_connect_object(surface, "notify::state", G_CALLBACK(set_pace), widget,
				G_CONNECT_SWAPPED);
	set_pace(MONITOR_WINDOW(widget));
}

static void act_override_menu(GtkWidget *widget, const char *action, GVariant *parameter)
{
	MonitorWindow *self = MONITOR_WINDOW(widget);

	if (gtk_widget_get_sensitive(self->override))
		gtk_menu_button_popup(GTK_MENU_BUTTON(self->override));
}

static void dispose(GObject *object)
{
	MonitorWindow *self = MONITOR_WINDOW(object);

	g_cancellable_cancel(self->cancellable);
	g_clear_object(&self->cancellable);
	if (self->proxy)
		g_signal_handlers_disconnect_by_data(self->proxy, self);
	if (self->programs)
		g_signal_handlers_disconnect_by_data(self->programs, self);
	g_clear_object(&self->programs);
	g_clear_object(&self->proxy);
	G_OBJECT_CLASS(monitor_window_parent_class)->dispose(object);
}

static void finalize(GObject *object)
{
	g_free(MONITOR_WINDOW(object)->trial);
	G_OBJECT_CLASS(monitor_window_parent_class)->finalize(object);
}

static void bind_children(GtkWidgetClass *class)
{
	static const struct {
		const char *name;
		gssize offset;
	} children[] = {
	    {"search", G_STRUCT_OFFSET(MonitorWindow, search)},
	    {"tier", G_STRUCT_OFFSET(MonitorWindow, tier)},
	    {"banner", G_STRUCT_OFFSET(MonitorWindow, banner)},
	    {"banner_label", G_STRUCT_OFFSET(MonitorWindow, banner_label)},
	    {"toasts", G_STRUCT_OFFSET(MonitorWindow, toasts)},
	    {"stack", G_STRUCT_OFFSET(MonitorWindow, stack)},
	    {"status", G_STRUCT_OFFSET(MonitorWindow, status)},
	    {"start", G_STRUCT_OFFSET(MonitorWindow, start)},
	    {"verdict", G_STRUCT_OFFSET(MonitorWindow, verdict)},
	    {"progress", G_STRUCT_OFFSET(MonitorWindow, progress)},
	    {"trial_button", G_STRUCT_OFFSET(MonitorWindow, trial_button)},
	    {"plot", G_STRUCT_OFFSET(MonitorWindow, plot)},
	    {"plot_title", G_STRUCT_OFFSET(MonitorWindow, plot_title)},
	    {"rows", G_STRUCT_OFFSET(MonitorWindow, rows)},
	    {"view", G_STRUCT_OFFSET(MonitorWindow, view)},
	    {"empty", G_STRUCT_OFFSET(MonitorWindow, empty)},
	    {"summary", G_STRUCT_OFFSET(MonitorWindow, summary)},
	    {"override", G_STRUCT_OFFSET(MonitorWindow, override)},
	};

	for (gsize i = 0; i < G_N_ELEMENTS(children); i++)
		gtk_widget_class_bind_template_child_full(class, children[i].name, FALSE,
							  children[i].offset);
}

static void monitor_window_class_init(MonitorWindowClass *class)
{
	GtkWidgetClass *widget_class = GTK_WIDGET_CLASS(class);

	G_OBJECT_CLASS(class)->dispose = dispose;
	G_OBJECT_CLASS(class)->finalize = finalize;
	g_type_ensure(MONITOR_TYPE_PLOT);
	gtk_widget_class_set_template_from_resource(widget_class,
						    "/org/pandemonium/Monitor/window.ui");
	bind_children(widget_class);
	gtk_widget_class_install_action(widget_class, "win.override", "s", act_override);
	gtk_widget_class_install_action(widget_class, "win.override-menu", NULL, act_override_menu);
	gtk_widget_class_install_action(widget_class, "win.trial", NULL, act_trial);
	gtk_widget_class_install_action(widget_class, "win.start-service", NULL, act_start);
	gtk_widget_class_install_action(widget_class, "win.search", NULL, act_search);
	gtk_widget_class_install_action(widget_class, "win.about", NULL, act_about);
}

static void monitor_window_init(MonitorWindow *self)
{
	g_autoptr(GSimpleAction) kernel_threads =
	    g_simple_action_new_stateful("kernel-threads", NULL, g_variant_new_boolean(FALSE));

	gtk_widget_init_template(GTK_WIDGET(self));
	self->cancellable = g_cancellable_new();
	g_action_map_add_action(G_ACTION_MAP(self), G_ACTION(kernel_threads));
	gtk_search_entry_set_key_capture_widget(GTK_SEARCH_ENTRY(self->search), GTK_WIDGET(self));
	g_signal_connect(self->search, "search-changed", G_CALLBACK(on_search), self);
	g_signal_connect(self->search, "activate", G_CALLBACK(on_found), self);
	gtk_widget_action_set_enabled(GTK_WIDGET(self), "win.override", FALSE);
	gtk_widget_action_set_enabled(GTK_WIDGET(self), "win.trial", FALSE);
	g_signal_connect(self, "notify::is-active", G_CALLBACK(set_pace), NULL);
	g_signal_connect(self, "map", G_CALLBACK(on_mapped), NULL);
	g_signal_connect(self, "unmap", G_CALLBACK(set_pace), NULL);
}

MonitorWindow *monitor_window_new(AdwApplication *application)
{
	return g_object_new(MONITOR_TYPE_WINDOW, "application", application, NULL);
}

void monitor_window_follow(MonitorWindow *self, ProcdbDBusProcDb1 *proxy)
{
	GDBusConnection *bus = g_dbus_proxy_get_connection(G_DBUS_PROXY(proxy));
	GtkColumnView *view = GTK_COLUMN_VIEW(self->view);

	/* Else GDBus would end the program without a word when the bus goes. */
	g_dbus_connection_set_exit_on_close(bus, FALSE);
	g_signal_connect_object(bus, "closed", G_CALLBACK(on_bus_closed), self, 0);
	self->proxy = g_object_ref(proxy);
	self->programs = monitor_programs_new(proxy);
	monitor_table_fill(view, self->programs, GTK_EDITABLE(self->search),
			   GTK_DROP_DOWN(self->tier),
			   g_action_map_lookup_action(G_ACTION_MAP(self), "kernel-threads"));
	g_signal_connect_object(gtk_column_view_get_model(view), "notify::selected-item",
				G_CALLBACK(on_selected), self, 0);
	g_signal_connect_object(gtk_column_view_get_model(view), "items-changed",
				G_CALLBACK(show_rows), self, G_CONNECT_SWAPPED);
	g_signal_connect(self->programs, "updated", G_CALLBACK(on_updated), self);
	g_signal_connect(self->programs, "failed", G_CALLBACK(on_failed), self);
	g_signal_connect(proxy, "g-properties-changed", G_CALLBACK(on_properties_changed), self);
	g_signal_connect(proxy, "notify::g-name-owner", G_CALLBACK(on_owner_changed), self);
	g_signal_connect(self->tier, "notify::selected", G_CALLBACK(on_tier), self);
	on_tier(GTK_DROP_DOWN(self->tier), NULL, self);
	set_pace(self);
	on_owner_changed(G_DBUS_PROXY(proxy), NULL, self);
}

void monitor_window_fail(MonitorWindow *self, const char *title, const char *why)
{
	g_autofree char *markup = g_markup_escape_text(why, -1);

	adw_status_page_set_title(ADW_STATUS_PAGE(self->status), title);
	adw_status_page_set_description(ADW_STATUS_PAGE(self->status), markup);
	gtk_widget_set_visible(self->start, FALSE);
	gtk_stack_set_visible_child_name(GTK_STACK(self->stack), "stopped");
}
