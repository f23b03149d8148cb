/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#include "entry.h"

#include <string.h>

guint32 procdb_entry_votes(const struct procdb_profile *profile)
{
	return (guint32)MIN(procdb_profile_votes(profile), G_MAXUINT32);
}

void procdb_entry_v2_write(const struct procdb_record *record, guint8 *data)
{
	const struct procdb_profile *profile = &record->profile;
	struct procdb_entry_v2 entry = {
	    .comm = record->comm,
	    .tier = (guint8)procdb_profile_dominant_tier(profile),
	    .avg_runtime = GUINT64_TO_LE(profile->avg_runtime_ns),
	    .runtime_dev = GUINT64_TO_LE(profile->runtime_dev_ns),
	    .wakeup_freq = GUINT64_TO_LE(profile->wakeup_freq),
	    .csw_rate = GUINT64_TO_LE(profile->csw_rate),
	    .observations = GUINT32_TO_LE(profile->observations),
	    .votes = GUINT32_TO_LE(procdb_entry_votes(profile)),
	};

	memcpy(data, &entry, sizeof(entry));
}

struct procdb_record procdb_entry_v2_read(const guint8 *data)
{
	struct procdb_stored stored = {.schema = PROCDB_SCHEMA_V2};
	struct procdb_profile *profile = &stored.record.profile;
	struct procdb_entry_v2 entry;

	memcpy(&entry, data, sizeof(entry));
	stored.record.comm = entry.comm;
	stored.tier = MIN(entry.tier, PROCDB_TIER_LAT_CRITICAL);
	stored.votes = GUINT32_FROM_LE(entry.votes);
	profile->avg_runtime_ns = GUINT64_FROM_LE(entry.avg_runtime);
	profile->runtime_dev_ns = GUINT64_FROM_LE(entry.runtime_dev);
	profile->wakeup_freq = GUINT64_FROM_LE(entry.wakeup_freq);
	profile->csw_rate = GUINT64_FROM_LE(entry.csw_rate);
	profile->observations = GUINT32_FROM_LE(entry.observations);
	procdb_migrate(&stored);
	return stored.record;
}
