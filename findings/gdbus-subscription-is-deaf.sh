#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Copyright (C) 2026 The ProcDb developers
#
# The 513th subscription of a GDBus program to signals of the system bus hears nothing.
#
# Seen on:   GLib 2.74.6-2+deb12u9, dbus-daemon 1.14.10-1~deb12u1 (Debian 12), x86-64; the same with
#            2.84.4-3~deb13u5 and 1.16.2-2 (Debian 13)
# Guess:     a subscription works or says that it does not; g_dbus_connection_signal_subscribe()
#            always returns an id, so it always works.
# Behaviour: dbus-daemon has no more than 512 match rules for a connection to the system bus (50,000
#            to the session bus, where programs are tested) and refuses AddMatch after that. GDBus
#            sends AddMatch and does not look at the reply (gio/gdbusconnection.c,
#            add_match_rule()): no error, no warning. g_bus_watch_name() is built on it: what
#            watches each of its callers, to drop what it keeps for them, learns for the
#            first 512 that they left, and keeps the rest for good. Only the log of the bus has
#            it. dbus-broker 33 has no such limit for each connection (1,900 of 1,900 heard). One
#            rule for all, and a look at the arguments, is what scales.
# Output:    512 subscribed, 512 heard
#            600 subscribed, 512 heard, the first that is deaf is 513, errors: none
#            600 names watched, 600 seen to appear, 512 seen to vanish
#
# Fails unless all of 512 are heard and fewer of 600, without an error or a warning. Needs gcc,
# libglib2.0-dev and dbus-daemon.
set -eu

work=$(mktemp -d)
trap 'kill $bus 2>/dev/null || :; rm -rf "$work"' EXIT
bus=
cat >"$work/bus.conf" <<END
<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>system</type>
  <listen>unix:path=$work/bus</listen>
  <policy context="default">
    <allow user="*"/>
    <allow own="*"/>
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
  </policy>
</busconfig>
END
cat >"$work/hear.c" <<'C'
#include <gio/gio.h>
#include <stdlib.h>

#define MOST 600

static gboolean heard[MOST];
static int appeared, vanished;

static GDBusConnection *connect_to(const char *address)
{
	g_autoptr(GError) error = NULL;
	GDBusConnection *bus = g_dbus_connection_new_for_address_sync(
	    address,
	    G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_CLIENT | G_DBUS_CONNECTION_FLAGS_MESSAGE_BUS_CONNECTION,
	    NULL, NULL, &error);

	if (!bus)
		g_error("%s", error->message);
	return bus;
}

static void on_signal(GDBusConnection *bus, const char *sender, const char *path, const char *interface,
		      const char *name, GVariant *arguments, gpointer number)
{
	heard[GPOINTER_TO_INT(number)] = TRUE;
}

static void on_appeared(GDBusConnection *bus, const char *name, const char *owner, gpointer unused)
{
	appeared++;
}

static void on_vanished(GDBusConnection *bus, const char *name, gpointer unused)
{
	vanished++;
}

static void wait_for_ms(guint ms)
{
	gint64 end = g_get_monotonic_time() + ms * 1000;

	while (g_get_monotonic_time() < end)
		if (!g_main_context_iteration(NULL, FALSE))
			g_usleep(1000);
}

static void signals(GDBusConnection *listener, GDBusConnection *sender, int number)
{
	int all = 0, deaf = -1;

	for (int i = 0; i < number; i++) {
		g_autofree char *path = g_strdup_printf("/finding/%d", i);

		heard[i] = FALSE;
		g_dbus_connection_signal_subscribe(listener, NULL, "org.example.Finding", "Seen", path, NULL,
						   G_DBUS_SIGNAL_FLAGS_NONE, on_signal, GINT_TO_POINTER(i), NULL);
	}
	wait_for_ms(500);
	for (int i = 0; i < number; i++) {
		g_autofree char *path = g_strdup_printf("/finding/%d", i);

		g_dbus_connection_emit_signal(sender, NULL, path, "org.example.Finding", "Seen", NULL, NULL);
	}
	wait_for_ms(500);
	for (int i = 0; i < number; i++) {
		all += heard[i];
		if (!heard[i] && deaf < 0)
			deaf = i + 1;
	}
	g_print("%d %d %d\n", number, all, deaf);
}

/* The bus lets a connection have 512 names, so two connections have them. */
static void names(GDBusConnection *listener, GDBusConnection *const owners[2], int number)
{
	for (int i = 0; i < number; i++) {
		g_autofree char *name = g_strdup_printf("org.example.Finding.N%d", i);
		g_autoptr(GVariant) owned = g_dbus_connection_call_sync(
		    owners[i % 2], "org.freedesktop.DBus", "/", "org.freedesktop.DBus", "RequestName",
		    g_variant_new("(su)", name, 0), NULL, G_DBUS_CALL_FLAGS_NONE, -1, NULL, NULL);

		if (!owned)
			g_error("%s has no owner", name);
		g_bus_watch_name_on_connection(listener, name, G_BUS_NAME_WATCHER_FLAGS_NONE, on_appeared,
					       on_vanished, NULL, NULL);
	}
	wait_for_ms(1000);
	for (int i = 0; i < 2; i++)
		g_dbus_connection_close_sync(owners[i], NULL, NULL);
	wait_for_ms(1000);
	g_print("%d %d %d\n", number, appeared, vanished);
}

/* hear ADDRESS signals|names NUMBER: subscribed, heard and first deaf; or watched, seen and gone. */
int main(int argc, char **argv)
{
	GDBusConnection *listener, *others[2];

	if (argc < 4 || atoi(argv[3]) > MOST)
		return 2;
	listener = connect_to(argv[1]);
	others[0] = connect_to(argv[1]);
	others[1] = connect_to(argv[1]);
	if (argv[2][0] == 's')
		signals(listener, others[0], atoi(argv[3]));
	else
		names(listener, others, atoi(argv[3]));
	return 0;
}
C
# shellcheck disable=SC2046 # several words
gcc -o "$work/hear" "$work/hear.c" $(pkg-config --cflags --libs gio-2.0)
dbus-daemon --config-file="$work/bus.conf" --nofork --nopidfile --nosyslog 2>"$work/log" &
bus=$!
until [ -S "$work/bus" ]; do
	kill -0 "$bus"
	sleep 0.05
done

hear() {
	G_MESSAGES_DEBUG=all "$work/hear" "unix:path=$work/bus" "$@" 2>>"$work/errors"
}
read -r few few_heard _ <<<"$(hear signals 512)"
read -r many many_heard deaf <<<"$(hear signals 600)"
read -r watched appeared vanished <<<"$(hear names 600)"
errors=$(cat "$work/errors")
echo "$few subscribed, $few_heard heard"
echo "$many subscribed, $many_heard heard, the first that is deaf is $deaf, errors: ${errors:-none}"
echo "$watched names watched, $appeared seen to appear, $vanished seen to vanish"
[ "$few_heard" -eq "$few" ] && [ "$many_heard" -lt "$many" ] && [ -z "$errors" ]
[ "$appeared" -eq "$watched" ] && [ "$vanished" -lt "$watched" ]
