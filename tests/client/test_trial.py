#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
# Copyright (C) 2026 The ProcDb developers
"""pandemoniumctl trial before a service that is made up, and the line of status."""

import json
import os
import signal
import subprocess
import unittest

from support import CTL, NAME, ClientTest, TIED, WAIT_S, stop


class Trial(ClientTest):
    def test_the_verdict_and_the_figures_are_printed(self):
        self.start_fake()
        done = self.ctl("trial", "60")
        self.assertEqual(done.returncode, 0, done)
        self.assertEqual(done.stdout.decode().splitlines(), [
            "Verdict: helps: latency-critical tasks wait less with applying.",
            "Waits for a CPU, of latency-critical tasks:",
            "              with    without  difference, with a certainty of 99 %",
            "  50 %        0 ns       0 ns  not known",
            "  90 %      860 µs    2.88 ms  -60 % (-69 % to -48 %)",
            "  99 %        0 ns       0 ns  not known",
            "CPU time of batch tasks: not known",
            "From 8,312 wake-ups, in 25 pairs of windows."])

    def test_json_is_what_the_service_answers(self):
        self.start_fake()
        result = self.json("trial")
        self.assertEqual((result["state"], result["verdict"], result["p90_ratio"]), ("done", "helps", 0.4))

    def test_json_of_one_that_ended_early_is_a_failure_too(self):
        self.start_fake()
        done = self.ctl("--json", "trial", "61")
        self.assertEqual((done.returncode, json.loads(done.stdout)["state"]), (1, "ended"))

    def test_the_end_of_an_earlier_one_does_not_end_it(self):
        self.start_fake()
        done = self.ctl("trial", "62")
        self.assertEqual((done.returncode, done.stdout.decode().splitlines()[0]),
                         (0, "Verdict: helps: latency-critical tasks wait less with applying."))

    def test_a_trial_that_ended_early_is_a_failure(self):
        self.start_fake()
        self.assertIn("The trial ended early: the service was given other settings. Applying is as "
                      "configured again.", self.fails(1, "trial", "61"))

    def test_what_is_no_number_of_seconds_is_refused(self):
        self.start_fake()
        for text in ("soon", "0", "-5", "1e3", "60s", "99999", "19", "601"):
            self.assertIn('a trial takes from 20 to 600 seconds, not "%s"' % text,
                          self.fails(2, "trial", "--", text))

    def test_the_service_says_why_it_begins_none(self):
        self.start_fake("--fail=StartTrial=NoBackend:There is nothing to compare: the mode is none")
        self.assertEqual(self.fails(1, "trial"), "No trial was started. There is nothing to compare: the mode is none.\n")

    def test_an_interrupt_ends_the_trial(self):
        fake = self.start_fake()
        with subprocess.Popen([*TIED, CTL, "trial", "600"], env=self.bus.environment(),
                              stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as client:
            self.assertIn("Ctrl-C ends it", client.stderr.readline())
            client.send_signal(signal.SIGINT)
            self.assertEqual(client.wait(WAIT_S), 1)
            self.assertIn("Applying is as configured again", client.stderr.read())
        self.assertEqual(fake.stdout.readline(), "StopTrial\n")

    def test_a_service_that_ends_is_noticed(self):
        fake = self.start_fake()
        with subprocess.Popen([*TIED, CTL, "trial", "600"], env=self.bus.environment(),
                              stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as client:
            self.assertIn("Ctrl-C ends it", client.stderr.readline())
            fake.kill()
            self.assertEqual(client.wait(WAIT_S), 5)
            self.assertIn("The service stopped", client.stderr.read())

    def test_a_service_that_is_stopped_stays_so(self):
        """It ends the trial before it goes, and is asked for the result when it has gone."""
        fake = self.start_fake()
        started = self.bus.note_starts()
        with subprocess.Popen([*TIED, CTL, "trial", "600"], env=self.bus.environment(),
                              stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as client:
            self.assertIn("Ctrl-C ends it", client.stderr.readline())
            client.send_signal(signal.SIGSTOP)
            os.waitid(os.P_PID, client.pid, os.WSTOPPED)
            subprocess.run(["dbus-send", "--bus=" + self.bus.address, "--dest=" + NAME, "--print-reply",
                            "/org/pandemonium/ProcDb", "org.pandemonium.ProcDb1.StopTrial"],
                           stdout=subprocess.DEVNULL, check=True)
            fake.kill()
            fake.wait()
            client.send_signal(signal.SIGCONT)
            self.assertEqual(client.wait(WAIT_S), 5)
            self.assertEqual(client.stderr.read(), "The service stopped, and the trial with it.\n")
        self.assertFalse(os.path.exists(started))

    def test_a_service_that_knows_of_no_trial_is_another_one(self):
        self.start_fake()
        for options in ((), ("--json",)):
            self.assertIn("The service stopped, and the trial with it.", self.fails(5, *options, "trial", "63"))

    def test_status_has_a_line_of_waits(self):
        self.start_fake()
        self.assertIn("\n      Waits: nine of ten wake-ups of latency-critical programs waited less than 2.10 ms since the observer began\n", self.ok("status"))

    def test_where_a_trial_runs_the_others_say_so(self):
        self.start_fake("--set=TrialState='running'", "--set=TrialProgress=uint32 40")
        said = "40 % are over; slices are given and taken back in turn"
        self.assertIn("\n      Trial: %s\n" % said, self.ok("status"))
        for command in ("list", "ps"):
            self.assertIn("\nA trial runs: %s.\n" % said, self.ok(command))

    def test_status_says_that_the_guard_paused(self):
        # In the year 2100, and long ago: then it waits for load.
        for retry, when in (("4102488000000000", "at 2100-01-01"), ("1000000000000000", "when programs have to wait;")):
            fake = self.start_fake("--set=Apply='slices'", "--set=GuardState='paused'", "--set=GuardRetry=%s" % retry,
                                   "--set=ApplyReason='programs waited longer for a CPU with it'")
            shown = self.ok("status")
            self.assertIn("\n             It changes no task: programs waited longer for a CPU with it.\n"
                          "             The guard tries again " + when, shown)
            self.assertIn("\"pandemoniumctl apply slices\" does at once", shown)
            stop(fake)

    def test_status_of_a_guard_that_watches_says_nothing_of_it(self):
        self.start_fake("--set=Apply='auto'", "--set=GuardState='watching'")
        self.assertNotIn("guard", self.ok("status"))

    def test_status_of_an_older_service_has_none(self):
        self.start_fake("--fail=GetDelays=org.freedesktop.DBus.Error.UnknownMethod:no such method")
        self.assertNotIn("Waits:", self.ok("status"))


if __name__ == "__main__":
    unittest.main(verbosity=2)
