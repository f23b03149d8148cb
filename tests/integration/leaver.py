# SPDX-License-Identifier: GPL-2.0-only
# Copyright (C) 2026 The ProcDb developers
"""Sends DeleteProfile and leaves the bus at a random moment, again and again.

Argument: how often. Speaks to the socket itself, since a bus library would
say good-bye in order.
"""

import os
import random
import socket
import sys
import time

from gi.repository import Gio, GLib


def message(destination, path, interface, method, serial, body=None):
    made = Gio.DBusMessage.new_method_call(destination, path, interface, method)
    made.set_serial(serial)
    if body:
        made.set_body(body)
    return bytes(made.to_blob(Gio.DBusCapabilityFlags.NONE))


HELLO = message("org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus", "Hello", 1)
DELETE = message("org.pandemonium.ProcDb", "/org/pandemonium/ProcDb", "org.pandemonium.ProcDb1",
                 "DeleteProfile", 2, GLib.Variant("(s)", ("cc1",)))
AUTH = b"\0AUTH EXTERNAL " + str(os.getuid()).encode().hex().encode() + b"\r\n"

answered = 0
times = int(sys.argv[1])
for _ in range(times):
    with socket.socket(socket.AF_UNIX) as bus:
        bus.connect("/run/dbus/system_bus_socket")
        bus.sendall(AUTH)
        assert bus.recv(4096).startswith(b"OK")
        bus.sendall(b"BEGIN\r\n" + HELLO + DELETE)
        # Mostly before the answer, which takes about two milliseconds.
        time.sleep(random.choice((0, random.uniform(0, 0.001), random.uniform(0, 0.005))))
        bus.setblocking(False)
        try:
            answered += b"AccessDenied" in bus.recv(65536)
        except BlockingIOError:
            pass
print(f"{times} callers left, {answered} of them after the answer")
