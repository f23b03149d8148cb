#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Copyright (C) 2026 The ProcDb developers
#
# A match of sd-bus on an argument is never called if a number stands before that argument.
#
# Seen on:   libsystemd 252.39-1~deb12u2, dbus-daemon 1.14.10-1~deb12u1 (Debian 12), x86-64; the same
#            with 257.13-1~deb13u1 and 1.16.2-2 (Debian 13), and with 262.1-1 and 1.16.2-8
# Guess:     arg2='a.service' means the third argument, whatever the first two are: the D-Bus
#            specification wants a string only in the place that is compared. The bus takes the rule,
#            sd_bus_add_match() succeeds, so the callback is called.
# Behaviour: the bus does compare the third argument, and sends what matches. sd-bus compares once
#            more to find the callback, and goes through the arguments only as far as all are strings,
#            paths, signatures or arrays of these (libsystemd/sd-bus/bus-message.c,
#            bus_message_get_arg_skip()). Behind a number, a boolean, a variant or a dictionary nothing
#            matches any more: the program is woken for each signal that it waits for, and
#            its callback is not called, without an error. JobRemoved of systemd
#            (uoss), by the name of the unit, and ActionInvoked of a notification (us), by the action, are
#            such signals. A match without the argument, and a look at it in the callback, works.
# Output:    JobRemoved(uoss), arg2='a.service': the bus sends 1, sd-bus calls 0
#            JobRemoved(uoss), arg2='b.service': the bus sends 0, sd-bus calls 0
#            JobRemoved(uoss), no argument:      the bus sends 1, sd-bus calls 1
#            the same without the number (oss), arg1='a.service': the bus sends 1, sd-bus calls 1
#
# Fails unless only the first is sent and not called. Needs gcc, libsystemd-dev and dbus-daemon.
set -eu

work=$(mktemp -d)
trap 'kill $bus 2>/dev/null || :; rm -rf "$work"' EXIT
bus=
cat >"$work/hear.c" <<'C'
#include <stdio.h>
#include <stdlib.h>
#include <systemd/sd-bus.h>

static int sent, called;

static void check(int r)
{
	if (r < 0)
		exit(1);
}

/* Everything that arrives comes here first. */
static int on_message(sd_bus_message *m, void *unused, sd_bus_error *error)
{
	sent += sd_bus_message_is_signal(m, "org.example.Manager", "JobRemoved") > 0;
	return 0;
}

static int on_match(sd_bus_message *m, void *unused, sd_bus_error *error)
{
	called++;
	return 0;
}

/* hear number|none RULE: what a match on the rule has of a signal with that first argument, or without. */
int main(int argc, char **argv)
{
	sd_bus *listener = NULL, *sender = NULL;
	sd_bus_message *m = NULL;
	int r;

	if (argc < 3)
		return 2;
	check(sd_bus_open_user(&listener));
	check(sd_bus_open_user(&sender));
	check(sd_bus_add_filter(listener, NULL, on_message, NULL));
	check(sd_bus_add_match(listener, NULL, argv[2], on_match, NULL));

	check(sd_bus_message_new_signal(sender, &m, "/org/example", "org.example.Manager", "JobRemoved"));
	if (argv[1][1] == 'u')
		check(sd_bus_message_append(m, "u", 7));
	check(sd_bus_message_append(m, "oss", "/org/example/job/7", "a.service", "done"));
	check(sd_bus_send(sender, m, NULL));
	/* What the bus answers now comes after the signal. */
	check(sd_bus_call_method(sender, "org.freedesktop.DBus", "/", "org.freedesktop.DBus", "GetId", NULL, NULL,
				 NULL));
	check(sd_bus_call_method(listener, "org.freedesktop.DBus", "/", "org.freedesktop.DBus", "GetId", NULL, NULL,
				 NULL));
	while ((r = sd_bus_process(listener, NULL)) > 0)
		;
	check(r);
	printf("the bus sends %d, sd-bus calls %d\n", sent, called);
	return 0;
}
C
# shellcheck disable=SC2046 # several words
gcc -o "$work/hear" "$work/hear.c" $(pkg-config --cflags --libs libsystemd)
export DBUS_SESSION_BUS_ADDRESS="unix:path=$work/bus"
dbus-daemon --session --address="$DBUS_SESSION_BUS_ADDRESS" --nofork --nopidfile --nosyslog 2>"$work/log" &
bus=$!
until [ -S "$work/bus" ]; do
	kill -0 "$bus"
	sleep 0.05
done
rule="type='signal',interface='org.example.Manager',member='JobRemoved'"
behind=$("$work/hear" number "$rule,arg2='a.service'")
other=$("$work/hear" number "$rule,arg2='b.service'")
all=$("$work/hear" number "$rule")
alone=$("$work/hear" none "$rule,arg1='a.service'")
echo "JobRemoved(uoss), arg2='a.service': $behind"
echo "JobRemoved(uoss), arg2='b.service': $other"
echo "JobRemoved(uoss), no argument:      $all"
echo "the same without the number (oss), arg1='a.service': $alone"
[ "$behind" = "the bus sends 1, sd-bus calls 0" ]
[ "$other" = "the bus sends 0, sd-bus calls 0" ]
[ "$all" = "the bus sends 1, sd-bus calls 1" ]
[ "$alone" = "the bus sends 1, sd-bus calls 1" ]
