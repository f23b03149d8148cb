/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include "table.h"

#include "rows.h"

/* The key of a column's order. */
#define ORDER "order"

typedef struct {
	const char *id;
	const char *title;
	const char *shown; /* the property of a program that its cells show, or NULL: */
	char *(*text)(MonitorProgram *program); /* makes what they show */
	const char *sorted;			/* the one that it is sorted by */
	gboolean is_number;			/* what it is sorted by */
	int width;
	MonitorChanges order; /* after which it is to be sorted again; 0: it does not change */
} Column;

static const Column columns[] = {
    {"name", "Program", "title", NULL, "name", FALSE, 0, 0},
    {"tier", "Tier", "tier", NULL, "rank", TRUE, 120, MONITOR_CHANGES_TIER},
    {"origin", "Decided By", "origin", NULL, "origin", FALSE, 110, MONITOR_CHANGES_ORIGIN},
    {"cpu", "CPU", NULL, monitor_program_cpu_text, "cpu", TRUE, 90, MONITOR_CHANGES_CPU},
    {"wakeups", "Wake-Ups", NULL, monitor_program_wakeups_text, "wakeups", TRUE, 100,
     MONITOR_CHANGES_WAKEUPS},
};

/* The property of the program that a cell shows. */
static GtkExpression *property_of_cell(const char *property)
{
	return gtk_property_expression_new(
	    MONITOR_TYPE_PROGRAM, gtk_property_expression_new(GTK_TYPE_LIST_ITEM, NULL, "item"),
	    property);
}

static GtkExpression *property_of_program(const char *property)
{
	return gtk_property_expression_new(MONITOR_TYPE_PROGRAM, NULL, property);
}

static GtkWidget *label_new(const Column *column, GtkListItem *item)
{
	GtkWidget *label = gtk_label_new(NULL);

	gtk_label_set_xalign(GTK_LABEL(label), 0);
	gtk_label_set_ellipsize(GTK_LABEL(label), PANGO_ELLIPSIZE_END);
	gtk_expression_bind(property_of_cell(column->shown), label, "label", item);
	return label;
}

/*
 * A cell whose text changes often: an inscription has its size from the column, so another text is
 * drawn, and nothing is laid out.
 */
static GtkWidget *inscription_new(float xalign)
{
	GtkWidget *text = gtk_inscription_new(NULL);

	gtk_inscription_set_xalign(GTK_INSCRIPTION(text), xalign);
	gtk_inscription_set_min_chars(GTK_INSCRIPTION(text), 1);
	gtk_inscription_set_text_overflow(GTK_INSCRIPTION(text),
					  GTK_INSCRIPTION_OVERFLOW_ELLIPSIZE_END);
	return text;
}

static void on_setup_word(GtkSignalListItemFactory *factory, GtkListItem *item, gpointer data)
{
	const Column *column = data;
	GtkWidget *text = inscription_new(0);

	gtk_expression_bind(property_of_cell(column->shown), text, "text", item);
	gtk_list_item_set_child(item, text);
}

/* A program, with its icon. */
static void on_setup_name(GtkSignalListItemFactory *factory, GtkListItem *item, gpointer data)
{
	GtkWidget *box = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, 8);
	GtkWidget *image = gtk_image_new();

	gtk_expression_bind(property_of_cell("icon"), image, "gicon", item);
	gtk_accessible_update_state(GTK_ACCESSIBLE(image), GTK_ACCESSIBLE_STATE_HIDDEN, TRUE, -1);
	gtk_box_append(GTK_BOX(box), image);
	gtk_box_append(GTK_BOX(box), label_new(data, item));
	gtk_list_item_set_child(item, box);
}

/* Cells whose text changes with each list, of all rows that have widgets, which are hundreds. */
static void on_setup_number(GtkSignalListItemFactory *factory, GtkListItem *item, GPtrArray *cells)
{
	GtkWidget *text = inscription_new(1);

	gtk_widget_add_css_class(text, "numeric");
	gtk_widget_set_margin_end(text, 12);
	gtk_list_item_set_child(item, text);
	g_ptr_array_add(cells, item);
}

static void on_teardown_number(GtkSignalListItemFactory *factory, GtkListItem *item,
			       GPtrArray *cells)
{
	g_ptr_array_remove_fast(cells, item);
}

static void show_number(GtkListItem *item, const Column *column)
{
	g_autofree char *text = column->text(gtk_list_item_get_item(item));
	GtkInscription *shown = GTK_INSCRIPTION(gtk_list_item_get_child(item));

	if (g_strcmp0(gtk_inscription_get_text(shown), text) != 0)
		gtk_inscription_set_text(shown, text);
}

static void on_bind_number(GtkSignalListItemFactory *factory, GtkListItem *item, gpointer column)
{
	show_number(item, column);
}

/* The cells of a column whose texts are made. */
static GPtrArray *cells_of(GtkColumnView *view, const Column *column)
{
	return g_object_get_data(G_OBJECT(view), column->id);
}

/* Brings the numbers up to date that are in sight, in rows of the same height. */
static void show_numbers(GtkColumnView *view)
{
	GtkAdjustment *place = gtk_scrollable_get_vadjustment(GTK_SCROLLABLE(view));
	const guint count = g_list_model_get_n_items(G_LIST_MODEL(gtk_column_view_get_model(view)));
	const double height = gtk_adjustment_get_upper(place) / MAX(count, 1);
	const double top = gtk_adjustment_get_value(place) - height;
	const double bottom = top + gtk_adjustment_get_page_size(place) + 2 * height;

	for (gsize i = 0; i < G_N_ELEMENTS(columns); i++) {
		GPtrArray *cells = cells_of(view, &columns[i]);

		for (guint j = 0; cells && j < cells->len; j++) {
			GtkListItem *item = g_ptr_array_index(cells, j);
			const double y = gtk_list_item_get_position(item) * height;

			if (gtk_list_item_get_item(item) && y >= top && y <= bottom)
				show_number(item, &columns[i]);
		}
	}
}

static GtkSorter *sorter_of(const Column *column)
{
	GtkExpression *expression = property_of_program(column->sorted);

	return column->is_number ? GTK_SORTER(gtk_numeric_sorter_new(expression))
				 : GTK_SORTER(gtk_string_sorter_new(expression));
}

static void unref_cells(gpointer cells, GClosure *closure)
{
	g_ptr_array_unref(cells);
}

static GtkColumnViewColumn *column_new(GtkColumnView *view, const Column *column)
{
	GtkListItemFactory *factory = gtk_signal_list_item_factory_new();
	GtkColumnViewColumn *shown = gtk_column_view_column_new(column->title, factory);
	g_autoptr(GtkSorter) sorter = sorter_of(column);
	const gboolean is_name = g_str_equal(column->id, "name");

	if (column->text) {
		GPtrArray *cells = g_ptr_array_new();

		g_object_set_data_full(G_OBJECT(view), column->id, cells,
				       (GDestroyNotify)g_ptr_array_unref);
		g_signal_connect_data(factory, "setup", G_CALLBACK(on_setup_number),
				      g_ptr_array_ref(cells), unref_cells, 0);
		g_signal_connect_data(factory, "teardown", G_CALLBACK(on_teardown_number),
				      g_ptr_array_ref(cells), unref_cells, 0);
		g_signal_connect(factory, "bind", G_CALLBACK(on_bind_number), (gpointer)column);
	} else {
		g_signal_connect(factory, "setup",
				 G_CALLBACK(is_name ? on_setup_name : on_setup_word),
				 (gpointer)column);
	}
	gtk_column_view_column_set_sorter(shown, sorter);
	g_object_set_data(G_OBJECT(shown), ORDER, GUINT_TO_POINTER(column->order));
	gtk_column_view_column_set_resizable(shown, TRUE);
	gtk_column_view_column_set_expand(shown, is_name);
	if (column->width > 0)
		gtk_column_view_column_set_fixed_width(shown, column->width);
	return shown;
}

/* Tells the sorters of these columns: of those that the view is not sorted by it takes no notice.
 */
static void sort_again(GtkColumnView *view, guint changes)
{
	GListModel *shown = gtk_column_view_get_columns(view);

	for (guint i = 0; i < g_list_model_get_n_items(shown); i++) {
		g_autoptr(GtkColumnViewColumn) column = g_list_model_get_item(shown, i);

		if (changes & GPOINTER_TO_UINT(g_object_get_data(G_OBJECT(column), ORDER)))
			gtk_sorter_changed(gtk_column_view_column_get_sorter(column),
					   GTK_SORTER_CHANGE_DIFFERENT);
	}
}

/* Rows have other tiers and titles, of which filters are not told. */
static void on_filtered(MonitorPrograms *programs, guint changes, GtkFilter *filter)
{
	if (changes & MONITOR_CHANGES_CHOICE)
		gtk_filter_changed(filter, GTK_FILTER_CHANGE_DIFFERENT);
}

/*
 * Numbers have changed, of which sorters are not told. The view stays with the row that it begins
 * with, unless that is the first one: then it stays at the top.
 */
static void on_updated(MonitorPrograms *programs, guint changes, GtkColumnView *view)
{
	GtkAdjustment *place = gtk_scrollable_get_vadjustment(GTK_SCROLLABLE(view));
	const gboolean is_top = gtk_adjustment_get_value(place) <= 0;

	sort_again(view, changes);
	if (is_top && gtk_adjustment_get_value(place) > 0)
		gtk_adjustment_set_value(place, 0);
	show_numbers(view);
}

static GtkFilter *search_filter(GtkEditable *search)
{
	GtkStringFilter *filter = gtk_string_filter_new(property_of_program("title"));

	g_object_bind_property(search, "text", filter, "search", G_BINDING_SYNC_CREATE);
	return GTK_FILTER(filter);
}

/* The first entry of the drop-down stands for all tiers, the others are words. */
static gboolean word_of_selection(GBinding *binding, const GValue *from, GValue *to, gpointer data)
{
	const guint selected = g_value_get_uint(from);

	g_value_set_static_string(to, selected == 0 ? NULL : rows_words[selected - 1]);
	return TRUE;
}

static GtkFilter *tier_filter(GtkDropDown *tier)
{
	GtkStringFilter *filter = gtk_string_filter_new(property_of_program("word"));
	g_autoptr(GtkStringList) choices = gtk_string_list_new(NULL);

	gtk_string_filter_set_match_mode(filter, GTK_STRING_FILTER_MATCH_MODE_EXACT);
	gtk_string_list_append(choices, "All Tiers");
	for (const char *const *word = rows_words; *word; word++)
		gtk_string_list_append(choices, *word);
	gtk_drop_down_set_model(tier, G_LIST_MODEL(choices));
	g_object_bind_property_full(tier, "selected", filter, "search", G_BINDING_SYNC_CREATE,
				    word_of_selection, NULL, NULL, NULL);
	return GTK_FILTER(filter);
}

static gboolean is_wanted(gpointer item, gpointer data)
{
	g_autoptr(GVariant) kernel_threads = g_action_get_state(data);
	gboolean is_kernel_thread;

	g_object_get(item, "is-kernel-thread", &is_kernel_thread, NULL);
	return !is_kernel_thread || g_variant_get_boolean(kernel_threads);
}

static void on_kernel_threads(GAction *action, GParamSpec *pspec, GtkFilter *filter)
{
	gtk_filter_changed(filter, GTK_FILTER_CHANGE_DIFFERENT);
}

static GtkFilter *kernel_filter(GAction *action)
{
	GtkCustomFilter *filter =
	    gtk_custom_filter_new(is_wanted, g_object_ref(action), g_object_unref);

	g_signal_connect_object(action, "notify::state", G_CALLBACK(on_kernel_threads), filter, 0);
	return GTK_FILTER(filter);
}

void monitor_table_fill(GtkColumnView *view, MonitorPrograms *programs, GtkEditable *search,
			GtkDropDown *tier, GAction *kernel_threads)
{
	GtkMultiFilter *filter = GTK_MULTI_FILTER(gtk_every_filter_new());
	GListModel *list = g_object_ref(monitor_programs_list(programs));
	GtkColumnViewColumn *first = NULL;
	GtkMultiSorter *sorter = gtk_multi_sorter_new();
	GtkSortListModel *sorted;
	g_autoptr(GtkSingleSelection) selection = NULL;

	gtk_multi_filter_append(filter, kernel_filter(kernel_threads));
	gtk_multi_filter_append(filter, tier_filter(tier));
	gtk_multi_filter_append(filter, search_filter(search));
	for (gsize i = 0; i < G_N_ELEMENTS(columns); i++) {
		g_autoptr(GtkColumnViewColumn) column = column_new(view, &columns[i]);

		gtk_column_view_append_column(view, column);
		if (g_str_equal(columns[i].id, "cpu"))
			first = column;
	}
	gtk_column_view_sort_by_column(view, first, GTK_SORT_DESCENDING);
	/* What is equal by the headers keeps its place by its name. */
	gtk_multi_sorter_append(sorter, g_object_ref(gtk_column_view_get_sorter(view)));
	gtk_multi_sorter_append(sorter, sorter_of(&columns[0]));
	sorted = gtk_sort_list_model_new(
	    G_LIST_MODEL(gtk_filter_list_model_new(list, GTK_FILTER(filter))), GTK_SORTER(sorter));
	selection = gtk_single_selection_new(G_LIST_MODEL(sorted));
	gtk_single_selection_set_autoselect(selection, FALSE);
	gtk_single_selection_set_can_unselect(selection, TRUE);
	gtk_column_view_set_model(view, GTK_SELECTION_MODEL(selection));
	g_signal_connect_object(programs, "updated", G_CALLBACK(on_filtered), filter, 0);
	g_signal_connect_object(programs, "updated", G_CALLBACK(on_updated), view, 0);
	g_signal_connect_object(gtk_scrollable_get_vadjustment(GTK_SCROLLABLE(view)),
				"value-changed", G_CALLBACK(show_numbers), view, G_CONNECT_SWAPPED);
}

MonitorProgram *monitor_table_selected(GtkColumnView *view)
{
	GtkSelectionModel *model = gtk_column_view_get_model(view);

	return model ? gtk_single_selection_get_selected_item(GTK_SINGLE_SELECTION(model)) : NULL;
}
