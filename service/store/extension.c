/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#include "extension.h"

#include <string.h>
#include <zlib.h>

#include "entry.h"
#include "identities.h"
#include "rules.h"

#define HEAD_MAGIC "PDDX"
#define FOOT_MAGIC "XDDP"
#define MAGIC_LEN 4
#define TAG_LEN 4
#define TAG_MORE "MORE"
#define TAG_ONLY "ONLY"
#define TAG_PROGRAMS "PROG"
#define TAG_RULES "RULE"
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

/* The members that an entry leaves out. */
struct more {
	struct procdb_comm comm; /* of the entry that it belongs to */
	guint32 votes[PROCDB_TIERS];
	guint8 override; /* enum procdb_tier, or 255 */
	guint8 teachers;
	guint16 owner;	   /* 0 in older files, which did not know */
	gint64 first_seen; /* µs since the epoch, 0 = unknown */
	gint64 last_seen;
	guint64 right;
	guint64 wrong;
	/* Not in the first files. */
	guint16 recent_right;
	guint16 recent_wrong;
	guint32 withdrawals;
	gint64 seen_run; /* µs of the time that the machine ran */
} __attribute__((packed));

#define MORE_LEAST offsetof(struct more, recent_right)

struct only {
	struct procdb_entry_v2 entry;
	struct more more;
} __attribute__((packed));

G_STATIC_ASSERT(sizeof(struct head) == 16);
G_STATIC_ASSERT(sizeof(struct foot) == 8);
G_STATIC_ASSERT(sizeof(struct section) + sizeof(struct table) == 16);
G_STATIC_ASSERT(sizeof(struct more) == PROCDB_EXTENSION_RECORD_SIZE);
G_STATIC_ASSERT(MORE_LEAST == 64);
G_STATIC_ASSERT(offsetof(struct more, first_seen) == 32);
G_STATIC_ASSERT(sizeof(struct only) == 144);

/* The bytes of an optional section with its head. */
static gsize size_of(GBytes *section)
{
	return section ? sizeof(struct section) + g_bytes_get_size(section) : 0;
}

gsize procdb_extension_size(guint entries, guint hidden, const ProcdbSections *beside)
{
	return sizeof(struct head) + 2 * (sizeof(struct section) + sizeof(struct table)) +
	       entries * sizeof(struct more) + hidden * sizeof(struct only) +
	       size_of(beside->identities) + size_of(beside->rules) + sizeof(struct foot);
}

static guint32 checksum(const guint8 *file, gsize len)
{
	return (guint32)crc32_z(0, file, len);
}

static guint8 *put(guint8 *at, const void *data, gsize len)
{
	/* The data of no bytes may be NULL. */
	if (len > 0)
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
	    .owner = GUINT16_TO_LE(profile->owner),
	    .seen_run = GINT64_TO_LE(profile->seen_run_us),
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

static guint8 *put_section(guint8 *at, const char *tag, gsize len)
{
	struct section section = {.length = GUINT32_TO_LE((guint32)len)};

	memcpy(section.tag, tag, TAG_LEN);
	return put(at, &section, sizeof(section));
}

static guint8 *put_table(guint8 *at, const char *tag, gsize size, guint count)
{
	struct table table = {GUINT32_TO_LE((guint32)size), GUINT32_TO_LE(count)};

	at = put_section(at, tag, sizeof(table) + size * count);
	return put(at, &table, sizeof(table));
}

/* NULL: none. */
static guint8 *put_bytes(guint8 *at, const char *tag, GBytes *bytes)
{
	gsize len = 0;
	const guint8 *data = bytes ? g_bytes_get_data(bytes, &len) : NULL;

	return bytes ? put(put_section(at, tag, len), data, len) : at;
}

void procdb_extension_write(const struct procdb_record *records, guint n,
			    const ProcdbSections *beside, guint8 *file, gsize at)
{
	guint8 *out = file + at;
	struct head head = {.version = GUINT32_TO_LE(VERSION)};
	struct foot foot;
	guint hidden = 0;

	for (guint i = 0; i < n; i++)
		hidden += records[i].hidden;
	memcpy(head.magic, HEAD_MAGIC, MAGIC_LEN);
	memcpy(foot.magic, FOOT_MAGIC, MAGIC_LEN);
	head.length = GUINT64_TO_LE(procdb_extension_size(n - hidden, hidden, beside) -
				    sizeof(head) - sizeof(foot));
	out = put(out, &head, sizeof(head));
	out = put_table(out, TAG_MORE, sizeof(struct more), n - hidden);
	for (guint i = 0; i < n; i++)
		if (!records[i].hidden)
			out = put_more(out, &records[i]);
	out = put_table(out, TAG_ONLY, sizeof(struct only), hidden);
	for (guint i = 0; i < n; i++) {
		if (!records[i].hidden)
			continue;
		procdb_entry_v2_write(&records[i], out);
		out = put_more(out + sizeof(struct procdb_entry_v2), &records[i]);
	}
	out = put_bytes(out, TAG_PROGRAMS, beside->identities);
	out = put_bytes(out, TAG_RULES, beside->rules);
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
	profile->teachers = more.teachers & PROCDB_TEACHERS_ALL;
	profile->owner = GUINT16_FROM_LE(more.owner);
	profile->seen_run_us = MAX(GINT64_FROM_LE(more.seen_run), 0);
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

/* A section; of those with records also where they are. */
struct found {
	char tag[TAG_LEN];
	gsize end;
	gsize records;
	struct table table;
};

static gboolean has_tag(const struct found *found, const char *tag)
{
	return memcmp(found->tag, tag, TAG_LEN) == 0;
}

/* The table that a section holds; FALSE if it cannot hold what it says. */
static gboolean open_table(ProcdbReader *reader, gsize at, gsize len, gsize least,
			   struct found *found)
{
	const guint8 *data;
	struct table table;

	if (len < sizeof(table))
		return FALSE;
	data = procdb_reader_get(reader, at, sizeof(table));
	if (!data)
		return FALSE;
	memcpy(&table, data, sizeof(table));
	table.size = GUINT32_FROM_LE(table.size);
	table.count = GUINT32_FROM_LE(table.count);
	if (table.size < least || table.count > (len - sizeof(table)) / table.size)
		return FALSE;
	found->table = table;
	found->records = at + sizeof(table);
	return TRUE;
}

/* The section at an offset, which has to be over at another. */
static gboolean open_section(ProcdbReader *reader, gsize at, gsize end, struct found *found)
{
	struct section section;
	const guint8 *data;
	gsize len;

	*found = (struct found){0};
	if (end - at < sizeof(section))
		return FALSE;
	data = procdb_reader_get(reader, at, sizeof(section));
	if (!data)
		return FALSE;
	memcpy(&section, data, sizeof(section));
	at += sizeof(section);
	len = GUINT32_FROM_LE(section.length);
	if (len > end - at)
		return FALSE;
	memcpy(found->tag, section.tag, TAG_LEN);
	found->end = at + len;
	if (has_tag(found, TAG_MORE))
		return open_table(reader, at, len, MORE_LEAST, found);
	if (has_tag(found, TAG_ONLY))
		return open_table(reader, at, len, sizeof(struct procdb_entry_v2) + MORE_LEAST,
				  found);
	return TRUE;
}

/* Whether all sections are what they say. */
static gboolean open_sections(ProcdbReader *reader, ProcdbExtension *extension)
{
	struct found found;

	for (gsize at = extension->sections; at < extension->end; at = found.end) {
		if (!open_section(reader, at, extension->end, &found))
			return FALSE;
		if (!has_tag(&found, TAG_MORE) || found.table.count == 0)
			continue;
		extension->more.at = found.records;
		extension->more.size = found.table.size;
		extension->more.count = found.table.count;
	}
	return TRUE;
}

gboolean procdb_extension_complete(const ProcdbExtension *extension, ProcdbReader *reader, guint i,
				   struct procdb_record *record)
{
	const gsize len = MIN(extension->more.size, sizeof(struct more));
	const guint8 *data;

	if (i >= extension->more.count)
		return TRUE;
	data = procdb_reader_get(reader, extension->more.at + (gsize)i * extension->more.size, len);
	return data && complete(record, data, len);
}

guint procdb_extension_add_hidden(const ProcdbExtension *extension, ProcdbReader *reader,
				  ProcdbSelection *selection)
{
	const gsize before = sizeof(struct procdb_entry_v2);
	guint mismatched = 0;
	struct found found;

	for (gsize at = extension->sections;
	     at < extension->end && open_section(reader, at, extension->end, &found);
	     at = found.end) {
		const gsize len = MIN(found.table.size, sizeof(struct only));

		if (!has_tag(&found, TAG_ONLY))
			continue;
		for (guint i = 0; i < found.table.count; i++) {
			const guint8 *data = procdb_reader_get(
			    reader, found.records + (gsize)i * found.table.size, len);
			struct procdb_record record;

			if (!data)
				return mismatched;
			record = procdb_entry_v2_read(data);
			record.hidden = true;
			mismatched += !complete(&record, data + before, len - before);
			procdb_selection_add(selection, &record);
		}
	}
	return mismatched;
}

/* The first section of a tag: there is one, whose bound is that of its content. */
static gboolean find_section(const ProcdbExtension *extension, ProcdbReader *reader,
			     const char *tag, gsize *at, gsize *end)
{
	struct found found;

	for (gsize next = extension->sections;
	     next < extension->end && open_section(reader, next, extension->end, &found);
	     next = found.end) {
		if (!has_tag(&found, tag))
			continue;
		*at = next + sizeof(struct section);
		*end = found.end;
		return TRUE;
	}
	return FALSE;
}

void procdb_extension_read_identities(const ProcdbExtension *extension, ProcdbReader *reader,
				      GHashTable *identities)
{
	gsize at, end;

	if (find_section(extension, reader, TAG_PROGRAMS, &at, &end))
		procdb_identities_read(reader, at, end, identities);
}

void procdb_extension_read_rules(const ProcdbExtension *extension, ProcdbReader *reader,
				 GPtrArray *rules)
{
	gsize at, end;

	if (find_section(extension, reader, TAG_RULES, &at, &end))
		procdb_rules_read(reader, at, end, rules);
}

static gboolean add_to_checksum(const guint8 *data, gsize len, gpointer crc)
{
	*(guint32 *)crc = (guint32)crc32_z(*(guint32 *)crc, data, len);
	return TRUE;
}

/* Of len bytes from the start on. */
static gboolean has_checksum(ProcdbReader *reader, gsize len, guint32 expected)
{
	guint32 crc = 0;

	return procdb_reader_walk(reader, 0, len, add_to_checksum, &crc) && crc == expected;
}

/* Copies up to size bytes from an offset on; the rest is zeros. */
static void copy(ProcdbReader *reader, gsize at, void *to, gsize size)
{
	const gsize len = MIN(size, reader->len - at);
	const guint8 *data = procdb_reader_get(reader, at, len);

	memset(to, 0, size);
	if (data)
		memcpy(to, data, len);
}

/* Whether len bytes from an offset on are a block of ours, whole or not. */
static gboolean is_ours(ProcdbReader *reader, gsize at, gsize len)
{
	char magic[MAGIC_LEN];

	copy(reader, at, magic, sizeof(magic));
	if (memcmp(magic, HEAD_MAGIC, MIN(len, MAGIC_LEN)) == 0)
		return TRUE;
	if (len < MAGIC_LEN)
		return FALSE;
	copy(reader, at + len - MAGIC_LEN, magic, sizeof(magic));
	return memcmp(magic, FOOT_MAGIC, MAGIC_LEN) == 0;
}

ProcdbExt procdb_extension_open(ProcdbReader *reader, gsize at, ProcdbExtension *extension)
{
	const gsize len = reader->len - at;
	struct head head;
	struct foot foot;

	if (len == 0)
		return PROCDB_EXT_NONE;
	if (!is_ours(reader, at, len))
		return PROCDB_EXT_FOREIGN;
	if (len < sizeof(head) + sizeof(foot))
		return PROCDB_EXT_DAMAGED;
	*extension = (ProcdbExtension){
	    .sections = at + sizeof(head),
	    .end = reader->len - sizeof(foot),
	};
	copy(reader, at, &head, sizeof(head));
	copy(reader, extension->end, &foot, sizeof(foot));
	if (memcmp(head.magic, HEAD_MAGIC, MAGIC_LEN) != 0 ||
	    memcmp(foot.magic, FOOT_MAGIC, MAGIC_LEN) != 0 ||
	    GUINT64_FROM_LE(head.length) != extension->end - extension->sections ||
	    !has_checksum(reader, extension->end, GUINT32_FROM_LE(foot.crc)))
		return PROCDB_EXT_DAMAGED;
	if (GUINT32_FROM_LE(head.version) != VERSION)
		return PROCDB_EXT_NEWER;
	return open_sections(reader, extension) ? PROCDB_EXT_GOOD : PROCDB_EXT_DAMAGED;
}
