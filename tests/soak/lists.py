# SPDX-License-Identifier: GPL-2.0-only
# Copyright (C) 2026 The ProcDb developers
"""A user asks for the longest possible list on many connections at once: memory stays bounded.

usage: lists.py CLIENTS
"""

import os
import subprocess
import sys

from harness import DATABASE, Service
import pddb

# MaxRetained, and what such a service may take; the unit allows twice as much.
PROFILES = 16384
PEAK_MB = 32
CLIENT = """
import sys
from gi.repository import Gio, GLib

flags = Gio.DBusConnectionFlags.AUTHENTICATION_CLIENT | Gio.DBusConnectionFlags.MESSAGE_BUS_CONNECTION
buses = [Gio.DBusConnection.new_for_address_sync("unix:path=/run/dbus/system_bus_socket", flags)
         for _ in range(int(sys.argv[1]))]
answers = []
for bus in buses:
    bus.call("org.pandemonium.ProcDb", "/org/pandemonium/ProcDb", "org.pandemonium.ProcDb1",
             "ListProfiles", None, None, Gio.DBusCallFlags.NO_AUTO_START, 120_000, None,
             lambda bus, result: answers.append(bus.call_finish(result).get_child_value(0).n_children()))
while len(answers) < len(buses):
    GLib.MainContext.default().iteration(True)
assert set(answers) == {int(sys.argv[2])}, answers
"""


def main():
    clients = sys.argv[1]
    os.makedirs(os.path.dirname(DATABASE), exist_ok=True)
    pddb.write(DATABASE, [pddb.confident(b"name-%d" % number) for number in range(PROFILES)])
    with Service() as service:
        instrumented = service.is_instrumented()
        assert service.get("Profiles") == PROFILES
        before = service.memory_mb("VmRSS")
        done = subprocess.run(["/usr/bin/python3", "-c", CLIENT, clients, str(PROFILES)], user="alice",
                              group="alice", extra_groups=[], cwd="/", timeout=150, check=False)
        assert done.returncode == 0, done.returncode
        peak = service.memory_mb("VmHWM")
        print(f"{PROFILES} profiles: {before:.1f} MB, and {peak:.1f} MB at most with {clients} lists at once"
              + (" (instrumented)" if instrumented else ""))
        assert instrumented or peak < PEAK_MB, peak
        service.wait_ticks(1)


if __name__ == "__main__":
    main()
