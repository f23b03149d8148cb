#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Copyright (C) 2026 The ProcDb developers
#
# A D-Bus message that GLib has read takes forty to seventy times its bytes.
#
# Seen on:   GLib 2.74.6-2+deb12u9 (Debian 12), gcc 12, x86-64
# Guess:     GVariant is a compact form that is made for D-Bus: the manual counts one byte for a
#            boolean, four for a number, and reads values from serialised data where they are.
#            A message of 400 KB takes some 400 KB.
# Behaviour: GDBus does so only for arrays of bytes, numbers and doubles (gio/gdbusmessage.c,
#            parse_value_from_blob()). All else becomes a tree: each member of each element
#            is a value, a buffer and the buffer's bytes, three allocations. An array of
#            booleans, which on the bus are numbers of four bytes, takes 42 times what
#            the same array as numbers does, and pairs and variants take more. It stays for as
#            long as the body does. A service that lets its callers send a megabyte
#            has to reckon with 70 MB for each, before its code has seen one value. Two arrays
#            of numbers are cheap where an array of pairs is not.
# Output:    (100,000 elements; the signature of the body's only argument)
#            au     message  400100 bytes, kept   400304 bytes, times 1.0
#            ab     message  400100 bytes, kept 16740976 bytes, times 41.8
#            a(uu)  message  800112 bytes, kept 42478944 bytes, times 53.1
#            av     message  400100 bytes, kept 26746368 bytes, times 66.8
#
# Fails unless the numbers take less than twice their bytes and all others more than ten times.
# Needs gcc and libglib2.0-dev.
set -eu

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cat >"$work/keep.c" <<'C'
#include <gio/gio.h>
#include <malloc.h>

#define ELEMENTS 100000

static gsize allocated(void)
{
	struct mallinfo2 info = mallinfo2();

	return info.uordblks + info.hblkhd;
}

/* keep TYPE ELEMENT: what a message with one array of many equal elements keeps. */
int main(int argc, char **argv)
{
	g_autoptr(GDBusMessage) sent =
	    g_dbus_message_new_signal("/finding", "org.example.Finding", "Seen");
	g_autoptr(GDBusMessage) received = NULL;
	g_autoptr(GVariant) element = NULL;
	g_autoptr(GError) error = NULL;
	g_autofree guchar *bytes = NULL;
	GVariantBuilder builder;
	gsize size, before, kept;

	if (argc < 3)
		return 1;
	element = g_variant_parse(NULL, argv[2], NULL, NULL, &error);
	if (!element)
		g_error("%s", error->message);
	g_variant_builder_init(&builder, G_VARIANT_TYPE(argv[1]));
	for (int i = 0; i < ELEMENTS; i++)
		g_variant_builder_add_value(&builder, element);
	g_dbus_message_set_body(sent, g_variant_new("(@*)", g_variant_builder_end(&builder)));
	bytes = g_dbus_message_to_blob(sent, &size, G_DBUS_CAPABILITY_FLAGS_NONE, &error);
	if (!bytes)
		g_error("%s", error->message);
	before = allocated();
	received = g_dbus_message_new_from_blob(bytes, size, G_DBUS_CAPABILITY_FLAGS_NONE, &error);
	if (!received)
		g_error("%s", error->message);
	kept = allocated() - before;
	g_print("%-6s message %7zu bytes, kept %8zu bytes, times %.1f\n", argv[1], size, kept,
		(double)kept / (double)size);
	return 0;
}
C
# shellcheck disable=SC2046 # several words
gcc -O1 -o "$work/keep" "$work/keep.c" $(pkg-config --cflags --libs gio-2.0)
echo "GLib $(pkg-config --modversion glib-2.0)"
numbers=$("$work/keep" au 'uint32 1')
booleans=$("$work/keep" ab true)
pairs=$("$work/keep" 'a(uu)' '(uint32 1, uint32 2)')
variants=$("$work/keep" av '<byte 1>')
printf '%s\n' "$numbers" "$booleans" "$pairs" "$variants"
awk -v few="${numbers##* }" -v a="${booleans##* }" -v b="${pairs##* }" -v c="${variants##* }" \
	'BEGIN { exit !(few < 2 && a > 10 && b > 10 && c > 10) }'
