#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
# Copyright (C) 2026 The ProcDb developers
"""Tables with programs and tasks: list, ps, and run, which gives a program a tier."""

import os
import signal
import subprocess
import tempfile
import unittest

from support import CTL, TIED, WAIT_S, ClientTest, stop


class Lists(ClientTest):
    def setUp(self):
        super().setUp()
        self.start_fake()

    def names(self, *arguments):
        return self.ok("list", "--names", *arguments).splitlines()

    def test_programs_stand_beside_names_that_do_not_say_them(self):
        text = self.ok("list")
        self.assertIn("new (train.py) ", text)
        for name in ("cc1 ", "make ", "as "):
            self.assertIn("\n" + name, "\n" + text)
            self.assertNotIn("\n" + name + "(", text)

    def test_a_tier_that_is_not_predicted_has_a_question_mark(self):
        self.assertRegex(self.ok("list"), r"\nnew \(train.py\) +interactive\? ")
        self.assertRegex(self.ok("list"), r"\nwine +lat-critical ")

    def test_what_is_over_before_a_slice_matters_is_brief(self):
        self.assertRegex(self.ok("list"), r"\nmake +brief\? ")
        self.assertEqual(self.names("--tier=brief"), ["make"])
        # Its runs are as short, but it takes CPU time again and again.
        self.assertRegex(self.ok("list"), r"\nfirefox +interactive ")
        self.assertEqual(self.names("--tier=interactive"), ["firefox", "make", "new"])
        self.assertIs({row["name"]: row for row in self.json("list")}["make"]["brief"], True)

    def test_kernel_threads_are_counted_and_not_shown(self):
        self.assertIn("9 profiles, 5 confident; with 1 kernel thread (--all) 10 and 6.\n", self.ok("list"))
        self.assertIn("Learned: 10 profiles, 6 confident", self.ok("status"))
        self.assertIn("10 profiles, 6 confident.\n", self.ok("list", "--all"))
        self.assertIn("1 profile, ", self.ok("list", "a b*"))
        self.assertEqual((len(self.json("list")), len(self.names())), (10, 10))

    def test_explain_says_whose_program_it_is(self):
        text = self.ok("explain", "new")
        self.assertIn("Its last task ran /home/a/train.py.\n", text)
        self.assertNotIn("Its last task ran", self.ok("explain", "cc1"))
        self.assertRegex(self.ok("explain", "cc1"), r"\nCPU now +93.0 % of a CPU\n")
        self.assertRegex(self.ok("explain", "cc1"), r"\nWake-ups +0.4/s\n")

    def test_columns_are_chosen(self):
        self.assertEqual(self.ok("list", "--columns=name,cpu,wakeups", "cc1").splitlines()[:2],
                         ["NAME   CPU WAKEUPS", "cc1  93.0%   0.4/s"])
        self.assertIn("there is no column \"x\"", self.fails(2, "list", "--columns=name,x"))

    def test_a_sort_by_cpu(self):
        for column in ("cpu", "cpu_share"):
            self.assertEqual(self.names("--sort=" + column)[:3], ["cc1", "firefox", "as"])

    def test_a_sort_by_slice_begins_with_the_shortest(self):
        self.assertEqual(self.names("--sort=slice")[:2], ["pipewire", "wine"])
        self.assertEqual(self.names("--sort=slice", "--reverse")[-2:], ["wine", "pipewire"])

    def test_the_columns_of_the_table_are_in_the_order_of_their_words(self):
        words = "name,tier,confidence,cpu,slice,runtime,seen,deviation,observed,wakeups,origin"
        self.assertEqual(self.ok("list", "--columns=" + words), self.ok("list"))

    def test_a_pattern_without_a_match_is_said(self):
        self.assertEqual(self.ok("list", "z*", "y"), 'No name and no program matches "z*" or "y".\n')


class Ps(ClientTest):
    def setUp(self):
        super().setUp()
        self.start_fake()

    def rows(self, *arguments):
        lines = (line.split() for line in self.ok("ps", *arguments).splitlines())
        return {words[2]: " ".join(words[3:]) for words in lines if len(words) > 7 and words[1].isdigit()}

    def test_it_says_why(self):
        self.assertEqual(self.rows(), {"cc1": "batch 20.0 ms 0 1.50 s predicted",
                                       "wine": "lat-critical 107 µs 0 5.00 ms override",
                                       "mixer": "lat-critical 107 µs -1 7.00 ms measured",
                                       "game": "- 3.00 ms -5 70.0 ms set by another program",
                                       "rtkit": "- - 0 9.00 ms set by another program",
                                       "pandemonium-pro": "- 100 µs 0 9.00 ms the service's own"})
        self.assertIn("6 tasks; beside 1 task that nothing was set of, which --all shows.\n", self.ok("ps"))

    def test_names_and_numbers_choose_any_task(self):
        self.assertEqual(set(self.rows("--all")), {"cc1", "wine", "mixer", "game", "bash", "rtkit",
                                                    "pandemonium-pro"})
        self.assertEqual(set(self.rows("b*", "301")), {"bash", "mixer"})
        self.assertIn("none", self.rows("bash")["bash"])
        self.assertEqual(set(self.rows("--tier=lat-critical")), {"wine", "mixer"})

    def test_what_no_task_has_is_said(self):
        self.assertEqual(self.fails(3, "ps", "nosuch"), 'No task matches "nosuch".\n')
        self.assertEqual(self.fails(3, "ps", "999999"),
                         "No process or thread has the ID 999999, and no task that name.\n")
        self.assertEqual(self.fails(3, "ps", "--tier=interactive"), 'No task is of the tier "interactive".\n')

    def test_an_override_is_not_why_a_task_has_a_slice_that_it_had_before(self):
        self.ok("override", "set", "cc1", "lat-critical")
        self.assertEqual(self.rows("cc1")["cc1"], "batch 20.0 ms 0 1.50 s measured")
        self.ok("override", "set", "cc1", "batch")
        self.assertEqual(self.rows("cc1")["cc1"], "batch 20.0 ms 0 1.50 s override")

    def test_an_override_of_a_program_is_why(self):
        self.ok("override", "set", "--program", "game", "batch")
        self.assertEqual(self.rows("game")["game"], "batch 3.00 ms -5 70.0 ms override of its program")
        self.assertEqual(set(self.rows("--tier=batch")), {"cc1", "game"})

    def test_json_has_the_members_and_why(self):
        task = self.json("ps", "300")[0]
        self.assertEqual((task["tid"], task["slice_ns"], task["nice"], task["why"]),
                         (301, 107300, -1, "measured"))


class Run(ClientTest):
    def start_fake(self, *options):
        return super().start_fake("--set=ApplyActive=true", *options)

    def run_in(self, *command, options=("--tier=batch",), **more):
        return subprocess.run([CTL, "run", *options, *command], env=self.bus.environment(), check=False,
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, **more)

    def test_it_holds_the_tier_while_the_program_runs(self):
        fake = self.start_fake()
        done = self.run_in("/bin/sh", "-c", CTL + ' list --json sh; echo "$0 $1"', "-x", "--tier=y")
        self.assertEqual((done.returncode, done.stderr), (
            0, 'Until this ends, all new tasks named "sh" start as batch, not its own alone.\n'))
        self.assertIn("-x --tier=y\n", done.stdout)
        self.assertRegex(fake.stdout.readline(), r"^held sh batch pandemoniumctl run, process \d+$")
        self.assertEqual(fake.stdout.readline(), "released 1\n")

    def test_explain_says_that_a_hold_decides(self):
        self.start_fake()
        with tempfile.TemporaryDirectory() as directory:
            os.symlink("/bin/sh", directory + "/new")
            done = self.run_in(directory + "/new", "-c", CTL + " explain new")
        self.assertIn('New tasks named "new" start as batch as long as a caller holds them there', done.stdout)
        self.assertNotIn("Nothing is predicted", done.stdout)

    def test_the_exit_status_is_that_of_the_program(self):
        self.start_fake()
        for text, code in (("exit 7", 7), ("kill -9 $$", 137), ("exit 0", 0)):
            self.assertEqual(self.run_in("sh", "-c", text).returncode, code)

    def test_signals_reach_the_program(self):
        self.start_fake()
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGUSR1):
            script = "trap 'echo got; exit 9' TERM INT USR1; echo ready; while :; do sleep 0.1; done"
            process = subprocess.Popen([*TIED, CTL, "run", "--tier=batch", "sh", "-c", script],
                                       env=self.bus.environment(), stdout=subprocess.PIPE, text=True)
            self.addCleanup(stop, process)
            self.assertEqual(process.stdout.readline(), "ready\n")
            process.send_signal(number)
            self.assertEqual((process.stdout.readline(), process.wait(WAIT_S)), ("got\n", 9))

    def test_a_signal_that_comes_at_once_reaches_the_program(self):
        self.start_fake()
        asan = os.environ.get("ASAN_OPTIONS", "") + ":verify_asan_link_order=0"
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        known = directory.name + "/known"
        environment = self.bus.environment() | {"LD_PRELOAD": os.environ["SLOW_FORK"], "SLOW_FORK_UNTIL": known,
                                                "ASAN_OPTIONS": asan.strip(":")}
        script = ("unset LD_PRELOAD; trap 'echo got; exit 9' TERM; echo ready; tries=0; "
                  "while [ $tries -lt 300 ]; do sleep 0.1; tries=$((tries + 1)); done")
        # The program runs before the client knows its ID; GDBus has a thread that blocks no signal.
        process = subprocess.Popen([*TIED, CTL, "run", "--tier=batch", "sh", "-c", script],
                                   env=environment, stdout=subprocess.PIPE, text=True)
        self.addCleanup(stop, process)
        self.assertEqual(process.stdout.readline(), "ready\n")
        process.send_signal(signal.SIGTERM)
        with open(known, "wb"):
            self.assertEqual((process.stdout.readline(), process.wait(WAIT_S)), ("got\n", 9))

    def test_what_is_ignored_stays_ignored_in_the_program(self):
        self.start_fake()
        done = subprocess.run(["sh", "-c", 'trap "" HUP; exec "$@"', "sh", CTL, "run", "--tier=batch", "sh", "-c",
                               "kill -HUP $$; exit 3"], env=self.bus.environment(), check=False, timeout=60)
        self.assertEqual(done.returncode, 3)

    def test_what_cannot_be_run_is_said(self):
        self.start_fake()
        done = self.run_in("/nonexistent/x")
        self.assertEqual((done.returncode, done.stderr),
                         (127, 'Cannot run "/nonexistent/x": No such file or directory.\n'))
        self.assertEqual(self.run_in("/etc/passwd").returncode, 126)

    def test_without_a_service_nothing_is_run_unless_told(self):
        done = self.run_in("echo", "ran")
        self.assertEqual((done.returncode, done.stdout), (125, ""))
        self.assertIn("The service pandemonium-procdbd is not running", done.stderr)
        self.assertIn('"echo" was not run; --anyway runs it without a tier.\n', done.stderr)
        done = self.run_in("echo", "ran", options=("--tier=batch", "--anyway"))
        self.assertEqual((done.returncode, done.stdout), (0, "ran\n"))
        self.assertTrue(done.stderr.endswith('\n"echo" runs without a tier.\n'), done.stderr)

    def test_a_denial_names_the_missing_action(self):
        self.start_fake("--fail=Hold=org.freedesktop.DBus.Error.AccessDenied:Not authorized")
        done = self.run_in("echo", "ran")
        self.assertEqual((done.returncode, done.stdout), (125, ""))
        self.assertIn("the action org.pandemonium.procdb.set-override in", done.stderr)

    def test_a_wrong_command_line_is_no_status_of_a_program(self):
        for options in ((), ("--tier=magic",), ("--nosuch",)):
            self.assertEqual(self.run_in("true", options=options).returncode, 125)

    def test_a_program_outlives_the_bus(self):
        self.start_fake()
        process = subprocess.Popen([*TIED, CTL, "run", "--tier=batch", "sh", "-c",
                                    "echo ready; read line; exit 3"], env=self.bus.environment(),
                                   stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.addCleanup(stop, process)
        self.assertEqual(process.stdout.readline(), "ready\n")
        self.bus.process.kill()
        self.bus.process.wait()
        process.stdin.write("go\n")
        process.stdin.flush()
        self.assertEqual(process.wait(WAIT_S), 3)


if __name__ == "__main__":
    unittest.main(verbosity=2)
