# SPDX-License-Identifier: GPL-2.0-only
# Copyright (C) 2026 The ProcDb developers
"""How long real tasks wait, and trials, where no task may be changed."""

import os
import subprocess
from pathlib import Path

from gi.repository import GLib

from harness import CallFailed, Service, ctl, run_case, wait_for


def rows(service):
    """(tier, applied) -> row of GetDelays."""
    return {(row["tier"], row["applied"]): row for row in service.call("GetDelays")}


def own_waits(service, name):
    """The profile of a name, once it has waits."""
    matching, _ = service.call("QueryProfiles", "(a{sv}u)", {"pattern": GLib.Variant("s", name)}, 1)
    return matching[0] if matching and matching[0].get("waits_without") else None


def waits_are_counted_by_tier():
    with Service(backend="observer") as service:
        assert service.state() == ("observer", "active"), service.state()
        with subprocess.Popen([os.environ["BEHAVE"], "lab-ticker", "20", "2000", "60"]) as ticker:
            wait_for(lambda: rows(service)["lat-critical", False]["count"] > 300, 15,
                     "the waits of what ticks 500 times a second")
            # The service waits for its timer: for all that is known of it, it is left alone.
            assert rows(service)["interactive", False]["count"] > 0
            own = wait_for(lambda: own_waits(service, "lab-ticker"), 10, "its profile has its own waits")
            ticker.kill()
        assert 0 < own["wait_p50_without"] <= own["wait_p90_without"] <= own["wait_p99_without"], own
        assert "waits_with" not in own, own
        assert "Wait without slice, p90" in ctl("show", "lab-ticker")
        row = rows(service)["lat-critical", False]
        assert 0 < row["p50"] <= row["p90"] <= row["p99"] < 10_000_000_000, row
        ends = [end for end, _ in row["buckets"]]
        assert ends == sorted(ends) and sum(count for _, count in row["buckets"]) == row["count"], row
        assert "wake-ups of latency-critical programs waited" in ctl("status")


def what_wakes_up_all_the_time_counts_in_full():
    def counted():
        return sum(row["count"] for row in rows(service).values())

    def woken():
        status = Path(f"/proc/{ticker.pid}/status").read_text(encoding="ascii")
        return int(status.split("\nvoluntary_ctxt_switches:")[1].split()[0])

    with Service(backend="observer") as service:
        assert service.state() == ("observer", "active"), service.state()
        with subprocess.Popen([os.environ["BEHAVE"], "lab-ticker", "5", "150", "60"]) as ticker:
            # Until the observer knows how often.
            wait_for(lambda: woken() > 1000, 30, "it wakes up")
            began, before = woken(), counted()
            wait_for(lambda: woken() > began + 20000, 60, "it wakes up often")
            more, truth = counted() - before, woken() - began
            ticker.kill()
        # Other programs of the machine are counted as well.
        assert truth * 0.8 < more < truth * 2, (more, truth)


def without_an_observer_nothing_is_counted():
    with Service(backend="none") as service:
        assert service.call("GetDelays") == []
        assert "wake-ups of latency-critical programs" not in ctl("status")


def a_trial_needs_something_to_compare():
    with Service(backend="observer") as service:
        try:
            service.call("StartTrial", "(u)", 20)
        except CallFailed as failure:
            assert failure.name.endswith(".NoBackend"), failure.name
            assert "pid namespace" in str(failure), failure
        else:
            raise AssertionError("a trial runs, and no task can be changed")
        assert service.get("TrialState") == "none"
        ctl("trial", "20", status=1)
        ctl("trial", "5", status=2)
        ctl("trial", "soon", status=2)
        ctl("trial", "1e3", status=2)


def the_guard_is_on_and_can_be_switched_off():
    with Service(backend="observer") as service:
        assert service.get("GuardState") == "watching", service.get("GuardState")
        assert service.get("GuardRetry") == 0
        service.call("SetApply", "(s)", "none")
        assert service.get("GuardState") == "off", "nothing is applied, so there is nothing to guard"
        service.call("SetApply", "(s)", "auto")
        assert service.get("GuardState") == "watching"
        os.makedirs("/etc/pandemonium/procdb.conf.d")
        with open("/etc/pandemonium/procdb.conf.d/guard.conf", "w", encoding="ascii") as drop_in:
            drop_in.write("[Apply]\nGuard=no\n")
        service.call("Reload")
        assert service.get("GuardState") == "off"
        assert service.get("Apply") == "auto"


if __name__ == "__main__":
    run_case(globals())
