# SPDX-License-Identifier: GPL-2.0-only
# Copyright (C) 2026 The ProcDb developers
"""What the tests of the client share: a private bus, the fake service, a terminal."""

import fcntl
import json
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import time
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
SOURCE = os.path.dirname(os.path.dirname(HERE))
XML = os.path.join(SOURCE, "dbus", "org.pandemonium.ProcDb1.xml")
CTL = os.environ.get("PANDEMONIUMCTL", os.path.join(SOURCE, "build", "client", "pandemoniumctl"))
NAME = "org.pandemonium.ProcDb"
WAIT_S = 60
# Whatever a test starts goes with it, even when it is killed.
TIED = ["setpriv", "--pdeathsig", "KILL", "--"]
# The end by a time limit also removes the directories.
signal.signal(signal.SIGTERM, signal.default_int_handler)


class Bus:
    """A message bus of its own that stands in for the system bus."""

    def __init__(self, test):
        self.directory = tempfile.TemporaryDirectory(prefix="procdb-client-")
        test.addCleanup(self.directory.cleanup)
        self.address = "unix:path=" + os.path.join(self.directory.name, "bus")
        self.process = subprocess.Popen(
            [*TIED, "dbus-daemon", "--session", "--nofork", "--nopidfile", "--nosyslog",
             "--address=" + self.address, "--print-address=1"],
            env={**os.environ, "XDG_DATA_HOME": self.directory.name},
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        test.addCleanup(stop, self.process)
        if not self.process.stdout.readline():
            raise AssertionError("dbus-daemon did not start")

    def start_by(self, command):
        """From now on the bus starts the service by a command."""
        services = os.path.join(self.directory.name, "dbus-1", "services")
        os.makedirs(services, exist_ok=True)
        with open(os.path.join(services, NAME + ".service"), "w", encoding="utf-8") as file:
            file.write("[D-BUS Service]\nName=%s\nExec=%s\n" % (NAME, command))
        subprocess.run(["dbus-send", "--bus=" + self.address, "--dest=org.freedesktop.DBus",
                        "--print-reply", "/", "org.freedesktop.DBus.ReloadConfig"],
                       stdout=subprocess.DEVNULL, check=True)

    def note_starts(self):
        """From now on the bus would start the service; returns the file that is there if it did."""
        started = os.path.join(self.directory.name, "started")
        self.start_by("/usr/bin/touch " + started)
        return started

    def environment(self, **more):
        environment = {key: value for key, value in os.environ.items()
                       if key not in ("NO_COLOR", "PAGER", "PANDEMONIUM_PAGER", "COLUMNS", "LESS")}
        environment.update(DBUS_SYSTEM_BUS_ADDRESS=self.address, TERM="xterm-256color",
                           LC_ALL="C.UTF-8", TZ="UTC")
        environment.update(more)
        return environment


def stop(process):
    process.kill()
    process.wait()
    for stream in (process.stdin, process.stdout, process.stderr):
        if stream:
            stream.close()


class Terminal:
    """A program on a pseudo-terminal of its own."""

    def __init__(self, argv, environment, columns=100, rows=30):
        self.output = b""
        # Our own descriptor of the slave keeps it alive after the program, for its attributes.
        self.master, self.slave = pty.openpty()
        self.attributes = termios.tcgetattr(self.slave)
        self.resize(columns, rows)
        self.process = subprocess.Popen(
            [*TIED, *argv], env=environment, stdin=self.slave, stdout=self.slave,
            stderr=self.slave, start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))
        self.pid = self.process.pid

    def resize(self, columns, rows):
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def type(self, text):
        os.write(self.master, text.encode())

    def read_some(self, timeout):
        """Takes what comes within this time into output; whether anything came."""
        if select.select([self.master], [], [], timeout)[0]:
            self.output += os.read(self.master, 65536)
            return True
        return False

    def expect(self, text):
        """Reads until the text has come, and returns and drops what was before it."""
        wanted = text.encode()
        end = time.monotonic() + WAIT_S
        while wanted not in self.output:
            ended = self.process.poll() is not None
            if not self.read_some(0.1) and (ended or time.monotonic() > end):
                raise AssertionError("%r did not come, but %r" % (wanted, self.output))
        before, _, self.output = self.output.partition(wanted)
        return before.decode(errors="replace")

    def finish(self):
        """Waits for the end; returns what is left of the output, and the exit code."""
        end = time.monotonic() + WAIT_S
        while self.process.poll() is None:
            self.read_some(0.05)
            if time.monotonic() > end:
                raise AssertionError("it did not end; output %r" % self.output)
        while self.read_some(0):
            pass
        self.attributes = termios.tcgetattr(self.slave)
        return self.output.decode(errors="replace"), self.process.returncode

    def close(self):
        stop(self.process)
        os.close(self.master)
        os.close(self.slave)


class ClientTest(unittest.TestCase):
    """Each test has its own bus; start_fake() brings the service."""

    def setUp(self):
        self.bus = Bus(self)

    def start_fake(self, *options):
        process = subprocess.Popen(
            [*TIED, sys.executable, os.path.join(HERE, "fake.py"), XML, *options],
            env=self.bus.environment(), stdout=subprocess.PIPE, text=True)
        self.addCleanup(stop, process)
        self.assertEqual(process.stdout.readline(), "ready\n")
        return process

    def ctl(self, *arguments, **environment):
        return subprocess.run([CTL, *arguments], env=self.bus.environment(**environment),
                              stdin=subprocess.DEVNULL, capture_output=True, timeout=WAIT_S * 2,
                              check=False)

    def ok(self, *arguments, **environment):
        """Standard output of a run that must succeed and have nothing to complain of."""
        done = self.ctl(*arguments, **environment)
        self.assertEqual((done.returncode, done.stderr.decode()), (0, ""))
        return done.stdout.decode()

    def json(self, *arguments):
        return json.loads(self.ok(*arguments, "--json"))

    def fails(self, code, *arguments):
        """Standard error of a run that must fail with this exit code."""
        done = self.ctl(*arguments)
        self.assertEqual(done.returncode, code, done)
        self.assertEqual(done.stdout, b"")
        return done.stderr.decode()

    def terminal(self, *arguments, columns=100, rows=30, **environment):
        terminal = Terminal([CTL, *arguments], self.bus.environment(**environment), columns, rows)
        self.addCleanup(terminal.close)
        return terminal
