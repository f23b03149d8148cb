/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include "import.h"

#include "errors.h"
#include "name.h"
#include "store.h"

static gboolean refuse(GError **error, ProcdbBusError code, const char *name, const char *why)
{
	g_set_error(error, PROCDB_BUS_ERROR, (gint)code, "The profile of '%s' %s", name, why);
	return FALSE;
}

static gboolean import_row(GVariant *row, GHashTable *names, struct procdb_record *record,
			   GError **error)
{
	struct procdb_profile *profile = &record->profile;
	const char *name, *tier_name, *origin;
	enum procdb_tier tier;
	guint32 *votes = profile->tier_votes;
	guint64 avg, dev, freq, csw;
	gint64 last_seen;
	guint32 observations;

	procdb_profile_init(profile);
	g_variant_get(row, "(&s&sdbu(uuu)ttttx&s)", &name, &tier_name, NULL, NULL, &observations,
		      &votes[0], &votes[1], &votes[2], &avg, &dev, &freq, &csw, &last_seen,
		      &origin);
	if (!procdb_name_unescape(name, &record->comm, error)) {
		g_prefix_error(error, "'%s': ", name);
		return FALSE;
	}
	if (g_str_equal(origin, "override") && !procdb_name_can_match(&record->comm, error)) {
		g_prefix_error(error, "'%s': ", name);
		return FALSE;
	}
	if (!g_hash_table_add(names, g_bytes_new(&record->comm, sizeof(record->comm))))
		return refuse(error, PROCDB_BUS_ERROR_INVALID_PROFILE, name, "is given twice");
	if (!procdb_tier_parse(tier_name, &tier))
		return refuse(error, PROCDB_BUS_ERROR_INVALID_TIER, name,
			      "has a tier other than batch, interactive and lat-critical");
	if (g_str_equal(origin, "override"))
		profile->override = (guint8)tier;
	else if (!g_str_equal(origin, "live") && !g_str_equal(origin, "retained"))
		return refuse(error, PROCDB_BUS_ERROR_INVALID_PROFILE, name,
			      "has an origin other than live, retained and override");
	profile->observations = observations;
	if (procdb_profile_votes(profile) > observations)
		return refuse(error, PROCDB_BUS_ERROR_INVALID_PROFILE, name,
			      "has more votes than observations");
	profile->avg_runtime_ns = avg;
	profile->runtime_dev_ns = dev;
	profile->wakeup_freq = freq;
	profile->csw_rate = csw;
	profile->last_seen_us = MAX(last_seen, 0);
	return TRUE;
}

gboolean procdb_import_rows(GVariant *rows, GArray *records, GError **error)
{
	g_autoptr(GHashTable) names =
	    g_hash_table_new_full(g_bytes_hash, g_bytes_equal, (GDestroyNotify)g_bytes_unref, NULL);
	GVariantIter iter;
	GVariant *row;

	g_variant_iter_init(&iter, rows);
	while ((row = g_variant_iter_next_value(&iter))) {
		struct procdb_record record = {0};
		gboolean ok = import_row(row, names, &record, error);

		g_variant_unref(row);
		if (!ok)
			return FALSE;
		g_array_append_val(records, record);
	}
	return TRUE;
}
