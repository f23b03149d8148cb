/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

/* Task names as text: reversible for every name, printable for every reader. */

#include <string.h>

#include "errors.h"
#include "name.h"

static struct procdb_comm comm_of(const void *bytes, gsize len)
{
	struct procdb_comm comm = {0};

	memcpy(&comm, bytes, len);
	return comm;
}

static void assert_escapes(const void *bytes, gsize len, const char *expected)
{
	struct procdb_comm comm = comm_of(bytes, len), back;
	g_autofree char *name = procdb_name_escape(&comm);
	g_autoptr(GError) error = NULL;

	g_assert_cmpstr(name, ==, expected);
	g_assert_true(procdb_name_unescape(name, &back, &error));
	g_assert_no_error(error);
	g_assert_cmpmem(&back, sizeof(back), &comm, sizeof(comm));
}

#define assert_text_escapes(text, expected) assert_escapes((text), sizeof(text) - 1, (expected))

static void assert_refused(const char *name)
{
	struct procdb_comm before, comm;
	g_autoptr(GError) error = NULL;

	memset(&comm, 0xa5, sizeof(comm));
	before = comm;
	g_assert_false(procdb_name_unescape(name, &comm, &error));
	g_assert_error(error, PROCDB_BUS_ERROR, PROCDB_BUS_ERROR_INVALID_NAME);
	g_assert_true(g_utf8_validate(error->message, -1, NULL));
	g_assert_cmpmem(&comm, sizeof(comm), &before, sizeof(before));
}

static void test_plain_text_stays(void)
{
	assert_text_escapes("", "");
	assert_text_escapes("cc1", "cc1");
	assert_text_escapes("a b \"c\" '%n'", "a b \"c\" '%n'");
	assert_text_escapes("../../etc", "../../etc");
	assert_text_escapes("h\303\251l\303\250ne", "h\303\251l\303\250ne");
	assert_text_escapes("\346\227\245\346\234\254", "\346\227\245\346\234\254");
	assert_text_escapes("\360\237\246\200", "\360\237\246\200");
}

/* What to type instead is what the kernel keeps, be it half of a character. */
static void test_what_is_too_long_is_told_what_is_kept(void)
{
	static const struct {
		const char *name, *kept;
	} cases[] = {
	    {"gnome-control-center", "'gnome-control-c'"},
	    {"fourteen-bytes\303\251\303\251", "'fourteen-bytes\\xc3'"},
	    {"fifteen-bytes-x\303\251", "'fifteen-bytes-x'"},
	    {"\\x01\\x02\\x03aaaabbbbccccdddd", "'\\x01\\x02\\x03aaaabbbbcccc'"},
	    {"\\\\aaaabbbbccccddddeeee", "'\\\\aaaabbbbccccdd'"},
	};

	for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(GError) error = NULL;
		struct procdb_comm comm;

		g_assert_false(procdb_name_unescape(cases[i].name, &comm, &error));
		g_assert_error(error, PROCDB_BUS_ERROR, PROCDB_BUS_ERROR_INVALID_NAME);
		g_assert_nonnull(strstr(error->message, "the kernel keeps 15 bytes"));
		g_assert_true(g_str_has_suffix(error->message, cases[i].kept));
	}
}

static void test_backslashes_double(void)
{
	assert_text_escapes("\\", "\\\\");
	assert_text_escapes("\\x41", "\\\\x41");
	assert_text_escapes("\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\",
			    "\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\");
}

static void test_other_bytes_become_hexadecimal(void)
{
	assert_text_escapes("sshd\xff\xfe\n%n", "sshd\\xff\\xfe\\x0a%n");
	assert_text_escapes("a\0b", "a\\x00b");
	assert_text_escapes("\033[31m", "\\x1b[31m");
	assert_text_escapes("\177", "\\x7f");
	/* The padding is no part of the name, zeros before the last byte are. */
	assert_text_escapes("\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0x",
			    "\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00"
			    "\\x00\\x00x");
}

static void test_invalid_utf8(void)
{
	/* Cut short, at the end of the 16 bytes and before. */
	assert_text_escapes("\303", "\\xc3");
	assert_text_escapes("\346\227", "\\xe6\\x97");
	assert_text_escapes("123456789012345\303", "123456789012345\\xc3");
	assert_text_escapes("12345678901234\346\227", "12345678901234\\xe6\\x97");
	assert_text_escapes("\303(", "\\xc3(");
	assert_text_escapes("\346\227\303\251", "\\xe6\\x97\303\251");
	/* Overlong, surrogate, beyond Unicode, lone continuation. */
	assert_text_escapes("\300\257", "\\xc0\\xaf");
	assert_text_escapes("\340\200\257", "\\xe0\\x80\\xaf");
	assert_text_escapes("\355\240\200", "\\xed\\xa0\\x80");
	assert_text_escapes("\364\220\200\200", "\\xf4\\x90\\x80\\x80");
	assert_text_escapes("\200", "\\x80");
}

static void test_characters_that_deceive(void)
{
	/* Right-to-left override, zero-width space, byte order mark, soft hyphen. */
	assert_text_escapes("a\342\200\256b", "a\\xe2\\x80\\xaeb");
	assert_text_escapes("a\342\200\213b", "a\\xe2\\x80\\x8bb");
	assert_text_escapes("\357\273\277", "\\xef\\xbb\\xbf");
	assert_text_escapes("\302\255", "\\xc2\\xad");
	/* Isolates, line and paragraph separators, next line. */
	assert_text_escapes("\342\201\246", "\\xe2\\x81\\xa6");
	assert_text_escapes("\342\200\250", "\\xe2\\x80\\xa8");
	assert_text_escapes("\342\200\251", "\\xe2\\x80\\xa9");
	assert_text_escapes("\302\205", "\\xc2\\x85");
	/* Unassigned. */
	assert_text_escapes("\363\237\277\277", "\\xf3\\x9f\\xbf\\xbf");
}

static void test_sixteen_bytes(void)
{
	struct procdb_comm comm;

	assert_text_escapes("0123456789abcdef", "0123456789abcdef");
	assert_text_escapes("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff",
			    "\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\xff"
			    "\\xff\\xff");
	assert_refused("0123456789abcdefg");
	assert_refused("0123456789abcdef\\x00");
	assert_refused("0123456789abcde\303\251");
	assert_refused("0123456789abcdef\\\\");
	g_assert_true(procdb_name_unescape("0123456789abcd\303\251", &comm, NULL));
}

static void test_refusals(void)
{
	static const char *const wrong[] = {
	    "\\",	    "a\\",	    "\\x",	    "\\x4",  "\\xg0",	 "\\x0g",
	    "\\X41",	    "\\xFF",	    "\\xfF",	    "\\xFf", "\\n",	 "\\0",
	    "\\x 1",	    "\\x+1",	    "\n",	    "a\tb",  "\033",	 "\177",
	    "\303",	    "\346\227",	    "\200",	    "\xff",  "\302\205", "\302\255",
	    "\342\200\256", "\342\200\250", "\355\240\200",
	};

	for (gsize i = 0; i < G_N_ELEMENTS(wrong); i++)
		assert_refused(wrong[i]);
}

static void test_more_escaped_than_necessary(void)
{
	struct procdb_comm comm, expected = comm_of("cc1", 3);

	g_assert_true(procdb_name_unescape("\\x63c\\x31", &comm, NULL));
	g_assert_cmpmem(&comm, sizeof(comm), &expected, sizeof(expected));
	g_assert_true(procdb_name_unescape("cc1\\x00\\x00", &comm, NULL));
	g_assert_cmpmem(&comm, sizeof(comm), &expected, sizeof(expected));
}

static void assert_round_trip(const struct procdb_comm *comm)
{
	g_autofree char *name = procdb_name_escape(comm);
	struct procdb_comm back;
	g_autoptr(GError) error = NULL;

	g_assert_true(g_utf8_validate(name, -1, NULL));
	for (const char *c = name; *c; c = g_utf8_next_char(c))
		g_assert_true(g_unichar_isprint(g_utf8_get_char(c)));
	g_assert_true(procdb_name_unescape(name, &back, &error));
	g_assert_no_error(error);
	g_assert_cmpmem(&back, sizeof(back), comm, sizeof(*comm));
}

static void test_every_byte_everywhere(void)
{
	for (guint byte = 0; byte <= G_MAXUINT8; byte++) {
		for (guint at = 0; at < PROCDB_COMM_LEN; at++) {
			struct procdb_comm comm = comm_of("abcdefghijklmnop", PROCDB_COMM_LEN);

			comm.bytes[at] = (guint8)byte;
			assert_round_trip(&comm);
		}
	}
}

static void test_every_pair_of_bytes(void)
{
	for (guint pair = 0; pair <= G_MAXUINT16; pair++) {
		struct procdb_comm comm = {{(guint8)(pair >> 8), (guint8)pair}};

		assert_round_trip(&comm);
	}
}

static void test_every_character(void)
{
	for (gunichar c = 1; c <= 0x10ffff; c++) {
		struct procdb_comm comm = {0};

		if (!g_unichar_validate(c))
			continue;
		g_unichar_to_utf8(c, (char *)comm.bytes);
		assert_round_trip(&comm);
	}
}

static void test_random_bytes(void)
{
	for (guint i = 0; i < 200000; i++) {
		struct procdb_comm comm;

		for (guint j = 0; j < PROCDB_COMM_LEN; j++)
			comm.bytes[j] = (guint8)g_test_rand_int();
		assert_round_trip(&comm);
	}
}

static void test_names_are_unambiguous(void)
{
	g_autoptr(GHashTable) names = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);

	for (guint pair = 0; pair <= G_MAXUINT16; pair++) {
		struct procdb_comm comm = {{(guint8)(pair >> 8), (guint8)pair}};

		g_assert_true(g_hash_table_add(names, procdb_name_escape(&comm)));
	}
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/name/what-is-too-long-is-told-what-is-kept",
			test_what_is_too_long_is_told_what_is_kept);
	g_test_add_func("/name/plain-text-stays", test_plain_text_stays);
	g_test_add_func("/name/backslashes-double", test_backslashes_double);
	g_test_add_func("/name/other-bytes-become-hexadecimal",
			test_other_bytes_become_hexadecimal);
	g_test_add_func("/name/invalid-utf8", test_invalid_utf8);
	g_test_add_func("/name/characters-that-deceive", test_characters_that_deceive);
	g_test_add_func("/name/sixteen-bytes", test_sixteen_bytes);
	g_test_add_func("/name/refusals", test_refusals);
	g_test_add_func("/name/more-escaped-than-necessary", test_more_escaped_than_necessary);
	g_test_add_func("/name/every-byte-everywhere", test_every_byte_everywhere);
	g_test_add_func("/name/every-pair-of-bytes", test_every_pair_of_bytes);
	g_test_add_func("/name/every-character", test_every_character);
	g_test_add_func("/name/random-bytes", test_random_bytes);
	g_test_add_func("/name/names-are-unambiguous", test_names_are_unambiguous);
	return g_test_run();
}
