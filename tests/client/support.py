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
WAIT_S = 20


class Bus:
    """A message bus of its own that stands in for the system bus."""

    def __init__(self, test):
        self.folder = tempfile.TemporaryDirectory(prefix="procdb-client-")
        test.addCleanup(self.folder.cleanup)
        self.address = "unix:path=" + os.path.join(self.folder.name, "bus")
        self.process = subprocess.Popen(
            ["dbus-daemon", "--session", "--nofork", "--nopidfile", "--nosyslog",
             "--address=" + self.address, "--print-address=1"],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        test.addCleanup(stop, self.process)
        if not self.process.stdout.readline():
            raise AssertionError("dbus-daemon did not start")

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
        self.pid, self.master = pty.fork()
        if self.pid == 0:
            try:
                os.execvpe(argv[0], argv, environment)
            finally:
                os._exit(127)
        self.resize(columns, rows)

    def resize(self, columns, rows):
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def type(self, text):
        os.write(self.master, text.encode())

    def _read(self, timeout):
        if not select.select([self.master], [], [], timeout)[0]:
            return True
        try:
            data = os.read(self.master, 65536)
        except OSError:
            data = b""
        self.output += data
        return bool(data)

    def expect(self, text):
        """Reads until the text has come; the output before it is dropped."""
        wanted = text.encode()
        end = time.monotonic() + WAIT_S
        while wanted not in self.output:
            if time.monotonic() > end or not self._read(0.1):
                raise AssertionError("%r did not come, but %r" % (wanted, self.output))
        before, _, self.output = self.output.partition(wanted)
        return before.decode(errors="replace")

    def finish(self):
        """What is left of the output, and the exit code."""
        end = time.monotonic() + WAIT_S
        while self._read(0.1):
            if time.monotonic() > end:
                os.kill(self.pid, signal.SIGKILL)
                raise AssertionError("it did not end; output %r" % self.output)
        return self.output.decode(errors="replace"), self._wait()

    def _wait(self):
        pid, self.pid = self.pid, None
        os.close(self.master)
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])

    def close(self):
        if self.pid is not None:
            os.kill(self.pid, signal.SIGKILL)
            self._wait()


class ClientTest(unittest.TestCase):
    """Each test has its own bus; start_fake() brings the service."""

    def setUp(self):
        self.bus = Bus(self)

    def start_fake(self, *options):
        process = subprocess.Popen([sys.executable, os.path.join(HERE, "fake.py"), XML, *options],
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
