/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

/* The worked example of docs/file-format.md is what the codec writes, byte for byte. */

#include "records.h"

#define SECOND_US G_GINT64_CONSTANT(1000000)
/* 2026-11-23 00:00:00 UTC */
#define MIDNIGHT_US (G_GINT64_CONSTANT(1795392000) * SECOND_US)

/* The two profiles of the example: one that was learned, and one that is only an override. */
static GArray *example(void)
{
	GArray *records = records_new();
	struct procdb_record cc1 = {.comm.bytes = "cc1"};
	struct procdb_record vim = {.comm.bytes = "vim", .hidden = true};

	procdb_profile_init(&cc1.profile);
	cc1.profile.tier_votes[PROCDB_TIER_BATCH] = 13;
	cc1.profile.tier_votes[PROCDB_TIER_INTERACTIVE] = 1;
	cc1.profile.observations = 14;
	cc1.profile.avg_runtime_ns = 173000000;
	cc1.profile.runtime_dev_ns = 90000000;
	cc1.profile.wakeup_freq = 2;
	cc1.profile.csw_rate = 3;
	cc1.profile.first_seen_us = MIDNIGHT_US;
	cc1.profile.last_seen_us = MIDNIGHT_US + 60 * SECOND_US;
	cc1.profile.right = 15;
	cc1.profile.wrong = 1;
	cc1.profile.recent_right = 7;
	cc1.profile.teachers = PROCDB_TAUGHT_BY_USERS;
	cc1.profile.owner = 1000;
	cc1.profile.seen_run_us = 3600 * SECOND_US;
	g_array_append_val(records, cc1);
	procdb_profile_init(&vim.profile);
	vim.profile.override = PROCDB_TIER_LAT_CRITICAL;
	g_array_append_val(records, vim);
	return records;
}

/* As hexdump -C has it, indented as in the document. */
static char *dump(const guint8 *data, gsize len)
{
	GString *text = g_string_new(NULL);

	for (gsize at = 0; at < len; at += 16) {
		g_string_append_printf(text, "    %08zx ", at);
		for (gsize i = at; i < at + 16; i++) {
			if (i < len)
				g_string_append_printf(text, " %02x", data[i]);
			else
				g_string_append(text, "   ");
		}
		g_string_append(text, "  |");
		for (gsize i = at; i < MIN(at + 16, len); i++)
			g_string_append_c(text, g_ascii_isprint(data[i]) ? (char)data[i] : '.');
		g_string_append(text, "|\n");
	}
	return g_string_free(text, FALSE);
}

static void test_the_example_is_what_is_written(void)
{
	g_autofree char *path =
	    g_test_build_filename(G_TEST_DIST, "..", "..", "docs", "file-format.md", NULL);
	g_autoptr(GArray) records = example();
	g_autoptr(GBytes) bytes =
	    procdb_codec_encode((const struct procdb_record *)records->data, records->len);
	g_autofree char *expected = dump(g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes));
	g_autoptr(GError) error = NULL;
	g_autofree char *document = NULL;

	g_file_get_contents(path, &document, NULL, &error);
	g_assert_no_error(error);
	if (!strstr(document, expected))
		g_test_message("docs/file-format.md does not have these bytes:\n%s", expected);
	g_assert_nonnull(strstr(document, expected));
}

static void test_the_example_is_read_as_it_says(void)
{
	g_autoptr(GArray) records = example();
	g_autoptr(GArray) read = records_new();
	g_autoptr(GBytes) bytes =
	    procdb_codec_encode((const struct procdb_record *)records->data, records->len);
	ProcdbDecoded decoded;
	gsize len;
	const guint8 *data = g_bytes_get_data(bytes, &len);

	g_assert_cmpint(procdb_codec_decode(data, len, read, &decoded), ==, PROCDB_DIAG_NONE);
	g_assert_cmpint(decoded.ext, ==, PROCDB_EXT_GOOD);
	g_assert_true(records_equal(read, records));
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/format/the-example-is-what-is-written",
			test_the_example_is_what_is_written);
	g_test_add_func("/format/the-example-is-read-as-it-says",
			test_the_example_is_read_as_it_says);
	return g_test_run();
}
