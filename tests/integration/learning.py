# SPDX-License-Identifier: GPL-2.0-only
# Copyright (C) 2026 The ProcDb developers
"""Real BPF programs on the running kernel, and what is learned from real programs."""

import os
import shutil
import subprocess
import time
import xml.etree.ElementTree as ElementTree
from contextlib import contextmanager

from harness import (DATABASE, INTERFACE, NAME, PATH, CallFailed, Service, Standstill, ctl, escape,
                     run_case, wait_for)
import pddb

BEHAVE = os.environ.get("BEHAVE")


@contextmanager
def running(*commands):
    """Runs commands beside; ends them and what they started."""
    groups = [subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL, start_new_session=True)
              for command in commands]
    try:
        yield
    finally:
        for group in groups:
            try:
                os.killpg(group.pid, 9)
            except ProcessLookupError:
                pass
            group.wait()


def behave(name, run_us, sleep_us):
    """One process after the other: each matures, and is one observation."""
    return ["sh", "-c", "while :; do \"$@\"; done", "sh", BEHAVE, name, str(run_us),
            str(sleep_us), "2.5"]


def learns_the_tiers_of_programs_within_15_seconds():
    programs = {"lab-ticker": (20, 10_000, "lat-critical"),
                "lab-cruncher": (60_000, 1_000, "batch")}
    with Service(backend="observer") as service, Standstill() as still:
        assert service.state() == ("observer", "active"), service.state()
        began = time.monotonic()
        with running(*[behave(name, run, sleep)
                       for name, (run, sleep, _) in programs.items()]):
            def learned():
                profiles = service.profiles()
                if any(profiles.get(name, {"observations": 0})["observations"] < 3 for name in programs):
                    return False
                cruncher, ticker = profiles["lab-cruncher"], profiles["lab-ticker"]
                # Not how confident: that depends on what else this machine is doing. So do
                # single rates, for a task that waits for a CPU wakes up less often.
                return (all(profiles[name]["tier"] == tier for name, (_, _, tier) in programs.items()) and
                        cruncher["avg_runtime"] > 3 * ticker["avg_runtime"] and
                        ticker["wakeup_freq"] > 3 * cruncher["wakeup_freq"])

            try:
                wait_for(learned, 15, f"the tiers of {list(programs)}")
            except AssertionError:
                print({name: service.profiles().get(name) for name in programs})
                raise
            took = time.monotonic() - began
            assert took < 15 + still.seconds(), (took, still.seconds())
        assert service.get("MapErrors") == 0
        assert service.get("Observations") > 0


def a_short_job_that_waits_long_for_a_cpu_is_what_it_does():
    """Beside many others it is seconds old before it has worked for one."""
    with Service(backend="observer") as service:
        with running(*[behave("lab-crowded", 60_000, 0)] * 8 * len(os.sched_getaffinity(0))):
            wait_for(lambda: service.profiles().get("lab-crowded", {"observations": 0})["observations"] >= 4,
                     30, "two lives of each are observed")
        votes = service.profiles()["lab-crowded"]["votes"]
        assert votes[0] > 0 and tuple(votes[1:]) == (0, 0), votes


def learns_pipes_and_a_compile():
    source = os.environ["LAB_DIR"] + "/x.c"
    with open(source, "w", encoding="utf-8") as file:
        file.write("#include <stdio.h>\nint main(void) { return puts(\"x\"); }\n")
    pipe = "dd if=/dev/urandom bs=16k | gzip -1 >/dev/null"
    build = f"while :; do gcc -pipe -O2 -o {source}.o -c {source}; done"
    with Service(backend="observer") as service:
        with running(*[["sh", "-c", pipe]] * 3, ["sh", "-c", build], ["sh"]):
            wait_for(lambda: "dd" in service.profiles(), 15, "dd is observed")
        # How it is classified depends on what else runs here; that it is measured does not.
        dd = service.profiles()["dd"]
        assert dd["observations"] > 0 and dd["avg_runtime"] > 0, dd
        assert sum(dd["votes"]) == dd["observations"], dd


def learns_a_program_of_any_name():
    name = b"sshd\xff\xfe\n%n"
    with Service(backend="observer") as service:
        with running(behave("sshd\\xff\\xfe\\x0a%n", 20, 10_000)):
            wait_for(lambda: service.profiles().get(escape(name), {"observations": 0})
                     ["observations"] >= 3, 15, "the name is learned")
        assert 0 < service.call("GetConfidence", "(s)", escape(name)) <= 1


def a_main_thread_that_waits_for_its_threads_does_not_speak_for_them():
    """What is predicted of a name is inherited by all threads: javac's were let through as its main thread is."""
    with Service(backend="observer") as service:
        def seen():
            return service.profiles().get("lab-host", {"observations": 0, "tier": None})

        # They have to get half a CPU; in lives in which others run here they do not, and it is lat-critical.
        with running(["nice", "-n", "-15", *behave("lab-host", 0, 0), "8"]):
            wait_for(lambda: seen()["observations"] >= 2 and seen()["tier"] == "interactive", 15,
                     "the program is interactive")


def what_users_may_not_teach_is_no_wrong_prediction():
    directory = os.environ["LAB_DIR"]
    config, program = directory + "/procdb.conf", directory + "/lab-taught"
    # A name of its own: other tests beside this one run theirs as root, in the same kernel.
    with open(config, "w", encoding="utf-8") as file:
        # However unevenly it runs here.
        file.write("[Learning]\nMaxUserTier=interactive\nMinConfidence=0.5\n")
    shutil.copy(BEHAVE, program)
    loop = ["setpriv", "--reuid=alice", "--regid=alice", "--clear-groups",
            "sh", "-c", 'while :; do "$@"; done', "sh", program, "lab-taught", "20", "10000", "2.5"]
    with Service("--config", config, backend="observer") as service, running(*[loop] * 4):
        def judged():
            if "lab-taught" not in service.profiles():
                return None
            profile = service.call("GetProfile", "(s)", "lab-taught")
            return profile if profile["right"] + profile["wrong"] >= 6 else None

        # It is lat-critical, nearly each time, and starts as what its user may teach.
        try:
            profile = wait_for(judged, 60, "predictions are judged")
        except AssertionError:
            print("lab-taught" in service.profiles() and service.call("GetProfile", "(s)", "lab-taught"))
            raise
        assert (profile["tier"], profile["taught_by"]) == ("interactive", "users"), profile
        assert profile["wrong"] < 3 and profile["withdrawals"] == 0, profile


def client_and_bus_agree_on_confidence():
    os.makedirs(os.path.dirname(DATABASE), exist_ok=True)
    records = [pddb.confident(name)._replace(runtime_dev=dev)
               for name, dev in ((b"cc1", 1), (b"odd name", 12_345_678), (b"half", 31_999_999))]
    pddb.write(DATABASE, records)
    with Service() as service:
        for record in records:
            name = escape(record.comm)
            told = service.call("GetConfidence", "(s)", name)
            assert told == service.profiles()[name]["confidence"]
            assert told == service.call("GetProfile", "(s)", name)["confidence"]
            # As many votes, all for one tier (docs/learning.md).
            expected = record.votes / (record.votes + 1)
            assert abs(told - expected) < 1e-12, (told, expected)
            printed = float(ctl("confidence", name))
            assert abs(printed - told) < 0.0051, (printed, told)
            busctl = subprocess.run(["busctl", "call", NAME, PATH, INTERFACE, "GetConfidence", "s",
                                     name], stdout=subprocess.PIPE, check=True, timeout=120)
            kind, value = busctl.stdout.decode().split()
            assert kind == "d" and abs(float(value) - told) < 1e-5, busctl.stdout


def introspection_is_complete():
    contract = ElementTree.parse(
        os.environ["LAB_SOURCE"] + "/dbus/org.pandemonium.ProcDb1.xml").find("interface")

    def members(interface):
        found = set()
        for member in interface:
            if member.tag in ("method", "signal"):
                arguments = "".join(f"{a.get('direction', 'out')}:{a.get('type')} "
                                    for a in member.iter("arg"))
                found.add((member.tag, member.get("name"), arguments))
            elif member.tag == "property":
                found.add((member.tag, member.get("name"), member.get("type"),
                           member.get("access")))
        return found

    with Service() as service:
        root = ElementTree.fromstring(
            service.send("org.freedesktop.DBus.Introspectable", "Introspect", "()"))
        interfaces = {interface.get("name"): interface for interface in root.iter("interface")}
        for standard in ("Properties", "Introspectable", "Peer"):
            assert f"org.freedesktop.DBus.{standard}" in interfaces, interfaces.keys()
        assert members(interfaces[INTERFACE]) == members(contract)
        values = service.send("org.freedesktop.DBus.Properties", "GetAll", "(s)", INTERFACE)
        assert set(values) == {m[1] for m in members(contract) if m[0] == "property"}
        shown = subprocess.run(["busctl", "introspect", NAME, PATH, INTERFACE],
                               stdout=subprocess.PIPE, check=True, timeout=120).stdout.decode()
        for member in members(contract):
            assert f".{member[1]} " in shown, member
        service.send("org.freedesktop.DBus.Peer", "Ping", "()")


def properties_cannot_be_written():
    from gi.repository import GLib
    with Service() as service:
        values = service.send("org.freedesktop.DBus.Properties", "GetAll", "(s)", INTERFACE)
        kinds = {"b": True, "u": 7, "t": 7, "x": 7, "d": 0.1, "s": "x", "as": ["x"],
                 "a{st}": {"x": 7}, "a(sttt)": [("x", 7, 7, 7)]}
        root = ElementTree.fromstring(
            service.send("org.freedesktop.DBus.Introspectable", "Introspect", "()"))
        for item in root.iter("property"):
            kind = item.get("type")
            try:
                service.send("org.freedesktop.DBus.Properties", "Set", "(ssv)", INTERFACE,
                             item.get("name"), GLib.Variant(kind, kinds[kind]))
            except CallFailed:
                continue
            raise AssertionError(f"{item.get('name')} was written")
        after = service.send("org.freedesktop.DBus.Properties", "GetAll", "(s)", INTERFACE)
        volatile = {"Tick", "Observations"}
        assert {k: v for k, v in values.items() if k not in volatile} == \
            {k: v for k, v in after.items() if k not in volatile}


def next_tick(service):
    """The next tick, when it was asked for, and when it was seen."""
    before = tick = service.get("Tick")
    while tick == before:
        time.sleep(0.01)
        asked = time.monotonic()
        tick = service.get("Tick")
    return tick, asked, time.monotonic()


def a_second_passes_a_tick():
    with Service(backend="observer") as service, Standstill() as still:
        # From tick to tick: between two of them anything would be a part of a second.
        next_tick(service)
        first, *begins = next_tick(service)
        time.sleep(4.5)
        last, *ends = next_tick(service)
        # An answer may come late.
        ticks, least, most, late = last - first, ends[0] - begins[1], ends[1] - begins[0], still.seconds()
        # Those of a time in which nothing runs do not come later.
        assert least - late - 1.1 <= ticks <= most + 1.1, (ticks, least, most, late)


if __name__ == "__main__":
    run_case(globals())
