# SPDX-License-Identifier: GPL-2.0-only
# Copyright (C) 2026 The ProcDb developers
"""What one caller may do to others: callers that do not read, do not wait, or died."""

import json
import os
import shutil
import subprocess
import sys
import time
from contextlib import contextmanager

from gi.repository import Gio, GLib

from harness import DATABASE, HERE, INTERFACE, NAME, Service, Standstill, ctl, run_case, wait_for
import pddb

BUS = int(os.environ["LAB_BUS_PID"])
# More than a service of default settings knows.
MANY = 15_000
PROPERTIES = "org.freedesktop.DBus.Properties"
# What is unread of one user, with all that goes with it.
UNREAD_MB = 24


@contextmanager
def readers(user, connections, calls, interface, method, body=""):
    """Callers that never read."""
    with open(f"{HERE}/reader.py", encoding="utf-8") as file:
        source = file.read()
    process = subprocess.Popen(
        ["/usr/bin/python3", "-c", source, str(connections), str(calls), interface, method, body],
        stdout=subprocess.PIPE, user=user, group=user, extra_groups=[], cwd="/")
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def bus_memory_mb():
    with open(f"/proc/{BUS}/status", encoding="utf-8") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS")) / 1024


def with_profiles(number):
    os.makedirs(os.path.dirname(DATABASE), exist_ok=True)
    pddb.write(DATABASE, [pddb.confident(b"name-%d" % index) for index in range(number)])
    return Service()


def watch(service, seconds):
    """How long root's calls take in that time; on connections that are new as well. Sorted."""
    waits, end = [], time.monotonic() + seconds
    while time.monotonic() < end:
        began = time.monotonic()
        service.connect()
        assert service.send(INTERFACE, "GetConfidence", "(s)", "name-7") > 0
        assert service.get("Profiles") > 0
        waits.append(time.monotonic() - began)
        time.sleep(0.05)
    return sorted(waits)


def a_caller_that_does_not_read_silences_no_other():
    before = bus_memory_mb()
    with with_profiles(MANY) as service, Standstill() as still:
        for interface, method, body in ((INTERFACE, "ListProfiles", ""), (PROPERTIES, "GetAll", f"('{INTERFACE}',)"),
                                        (INTERFACE, "Explain", "('name-7',)"),
                                        (INTERFACE, "QueryProfiles", "(@a{sv} {}, uint32 1000)"),
                                        # Errors that say what was asked for.
                                        (INTERFACE, "GetProfile", "('LONG',)"), (PROPERTIES, "GetAll", "('LONG',)"),
                                        (PROPERTIES, "Get", f"('{INTERFACE}', 'LONG')")):
            with readers("alice", 4, 8 if "LONG" in body else 1500, interface, method, body):
                late = still.seconds()
                waits = watch(service, 6)
                late = still.seconds() - late
                grown = bus_memory_mb() - before
                print(f"{method}: the bus has {grown:.0f} MiB more, the service {service.memory_mb('VmHWM'):.0f} MiB "
                      f"at most, root waited {waits[len(waits) // 2]:.3f} s, {waits[-1]:.3f} s at most")
                assert service.is_instrumented() or grown < UNREAD_MB, grown
                # Where other tests have the CPUs a call may take longer, but not most of them. In an instrumented
                # service every growth of a message's buffer is a copy into fresh pages: seconds where one has 6 MB.
                assert service.is_instrumented() or waits[len(waits) * 3 // 4] < 1 + late, (waits, late)
                assert waits[-1] < (60 if service.is_instrumented() else 5) + late, (waits, late)
                # Another user's list does not depend on it.
                assert len(service.profiles()) == MANY


def the_next_one_serves_soon(still):
    began = time.monotonic()
    with Service() as following:
        assert following.get("Profiles") == MANY
        served = time.monotonic() - began
        print(f"the next one served after {served:.2f} s")
        assert served < 5 + still.seconds(), (served, still.seconds())


def a_stop_waits_for_no_reader():
    with with_profiles(MANY) as service, Standstill() as still:
        with readers("alice", 4, 40, INTERFACE, "ListProfiles") as reader:
            reader.stdout.readline()
            time.sleep(3)
            began = time.monotonic()
            service.stop()
            took = time.monotonic() - began
            assert took < 5 + still.seconds(), (took, still.seconds())
            print(f"stopped after {took:.2f} s")
            the_next_one_serves_soon(still)


def after_a_kill_the_next_service_serves_beside_readers():
    with with_profiles(MANY) as service, Standstill() as still:
        with readers("alice", 4, 40, INTERFACE, "ListProfiles") as reader:
            reader.stdout.readline()
            time.sleep(3)
            service.kill()
            the_next_one_serves_soon(still)


def a_caller_that_reads_later_is_answered():
    source = """
import sys
from gi.repository import Gio, GLib
flags = Gio.DBusConnectionFlags.AUTHENTICATION_CLIENT | Gio.DBusConnectionFlags.MESSAGE_BUS_CONNECTION
bus = Gio.DBusConnection.new_for_address_sync("unix:path=/run/dbus/system_bus_socket", flags)
for _ in range(30):
    rows = bus.call_sync("org.pandemonium.ProcDb", "/org/pandemonium/ProcDb", "org.pandemonium.ProcDb1",
                         "ListProfiles", None, None, Gio.DBusCallFlags.NO_AUTO_START, 100_000)
    assert rows.get_child_value(0).n_children() == int(sys.argv[1])
"""
    with with_profiles(MANY):
        # One after the other on one connection, without a main loop: it could answer no question of ours.
        subprocess.run(["/usr/bin/python3", "-c", source, str(MANY)], check=True, timeout=300, user="alice",
                       group="alice", extra_groups=[], cwd="/")


# All that a service of default settings remembers, and what taking that over may need.
MAX_RETAINED = 16_384
IMPORT_MB = 32
RECORDS = "a(ssdbu(uuu)ttttxsxttusu)"
TIERS = ("batch", "interactive", "lat-critical")


def a_full_import_takes_little_memory():
    """MaxRetained rows of names as long as they can be, whole, in place of as many others, and twice."""
    rows = [[(f"{prefix}-{number:013}", "batch", 0.5, True, 9, (9, 0, 0), 1000, 10, 3, 4, 1_700_000_000_000_000, "retained")
             for number in range(MAX_RETAINED)] for prefix in "ab"]
    with Service() as service:
        start = service.memory_mb("VmHWM")
        for number, (values, replace) in enumerate(((rows[0], False), (rows[0], False), (rows[1], True))):
            began = time.monotonic()
            assert service.call("Import", "(a(ssdbu(uuu)ttttxs)b)", values, replace) == MAX_RETAINED
            print(f"import {number + 1}: {time.monotonic() - began:.2f} s, {service.memory_mb('VmHWM'):.1f} MiB at most, "
                  f"{start:.1f} MiB at the start")
        assert service.get("Profiles") == MAX_RETAINED
        assert service.is_instrumented() or service.memory_mb("VmHWM") < IMPORT_MB, service.memory_mb("VmHWM")


def some_profile(number):
    """A confident record whose every value depends on its number, and some as large as they can be."""
    votes = [number % 2, number % 3, number % 2]
    votes[number % 3] += 20 + number % 41
    # jq keeps 53 bits of a number; the greatest of all is read as what it makes of it.
    huge = 2**64 - 1 if number % 2 else 2**53 - number
    tier = TIERS[number % 3]
    seen = 1_700_000_000_000_000 + number * 1_000_003
    teachers = ("unknown", "root", "users", "root and users")[number % 4]
    return (f"{'é' if number % 5 else chr(92) * 2}-{number:012}", tier, 0.0, False, sum(votes) + number % 3, tuple(votes),
            huge if number % 7 == 0 else number * 1001, huge if number % 11 == 0 else number, number % 65, number % 130,
            seen, "retained", seen - number, huge if number % 13 == 0 else number, number % 9, number % 5, teachers,
            (0 if number % 4 < 2 else 1000 + number % 3))


def profiles_of(text):
    """The profiles of an export."""
    return json.loads(text)["profiles"]


def a_full_export_comes_back_through_jq_value_by_value():
    """MaxRetained profiles, in the memory that a full import may take; what jq makes of a number is what counts."""
    if not shutil.which("jq"):
        print("SKIP: jq is not installed")
        sys.exit(77)
    profiles = [some_profile(number) for number in range(MAX_RETAINED)]
    with Service() as service:
        assert service.call("ImportProfiles", f"({RECORDS}bb)", profiles, False, False) == MAX_RETAINED
        before = service.call("ExportProfiles")
        text = ctl("export")
        through = subprocess.run(["jq", "."], input=text, capture_output=True, text=True, check=True, timeout=200).stdout
        assert len(profiles_of(through)) == MAX_RETAINED, len(profiles_of(through))
        done = json.loads(ctl("import", "--replace", "--yes", "--json", "-", input=through.encode()))
        assert done == {"imported": MAX_RETAINED}, done
        assert service.call("ExportProfiles") == before
        assert profiles_of(ctl("export")) == profiles_of(text)
        # Twice the same is twice as many, and no other average.
        ctl("import", "--merge", "-", input=through.encode())
        doubled = {row[0]: row for row in service.call("ExportProfiles")}
        for row in before:
            assert doubled[row[0]][4] == 2 * row[4] and doubled[row[0]][12] == row[12], (row, doubled[row[0]])
            assert row[4] == 0 or doubled[row[0]][6:10] == row[6:10], (row, doubled[row[0]])
        print(f"{service.memory_mb('VmHWM'):.1f} MiB at most")
        assert service.is_instrumented() or service.memory_mb("VmHWM") < IMPORT_MB, service.memory_mb("VmHWM")


def send(service, method, signature, *values):
    """A call that wants no answer."""
    service.bus.call(NAME, "/org/pandemonium/ProcDb", INTERFACE, method, GLib.Variant(signature, values), None,
                     Gio.DBusCallFlags.NO_AUTO_START, 5000)


def calls_without_an_answer_are_done():
    names = [f"name-{index}" for index in range(300)]
    with with_profiles(400) as service:
        service.connect()
        send(service, "DeleteProfiles", "(as)", names)
        for index in range(200):
            send(service, "SetOverride", "(ss)", f"over-{index}", "batch")
        assert service.get("Overrides") == 200
        assert service.get("Profiles") == 300
        assert "left out" not in service.logged()


def a_call_whose_sender_left_is_logged():
    with with_profiles(3) as service:
        # Without --print-reply it leaves, perhaps before the bus could say whose the call was.
        subprocess.run(["dbus-send", "--system", "--type=method_call", f"--dest={NAME}", "/org/pandemonium/ProcDb",
                        f"{INTERFACE}.DeleteProfile", "string:name-1"], check=True)
        wait_for(lambda: "DeleteProfile of :" in service.logged() or service.get("Profiles") == 2, 5,
                 "it is done or logged")


OWNER = """
import os, sys, time
from gi.repository import Gio, GLib
flags = Gio.DBusConnectionFlags.AUTHENTICATION_CLIENT | Gio.DBusConnectionFlags.MESSAGE_BUS_CONNECTION
bus = Gio.DBusConnection.new_for_address_sync("unix:path=/run/dbus/system_bus_socket", flags)
bus.call_sync("org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus", "RequestName",
              GLib.Variant("(su)", (sys.argv[1], 1)), None, 0, 60_000)
if os.fork() == 0:
    # Only the connection lives on.
    os.close(1)
    time.sleep(300)
"""


def owner_process(bus):
    try:
        return bus.call_sync(
            "org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus", "GetConnectionUnixProcessID",
            GLib.Variant("(s)", (NAME,)), None, 0, 60_000).unpack()[0]
    except GLib.Error as error:
        # What a dbus-daemon with pidfds says of a dead one.
        assert Gio.DBusError.get_remote_error(error).endswith(".UnixProcessIdUnknown"), error
        return None


def a_name_is_taken_over_from_the_dead():
    began = time.monotonic()
    with Service():
        usual = time.monotonic() - began
    done = subprocess.run([sys.executable, "-c", OWNER, NAME], check=True, stdout=subprocess.DEVNULL, timeout=120)
    assert done.returncode == 0
    with Standstill() as still:
        began = time.monotonic()
        with Service() as service:
            wait_for(lambda: owner_process(service.bus) == service.process.pid, 2, "the name is ours")
            # One that it waited for in vain would take 2 s more than one that is free.
            took = time.monotonic() - began
            assert took < 2 + usual + still.seconds(), (took, usual, still.seconds())
            assert "backend" in ctl("status", "--json").lower()


if __name__ == "__main__":
    run_case(globals())
