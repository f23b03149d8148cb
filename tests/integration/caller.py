# SPDX-License-Identifier: GPL-2.0-only
# Copyright (C) 2026 The ProcDb developers
"""Calls a method of the service and prints {"value": ...} or {"error": ...} as JSON.

Arguments: METHOD SIGNATURE ARGUMENTS-AS-TEXT INTERACTIVE. Read from standard
input by a Python that runs as another user.
"""

import json
import sys

from gi.repository import Gio, GLib

method, signature, arguments, interactive = sys.argv[1:]
flags = Gio.DBusCallFlags.NO_AUTO_START
if interactive == "interactive":
    flags |= Gio.DBusCallFlags.ALLOW_INTERACTIVE_AUTHORIZATION
try:
    reply = Gio.bus_get_sync(Gio.BusType.SYSTEM).call_sync(
        "org.pandemonium.ProcDb", "/org/pandemonium/ProcDb", "org.pandemonium.ProcDb1", method,
        GLib.Variant.parse(GLib.VariantType.new(signature), arguments, None, None), None, flags, 60_000)
    print(json.dumps({"value": reply.unpack()}))
except GLib.Error as error:
    print(json.dumps({"error": Gio.DBusError.get_remote_error(error) or error.message}))
