/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include "plot.h"

#include <math.h>

#include "figures.h"

/* The axis of time, in minutes, and the room for its texts and those of the other one. */
#define MINUTES 60
#define MARGIN_LEFT 58
#define MARGIN_BOTTOM 20
#define MARGIN_TOP 8
#define MARGIN_RIGHT 12
#define US_PER_MINUTE (G_GINT64_CONSTANT(60) * G_USEC_PER_SEC)
/* Two points that are further apart have no line between them. */
#define GAP_US (3 * US_PER_MINUTE)
/* The axis of waits has whole decades, from this on. */
#define LEAST_NS 1e4

typedef struct {
	gint64 end_us;
	gboolean is_applied;
	guint64 count;
	guint64 p90;
} Point;

struct _MonitorPlot {
	GtkWidget parent;
	GVariant *history;
	char *tier;
	GArray *points; /* of the tier */
	double most_ns; /* the upper end of the axis */
};

G_DEFINE_FINAL_TYPE(MonitorPlot, monitor_plot, GTK_TYPE_WIDGET)

/* The 90th percentile of all minutes, weighted by their counts: near enough for a sentence. */
static char *mean_of(MonitorPlot *self, gboolean is_applied)
{
	double sum = 0, count = 0;

	for (guint i = 0; i < self->points->len; i++) {
		const Point *point = &g_array_index(self->points, Point, i);

		if (point->is_applied != is_applied)
			continue;
		sum += (double)point->p90 * (double)point->count;
		count += (double)point->count;
	}
	return count > 0 ? out_duration_ns((guint64)(sum / count)) : g_strdup("not known");
}

/* What the plot shows, for people that cannot see it, and as its tooltip. */
static void describe(MonitorPlot *self)
{
	g_autofree char *with = mean_of(self, TRUE);
	g_autofree char *without = mean_of(self, FALSE);
	g_autofree char *text = g_strdup_printf(
	    "Of the last hour's waits of %s tasks for a CPU, 90 %% were shorter than about: %s "
	    "with "
	    "slices, %s without. These are different tasks: what slices change, a trial tells",
	    self->tier, with, without);

	gtk_accessible_update_property(GTK_ACCESSIBLE(self), GTK_ACCESSIBLE_PROPERTY_DESCRIPTION,
				       text, -1);
	gtk_widget_set_tooltip_text(GTK_WIDGET(self), text);
}

static void update(MonitorPlot *self)
{
	double most_ns = LEAST_NS * 100;
	GVariantIter iter;
	const char *tier;
	guint64 p50, p99;
	Point point;

	g_array_set_size(self->points, 0);
	if (self->history) {
		g_variant_iter_init(&iter, self->history);
		while (g_variant_iter_next(&iter, "(x&sbtttt)", &point.end_us, &tier,
					   &point.is_applied, &point.count, &p50, &point.p90,
					   &p99)) {
			if (!g_str_equal(tier, self->tier))
				continue;
			g_array_append_val(self->points, point);
			most_ns = MAX(most_ns, (double)point.p90);
		}
	}
	self->most_ns = pow(10, ceil(log10(most_ns)));
	describe(self);
	gtk_widget_queue_draw(GTK_WIDGET(self));
}

typedef struct {
	cairo_t *cairo;
	double width;
	double height;
	gint64 now_us;
	double decades;
	GdkRGBA text;
	GdkRGBA with;
} Canvas;

static double x_of(const Canvas *canvas, gint64 time_us)
{
	const double minutes = (double)(canvas->now_us - time_us) / (double)US_PER_MINUTE;

	return MARGIN_LEFT + (1 - CLAMP(minutes, 0, MINUTES) / MINUTES) * canvas->width;
}

static double y_of(const Canvas *canvas, double ns)
{
	const double decade = log10(MAX(ns, LEAST_NS) / LEAST_NS);

	return MARGIN_TOP + (1 - decade / canvas->decades) * canvas->height;
}

static void set_colour(const Canvas *canvas, const GdkRGBA *colour, double alpha)
{
	cairo_set_source_rgba(canvas->cairo, colour->red, colour->green, colour->blue, alpha);
}

/* A text that ends at (x, y), or, with align 0, begins there. Returns its width. */
static int draw_text(MonitorPlot *self, const Canvas *canvas, const char *text, double x, double y,
		     double align)
{
	g_autoptr(PangoLayout) layout = gtk_widget_create_pango_layout(GTK_WIDGET(self), text);
	g_autoptr(PangoAttrList) attributes = pango_attr_list_new();
	int width, height;

	pango_attr_list_insert(attributes, pango_attr_scale_new(PANGO_SCALE_SMALL));
	pango_layout_set_attributes(layout, attributes);
	pango_layout_get_pixel_size(layout, &width, &height);
	set_colour(canvas, &canvas->text, 0.7);
	cairo_move_to(canvas->cairo, x - align * width, y - height / 2.0);
	pango_cairo_show_layout(canvas->cairo, layout);
	return width;
}

static void draw_axes(MonitorPlot *self, const Canvas *canvas)
{
	const double bottom = MARGIN_TOP + canvas->height;

	cairo_set_line_width(canvas->cairo, 1);
	for (int i = 0; i <= (int)canvas->decades; i++) {
		const double ns = LEAST_NS * pow(10, i);
		const double y = floor(y_of(canvas, ns)) + 0.5;
		g_autofree char *text = out_duration_ns((guint64)ns);

		set_colour(canvas, &canvas->text, 0.12);
		cairo_move_to(canvas->cairo, MARGIN_LEFT, y);
		cairo_line_to(canvas->cairo, MARGIN_LEFT + canvas->width, y);
		cairo_stroke(canvas->cairo);
		draw_text(self, canvas, text, MARGIN_LEFT - 6, y, 1);
	}
	for (int minutes = MINUTES; minutes >= 0; minutes -= 15) {
		const gint64 time_us = canvas->now_us - minutes * US_PER_MINUTE;
		g_autofree char *text =
		    minutes ? g_strdup_printf("−%d min", minutes) : g_strdup("now");

		draw_text(self, canvas, text, x_of(canvas, time_us),
			  bottom + MARGIN_BOTTOM / 2.0 + 2, 1 - (double)minutes / MINUTES);
	}
}

/* Without slices it is dashed, so that the two can be told apart without colours. */
static void draw_line(MonitorPlot *self, const Canvas *canvas, gboolean is_applied)
{
	const double dashes[] = {4, 4};
	gint64 last_us = G_MININT64;

	set_colour(canvas, is_applied ? &canvas->with : &canvas->text, is_applied ? 1 : 0.6);
	cairo_set_line_width(canvas->cairo, 2);
	cairo_set_line_cap(canvas->cairo, CAIRO_LINE_CAP_ROUND);
	cairo_set_line_join(canvas->cairo, CAIRO_LINE_JOIN_ROUND);
	cairo_set_dash(canvas->cairo, dashes, is_applied ? 0 : G_N_ELEMENTS(dashes), 0);
	for (guint i = 0; i < self->points->len; i++) {
		const Point *point = &g_array_index(self->points, Point, i);
		const double x = x_of(canvas, point->end_us), y = y_of(canvas, (double)point->p90);

		if (point->is_applied != is_applied ||
		    canvas->now_us - point->end_us > MINUTES * US_PER_MINUTE)
			continue;
		/* A minute without neighbours is a dot. */
		if (last_us == G_MININT64 || point->end_us - last_us > GAP_US) {
			cairo_move_to(canvas->cairo, x, y);
			cairo_line_to(canvas->cairo, x, y);
		} else {
			cairo_line_to(canvas->cairo, x, y);
		}
		last_us = point->end_us;
	}
	cairo_stroke(canvas->cairo);
	cairo_set_dash(canvas->cairo, NULL, 0, 0);
}

static void draw_legend(MonitorPlot *self, const Canvas *canvas)
{
	const char *texts[] = {"without slices", "with slices"};
	double x = MARGIN_LEFT + canvas->width;

	for (gsize i = 0; i < G_N_ELEMENTS(texts); i++) {
		const double dashes[] = {4, 4};
		const double y = MARGIN_TOP + 8;

		x -= draw_text(self, canvas, texts[i], x, y, 1) + 4;
		set_colour(canvas, i ? &canvas->with : &canvas->text, i ? 1 : 0.6);
		cairo_set_line_width(canvas->cairo, 2);
		cairo_set_dash(canvas->cairo, dashes, i ? 0 : G_N_ELEMENTS(dashes), 0);
		cairo_move_to(canvas->cairo, x - 24, y);
		cairo_line_to(canvas->cairo, x - 4, y);
		cairo_stroke(canvas->cairo);
		cairo_set_dash(canvas->cairo, NULL, 0, 0);
		x -= 36;
	}
}

static void snapshot(GtkWidget *widget, GtkSnapshot *snapshot)
{
	MonitorPlot *self = MONITOR_PLOT(widget);
	const int width = gtk_widget_get_width(widget), height = gtk_widget_get_height(widget);
	GtkStyleContext *style = gtk_widget_get_style_context(widget);
	Canvas canvas = {
	    .width = MAX(width - MARGIN_LEFT - MARGIN_RIGHT, 1),
	    .height = MAX(height - MARGIN_TOP - MARGIN_BOTTOM, 1),
	    .now_us = g_get_real_time(),
	    .decades = log10(self->most_ns / LEAST_NS),
	};

	gtk_style_context_get_color(style, &canvas.text);
	if (!gtk_style_context_lookup_color(style, "accent_color", &canvas.with))
		canvas.with = canvas.text;
	canvas.cairo = gtk_snapshot_append_cairo(
	    snapshot, &GRAPHENE_RECT_INIT(0, 0, (float)width, (float)height));
	draw_axes(self, &canvas);
	if (self->points->len > 0) {
		draw_line(self, &canvas, FALSE);
		draw_line(self, &canvas, TRUE);
		draw_legend(self, &canvas);
	} else {
		draw_text(self, &canvas, "Nothing is known of the last hour yet",
			  MARGIN_LEFT + canvas.width / 2, MARGIN_TOP + canvas.height / 2, 0.5);
	}
	cairo_destroy(canvas.cairo);
}

static void finalize(GObject *object)
{
	MonitorPlot *self = MONITOR_PLOT(object);

	g_clear_pointer(&self->history, g_variant_unref);
	g_free(self->tier);
	g_array_unref(self->points);
	G_OBJECT_CLASS(monitor_plot_parent_class)->finalize(object);
}

static void monitor_plot_class_init(MonitorPlotClass *class)
{
	GtkWidgetClass *widget_class = GTK_WIDGET_CLASS(class);

	G_OBJECT_CLASS(class)->finalize = finalize;
	widget_class->snapshot = snapshot;
	gtk_widget_class_set_accessible_role(widget_class, GTK_ACCESSIBLE_ROLE_IMG);
}

static void monitor_plot_init(MonitorPlot *self)
{
	self->points = g_array_new(FALSE, FALSE, sizeof(Point));
	self->tier = g_strdup("lat-critical");
	update(self);
}

void monitor_plot_set_history(MonitorPlot *self, GVariant *history)
{
	if (self->history && history && g_variant_equal(self->history, history))
		return;
	g_clear_pointer(&self->history, g_variant_unref);
	self->history = history ? g_variant_ref(history) : NULL;
	update(self);
}

void monitor_plot_set_tier(MonitorPlot *self, const char *tier)
{
	g_free(self->tier);
	self->tier = g_strdup(tier);
	update(self);
}
