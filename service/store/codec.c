/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#include "codec.h"

#include <stddef.h>
#include <string.h>

#define MAGIC "PDDB"
#define VERSION 2

/* The layouts as they lie in the file, little endian. */
struct header {
	char magic[4];
	guint32 version;
	guint32 count;
} __attribute__((packed));

struct entry_v1 {
	struct procdb_comm comm;
	guint8 tier;
	guint8 pad[7];
	guint64 avg_runtime;
	guint32 observations;
	guint32 votes;
} __attribute__((packed));

struct entry_v2 {
	struct procdb_comm comm;
	guint8 tier;
	guint8 pad[7];
	guint64 avg_runtime;
	guint64 runtime_dev;
	guint64 wakeup_freq;
	guint64 csw_rate;
	guint32 observations;
	guint32 votes;
} __attribute__((packed));

G_STATIC_ASSERT(sizeof(struct header) == 12);
G_STATIC_ASSERT(sizeof(struct entry_v1) == 40);
G_STATIC_ASSERT(offsetof(struct entry_v1, observations) == 32);
G_STATIC_ASSERT(sizeof(struct entry_v2) == 64);
G_STATIC_ASSERT(offsetof(struct entry_v2, avg_runtime) == 24);
G_STATIC_ASSERT(offsetof(struct entry_v2, observations) == 56);

const char *procdb_diag_name(ProcdbDiag diag)
{
	switch (diag) {
	case PROCDB_DIAG_NONE:
		return "none";
	case PROCDB_DIAG_SHORT:
		return "short";
	case PROCDB_DIAG_MAGIC:
		return "magic";
	case PROCDB_DIAG_VERSION:
		return "version";
	case PROCDB_DIAG_TRUNCATED:
		return "truncated";
	}
	g_return_val_if_reached("unknown");
}

GBytes *procdb_codec_encode(const struct procdb_record *records, guint n)
{
	const gsize size = sizeof(struct header) + (gsize)n * sizeof(struct entry_v2);
	g_autofree guint8 *data = g_malloc0(size);
	struct header header = {
	    .magic = MAGIC,
	    .version = GUINT32_TO_LE(VERSION),
	    .count = GUINT32_TO_LE(n),
	};

	memcpy(data, &header, sizeof(header));
	for (guint i = 0; i < n; i++) {
		const struct procdb_profile *profile = &records[i].profile;
		guint64 votes = MIN(procdb_profile_votes(profile), G_MAXUINT32);
		struct entry_v2 entry = {
		    .comm = records[i].comm,
		    .tier = (guint8)procdb_profile_dominant_tier(profile),
		    .avg_runtime = GUINT64_TO_LE(profile->avg_runtime_ns),
		    .runtime_dev = GUINT64_TO_LE(profile->runtime_dev_ns),
		    .wakeup_freq = GUINT64_TO_LE(profile->wakeup_freq),
		    .csw_rate = GUINT64_TO_LE(profile->csw_rate),
		    .observations = GUINT32_TO_LE(profile->observations),
		    .votes = GUINT32_TO_LE((guint32)votes),
		};

		memcpy(data + sizeof(header) + i * sizeof(entry), &entry, sizeof(entry));
	}
	return g_bytes_new_take(g_steal_pointer(&data), size);
}

static struct procdb_record read_v1(const guint8 *data)
{
	struct procdb_record record;
	struct entry_v1 entry;

	memcpy(&entry, data, sizeof(entry));
	record.comm = entry.comm;
	procdb_profile_init(&record.profile);
	record.profile.avg_runtime_ns = GUINT64_FROM_LE(entry.avg_runtime);
	record.profile.observations = GUINT32_FROM_LE(entry.observations);
	record.profile.tier_votes[MIN(entry.tier, PROCDB_TIERS - 1)] = GUINT32_FROM_LE(entry.votes);
	return record;
}

static struct procdb_record read_v2(const guint8 *data)
{
	struct procdb_record record;
	struct entry_v2 entry;

	memcpy(&entry, data, sizeof(entry));
	record.comm = entry.comm;
	procdb_profile_init(&record.profile);
	record.profile.avg_runtime_ns = GUINT64_FROM_LE(entry.avg_runtime);
	record.profile.runtime_dev_ns = GUINT64_FROM_LE(entry.runtime_dev);
	record.profile.wakeup_freq = GUINT64_FROM_LE(entry.wakeup_freq);
	record.profile.csw_rate = GUINT64_FROM_LE(entry.csw_rate);
	record.profile.observations = GUINT32_FROM_LE(entry.observations);
	record.profile.tier_votes[MIN(entry.tier, PROCDB_TIERS - 1)] = GUINT32_FROM_LE(entry.votes);
	return record;
}

ProcdbDiag procdb_codec_decode(const guint8 *data, gsize len, GArray *records)
{
	static const struct {
		gsize size;
		struct procdb_record (*read)(const guint8 *data);
	} formats[] = {
	    [1] = {sizeof(struct entry_v1), read_v1},
	    [2] = {sizeof(struct entry_v2), read_v2},
	};
	struct header header;
	guint32 version;
	guint32 count;

	g_return_val_if_fail(g_array_get_element_size(records) == sizeof(struct procdb_record),
			     PROCDB_DIAG_TRUNCATED);

	if (len < sizeof(header))
		return PROCDB_DIAG_SHORT;
	memcpy(&header, data, sizeof(header));
	if (memcmp(header.magic, MAGIC, sizeof(header.magic)) != 0)
		return PROCDB_DIAG_MAGIC;
	version = GUINT32_FROM_LE(header.version);
	if (version == 0 || version >= G_N_ELEMENTS(formats))
		return PROCDB_DIAG_VERSION;
	count = GUINT32_FROM_LE(header.count);
	/* Divided, not multiplied: nothing to overflow. */
	if (count > (len - sizeof(header)) / formats[version].size)
		return PROCDB_DIAG_TRUNCATED;

	for (guint32 i = 0; i < count; i++) {
		struct procdb_record record =
		    formats[version].read(data + sizeof(header) + i * formats[version].size);

		g_array_append_val(records, record);
	}
	return PROCDB_DIAG_NONE;
}
