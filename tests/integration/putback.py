# SPDX-License-Identifier: GPL-2.0-only
# Copyright (C) 2026 The ProcDb developers
"""No slice of ours is left on what is not ours to treat any more."""

import os
import shutil
import signal
import subprocess
import time

from apply import (BATCH, DEFAULT, applying, attr_of, child_of, comm, gets, is_ours, program, running,
                   set_slice, skip_unless_slices, slice_of)
from harness import PIN_DIRECTORY, Service, run_case, wait_for, without_guard

RUNS = "while :; do sleep 0.02; done"
# io_uring_setup(2) with a thread of the kernel that waits for a minute.
POLLED = ("import ctypes, struct, time; time.sleep(1); "
          "b = ctypes.create_string_buffer(struct.pack('8xII104x', 2, 60000)); "
          "print(ctypes.CDLL(None).syscall(425, 8, b), flush=True); time.sleep(60)")


def configure(text):
    with open("/etc/pandemonium/procdb.conf", "w", encoding="ascii") as file:
        file.write(text)


def what_others_renew_later_loses_our_slice():
    """It was right for what the task was; what it is meant to be now, another program has said."""
    with applying(lab_batch="batch", lab_lat="lat-critical"):
        for what in ("nice", "policy"):
            for name in ("lab-batch", "lab-lat"):
                with running(program(name, "dash"), "-c", RUNS) as pid:
                    wait_for(lambda p=pid: is_ours(slice_of(p)), 5, "a slice of ours")
                    if what == "nice":
                        os.setpriority(os.PRIO_PROCESS, pid, -5)
                    else:
                        subprocess.run(["chrt", "-b", "-p", "0", str(pid)], check=True)
                    wait_for(lambda p=pid: slice_of(p) == DEFAULT, 20, f"{name}, {what}: its own")
                    attr = attr_of(pid)
                    assert (attr.nice, attr.policy) == ((-5, 0) if what == "nice" else (0, 3))


def threads_that_the_kernel_makes_are_put_back():
    with applying(lab_batch="batch") as service:
        with running(program("lab-batch", "python3"), "-c", POLLED) as pid:
            gets(pid, BATCH)

            def polling():
                return [int(task) for task in os.listdir(f"/proc/{pid}/task")
                        if comm(task).startswith("iou-sqp")]

            wait_for(polling, 10, "the kernel's thread")
            thread = polling()[0]
            service.stop()
            assert slice_of(pid) == DEFAULT
            assert slice_of(thread) == DEFAULT, slice_of(thread)


def after_kill_without_pins_the_next_service_puts_back():
    """As after an update, whose record is of another form. A slice that another program set stays."""
    with applying(lab_batch="batch") as service:
        with running(program("lab-batch"), "60") as pid, \
                running("sleep", "60", prepare=lambda: set_slice(0, 20_000_000)) as foreign:
            gets(pid, BATCH)
            gets(foreign, 20_000_000, "the slice of another program")
            service.kill()
            shutil.rmtree(PIN_DIRECTORY)
            with Service(backend="observer", database=os.environ["LAB_DIR"] + "/other.bin"):
                # Once the kernel has freed what the killed one had loaded.
                wait_for(lambda: slice_of(pid) == DEFAULT, 5, "it is put back")
                assert slice_of(foreign) == 20_000_000


def a_limit_keeps_nothing_on_programs_that_are_not_known():
    """Children begin with what their parent has. Beyond the limit they lost it never."""
    configure("[Apply]\nMode=slices\nBatchNice=5\nMaxPerSecond=5\nGuard=no\n")
    with applying(lab_batch="batch"):
        told = os.environ["LAB_DIR"] + "/told"
        script = f"until [ -e {told} ]; do sleep .1; done; for i in $(seq 20); do sleep 60 & done; wait"
        with running(program("lab-batch", "dash"), "-c", script) as pid:
            gets(pid, BATCH)
            assert attr_of(pid).nice == 5
            with open(told, "wb"):
                pass

            def children():
                with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
                    return [int(word) for word in file.read().split() if comm(word) == "sleep"]

            wait_for(lambda: len(children()) == 20, 10, "20 children")
            wait_for(lambda: {(slice_of(child), attr_of(child).nice) for child in children()}
                     == {(DEFAULT, 0)}, 5, "all have their own again")


WORKS_AND_WAITS = ("import time\nend = time.monotonic() + 3\nwhile time.monotonic() < end: pass\n"
                   "time.sleep(60)")
FORKS_AND_WORKS = ("import os, time\nend = time.monotonic() + 3\nwhile time.monotonic() < end: pass\n"
                   "if os.fork() == 0: time.sleep(60)\nwhile True: pass")


def a_long_slice_ends_with_a_long_sleep():
    """Its deadline is set when it wakes up, for a key perhaps."""
    with applying():
        with running(program("lab-works", "python3"), "-c", WORKS_AND_WAITS) as pid:
            gets(pid, BATCH)
            gets(pid, DEFAULT, "its own, as it waits")


def a_child_that_waits_has_no_long_slice():
    with applying():
        with running(program("lab-forks", "python3"), "-c", FORKS_AND_WORKS) as pid:
            gets(pid, BATCH)
            child = child_of(pid)
            wait_for(lambda: slice_of(child) == DEFAULT, 2, "the child's own")
            assert slice_of(pid) == BATCH


def a_hangup_before_the_service_is_on_the_bus_ends_nothing():
    """It waits for an older one to leave the name, and says so in the end as without the signal."""
    with Service(backend="none"):
        with subprocess.Popen([os.environ["LAB_SERVICE"], "--backend", "none", "--database",
                               os.environ["LAB_DIR"] + "/second.bin"],
                              stderr=subprocess.PIPE) as second:
            time.sleep(0.3)
            second.send_signal(signal.SIGHUP)
            said = second.communicate(timeout=30)[1].decode()
            assert second.returncode == 1 and "Another service owns" in said, (second.returncode, said)


if __name__ == "__main__":
    skip_unless_slices()
    without_guard()
    run_case(globals())
