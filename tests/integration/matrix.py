# SPDX-License-Identifier: GPL-2.0-only
# Copyright (C) 2026 The ProcDb developers
"""The policy matrix: every method for every kind of caller and state of polkit."""

import json
import os
import signal
import subprocess
import time
import xml.etree.ElementTree
from concurrent.futures import ThreadPoolExecutor

from gi.repository import GLib

from harness import (ACCESS_DENIED, DATABASE, HERE, INTERACTION_REQUIRED, INTERFACE, CallFailed,
                     Service, Standstill, call_as, run_case, stopped, wait_for)
import pddb

POLKITD = int(os.environ["LAB_POLKITD_PID"] or 0)
RULES = "/etc/polkit-1/rules.d/10-matrix.rules"
PREFIX = "org.pandemonium.procdb."
ROWS = "a(ssdbu(uuu)ttttxs)"
RECORDS = "a(ssdbu(uuu)ttttxsxttusu)"
LEAVERS = 3000
SLOW_LEAVERS = 1000
SLOW_CHECK_MS = 20
with open("/proc/self/comm", "rb") as comm:
    OWN_NAME = comm.read().rstrip(b"\n")

# In an order in which all can succeed. Action, method, signature, arguments.
CALLS = (
    ("list-profiles", "ListProfiles", "()"),
    ("list-profiles", "ExportProfiles", "()"),
    ("list-profiles", "GetProfile", "(s)", "keep"),
    ("get-confidence", "GetConfidence", "(s)", "keep"),
    ("list-profiles", "Explain", "(s)", "keep"),
    ("list-profiles", "QueryProfiles", "(a{sv}u)", {}, 0),
    ("list-profiles", "QueryColumns", "(a{sv}asu)", {}, ["name"], 0),
    ("list-profiles", "ListTasks", "(a{sv}u)", {}, 0),
    ("list-profiles", "GetProfileOfPid", "(u)", os.getpid()),
    ("save", "Save", "()"),
    ("set-override", "SetOverride", "(ss)", "keep", "batch"),
    ("set-override", "ClearOverride", "(s)", "keep"),
    ("set-override", "SetOverrideFor", "(a{sv}s)", {"program": GLib.Variant("s", "train.py")}, "batch"),
    ("list-profiles", "ListOverrides", "()"),
    ("set-override", "ClearOverrideFor", "(a{sv})", {"program": GLib.Variant("s", "train.py")}),
    ("set-override", "Hold", "(sss)", "keep", "batch", "the matrix"),
    ("set-override", "ReleaseHold", "(u)", 1),
    ("delete-entries", "DeleteProfile", "(s)", "cc1"),
    ("delete-entries", "DeleteProfiles", "(as)", ["as", "ld"]),
    ("manage", "Import", f"({ROWS}b)", [], False),
    ("manage", "ImportProfiles", f"({RECORDS}bb)", [], False, True),
    ("import-prior", "ImportPrior", f"({RECORDS})", []),
    ("manage", "ImportPrograms", "(aa{sv}b)", [], False),
    ("manage", "SetBackend", "(s)", "none"),
    ("manage", "SetApply", "(s)", "none"),
    ("list-profiles", "GetDelays", "()"),
    ("list-profiles", "GetHistory", "()"),
    ("list-profiles", "GetTrial", "()"),
    ("manage", "StartTrial", "(u)", 30),
    ("manage", "StopTrial", "()"),
    ("manage", "Reload", "()"),
    ("manage", "LoadDatabase", "()"),
    ("delete-entries", "Reset", "()"),
)
# Not among those that succeed: the kernel may not be able to.
REPLACE = ("replace-scheduler", "SetBackend", "(s)", "sched-ext")
READS = ("list-profiles", "get-confidence")
# A trial needs slices and an observer, which this service has not: a refusal that comes after polkit.
REFUSED = {"StartTrial": "org.pandemonium.ProcDb1.Error.NoBackend"}


def new_service():
    if os.path.exists(DATABASE):
        os.unlink(DATABASE)
    pddb.write(DATABASE, [pddb.confident(name) for name in (b"keep", b"cc1", b"as", b"ld", OWN_NAME)])
    return Service()


def properties(service):
    return service.send("org.freedesktop.DBus.Properties", "GetAll", "(s)", INTERFACE)


def state(service):
    """What a call that should not have been executed would have changed."""
    values = properties(service)
    return (set(service.profiles()),
            *(values[name] for name in ("Overrides", "LastSave", "Backend", "Apply")))


def write_rule(body):
    with open(RULES + ".new", "w", encoding="utf-8") as rules:
        rules.write(f"polkit.addRule(function(action, subject) {{\n{body}\n}});\n")
    os.rename(RULES + ".new", RULES)


def all_methods():
    tree = xml.etree.ElementTree.parse(
        os.environ["LAB_SOURCE"] + "/dbus/org.pandemonium.ProcDb1.xml")
    return {method.get("name") for method in tree.iter("method")}


def call_all(user, calls, **options):
    """The error name of each call, by method, all at the same time."""
    with ThreadPoolExecutor(len(calls)) as pool:
        answers = pool.map(lambda call: call_as(user, *call[1:], **options)[1], calls)
        return dict(zip((call[1] for call in calls), answers))


def as_root(service, calls):
    for call in calls:
        try:
            service.call(*call[1:])
        except CallFailed as failure:
            if failure.name != REFUSED.get(call[1]):
                raise AssertionError(f"root, {call}: {failure.name}: {failure}") from None


def assert_all(answers, error):
    assert all(answer == error for answer in answers.values()), (answers, error)


def the_matrix_knows_every_method():
    assert {call[1] for call in CALLS} == all_methods()


def root_may_everything():
    with new_service() as service:
        as_root(service, CALLS)
        assert service.profiles() == {}


def a_user_may_what_policy_says():
    changing = [call for call in CALLS if call[0] not in READS] + [REPLACE]
    with new_service() as service:
        before = state(service)
        assert_all(call_all("alice", [call for call in CALLS if call[0] in READS]), None)
        for call in changing:
            _, error = call_as("alice", *call[1:])
            assert error == INTERACTION_REQUIRED, (call, error)
            # There is no agent that could ask.
            _, error = call_as("alice", *call[1:], interactive=True)
            assert error == ACCESS_DENIED, (call, error)
        assert state(service) == before


def a_rule_grants_its_action_and_no_other():
    for action in sorted({call[0] for call in CALLS} - set(READS)):
        with new_service() as service:
            write_rule(f"if (action.id == '{PREFIX}{action}' && subject.user == 'alice')"
                       " return polkit.Result.YES;")
            first = next(call for call in CALLS if call[0] == action)
            # ClearOverride needs one.
            wait_for(lambda: call_as("alice", *first[1:])[1] != INTERACTION_REQUIRED, 5,
                     f"the rule for {action} is in force")
            assert call_as("bob", *first[1:])[1] == INTERACTION_REQUIRED
            for call in [*CALLS, REPLACE]:
                _, error = call_as("alice", *call[1:])
                if call[0] == action:
                    # What the first call did away with is not there any more, and a hold ended with its caller.
                    assert error == REFUSED.get(call[1]) or call == first and "NoSuchProfile" in error or \
                        call[1] == "ReleaseHold" and "NoSuchHold" in error, (action, call, error)
                elif call[0] in READS:
                    assert error is None or "NoSuchProfile" in error, (action, call, error)
                else:
                    assert error == INTERACTION_REQUIRED, (action, call, error)
            os.unlink(RULES)
            wait_for(lambda: call_as("alice", *first[1:])[1] == INTERACTION_REQUIRED, 5,
                     f"the rule for {action} is gone")
            assert service.get("Tick") >= 0


def with_polkit_dead():
    with new_service() as service:
        os.kill(POLKITD, signal.SIGKILL)
        wait_for(lambda: call_as("alice", "ListProfiles")[1] == ACCESS_DENIED, 10,
                 "it is noticed")
        before = state(service)
        assert_all(call_all("alice", [*CALLS, REPLACE]), ACCESS_DENIED)
        assert_all(call_all("alice", [*CALLS, REPLACE], interactive=True), ACCESS_DENIED)
        assert state(service) == before
        as_root(service, CALLS)


def hang(service):
    """While polkit does not answer."""
    before = state(service)
    began, tick = time.monotonic(), service.get("Tick")
    with ThreadPoolExecutor(1) as pool, Standstill() as still:
        answers = pool.submit(call_all, "alice", [*CALLS, REPLACE])
        # Meanwhile no other caller waits.
        slowest = 0
        while not answers.done():
            asked = time.monotonic()
            service.call("GetConfidence", "(s)", "keep")
            slowest = max(slowest, time.monotonic() - asked)
            time.sleep(0.05)
        assert_all(answers.result(), ACCESS_DENIED)
        waited, late = time.monotonic() - began, still.seconds()
    assert slowest < 1 + late, f"root waited {slowest:.3f} s, {late:.3f} s late"
    assert waited < 55 + late, f"the callers waited {waited:.0f} s, {late:.0f} s late"
    assert service.get("Tick") - tick >= waited - 3 - late, "ticks were missed"
    assert state(service) == before
    print(f"denied after {waited:.1f} s; root's slowest call took {slowest * 1000:.1f} ms")


def with_polkit_stopped():
    with new_service() as service:
        with stopped(POLKITD):
            hang(service)
            as_root(service, CALLS)
        wait_for(lambda: call_as("alice", "ListProfiles")[1] is None, 10, "it answers again")


def with_a_rule_that_never_ends():
    with new_service() as service:
        write_rule("if (subject.user == 'bob') return polkit.Result.NO;\n"
                   "if (subject.user == 'alice') while (true) ;")
        # What was answered before may be remembered for 5 s.
        wait_for(lambda: call_as("bob", "ListProfiles")[1] == ACCESS_DENIED, 10, "the rule is in force")
        hang(service)
        as_root(service, CALLS)


def properties_are_refused_to_all():
    with new_service() as service:
        values = properties(service)
        before = state(service)
        for name in values:
            try:
                # Its own value, which has its own type.
                service.send("org.freedesktop.DBus.Properties", "Set", "(ssv)", INTERFACE, name,
                             variant_of(service, name))
            except CallFailed as failure:
                assert failure.name.startswith("org.freedesktop.DBus.Error."), failure.name
            else:
                raise AssertionError(f"{name} was set")
        assert state(service) == before


def variant_of(service, name):
    from gi.repository import GLib
    return service.bus.call_sync(
        "org.pandemonium.ProcDb", "/org/pandemonium/ProcDb", "org.freedesktop.DBus.Properties",
        "Get", GLib.Variant("(ss)", (INTERFACE, name)), None, 0, 5000
    ).get_child_value(0).get_variant()


def leave(times, check):
    """Callers that leave, as alice; see leaver.py for what they say."""
    with open(f"{HERE}/leaver.py", encoding="utf-8") as source:
        done = subprocess.run(["/usr/bin/python3", "-", str(times), str(check)], stdin=source,
                              stdout=subprocess.PIPE, check=True, timeout=400, cwd="/",
                              user="alice", group="alice", extra_groups=[])
    return json.loads(done.stdout)


def a_caller_that_leaves_during_the_check_gets_nothing():
    with new_service() as service:
        before = state(service)
        began = time.monotonic()
        # By a rule, so that polkit takes its time as it would with any.
        write_rule(f"if (action.id == '{PREFIX}set-override') return polkit.Result.NO;")
        left = leave(LEAVERS, 3)
        assert state(service) == before
        # Nothing is left of them that would count against anyone.
        denied, told = call_as("alice", "SetOverride", "(ss)", "cc1", "batch"), call_as("alice", "GetConfidence", "(s)", "keep")
        assert denied[1] == ACCESS_DENIED, denied
        assert told[1] is None, told
        assert "CRITICAL" not in service.logged(), service.logged()
        print(f"{LEAVERS} callers left, {left['answered']} of them after the answer, "
              f"in {time.monotonic() - began:.1f} s, 0 executed")


def a_caller_that_left_before_polkit_said_yes_gets_nothing():
    with new_service() as service:
        write_rule(f"if (action.id != '{PREFIX}set-override') return;\n"
                   f"var end = Date.now() + {SLOW_CHECK_MS} + 1;\n"
                   "while (Date.now() < end) ;\n"
                   "return polkit.Result.YES;")
        wait_for(lambda: call_as("alice", "SetOverride", "(ss)", "stays", "batch")[1] is None, 5,
                 "the rule is in force")
        left = leave(SLOW_LEAVERS, SLOW_CHECK_MS)
        # After those, in polkitd's order.
        assert call_as("alice", "SetOverride", "(ss)", "stays", "lat-critical")[1] is None
        done = {name for name, row in service.profiles().items() if row["origin"] == "override"}
        assert "stays" in done
        assert not done & set(left["early"]), done & set(left["early"])
        print(f"{SLOW_LEAVERS} callers left, {len(left['early'])} of them before polkit said yes; "
              f"0 of these were obeyed, of the others {len(done) - 1}")
        # Else this showed nothing.
        assert len(left["early"]) > SLOW_LEAVERS / 4


if __name__ == "__main__":
    run_case(globals())
