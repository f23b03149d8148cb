# SPDX-License-Identifier: GPL-2.0-only
# Copyright (C) 2026 The ProcDb developers
"""Prints the names in all signals of the service.

Argument: for how many seconds it goes on when its standard input ends. Prints "ready" first. Run by
a Python as another user.
"""

import sys

from gi.repository import Gio, GLib

NAME = "org.pandemonium.ProcDb"
bus = Gio.DBusConnection.new_for_address_sync(
    "unix:path=/run/dbus/system_bus_socket",
    Gio.DBusConnectionFlags.AUTHENTICATION_CLIENT | Gio.DBusConnectionFlags.MESSAGE_BUS_CONNECTION)


def tell(_bus, message, incoming):
    if incoming and message.get_member() == "ProfilesChanged":
        _, changed, removed = message.get_body().unpack()
        print(*changed, *removed, flush=True)
    return message


bus.add_filter(tell)
bus.call_sync("org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus", "AddMatch",
              GLib.Variant("(s)", (f"type='signal',sender='{NAME}'",)), None, 0, 60_000)
bus.call_sync(NAME, f"/{NAME.replace('.', '/')}", "org.freedesktop.DBus.Properties", "Get",
              GLib.Variant("(ss)", (NAME + "1", "Profiles")), None, 0, 60_000)
print("ready", flush=True)
loop = GLib.MainLoop()
GLib.io_add_watch(0, GLib.PRIORITY_DEFAULT, GLib.IO_HUP,
                  lambda *_: GLib.timeout_add(int(float(sys.argv[1]) * 1000), loop.quit) < 0)
loop.run()
