#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Copyright (C) 2026 The ProcDb developers
#
# What one receiver of a broadcast does not read counts as incoming bytes of its sender, until that receiver ends.
#
# Seen on:   dbus-daemon 1.14.10-1~deb12u1, libsystemd 252.39-1~deb12u2 (Debian 12), x86-64
# Guess:     the limit max_incoming_bytes ("total size in bytes of messages incoming from a single connection",
#            dbus-daemon(1)) is about messages that the bus has yet to read or to route; a signal that was put into
#            the queues of its receivers is theirs from then on, and there is max_outgoing_bytes for these.
# Behaviour: the bus counts a message against its sender for as long as it lives (live_messages,
#            dbus/dbus-transport.c), and a broadcast lives until the last receiver has taken it. One program with
#            a match that it does not serve any more (stopped, or hung) so makes IncomingBytes of a sender grow,
#            although the sender has no call under way and all others have read all. At the limit the bus reads
#            nothing more from that sender. So a service that announces a few hundred bytes a second has to ask
#            the bus now and then how much of its own is still there.
# Output:    8 MiB sent, one of two receivers reads: the sender has 8 MiB incoming, 0 MiB outgoing
#            the other one has ended: the sender has 0 MiB incoming, 0 MiB outgoing
#
# Fails unless the sender is charged, and no longer than that. Needs gcc, libsystemd-dev and dbus-daemon.
set -eu

work=$(mktemp -d)
trap 'kill "${bus:-}" 2>/dev/null || :; rm -rf "$work"' EXIT
cat >"$work/sender.c" <<'C'
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-bus.h>

#define STATISTICS "org.freedesktop.DBus.Debug.Stats"
#define must(call) do { if ((call) < 0) { fprintf(stderr, "%s\n", #call); exit(2); } } while (0)

static sd_bus *receiver(void)
{
	sd_bus *bus = NULL;

	must(sd_bus_open_user(&bus));
	must(sd_bus_add_match(bus, NULL, "type='signal',interface='org.example.News'", NULL, NULL));
	return bus;
}

/* Handles all that has come. */
static void serve(sd_bus *bus)
{
	do {
		while (sd_bus_process(bus, NULL) > 0)
			;
	} while (sd_bus_wait(bus, 300000) > 0);
}

static uint32_t bytes_of(sd_bus *bus, const char *wanted)
{
	sd_bus_message *reply = NULL;
	const char *name, *key;
	uint32_t bytes = 0;

	must(sd_bus_get_unique_name(bus, &name));
	must(sd_bus_call_method(bus, "org.freedesktop.DBus", "/org/freedesktop/DBus", STATISTICS,
				"GetConnectionStats", NULL, &reply, "s", name));
	must(sd_bus_message_enter_container(reply, 'a', "{sv}"));
	while (sd_bus_message_enter_container(reply, 'e', "sv") > 0) {
		must(sd_bus_message_read(reply, "s", &key));
		if (strcmp(key, wanted) == 0)
			must(sd_bus_message_read(reply, "v", "u", &bytes));
		else
			must(sd_bus_message_skip(reply, "v"));
		must(sd_bus_message_exit_container(reply));
	}
	sd_bus_message_unref(reply);
	return bytes;
}

static int report(const char *when, sd_bus *sender, uint32_t expected)
{
	const uint32_t in = bytes_of(sender, "IncomingBytes") >> 20, out = bytes_of(sender, "OutgoingBytes") >> 20;

	printf("%s: the sender has %u MiB incoming, %u MiB outgoing\n", when, in, out);
	return in == expected && out == 0;
}

int main(void)
{
	static char text[1 << 20];
	sd_bus *sender = NULL, *reads = receiver(), *hangs = receiver();
	int right;

	memset(text, 'x', sizeof(text) - 1);
	must(sd_bus_open_user(&sender));
	for (int i = 0; i < 8; i++) {
		must(sd_bus_emit_signal(sender, "/", "org.example.News", "Much", "s", text));
		must(sd_bus_flush(sender));
		serve(reads);
	}
	right = report("8 MiB sent, one of two receivers reads", sender, 8);
	sd_bus_close_unref(hangs);
	serve(reads);
	right = report("the other one has ended", sender, 0) && right;
	return !right;
}
C
gcc -Wall -o "$work/sender" "$work/sender.c" -lsystemd
dbus-daemon --session --nofork --print-address >"$work/address" &
bus=$!
while [ ! -s "$work/address" ]; do sleep 0.1; done
DBUS_SESSION_BUS_ADDRESS=$(cat "$work/address") "$work/sender"
