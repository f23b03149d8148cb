/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

/* Any bytes as a database: what is read is written and read again the same. */

#include <stddef.h>
#include <stdint.h>
#include <zlib.h>

#include "identities.h"
#include "records.h"
#include "rules.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_round_trip(const guint8 *data, gsize len)
{
	g_autoptr(GArray) records = records_new();
	g_autoptr(GArray) again = records_new();
	g_autoptr(GBytes) bytes = NULL;
	ProcdbDecoded decoded;

	if (procdb_codec_decode(data, len, records, &decoded) != PROCDB_DIAG_NONE) {
		g_assert_cmpuint(records->len, ==, 0);
		return;
	}
	for (guint i = 0; i < records->len; i++) {
		const struct procdb_profile *profile = &records_at(records, i)->profile;

		g_assert_true(profile->override < PROCDB_TIERS ||
			      profile->override == PROCDB_NO_OVERRIDE);
		g_assert_cmpint(profile->first_seen_us, >=, 0);
		g_assert_cmpint(profile->last_seen_us, >=, 0);
		g_assert_cmpuint(profile->last_seen_tick, ==, 0);
	}
	bytes = procdb_codec_encode((const struct procdb_record *)records->data, records->len);
	procdb_codec_decode(g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes), again,
			    &decoded);
	g_assert_cmpint(decoded.ext, ==, PROCDB_EXT_GOOD);
	g_assert_cmpuint(decoded.mismatched, ==, 0);
	g_assert_true(records_equal(records, again));
}

/* The sections beside the records, which a database may have. */
static void read_sections(const guint8 *data, gsize len)
{
	g_autoptr(GHashTable) identities = procdb_identities_new();
	g_autoptr(GPtrArray) rules = procdb_rules_new();
	g_autoptr(GArray) records = records_new();
	g_auto(ProcdbReader) reader = {0};
	g_autoptr(GBytes) written = NULL;
	ProcdbDecoded decoded;

	procdb_reader_init_memory(&reader, data, len);
	procdb_codec_read(&reader, NULL, records, identities, rules, &decoded);
	g_assert_cmpuint(g_hash_table_size(identities), <=, PROCDB_MAX_IDENTITIES);
	g_assert_cmpuint(rules->len, <=, PROCDB_MAX_RULES);
	written = procdb_rules_encode(rules);
	g_assert_true(!written == (rules->len == 0));
}

/*
 * Makes checksum, length and magics of whatever follows the entries right, so
 * that the fuzzer gets past them; NULL if there is no room for a block.
 */
static guint8 *seal(const guint8 *data, gsize len)
{
	guint32 header[3];
	guint8 *copy;
	guint64 length;
	guint32 crc;
	gsize end;

	if (len < sizeof(header) + 24)
		return NULL;
	memcpy(header, data, sizeof(header));
	end = sizeof(header) + (gsize)GUINT32_FROM_LE(header[2]) * 64;
	if (end > len - 24)
		return NULL;
	copy = g_memdup2(data, len);
	length = GUINT64_TO_LE(len - end - 24);
	memcpy(copy + end, "PDDX\1\0\0\0", 8);
	memcpy(copy + end + 8, &length, sizeof(length));
	crc = GUINT32_TO_LE((guint32)crc32(0, copy, (uInt)(len - 8)));
	memcpy(copy + len - 8, &crc, sizeof(crc));
	memcpy(copy + len - 4, "XDDP", 4);
	return copy;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	g_autofree guint8 *sealed = seal(data, size);

	check_round_trip(data, size);
	read_sections(data, size);
	if (sealed) {
		check_round_trip(sealed, size);
		read_sections(sealed, size);
	}
	return 0;
}
