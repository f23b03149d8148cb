# SPDX-License-Identifier: GPL-2.0-only
# Copyright (C) 2026 The ProcDb developers
"""A user sends calls as large as they may be, and larger, on many connections at once: memory
stays bounded, also while polkit does not answer.

usage: large.py CLIENTS
"""

import os
import subprocess
import sys
import time

from harness import DATABASE, MEMORY_MAX, Service, call_as, error_name, stopped
import pddb

CLIENT = """
import sys
from gi.repository import Gio, GLib

flags = Gio.DBusConnectionFlags.AUTHENTICATION_CLIENT | Gio.DBusConnectionFlags.MESSAGE_BUS_CONNECTION
buses = [Gio.DBusConnection.new_for_address_sync("unix:path=/run/dbus/system_bus_socket", flags)
         for _ in range(int(sys.argv[1]))]
row = ("x", "batch", 0.5, True, 1, (1, 0, 0), 1, 1, 1, 1, 0, "live")
calls = (
    # Of one letter a name, which GDBus takes most memory for.
    ("DeleteProfiles", GLib.Variant("(as)", (["x"] * 65_000,))),
    ("DeleteProfiles", GLib.Variant("(as)", (["x" * 500_000],))),
    ("Import", GLib.Variant("(a(ssdbu(uuu)ttttxs)b)", ([row] * 16_000, False))),
    ("GetProfile", GLib.Variant("(s)", ("x" * 60_000,))),
    # These are too large.
    ("DeleteProfiles", GLib.Variant("(as)", (["x" * 500_000] * 50,))),
    ("ListProfiles", GLib.Variant("(s)", ("x" * 30_000_000,))),
)
answers = {}

def answered(bus, result):
    try:
        bus.call_finish(result)
        name = "done"
    except GLib.Error as error:
        name = Gio.DBusError.get_remote_error(error) or error.message
    answers[name] = answers.get(name, 0) + 1

for _ in range(2):
    for call in calls:
        for bus in buses[:4 if call is calls[-1] or call is calls[-2] else None]:
            bus.call("org.pandemonium.ProcDb", "/org/pandemonium/ProcDb", "org.pandemonium.ProcDb1",
                     *call, None, Gio.DBusCallFlags.NO_AUTO_START, 120_000, None, answered)
while sum(answers.values()) < 2 * (4 * len(buses) + 8):
    GLib.MainContext.default().iteration(True)
print(answers)
assert answers["org.pandemonium.ProcDb1.Error.LimitExceeded"] >= 16, answers
assert set(answers) <= {"org.pandemonium.ProcDb1.Error." + name for name in
                        ("LimitExceeded", "InvalidName")} | {"org.freedesktop.DBus.Error." + name for name in
                        ("AccessDenied", "InteractiveAuthorizationRequired")}, answers
"""


def send(service, clients, what):
    user = subprocess.Popen(["/usr/bin/python3", "-c", CLIENT, clients], user="alice", group="alice",
                            extra_groups=[], cwd="/")
    longest = 0
    while user.poll() is None:
        began = time.monotonic()
        assert service.call("GetConfidence", "(s)", "cc1") > 0
        longest = max(longest, time.monotonic() - began)
        time.sleep(0.05)
    assert user.returncode == 0
    peak = service.memory_mb("VmHWM")
    print(f"{what}: {peak:.1f} MB at most, root's longest call took {longest:.3f} s")
    return peak


def main():
    clients = sys.argv[1]
    pddb.write(DATABASE, [pddb.confident(b"cc1")])
    with Service() as service:
        instrumented = service.is_instrumented()
        peaks = [send(service, clients, "polkit answers")]
        with stopped(int(os.environ["LAB_POLKITD_PID"])):
            peaks.append(send(service, clients, "polkit hangs"))
        assert instrumented or max(peaks) < MEMORY_MAX, peaks
        # One that is no larger than it may be, and not at the same time, is looked at.
        assert call_as("alice", "DeleteProfiles", "(as)", ["x" * 64] * 1000)[1] != error_name("LimitExceeded")
        assert set(service.profiles()) == {"cc1"}


if __name__ == "__main__":
    main()
