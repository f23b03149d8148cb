#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
# Copyright (C) 2026 The ProcDb developers
"""The window on a screen of its own, with keys and a screen reader: real service, bus and polkitd."""

import os
import subprocess
import sys
import time
from contextlib import contextmanager

from desk import USER, Agent, desk

from harness import Service, call_as, run_case, wait_for

DENIAL = "/etc/polkit-1/rules.d/10-window.rules"

# As ListProfiles has them: confident ones of each tier.
ROWS = [(f"lab-{name}", tier, 0.9, True, 40, votes, 5_000_000, 100_000, 3, 3, 0, "live")
        for name, tier, votes in (("one", "batch", (40, 0, 0)), ("two", "lat-critical", (0, 0, 40)),
                                  ("three", "interactive", (0, 40, 0)))]


def teach(service):
    service.call("Import", "(a(ssdbu(uuu)ttttxs)b)", ROWS, False)


def choose(place, name):
    """Types a name, and goes to the row that is found."""
    place.press("ctrl+f")
    place.type(name)
    place.sees("lab-one" if name != "lab-one" else "lab-two", missing=True)
    place.press("Return")
    place.sees(f"{name}: ")


def is_quiet(place):
    assert "CRITICAL" not in place.logged() and "WARNING" not in place.logged(), place.logged()


def it_lists_programs_and_asks_before_an_override():
    with Service() as service, desk() as place:
        teach(service)
        place.open()
        for text in ("lab-one", "lab-two", "lab-three", "lat-critical", "3 programs known"):
            place.sees(text)
        assert place.ask("unlabelled") == "", place.ask("unlabelled")
        agent = Agent(service.bus, place.window.pid)
        place.focus()
        choose(place, "lab-two")
        place.press("ctrl+3")
        place.sees("New tasks named “lab-two” start as batch from now on")
        assert agent.asked == ["org.pandemonium.procdb.set-override"], agent.asked
        assert service.profiles()["lab-two"]["origin"] == "override"
        place.sees("lab-two: an override says batch")

        agent.knows = False
        place.press("ctrl+0")
        place.sees("Nothing was changed, access denied")
        assert service.profiles()["lab-two"]["tier"] == "batch"
        is_quiet(place)


def it_survives_a_restart_of_the_service():
    with desk() as place:
        place.open()
        place.sees("Start the Service")
        with Service() as service:
            teach(service)
            place.sees("lab-one")
            place.sees("Start the Service", missing=True)
        place.sees("Start the Service")
        with Service() as service:
            place.sees("Start the Service", missing=True)
            service.call("SetOverride", "(ss)", "lab-new", "batch")
            place.sees("lab-new")
            service.call("DeleteProfile", "(s)", "lab-one")
            place.sees("lab-one", missing=True)
        wait_for(lambda: place.window.poll() is None, 1, "the window is open still")
        is_quiet(place)


def a_search_finds_what_is_not_in_the_list():
    with Service() as service, desk() as place:
        many = [(f"lab-{number}", *ROWS[0][1:]) for number in range(2100)]
        service.call("Import", "(a(ssdbu(uuu)ttttxs)b)", [*many, ("needle", *ROWS[1][1:])], False)
        place.open()
        place.sees("2,101 programs known")
        place.sees("needle", missing=True)
        place.focus()
        place.press("ctrl+f")
        place.type("needl")
        place.sees("needle")
        is_quiet(place)


def it_says_why_no_program_is_listed():
    with Service() as service, desk() as place:
        place.open()
        place.sees("No Programs Yet")
        teach(service)
        place.sees("lab-one")
        place.sees("No Programs Yet", missing=True)
        place.focus()
        place.press("ctrl+f")
        place.type("zzz")
        place.sees("No Program Matches")
        place.press("BackSpace", "BackSpace", "BackSpace")
        place.sees("lab-one")
        place.sees("No Program Matches", missing=True)
        is_quiet(place)


def it_says_that_the_bus_broke():
    with desk() as place:
        bus = place.as_user("dbus-daemon", "--session", "--nofork", "--print-address", stdout=subprocess.PIPE, text=True)
        try:
            place.environment["DBUS_SYSTEM_BUS_ADDRESS"] = bus.stdout.readline().strip()
            place.open()
            place.sees("Start the Service")
        finally:
            bus.kill()
            bus.wait()
        place.sees("The Connection to the System Bus Broke")
        place.sees("Start the Service", missing=True)
        assert place.window.poll() is None
        is_quiet(place)


@contextmanager
def trial_desk():
    """A window in which a trial has just begun."""
    with Service(backend="observer") as service, desk() as place:
        if not service.get("ApplyActive"):
            print(f"SKIP: no task can be given a slice: {service.get('ApplyReason')}")
            sys.exit(77)
        teach(service)
        place.open()
        place.sees("Try Whether It Helps")
        agent = Agent(service.bus, place.window.pid)
        place.focus()
        place.press("alt+t")
        place.sees("Stop the Trial")
        assert agent.asked, "whether it may is asked"
        yield service, place
        is_quiet(place)


def a_trial_that_is_stopped_moved_no_banner():
    with trial_desk() as (service, place):
        end = time.monotonic() + 5
        while time.monotonic() < end:
            # Slices are taken back and given again meanwhile.
            assert "a trial compares" not in place.ask("texts"), place.ask("texts")
        place.press("alt+s")
        place.sees("Try Whether It Helps")
        assert service.get("TrialState") == "ended", service.get("TrialState")


def a_trial_is_followed_to_its_verdict():
    with trial_desk() as (service, place):
        # Where nothing has to wait there is too little load, and where tests run beside it perhaps not.
        place.sees("Try Whether It Helps", seconds=100)
        assert service.get("TrialState") == "done", service.get("TrialState")
        verdict = service.call("GetTrial")["verdict"]
        print(verdict)
        place.sees(f"Trial: {verdict}")


def a_list_that_was_refused_is_asked_for_again():
    with open(DENIAL, "w", encoding="utf-8") as rule:
        rule.write("polkit.addRule(function(action) {"
                   " if (action.id == 'org.pandemonium.procdb.list-profiles') return polkit.Result.NO; });\n")
    with Service() as service, desk() as place:
        wait_for(lambda: call_as(USER, "ListProfiles")[1], 10, "polkit has read the rule")
        teach(service)
        place.open()
        place.sees("The Service Gave No List")
        os.unlink(DENIAL)
        place.sees("lab-one", seconds=20)
        is_quiet(place)


if __name__ == "__main__":
    run_case(globals())
