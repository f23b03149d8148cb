#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
# Copyright (C) 2026 The ProcDb developers
from gi.repository import Gio, GLib
proxy = Gio.DBusProxy.new_for_bus_sync(Gio.BusType.SYSTEM, 0, None, "org.pandemonium.ProcDb",
    "/org/pandemonium/ProcDb", "org.pandemonium.ProcDb1", None)
def show(*_):
    rows = proxy.ListProfiles() if proxy.get_name_owner() else []
    print(*("%s: %s, %.2f" % row[:3] for row in rows), sep="\n", end="\n\n", flush=True)
proxy.connect("g-signal::ProfilesChanged", show)
proxy.connect("notify::g-name-owner", show)
show()
GLib.MainLoop().run()
