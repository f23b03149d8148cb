#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
# Copyright (C) 2026 The ProcDb developers
from gi.repository import Gio, GLib
name = "org.pandemonium.ProcDb"
proxy = Gio.DBusProxy.new_for_bus_sync(Gio.BusType.SYSTEM, 0, None,
    name, "/org/pandemonium/ProcDb", name + "1", None)
def show(*_):
    rows = ("%s: %s, %.2f" % row[:3] for row in proxy.ListProfiles())
    print(*rows, "", sep="\n", flush=True)
proxy.connect("g-signal::ProfilesChanged", show)
Gio.bus_watch_name(Gio.BusType.SYSTEM, name, 0, show, None)
GLib.MainLoop().run()
