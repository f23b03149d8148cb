# SPDX-License-Identifier: GPL-2.0-only
# Copyright (C) 2026 The ProcDb developers
"""64 clients that call everything at once, beside a storm of processes of many names.

usage: load.py SECONDS [CLIENTS] [valgrind]

Each client calls one method after the other, most as root, some as alice. Every
call is answered, no tick is later than 2 s, and memory stays within a bound.
"""

import os
import random
import subprocess
import sys
import threading
import time

from gi.repository import Gio, GLib

from harness import (ACCESS_DENIED, INTERACTION_REQUIRED, INTERFACE, MEMORY_MAX, NAME, PATH, Service,
                     Standstill, error_name, wait_for)

SOCKET = "unix:path=/run/dbus/system_bus_socket"
ALLOWED = {"done", ACCESS_DENIED, INTERACTION_REQUIRED, error_name("NoSuchProfile"),
           error_name("LimitExceeded")}


class Client:
    """One connection; the next call follows the answer to the last."""

    def __init__(self, chance, end):
        self.chance = chance
        self.end = end
        self.longest = 0.0
        self.answers = {}
        self.began = 0.0
        self.busy = True
        self.bus = Gio.DBusConnection.new_for_address_sync(
            SOCKET, Gio.DBusConnectionFlags.AUTHENTICATION_CLIENT
            | Gio.DBusConnectionFlags.MESSAGE_BUS_CONNECTION)
        self.next()

    def row(self, name):
        chance = self.chance
        return (name, "batch", 0.5, True, 9, (3, 3, 3), chance.getrandbits(40), 1000, 3, 5, 0, "retained")

    def request(self):
        chance = self.chance
        name = f"storm-{chance.randrange(4000)}"
        return chance.choice((
            ("ListProfiles", None), ("GetProfile", GLib.Variant("(s)", (name,))),
            ("GetConfidence", GLib.Variant("(s)", (name,))), ("Explain", GLib.Variant("(s)", (name,))),
            ("Save", None), ("SetOverride", GLib.Variant("(ss)", (name, "batch"))),
            ("ClearOverride", GLib.Variant("(s)", (name,))),
            ("DeleteProfile", GLib.Variant("(s)", (name,))),
            ("DeleteProfiles", GLib.Variant("(as)", ([name, "storm-1"],))),
            ("Import", GLib.Variant("(a(ssdbu(uuu)ttttxs)b)", ([self.row(name)], False))),
            ("SetApply", GLib.Variant("(s)", (chance.choice(("auto", "none")),))),
            ("GetAll", GLib.Variant("(s)", (INTERFACE,)))))

    def next(self):
        if time.monotonic() > self.end:
            self.busy = False
            return
        method, values = self.request()
        interface = "org.freedesktop.DBus.Properties" if method == "GetAll" else INTERFACE
        self.began = time.monotonic()
        self.bus.call(NAME, PATH, interface, method, values, None, Gio.DBusCallFlags.NO_AUTO_START,
                      120_000, None, self.answered)

    def answered(self, bus, result):
        self.longest = max(self.longest, time.monotonic() - self.began)
        try:
            bus.call_finish(result)
            answer = "done"
        except GLib.Error as error:
            answer = Gio.DBusError.get_remote_error(error) or error.message
        self.answers[answer] = self.answers.get(answer, 0) + 1
        self.next()


def run_clients(number, seconds, seed):
    end = time.monotonic() + seconds
    clients = [Client(random.Random(seed + n), end) for n in range(number)]
    context = GLib.MainContext.default()
    while any(client.busy for client in clients):
        context.iteration(True)
    total = {}
    for client in clients:
        for answer, count in client.answers.items():
            total[answer] = total.get(answer, 0) + count
    print(f"  user {os.geteuid()}: {number} clients, {sum(total.values())} answers, the longest after "
          f"{max(client.longest for client in clients):.2f} s: {total}")
    assert set(total) <= ALLOWED, total
    assert total.get("done"), total


class TickWatch(threading.Thread):
    """Takes the time between ticks, as the property tells it."""

    def __init__(self, service):
        super().__init__(daemon=True)
        self.service = service
        self.latest = 0.0
        self.ticks = 0
        self.ended = threading.Event()

    def run(self):
        last, seen, asked_before = self.service.get("Tick"), time.monotonic(), 0.0
        while not self.ended.wait(0.05):
            asked = time.monotonic()
            tick = self.service.get("Tick")
            if tick > last:
                # From when the last one was seen to when the next one had not come yet.
                self.latest = max(self.latest, (asked_before - seen) / (tick - last))
                self.ticks += tick - last
                last, seen = tick, time.monotonic()
            asked_before = asked


def start_clients(user, number, seconds, seed):
    return subprocess.Popen([sys.executable, "-B", os.environ["LAB_DIR"] + "/load.py"],
                            env={**os.environ, "CLIENTS": f"{number} {seconds} {seed}"},
                            cwd="/", user=user, group=user, extra_groups=[])


def main():
    if "CLIENTS" in os.environ:
        number, seconds, seed = os.environ["CLIENTS"].split()
        run_clients(int(number), float(seconds), int(seed))
        return
    seconds = float(sys.argv[1])
    clients = int(sys.argv[2]) if len(sys.argv) > 2 else 64
    valgrind = "valgrind" in sys.argv
    here = os.path.dirname(os.path.abspath(__file__))
    for file in (f"{here}/load.py", f"{here}/../integration/harness.py"):
        with open(file, "rb") as source, \
                open(f"{os.environ['LAB_DIR']}/{os.path.basename(file)}", "wb") as copy:
            copy.write(source.read())
    prefix = ("valgrind", "--quiet", "--leak-check=full", "--show-leak-kinds=definite",
              "--errors-for-leak-kinds=definite", f"--suppressions={here}/valgrind.supp",
              "--error-exitcode=99") if valgrind else ()
    seed = random.randrange(2**32)
    print(f"seed {seed}, {seconds:.0f} s")
    # BPF is not for valgrind, which does not know what the kernel writes.
    with Service(backend="none" if valgrind else "observer", prefix=prefix,
                 seconds=100 if valgrind else 10) as service, Standstill() as still:
        instrumented = valgrind or service.is_instrumented()
        # GLib aligns timers of whole seconds: the first tick comes up to 2 s after the start.
        service.wait_ticks(1)
        watch, before = TickWatch(service), still.seconds()
        watch.start()
        began, first = time.monotonic(), service.get("Tick")
        storm = subprocess.Popen([os.environ["STORM"], "4000", str(seconds)])
        quarter = max(clients // 4, 1)
        users = [start_clients("root", quarter, seconds, seed + 1000 * n) for n in range(3)]
        users.append(start_clients("alice", quarter, seconds, seed + 3000))
        statuses = [user.wait(seconds + 150) for user in users]
        assert storm.wait(30) == 0
        watch.ended.set()
        watch.join(10)
        elapsed, late = time.monotonic() - began, still.seconds() - before
        ticks = service.get("Tick") - first
        peak = service.memory_mb("VmHWM")
        print(f"  {ticks} ticks in {elapsed:.1f} s, the latest after {watch.latest:.2f} s; "
              f"{len(service.profiles())} profiles, {service.get('Observations')} observations; peak {peak:.1f} MB"
              + (" (instrumented)" if instrumented else ""))
        assert statuses == [0] * 4, statuses
        assert watch.ticks > 0
        if not valgrind:
            # A call is several times as much work with sanitizers.
            assert watch.latest < (10 if instrumented else 2) + late, \
                f"a tick came after {watch.latest:.2f} s, {late:.2f} s late"
        assert instrumented or peak < MEMORY_MAX, peak
        wait_for(lambda: service.call("Save") is not None, 10, "it saves")
    for word in ("runtime error", "CRITICAL", "Sanitizer", "=="):
        assert word not in service.logged(), service.logged()[-5000:]


if __name__ == "__main__":
    main()
