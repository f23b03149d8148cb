#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Copyright (C) 2026 The ProcDb developers
#
# A program that was just started has no command line yet, or still the name of its parent.
#
# Seen on:   Linux 6.18.44, x86-64, 2 CPUs; glibc 2.36, Python 3.11
# Guess:     posix_spawn(3) and Python's subprocess return the error of the exec, so they return after
#            it: what /proc says of the child is the new program, with its name and words.
# Behaviour: both return in the middle of it. posix_spawn() goes on when the child gives up the old
#            memory (exec_mmap() in fs/exec.c), subprocess then waits for a pipe that is closed
#            soon after that. /proc/PID/exe is the new file by then. The name comes after the pipe
#            (begin_new_exec()), and words and environment when the program and its loader
#            have been mapped (create_elf_tables() in fs/binfmt_elf.c). What looks at once
#            takes a child of subprocess for a second python3, and one with an empty
#            /proc/PID/cmdline for a kernel thread, as ps does; pgrep -f does not find it. On one
#            CPU that is the rule, as the parent goes on first, and lasts until the child has the
#            CPU again; with idle CPUs it is frequent, and lasts for tens of microseconds.
#            The event sched:sched_process_exec comes after all of it.
# Output:    (of 200 children each, read at once)
#            on one CPU:   posix_spawn: file 200, name 200, command line 2
#            on one CPU:   subprocess:  file 200, name 4, command line 3
#            on all CPUs:  posix_spawn: file 200, name 200, command line 0
#            on all CPUs:  subprocess:  file 200, name 137, command line 113
#
# Fails unless on one CPU all have the file, but fewer than half the command line, and with subprocess
# the name.
set -eu

/usr/bin/python3 - <<'PYTHON'
import os, signal, subprocess, sys

TIMES = 200
WORDS = ["/bin/sleep", "60"]
right = True


def read(pid, name):
    with open(f"/proc/{pid}/{name}") as file:
        return file.read()


def posix_spawn():
    return os.posix_spawn(WORDS[0], WORDS, os.environ)


def popen():
    children.append(subprocess.Popen(WORDS))
    return children[-1].pid


def look(start):
    """How many have the file, the name and the command line."""
    files = names = lines = 0
    for _ in range(TIMES):
        pid = start()
        line, name, file = read(pid, "cmdline"), read(pid, "comm"), os.readlink(f"/proc/{pid}/exe")
        files += os.path.basename(file) == "sleep"
        names += name == "sleep\n"
        lines += line == "/bin/sleep\x0060\x00"
        os.kill(pid, signal.SIGKILL)
        if start is popen:
            children.pop().wait()
        else:
            os.waitpid(pid, 0)
    return files, names, lines


children = []
every = os.sched_getaffinity(0)
for where, cpus in ("on one CPU:", {min(every)}), ("on all CPUs:", every):
    os.sched_setaffinity(0, cpus)
    for what, start in ("posix_spawn:", posix_spawn), ("subprocess:", popen):
        files, names, lines = look(start)
        print(f"{where:13} {what:12} file {files}, name {names}, command line {lines}")
        if len(cpus) == 1:
            right &= files == TIMES and lines < TIMES / 2 and (start is posix_spawn or names < TIMES / 2)
sys.exit(not right)
PYTHON
