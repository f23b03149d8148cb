# SPDX-License-Identifier: GPL-2.0-only
# Copyright (C) 2026 The ProcDb developers
"""Slices of real tasks: set at exec, put back, and no other program's ever touched."""

import ctypes
import os
import platform
import shutil
import signal
import subprocess
import sys
import time
from contextlib import contextmanager

from harness import Service, Standstill, ctl, run_case, wait_for, without_guard

# asm/unistd.h; glibc has no wrappers.
SCHED_SETATTR, SCHED_GETATTR = {"x86_64": (314, 315), "aarch64": (274, 275)}.get(
    platform.machine(), (None, None))
# Nothing is known of the runs of an override: as long as the prior says.
BATCH, LAT_CRITICAL = 20_007_300, 157_300
FOREIGN = 5_000_000
libc = ctypes.CDLL(None, use_errno=True)


class Attr(ctypes.Structure):
    _fields_ = [("size", ctypes.c_uint32), ("policy", ctypes.c_uint32),
                ("flags", ctypes.c_uint64), ("nice", ctypes.c_int32),
                ("priority", ctypes.c_uint32), ("slice", ctypes.c_uint64),
                ("deadline", ctypes.c_uint64), ("period", ctypes.c_uint64)]


def attr_of(pid):
    attr = Attr()
    if libc.syscall(SCHED_GETATTR, pid, ctypes.byref(attr), ctypes.sizeof(attr), 0):
        raise OSError(ctypes.get_errno(), f"sched_getattr of {pid}")
    return attr


def slice_of(pid):
    return attr_of(pid).slice


# The kernel's own, read before any service runs: one may give the process of the tests a slice as well.
DEFAULT = slice_of(0) if SCHED_GETATTR else 0


def all_of(pid):
    attr = attr_of(pid)
    return tuple(getattr(attr, name) for name, _ in Attr._fields_)


def is_ours(ns):
    return 7300 <= ns % 10000 < 7320


def computed(pid):
    """Nanoseconds of CPU time."""
    with open(f"/proc/{pid}/schedstat", encoding="ascii") as file:
        return int(file.read().split()[0])


def burns(pid):
    """It has computed for 50 ms: it is no child that is about to execute a program."""
    try:
        return computed(pid) > 50_000_000
    except (FileNotFoundError, ProcessLookupError):
        return False


def set_slice(pid, ns):
    attr = attr_of(pid)
    attr.size = ctypes.sizeof(attr)
    attr.slice = ns
    if libc.syscall(SCHED_SETATTR, pid, ctypes.byref(attr), 0):
        raise OSError(ctypes.get_errno(), "sched_setattr")


def skip_unless_slices():
    """The kernel has slices of tasks if it takes one."""
    before = slice_of(0)
    set_slice(0, FOREIGN)
    taken = slice_of(0) == FOREIGN
    set_slice(0, 0)
    if not taken or SCHED_SETATTR is None:
        print("SKIP: this kernel takes no slice for a task; Linux 6.12 does")
        sys.exit(77)
    return before


def program(name, of="sleep"):
    path = f"{os.environ['LAB_DIR']}/{name}"
    if not os.path.exists(path):
        shutil.copy(shutil.which(of), path)
    return path


@contextmanager
def running(*command, prepare=None):
    def in_child():
        # The shell that runs the tests may be niced, and what is niced is left alone.
        os.setpriority(os.PRIO_PROCESS, 0, 0)
        if prepare:
            prepare()

    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                               start_new_session=True, preexec_fn=in_child)
    try:
        yield process.pid
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@contextmanager
def applying(**tiers):
    """A service that predicts these tiers for these names (dashes as underscores)."""
    with Service(backend="observer") as service:
        assert service.state() == ("observer", "active"), service.state()
        names = [name.replace("_", "-") for name in tiers]
        for name, tier in zip(names, tiers.values()):
            service.call("SetOverride", "(ss)", name, tier)
        # At the next tick it is in the map that BPF looks into.
        wait_for(lambda: all(service.call("GetProfile", "(s)", name)["predicted"]
                             for name in names), 5, "the predictions are published")
        yield service


def gets(pid, ns, what="the slice is set"):
    wait_for(lambda: slice_of(pid) == ns, 5, f"{what}: {ns}")


def children(pid):
    with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
        return [int(word) for word in file.read().split()]


def comm(pid):
    with open(f"/proc/{pid}/comm", encoding="utf-8") as file:
        return file.read().strip()


def child_of(pid):
    wait_for(lambda: children(pid), 5, "a child")
    return children(pid)[0]


def a_prediction_is_applied_at_exec():
    with applying(lab_batch="batch", lab_lat="lat-critical", lab_inter="interactive") as service, \
            Standstill() as still:
        default = DEFAULT
        with running(program("lab-batch"), "60") as batch, \
                running(program("lab-lat"), "60") as lat, \
                running(program("lab-inter"), "60") as inter, \
                running("sleep", "60") as unknown:
            gets(batch, BATCH)
            gets(lat, LAT_CRITICAL)
            assert slice_of(inter) == slice_of(unknown) == default
            wait_for(lambda: service.get("Applied") >= 2, 5, "both are counted")
            figures = service.get("ApplyStatistics")
            print(f"from exec to applied: {figures['latency-mean'] / 1000:.0f} µs")
            assert 0 < figures["latency-mean"] < (1 + still.seconds()) * 1_000_000_000, figures


def a_mature_task_gets_the_slice_of_its_tier():
    with applying():
        with running(os.environ["BEHAVE"], "lab-ticker", "20", "2000", "60") as pid:
            wait_for(lambda: is_ours(slice_of(pid)) and slice_of(pid) < DEFAULT, 5,
                     "the short slice of what it turned out to be")


def what_burns_its_cpu_gets_the_long_slice_without_ever_sleeping():
    with applying():
        with running("sh", "-c", "while :; do :; done") as pid:
            default = DEFAULT
            # It is born with that of its parent.
            gets(pid, default)
            while True:
                seen = slice_of(pid)
                if computed(pid) > 700_000_000:
                    break
                # What starts works, whatever it is.
                assert seen == default, seen
                time.sleep(0.05)
            gets(pid, BATCH)


def what_is_typed_into_never_waits_longer_than_without_us():
    with applying():
        # A key each 300 ms, and later less than a ms of work: a rate of 0 in integers.
        with running(os.environ["BEHAVE"], "lab-typed", "500", "300000", "60") as pid:
            default, end = DEFAULT, time.monotonic() + 6
            seen = set()
            while time.monotonic() < end:
                seen.add(slice_of(pid))
                time.sleep(0.02)

            def has_ours():
                seen.add(slice_of(pid))
                return is_ours(slice_of(pid))
            wait_for(has_ours, 2, f"a slice of ours, not {seen}")
            assert max(seen) <= default, seen


def a_lat_critical_run_fits_into_its_slice():
    with applying():
        with running(os.environ["BEHAVE"], "lab-drawer", "600", "4000", "60") as pid:
            # Beside other load a run is cut in pieces, and those are what is measured. A host that
            # takes the CPU away makes one long, for as long as the average remembers it.
            wait_for(lambda: is_ours(ns := slice_of(pid)) and 2 * LAT_CRITICAL < ns < 1_800_000, 5,
                     "a slice for runs of 600 µs")


def a_child_keeps_the_slice_until_it_executes_something_else():
    with applying(lab_batch="batch"):
        default = DEFAULT
        begin = os.environ["LAB_DIR"] + "/begin"
        os.mkfifo(begin)
        # The shell under the name lab-batch waits, forks, and its child executes sleep.
        with running(program("lab-batch", "dash"), "-c",
                     'read -r _ <"$0"; (while :; do :; done) & sleep 60 & wait', begin) as pid:
            gets(pid, BATCH)
            with open(begin, "w", encoding="ascii") as told:
                told.write("\n")
            wait_for(lambda: len(children(pid)) == 2, 5, "the children")
            wait_for(lambda: {comm(child) for child in children(pid)} == {"sleep", "lab-batch"},
                     5, "one child executes sleep")
            by_name = {comm(child): child for child in children(pid)}
            wait_for(lambda: slice_of(by_name["sleep"]) == default, 5, "sleep has its own again")
            assert slice_of(by_name["lab-batch"]) == BATCH


def no_child_is_born_better_than_others():
    with applying(lab_lat="lat-critical"):
        default = DEFAULT
        begin = os.environ["LAB_DIR"] + "/begin"
        os.mkfifo(begin)
        # No process before it is told to: a child inherits what its parent has by then.
        with running(program("lab-lat", "dash"), "-c",
                     'read -r _ <"$0"; (while :; do :; done) & wait', begin) as pid:
            gets(pid, LAT_CRITICAL)
            with open(begin, "w", encoding="ascii") as told:
                told.write("\n")
            child_of(pid)
            wait_for(lambda: {slice_of(task) for task in children(pid)} == {default}, 5,
                     "the children have the kernel's slice")
            # A shell that is typed into starts programs all day, and stays what it is.
            assert slice_of(pid) == LAT_CRITICAL


def a_compositor_that_starts_100_programs_keeps_its_slice():
    config, begin = (os.environ["LAB_DIR"] + name for name in ("/procdb.conf", "/begin"))
    with open(config, "w", encoding="utf-8") as file:
        file.write("[Service]\nCompositors=lab-composes\n")
    os.mkfifo(begin)
    # It wakes up as frames have it do, and starts programs when it is told to.
    script = ('exec <"$0"; while read -r word && [ "$word" = frame ]; do :; done; i=0; '
              'while [ $i -lt 100 ]; do /bin/true; i=$((i+1)); done; >"$0.done"; read -r _')
    with Service("--config", config, backend="observer") as service:
        default = DEFAULT
        with running(program("lab-composes", "dash"), "-c", script, begin) as pid, \
                open(begin, "w", buffering=1, encoding="ascii") as told:

            def draws():
                told.write("frame\n")
                return is_ours(slice_of(pid))
            wait_for(draws, 15, "its slice")
            told.write("start\n")
            seen = set()
            while not os.path.exists(begin + ".done"):
                seen.add(slice_of(pid))
                time.sleep(0.005)
            service.wait_ticks(2)
            seen.add(slice_of(pid))
            assert all(is_ours(ns) and ns < default for ns in seen), seen


def an_override_holds_for_life():
    with applying(lab_batch="batch"):
        # Measured, it sleeps nearly always.
        with running(program("lab-batch", "dash"), "-c",
                     "while :; do read -r -t 1 _ || sleep 0.1; done") as pid:
            gets(pid, BATCH)
            time.sleep(3)
            assert slice_of(pid) == BATCH


def what_others_set_is_left_alone():
    with applying(lab_batch="batch") as service:
        path = program("lab-batch")
        commands = {
            "nice": ["nice", "-n", "5", path, "60"],
            "better nice": ["nice", "-n", "-5", path, "60"],
            "batch": ["chrt", "-b", "0", path, "60"],
            "idle": ["chrt", "-i", "0", path, "60"],
            "fifo": ["chrt", "-f", "5", path, "60"],
            "rr": ["chrt", "-r", "5", path, "60"],
        }
        for what, command in commands.items():
            with running(*command) as pid:
                wait_for(lambda: os.readlink(f"/proc/{pid}/exe") == path, 5, what)
                before = all_of(pid)
                time.sleep(0.3)
                assert all_of(pid) == before, (what, before, all_of(pid))
                assert before[5] != BATCH, what
        with running(path, "60", prepare=lambda: set_slice(0, FOREIGN)) as pid:
            time.sleep(0.3)
            assert slice_of(pid) == FOREIGN
            wait_for(lambda: service.get("ApplyStatistics")["slice"] >= 1, 5, "it is counted")
        figures = service.get("ApplyStatistics")
        assert figures["nice"] >= 2 and figures["policy"] >= 2 and figures["slice"] >= 1, figures


def a_slice_set_later_stays():
    with applying(lab_batch="batch") as service:
        with running(program("lab-batch"), "60") as pid:
            gets(pid, BATCH)
            set_slice(pid, FOREIGN)
            service.call("SetApply", "(s)", "none")
            assert slice_of(pid) == FOREIGN


def a_stop_puts_everything_back():
    with applying(lab_batch="batch") as service:
        default = DEFAULT
        with running(program("lab-batch"), "60") as pid:
            gets(pid, BATCH)
            service.stop()
            assert slice_of(pid) == default
            assert attr_of(pid).nice == 0


def none_puts_everything_back():
    with applying(lab_batch="batch") as service:
        default = DEFAULT
        with running(program("lab-batch"), "60") as pid:
            gets(pid, BATCH)
            service.call("SetApply", "(s)", "none")
            assert service.get("Apply") == "none"
            assert slice_of(pid) == default
            with running(program("lab-batch"), "60") as other:
                time.sleep(0.3)
                assert slice_of(other) == default
            service.call("SetApply", "(s)", "slices")
            with running(program("lab-batch"), "60") as third:
                gets(third, BATCH)


def without_an_observer_everything_is_put_back():
    """Nothing would tell that a task behaves otherwise, or that its child executes something else."""
    with applying(lab_batch="batch") as service:
        default = DEFAULT
        with running(program("lab-batch"), "60") as pid:
            gets(pid, BATCH)
            service.call("SetBackend", "(s)", "none")
            wait_for(lambda: slice_of(pid) == default, 5, "it is put back")
            assert service.get("ApplyReason") == "nothing observes tasks"
            service.call("SetBackend", "(s)", "observer")
            wait_for(lambda: service.get("ApplyActive"), 5, "tasks are given slices again")
            with running(program("lab-batch"), "60") as other:
                gets(other, BATCH)


def after_kill_the_next_service_puts_back():
    default = DEFAULT
    with applying(lab_batch="batch") as service:
        begin = os.environ["LAB_DIR"] + "/begin"
        os.mkfifo(begin)
        with running(program("lab-batch", "dash"), "-c",
                     'read -r _ <"$0"; while :; do :; done & wait', begin) as pid:
            gets(pid, BATCH)
            with open(begin, "w", encoding="ascii") as told:
                told.write("\n")
            wait_for(lambda: children(pid) and burns(children(pid)[0])
                     and slice_of(children(pid)[0]) == BATCH, 5, "an heir")
            child = children(pid)[0]
            service.kill()
            assert slice_of(pid) == slice_of(child) == BATCH
            # Without the override, which would have them set again at once.
            other = os.environ["LAB_DIR"] + "/other.bin"
            with Service(backend="observer", database=other):
                # The kernel frees what a killed service had loaded only after a grace period of RCU:
                # until then this one takes it for an older service that runs.
                wait_for(lambda: slice_of(pid) == slice_of(child) == default, 5, "both are put back")


def a_child_of_a_time_without_service_is_not_nice_for_ever():
    """Also a grandchild, and a child that executes something else."""
    with open("/etc/pandemonium/procdb.conf", "w", encoding="ascii") as file:
        file.write("[Apply]\nMode=slices\nBatchNice=5\n")
    default = DEFAULT
    with applying(lab_batch="batch") as service:
        killed = os.environ["LAB_DIR"] + "/killed"
        script = f"until [ -e {killed} ]; do sleep 0.1; done; (sleep 60; :) & sleep 60 & wait"
        with running(program("lab-batch", "dash"), "-c", script) as pid:
            gets(pid, BATCH)
            assert attr_of(pid).nice == 5
            service.kill()
            with open(killed, "wb"):
                pass
            wait_for(lambda: len(children(pid)) == 2 and children(children(pid)[0]), 10, "they are born")
            born = [*children(pid), *children(children(pid)[0])]
            assert all(attr_of(task).nice == 5 for task in born)
            # And one that its owner made nicer.
            os.setpriority(os.PRIO_PROCESS, born[1], 7)
            # Without the override, which would have them set again at once.
            with Service(backend="observer", database=os.environ["LAB_DIR"] + "/other.bin"):
                # Once the kernel has freed what the killed one had loaded.
                wait_for(lambda: [attr_of(task).nice for task in (pid, *born)] == [0, 0, 7, 0], 5,
                         "their own nice values")
                assert {slice_of(task) for task in (pid, *born)} == {default}


def stays(pid, ns, seconds):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        assert slice_of(pid) == ns, slice_of(pid)
        time.sleep(0.02)


@contextmanager
def trying(pid):
    """A client in a trial, in a window in which the slice of this task is taken back."""
    with subprocess.Popen(["pandemoniumctl", "trial", "60"], stdin=subprocess.DEVNULL,
                          stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as client:
        try:
            wait_for(lambda: slice_of(pid) == DEFAULT, 10, "a window without slices")
            yield client
        finally:
            client.kill()


def a_trial_that_ends_early_gives_all_slices_back():
    with applying(lab_batch="batch") as service, running(program("lab-batch"), "60") as pid:
        gets(pid, BATCH)
        for sent in (signal.SIGKILL, signal.SIGINT):
            with trying(pid) as client:
                client.send_signal(sent)
                client.wait(30)
                # Another window with slices would not last that long.
                gets(pid, BATCH, f"it is given again after {sent.name}")
                stays(pid, BATCH, 4)
            assert service.get("TrialState") == "ended", service.get("TrialState")
            assert service.get("ApplyActive")
        with trying(pid):
            service.kill()
        # The next service has no trial, and gives slices to what starts from then on.
        with applying(lab_batch="batch") as following, running(program("lab-batch"), "60") as started:
            gets(started, BATCH)
            stays(started, BATCH, 4)
            assert following.get("TrialState") == "none"
            assert following.get("ApplyActive")


def in_a_pid_namespace_it_only_observes_and_says_so():
    with applying(lab_batch="batch") as service:
        default = DEFAULT
        with running(program("lab-batch"), "60") as pid:
            service.wait_ticks(2)
            assert slice_of(pid) == default
        assert service.get("Applied") == 0
        assert not service.get("ApplyActive")
        assert "pid namespace" in service.get("ApplyReason")
        said = ctl("status")
        assert "observing only" in said and "pid namespace" in said, said


if __name__ == "__main__":
    skip_unless_slices()
    without_guard()
    run_case(globals())
