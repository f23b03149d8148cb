#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
# Copyright (C) 2026 The ProcDb developers
"""pandemoniumctl on a terminal, and as it follows changes: questions, colours, pager, monitor."""

import json
import os
import signal
import subprocess
import sys
import time
import unittest

from support import CTL, HERE, TIED, WAIT_S, ClientTest, stop

WIDGET = os.path.join(HERE, "..", "..", "data", "man", "widget.py")


class OnATerminal(ClientTest):
    def setUp(self):
        super().setUp()
        self.start_fake()

    def test_delete_asks_and_no_is_the_default(self):
        for answer in ("\n", "n\n", "\x04"):
            terminal = self.terminal("delete", "cc1")
            terminal.expect('Forget what was learned about "cc1"? [y/N]')
            terminal.type(answer)
            text, code = terminal.finish()
            self.assertEqual(code, 1)
            self.assertIn("Nothing was deleted", text)
        self.ok("show", "cc1")

    def test_delete_goes_ahead_on_yes_or_unasked(self):
        terminal = self.terminal("delete", "c*", "as")
        self.assertIn("cc1", terminal.expect("these 2 programs? [y/N]"))
        terminal.type("y\n")
        self.assertEqual(terminal.finish()[1], 0)
        self.assertEqual(self.terminal("delete", "-y", "make").finish(),
                         ("Deleted 1 profile.\r\n", 0))

    def test_reset_asks(self):
        terminal = self.terminal("reset")
        terminal.expect("Forget everything that was learned? Overrides stay. [y/N]")
        terminal.type("n\n")
        self.assertEqual(terminal.finish()[1], 1)

    def test_colours_are_for_terminals_unless_somebody_says_no(self):
        self.assertIn("\033[", self.terminal("list", "--no-pager").finish()[0])
        self.assertIn("\033[", self.terminal("status").finish()[0])
        for environment in ({"NO_COLOR": "1"}, {"TERM": "dumb"}):
            for command in ("status", "list", "doctor"):
                text = self.terminal(command, PANDEMONIUM_PAGER="", **environment).finish()[0]
                self.assertNotIn("\033[", text)

    def test_the_table_fits_the_terminal(self):
        wide = self.terminal("list", "--no-pager", columns=200, NO_COLOR="1").finish()[0]
        self.assertTrue(all(len(line) <= 200 for line in wide.splitlines()))
        self.assertIn("retained", wide)

    def test_the_pager_gets_the_list_and_its_name_is_taken_from_the_environment(self):
        text, code = self.terminal("list", PANDEMONIUM_PAGER="sed s/cc1/paged/").finish()
        self.assertEqual(code, 0)
        self.assertIn("paged", text)
        for arguments, environment in ((["list"], {"PANDEMONIUM_PAGER": ""}),
                                       (["list", "--no-pager"], {"PAGER": "false"}),
                                       (["list", "--json"], {"PAGER": "false"}),
                                       (["list"], {"PANDEMONIUM_PAGER": "cat", "PAGER": "false"}),
                                       (["list"], {"PAGER": "/nonexistent"})):
            self.assertIn("cc1", self.terminal(*arguments, **environment).finish()[0])

    def test_a_pager_that_is_quit_early_is_no_failure(self):
        self.assertEqual(self.terminal("list", PAGER="true").finish()[1], 0)


class Monitor(ClientTest):
    def monitor(self, *arguments):
        process = subprocess.Popen([*TIED, CTL, "monitor", *arguments], env=self.bus.environment(),
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.addCleanup(stop, process)
        return process

    def test_one_object_a_line_for_each_change(self):
        fake = self.start_fake()
        terminal = self.terminal("monitor", "--json")
        self.assertIn("following", terminal_line(terminal))
        plain = self.monitor()
        self.assertIn("Following", plain.stderr.readline())
        self.ok("delete", "cc1")
        event = json.loads("{" + terminal_line(terminal))
        self.assertEqual((event["event"], event["serial"], event["changed"], event["removed"]),
                         ("profiles-changed", 1, [], ["cc1"]))
        self.assertRegex(plain.stdout.readline(), r"^\d\d:\d\d:\d\d  removed  cc1, was batch 0.91$")
        self.ok("backend", "none")
        event = json.loads("{" + terminal_line(terminal))
        self.assertEqual(event["properties"], {"backend": "none"})
        fake.kill()
        event = json.loads("{" + terminal_line(terminal))
        self.assertEqual(event["event"], "service-stopped")

    def test_a_change_is_told_with_what_was_before(self):
        self.start_fake()
        plain, some = self.monitor(), self.monitor("--tier=lat-critical", "w*", "m*")
        lines = self.monitor("--json", "wine")
        for process in (plain, some):
            process.stderr.readline()
        lines.stdout.readline()
        # One after the other: what it reads at once it tells in the order of names.
        for command, told in (
                (("set", "make", "batch"), "changed  make: brief? 0.45 -> batch (override), predicts now\n"),
                (("set", "later", "lat-critical"), "new      later: lat-critical (override)\n"),
                (("clear", "wine"),
                 "changed  wine: lat-critical (override) -> lat-critical? 0.20, predicts no more\n")):
            self.ok("override", *command)
            self.assertEqual(plain.stdout.readline()[10:], told)
        self.assertIn("changed  wine: lat-critical (override)", some.stdout.readline())
        # It runs until the hold was seen: what is over when it is asked about is no change.
        program = os.path.join(self.bus.directory.name, "make")
        os.symlink("/bin/cat", program)
        with subprocess.Popen([*TIED, CTL, "run", "--tier=interactive", program], env=self.bus.environment(),
                              stdin=subprocess.PIPE) as held:
            self.assertIn("make: batch (override) -> interactive (held)", plain.stdout.readline())
            held.stdin.close()
            self.assertIn("make: interactive (held) -> batch (override)", plain.stdout.readline())
        event = json.loads(lines.stdout.readline())
        self.assertEqual((event["changed"], event["removed"]), (["wine"], []))
        change = event["changes"][0]
        self.assertEqual((change["name"], change["before"]["origin"], change["after"]["origin"]),
                         ("wine", "override", "live"))

    def test_figures_of_the_service_are_for_all(self):
        self.start_fake()
        plain, everything = self.monitor(), self.monitor("--all")
        for process in (plain, everything):
            process.stderr.readline()
        self.ctl("trial")
        self.assertIn("property TrialState = 'running'", plain.stdout.readline())
        self.assertIn("property TrialState = 'done'", plain.stdout.readline())
        told = "".join(everything.stdout.readline() for _ in range(4))
        self.assertEqual(told.count("property TrialProgress"), 2)

    def test_a_service_that_comes_back_is_told_first_and_alone(self):
        fake = self.start_fake()
        plain, lines = self.monitor(), self.monitor("--json")
        plain.stderr.readline()
        lines.stdout.readline()
        fake.kill()
        fake.wait()
        self.start_fake()
        self.ok("backend", "none")
        told = [json.loads(lines.stdout.readline()) for _ in range(4)]
        self.assertEqual([event["event"] for event in told],
                         ["service-stopped", "service-started", "profiles-changed", "properties-changed"])
        # The fake's profiles were seen by each at another time, as it makes them at its start.
        self.assertEqual({key for change in told[2]["changes"] for key in change["after"]
                          if change["after"][key] != change["before"][key]}, {"last_seen_us"})
        self.assertEqual(told[3]["properties"], {"backend": "none"})
        self.assertEqual([plain.stdout.readline()[10:] for _ in range(3)],
                         ["the service stopped\n", "the service started\n",
                          "property Backend = 'none'\n"])

    def test_it_follows_the_service_that_comes_after(self):
        fake = self.start_fake()
        plain, lines = self.monitor(), self.monitor("--json", "later", "make")
        plain.stderr.readline()
        lines.stdout.readline()
        self.ok("override", "set", "later", "batch")
        self.assertIn("new      later", plain.stdout.readline())
        self.assertEqual(json.loads(lines.stdout.readline())["changed"], ["later"])
        fake.kill()
        fake.wait()
        self.start_fake()
        self.assertEqual([plain.stdout.readline()[10:] for _ in range(3)],
                         ["the service stopped\n", "the service started\n", "removed  later, was batch (override)\n"])
        told = [json.loads(lines.stdout.readline()) for _ in range(3)]
        self.assertEqual([event["event"] for event in told],
                         ["service-stopped", "service-started", "profiles-changed"])
        self.assertEqual((told[2]["serial"], told[2]["removed"]), (0, ["later"]))
        self.ok("override", "set", "make", "batch")
        self.assertIn("make: brief? 0.45 -> batch (override)", plain.stdout.readline())
        event = json.loads(lines.stdout.readline())
        self.assertEqual((event["serial"], event["changed"], event["removed"]), (1, ["make"], []))

    def test_of_what_waited_no_more_is_asked_than_it_says(self):
        fake = self.start_fake("--tell=QueryColumns")
        plain = self.monitor()
        plain.stderr.readline()
        self.ok("override", "set", "make", "batch")
        plain.stdout.readline()
        # All, and again, since the first serial is that of a service that does not say one.
        self.assertEqual([fake.stdout.readline() for _ in range(2)], ["QueryColumns 10\n"] * 2)
        pause(plain)
        # Its text would ask whose program it is, and so be told as well.
        self.json("override", "set", "later", "batch")
        self.ok("delete", "later")
        self.json("override", "set", "later", "lat-critical")
        self.ok("override", "set", "as", "interactive")
        plain.send_signal(signal.SIGCONT)
        told = [plain.stdout.readline()[10:] for _ in range(2)]
        self.assertEqual(sorted(told), ["changed  as: batch 0.71 -> interactive (override)\n",
                                        "new      later: lat-critical (override)\n"])
        self.ok("override", "clear", "as")
        self.assertIn("changed  as", plain.stdout.readline())
        self.assertEqual([fake.stdout.readline() for _ in range(2)], ["QueryColumns 2\n", "QueryColumns 1\n"])

    def test_after_a_signal_that_was_missed_all_is_read(self):
        self.start_fake("--leave=as")
        plain = self.monitor()
        plain.stderr.readline()
        self.ok("delete", "make", "cc1")
        self.assertEqual(sorted(plain.stdout.readline()[10:].split(",")[0] for _ in range(3)),
                         ["removed  as", "removed  cc1", "removed  make"])

    def test_what_is_not_printed_is_not_asked_for(self):
        self.start_fake("--fail=QueryProfiles=NoBackend:it takes ten times as long")
        for options in ((), ("--all",)):
            plain = self.monitor(*options)
            self.assertIn("Following", plain.stderr.readline())
            self.ok("override", "set", "cc1", "batch")
            self.assertIn("cc1: ", plain.stdout.readline())
            self.ok("override", "clear", "cc1")

    def test_a_list_that_fails_is_told_and_read_later(self):
        fake = self.start_fake()
        plain = self.monitor()
        plain.stderr.readline()
        fake.kill()
        fake.wait()
        refusing = self.start_fake("--fail=QueryColumns=LimitExceeded:not now")
        self.assertEqual(plain.stderr.readline(), "The service refused: not now.\n")
        refusing.kill()
        refusing.wait()
        self.start_fake()
        self.ok("delete", "cc1")
        while "removed  cc1" not in (line := plain.stdout.readline()):
            self.assertIn("the service", line)

    def test_it_does_not_start_a_service_that_was_stopped(self):
        fake = self.start_fake()
        started = self.bus.note_starts()
        lines = self.monitor("--json")
        lines.stdout.readline()
        fake.terminate()
        self.assertIn("service-stopped", lines.stdout.readline())
        time.sleep(0.5)
        self.assertFalse(os.path.exists(started))

    def test_it_ends_when_its_output_is_not_read_any_more(self):
        self.start_fake()
        for arguments in ([], ["--json"]):
            process = self.monitor(*arguments)
            (process.stdout if arguments else process.stderr).readline()
            process.stdout.close()
            process.stdout = None
            self.ok("override", "set", "later", "batch")
            self.assertEqual(process.wait(WAIT_S), 0)

    def test_interrupting_it_is_success(self):
        self.start_fake()
        for number in (signal.SIGINT, signal.SIGTERM):
            process = self.monitor()
            process.stderr.readline()
            process.send_signal(number)
            self.assertEqual(process.wait(WAIT_S), 0)


def pause(process):
    process.send_signal(signal.SIGSTOP)
    os.waitid(os.P_PID, process.pid, os.WSTOPPED)


def terminal_line(terminal):
    terminal.expect("{")
    return terminal.expect("\r\n")


class Widget(ClientTest):
    def test_it_follows_without_polling(self):
        fake = self.start_fake()
        process = subprocess.Popen([*TIED, sys.executable, WIDGET],
                                   env=self.bus.environment(), stdout=subprocess.PIPE, text=True)
        self.addCleanup(stop, process)
        self.assertIn("cc1: batch, 0.91", list_of(process))
        self.ok("delete", "cc1")
        self.assertNotIn("cc1: batch, 0.91", list_of(process))
        self.ok("override", "set", "later", "lat-critical")
        self.assertIn("later: lat-critical, 0.00", list_of(process))
        fake.kill()
        fake.wait()
        self.start_fake()
        self.assertIn("cc1: batch, 0.91", list_of(process))

    def test_it_is_ten_lines(self):
        with open(WIDGET, encoding="utf-8") as file:
            self.assertEqual(len([line for line in file if not line.startswith("#")]), 10)


def list_of(process):
    """The next list that the widget prints; an empty line ends it."""
    lines = []
    while (line := process.stdout.readline()) != "\n":
        assert line, "the widget ended"
        lines.append(line.rstrip("\n"))
    return lines


if __name__ == "__main__":
    unittest.main(verbosity=2)
