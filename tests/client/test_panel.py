#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
# Copyright (C) 2026 The ProcDb developers
"""pandemoniumctl panel: a line for each change."""

import json
import os
import select
import signal
import subprocess
import sys
import unittest

from support import CTL, NAME, TIED, WAIT_S, ClientTest, stop

# Has the name, and none of what the client asks for: the bus library answers with an error.
HOLLOW = '''
from gi.repository import Gio, GLib
bus = Gio.bus_get_sync(Gio.BusType.SYSTEM)
Gio.bus_own_name_on_connection(bus, "%s", 0, lambda *_: print("ready", flush=True), None)
GLib.MainLoop().run()
''' % NAME


class Panel(ClientTest):
    def start_panel(self):
        panel = subprocess.Popen([*TIED, CTL, "panel"], env=self.bus.environment(), stdin=subprocess.DEVNULL,
                                 stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, bufsize=0)
        self.addCleanup(stop, panel)
        return panel

    def line(self, panel):
        self.assertTrue(select.select([panel.stdout], [], [], WAIT_S)[0], "no line came")
        return json.loads(panel.stdout.readline())

    def test_it_says_what_there_is(self):
        self.start_fake("--set=Apply='auto'", "--set=ApplyActive=true")
        line = self.line(self.start_panel())
        self.assertEqual((line["text"], line["class"], line["alt"]), ("6", "applying", "applying"))
        self.assertEqual(line["tooltip"].splitlines(), ["Slices are given", "10 programs, 6 confident, 1 override"])

    def test_it_says_why_no_slices_are_given(self):
        for sets, first in ((("ApplyReason='the mode is none'",), "No slices: the mode is none"),
                            ((), "No slices are given")):
            fake = self.start_fake("--set=Apply='none'", *("--set=" + text for text in sets))
            self.assertEqual(self.line(self.start_panel())["tooltip"].splitlines()[0], first)
            stop(fake)

    def test_what_is_wrong_comes_first(self):
        for sets, text, state in (
                (("BackendStatus='failed'", "GuardState='paused'"), "failed", "failed"),
                (("GuardState='paused'",), "paused", "paused"),
                (("TrialState='running'", "TrialProgress=uint32 40", "GuardState='paused'"), "trial 40 %", "trial"),
                ((), "6", "observing")):
            with self.subTest(state):
                fake = self.start_fake(*("--set=" + text for text in sets))
                line = self.line(self.start_panel())
                self.assertEqual((line["text"], line["class"]), (text, state))
                stop(fake)

    def test_markup_from_outside_is_none(self):
        self.start_fake("--set=BackendReason='<b>a & b</b>'")
        self.assertEqual(self.line(self.start_panel())["tooltip"].splitlines()[0], "&lt;b&gt;a &amp; b&lt;/b&gt;")

    def test_a_change_is_a_line_and_what_is_the_same_is_none(self):
        self.start_fake()
        panel = self.start_panel()
        self.line(panel)
        self.ok("backend", "none")
        # The fake ends one of 60 seconds at once, and one of 600 never.
        trial = subprocess.Popen([*TIED, CTL, "trial", "600"], env=self.bus.environment(), stdin=subprocess.DEVNULL,
                                 stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        self.addCleanup(stop, trial)
        self.assertEqual(self.line(panel)["class"], "trial")
        # Before that line an interrupt ends the client at once, and this fake service does not look at what leaves.
        self.assertIn(b"Ctrl-C ends it", trial.stderr.readline())
        trial.send_signal(signal.SIGINT)
        self.assertEqual(self.line(panel)["class"], "observing")
        self.ok("backend", "observer")
        self.assertFalse(select.select([panel.stdout], [], [], 0.3)[0])

    def test_it_outlives_the_service_and_does_not_start_it(self):
        started = self.bus.note_starts()
        panel = self.start_panel()
        line = self.line(panel)
        self.assertEqual((line["text"], line["class"]), ("off", "stopped"))
        fake = self.start_fake()
        self.assertEqual(self.line(panel)["class"], "observing")
        stop(fake)
        self.assertEqual(self.line(panel)["class"], "stopped")
        self.start_fake()
        self.assertEqual(self.line(panel)["class"], "observing")
        self.assertFalse(os.path.exists(started))

    def test_a_service_without_answers_is_told_from_one_that_does_not_run(self):
        hollow = subprocess.Popen([*TIED, sys.executable, "-c", HOLLOW], env=self.bus.environment(),
                                  stdout=subprocess.PIPE)
        self.addCleanup(stop, hollow)
        self.assertEqual(hollow.stdout.readline(), b"ready\n")
        panel = self.start_panel()
        line = self.line(panel)
        self.assertEqual((line["text"], line["class"]), ("failed", "failed"))
        self.assertRegex(line["tooltip"], "^The service runs, but does not answer: .*/org/pandemonium/ProcDb")
        stop(hollow)
        line = self.line(panel)
        self.assertEqual((line["class"], line["tooltip"]), ("stopped", "The service does not run."))

    def test_that_the_service_hangs_is_said_soon(self):
        fake = self.start_fake()
        fake.send_signal(signal.SIGSTOP)
        self.addCleanup(fake.send_signal, signal.SIGCONT)
        panel = self.start_panel()
        self.assertTrue(select.select([panel.stdout], [], [], 20)[0], "no line came, in less time than a call may take")
        self.assertEqual(json.loads(panel.stdout.readline())["class"], "failed")

    def test_it_ends_in_order_and_with_its_bus(self):
        self.start_fake()
        panel = self.start_panel()
        self.line(panel)
        panel.send_signal(signal.SIGTERM)
        self.assertEqual(panel.wait(WAIT_S), 0)
        panel = self.start_panel()
        self.line(panel)
        stop(self.bus.process)
        self.assertEqual(panel.wait(WAIT_S), 5)


if __name__ == "__main__":
    unittest.main(verbosity=2)
