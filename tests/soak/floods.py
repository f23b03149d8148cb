# SPDX-License-Identifier: GPL-2.0-only
# Copyright (C) 2026 The ProcDb developers
"""A user sends small calls as fast as the bus takes them: memory stays bounded and is returned, no
tick is late, and root is answered.

usage: floods.py SECONDS
"""

import statistics
import subprocess
import sys
import time

from harness import DATABASE, MEMORY_MAX, Service, Standstill, wait_for
from load import TickWatch
import pddb

# What a flood may leave behind, of the 14 MB that its calls take while they wait.
LEFT_MB = 6
# Root waits behind what a user's connections may have under way, as the bus allows it.
LONGEST_S = 10
QUERY_S = 5
MANY = 15_000
CLIENT = """
import os, selectors, socket, struct, sys, time
from gi.repository import Gio, GLib

interface, method, body, connections, answered, seconds = sys.argv[1:]
connections, answered, end = int(connections), answered == "answered", time.monotonic() + float(seconds)
hello = Gio.DBusMessage.new_method_call("org.freedesktop.DBus", "/org/freedesktop/DBus",
                                        "org.freedesktop.DBus", "Hello")
hello.set_serial(1)
hello = hello.to_blob(Gio.DBusCapabilityFlags.NONE)
if method == "signal":
    call = Gio.DBusMessage.new_signal("/org/pandemonium/ProcDb", interface, "Changed")
    call.set_destination("org.pandemonium.ProcDb")
else:
    call = Gio.DBusMessage.new_method_call("org.pandemonium.ProcDb", "/org/pandemonium/ProcDb",
                                           interface, method)
    if body:
        call.set_body(GLib.Variant.parse(None, body, None, None))
    call.set_flags(Gio.DBusMessageFlags.NO_AUTO_START
                   | Gio.DBusMessageFlags(0 if answered else 1))  # NO_REPLY_EXPECTED
call.set_serial(2)
call = bytearray(call.to_blob(Gio.DBusCapabilityFlags.NONE))

class Flooder:
    def __init__(self):
        self.serial, self.due, self.unsent = 2, 100, b""
        self.bus = socket.socket(socket.AF_UNIX)
        self.bus.connect("/run/dbus/system_bus_socket")
        self.bus.sendall(b"\\0AUTH EXTERNAL " + str(os.getuid()).encode().hex().encode() + b"\\r\\n")
        assert self.bus.recv(4096).startswith(b"OK")
        self.bus.sendall(b"BEGIN\\r\\n" + hello)
        self.bus.setblocking(False)

    def some(self):
        calls = bytearray(call * self.due)
        for n in range(self.due):
            self.serial += 1
            struct.pack_into("<I", calls, n * len(call) + 8, self.serial)
        self.due = 0
        return bytes(calls)

    def go(self, events):
        if events & selectors.EVENT_READ:
            # Fewer bytes than any answer has, so that the bus always has some of ours.
            self.due = min(self.due + len(self.bus.recv(65536)) // 400, 100)
        if events & selectors.EVENT_WRITE:
            if not self.unsent:
                self.unsent = self.some() if answered else bytes(call * 500)
            self.unsent = self.unsent[self.bus.send(self.unsent):] if self.unsent else b""
        wants = selectors.EVENT_READ
        if self.unsent or self.due or not answered:
            wants |= selectors.EVENT_WRITE
        return wants

selector = selectors.DefaultSelector()
for _ in range(connections):
    flooder = Flooder()
    selector.register(flooder.bus, selectors.EVENT_READ | selectors.EVENT_WRITE, flooder)
while time.monotonic() < end:
    for key, events in selector.select(0.1):
        selector.modify(key.fileobj, key.data.go(events), key.data)
"""
OWN = "org.pandemonium.ProcDb1"
PROPERTIES = "org.freedesktop.DBus.Properties"
ALL = f"('{OWN}',)"
# One that may be asked for, and that no program has.
TITLES = "(@a{sv} {'titles': <['no such program']>}, ['name'], uint32 1)"
FLOODS = {
    "Introspect without an answer":
        ("org.freedesktop.DBus.Introspectable", "Introspect", "", 1, "unanswered"),
    "GetAll without an answer": (PROPERTIES, "GetAll", ALL, 1, "unanswered"),
    "GetConfidence without an answer": (OWN, "GetConfidence", "('cc1',)", 4, "unanswered"),
    "wrong arguments without an answer": (OWN, "GetConfidence", "(1,)", 4, "unanswered"),
    "Introspect": ("org.freedesktop.DBus.Introspectable", "Introspect", "", 200, "answered"),
    "GetAll": (PROPERTIES, "GetAll", ALL, 200, "answered"),
    "QueryColumns of titles": (OWN, "QueryColumns", TITLES, 40, "answered"),
    "QueryProfiles of one": (OWN, "QueryProfiles", "(@a{sv} {'sort': <'cpu'>}, uint32 1)", 40, "answered"),
    "signals": ("org.freedesktop.PolicyKit1.Authority", "signal", "", 1, "unanswered"),
}


def flood(what, seconds):
    # As many as are remembered by default, for what looks at all of them.
    pddb.write(DATABASE, [pddb.confident(b"cc1"),
                          *(pddb.confident(b"name-%d" % n) for n in range(MANY if what.startswith("Query") else 0))])
    with Service() as service, Standstill() as still:
        instrumented, before = service.is_instrumented(), service.memory_mb("RssAnon")
        # GLib aligns timers of whole seconds: the first tick comes up to 2 s after the start.
        service.wait_ticks(1)
        watch, began, first, late = TickWatch(service), time.monotonic(), service.get("Tick"), still.seconds()
        watch.start()
        user = subprocess.Popen(["/usr/bin/python3", "-c", CLIENT, *map(str, FLOODS[what]), str(seconds)],
                                user="alice", group="alice", extra_groups=[], cwd="/")
        waits = []
        while user.poll() is None:
            asked = time.monotonic()
            assert service.call("GetConfidence", "(s)", "cc1") > 0
            waits.append(time.monotonic() - asked)
            time.sleep(0.02)
        assert user.returncode == 0
        watch.ended.set()
        watch.join(30)
        ticks, elapsed, late = service.get("Tick") - first, time.monotonic() - began, still.seconds() - late
        peak = service.memory_mb("VmHWM")
        print(f"{what}: {peak:.1f} MB at most, {ticks} ticks in {elapsed:.1f} s, the latest after "
              f"{watch.latest:.2f} s; root waited {statistics.median(waits):.3f} s, {max(waits):.2f} s at most")
        assert instrumented or peak < MEMORY_MAX, peak
        # A call is several times as much work with sanitizers.
        slower = 5 if instrumented else 1
        assert watch.latest < 2 * slower + late, (watch.latest, late)
        assert instrumented or ticks >= elapsed - 3 - late, (ticks, elapsed, late)
        # What the service works for long on, not the bus.
        longest = QUERY_S if what.startswith("Query") else LONGEST_S
        assert max(waits) < longest * slower + late, (max(waits), late)
        if not instrumented:
            wait_for(lambda: service.memory_mb("RssAnon") < before + LEFT_MB, 60, "its memory is returned")


def main():
    for what in FLOODS:
        flood(what, float(sys.argv[1]))


if __name__ == "__main__":
    main()
