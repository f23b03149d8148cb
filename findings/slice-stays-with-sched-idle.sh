#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Copyright (C) 2026 The ProcDb developers
#
# A slice can't be taken back from a SCHED_IDLE task, though the call succeeds.
#
# Seen on:   Linux 6.18.44 (EEVDF), x86-64; util-linux 2.38.1, Python 3.11
# Guess:     sched_setattr(2) with sched_runtime 0 returns any task of the fair scheduler to the
#            system's slice, and fails where it does not apply.
# Behaviour: the slice, and the nice value, are looked at for SCHED_OTHER and SCHED_BATCH only
#            (kernel/sched/syscalls.c, __setscheduler_params(); fair_policy() in sched.h leaves
#            SCHED_IDLE out). For a SCHED_IDLE task the call returns 0 and changes neither. But
#            the task keeps the slice that it had before, hands it down to its children, and
#            sched_getattr(2) shows it: what gives slices and takes them back reads that it
#            has not worked, or, if it believes the return value, leaves one behind that
#            is in force for good when the task is SCHED_OTHER again. Only a change of
#            the policy with the slice in the same call takes it away.
# Output:    (sched_setattr returned 0 each time)
#            20 ms for a SCHED_OTHER task:      20.0 ms
#            then chrt --idle:                  20.0 ms
#            then 0 as SCHED_IDLE:              20.0 ms
#            then its child:                    20.0 ms
#            then chrt --other:                 20.0 ms
#            then 0 as SCHED_OTHER:              1.4 ms
#            20 ms for a SCHED_IDLE task:        1.4 ms
#
# Fails if a call fails, or a slice of a SCHED_IDLE task changes. Needs root.
set -eu

/usr/bin/python3 - <<'PYTHON'
import ctypes, os, platform, signal, struct, subprocess, time

READ, WRITE = {"x86_64": (315, 314), "aarch64": (275, 274)}[platform.machine()]
OTHER, IDLE = 0, 5
MS = 1000000
libc = ctypes.CDLL(None)
children = []


def start():
    pid = os.fork()
    if pid == 0:
        time.sleep(60)
        os._exit(0)
    children.append(pid)
    return pid


def write(pid, policy, slice_ns):
    attributes = struct.pack("IIQiIQQQ", 48, policy, 0, 0, 0, slice_ns, 0, 0)
    assert libc.syscall(WRITE, pid, attributes, 0) == 0


def read(pid):
    attributes = ctypes.create_string_buffer(48)
    assert libc.syscall(READ, pid, attributes, 48, 0) == 0
    return struct.unpack("IIQiIQQQ", attributes.raw)[5]


def say(what, slice_ns):
    print(f"{what + ':':34} {slice_ns / MS:4.1f} ms", flush=True)
    return slice_ns


pid = os.getpid()
write(pid, OTHER, 0)
base = read(pid)
write(pid, OTHER, 20 * MS)
given = say("20 ms for a SCHED_OTHER task", read(pid))
subprocess.run(["chrt", "--idle", "-p", "0", str(pid)], check=True)
kept = [say("then chrt --idle", read(pid))]
write(pid, IDLE, 0)
kept.append(say("then 0 as SCHED_IDLE", read(pid)))
kept.append(say("then its child", read(start())))
subprocess.run(["chrt", "--other", "-p", "0", str(pid)], check=True)
kept.append(say("then chrt --other", read(pid)))
write(pid, OTHER, 0)
gone = say("then 0 as SCHED_OTHER", read(pid))
other = start()
subprocess.run(["chrt", "--idle", "-p", "0", str(other)], check=True)
write(other, IDLE, 20 * MS)
never = say("20 ms for a SCHED_IDLE task", read(other))
for child in children:
    os.kill(child, signal.SIGKILL)
assert given == 20 * MS and kept == [given] * 4 and gone == never == base
PYTHON
