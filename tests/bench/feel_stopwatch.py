# SPDX-License-Identifier: GPL-2.0-only
# Copyright (C) 2026 The ProcDb developers
"""The stopwatches of feel: real-time processes that time programs which are not.

    feel_stopwatch.py typist FROM UNTIL NAME COMMAND...    (COMMAND in one word)
    feel_stopwatch.py commands FROM UNTIL DIRECTORY COMMAND...
    feel_stopwatch.py requests FROM UNTIL PORT

Each prints one JSON object: a name, and the times in µs of what began from
FROM until UNTIL, in ns of CLOCK_MONOTONIC. What does not answer within
PATIENCE counts as that long, and is said in "lost".

The typed programs get a terminal but no session of their own: a session would
be an autogroup, and the kernel would share the CPUs between sessions first.
"""

import ctypes
import fcntl
import json
import os
import random
import select
import signal
import socket
import struct
import subprocess
import sys
import termios
import time

PATIENCE = 5  # s
KEY_GAPS = (125, 500)  # ms
COMMAND_GAPS = (500, 900)
REQUEST_GAPS = (25, 75)
PR_SET_NAME, PR_SET_PDEATHSIG = 15, 1


def become_stopwatch(name):
    """Real-time, so that it measures others and not itself; what it starts is normal again."""
    libc = ctypes.CDLL(None)
    # Its own name: as "python3" it would teach a service what Python programs are like.
    libc.prctl(PR_SET_NAME, name.encode(), 0, 0, 0)
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    os.sched_setscheduler(0, os.SCHED_FIFO | os.SCHED_RESET_ON_FORK, os.sched_param(5))


def sleep_until(when):
    left = when - time.monotonic()
    if left > 0:
        time.sleep(left)


class Times:
    """What was measured of one thing; only what began within the time counts."""

    def __init__(self, start, until):
        self.start, self.until = start, until
        self.times, self.lost = [], 0

    def note(self, began, ended, lost=False):
        if self.start <= began < self.until:
            self.times.append(round((ended - began) * 1e6))
            self.lost += lost

    def as_json(self):
        return {"late": self.times, "lost": self.lost}


class Typed:
    """A program at a terminal, and the state of the key that it was sent."""

    def __init__(self, name, command, start, until):
        self.name, self.times = name, Times(start, until)
        self.random = random.Random(name)
        self.fd, terminal = os.openpty()
        fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        self.program = subprocess.Popen(
            command, shell=True, stdin=terminal, stdout=terminal, stderr=terminal,
            env={**os.environ, "TERM": "xterm", "PS1": "$ ", "HISTFILE": ""})
        os.close(terminal)
        os.set_blocking(self.fd, False)
        self.keys = 0
        self.typed = None  # when, if its echo is still awaited
        self.plan()

    def plan(self):
        self.due = time.monotonic() + self.random.uniform(*KEY_GAPS) / 1000

    def drain(self):
        """Reads what is there; whether there was anything."""
        some = False
        try:
            while os.read(self.fd, 65536):
                some = True
        except BlockingIOError:
            pass
        return some

    def type(self):
        self.keys += 1
        # A line of 40, then the next one: neither program has to scroll sideways.
        key = b"x" if self.keys % 40 else {"vim": b"\r", "bash": b"\x15"}[self.name]
        self.drain()
        self.typed = time.monotonic()
        os.write(self.fd, key)

    def turn(self, readable):
        """Does what is due; returns when it wants the next turn at the latest."""
        now = time.monotonic()
        if readable and self.drain() and self.typed:
            self.times.note(self.typed, now)
            self.typed = None
            self.plan()
        elif self.typed and now > self.typed + PATIENCE:
            self.times.note(self.typed, now, lost=True)
            self.typed = None
            self.plan()
        elif not self.typed and now >= self.due:
            self.type()
        return self.typed + PATIENCE if self.typed else self.due

    def slice_us(self):
        """The slice that its program has now, where the kernel shows it."""
        try:
            for line in open(f"/proc/{self.program.pid}/sched"):
                if line.startswith("se.slice"):
                    return int(line.split()[-1]) / 1000
        except OSError:
            pass
        return None


def typist(start, until, arguments):
    typed = [Typed(name, command, start, until)
             for name, command in zip(arguments[::2], arguments[1::2])]
    by_fd = {one.fd: one for one in typed}
    poll = select.poll()
    for fd in by_fd:
        poll.register(fd, select.POLLIN)
    ready = set()
    try:
        while time.monotonic() < until + 0.05:
            wake = min(one.turn(one.fd in ready) for one in typed)
            left = min(wake, until + 0.05) - time.monotonic()
            events = poll.poll(max(0, left * 1000))
            ready = {fd for fd, _ in events}
            for fd, event in events:
                if event & (select.POLLHUP | select.POLLERR):
                    sys.exit(f"feel: {by_fd[fd].name} ended while it was typed in")
        return {one.name: {**one.times.as_json(), "slice_us": one.slice_us()} for one in typed}
    finally:
        for one in typed:
            one.program.kill()
            one.program.wait()


def repeat(start, until, gaps, seed, once):
    """Calls once with gaps by chance, the same in each run, until the time is over."""
    times = Times(start, until)
    chance = random.Random(seed)
    due = time.monotonic()
    while due < until:
        sleep_until(due)
        began = time.monotonic()
        lost = once()
        ended = time.monotonic()
        times.note(began, ended, lost)
        due = max(due + chance.uniform(*gaps) / 1000, ended)
    return times.as_json()


def commands(start, until, arguments):
    directory, *command = arguments

    def once():
        process = subprocess.Popen(command, cwd=directory, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        # Not wait() with a timeout, which looks only each 50 ms.
        ended = os.pidfd_open(process.pid)
        lost = not select.select([ended], [], [], PATIENCE)[0]
        os.close(ended)
        if lost:
            process.kill()
        if process.wait() != 0 and not lost:
            sys.exit(f"feel: {command[0]} ended with {process.returncode}")
        return lost

    return {command[0]: repeat(start, until, COMMAND_GAPS, "commands", once)}


def requests(start, until, arguments):
    port = int(arguments[0])

    def once():
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as connection:
                connection.sendall(b"GET /page.html HTTP/1.0\r\n\r\n")
                while connection.recv(65536):
                    pass
        except TimeoutError:
            return True
        return False

    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            once()
            break
        except ConnectionRefusedError:
            if time.monotonic() > deadline:
                sys.exit(f"feel: no web server at port {port}")
            time.sleep(0.05)
    return {"web": repeat(start, until, REQUEST_GAPS, "requests", once)}


KINDS = {"typist": typist, "commands": commands, "requests": requests}


def main():
    kind, start, until, *arguments = sys.argv[1:]
    become_stopwatch(f"feel-{kind}")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    print(json.dumps(KINDS[kind](int(start) / 1e9, int(until) / 1e9, arguments)))


if __name__ == "__main__":
    main()
