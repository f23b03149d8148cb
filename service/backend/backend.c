/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include "backend.h"

void procdb_backend_close(ProcdbBackend *backend)
{
	if (backend)
		backend->ops->close(backend);
}

static gboolean none_refresh(ProcdbBackend *backend)
{
	return FALSE;
}

static gboolean none_drain(ProcdbBackend *backend, GArray *seen, GError **error)
{
	return TRUE;
}

static gboolean none_publish(ProcdbBackend *backend, const struct procdb_comm *comms,
			     const struct procdb_class *classes, guint n, guint *done,
			     GError **error)
{
	*done = 0;
	return TRUE;
}

static gboolean none_retract(ProcdbBackend *backend, const struct procdb_comm *comms, guint n,
			     GError **error)
{
	return TRUE;
}

static gboolean none_predictions(ProcdbBackend *backend, GArray *entries, GError **error)
{
	return TRUE;
}

static gboolean none_lookup(ProcdbBackend *backend, const struct procdb_comm *comm,
			    struct procdb_class *prediction)
{
	return FALSE;
}

static void none_status(ProcdbBackend *backend, ProcdbBackendStatus *status)
{
	*status = (ProcdbBackendStatus){
	    .backend = "none",
	    .state = "active",
	    .token = "active",
	    .reason = "",
	    .in_use = "none",
	};
}

static void none_close(ProcdbBackend *backend)
{
	g_free(backend);
}

ProcdbBackend *procdb_backend_none_new(void)
{
	static const ProcdbBackendOps ops = {
	    .refresh = none_refresh,
	    .drain = none_drain,
	    .publish = none_publish,
	    .retract = none_retract,
	    .predictions = none_predictions,
	    .lookup = none_lookup,
	    .status = none_status,
	    .close = none_close,
	};
	ProcdbBackend *backend = g_new0(ProcdbBackend, 1);

	backend->ops = &ops;
	return backend;
}
