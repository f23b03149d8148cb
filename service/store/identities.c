/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#include "identities.h"

#include <string.h>

/* At the start of the section. */
struct table {
	guint32 size; /* of the fixed part of each */
	guint32 count;
} __attribute__((packed));

/* The fixed part, which a newer writer may extend; the two texts follow it. */
struct fixed {
	struct procdb_comm comm;
	guint64 runs;
	guint64 cpu;
	guint32 uid;
	guint8 kind;
	guint8 unit_len;
	guint16 path_len;
} __attribute__((packed));

G_STATIC_ASSERT(sizeof(struct table) == 8);
G_STATIC_ASSERT(sizeof(struct fixed) == 40);
G_STATIC_ASSERT(PROCDB_UNIT_LEN - 1 <= G_MAXUINT8);

/* One allocation for each: the texts are behind it. */
struct kept {
	struct procdb_identity identity;
	char texts[];
};

static gsize path_length(const char *path)
{
	return strnlen(path, PROCDB_PATH_LEN - 1);
}

static gsize unit_length(const char *unit)
{
	return strnlen(unit, PROCDB_UNIT_LEN - 1);
}

GHashTable *procdb_identities_new(void)
{
	return g_hash_table_new_full(procdb_comm_hash, procdb_comm_equal, NULL, g_free);
}

void procdb_identities_set(GHashTable *identities, const struct procdb_identity *identity)
{
	const gsize path = path_length(identity->path), unit = unit_length(identity->unit);
	struct kept *kept = g_malloc0(sizeof(*kept) + path + unit + 2);

	kept->identity = *identity;
	memcpy(kept->texts, identity->path, path);
	memcpy(kept->texts + path + 1, identity->unit, unit);
	kept->identity.path = kept->texts;
	kept->identity.unit = kept->texts + path + 1;
	/* The key is in the value. */
	g_hash_table_replace(identities, &kept->identity.comm, kept);
}

GByteArray *procdb_identities_begin(void)
{
	const struct table table = {.size = GUINT32_TO_LE((guint32)sizeof(struct fixed))};

	return g_byte_array_append(g_byte_array_new(), (const guint8 *)&table, sizeof(table));
}

void procdb_identities_add(GByteArray *writer, const struct procdb_identity *identity)
{
	const gsize path = path_length(identity->path), unit = unit_length(identity->unit);
	const struct fixed fixed = {
	    .comm = identity->comm,
	    .runs = GUINT64_TO_LE(identity->runs),
	    .cpu = GUINT64_TO_LE(identity->cpu),
	    .uid = GUINT32_TO_LE(identity->uid),
	    .kind = identity->kind,
	    .unit_len = (guint8)unit,
	    .path_len = GUINT16_TO_LE((guint16)path),
	};
	struct table table;

	memcpy(&table, writer->data, sizeof(table));
	if (GUINT32_FROM_LE(table.count) >= PROCDB_MAX_IDENTITIES)
		return;
	table.count = GUINT32_TO_LE(GUINT32_FROM_LE(table.count) + 1);
	memcpy(writer->data, &table, sizeof(table));
	g_byte_array_append(writer, (const guint8 *)&fixed, sizeof(fixed));
	g_byte_array_append(writer, (const guint8 *)identity->path, (guint)path);
	g_byte_array_append(writer, (const guint8 *)identity->unit, (guint)unit);
}

GBytes *procdb_identities_end(GByteArray *writer)
{
	if (writer->len > sizeof(struct table))
		return g_byte_array_free_to_bytes(writer);
	g_byte_array_unref(writer);
	return NULL;
}

/* Reads one identity and moves the offset behind it; FALSE where there is none. */
static gboolean read_one(ProcdbReader *reader, gsize *at, gsize size, gsize end,
			 GHashTable *identities)
{
	/* A path and a unit, each with a zero that stays. */
	char path[PROCDB_PATH_LEN] = "", unit[PROCDB_UNIT_LEN] = "";
	const guint8 *data = procdb_reader_get_within(reader, *at, sizeof(struct fixed), end);
	struct procdb_identity identity;
	struct fixed fixed;
	gsize path_len;

	if (!data || size > end - *at)
		return FALSE;
	memcpy(&fixed, data, sizeof(fixed));
	*at += size;
	path_len = GUINT16_FROM_LE(fixed.path_len);
	if (path_len >= sizeof(path) || fixed.unit_len >= sizeof(unit))
		return FALSE;
	data = procdb_reader_get_within(reader, *at, path_len + fixed.unit_len, end);
	if (!data)
		return FALSE;
	memcpy(path, data, path_len);
	memcpy(unit, data + path_len, fixed.unit_len);
	*at += path_len + fixed.unit_len;
	identity = (struct procdb_identity){
	    .comm = fixed.comm,
	    .runs = GUINT64_FROM_LE(fixed.runs),
	    .cpu = GUINT64_FROM_LE(fixed.cpu),
	    .uid = GUINT32_FROM_LE(fixed.uid),
	    .kind = fixed.kind <= PROCDB_KIND_KERNEL ? fixed.kind : PROCDB_KIND_UNKNOWN,
	    .path = path,
	    .unit = unit,
	};
	procdb_identities_set(identities, &identity);
	return TRUE;
}

void procdb_identities_read(ProcdbReader *reader, gsize at, gsize end, GHashTable *identities)
{
	const guint8 *data = procdb_reader_get_within(reader, at, sizeof(struct table), end);
	struct table table;
	guint32 count;

	if (!data)
		return;
	memcpy(&table, data, sizeof(table));
	at += sizeof(table);
	count = MIN(GUINT32_FROM_LE(table.count), PROCDB_MAX_IDENTITIES);
	if (GUINT32_FROM_LE(table.size) < sizeof(struct fixed))
		return;
	for (guint32 i = 0; i < count; i++)
		if (!read_one(reader, &at, GUINT32_FROM_LE(table.size), end, identities))
			return;
}
