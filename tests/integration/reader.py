# SPDX-License-Identifier: GPL-2.0-only
# Copyright (C) 2026 The ProcDb developers
"""Asks for answers and never reads them, until it is killed.

Arguments: connections, calls on each, interface, method, body as text, in which LONG stands for
a name of six million bytes. Prints "sent" when all are. Speaks to the socket itself, since a bus library would read.
"""

import os
import socket
import struct
import sys
import time

from gi.repository import Gio, GLib

connections, calls, interface, method, body = sys.argv[1:]


def blob(message, serial):
    message.set_serial(serial)
    return bytes(message.to_blob(Gio.DBusCapabilityFlags.NONE))


hello = blob(Gio.DBusMessage.new_method_call("org.freedesktop.DBus", "/org/freedesktop/DBus",
                                             "org.freedesktop.DBus", "Hello"), 1)
call = Gio.DBusMessage.new_method_call("org.pandemonium.ProcDb", "/org/pandemonium/ProcDb", interface, method)
if body:
    call.set_body(GLib.Variant.parse(None, body.replace("LONG", "x" * 6_000_000), None, None))
call = bytearray(blob(call, 2))
buses = []
for _ in range(int(connections)):
    bus = socket.socket(socket.AF_UNIX)
    bus.connect("/run/dbus/system_bus_socket")
    bus.sendall(b"\0AUTH EXTERNAL " + str(os.getuid()).encode().hex().encode() + b"\r\n")
    assert bus.recv(4096).startswith(b"OK")
    bus.sendall(b"BEGIN\r\n" + hello)
    buses.append(bus)
for number in range(int(calls)):
    struct.pack_into("<I", call, 8, number + 2)
    for bus in buses:
        if "LONG" in body:
            bus.sendall(call)
            continue
        bus.setblocking(False)
        try:
            bus.send(call)
        except BlockingIOError:
            pass
    # As fast as the bus would take all of them without refusing some, nearly.
    time.sleep(0.4 if "LONG" in body else 0.002)
print("sent", flush=True)
time.sleep(600)
