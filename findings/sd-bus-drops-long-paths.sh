#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Copyright (C) 2026 The ProcDb developers
#
# A service on sd-bus never answers a call on an object path of more than 64 KiB, not even with an error.
#
# Seen on:   libsystemd 252.39-1~deb12u2, GLib 2.74.6-2+deb12u9, dbus-daemon 1.14.10-1~deb12u1
#            (Debian 12), x86-64
# Guess:     a path that is no object's is answered with UnknownObject, whatever its length: the
#            D-Bus specification limits names to 255 bytes and messages to 128 MiB, and says of
#            object paths that they have no limit but the message's.
# Behaviour: sd-bus takes no path of more than 64 KiB for a path (BUS_PATH_SIZE_MAX,
#            libsystemd/sd-bus/bus-internal.c), hence the whole message for a malformed one, which
#            it drops; it stays connected. The bus has handed the call on and thinks that an answer
#            will come: the caller waits until its own time is over, and the call counts among those
#            that it may have unanswered. A service on GDBus answers with UnknownMethod, which
#            repeats nothing of the path.
# Output:    sd-bus: path of 1000 bytes: org.freedesktop.DBus.Error.UnknownObject
#            sd-bus: path of 70000 bytes: org.freedesktop.DBus.Error.NoReply
#            GDBus: path of 70000 bytes: org.freedesktop.DBus.Error.UnknownMethod
#
# Fails unless the long path alone is not answered. Needs gcc, libsystemd-dev, libglib2.0-dev and dbus-daemon.
set -eu

work=$(mktemp -d)
trap 'kill $pids 2>/dev/null || :; rm -rf "$work"' EXIT
pids=
cat >"$work/sd.c" <<'C'
#include <systemd/sd-bus.h>

/* A service with no object at all. */
int main(void)
{
	sd_bus *bus = NULL;

	if (sd_bus_open_user(&bus) < 0 || sd_bus_request_name(bus, "org.example.Sd", 0) < 0)
		return 1;
	while (sd_bus_process(bus, NULL) >= 0)
		if (sd_bus_wait(bus, UINT64_MAX) < 0)
			return 1;
	return 1;
}
C
cat >"$work/gdbus.c" <<'C'
#include <gio/gio.h>

/* The same. */
int main(void)
{
	g_bus_own_name(G_BUS_TYPE_SESSION, "org.example.GDBus", G_BUS_NAME_OWNER_FLAGS_NONE, NULL, NULL, NULL,
		       NULL, NULL);
	g_main_loop_run(g_main_loop_new(NULL, FALSE));
	return 0;
}
C
cat >"$work/call.c" <<'C'
#include <gio/gio.h>
#include <stdlib.h>

/* call NAME BYTES: prints the name of the error that a call on a path of so many bytes gets. */
int main(int argc, char **argv)
{
	g_autoptr(GDBusConnection) bus = g_bus_get_sync(G_BUS_TYPE_SESSION, NULL, NULL);
	g_autofree char *path = g_strnfill((gsize)atoi(argv[2]), 'x');
	g_autofree char *name = NULL;
	g_autoptr(GError) error = NULL;

	path[0] = '/';
	g_dbus_connection_call_sync(bus, argv[1], path, "org.example.I", "Method", NULL, NULL, 0, 5000, NULL, &error);
	if (!error)
		return 1;
	name = g_dbus_error_get_remote_error(error);
	g_print("%s\n", name ? name
			: g_error_matches(error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT)
			    ? "org.freedesktop.DBus.Error.NoReply"
			    : error->message);
	return 0;
}
C
# shellcheck disable=SC2046 # several words
gcc -o "$work/sd" "$work/sd.c" $(pkg-config --cflags --libs libsystemd)
for program in gdbus call; do
	# shellcheck disable=SC2046
	gcc -o "$work/$program" "$work/$program.c" $(pkg-config --cflags --libs gio-2.0)
done
export DBUS_SESSION_BUS_ADDRESS="unix:path=$work/bus"
dbus-daemon --session --address="$DBUS_SESSION_BUS_ADDRESS" --nofork --nopidfile --nosyslog 2>"$work/log" &
pids="$pids $!"
until [ -S "$work/bus" ]; do
	sleep 0.05
done
"$work/sd" &
pids="$pids $!"
"$work/gdbus" &
pids="$pids $!"
until names=$(busctl --address="$DBUS_SESSION_BUS_ADDRESS" list --no-legend) &&
	[[ $names = *org.example.Sd* && $names = *org.example.GDBus* ]]; do
	sleep 0.05
done
short=$("$work/call" org.example.Sd 1000)
long=$("$work/call" org.example.Sd 70000)
other=$("$work/call" org.example.GDBus 70000)
echo "sd-bus: path of 1000 bytes: $short"
echo "sd-bus: path of 70000 bytes: $long"
echo "GDBus: path of 70000 bytes: $other"
[ "$short" = org.freedesktop.DBus.Error.UnknownObject ]
[ "$long" = org.freedesktop.DBus.Error.NoReply ]
[ "$other" = org.freedesktop.DBus.Error.UnknownMethod ]
