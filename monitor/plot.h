/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

/* A plot of how long tasks waited for a CPU in the last hour, with slices and without. */

#include <gtk/gtk.h>

#define MONITOR_TYPE_PLOT (monitor_plot_get_type())
G_DECLARE_FINAL_TYPE(MonitorPlot, monitor_plot, MONITOR, PLOT, GtkWidget)

/* Shows an answer of GetHistory, a(xsbtttt); NULL: there is none. */
void monitor_plot_set_history(MonitorPlot *self, GVariant *history);

/* Shows a tier, by its name on the bus. Begins with lat-critical. */
void monitor_plot_set_tier(MonitorPlot *self, const char *tier);
