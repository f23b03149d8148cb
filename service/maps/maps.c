/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include "maps.h"

void procdb_maps_close(ProcdbMaps *maps)
{
	if (maps)
		maps->ops->close(maps);
}

static gboolean none_refresh(ProcdbMaps *maps)
{
	return FALSE;
}

static gboolean none_drain(ProcdbMaps *maps, GArray *seen, GError **error)
{
	return TRUE;
}

static gboolean none_publish(ProcdbMaps *maps, const struct procdb_comm *comms,
			     const struct procdb_class *classes, guint n, guint *done,
			     GError **error)
{
	*done = 0;
	return TRUE;
}

static gboolean none_retract(ProcdbMaps *maps, const struct procdb_comm *comms, guint n,
			     GError **error)
{
	return TRUE;
}

static gboolean none_predictions(ProcdbMaps *maps, GArray *entries, GError **error)
{
	return TRUE;
}

static gboolean none_lookup(ProcdbMaps *maps, const struct procdb_comm *comm,
			    struct procdb_class *prediction)
{
	return FALSE;
}

static void none_status(ProcdbMaps *maps, ProcdbMapsStatus *status)
{
	*status = (ProcdbMapsStatus){
	    .backend = "none",
	    .state = "active",
	    .token = "active",
	    .reason = "",
	    .in_use = "none",
	};
}

static void none_close(ProcdbMaps *maps)
{
	g_free(maps);
}

ProcdbMaps *procdb_maps_none_new(void)
{
	static const ProcdbMapsOps ops = {
	    .refresh = none_refresh,
	    .drain = none_drain,
	    .publish = none_publish,
	    .retract = none_retract,
	    .predictions = none_predictions,
	    .lookup = none_lookup,
	    .status = none_status,
	    .close = none_close,
	};
	ProcdbMaps *maps = g_new0(ProcdbMaps, 1);

	maps->ops = &ops;
	return maps;
}
