#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
# Copyright (C) 2026 The ProcDb developers
"""pandemoniumctl top on a terminal: what it shows, its keys, and how it ends."""

import os
import re
import select
import shutil
import signal
import subprocess
import termios
import time
import unittest

from screen import Screen
from support import WAIT_S, ClientTest, stop


class TopTest(ClientTest):
    def setUp(self):
        super().setUp()
        self.fake = self.start_fake()

    def top(self, *arguments, **options):
        terminal = self.terminal("top", *arguments, **options)
        terminal.expect("10 profiles")
        return terminal


class Ending(TopTest):
    def test_q_gives_the_terminal_back_as_it_was(self):
        terminal = self.terminal("top")
        before = terminal.attributes
        terminal.expect("pipewire")
        self.assertNotEqual(termios.tcgetattr(terminal.slave), before)
        terminal.type("q")
        terminal.expect("\033[?1049l")
        self.assertEqual(terminal.finish()[1], 0)
        self.assertEqual(terminal.attributes, before)

    def test_a_terminal_without_a_cursor_is_told_so(self):
        for term in ("dumb", "nonexistent"):
            text, code = self.terminal("top", TERM=term).finish()
            # ncurses leaks a little for a terminal that it does not know.
            self.assertEqual((text.strip().splitlines()[0], code),
                             ("This terminal (TERM=%s) cannot show a full screen." % term, 1))

    def test_signals_end_it_clean(self):
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT):
            terminal = self.top()
            before = terminal.attributes
            os.kill(terminal.pid, number)
            text, code = terminal.finish()
            self.assertEqual(code, 0)
            self.assertIn("\033[?1049l", text)
            self.assertEqual(terminal.attributes, before)


class Following(TopTest):
    def test_it_shows_a_change_without_being_asked(self):
        terminal = self.top()
        self.ok("override", "set", "zzz-later", "batch")
        terminal.expect("zzz-later")
        terminal.type("q")
        self.assertEqual(terminal.finish()[1], 0)

    def test_it_asks_for_everything_once(self):
        self.fake.kill()
        self.fake.wait()
        self.fake = self.start_fake("--many=300", "--tell=QueryColumns")
        terminal = self.terminal("top")
        terminal.expect("310 profiles")
        terminal.type("/zzz\r")
        self.json("override", "set", "zzz-later", "batch")
        terminal.expect("zzz-later")
        self.ok("delete", "--yes", "zzz-later")
        answers, end = "", time.monotonic() + WAIT_S
        # What uses CPU time is asked for now and then.
        while not {"QueryColumns 1", "QueryColumns 100"} <= set(answers.splitlines()) and time.monotonic() < end:
            terminal.read_some(0.1)
            if select.select([self.fake.stdout], [], [], 0)[0]:
                answers += os.read(self.fake.stdout.fileno(), 4096).decode()
        terminal.type("q")
        terminal.finish()
        lines = answers.splitlines()
        self.assertEqual((lines[0], lines.count("QueryColumns 1")), ("QueryColumns 310", 1))
        self.assertEqual(set(lines[1:]), {"QueryColumns 1", "QueryColumns 100"})

    def test_it_goes_on_after_a_resize(self):
        terminal = self.top()
        terminal.resize(50, 10)
        os.kill(terminal.pid, signal.SIGWINCH)
        terminal.type("h")
        terminal.expect("quit")
        terminal.type("x")
        terminal.resize(1, 1)
        terminal.resize(140, 30)
        terminal.type("/wine")
        terminal.expect("filter: ")
        terminal.type("\rq")
        self.assertEqual(terminal.finish()[1], 0)

    def test_a_service_that_stops_is_told_and_one_that_starts_is_used(self):
        terminal = self.top()
        self.fake.kill()
        self.fake.wait()
        terminal.expect("The service stopped")
        self.start_fake()
        terminal.expect("ProcDb 0.1.0")
        terminal.type("q")
        self.assertEqual(terminal.finish()[1], 0)

    def test_it_does_not_start_a_service_that_was_stopped(self):
        started = self.bus.note_starts()
        terminal = self.top()
        self.fake.terminate()
        terminal.expect("The service stopped")
        time.sleep(0.5)
        self.assertFalse(os.path.exists(started))
        self.start_fake()
        terminal.expect("ProcDb 0.1.0")


class Locales(TopTest):
    """Terminals that are not UTF-8 get their own characters."""

    def see_bytes(self, charset, *wanted):
        name = "en_US." + charset
        path = os.path.join(self.bus.directory.name, "locales")
        os.makedirs(path)
        subprocess.run(["localedef", "-c", "-i", "en_US", "-f", charset, os.path.join(path, name)], check=False,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        # Without charsets that of glibc 2.41 ends with a warning, and 1.
        if not os.path.exists(os.path.join(path, name, "LC_CTYPE")):
            self.skipTest("there is no charset %s here" % charset)
        terminal = self.terminal("top", columns=140, LC_ALL=name, LOCPATH=path)
        end = time.monotonic() + WAIT_S
        while not all(text in terminal.output for text in wanted):
            self.assertLess(time.monotonic(), end, terminal.output)
            terminal.read_some(0.1)
        terminal.type("q")
        self.assertEqual(terminal.finish()[1], 0)

    @unittest.skipUnless(shutil.which("localedef"), "localedef is not installed")
    def test_a_charset_of_8_bits(self):
        self.see_bytes("ISO-8859-1", "größe".encode("latin1"), "90.0 µs".encode("latin1"))

    @unittest.skipUnless(shutil.which("localedef"), "localedef is not installed")
    def test_what_a_charset_has_not_is_a_question_mark(self):
        self.see_bytes("EUC-KR", "±".encode("euc_kr"), b"90.0 ?s")


class Showing(TopTest):
    """What stands on the screen."""

    def start(self, *arguments, columns=80, rows=24, ready="10 profiles"):
        self.columns, self.rows = columns, rows
        self.program = self.terminal("top", *arguments, columns=columns, rows=rows)
        self.screen = Screen(columns, rows)
        return self.see(ready)

    def wait(self, is_there, what):
        end = time.monotonic() + WAIT_S
        while not is_there():
            if time.monotonic() > end:
                raise AssertionError("no %r in\n%s" % (what, "\n".join(self.screen.lines())))
            self.program.read_some(0.1)
            self.screen.feed(self.program.output)
            self.program.output = b""

    def see(self, pattern):
        """Waits until a line matches, and returns the lines."""
        self.wait(lambda: any(re.search(pattern, line) for line in self.screen.lines()), pattern)
        return self.screen.lines()

    def press(self, keys, pattern):
        self.program.type(keys)
        return self.see(pattern)

    def see_names(self, *names, count=None):
        """Waits until these are the names in the table, or its first ones."""
        def found():
            return [line.split()[0] for line in self.screen.lines()[3:-1] if line][:count]
        self.wait(lambda: found() == list(names), names)

    def test_it_is_sorted_by_cpu_and_hides_kernel_threads(self):
        self.start()
        self.see_names("cc1", "firefox", "as", "pipewire", count=4)
        self.see("^9 shown, by CPU, 1 kernel thread hidden$")
        self.see(r"^NAME +TIER +CONF +CPU SLICE +RUNTIME")
        self.press("K", "10 shown, by CPU$")
        self.press("K", "9 shown")

    def test_the_keys_stand_in_the_last_line(self):
        for columns, rows in ((80, 24), (120, 40)):
            self.start(columns=columns, rows=rows)
            self.see("^h help  q quit  Enter explain  o override  d delete")
            self.program.type("q")
            self.assertEqual(self.program.finish()[1], 0)

    def test_what_predicts_nothing_has_a_question_mark(self):
        self.start()
        self.see(r"^new \(train.py\) +interactive\? ")
        self.see(r"^make +brief\? ")
        self.see(r"^cc1 +batch +0.91")

    def test_enter_explains_the_program_under_the_cursor(self):
        self.start()
        self.see("^pipewire")
        self.press("j", "9 shown")
        self.press("\r", 'New tasks named "firefox" start as interactive')
        self.see("^ Confidence +0.660")
        self.press("\033", "^firefox ")
        self.press("k\r", 'New tasks named "cc1" start as batch')

    def test_an_override_is_asked_for_and_set(self):
        self.start()
        self.see("^cc1 ")
        self.press("o", '^"cc1" starts as: b batch  i interactive  l lat-critical  n as learned')
        self.press("l", 'New tasks named "cc1" start as lat-critical from now on')
        self.assertEqual(self.json("show", "cc1")["origin"], "override")
        self.press("o", '^"cc1" starts as')
        self.press("n", '"cc1" has no override of an administrator now')
        self.press("o", '^"cc1" starts as')
        self.press("\033", "^h help")
        self.assertEqual(self.json("show", "cc1")["origin"], "live")

    def test_a_delete_asks_first(self):
        self.start()
        self.see("^cc1 ")
        self.press("d", r'^Forget what was learned about "cc1"\? \[y/N\]')
        self.press("n", "^h help")
        self.ok("show", "cc1")
        self.press("d", "^Forget")
        self.press("y", 'What was learned about "cc1" is forgotten')
        self.fails(3, "show", "cc1")

    def test_a_delete_says_that_an_override_goes_as_well(self):
        self.start()
        self.press("/wine\r", "filter: wine$")
        self.see_names("wine")
        self.press("d", r'^Forget what was learned about "wine", and its override\? \[y/N\]')
        self.press("y", '^"wine" is forgotten, and its override; one that a file declares comes back')
        self.fails(3, "show", "wine")

    def test_it_says_why_no_slices_are_given(self):
        for sets, pattern in (
                (("ApplyReason='a sched_ext scheduler runs the tasks'",),
                 "^ProcDb 0.1.0   no slices: a sched_ext scheduler runs the tasks   observer"),
                (("TrialState='running'", "TrialProgress=uint32 40", "ApplyReason='x'"),
                 "^ProcDb 0.1.0   a trial runs: 40 % are over; slices are"),
                (("ApplyReason='x'", "ApplyActive=true"), "^ProcDb 0.1.0   observer: active   10 profiles"),
                ((), "^ProcDb 0.1.0   observer: active   10 profiles")):
            with self.subTest(pattern):
                stop(self.fake)
                self.fake = self.start_fake(*("--set=" + text for text in sets))
                self.start(ready="9 shown, by CPU")
                self.see(pattern)
                self.program.type("q")
                self.program.finish()

    def test_what_no_line_has_room_for_goes_on_in_the_next(self):
        self.start(columns=40, ready="9 shown")
        self.see("^cc1 ")
        self.press("\r", "^ Program                /usr/libexec/gc$")
        self.see("^ {24}c/cc1$")

    def test_t_goes_through_the_tiers(self):
        self.start()
        self.press("t", "shown, by CPU, batch only")
        self.see_names("cc1", "as", "größe", r"sshd\xff\xfe\x0a%n")
        self.press("t", "shown, by CPU, interactive only")
        self.press("t", "shown, by CPU, lat-critical only")
        self.press("t", "shown, by CPU, brief only")
        self.see_names("make")
        self.press("t", "9 shown, by CPU, 1")

    def test_a_filter_finds_programs_too(self):
        self.start()
        self.press("/train", "filter: train_")
        self.see_names("new")
        for typed, name in (("TRAIN", "new"), ("WINE", "wine"), ("Gr\u00d6", "gr\u00f6\u00dfe"), ("Train*", "new")):
            self.press("\033", "9 shown")
            self.press("/" + typed, "filter: %s_" % re.escape(typed))
            self.see_names(name)

    def test_a_change_does_not_clear_the_screen(self):
        self.start()
        self.see("^cc1 ")
        before = self.screen.clears
        self.ok("override", "set", "zzz-later", "batch")
        self.see("^zzz-later")
        self.assertEqual(self.screen.clears, before)

    def test_the_cursor_stays_on_its_program(self):
        self.start()
        self.see("^cc1 ")
        self.program.type("jj")
        self.ok("delete", "cc1")
        self.see("9 profiles")
        self.press("\r", 'New tasks named "as" start as batch')


if __name__ == "__main__":
    unittest.main(verbosity=2)
