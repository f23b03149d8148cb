# SPDX-License-Identifier: GPL-2.0-only
# Copyright (C) 2026 The ProcDb developers
"""Which user may what: real polkitd, real users."""

import os
import signal
import subprocess
import threading
import time
from contextlib import contextmanager

from gi.repository import GLib

from harness import (HERE, ACCESS_DENIED, DATABASE, INTERACTION_REQUIRED, Service, Standstill, call_as,
                     error_name, run_case, stopped, wait_for)
import pddb

POLKITD = int(os.environ["LAB_POLKITD_PID"] or 0)
RULES = "/etc/polkit-1/rules.d/10-test.rules"


def service_with(*names):
    pddb.write(DATABASE, [pddb.confident(name) for name in names])
    return Service()


def grant(action, user):
    with open(RULES, "w", encoding="utf-8") as rules:
        rules.write("polkit.addRule(function(action, subject) {\n"
                    f"  if (action.id == 'org.pandemonium.procdb.{action}' &&\n"
                    f"      subject.user == '{user}') return polkit.Result.YES;\n"
                    "});\n")


def a_user_reads():
    with service_with(b"cc1"):
        value, error = call_as("alice", "ListProfiles")
        assert error is None and [row[0] for row in value[0]] == ["cc1"], (value, error)
        assert call_as("alice", "GetConfidence", "(s)", "cc1")[1] is None
        assert call_as("alice", "GetProfile", "(s)", "cc1")[1] is None
        assert call_as("alice", "Explain", "(s)", "cc1")[1] is None
        assert call_as("alice", "GetConfidence", "(s)", "nobody")[1] == error_name("NoSuchProfile")


def a_user_may_not_change():
    with service_with(b"cc1") as service:
        for call in (("DeleteProfile", "(s)", "cc1"), ("DeleteProfiles", "(as)", ["cc1"]),
                     ("Reset",), ("Save",), ("Reload",), ("LoadDatabase",), ("SetOverride", "(ss)", "cc1", "batch"),
                     ("ClearOverride", "(s)", "cc1")):
            # A prompt would be needed; no agent is there to show one.
            assert call_as("alice", *call)[1] == INTERACTION_REQUIRED, call
            assert call_as("alice", *call, interactive=True)[1] == ACCESS_DENIED, call
        assert set(service.profiles()) == {"cc1"}
        assert service.get("Overrides") == 0 and service.get("LastSave") == 0


def a_user_does_not_learn_by_errors():
    with service_with(b"cc1"):
        assert call_as("alice", "DeleteProfile", "(s)", "nobody")[1] == INTERACTION_REQUIRED
        assert call_as("alice", "DeleteProfile", "(s)", "bad\\name")[1] == INTERACTION_REQUIRED


def a_rule_grants():
    with service_with(b"cc1", b"as") as service:
        assert call_as("alice", "DeleteProfile", "(s)", "cc1")[1] == INTERACTION_REQUIRED
        grant("delete-entries", "alice")

        def deleted():
            return call_as("alice", "DeleteProfile", "(s)", "cc1")[1] is None

        wait_for(deleted, 5, "the rule is in force")
        assert set(service.profiles()) == {"as"}
        assert call_as("alice", "Save")[1] == INTERACTION_REQUIRED
        assert call_as("bob", "DeleteProfile", "(s)", "as")[1] == INTERACTION_REQUIRED
        os.unlink(RULES)
        # Of a name that is not there: as long as the rule is in force she may delete what is.
        wait_for(lambda: call_as("alice", "DeleteProfile", "(s)", "nobody")[1] == INTERACTION_REQUIRED, 5,
                 "the rule is gone")
        assert call_as("alice", "DeleteProfile", "(s)", "as")[1] == INTERACTION_REQUIRED
        assert set(service.profiles()) == {"as"}


def a_rule_denies():
    with open(RULES, "w", encoding="utf-8") as rules:
        rules.write("polkit.addRule(function(action, subject) {\n"
                    "  if (action.id.indexOf('org.pandemonium.procdb.') == 0 &&\n"
                    "      subject.user != 'root') return polkit.Result.NO;\n"
                    "});\n")
    with service_with(b"cc1") as service:
        wait_for(lambda: call_as("alice", "GetConfidence", "(s)", "cc1")[1] == ACCESS_DENIED, 5,
                 "the rule is in force")
        assert call_as("alice", "ListProfiles")[1] == ACCESS_DENIED
        assert service.call("GetConfidence", "(s)", "cc1") > 0


@contextmanager
def followers(*users, seconds=3):
    """
    Connections of users that hear signals, also for some seconds after the end; yields the names that
    each heard, when all is over.
    """
    with open(f"{HERE}/follower.py", encoding="utf-8") as file:
        source = file.read()
    until, end = os.pipe()
    processes = {user: subprocess.Popen(["/usr/bin/python3", "-c", source, str(seconds)], stdin=until,
                                        stdout=subprocess.PIPE, user=user, group=user, extra_groups=[],
                                        cwd="/") for user in users}
    os.close(until)
    heard = {}
    for process in processes.values():
        assert process.stdout.readline() == b"ready\n"
    yield heard
    os.close(end)
    for user, process in processes.items():
        heard[user] = set(process.communicate(timeout=seconds + 60)[0].decode().split())


def names_in_signals_are_for_callers_that_may_list_them():
    def tell(service, name, times):
        for number in range(times):
            service.call("SetOverride", "(ss)", f"{name}{number}", "batch")
            service.wait_ticks(1)

    with service_with(b"cc1") as service:
        with followers("alice", "bob", "root") as heard:
            tell(service, "all", 2)
        assert all({"all0", "all1"} <= names for names in heard.values()), heard
        with open(RULES, "w", encoding="utf-8") as rules:
            rules.write("polkit.addRule(function(action, subject) {\n"
                        "  if (action.id == 'org.pandemonium.procdb.list-profiles' &&\n"
                        "      subject.user == 'alice') return polkit.Result.NO;\n"
                        "});\n")
        wait_for(lambda: call_as("alice", "ListProfiles")[1] == ACCESS_DENIED, 5, "the rule is in force")
        with followers("alice", "bob", "root") as heard:
            tell(service, "some", 2)
        assert not heard["alice"], heard
        assert {"some0", "some1"} <= heard["bob"] and {"some0", "some1"} <= heard["root"], heard
        # What was allowed when a connection came is not for ever.
        os.unlink(RULES)
        wait_for(lambda: call_as("alice", "ListProfiles")[1] is None, 5, "the rule is gone")
        with followers("alice") as heard:
            tell(service, "before", 2)
            with open(RULES, "w", encoding="utf-8") as rules:
                rules.write("polkit.addRule(function() { return polkit.Result.NO; });\n")
            wait_for(lambda: call_as("bob", "ListProfiles")[1] == ACCESS_DENIED, 5, "the rule is in force")
            tell(service, "later", 2)
        assert "before0" in heard["alice"] and not heard["alice"] & {"later0", "later1"}, heard


FORGER = """
import sys
from gi.repository import Gio
bus = Gio.DBusConnection.new_for_address_sync(
    "unix:path=/run/dbus/system_bus_socket",
    Gio.DBusConnectionFlags.AUTHENTICATION_CLIENT | Gio.DBusConnectionFlags.MESSAGE_BUS_CONNECTION)
print("ready", flush=True)
while True:
    for _ in range(50):
        bus.emit_signal("org.pandemonium.ProcDb", "/org/freedesktop/PolicyKit1/Authority",
                        "org.freedesktop.PolicyKit1.Authority", "Changed", None)
    bus.flush_sync()
"""


def a_forged_signal_of_polkit_keeps_none_from_its_signals():
    with service_with(b"cc1") as service, \
            subprocess.Popen(["/usr/bin/python3", "-c", FORGER], stdout=subprocess.PIPE, user="alice",
                             group="alice", extra_groups=[], cwd="/") as forger:
        try:
            assert forger.stdout.readline() == b"ready\n"
            with followers("bob", seconds=5) as heard:
                for number in range(8):
                    service.call("SetOverride", "(ss)", f"name{number}", "batch")
                    service.wait_ticks(1)
        finally:
            forger.kill()
        assert heard["bob"] >= {f"name{number}" for number in range(8)}, heard


def with_polkitd_killed_only_root_may():
    with service_with(b"cc1", b"as") as service:
        assert call_as("alice", "GetConfidence", "(s)", "cc1")[1] is None
        os.kill(POLKITD, signal.SIGKILL)
        wait_for(lambda: call_as("alice", "DeleteProfile", "(s)", "cc1")[1] == ACCESS_DENIED, 5,
                 "it is noticed")
        assert call_as("alice", "ListProfiles")[1] == ACCESS_DENIED
        assert set(service.profiles()) == {"cc1", "as"}
        service.call("DeleteProfile", "(s)", "cc1")
        assert set(service.profiles()) == {"as"}


def without_polkitd_only_root_may():
    assert not POLKITD
    with service_with(b"cc1") as service:
        assert call_as("alice", "DeleteProfile", "(s)", "cc1")[1] == ACCESS_DENIED
        assert call_as("alice", "GetConfidence", "(s)", "cc1")[1] == ACCESS_DENIED
        assert service.call("Save") == 1
        service.call("DeleteProfile", "(s)", "cc1")
        assert service.profiles() == {}


def a_polkitd_that_hangs_does_not_stop_the_loop():
    with service_with(b"cc1") as service, Standstill() as still:
        # What was asked lately may be remembered for a while.
        grant("delete-entries", "no-such-name")
        with stopped(POLKITD):
            began, tick = time.monotonic(), service.get("Tick")
            _, error = call_as("alice", "DeleteProfile", "(s)", "cc1")
            waited = time.monotonic() - began
            assert error == ACCESS_DENIED, error
            ticks, late = service.get("Tick") - tick, still.seconds()
            assert waited < 30 + late, f"the caller was left hanging for {waited:.0f} s"
            assert ticks >= waited - 2 - late, f"{ticks} ticks in {waited:.0f} s, {late:.1f} s late"
            assert set(service.profiles()) == {"cc1"}
        assert call_as("alice", "GetConfidence", "(s)", "cc1")[1] is None


def callers_that_left_take_no_check_from_others():
    """dbus-daemon lets the service wait for 128 answers, also of calls that it has given up."""
    with service_with(b"cc1") as service, open(f"{HERE}/leaver.py", encoding="utf-8") as leaver:
        answers = []
        other = threading.Thread(target=lambda: answers.append(call_as("bob", "GetConfidence", "(s)", "cc1")))
        with stopped(POLKITD):
            subprocess.run(["/usr/bin/python3", "-", "200", "5"], stdin=leaver, stdout=subprocess.DEVNULL,
                           check=True, timeout=60, cwd="/", user="alice", group="alice", extra_groups=[])
            other.start()
            time.sleep(2)
            assert not answers, f"answered without polkit: {answers}"
        other.join(70)
        assert answers and answers[0][1] is None, answers
        assert set(service.profiles()) == {"cc1"}


@contextmanager
def silent_agent(connections, calls, method, body):
    """Alice's prompts, which are never answered."""
    with open(f"{HERE}/agent.py", encoding="utf-8") as file:
        source = file.read()
    agent = subprocess.Popen(["/usr/bin/python3", "-c", source, str(connections), str(calls), method, body],
                             stdin=subprocess.PIPE, stdout=subprocess.PIPE, user="alice", group="alice",
                             extra_groups=[], cwd="/")
    try:
        assert agent.stdout.readline() == b"sent\n"
        time.sleep(1)
        yield
    finally:
        prompts = int(agent.communicate(timeout=60)[0].split()[0])
    assert prompts > 0, "no person was asked"


def a_prompt_that_is_never_answered_holds_no_other_caller_up():
    with service_with(b"cc1") as service, Standstill() as still:
        with silent_agent(7, 16, "Reset", ""):
            began, late = time.monotonic(), still.seconds()
            assert service.call("GetConfidence", "(s)", "cc1") > 0
            service.connect()
            assert service.call("Save") == 1
            assert call_as("bob", "GetConfidence", "(s)", "cc1")[1] is None
            assert call_as("bob", "Reset", interactive=True)[1] == ACCESS_DENIED
            assert call_as("alice", "GetConfidence", "(s)", "cc1")[1] is None
            assert call_as("alice", "Reset", interactive=True)[1] == error_name("LimitExceeded")
            assert time.monotonic() - began < 10 + still.seconds() - late
        assert set(service.profiles()) == {"cc1"}


def a_large_call_that_waits_holds_no_other_caller_up():
    row = ("x", "batch", 0.5, True, 1, (1, 0, 0), 1, 1, 1, 1, 0, "live")
    rows = [(f"x{number}", *row[1:]) for number in range(500)]
    body = str(GLib.Variant("(a(ssdbu(uuu)ttttxs)b)", (rows, False)))
    with service_with(b"cc1") as service, Standstill() as still:
        with silent_agent(3, 1, "Import", body):
            for number in range(20):
                began, late = time.monotonic(), still.seconds()
                if number % 4 == 0:
                    service.connect()
                assert service.call("Import", "(a(ssdbu(uuu)ttttxs)b)", rows, False) == 500
                assert time.monotonic() - began < 3 + still.seconds() - late
            assert call_as("bob", "DeleteProfiles", "(as)", ["x" * 9] * 2000)[1] == INTERACTION_REQUIRED
        assert len(service.profiles()) == 501


def large_calls_in_a_loop_leave_room_for_roots():
    names = ["x"] * 2000
    source = """
import sys
from gi.repository import Gio, GLib
flags = Gio.DBusConnectionFlags.AUTHENTICATION_CLIENT | Gio.DBusConnectionFlags.MESSAGE_BUS_CONNECTION
names = GLib.Variant("(as)", (["x"] * 20_000,))
def again(bus, result):
    if result:
        try:
            bus.call_finish(result)
        except GLib.Error:
            pass
    bus.call("org.pandemonium.ProcDb", "/org/pandemonium/ProcDb", "org.pandemonium.ProcDb1", "DeleteProfiles",
             names, None, Gio.DBusCallFlags.NO_AUTO_START, 60_000, None, again)
for bus in [Gio.DBusConnection.new_for_address_sync("unix:path=/run/dbus/system_bus_socket", flags)
            for _ in range(3)]:
    for _ in range(8):
        again(bus, None)
GLib.MainLoop().run()
"""
    with service_with(b"cc1") as service:
        user = subprocess.Popen(["/usr/bin/python3", "-c", source], user="alice", group="alice",
                                extra_groups=[], cwd="/")
        try:
            time.sleep(1)
            for number in range(40):
                if number % 4 == 0:
                    service.connect()
                # It is looked at, which is what counts here.
                assert service.refused("DeleteProfiles", "(as)", names) == error_name("NoSuchProfile")
        finally:
            assert user.poll() is None
            user.kill()
            user.wait()


if __name__ == "__main__":
    run_case(globals())
