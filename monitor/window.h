/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

/* The window. */

#include <adwaita.h>

#include "procdb-dbus.h"

#define MONITOR_TYPE_WINDOW (monitor_window_get_type())
G_DECLARE_FINAL_TYPE(MonitorWindow, monitor_window, MONITOR, WINDOW, AdwApplicationWindow)

/* A window of an application; it says that there is no service until it gets one. */
MonitorWindow *monitor_window_new(AdwApplication *application);

/* Shows what the service of a proxy knows, whenever that proxy has an owner. Call it once. */
void monitor_window_follow(MonitorWindow *self, ProcdbDBusProcDb1 *proxy);

/* Says in the place of the list why there will be none. */
void monitor_window_fail(MonitorWindow *self, const char *title, const char *why);
