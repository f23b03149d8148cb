# SPDX-License-Identifier: GPL-2.0-only
# Copyright (C) 2026 The ProcDb developers
"""Sends SetOverride and leaves the bus at a random moment, again and again.

Arguments: how often, and for how many milliseconds the check of one call takes
at least. Prints as JSON what it wanted to override when it certainly left before
the end of the check, and how many answers it saw. Speaks to the socket itself,
since a bus library would say good-bye in order.
"""

import json
import os
import random
import socket
import sys
import time

from gi.repository import Gio, GLib

BUS = "/run/dbus/system_bus_socket"


def message(destination, path, interface, method, serial, body=None):
    made = Gio.DBusMessage.new_method_call(destination, path, interface, method)
    made.set_serial(serial)
    if body:
        made.set_body(body)
    return bytes(made.to_blob(Gio.DBusCapabilityFlags.NONE))


HELLO = message("org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus", "Hello", 1)
AUTH = b"\0AUTH EXTERNAL " + str(os.getuid()).encode().hex().encode() + b"\r\n"

times, check = int(sys.argv[1]), int(sys.argv[2]) / 1000
gone = set()
witness = Gio.DBusConnection.new_for_address_sync(
    "unix:path=" + BUS, Gio.DBusConnectionFlags.AUTHENTICATION_CLIENT
    | Gio.DBusConnectionFlags.MESSAGE_BUS_CONNECTION)


def on_owner_changed(*arguments):
    name, _, owner = arguments[5].unpack()
    if not owner:
        gone.add(name)


witness.signal_subscribe("org.freedesktop.DBus", "org.freedesktop.DBus", "NameOwnerChanged",
                         None, None, Gio.DBusSignalFlags.NONE, on_owner_changed)
answered, early = 0, []
for number in range(times):
    name = f"left{number}"
    call = message("org.pandemonium.ProcDb", "/org/pandemonium/ProcDb", "org.pandemonium.ProcDb1",
                   "SetOverride", 2, GLib.Variant("(ss)", (name, "batch")))
    with socket.socket(socket.AF_UNIX) as bus:
        bus.connect(BUS)
        bus.sendall(AUTH)
        assert bus.recv(4096).startswith(b"OK")
        bus.sendall(b"BEGIN\r\n" + HELLO)
        reply = Gio.DBusMessage.new_from_blob(bus.recv(256), Gio.DBusCapabilityFlags.NONE)
        me = reply.get_body().unpack()[0]
        sent = time.monotonic()
        bus.sendall(call)
        # Mostly before the answer.
        time.sleep(random.choice((0, random.uniform(0, 0.001), random.uniform(0, check + 0.002))))
        bus.setblocking(False)
        try:
            answered += b"org.pandemonium" in bus.recv(65536)
        except BlockingIOError:
            pass
    # What the bus tells here it has told the service.
    while me not in gone:
        GLib.MainContext.default().iteration(True)
    gone.clear()
    told = time.monotonic() - sent
    if told < check:
        early.append(name)
        # For the next check to begin with its call, not to wait for this one.
        time.sleep(check - told)
json.dump({"early": early, "answered": answered}, sys.stdout)
