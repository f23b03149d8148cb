# SPDX-License-Identifier: GPL-2.0-only
# Copyright (C) 2026 The ProcDb developers
"""Allows prompts, but never answers one: an authentication agent for itself, and calls.

Arguments: CONNECTIONS CALLS METHOD BODY: so many calls on each connection, with a body as
GVariant text. Says "sent" when they are, and goes on until its standard input ends.
"""

import os
import sys

from gi.repository import Gio, GLib

connections, calls, method, body = sys.argv[1:]
AGENT = """<node><interface name="org.freedesktop.PolicyKit1.AuthenticationAgent">
<method name="BeginAuthentication"><arg type="s" direction="in"/><arg type="s" direction="in"/>
<arg type="s" direction="in"/><arg type="a{ss}" direction="in"/><arg type="s" direction="in"/>
<arg type="a(sa{sv})" direction="in"/></method>
<method name="CancelAuthentication"><arg type="s" direction="in"/></method>
</interface></node>"""


def connect():
    return Gio.DBusConnection.new_for_address_sync(
        "unix:path=/run/dbus/system_bus_socket",
        Gio.DBusConnectionFlags.AUTHENTICATION_CLIENT | Gio.DBusConnectionFlags.MESSAGE_BUS_CONNECTION)


held = []
bus = connect()
bus.register_object("/agent", Gio.DBusNodeInfo.new_for_xml(AGENT).interfaces[0],
                    lambda *call: held.append(call), None, None)
with open("/proc/self/stat", encoding="ascii") as stat:
    started = int(stat.read().rsplit(")", 1)[1].split()[19])
bus.call_sync("org.freedesktop.PolicyKit1", "/org/freedesktop/PolicyKit1/Authority",
              "org.freedesktop.PolicyKit1.Authority", "RegisterAuthenticationAgent",
              GLib.Variant("((sa{sv})ss)", (("unix-process", {
                  "pid": GLib.Variant("u", os.getpid()), "start-time": GLib.Variant("t", started),
                  "uid": GLib.Variant("i", os.getuid())}), "C", "/agent")), None, 0, -1)
parameters = GLib.Variant.parse(None, body, None, None) if body else None
buses = [connect() for _ in range(int(connections))]
for other in buses:
    for _ in range(int(calls)):
        other.call("org.pandemonium.ProcDb", "/org/pandemonium/ProcDb", "org.pandemonium.ProcDb1",
                   method, parameters, None,
                   Gio.DBusCallFlags.NO_AUTO_START
                   | Gio.DBusCallFlags.ALLOW_INTERACTIVE_AUTHORIZATION, 2**31 - 1, None,
                   lambda *_: None, None)
    other.flush_sync()
print("sent", flush=True)
loop = GLib.MainLoop()
GLib.io_add_watch(0, GLib.PRIORITY_DEFAULT, GLib.IO_HUP, lambda *_: loop.quit())
loop.run()
print(f"{len(held)} prompts", flush=True)
