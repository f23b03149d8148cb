/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

/*
 * Task names as text. A name is any bytes; escaped, it is valid printable UTF-8 as it is, a
 * backslash as two, and every other byte as \xNN in lower-case hexadecimal.
 */

#include <glib.h>

/* The length in bytes of the printable character at text, 0 if there is none. */
gsize escape_plain_length(const char *text, gsize length);

/*
 * The name to send for one that a person typed. What is valid UTF-8 is taken
 * as written in the contract's escaped form, and only what that form cannot
 * hold (control characters) is escaped. What is not valid UTF-8 can only be a
 * raw name, and is escaped byte by byte. Free with g_free().
 */
char *escape_argument(const char *argument);

/* The escaped form of a raw task name, such as the kernel has it. Free with g_free(). */
char *escape_raw(const char *bytes, gsize length);

/* The most bytes of a character in UTF-8. */
#define ESCAPE_CHARACTER_MAX 4

/*
 * Reads the next character, or escaped byte, of a text in the escaped form, which goes on: its
 * bytes, and returns how many they are. 0 for what is not in that form, where *name stays: an
 * escape with other digits, an unprintable character, malformed UTF-8.
 */
gsize escape_read(const char **name, char bytes[ESCAPE_CHARACTER_MAX]);

/*
 * The raw bytes of a name in the escaped form; NULL for one that is not. A NUL is behind
 * them. Free with g_free().
 */
char *escape_undo(const char *name, gsize *length);

/*
 * UTF-8 text that is safe to print on one line of a terminal: what is not
 * printable is escaped as in a name, and a backslash stays as it is. Free with
 * free(), for libsmartcols.
 */
char *escape_plain(const char *text);

/* Appends the same. */
void escape_plain_append(GString *out, const char *text);
