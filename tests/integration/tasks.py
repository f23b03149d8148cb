# SPDX-License-Identifier: GPL-2.0-only
# Copyright (C) 2026 The ProcDb developers
"""Tasks and programs as the bus shows them, and holds, by the real service on the real kernel."""

import os
import shutil
import signal
import subprocess
import time

from gi.repository import GLib

from harness import CallFailed, Service, call_as, error_name, run_case, wait_for


def rows(service, method, limit=0, **filters):
    answer = service.call(method, "(a{sv}u)", filters, limit)
    return answer[0] if method == "QueryProfiles" else answer


def text(value):
    return GLib.Variant("s", value)


def program(name):
    path = f"{os.environ['LAB_DIR']}/{name}"
    shutil.copy(shutil.which("sleep"), path)
    return path


def tasks_are_listed_with_their_programs():
    with Service(backend="observer") as service:
        path = program("lab-sleeper")
        sleeper = subprocess.Popen([path, "60"])
        try:
            row = wait_for(lambda: rows(service, "ListTasks", pattern=text("lab-sleeper")), 5, "it is listed")[0]
            with open(f"/proc/{sleeper.pid}/cgroup", encoding="utf-8") as file:
                cgroup = next((line.strip().rsplit("/", 1)[1] for line in file if line.startswith("0::")), "")
            assert (row["pid"], row["tid"], row["kind"], row["user"], row["uid"], row["nice"]) == \
                (sleeper.pid, sleeper.pid, "process", "root", 0, 0), row
            assert row["program"].endswith("/lab-sleeper"), row
            assert row["set_by"] == "kernel" and row["policy"] == 0, row
            assert not cgroup or row["unit"], (cgroup, row)
            own = rows(service, "ListTasks", pid=GLib.Variant("u", os.getpid()))
            assert {task["pid"] for task in own} == {os.getpid()}, own
            assert len(rows(service, "ListTasks", 2)) == 2
            assert service.refused("ListTasks", "(a{sv}u)", {"colour": text("red")}, 0) == \
                error_name("InvalidFilter")
            assert call_as("alice", "GetProfileOfPid", "(u)", 4194305)[1] == error_name("NoSuchTask")
        finally:
            sleeper.kill()
            sleeper.wait()


def of_four_python_programs_each_is_told_apart():
    """By their tasks, and of the name as far as the caller may know of them."""
    with Service(backend="observer") as service:
        sleepers = []
        for index in range(3):
            path = f"{os.environ['LAB_DIR']}/lab-{index}.py"
            with open(path, "w", encoding="utf-8") as file:
                file.write("import time\ntime.sleep(60)\n")
            sleepers.append(subprocess.Popen(["/usr/bin/python3", path], user="alice", cwd="/"))
        sleepers.append(subprocess.Popen(["/usr/bin/python3", "-c", "import time; time.sleep(60)"], user="alice"))
        pids = [sleeper.pid for sleeper in sleepers]

        def listed():
            found = rows(service, "ListTasks", pattern=text("python3"))
            return {row["pid"]: row.get("script", "").rsplit("/", 1)[-1] for row in found}

        try:
            wait_for(lambda: [listed().get(pid) for pid in pids] == ["lab-0.py", "lab-1.py", "lab-2.py", ""], 10,
                     "each is listed with its script")
            # What they run is told to their user and to root alone.
            # What does not say in 50 ms what it runs is asked again.
            wait_for(lambda: b"lab-1.py" in subprocess.run(
                ["pandemoniumctl", "ps", "--all", "lab-1.py"], user="alice", cwd="/", stdout=subprocess.PIPE,
                check=False).stdout, 10, "its user is told")
            assert "lab-1.py" not in str(call_as("bob", "ListTasks", "(a{sv}u)", {"pattern": text("python3")}, 0))
            wait_for(lambda: service.profiles().get("python3"), 10, "python3 is known")

            def both_say():
                profile = service.call("GetProfile", "(s)", "python3")
                columns = service.call("QueryColumns", "(a{sv}asu)", {"pattern": text("python3")},
                                       ["name", "script", "scripts"], 0)[0]
                # The test is a python3 as well, and may be among those that are looked at.
                return profile.get("script") and profile["scripts"] >= 1 and \
                    (columns["script"], columns["scripts"]) == ([profile["script"]], [profile["scripts"]])

            wait_for(both_say, 10, "a profile and its row in a list say the same of scripts")
        finally:
            for sleeper in sleepers:
                sleeper.kill()
                sleeper.wait()


def a_path_that_does_not_fit_is_not_shown():
    """Its end alone would be the path of another program."""
    with Service(backend="observer") as service:
        top = f"{os.environ['LAB_DIR']}/{'a' * 250}"
        os.makedirs(f"{top}/usr/bin")
        shutil.copy(shutil.which("sleep"), f"{top}/usr/bin/lab-faker")
        faker = subprocess.Popen(["usr/bin/lab-faker", "60"], cwd=top)
        try:
            row = wait_for(lambda: rows(service, "ListTasks", pattern=text("lab-faker")), 5, "it is listed")[0]
            assert row.get("program", "") == "", row
        finally:
            faker.kill()
            faker.wait()


def a_program_that_executes_itself_has_its_own_path():
    """As Chromium, Go's tools and runc do: /proc/self/exe leads to another file for each process."""
    with Service(backend="observer") as service:
        path = f"{os.environ['LAB_DIR']}/lab-python"
        shutil.copy(os.path.realpath(shutil.which("python3")), path)
        os.chmod(os.environ["LAB_DIR"], 0o711)
        work = "while True: pass"
        # The kernel names it "exe" then.
        with subprocess.Popen([path, "-c", "import os, sys; os.execv('/proc/self/exe', ['x', '-c', sys.argv[1]])",
                               work]) as again:
            found = wait_for(lambda: [row for row in rows(service, "QueryProfiles", pattern=text("exe"))
                                      if row["name"] == "exe" and row.get("program")], 10, "it is known")[0]
            again.kill()
        assert found["program"] == path, found


def computed(pid):
    """Nanoseconds of CPU time."""
    with open(f"/proc/{pid}/schedstat", encoding="ascii") as file:
        return int(file.read().split()[0])


def burnt(service, path):
    """What is known of a program that burnt a CPU for two seconds."""
    shutil.copy(shutil.which("sh"), path)
    os.chmod(os.environ["LAB_DIR"], 0o711)
    # Longer than a step: its start is counted before it has a profile.
    burner = subprocess.Popen([path, "-c", "while :; do :; done"])
    time.sleep(2.2)
    # Of a time in which the machine stood still it had nothing.
    wait_for(lambda: computed(burner.pid) > 1_100_000_000, 10, "it computed for a second")
    burner.kill()
    burner.wait()
    return wait_for(lambda: [row for row in rows(service, "QueryProfiles", pattern=text("lab-burner"))
                             if row.get("cpu_ns") and row["runs"]], 10, "its CPU time is known")[0]


def programs_are_counted():
    with Service(backend="observer") as service:
        path = f"{os.environ['LAB_DIR']}/lab-burner"
        found = burnt(service, path)
        assert found["program"] == path and found["kind"] == "process", found
        assert 10_000_000 < found["cpu_ns"] < 60_000_000_000, found
        assert found["runs"] >= 1 and found["wakeups_per_second"] >= 0, found
        assert rows(service, "QueryProfiles", kinds=GLib.Variant("as", ["kernel"]),
                    pattern=text("lab-burner")) == []
        of_bus = service.call("QueryProfiles", "(a{sv}u)", {}, 1)
        assert isinstance(of_bus[1], int) and len(of_bus[0]) == 1, of_bus
    with Service(backend="observer") as service:
        kept = rows(service, "QueryProfiles", pattern=text("lab-burner"))[0]
        for member in ("program", "kind", "user", "unit", "runs"):
            assert kept.get(member) == found.get(member), (member, kept, found)
        assert kept["cpu_ns"] >= found["cpu_ns"] and "cpu_share" not in kept, (kept, found)


HOLDER = """
import sys
from gi.repository import Gio, GLib
bus = Gio.bus_get_sync(Gio.BusType.SYSTEM)
print(bus.call_sync("org.pandemonium.ProcDb", "/org/pandemonium/ProcDb", "org.pandemonium.ProcDb1", "Hold",
                    GLib.Variant("(sss)", ("held-program", "batch", "a test")), None, 0, 60000).unpack()[0],
      flush=True)
sys.stdin.read()
"""


def is_known(service, name):
    try:
        service.call("GetProfile", "(s)", name)
    except CallFailed as failure:
        assert failure.name == error_name("NoSuchProfile"), failure
        return False
    return True


def a_hold_ends_with_the_caller_that_is_killed():
    with Service() as service:
        holder = subprocess.Popen(["/usr/bin/python3", "-c", HOLDER], stdin=subprocess.PIPE,
                                  stdout=subprocess.PIPE)
        assert int(holder.stdout.readline()) > 0
        held = service.call("GetProfile", "(s)", "held-program")
        assert (held["held"], held["held_uid"], held["held_reason"], held["prediction_source"]) == \
            ("batch", 0, "a test", "hold"), held
        assert service.get("Overrides") == 0
        holder.send_signal(signal.SIGKILL)
        holder.wait()
        wait_for(lambda: not is_known(service, "held-program"), 5, "the hold has ended")


def run_holds_again_after_a_restart():
    with Service() as service:
        client = subprocess.Popen(["pandemoniumctl", "run", "--tier=batch", program("held-program"), "1000"],
                                  stderr=subprocess.PIPE, text=True)
        wait_for(lambda: is_known(service, "held-program"), 10, "the name is held")
    # In the lab no slices are given, which it may have said first.
    said = client.stderr.readline()
    if said.startswith("No slices are given now"):
        said = client.stderr.readline()
    assert "the hold of \"held-program\" at batch" in said, said
    with Service() as service:
        assert "start as batch again" in client.stderr.readline()
        held = service.call("GetProfile", "(s)", "held-program")
        assert (held["held"], held["prediction_source"]) == ("batch", "hold"), held
        client.terminate()
        assert client.wait(60) == 128 + signal.SIGTERM
        wait_for(lambda: not is_known(service, "held-program"), 5, "the hold has ended")


if __name__ == "__main__":
    run_case(globals())
