/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include "notify.h"

#include <systemd/sd-daemon.h>

#define STATUS_S 30

struct _ProcdbNotify {
	ProcdbEngine *engine;
	guint status_timer;
	guint watchdog_timer;
};

static char *describe(ProcdbEngine *engine)
{
	const struct procdb_table *table = procdb_engine_table(engine);
	ProcdbEngineStatus status;

	procdb_engine_status(engine, &status);
	return g_strdup_printf(
	    "Backend %s %s; %zu profiles, %u confident%s%s", status.backend.backend,
	    status.backend.state, procdb_table_size(table), procdb_engine_confident(engine),
	    *status.last_save_error ? "; cannot save: " : "", status.last_save_error);
}

/* With a word of state in front of it, or "". */
static void tell(ProcdbNotify *notify, const char *state)
{
	g_autofree char *text = describe(notify->engine);

	sd_notifyf(0, "%sSTATUS=%s", state, g_strdelimit(text, "\n", ' '));
}

static gboolean on_status(gpointer data)
{
	tell(data, "");
	return G_SOURCE_CONTINUE;
}

static gboolean on_watchdog(gpointer data)
{
	sd_notify(0, "WATCHDOG=1");
	return G_SOURCE_CONTINUE;
}

ProcdbNotify *procdb_notify_new(ProcdbEngine *engine)
{
	ProcdbNotify *notify = g_new0(ProcdbNotify, 1);
	guint64 interval_us;

	notify->engine = engine;
	tell(notify, "READY=1\n");
	if (g_getenv("NOTIFY_SOCKET"))
		notify->status_timer = g_timeout_add_seconds(STATUS_S, on_status, notify);
	if (sd_watchdog_enabled(0, &interval_us) > 0)
		notify->watchdog_timer = g_timeout_add_seconds(
		    (guint)MAX(interval_us / 2 / G_USEC_PER_SEC, 1), on_watchdog, NULL);
	return notify;
}

void procdb_notify_free(ProcdbNotify *notify)
{
	if (!notify)
		return;
	sd_notify(0, "STOPPING=1\nSTATUS=Saving and putting everything back");
	g_clear_handle_id(&notify->status_timer, g_source_remove);
	g_clear_handle_id(&notify->watchdog_timer, g_source_remove);
	g_free(notify);
}

void procdb_notify_reloading(ProcdbNotify *notify)
{
	if (notify)
		sd_notify(0, "RELOADING=1");
}

void procdb_notify_reloaded(ProcdbNotify *notify)
{
	if (notify)
		tell(notify, "READY=1\n");
}
