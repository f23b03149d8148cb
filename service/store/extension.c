/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#include "extension.h"

#include <string.h>
#include <zlib.h>

#include "entry.h"

#define HEAD_MAGIC "PDDX"
#define FOOT_MAGIC "XDDP"
#define MAGIC_LEN 4
#define TAG_LEN 4
#define TAG_MORE "MORE"
#define TAG_ONLY "ONLY"
#define VERSION 1

struct head {
	char magic[MAGIC_LEN];
	guint32 version;
	guint64 length;
} __attribute__((packed));

struct foot {
	guint32 crc;
	char magic[MAGIC_LEN];
} __attribute__((packed));

struct section {
	char tag[TAG_LEN];
	guint32 length;
} __attribute__((packed));

/* At the start of the sections that we know. */
struct table {
	guint32 size;
	guint32 count;
} __attribute__((packed));

/* What an entry leaves out. */
struct more {
	struct procdb_comm comm; /* of the entry that it belongs to */
	guint32 votes[PROCDB_TIERS];
	guint8 override; /* enum procdb_tier, or 255 */
	guint8 teachers;
	guint8 pad[2];
	gint64 first_seen; /* µs since the epoch, 0 = unknown */
	gint64 last_seen;
	guint64 right;
	guint64 wrong;
	/* Not in the first files. */
	guint16 recent_right;
	guint16 recent_wrong;
	guint32 withdrawals;
} __attribute__((packed));

#define MORE_LEAST offsetof(struct more, recent_right)

struct only {
	struct procdb_entry_v2 entry;
	struct more more;
} __attribute__((packed));

G_STATIC_ASSERT(sizeof(struct head) == 16);
G_STATIC_ASSERT(sizeof(struct foot) == 8);
G_STATIC_ASSERT(sizeof(struct section) + sizeof(struct table) == 16);
G_STATIC_ASSERT(sizeof(struct more) == 72);
G_STATIC_ASSERT(MORE_LEAST == 64);
G_STATIC_ASSERT(offsetof(struct more, first_seen) == 32);
G_STATIC_ASSERT(sizeof(struct only) == 136);

gsize procdb_extension_size(guint entries, guint hidden)
{
	return sizeof(struct head) + 2 * (sizeof(struct section) + sizeof(struct table)) +
	       entries * sizeof(struct more) + hidden * sizeof(struct only) + sizeof(struct foot);
}

static guint32 checksum(const guint8 *file, gsize len)
{
	return (guint32)crc32_z(0, file, len);
}

static guint8 *put(guint8 *at, const void *data, gsize len)
{
	memcpy(at, data, len);
	return at + len;
}

static guint8 *put_more(guint8 *at, const struct procdb_record *record)
{
	const struct procdb_profile *profile = &record->profile;
	struct more more = {
	    .comm = record->comm,
	    .override = profile->override,
	    .teachers = profile->teachers,
	    .first_seen = GINT64_TO_LE(profile->first_seen_us),
	    .last_seen = GINT64_TO_LE(profile->last_seen_us),
	    .right = GUINT64_TO_LE(profile->right),
	    .wrong = GUINT64_TO_LE(profile->wrong),
	    .recent_right = GUINT16_TO_LE(profile->recent_right),
	    .recent_wrong = GUINT16_TO_LE(profile->recent_wrong),
	    .withdrawals = GUINT32_TO_LE(profile->withdrawals),
	};

	for (guint tier = 0; tier < PROCDB_TIERS; tier++)
		more.votes[tier] = GUINT32_TO_LE(profile->tier_votes[tier]);
	return put(at, &more, sizeof(more));
}

static guint8 *put_section(guint8 *at, const char *tag, gsize size, guint count)
{
	struct section section = {
	    .length = GUINT32_TO_LE((guint32)(sizeof(struct table) + size * count))};
	struct table table = {GUINT32_TO_LE((guint32)size), GUINT32_TO_LE(count)};

	memcpy(section.tag, tag, TAG_LEN);
	at = put(at, &section, sizeof(section));
	return put(at, &table, sizeof(table));
}

void procdb_extension_write(const struct procdb_record *records, guint n, guint8 *file, gsize at)
{
	guint8 *out = file + at;
	struct head head = {.magic = HEAD_MAGIC, .version = GUINT32_TO_LE(VERSION)};
	struct foot foot = {.magic = FOOT_MAGIC};
	guint hidden = 0;

	for (guint i = 0; i < n; i++)
		hidden += records[i].hidden;
	head.length =
	    GUINT64_TO_LE(procdb_extension_size(n - hidden, hidden) - sizeof(head) - sizeof(foot));
	out = put(out, &head, sizeof(head));
	out = put_section(out, TAG_MORE, sizeof(struct more), n - hidden);
	for (guint i = 0; i < n; i++)
		if (!records[i].hidden)
			out = put_more(out, &records[i]);
	out = put_section(out, TAG_ONLY, sizeof(struct only), hidden);
	for (guint i = 0; i < n; i++) {
		if (!records[i].hidden)
			continue;
		procdb_entry_v2_write(&records[i], out);
		out = put_more(out + sizeof(struct procdb_entry_v2), &records[i]);
	}
	foot.crc = GUINT32_TO_LE(checksum(file, (gsize)(out - file)));
	put(out, &foot, sizeof(foot));
}

/*
 * Adds to a record what its entry left out, len bytes of it; FALSE, and the votes untouched, if
 * they differ.
 */
static gboolean complete(struct procdb_record *record, const guint8 *data, gsize len)
{
	struct procdb_profile *profile = &record->profile;
	struct procdb_profile claimed = *profile;
	struct more more = {0};

	memcpy(&more, data, MIN(len, sizeof(more)));
	if (memcmp(&more.comm, &record->comm, sizeof(more.comm)) != 0)
		return FALSE;
	profile->override = more.override < PROCDB_TIERS ? more.override : PROCDB_NO_OVERRIDE;
	profile->teachers = more.teachers & (PROCDB_TAUGHT_BY_ROOT | PROCDB_TAUGHT_BY_USERS);
	profile->first_seen_us = MAX(GINT64_FROM_LE(more.first_seen), 0);
	profile->last_seen_us = MAX(GINT64_FROM_LE(more.last_seen), 0);
	profile->right = GUINT64_FROM_LE(more.right);
	profile->wrong = GUINT64_FROM_LE(more.wrong);
	profile->recent_right = GUINT16_FROM_LE(more.recent_right);
	profile->recent_wrong = GUINT16_FROM_LE(more.recent_wrong);
	profile->withdrawals = GUINT32_FROM_LE(more.withdrawals);
	for (guint tier = 0; tier < PROCDB_TIERS; tier++)
		claimed.tier_votes[tier] = GUINT32_FROM_LE(more.votes[tier]);
	if (procdb_entry_votes(&claimed) != procdb_entry_votes(profile) ||
	    procdb_profile_dominant_tier(&claimed) != procdb_profile_dominant_tier(profile))
		return FALSE;
	memcpy(profile->tier_votes, claimed.tier_votes, sizeof(claimed.tier_votes));
	return TRUE;
}

/* The records of a section: NULL if it cannot hold what it says. */
static const guint8 *open_table(const guint8 *data, gsize len, gsize least, struct table *table)
{
	if (len < sizeof(*table))
		return NULL;
	memcpy(table, data, sizeof(*table));
	table->size = GUINT32_FROM_LE(table->size);
	table->count = GUINT32_FROM_LE(table->count);
	if (table->size < least || table->count > (len - sizeof(*table)) / table->size)
		return NULL;
	return data + sizeof(*table);
}

/* Reads one section into records, or only looks whether it could (records is NULL). */
static gboolean read_section(const char *tag, const guint8 *data, gsize len, GArray *records,
			     guint first, guint entries, guint *mismatched)
{
	const gboolean is_more = memcmp(tag, TAG_MORE, TAG_LEN) == 0;
	const gboolean is_only = memcmp(tag, TAG_ONLY, TAG_LEN) == 0;
	const gsize before = is_only ? sizeof(struct procdb_entry_v2) : 0;
	struct table table;
	const guint8 *at;

	if (!is_more && !is_only)
		return TRUE;
	at = open_table(data, len, before + MORE_LEAST, &table);
	if (!at)
		return FALSE;
	if (!records)
		return TRUE;

	for (guint i = 0; i < table.count; i++, at += table.size) {
		if (is_only) {
			struct procdb_record record = procdb_entry_v2_read(at);

			record.hidden = true;
			*mismatched += !complete(&record, at + before, table.size - before);
			g_array_append_val(records, record);
		} else if (i < entries) {
			*mismatched +=
			    !complete(&g_array_index(records, struct procdb_record, first + i), at,
				      table.size);
		}
	}
	return TRUE;
}

static gboolean read_sections(const guint8 *data, gsize len, GArray *records, guint first,
			      guint entries, guint *mismatched)
{
	while (len > 0) {
		struct section section;

		if (len < sizeof(section))
			return FALSE;
		memcpy(&section, data, sizeof(section));
		data += sizeof(section);
		len -= sizeof(section);
		section.length = GUINT32_FROM_LE(section.length);
		if (section.length > len)
			return FALSE;
		if (!read_section(section.tag, data, section.length, records, first, entries,
				  mismatched))
			return FALSE;
		data += section.length;
		len -= section.length;
	}
	return TRUE;
}

/* Whether these bytes are a block of ours, whole or not. */
static gboolean is_ours(const guint8 *data, gsize len)
{
	return memcmp(data, HEAD_MAGIC, MIN(len, MAGIC_LEN)) == 0 ||
	       (len >= MAGIC_LEN && memcmp(data + len - MAGIC_LEN, FOOT_MAGIC, MAGIC_LEN) == 0);
}

ProcdbExt procdb_extension_read(const guint8 *file, gsize len, gsize at, GArray *records,
				guint first, guint *mismatched)
{
	const guint entries = records->len - first;
	const guint8 *data = file + at;
	const guint8 *sections = data + sizeof(struct head);
	struct head head;
	struct foot foot;
	gsize length;

	*mismatched = 0;
	len -= at;
	if (len == 0)
		return PROCDB_EXT_NONE;
	if (!is_ours(data, len))
		return PROCDB_EXT_FOREIGN;
	if (len < sizeof(head) + sizeof(foot))
		return PROCDB_EXT_DAMAGED;
	memcpy(&head, data, sizeof(head));
	memcpy(&foot, data + len - sizeof(foot), sizeof(foot));
	length = len - sizeof(head) - sizeof(foot);
	if (memcmp(head.magic, HEAD_MAGIC, MAGIC_LEN) != 0 ||
	    memcmp(foot.magic, FOOT_MAGIC, MAGIC_LEN) != 0 ||
	    GUINT64_FROM_LE(head.length) != length ||
	    GUINT32_FROM_LE(foot.crc) != checksum(file, at + len - sizeof(foot)))
		return PROCDB_EXT_DAMAGED;
	if (GUINT32_FROM_LE(head.version) != VERSION)
		return PROCDB_EXT_NEWER;
	if (!read_sections(sections, length, NULL, 0, 0, NULL))
		return PROCDB_EXT_DAMAGED;
	read_sections(sections, length, records, first, entries, mismatched);
	return PROCDB_EXT_GOOD;
}
