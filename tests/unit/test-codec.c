/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

/* The PDDB format: what is written is read again, and nothing hostile is believed. */

#include <zlib.h>

#include "records.h"

#define HEADER 12
#define ENTRY 64
#define MORE 80
#define EXT_HEAD 16
#define EXT_FOOT 8

static GByteArray *encode(GArray *records)
{
	GBytes *bytes =
	    procdb_codec_encode((const struct procdb_record *)records->data, records->len);

	return g_bytes_unref_to_array(bytes);
}

static GByteArray *read_fixture(const char *folder, const char *name)
{
	g_autofree char *path = g_test_build_filename(G_TEST_DIST, "..", folder, name, NULL);
	g_autoptr(GError) error = NULL;
	char *data;
	gsize len;

	g_file_get_contents(path, &data, &len, &error);
	g_assert_no_error(error);
	return g_byte_array_new_take((guint8 *)data, len);
}

static void seal(GByteArray *file)
{
	guint32 crc = GUINT32_TO_LE((guint32)crc32(0, file->data, file->len - EXT_FOOT));

	memcpy(file->data + file->len - EXT_FOOT, &crc, sizeof(crc));
}

/* Puts bytes at the end of the sections, and corrects length and checksum. */
static void append_section(GByteArray *file, gsize ext, const void *data, guint len)
{
	guint8 foot[EXT_FOOT];
	guint64 length;

	memcpy(foot, file->data + file->len - EXT_FOOT, EXT_FOOT);
	g_byte_array_set_size(file, file->len - EXT_FOOT);
	g_byte_array_append(file, data, len);
	g_byte_array_append(file, foot, EXT_FOOT);
	memcpy(&length, file->data + ext + 8, sizeof(length));
	length = GUINT64_TO_LE(GUINT64_FROM_LE(length) + len);
	memcpy(file->data + ext + 8, &length, sizeof(length));
	seal(file);
}

static ProcdbDecoded decode(GByteArray *file, GArray *records)
{
	ProcdbDecoded decoded;

	g_array_set_size(records, 0);
	g_assert_cmpint(procdb_codec_decode(file->data, file->len, records, &decoded), ==,
			decoded.diag);
	return decoded;
}

/* What a reader that ignores the extension has of these records. */
static GArray *reference_reading(GArray *records)
{
	GArray *entries = records_new();

	for (guint i = 0; i < records->len; i++) {
		struct procdb_record record = *records_at(records, i);

		if (record.hidden)
			continue;
		procdb_record_to_reference(&record);
		record.profile.override = PROCDB_NO_OVERRIDE;
		g_array_append_val(entries, record);
	}
	return entries;
}

static void test_golden_files(void)
{
	static const struct {
		const char *name;
		ProcdbDiag diag;
		guint n;
		ProcdbExt ext;
	} files[] = {
	    {"v1.bin", PROCDB_DIAG_NONE, 4, PROCDB_EXT_NONE},
	    {"v2.bin", PROCDB_DIAG_NONE, 8, PROCDB_EXT_NONE},
	    {"no-entries.bin", PROCDB_DIAG_NONE, 0, PROCDB_EXT_NONE},
	    {"empty.bin", PROCDB_DIAG_SHORT, 0, PROCDB_EXT_NONE},
	    {"short.bin", PROCDB_DIAG_SHORT, 0, PROCDB_EXT_NONE},
	    {"truncated.bin", PROCDB_DIAG_TRUNCATED, 0, PROCDB_EXT_NONE},
	    {"truncated-v1.bin", PROCDB_DIAG_TRUNCATED, 0, PROCDB_EXT_NONE},
	    {"v1-sized-v2.bin", PROCDB_DIAG_TRUNCATED, 0, PROCDB_EXT_NONE},
	    {"bad-magic.bin", PROCDB_DIAG_MAGIC, 0, PROCDB_EXT_NONE},
	    {"version-0.bin", PROCDB_DIAG_VERSION, 0, PROCDB_EXT_NONE},
	    {"version-3.bin", PROCDB_DIAG_VERSION, 0, PROCDB_EXT_NONE},
	    {"version-be.bin", PROCDB_DIAG_VERSION, 0, PROCDB_EXT_NONE},
	    {"count-max.bin", PROCDB_DIAG_TRUNCATED, 0, PROCDB_EXT_NONE},
	    {"count-wrap.bin", PROCDB_DIAG_TRUNCATED, 0, PROCDB_EXT_NONE},
	    {"count-wrap-v1.bin", PROCDB_DIAG_TRUNCATED, 0, PROCDB_EXT_NONE},
	    {"trailing.bin", PROCDB_DIAG_NONE, 2, PROCDB_EXT_FOREIGN},
	    {"trailing-v1.bin", PROCDB_DIAG_NONE, 2, PROCDB_EXT_FOREIGN},
	    {"tier255.bin", PROCDB_DIAG_NONE, 6, PROCDB_EXT_NONE},
	    {"padding.bin", PROCDB_DIAG_NONE, 4, PROCDB_EXT_NONE},
	    {"obs-max.bin", PROCDB_DIAG_NONE, 4, PROCDB_EXT_NONE},
	    {"counts-odd.bin", PROCDB_DIAG_NONE, 5, PROCDB_EXT_NONE},
	    {"dup.bin", PROCDB_DIAG_NONE, 6, PROCDB_EXT_NONE},
	    {"edge-conf.bin", PROCDB_DIAG_NONE, 8, PROCDB_EXT_NONE},
	    {"big.bin", PROCDB_DIAG_NONE, 600, PROCDB_EXT_NONE},
	};
	g_autoptr(GArray) records = records_new();
	g_autoptr(GArray) again = records_new();

	for (guint i = 0; i < G_N_ELEMENTS(files); i++) {
		g_autoptr(GByteArray) file = read_fixture("golden", files[i].name);
		g_autoptr(GByteArray) rewritten = NULL;
		ProcdbDecoded decoded = decode(file, records);

		g_test_message("%s", files[i].name);
		g_assert_cmpstr(procdb_diag_name(decoded.diag), ==,
				procdb_diag_name(files[i].diag));
		g_assert_cmpstr(procdb_ext_name(decoded.ext), ==, procdb_ext_name(files[i].ext));
		g_assert_cmpuint(records->len, ==, files[i].n);

		rewritten = encode(records);
		g_assert_cmpint(decode(rewritten, again).ext, ==, PROCDB_EXT_GOOD);
		g_assert_true(records_equal(records, again));
	}
}

static void test_version_1_is_migrated(void)
{
	g_autoptr(GByteArray) file = read_fixture("golden", "v1.bin");
	g_autoptr(GArray) records = records_new();

	decode(file, records);
	for (guint i = 0; i < records->len; i++) {
		const struct procdb_profile *profile = &records_at(records, i)->profile;
		const guint8 *entry = file->data + HEADER + i * 40;
		guint64 runtime;
		guint32 votes;

		memcpy(&runtime, entry + 24, sizeof(runtime));
		memcpy(&votes, entry + 36, sizeof(votes));
		g_assert_cmpuint(profile->avg_runtime_ns, ==, GUINT64_FROM_LE(runtime));
		g_assert_cmpuint(profile->tier_votes[MIN(entry[16], 2)], ==,
				 GUINT32_FROM_LE(votes));
		g_assert_cmpuint(procdb_profile_votes(profile), ==, GUINT32_FROM_LE(votes));
		g_assert_cmpuint(profile->runtime_dev_ns, ==, 0);
		g_assert_cmpuint(profile->wakeup_freq, ==, 0);
		g_assert_cmpuint(profile->csw_rate, ==, 0);
		g_assert_cmpint(profile->last_seen_us, ==, 0);
		g_assert_cmpuint(profile->override, ==, PROCDB_NO_OVERRIDE);
	}
}

/* A file of the first release with an extension stays readable for all later ones. */
static void test_extension_1_fixture(void)
{
	g_autoptr(GByteArray) file = read_fixture("fixtures", "v2-ext1.bin");
	g_autoptr(GArray) expected = records_make(30, 7);
	g_autoptr(GArray) records = records_new();
	ProcdbDecoded decoded = decode(file, records);

	for (guint i = 0; i < expected->len; i++) {
		records_at(expected, i)->profile.owner = 0;
		records_at(expected, i)->profile.seen_run_us = 0;
		records_at(expected, i)->profile.recent_right = 0;
		records_at(expected, i)->profile.recent_wrong = 0;
		records_at(expected, i)->profile.withdrawals = 0;
	}
	g_assert_cmpint(decoded.ext, ==, PROCDB_EXT_GOOD);
	g_assert_cmpuint(decoded.mismatched, ==, 0);
	g_assert_true(records_equal(expected, records));
}

/* The same with recent scores and withdrawals. */
static void test_extension_2_fixture(void)
{
	g_autoptr(GByteArray) file = read_fixture("fixtures", "v2-ext2.bin");
	g_autoptr(GArray) expected = records_make(30, 7);
	g_autoptr(GArray) records = records_new();
	ProcdbDecoded decoded = decode(file, records);

	for (guint i = 0; i < expected->len; i++) {
		records_at(expected, i)->profile.owner = 0;
		records_at(expected, i)->profile.seen_run_us = 0;
	}
	g_assert_cmpint(decoded.ext, ==, PROCDB_EXT_GOOD);
	g_assert_cmpuint(decoded.mismatched, ==, 0);
	g_assert_true(records_equal(expected, records));
}

/* The same with owners and the time that the machine ran; what is written today is this file. */
static void test_extension_3_fixture(void)
{
	g_autoptr(GByteArray) file = read_fixture("fixtures", "v2-ext3.bin");
	g_autoptr(GArray) expected = records_make(30, 7);
	g_autoptr(GByteArray) written = encode(expected);
	g_autoptr(GArray) records = records_new();
	ProcdbDecoded decoded = decode(file, records);

	g_assert_cmpint(decoded.ext, ==, PROCDB_EXT_GOOD);
	g_assert_cmpuint(decoded.mismatched, ==, 0);
	g_assert_true(records_equal(expected, records));
	g_assert_cmpmem(file->data, file->len, written->data, written->len);
}

static void test_round_trip(void)
{
	static const guint counts[] = {0, 1, 2, 3, 100, 5000};
	g_autoptr(GArray) again = records_new();

	for (guint i = 0; i < G_N_ELEMENTS(counts); i++) {
		g_autoptr(GArray) records = records_make(counts[i], i);
		g_autoptr(GByteArray) file = encode(records);
		ProcdbDecoded decoded = decode(file, again);

		g_assert_cmpint(decoded.ext, ==, PROCDB_EXT_GOOD);
		g_assert_cmpuint(decoded.mismatched, ==, 0);
		g_assert_true(records_equal(records, again));
	}
}

/* A reader of plain PDDB takes the count and stops after so many entries. */
static void test_entries_are_plain_version_2(void)
{
	g_autoptr(GArray) records = records_make(30, 1);
	g_autoptr(GArray) expected = reference_reading(records);
	g_autoptr(GArray) entries = records_new();
	g_autoptr(GByteArray) file = encode(records);
	guint32 header[3];

	memcpy(header, file->data, sizeof(header));
	g_assert_cmpmem(file->data, 4, "PDDB", 4);
	g_assert_cmpuint(GUINT32_FROM_LE(header[1]), ==, 2);
	g_assert_cmpuint(GUINT32_FROM_LE(header[2]), ==, 20);
	g_byte_array_set_size(file, HEADER + 20 * ENTRY);
	g_assert_cmpint(decode(file, entries).ext, ==, PROCDB_EXT_NONE);
	g_assert_true(records_equal(expected, entries));
}

static void test_votes_saturate_in_the_entry_only(void)
{
	g_autoptr(GArray) records = records_make(1, 0);
	g_autoptr(GArray) again = records_new();
	g_autoptr(GByteArray) file = NULL;
	guint32 votes;

	for (guint tier = 0; tier < PROCDB_TIERS; tier++)
		records_at(records, 0)->profile.tier_votes[tier] = G_MAXUINT32 - tier;
	file = encode(records);
	memcpy(&votes, file->data + HEADER + 60, sizeof(votes));
	g_assert_cmphex(votes, ==, G_MAXUINT32);
	g_assert_cmpint(decode(file, again).ext, ==, PROCDB_EXT_GOOD);
	g_assert_true(records_equal(records, again));
}

static void test_every_truncation_is_noticed(void)
{
	g_autoptr(GArray) records = records_make(9, 3);
	g_autoptr(GArray) expected = reference_reading(records);
	g_autoptr(GArray) again = records_new();
	g_autoptr(GByteArray) file = encode(records);
	const gsize entries_end = HEADER + expected->len * ENTRY;

	for (gsize len = 0; len < file->len; len++) {
		/* A copy of its own, so that a sanitizer sees a read beyond its end. */
		g_autofree guint8 *data = g_memdup2(file->data, len);
		ProcdbDecoded decoded;

		g_array_set_size(again, 0);
		procdb_codec_decode(data, len, again, &decoded);
		g_assert_cmpint(decoded.ext, !=, PROCDB_EXT_GOOD);
		if (len < entries_end) {
			g_assert_cmpint(decoded.diag, ==,
					len < HEADER ? PROCDB_DIAG_SHORT : PROCDB_DIAG_TRUNCATED);
			g_assert_cmpuint(again->len, ==, 0);
		} else {
			g_assert_cmpint(decoded.ext, ==,
					len == entries_end ? PROCDB_EXT_NONE : PROCDB_EXT_DAMAGED);
			g_assert_true(records_equal(expected, again));
		}
	}
}

static void test_every_flipped_bit_is_noticed(void)
{
	g_autoptr(GArray) records = records_make(9, 4);
	g_autoptr(GArray) expected = reference_reading(records);
	g_autoptr(GArray) again = records_new();
	g_autoptr(GByteArray) file = encode(records);
	const gsize entries_end = HEADER + expected->len * ENTRY;

	for (gsize bit = 0; bit < 8 * (gsize)file->len; bit++) {
		ProcdbDecoded decoded;

		file->data[bit / 8] ^= (guint8)(1u << bit % 8);
		decoded = decode(file, again);
		file->data[bit / 8] ^= (guint8)(1u << bit % 8);
		if (decoded.diag != PROCDB_DIAG_NONE) {
			g_assert_cmpuint(bit / 8, <, HEADER);
			g_assert_cmpuint(again->len, ==, 0);
			continue;
		}
		g_assert_cmpint(decoded.ext, ==, PROCDB_EXT_DAMAGED);
		if (bit / 8 >= entries_end)
			g_assert_true(records_equal(expected, again));
	}
}

static void test_unknown_sections_are_skipped(void)
{
	static const guint8 section[] = "NEWS\x05\0\0\0hello";
	g_autoptr(GArray) records = records_make(9, 5);
	g_autoptr(GArray) again = records_new();
	g_autoptr(GByteArray) file = encode(records);

	append_section(file, HEADER + 6 * ENTRY, section, sizeof(section) - 1);
	g_assert_cmpint(decode(file, again).ext, ==, PROCDB_EXT_GOOD);
	g_assert_true(records_equal(records, again));
}

/* Longer records of a newer writer: what we know of them counts. */
static void test_longer_records_are_read(void)
{
	g_autoptr(GArray) none = records_new();
	g_autoptr(GArray) hidden = records_make(3, 6);
	g_autoptr(GArray) again = records_new();
	g_autoptr(GByteArray) file = encode(none);
	g_autoptr(GByteArray) donor = NULL;
	g_autoptr(GByteArray) section = g_byte_array_new();
	static const guint8 head[] = "ONLY\xa0\0\0\0\x98\0\0\0\x01\0\0\0";
	static const guint8 news[] = "newsnews";

	g_array_remove_range(hidden, 0, 2);
	donor = encode(hidden);
	/* After header, head of the block, empty MORE, and head of ONLY. */
	g_byte_array_append(section, head, sizeof(head) - 1);
	g_byte_array_append(section, donor->data + HEADER + EXT_HEAD + 16 + 16, ENTRY + MORE);
	g_byte_array_append(section, news, sizeof(news) - 1);
	append_section(file, HEADER, section->data, section->len);
	g_assert_cmpint(decode(file, again).ext, ==, PROCDB_EXT_GOOD);
	g_assert_true(records_equal(hidden, again));
}

static void test_newer_version_leaves_the_entries(void)
{
	g_autoptr(GArray) records = records_make(9, 8);
	g_autoptr(GArray) expected = reference_reading(records);
	g_autoptr(GArray) again = records_new();
	g_autoptr(GByteArray) file = encode(records);

	file->data[HEADER + 6 * ENTRY + 4] = 2;
	seal(file);
	g_assert_cmpint(decode(file, again).ext, ==, PROCDB_EXT_NEWER);
	g_assert_true(records_equal(expected, again));
}

/* Sections that claim more than there is, with a checksum that is right. */
static void test_lying_sections_are_damage(void)
{
	static const struct {
		gsize at;
		guint8 value;
	} lies[] = {
	    {EXT_HEAD + 4 + 3, 0xff}, /* length of MORE */
	    {EXT_HEAD + 8, 63},	      /* size of its records */
	    {EXT_HEAD + 8 + 3, 0xff},
	    {EXT_HEAD + 12, 7}, /* their count */
	    {EXT_HEAD + 12 + 3, 0xff},
	    {EXT_HEAD + 16 + 6 * MORE + 4, 7}, /* length of ONLY */
	    {EXT_HEAD + 16 + 6 * MORE + 12, 4},
	};
	g_autoptr(GArray) records = records_make(9, 9);
	g_autoptr(GArray) expected = reference_reading(records);
	g_autoptr(GArray) again = records_new();

	for (guint i = 0; i < G_N_ELEMENTS(lies); i++) {
		g_autoptr(GByteArray) file = encode(records);

		file->data[HEADER + 6 * ENTRY + lies[i].at] = lies[i].value;
		seal(file);
		g_assert_cmpint(decode(file, again).ext, ==, PROCDB_EXT_DAMAGED);
		g_assert_true(records_equal(expected, again));
	}
}

static void test_contradicted_entries_keep_their_own_count(void)
{
	g_autoptr(GArray) records = records_make(2, 10);
	g_autoptr(GArray) again = records_new();
	g_autoptr(GByteArray) file = encode(records);
	guint8 *more = file->data + HEADER + 2 * ENTRY + EXT_HEAD + 16;
	struct procdb_record expected = *records_at(records, 0);

	/* Votes that do not add up; and the place of another name. */
	more[16] ^= 0x10;
	more[MORE] ^= 0x01;
	seal(file);
	g_assert_cmpuint(decode(file, again).mismatched, ==, 2);

	procdb_record_to_reference(&expected);
	g_assert_cmpmem(expected.profile.tier_votes, sizeof(expected.profile.tier_votes),
			records_at(again, 0)->profile.tier_votes,
			sizeof(expected.profile.tier_votes));
	g_assert_cmpint(records_at(again, 0)->profile.last_seen_us, ==,
			records_at(records, 0)->profile.last_seen_us);

	expected = *records_at(records, 1);
	procdb_record_to_reference(&expected);
	g_assert_true(record_equal(&expected, records_at(again, 1)));
}

static void test_values_out_of_range_are_not_taken(void)
{
	g_autoptr(GArray) records = records_make(1, 11);
	g_autoptr(GArray) again = records_new();
	g_autoptr(GByteArray) file = encode(records);
	guint8 *more = file->data + HEADER + ENTRY + EXT_HEAD + 16;
	const struct procdb_profile *profile;

	more[28] = 3;
	more[29] = 0xff;
	memset(more + 32, 0xff, 16);
	seal(file);
	g_assert_cmpint(decode(file, again).ext, ==, PROCDB_EXT_GOOD);
	profile = &records_at(again, 0)->profile;
	g_assert_cmpuint(profile->override, ==, PROCDB_NO_OVERRIDE);
	g_assert_cmpuint(profile->teachers, ==, PROCDB_TEACHERS_ALL);
	g_assert_cmpint(profile->first_seen_us, ==, 0);
	g_assert_cmpint(profile->last_seen_us, ==, 0);
}

static void test_decoding_appends(void)
{
	g_autoptr(GArray) records = records_make(4, 12);
	g_autoptr(GArray) again = records_make(2, 13);
	g_autoptr(GArray) both = records_make(2, 13);
	g_autoptr(GByteArray) file = encode(records);

	g_array_append_vals(both, records->data, records->len);
	g_assert_cmpint(procdb_codec_decode(file->data, file->len, again, NULL), ==,
			PROCDB_DIAG_NONE);
	g_assert_true(records_equal(both, again));
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/codec/golden-files", test_golden_files);
	g_test_add_func("/codec/version-1-is-migrated", test_version_1_is_migrated);
	g_test_add_func("/codec/extension-1-fixture", test_extension_1_fixture);
	g_test_add_func("/codec/extension-2-fixture", test_extension_2_fixture);
	g_test_add_func("/codec/extension-3-fixture", test_extension_3_fixture);
	g_test_add_func("/codec/round-trip", test_round_trip);
	g_test_add_func("/codec/entries-are-plain-version-2", test_entries_are_plain_version_2);
	g_test_add_func("/codec/votes-saturate-in-the-entry-only",
			test_votes_saturate_in_the_entry_only);
	g_test_add_func("/codec/every-truncation-is-noticed", test_every_truncation_is_noticed);
	g_test_add_func("/codec/every-flipped-bit-is-noticed", test_every_flipped_bit_is_noticed);
	g_test_add_func("/codec/unknown-sections-are-skipped", test_unknown_sections_are_skipped);
	g_test_add_func("/codec/longer-records-are-read", test_longer_records_are_read);
	g_test_add_func("/codec/newer-version-leaves-the-entries",
			test_newer_version_leaves_the_entries);
	g_test_add_func("/codec/lying-sections-are-damage", test_lying_sections_are_damage);
	g_test_add_func("/codec/contradicted-entries-keep-their-own-count",
			test_contradicted_entries_keep_their_own_count);
	g_test_add_func("/codec/values-out-of-range-are-not-taken",
			test_values_out_of_range_are_not_taken);
	g_test_add_func("/codec/decoding-appends", test_decoding_appends);
	return g_test_run();
}
