# SPDX-License-Identifier: GPL-2.0-only
# Copyright (C) 2026 The ProcDb developers
"""A disk that takes its time, under a service that is asked to save again and again."""

import contextlib
import os
import statistics
import threading
import time

from gi.repository import Gio, GLib

from apply import BATCH, DEFAULT, gets, program, running, slice_of
from harness import DATABASE, INTERFACE, NAME, PATH, Service, Standstill, run_case, wait_for
import pddb

MANY = 15_000
SECONDS = 6
SLOW_MS = 300
# While it is there, the disk hangs.
HANGS = os.environ["LAB_DIR"] + "/disk-hangs"
ROW = "a(ssdbu(uuu)ttttxs)"


def changes(number):
    """What is asked for, in turn: method, signature, arguments."""
    name = f"o{number}"
    row = (name, "batch", 0.5, True, 4, (4, 0, 0), 1, 1, 1, 1, 0, "live")
    return (("SetOverride", "(ss)", (name, "batch")), ("Save", "()", ()), ("DeleteProfile", "(s)", (name,)),
            ("Import", f"({ROW}b)", ([row], False)), ("ClearOverride", "(s)", (f"name-{number}",)))


class Changer(threading.Thread):
    """Calls one after the other, over a connection of its own."""

    def __init__(self, service):
        super().__init__()
        service.connect()
        self.bus = service.bus
        self.done, self.failures, self.ends = 0, [], time.monotonic() + SECONDS

    def run(self):
        number = 0
        while time.monotonic() < self.ends:
            number += 1
            for method, signature, values in changes(number):
                try:
                    self.bus.call_sync(NAME, PATH, INTERFACE, method, GLib.Variant(signature, values), None,
                                       Gio.DBusCallFlags.NO_AUTO_START, 20_000)
                    self.done += 1
                except GLib.Error as error:
                    self.failures.append(error.message)


def reads_and_ticks(service):
    """How long reads took, and the seconds between ticks as a reader sees them."""
    reads, gaps = [], []
    tick, seen, end = service.get("Tick"), time.monotonic(), time.monotonic() + SECONDS
    while time.monotonic() < end:
        began = time.monotonic()
        now = service.get("Tick")
        assert service.call("GetConfidence", "(s)", "name-7") > 0
        reads.append((time.monotonic() - began) / 2)
        if now != tick:
            gaps.append((time.monotonic() - seen) / (now - tick))
            tick, seen = now, time.monotonic()
        time.sleep(0.005)
    return reads, gaps


def on_slow_disk(milliseconds):
    """A service with many profiles, of which each fsync takes so long."""
    os.makedirs(os.path.dirname(DATABASE), exist_ok=True)
    pddb.write(DATABASE, [pddb.confident(b"name-%d" % index) for index in range(MANY)])
    asan = os.environ.get("ASAN_OPTIONS", "") + ":verify_asan_link_order=0"
    return Service(prefix=("env", f"LD_PRELOAD={os.environ['SLOW_DISK']}", f"SLOW_DISK_MS={milliseconds}",
                           f"SLOW_DISK_HANGS={HANGS}", f"ASAN_OPTIONS={asan.strip(':')}"))


def a_slow_disk_holds_no_caller_up():
    with on_slow_disk(SLOW_MS) as service, Standstill() as still:
        service.connect()
        # GLib aligns timers of whole seconds: the first tick comes up to 2 s after the start.
        wait_for(lambda: service.get("Tick") > 0, 5, "the first tick")
        changers = [Changer(service) for _ in range(3)]
        before = still.seconds()
        for changer in changers:
            changer.start()
        reads, gaps = reads_and_ticks(service)
        late = still.seconds() - before
        for changer in changers:
            changer.join()
        done = sum(changer.done for changer in changers)
        median = statistics.median(reads) * 1000
        print(f"{done} changes and saves, {len(reads)} reads: {median:.2f} ms at the median, {max(reads) * 1000:.0f} "
              f"ms at most; {len(gaps)} ticks, {max(gaps):.2f} s apart at most; the machine stood still for {late:.2f} s")
        assert done >= 15, (done, [changer.failures for changer in changers])
        refused = [text for changer in changers for text in changer.failures if "There is no profile" not in text]
        assert not refused, refused[:5]
        # One that waited for the disk would wait for a good part of SLOW_MS.
        assert service.is_instrumented() or median < SLOW_MS / 10, sorted(reads)
        # With sanitizers what a save begins with is a part of a second of its own.
        assert len(gaps) >= SECONDS - 2 - late and \
            max(gaps) <= (2 if service.is_instrumented() else 1.2) + late, (gaps, late)


class Call(threading.Thread):
    """One call, over a connection of its own."""

    def __init__(self, service, method, arguments=None):
        super().__init__()
        service.connect()
        self.bus, self.method, self.arguments, self.answer = service.bus, method, arguments, None
        self.start()

    def run(self):
        self.answer = self.bus.call_sync(NAME, PATH, INTERFACE, self.method, self.arguments, None,
                                         Gio.DBusCallFlags.NO_AUTO_START, 120_000).unpack()


@contextlib.contextmanager
def hanging_disk():
    with open(HANGS, "x", encoding="utf-8"):
        pass
    try:
        yield
    finally:
        os.unlink(HANGS)


def a_load_waits_for_a_disk_that_hangs_and_nothing_else_does():
    with on_slow_disk(0) as service:
        with hanging_disk():
            change = Call(service, "SetOverride", GLib.Variant("(ss)", ("kept", "batch")))
            service.connect()
            wait_for(lambda: service.get("Overrides") == 1, 20, "the change, and with it the save")
            load = Call(service, "LoadDatabase")
            service.connect()
            # It has come by the first tick, at the latest by the second.
            service.wait_ticks(2)
            assert change.answer is None and load.answer is None, (change.answer, load.answer)
        change.join()
        load.join()
        assert load.answer == (MANY + 1,), load.answer
        assert service.call("GetProfile", "(s)", "kept"), "what was answered as saved is gone"


def a_disk_that_hangs_holds_no_slice_back():
    """At the stop, which saves: slices go first."""
    with on_slow_disk(0) as service:
        service.call("SetOverride", "(ss)", "lab-batch", "batch")
        service.call("SetBackend", "(s)", "observer")
        wait_for(lambda: service.call("GetProfile", "(s)", "lab-batch")["predicted"], 5, "it is published")
        with running(program("lab-batch"), "60") as pid:
            gets(pid, BATCH)
            with hanging_disk():
                # Its answer is not waited for: the save hangs.
                service.bus.call(NAME, PATH, INTERFACE, "SetOverride",
                                 GLib.Variant("(ss)", ("kept", "batch")), None,
                                 Gio.DBusCallFlags.NO_AUTO_START, -1, None, None)
                wait_for(lambda: service.get("Overrides") == 2, 5, "it has come")
                service.process.terminate()
                wait_for(lambda: slice_of(pid) == DEFAULT, 5, "it is put back")
                assert service.process.poll() is None, "it did not wait for the disk"
            service.process.wait(30)


if __name__ == "__main__":
    run_case(globals())
