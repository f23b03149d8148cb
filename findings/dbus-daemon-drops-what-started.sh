#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Copyright (C) 2026 The ProcDb developers
#
# A D-Bus call that starts a service is not delivered if its caller does not stay until the service is there.
#
# Seen on:   dbus-daemon 1.14.10-1~deb12u1, libsystemd 252.39-1~deb12u2 (Debian 12), x86-64; the same with
#            dbus-daemon 1.16.2-2 (Debian 13) and 1.16.2-8
# Guess:     the bus starts the service and keeps the message for it. What the bus has taken is
#            delivered, whether the caller waits for a reply, wants none or has ended: so it is
#            with a service that runs.
# Behaviour: when the service has its name, the bus hands it those messages only whose senders are still
#            connected (bus/activation.c, bus_activation_send_pending_auto_activation_messages()),
#            and forgets the others, without an error or a line in the log. A call of dbus-send without
#            --print-reply, of busctl --expect-reply=no or of a program that calls, flushes and ends, starts the
#            service, which has nothing to do and may end again. The flag "no reply expected" changes
#            nothing. It works in each try after the first, as the service runs then. dbus-broker 33 delivers
#            the message. The reply is worth waiting for, also when nothing in it matters.
# Output:    dbus-send --type=method_call, not running: started 1, called 0
#            dbus-send --type=method_call, running: started 0, called 1
#            dbus-send --print-reply, not running: started 1, called 1
#            busctl call --expect-reply=no, not running: started 1, called 0
#
# Fails unless the service starts each time that it does not run, and is called only where it runs or
# where the caller waits. Needs gcc, libsystemd-dev, dbus-daemon, dbus-send and busctl.
set -eu

work=$(mktemp -d)
trap 'stop || :; kill $bus 2>/dev/null || :; rm -rf "$work"' EXIT
bus=
mkdir "$work/services"
cat >"$work/serve.c" <<'C'
#include <stdio.h>
#include <systemd/sd-bus.h>

static int on_do(sd_bus_message *m, void *unused, sd_bus_error *error)
{
	puts("called");
	return sd_bus_reply_method_return(m, NULL);
}

static const sd_bus_vtable table[] = {
	SD_BUS_VTABLE_START(0),
	SD_BUS_METHOD("Do", NULL, NULL, on_do, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_VTABLE_END,
};

/* serve FILE: says in the file that it is there, and each time that it is called. */
int main(int argc, char **argv)
{
	sd_bus *bus = NULL;

	if (argc < 2 || !freopen(argv[1], "a", stdout))
		return 2;
	setlinebuf(stdout);
	if (sd_bus_open_user(&bus) < 0 ||
	    sd_bus_add_object_vtable(bus, NULL, "/", "org.example.I", table, NULL) < 0 ||
	    sd_bus_request_name(bus, "org.example.Service", 0) < 0)
		return 1;
	puts("started");
	while (sd_bus_process(bus, NULL) >= 0)
		if (sd_bus_wait(bus, UINT64_MAX) < 0)
			return 1;
	return 1;
}
C
# shellcheck disable=SC2046 # several words
gcc -o "$work/serve" "$work/serve.c" $(pkg-config --cflags --libs libsystemd)
cat >"$work/services/org.example.Service.service" <<END
[D-BUS Service]
Name=org.example.Service
Exec=$work/serve $work/said
END
cat >"$work/bus.conf" <<END
<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>unix:path=$work/bus</listen>
  <servicedir>$work/services</servicedir>
  <policy context="default">
    <allow user="*"/>
    <allow own="*"/>
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
  </policy>
</busconfig>
END
export DBUS_SESSION_BUS_ADDRESS="unix:path=$work/bus"
dbus-daemon --config-file="$work/bus.conf" --nofork --nopidfile --nosyslog 2>"$work/log" &
bus=$!
until [ -S "$work/bus" ]; do
	kill -0 "$bus"
	sleep 0.05
done

ask() {
	busctl --address="$DBUS_SESSION_BUS_ADDRESS" call org.freedesktop.DBus / org.freedesktop.DBus "$@" 2>/dev/null
}
stop() {
	local pid
	pid=$(ask GetConnectionUnixProcessID s org.example.Service) || return 0
	kill "${pid#u }"
	while ask GetNameOwner s org.example.Service >/dev/null; do
		sleep 0.05
	done
}
# What the service says until a second after the command, which calls it once.
try() {
	: >"$work/said"
	"$@" >/dev/null
	for _ in {1..200}; do
		! ask GetNameOwner s org.example.Service >/dev/null || break
		sleep 0.05
	done
	sleep 1
	echo "started $(grep -c started "$work/said"), called $(grep -c called "$work/said")"
}
call=(--session --dest=org.example.Service / org.example.I.Do)
away=$(try dbus-send --type=method_call "${call[@]}")
running=$(try dbus-send --type=method_call "${call[@]}")
stop
waits=$(try dbus-send --print-reply "${call[@]}")
stop
none=$(try busctl --address="$DBUS_SESSION_BUS_ADDRESS" call --expect-reply=no org.example.Service / org.example.I Do)
echo "dbus-send --type=method_call, not running: $away"
echo "dbus-send --type=method_call, running: $running"
echo "dbus-send --print-reply, not running: $waits"
echo "busctl call --expect-reply=no, not running: $none"
[ "$away" = "started 1, called 0" ] && [ "$running" = "started 0, called 1" ]
[ "$waits" = "started 1, called 1" ] && [ "$none" = "started 1, called 0" ]
