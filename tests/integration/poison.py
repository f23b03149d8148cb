# SPDX-License-Identifier: GPL-2.0-only
# Copyright (C) 2026 The ProcDb developers
"""Sends a well-formed message that GDBus misreads, and then closes the connection.

Arguments: to whom, and where what is misread is: in a "call", in the value of a
"property", or in a "signal". service/bus/wire.h says why it is.
"""

import os
import socket
import sys

from gi.repository import Gio, GLib

destination, kind = sys.argv[1:]
PATH = "/org/pandemonium/ProcDb"
INTERFACE = "org.pandemonium.ProcDb1"
# Two structures of a signature, of 7 and of 3 bytes, and one more signature: the NUL
# of the padding is read as its length, and the length of "y" as the NUL behind it.
POISON = GLib.Variant("(a(g)g)", ([("sssss",), ("y",)], ""))

hello = Gio.DBusMessage.new_method_call("org.freedesktop.DBus", "/org/freedesktop/DBus",
                                        "org.freedesktop.DBus", "Hello")
hello.set_serial(1)
if kind == "signal":
    message = Gio.DBusMessage.new_signal(PATH, INTERFACE, "Poison")
    message.set_destination(destination)
elif kind == "property":
    message = Gio.DBusMessage.new_method_call(destination, PATH, "org.freedesktop.DBus.Properties",
                                              "Set")
else:
    message = Gio.DBusMessage.new_method_call(destination, PATH, INTERFACE, "ListProfiles")
message.set_flags(Gio.DBusMessageFlags.NO_AUTO_START)
message.set_serial(2)
if kind == "property":
    message.set_body(GLib.Variant("(ssv)", (INTERFACE, "Tick", POISON)))
else:
    message.set_body(POISON)

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
