# SPDX-License-Identifier: GPL-2.0-only
# Copyright (C) 2026 The ProcDb developers
"""A user sends calls as large as they may be, and larger, on many connections at once: memory
stays bounded and root is answered, also while polkit does not answer.

usage: large.py CLIENTS MEGABYTES

MEGABYTES is the size of what is too large. The bus keeps what we have yet to read, 127 MiB of it;
from then on it refuses every call itself, root's as well, whatever we do. So most of this keeps
below that. What overfills the bus on purpose demands only that root gets through soon.
"""

import os
import subprocess
import sys
import time

from harness import DATABASE, MEMORY_MAX, CallFailed, Service, call_as, error_name, stopped
import pddb

CLIENT = """
import sys
from gi.repository import Gio, GLib

flags = Gio.DBusConnectionFlags.AUTHENTICATION_CLIENT | Gio.DBusConnectionFlags.MESSAGE_BUS_CONNECTION
clients, size, at_once = map(int, sys.argv[1:])
buses = [Gio.DBusConnection.new_for_address_sync("unix:path=/run/dbus/system_bus_socket", flags)
         for _ in range(clients)]
row = ("x", "batch", 0.5, True, 1, (1, 0, 0), 1, 1, 1, 1, 0, "live")
calls = (
    # Of one letter a name, which GDBus takes most memory for.
    ("DeleteProfiles", GLib.Variant("(as)", (["x"] * 65_000,))),
    ("DeleteProfiles", GLib.Variant("(as)", (["x" * 500_000],))),
    ("Import", GLib.Variant("(a(ssdbu(uuu)ttttxs)b)", ([row] * 16_000, False))),
    ("GetProfile", GLib.Variant("(s)", ("x" * 60_000,))),
)
too_large = (
    ("DeleteProfiles", GLib.Variant("(as)", (["x" * 500_000] * (2 * size),))),
    ("ListProfiles", GLib.Variant("(s)", ("x" * (size * 1_000_000),))),
)
answers = {}

def call(bus, method, arguments, then):
    bus.call("org.pandemonium.ProcDb", "/org/pandemonium/ProcDb", "org.pandemonium.ProcDb1",
             method, arguments, None, Gio.DBusCallFlags.NO_AUTO_START, 120_000, None, answered, then)

def answered(bus, result, then):
    try:
        bus.call_finish(result)
        name = "done"
    except GLib.Error as error:
        name = Gio.DBusError.get_remote_error(error) or error.message
    answers[name] = answers.get(name, 0) + 1
    then()

def nothing():
    pass

def send_too_large():
    if waiting:
        call(*waiting.pop(0), send_too_large)

waiting = [(bus, *large) for large in too_large for bus in buses[:4]]
too_many = len(waiting)
expected = too_many + 2 * len(calls) * len(buses)
for _ in range(2):
    for each in calls:
        for bus in buses:
            call(bus, *each, nothing)
for _ in range(at_once):
    send_too_large()
while sum(answers.values()) < expected:
    GLib.MainContext.default().iteration(True)
print(answers)
of_bus = answers.pop("org.freedesktop.DBus.Error.LimitsExceeded", 0)
assert of_bus == 0 or at_once > 2, of_bus
assert answers["org.pandemonium.ProcDb1.Error.LimitExceeded"] >= too_many - of_bus, answers
assert set(answers) <= {"org.pandemonium.ProcDb1.Error." + name for name in
                        ("LimitExceeded", "InvalidName")} | {"org.freedesktop.DBus.Error." + name for name in
                        ("AccessDenied", "InteractiveAuthorizationRequired")}, answers
"""


# Too large calls under way at once: with all others, these are less than the bus keeps for us,
# even if we read nothing of them; or more than that.
FEW, MANY = 2, 8
# Seconds, and with sanitizers.
THROUGH, THROUGH_INSTRUMENTED = 20, 100


def through(service):
    return THROUGH_INSTRUMENTED if service.is_instrumented() else THROUGH


def call_as_root(service, at_once):
    """Seconds that a call of root takes, and how often the bus refused it."""
    began, refused = time.monotonic(), 0
    while True:
        try:
            assert service.call("GetConfidence", "(s)", "cc1") > 0
        except CallFailed as failure:
            assert failure.name == "org.freedesktop.DBus.Error.LimitsExceeded", failure
            assert at_once == MANY, failure
            refused += 1
            time.sleep(0.05)
        else:
            return time.monotonic() - began, refused
        assert time.monotonic() - began < through(service), refused


def send(service, clients, size, at_once, what):
    user = subprocess.Popen(["/usr/bin/python3", "-c", CLIENT, clients, size, str(at_once)],
                            user="alice", group="alice", extra_groups=[], cwd="/")
    longest, refusals = 0, 0
    while user.poll() is None:
        took, refused = call_as_root(service, at_once)
        longest = max(longest, took)
        refusals += refused
        time.sleep(0.05)
    assert user.returncode == 0
    assert longest < through(service), longest
    peak = service.memory_mb("VmHWM")
    print(f"{what}: {peak:.1f} MB at most, root's longest call took {longest:.3f} s, "
          f"{refusals} were refused by the bus")
    return peak


def main():
    clients, size = sys.argv[1:]
    pddb.write(DATABASE, [pddb.confident(b"cc1")])
    with Service() as service:
        instrumented = service.is_instrumented()
        peaks = [send(service, clients, size, FEW, "polkit answers")]
        with stopped(int(os.environ["LAB_POLKITD_PID"])):
            peaks.append(send(service, clients, size, FEW, "polkit hangs"))
            peaks.append(send(service, clients, size, MANY, "polkit hangs, the bus is full"))
        # dbus-broker hands on what is too large, and it is refused only once it has been read.
        most = MEMORY_MAX + (int(size) if os.environ["LAB_BROKER"] == "1" else 0)
        assert instrumented or max(peaks) < most, peaks
        # One that is no larger than it may be, and not at the same time, is looked at.
        assert call_as("alice", "DeleteProfiles", "(as)", ["x" * 64] * 1000)[1] != error_name("LimitExceeded")
        assert set(service.profiles()) == {"cc1"}


if __name__ == "__main__":
    main()
