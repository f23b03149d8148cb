#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
# Copyright (C) 2026 The ProcDb developers
"""The hold of pandemoniumctl run: whose it is, and what becomes of it when the service goes."""

import os
import subprocess
import unittest

from support import CTL, TIED, WAIT_S, ClientTest, stop

LOST = 'The service stopped, and with it the hold of "cat" at batch.\n'


class Hold(ClientTest):
    def start_fake(self, *options):
        return super().start_fake("--set=ApplyActive=true", *options)

    def run_in(self, *command):
        return subprocess.run([CTL, "run", "--tier=batch", *command], env=self.bus.environment(), check=False,
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)

    def start_cat(self):
        """A program that runs, until its input ends."""
        process = subprocess.Popen([*TIED, CTL, "run", "--tier=batch", "cat"], env=self.bus.environment(),
                                   stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.addCleanup(stop, process)
        process.stdin.write("x\n")
        process.stdin.flush()
        self.assertEqual(process.stdout.readline(), "x\n")
        return process

    def end(self, process):
        """Ends the program, and returns what else the client has said."""
        process.stdin.close()
        process.stdin = None
        self.assertEqual(process.wait(WAIT_S), 0)
        return process.stderr.read()

    def lose_service(self):
        fake = self.start_fake()
        process = self.start_cat()
        self.assertIn("held cat batch", fake.stdout.readline())
        stop(fake)
        self.assertEqual(process.stderr.readline(), LOST)
        return process

    def test_of_an_interpreter_it_is_said_whose_tasks_are_held(self):
        self.start_fake()
        all_of_it = 'Until this ends, all new tasks named "python3" start as batch, not its own alone.\n'
        self.assertEqual(self.run_in("python3", "-c", "print()").stderr, all_of_it)
        said = self.run_in("/usr/bin/python3", "-u", "/nonexistent/the script.py", "x").stderr
        self.assertTrue(said.startswith(all_of_it + "For that script alone: pandemoniumctl override set --program "
                                        "'the script.py' batch\n"), said)
        self.assertEqual(self.run_in("true", "train.py").stderr, "")

    def test_where_nothing_is_applied_it_is_said(self):
        super().start_fake("--set=ApplyReason='the mode is none'")
        self.assertEqual(self.run_in("true").stderr, "No slices are given now, since the mode is none: until they "
                                                     "are, it changes nothing.\n")

    def test_a_service_that_comes_back_holds_again(self):
        process = self.lose_service()
        for _ in range(2):
            fake = self.start_fake()
            self.assertRegex(fake.stdout.readline(), r"^held cat batch pandemoniumctl run, process \d+$")
            self.assertEqual(process.stderr.readline(),
                             'The service runs again: new tasks named "cat" start as batch again.\n')
            stop(fake)
            self.assertEqual(process.stderr.readline(), LOST)
        fake = self.start_fake()
        self.assertIn("held cat batch", fake.stdout.readline())
        self.assertIn("runs again", process.stderr.readline())
        self.assertEqual(self.end(process), "")
        self.assertEqual(fake.stdout.readline(), "released 1\n")

    def test_one_that_refuses_is_told(self):
        process = self.lose_service()
        self.start_fake("--fail=Hold=org.freedesktop.DBus.Error.AccessDenied:Not authorized")
        self.assertEqual(process.stderr.readline(),
                         'The service runs again, but does not hold "cat" at batch: Not authorized.\n')
        self.assertEqual(self.end(process), "")

    def test_one_that_hangs_does_not_hold_up_the_end_and_asks_for_no_password(self):
        process = self.lose_service()
        fake = self.start_fake("--hang=Hold")
        self.assertEqual(fake.stdout.readline(), "Hold may not ask\n")
        self.assertEqual(self.end(process), "")

    def test_one_that_was_stopped_stays_so(self):
        started = self.bus.note_starts()
        process = self.lose_service()
        self.assertEqual(self.end(process), "")
        self.assertFalse(os.path.exists(started))

    def test_a_bus_that_breaks_is_told(self):
        fake = self.start_fake()
        process = self.start_cat()
        self.assertIn("held cat batch", fake.stdout.readline())
        stop(self.bus.process)
        self.assertEqual(process.stderr.readline(),
                         'The connection to the system bus broke, and with it the hold of "cat" at batch.\n')
        self.assertEqual(self.end(process), "")


if __name__ == "__main__":
    unittest.main(verbosity=2)
