/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#include "codec.h"

#include <stddef.h>
#include <string.h>

#include "entry.h"
#include "extension.h"
#include "selection.h"

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

G_STATIC_ASSERT(sizeof(struct header) == PROCDB_HEADER_SIZE);
G_STATIC_ASSERT(sizeof(struct entry_v1) == 40);
G_STATIC_ASSERT(offsetof(struct entry_v1, observations) == 32);
G_STATIC_ASSERT(PROCDB_RECORD_SIZE ==
		sizeof(struct procdb_entry_v2) + PROCDB_EXTENSION_RECORD_SIZE);

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
	case PROCDB_DIAG_TOO_LARGE:
		return "too-large";
	}
	g_return_val_if_reached("unknown");
}

const char *procdb_ext_name(ProcdbExt ext)
{
	switch (ext) {
	case PROCDB_EXT_NONE:
		return "none";
	case PROCDB_EXT_GOOD:
		return "good";
	case PROCDB_EXT_FOREIGN:
		return "foreign";
	case PROCDB_EXT_DAMAGED:
		return "damaged";
	case PROCDB_EXT_NEWER:
		return "newer";
	}
	g_return_val_if_reached("unknown");
}

static struct procdb_record entry_v1_read(const guint8 *data)
{
	struct procdb_stored stored = {.schema = PROCDB_SCHEMA_V1};
	struct entry_v1 entry;

	memcpy(&entry, data, sizeof(entry));
	stored.record.comm = entry.comm;
	stored.tier = MIN(entry.tier, PROCDB_TIER_LAT_CRITICAL);
	stored.votes = GUINT32_FROM_LE(entry.votes);
	stored.record.profile.avg_runtime_ns = GUINT64_FROM_LE(entry.avg_runtime);
	stored.record.profile.observations = GUINT32_FROM_LE(entry.observations);
	procdb_migrate(&stored);
	return stored.record;
}

GBytes *procdb_codec_encode(const struct procdb_record *records, guint n)
{
	const ProcdbSections none = {NULL, NULL};

	return procdb_codec_encode_all(records, n, &none);
}

GBytes *procdb_codec_encode_all(const struct procdb_record *records, guint n,
				const ProcdbSections *beside)
{
	ProcdbSections written = *beside;
	struct header header = {.version = GUINT32_TO_LE(VERSION)};
	g_autofree guint8 *data = NULL;
	guint entries = 0;
	gsize size;
	gsize at = sizeof(header);

	for (guint i = 0; i < n; i++)
		entries += !records[i].hidden;
	memcpy(header.magic, MAGIC, sizeof(header.magic));
	header.count = GUINT32_TO_LE(entries);
	size = sizeof(header) + (gsize)entries * sizeof(struct procdb_entry_v2);
	if (size + procdb_extension_size(entries, n - entries, &written) > PROCDB_MAX_FILE_SIZE)
		written.identities = NULL;
	size += procdb_extension_size(entries, n - entries, &written);
	data = g_malloc(size);
	memcpy(data, &header, sizeof(header));
	for (guint i = 0; i < n; i++) {
		if (records[i].hidden)
			continue;
		procdb_entry_v2_write(&records[i], data + at);
		at += sizeof(struct procdb_entry_v2);
	}
	procdb_extension_write(records, n, &written, data, at);
	return g_bytes_new_take(g_steal_pointer(&data), size);
}

static gboolean is_zero(const guint8 *data, gsize len, gpointer unused)
{
	/* Each byte as the one before it. */
	return len > 0 && data[0] == 0 && memcmp(data, data + 1, len - 1) == 0;
}

gboolean procdb_record_is_blank(const struct procdb_record *record)
{
	return !record->hidden && record->profile.observations == 0 &&
	       is_zero(record->comm.bytes, sizeof(record->comm.bytes), NULL);
}

/* Where the entries are, of which version. */
struct layout {
	gsize size;
	struct procdb_record (*read)(const guint8 *data);
	guint32 count;
	gsize end;
};

static ProcdbDiag read_header(ProcdbReader *reader, struct layout *layout)
{
	static const struct layout layouts[] = {
	    {sizeof(struct entry_v1), entry_v1_read, 0, 0},
	    {sizeof(struct procdb_entry_v2), procdb_entry_v2_read, 0, 0},
	};
	const guint8 *data = procdb_reader_get(reader, 0, sizeof(struct header));
	struct header header;
	guint32 version;

	if (!data)
		return PROCDB_DIAG_SHORT;
	memcpy(&header, data, sizeof(header));
	if (memcmp(header.magic, MAGIC, sizeof(header.magic)) != 0)
		return PROCDB_DIAG_MAGIC;
	version = GUINT32_FROM_LE(header.version);
	if (version == 0 || version > G_N_ELEMENTS(layouts))
		return PROCDB_DIAG_VERSION;
	*layout = layouts[version - 1];
	layout->count = GUINT32_FROM_LE(header.count);
	/* Divided, not multiplied: nothing to overflow. */
	if (layout->count > (reader->len - sizeof(header)) / layout->size)
		return PROCDB_DIAG_TRUNCATED;
	layout->end = sizeof(header) + layout->count * layout->size;
	return PROCDB_DIAG_NONE;
}

static gboolean read_entries(ProcdbReader *reader, const struct layout *layout,
			     const ProcdbExtension *extension, ProcdbSelection *selection,
			     ProcdbDecoded *decoded)
{
	for (guint32 i = 0; i < layout->count; i++) {
		const guint8 *data = procdb_reader_get(
		    reader, sizeof(struct header) + i * layout->size, layout->size);
		struct procdb_record record;

		if (!data)
			return FALSE;
		record = layout->read(data);
		if (decoded->ext == PROCDB_EXT_GOOD &&
		    !procdb_extension_complete(extension, reader, i, &record))
			decoded->mismatched++;
		decoded->blank += procdb_record_is_blank(&record);
		procdb_selection_add(selection, &record);
	}
	return TRUE;
}

ProcdbDiag procdb_codec_read(ProcdbReader *reader, const ProcdbLimit *limit, GArray *records,
			     GHashTable *identities, GPtrArray *rules, ProcdbDecoded *decoded)
{
	ProcdbExtension extension = {0};
	ProcdbSelection selection;
	struct layout layout;

	*decoded = (ProcdbDecoded){.diag = read_header(reader, &layout)};
	if (decoded->diag != PROCDB_DIAG_NONE)
		return decoded->diag;
	procdb_selection_init(&selection, records, limit);
	decoded->ext = procdb_extension_open(reader, layout.end, &extension);
	if (decoded->ext == PROCDB_EXT_FOREIGN)
		decoded->zero_tail =
		    procdb_reader_walk(reader, layout.end, reader->len, is_zero, NULL);
	if (read_entries(reader, &layout, &extension, &selection, decoded) &&
	    decoded->ext == PROCDB_EXT_GOOD)
		decoded->mismatched += procdb_extension_add_hidden(&extension, reader, &selection);
	if (identities && decoded->ext == PROCDB_EXT_GOOD)
		procdb_extension_read_identities(&extension, reader, identities);
	if (rules && decoded->ext == PROCDB_EXT_GOOD)
		procdb_extension_read_rules(&extension, reader, rules);
	procdb_selection_end(&selection);
	decoded->left_out = selection.left_out;
	if (reader->failed)
		g_array_set_size(records, selection.first);
	return decoded->diag;
}

ProcdbDiag procdb_codec_decode(const guint8 *data, gsize len, GArray *records,
			       ProcdbDecoded *decoded)
{
	g_auto(ProcdbReader) reader = {0};
	ProcdbDecoded details;

	g_return_val_if_fail(g_array_get_element_size(records) == sizeof(struct procdb_record),
			     PROCDB_DIAG_TRUNCATED);

	procdb_reader_init_memory(&reader, data, len);
	procdb_codec_read(&reader, NULL, records, NULL, NULL, &details);
	if (decoded)
		*decoded = details;
	return details.diag;
}

void procdb_record_to_reference(struct procdb_record *record)
{
	const guint8 override = record->profile.override;

	if (record->hidden) {
		procdb_profile_init(&record->profile);
	} else {
		guint8 entry[sizeof(struct procdb_entry_v2)];

		procdb_entry_v2_write(record, entry);
		*record = procdb_entry_v2_read(entry);
	}
	record->profile.override = override;
}
