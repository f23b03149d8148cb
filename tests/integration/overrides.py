# SPDX-License-Identifier: GPL-2.0-only
# Copyright (C) 2026 The ProcDb developers
"""Overrides by program and by unit: which tasks get the slice, which do not, and what is above what."""

import os
import shutil
import signal
import subprocess
import time
from contextlib import contextmanager

from gi.repository import GLib

from apply import (BATCH, DEFAULT, LAT_CRITICAL, children, gets, is_ours, program, running, skip_unless_slices,
                   slice_of)
from harness import Service, error_name, run_case, wait_for, without_guard

PYTHON = os.path.realpath("/usr/bin/python3")


def what(kind, text):
    return {kind: GLib.Variant("s", text)}


def decide(service, kind, text, tier):
    service.call("SetOverrideFor", "(a{sv}s)", what(kind, text), tier)


def task(service, pid):
    """Tasks are listed once a second."""
    return wait_for(lambda: service.call("ListTasks", "(a{sv}u)", {"pid": GLib.Variant("u", pid)}, 0), 3,
                    "it is listed")[0]


def script(name, text="import time\ntime.sleep(60)\n"):
    path = f"{os.environ['LAB_DIR']}/{name}"
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    os.chmod(path, 0o755)
    return path


def runs(pid):
    """The program has begun: what was executed first is over."""
    wait_for(lambda: os.readlink(f"/proc/{pid}/exe") == PYTHON, 5, "python runs")


def stays(pid, ns):
    end = time.monotonic() + 0.5
    while time.monotonic() < end:
        assert slice_of(pid) == ns, (slice_of(pid), ns)
        time.sleep(0.02)


def is_not_decided(service, pid, ns):
    """Whatever is learned of python3 meanwhile, it does not get the slice that an override says."""
    end = time.monotonic() + 0.5
    while time.monotonic() < end:
        assert slice_of(pid) != ns, slice_of(pid)
        time.sleep(0.02)
    assert "override" not in task(service, pid), task(service, pid)


def error_of_removing(path):
    try:
        os.rmdir(path)
    except OSError as error:
        return error
    return None


@contextmanager
def unit(name):
    """A cgroup of this name, in the tree that units are in."""
    top = f"{os.environ['LAB_DIR']}/cgroups"
    os.makedirs(top, exist_ok=True)
    subprocess.run(["mount", "-t", "cgroup2", "none", top], check=True)
    path = f"{top}/{name}"
    # A run that was killed left its own.
    os.makedirs(path, exist_ok=True)
    try:
        yield f"{path}/cgroup.procs"
    finally:
        wait_for(lambda: not open(f"{path}/cgroup.procs", encoding="ascii").read(), 5, "it is empty")
        # A task may be reaped a moment before its cgroup has lost it.
        wait_for(lambda: not error_of_removing(path), 5, "it is removed")
        subprocess.run(["umount", top], check=True)


def move(pid, procs):
    with open(procs, "w", encoding="ascii") as file:
        file.write(str(pid))


def of_four_scripts_one_gets_the_slice():
    skip_unless_slices()
    with Service(backend="observer") as service:
        paths = [script(name) for name in ("train.py", "serve.py", "back up.py", "retrain.py")]
        decide(service, "program", "train.py", "batch")
        with running(PYTHON, paths[0]) as train, running(PYTHON, paths[1]) as serve, \
                running(PYTHON, "-u", paths[2], "train.py") as backup, running(PYTHON, paths[3]) as again:
            gets(train, BATCH)
            for other in (serve, backup, again):
                runs(other)
                is_not_decided(service, other, BATCH)
            row = task(service, train)
            assert (row["override"], row["override_by"]) == ("batch", "program"), row
        # However it is started: by options before it, and by its first line.
        shebang = script("train.py", f"#!{PYTHON} -u\nimport time\ntime.sleep(60)\n")
        with running(PYTHON, "-W", "ignore", shebang) as options, running(shebang) as first:
            gets(options, BATCH)
            gets(first, BATCH)
            # A rule that goes leaves those that run, and no other is started by it.
            service.call("ClearOverrideFor", "(a{sv})", what("program", "train.py"))
            with running(PYTHON, shebang) as later:
                runs(later)
                is_not_decided(service, later, BATCH)
            assert slice_of(options) == BATCH
        assert service.refused("ClearOverrideFor", "(a{sv})", what("program", "train.py")) == \
            error_name("NoSuchProfile")


def it_holds_for_life_and_ends_with_the_program():
    skip_unless_slices()
    busy = script("busy.py", "while True: pass\n")
    with Service(backend="observer") as service:
        default = DEFAULT
        decide(service, "program", busy, "lat-critical")
        decide(service, "program", "idle.py", "batch")
        go = f"{os.environ['LAB_DIR']}/go"
        waits = f"import os, subprocess, time\nwhile not os.path.exists({go!r}): time.sleep(0.02)\n"
        # No child before it has its slice, which a child has by birth.
        idle = script("idle.py", waits + "if not os.fork(): time.sleep(60)\n"
                                 "subprocess.Popen(['sleep', '60'])\n"
                                 "while True: time.sleep(0.05)\n")
        with running(PYTHON, busy) as burner, running(PYTHON, idle) as sleeper:
            # Measured, each is the other one's tier.
            wait_for(lambda: is_ours(slice_of(burner)), 5, "the short slice")
            gets(sleeper, BATCH)
            open(go, "wb").close()
            wait_for(lambda: len(children(sleeper)) == 2, 5, "its children")
            sleep = wait_for(lambda: [pid for pid in children(sleeper)
                                      if "sleep" in os.readlink(f"/proc/{pid}/exe")], 5, "sleep")[0]
            time.sleep(2.5)
            assert is_ours(slice_of(burner)) and slice_of(burner) < default, slice_of(burner)
            assert slice_of(sleeper) == BATCH
            # A child that executes nothing is what it was; what is executed is another program.
            for child in children(sleeper):
                assert slice_of(child) == (default if child == sleep else BATCH), child
        again = script("again.py", f"{waits}os.execv({PYTHON!r}, "
                                   f"['python3', '-c', 'import time; time.sleep(60)'])\n")
        os.unlink(go)
        decide(service, "program", "again.py", "batch")
        with running(PYTHON, again) as pid:
            gets(pid, BATCH)
            open(go, "wb").close()
            wait_for(lambda: slice_of(pid) != BATCH, 5, "what it executes next has its own")


def a_hold_is_above_a_program_above_a_unit_above_a_name():
    skip_unless_slices()
    path = program("lab-ranked")
    with Service(backend="observer") as service, unit("app-lab-7.scope") as procs:
        default = DEFAULT

        def started(expected, tier):
            with running("sh", "-c", 'echo $$ >"$0"; exec "$1" 60', procs, path) as pid:
                wait_for(lambda: os.readlink(f"/proc/{pid}/exe") == path, 5, "it is executed")
                gets(pid, expected, tier)
                stays(pid, expected)
                return task(service, pid)

        service.call("SetOverride", "(ss)", "lab-ranked", "lat-critical")
        assert "override" not in started(LAT_CRITICAL, "the name"), "a name is no rule"
        decide(service, "unit", "app-lab-*.scope", "batch")
        row = started(BATCH, "the unit")
        assert (row["override"], row["override_by"]) == ("batch", "unit"), row
        decide(service, "program", path, "interactive")
        row = started(default, "the program")
        assert (row["override"], row["override_by"]) == ("interactive", "program"), row
        service.call("Hold", "(sss)", "lab-ranked", "batch", "a test")
        assert "override" not in started(BATCH, "the hold")


def what_comes_into_a_unit_later_is_of_it():
    """Desktops start an application first, and make its scope then."""
    skip_unless_slices()
    path = program("lab-moved")
    with Service(backend="observer") as service, unit("app-lab-8.scope") as procs:
        default = DEFAULT
        decide(service, "unit", "app-lab-8.scope", "batch")
        decide(service, "program", "lab-kept", "lat-critical")
        with running(path, "60") as moved, running(program("lab-kept"), "60") as kept:
            gets(kept, LAT_CRITICAL)
            stays(moved, default)
            move(moved, procs)
            move(kept, procs)
            gets(moved, BATCH)
            stays(kept, LAT_CRITICAL)
            assert task(service, moved)["override_by"] == "unit"
            assert task(service, kept)["override_by"] == "program"


def they_survive_a_restart_and_a_kill():
    skip_unless_slices()
    path = script("train.py")
    with Service(backend="observer") as service:
        decide(service, "program", "train.py", "batch")
        decide(service, "unit", "lab.service", "lat-critical")
        service.call("SetOverride", "(ss)", "lab-named", "batch")
        assert service.get("Overrides") == 3
        service.kill()
    with Service(backend="observer") as service:
        rows = service.call("ListOverrides", "()")
        assert rows == [
            {"program": "train.py", "tier": "batch", "source": "administrator"},
            {"unit": "lab.service", "tier": "lat-critical", "source": "administrator"},
            {"name": "lab-named", "tier": "batch", "source": "administrator"}], rows
        # The kernel frees what the killed one had loaded after a grace period of RCU: so long this one
        # takes it for an older service that runs.
        wait_for(lambda: service.state() == ("observer", "active") and service.get("ApplyActive"), 10, "it is alone")
        with running(PYTHON, path) as pid:
            gets(pid, BATCH)


def bpf_bytes(pid):
    """What the maps of a process take of the kernel's memory, by its own account."""
    total = 0
    for name in os.listdir(f"/proc/{pid}/fdinfo"):
        with open(f"/proc/{pid}/fdinfo/{name}", encoding="ascii") as file:
            fields = dict(line.split(":", 1) for line in file if ":" in line)
        total += int(fields["memlock"]) if "map_type" in fields else 0
    return total


def vectors_promote_nothing(service, number):
    """So many starts with arguments of any kind: the service is told of each, and answers."""
    # No task of the test's is ever measured as that.
    decide(service, "program", "train.py", "batch")
    programs = [program(name, os.environ["VECTORS"]) for name in ("python3", "lab-no-python")]
    before, size = service.get("ApplyStatistics"), bpf_bytes(service.process.pid)
    done = subprocess.run([os.environ["VECTORS"], str(number), str(BATCH), *programs], stdout=subprocess.PIPE, check=False)
    after, grown = service.get("ApplyStatistics"), bpf_bytes(service.process.pid) - size
    assert done.returncode == 0, (before, after)
    wrong, rate = (int(word) for word in done.stdout.split())
    print(f"{number} vectors, {rate} a second: {wrong} wrong, lost {after['lost'] - before['lost']}, "
          f"{size} bytes of BPF maps and {grown} more, {len(service.profiles())} profiles")
    assert wrong == 0
    assert after["lost"] == before["lost"], (before, after)
    assert grown < 1 << 20, grown
    # What was decided ends with the programs.
    wait_for(lambda: not [row for row in service.call("ListTasks", "(a{sv}u)", {}, 0) if "override" in row], 5,
             "no task is of an override")
    profiles = [name for name in service.profiles() if "train" in name]
    assert not profiles, profiles


def hostile_arguments_promote_nothing():
    """What a program is started with, or makes of it, is its own; what a rule says is of one."""
    skip_unless_slices()
    with Service(backend="observer") as service:
        decide(service, "program", "train.py", "lat-critical")
        sleep, path = shutil.which("sleep"), script("serve.py")
        commands = ((sleep, ["train.py", "60"]), (PYTHON, ["train.py", path]),
                    (PYTHON, [b"\xff" * 4000, path, b"train.py"]),
                    (PYTHON, ["python3", "-c", "import time; time.sleep(60)", "train.py"]),
                    (PYTHON, ["python3", "-W", "ignore::" + "x" * 300, path, "train.py"]),
                    (PYTHON, ["python3", "-X", "train.py", path]),
                    (PYTHON, ["python3", "--", path, "train.py"]))
        started = [subprocess.Popen(command, executable=executable, stdin=subprocess.DEVNULL,
                                    stderr=subprocess.DEVNULL) for executable, command in commands]
        try:
            for process in started:
                is_not_decided(service, process.pid, LAT_CRITICAL)
        finally:
            for process in started:
                process.send_signal(signal.SIGKILL)
                process.wait()
        vectors_promote_nothing(service, int(os.environ.get("PROCDB_VECTORS", "3000")))
        assert service.refused("SetOverrideFor", "(a{sv}s)", {}, "batch") == error_name("InvalidFilter")


if __name__ == "__main__":
    without_guard()
    run_case(globals())
