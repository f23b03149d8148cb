#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Copyright (C) 2026 The ProcDb developers
#
# The CPU time of a process falls when fzf becomes another program.
#
# Seen on:   fzf 0.38.0-1+b1 (Debian 12; 0.60.3-1+b2 of Debian 13 does the same), Linux 6.18.44,
#            x86-64; Python 3.11
# Guess:     the counters of a process only grow; one with the same pid and start time that has
#            less than before cannot be. An exec keeps them.
# Behaviour: execve(2) keeps the thread that calls it. If that is not the first one, it takes over
#            the pid and the start time of the first one, which ends (fs/exec.c, de_thread());
#            its own CPU time in /proc/PID/schedstat, its switches in /proc/PID/status, its nice
#            value, policy and slice are those of the process from then on. Only sums over
#            all threads go on (utime and stime in /proc/PID/stat). A program in Go calls
#            execve() on whichever thread it is on: the action become(...) of fzf did so
#            on another thread in 20 of 24 tries (sched:sched_process_exec, old_pid), and
#            the CPU time fell in these 20 only. The difference of two readings is then
#            below zero, or 18 quintillions without a sign.
# Output:    (the numbers vary; a try in which the first thread calls is made again)
#            fzf:   CPU time 32.0 ms, 82 switches
#            sleep: CPU time 15.0 ms, 23 switches, same pid, same start time
#            CPU time of all its threads: not less
#
# Fails if in twenty tries neither counter of the same process falls, or if the sum does.
set -eu

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
chmod 755 .
apt-get -qq -o APT::Sandbox::User=root download fzf=0.38.0-1+b1 >/dev/null
dpkg -x ./fzf_*.deb .
cat >try.py <<'PYTHON'
import os, pty, re, select, signal, sys, time


def read(pid, name):
    with open(f"/proc/{pid}/{name}") as file:
        return file.read()


def look(pid):
    fields = read(pid, "stat").rpartition(")")[2].split()
    return {
        "name": read(pid, "comm").strip(),
        "cpu": int(read(pid, "schedstat").split()[0]) / 1e6,
        "switches": sum(map(int, re.findall(r"ctxt_switches:\s*(\d+)", read(pid, "status")))),
        "ticks": int(fields[11]) + int(fields[12]),
        "start": fields[19],
    }


def drain(terminal, seconds):
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        if select.select([terminal], [], [], left)[0]:
            os.read(terminal, 65536)


def attempt():
    pid, terminal = pty.fork()
    if pid == 0:
        lines, to_lines = os.pipe()
        os.write(to_lines, b"one\ntwo\n")
        os.close(to_lines)
        os.dup2(lines, 0)
        os.environ.update(TERM="xterm", SHELL="/bin/sh")
        os.execv("usr/bin/fzf", ["fzf", "--bind", "enter:become(exec sleep 60)"])
    drain(terminal, 0.5)
    before = look(pid)
    os.write(terminal, b"\r")
    drain(terminal, 0.5)
    after = look(pid)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    os.close(terminal)
    return before, after


for _ in range(20):
    before, after = attempt()
    if (before["name"], after["name"]) != ("fzf", "sleep"):
        continue
    if after["cpu"] < before["cpu"] and after["switches"] < before["switches"]:
        assert before["start"] == after["start"]
        for now in before, after:
            print(f"{now['name'] + ':':6} CPU time {now['cpu']:.1f} ms, {now['switches']} switches", end="")
            print(", same pid, same start time" if now is after else "")
        print("CPU time of all its threads:", "not less" if after["ticks"] >= before["ticks"] else "less")
        sys.exit(after["ticks"] < before["ticks"])
sys.exit("The counters never fell.")
PYTHON
/usr/bin/python3 try.py
