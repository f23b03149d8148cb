# SPDX-License-Identifier: GPL-2.0-only
# Copyright (C) 2026 The ProcDb developers
"""Programs that go by another name after their exec, as launchers, wine and servers do."""

import os
import shutil
import subprocess
import sys

from gi.repository import GLib

from harness import DATABASE, CallFailed, Service, run_case, wait_for
import pddb

# Works for 60 ms of each 61.
BURNS = ("60000", "1000")


def program(name, of="BEHAVE"):
    """A program that is executed under this name."""
    path = f"{os.environ['LAB_DIR']}/{name}"
    shutil.copy(os.environ[of], path)
    return path


def override(service, name, tier):
    service.call("SetOverride", "(ss)", name, tier)
    wait_for(lambda: service.call("GetProfile", "(s)", name)["predicted"], 5, f"{name} predicts")


def counts(service, name):
    try:
        profile = service.call("GetProfile", "(s)", name)
    except CallFailed:
        return {"found": 0, "right": 0, "wrong": 0, "observations": 0}
    return profile


def a_prediction_is_judged_under_the_name_that_was_predicted():
    with Service(backend="observer") as service:
        override(service, "lab-launcher", "lat-critical")
        path = program("lab-launcher")
        # Too few for the later name to predict anything.
        for _ in range(2):
            subprocess.run([path, "lab-worker", *BURNS, "0.7"], check=True)
            service.wait_ticks(2)
        launcher, worker = (counts(service, name) for name in ("lab-launcher", "lab-worker"))
        assert (launcher["found"], launcher["right"], launcher["wrong"]) == (2, 0, 2), launcher
        assert (worker["found"], worker["right"], worker["wrong"]) == (0, 0, 0), worker
        # What was measured is that of the name that it has.
        assert worker["observations"] == 2 and launcher["observations"] == 0, (launcher, worker)


def a_start_is_counted_once():
    starts = 120
    with Service(backend="observer") as service:
        override(service, "lab-once", "lat-critical")
        path = program("lab-once")
        # As each executes something, it may be switched away when it has the new name already.
        for _ in range(starts // 4):
            for process in [subprocess.Popen([path, "lab-once-then", "2000", "1000", "0.15"]) for _ in range(4)]:
                assert process.wait() == 0
        service.wait_ticks(2)
        assert counts(service, "lab-once")["found"] == starts, counts(service, "lab-once")


def what_names_itself_later_starts_as_that_name_predicts():
    with Service(backend="observer") as service:
        override(service, "lab-game.exe", "batch")
        path = program("lab-preloader")
        for _ in range(2):
            subprocess.run([path, "lab-game.exe", *BURNS, "0.7"], check=True)
            service.wait_ticks(2)
        game, preloader = (counts(service, name) for name in ("lab-game.exe", "lab-preloader"))
        assert (game["found"], game["right"], game["wrong"]) == (2, 2, 0), game
        assert (preloader["found"], preloader["right"], preloader["wrong"]) == (0, 0, 0), preloader


def a_compositor_may_name_itself_later():
    config = os.environ["LAB_DIR"] + "/procdb.conf"
    with open(config, "w", encoding="utf-8") as file:
        file.write("[Service]\nCompositors=lab-composes\n")
    with Service("--config", config, backend="observer") as service:
        subprocess.run([program("lab-session"), "lab-composes", *BURNS, "1"], check=True)
        service.wait_ticks(2)
        profile = counts(service, "lab-composes")
        assert profile["observations"] > 0 and profile["tier"] == "lat-critical", profile


def names_without_end_are_looked_at_once_a_second():
    with Service(backend="observer") as service:
        for name in ("lab-one", "lab-other"):
            override(service, name, "batch")
        done = subprocess.run([program("lab-restless", "OTHERS"), "renames", "4", "lab-one",
                               "lab-other"], stdout=subprocess.PIPE, check=True)
        service.wait_ticks(2)
        found = sum(counts(service, name)["found"] for name in ("lab-one", "lab-other"))
        print(f"{int(done.stdout)} names, of which {found} were looked up")
        assert int(done.stdout) > 100_000
        assert 1 <= found <= 6, found


def numbered(service, name):
    """The profiles that begin so, as one that has digits would."""
    return {profile for profile in service.profiles() if profile.startswith(name)}


def others(*arguments):
    done = subprocess.run([os.environ["OTHERS"], *arguments], check=False)
    if done.returncode == 77:
        print("this kernel has no io_uring")
        sys.exit(77)
    assert done.returncode == 0, arguments


def names_that_count_tasks_are_one():
    with Service(backend="observer") as service:
        others("threads", "6", "lab-conn-")
        # Without a sign before it, and with a letter behind it: they are known as pids.
        others("processes", "6", "labjob")
        wait_for(lambda: counts(service, "lab-conn-#")["observations"], 10, "threads teach one name")
        wait_for(lambda: counts(service, "labjob#x")["observations"], 10, "processes teach one name")
        service.wait_ticks(2)
        assert numbered(service, "lab-conn-") == {"lab-conn-#"}, service.profiles()
        assert numbered(service, "labjob") == {"labjob#x"}, service.profiles()
        program = service.call("GetProfile", "(s)", "lab-conn-#")
        assert program["kind"] == "thread", program


def workers_of_io_uring_are_one():
    with Service(backend="observer") as service:
        for _ in range(3):
            others("uring")
        wait_for(lambda: counts(service, "iou-wrk-#")["observations"], 10, "they teach one name")
        service.wait_ticks(2)
        assert numbered(service, "iou-wrk-") == {"iou-wrk-#"}, service.profiles()


def what_counts_is_predicted_by_its_kind():
    # What was learned of one name as it is, by an older version or by a program called so, is not asked.
    pddb.write(DATABASE, [pddb.confident(b"lab-job-777777")])
    with Service(backend="observer") as service:
        override(service, "lab-job-#", "batch")
        path = program("lab-starts")
        with subprocess.Popen([path, "lab-job-123456", *BURNS, "60"]) as process:
            wait_for(lambda: counts(service, "lab-job-#")["found"], 10, "it is found")
            profile = service.call("GetProfileOfPid", "(u)", process.pid)
            assert profile["name"] == "lab-job-#" and process.pid in profile["pids"], profile
            row = service.call("ListTasks", "(a{sv}u)", {"pid": GLib.Variant("u", process.pid)}, 0)[0]
            assert (row["name"], row["predicted"]) == ("lab-job-123456", "batch"), row
            process.kill()
        before = counts(service, "lab-job-#")["found"]
        with subprocess.Popen([path, "lab-job-777777", *BURNS, "60"]) as process:
            wait_for(lambda: counts(service, "lab-job-#")["found"] > before, 10, "it is found")
            assert service.call("GetProfileOfPid", "(u)", process.pid)["name"] == "lab-job-#"
            process.kill()
        # What is said of one name as it is goes first.
        override(service, "lab-job-654321", "lat-critical")
        with subprocess.Popen([path, "lab-job-654321", *BURNS, "60"]) as process:
            wait_for(lambda: counts(service, "lab-job-654321")["found"], 10, "it is found")
            profile = service.call("GetProfileOfPid", "(u)", process.pid)
            assert profile["name"] == "lab-job-654321" and process.pid in profile["pids"], profile
            process.kill()
        assert numbered(service, "lab-job-") == {"lab-job-#", "lab-job-654321", "lab-job-777777"}, service.profiles()


if __name__ == "__main__":
    run_case(globals())
