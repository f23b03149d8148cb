#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
# Copyright (C) 2026 The ProcDb developers
"""Overrides as pandemoniumctl sets, clears and lists them, against the fake service."""

import os
import subprocess
import unittest

from support import CTL, ClientTest


class Overrides(ClientTest):
    def setUp(self):
        super().setUp()
        self.start_fake()

    def names(self):
        return self.ok("list", "--names").splitlines()

    def test_what_clears_an_override_says_what_counts(self):
        self.ok("override", "set", "later", "batch")
        self.assertEqual(self.ok("override", "clear", "later"),
                         '"later" has no override now; nothing was learned about it.\n')
        self.assertEqual(self.ok("override", "clear", "wine"),
                         '"wine" has no override now; what was learned about it counts.\n')
        self.assertIn('There is no override of "nosuch".', self.fails(3, "override", "clear", "nosuch"))

    def test_an_override_that_a_file_declares_counts_again_and_is_no_decision_of_an_administrator(self):
        path = "/etc/pandemonium/procdb.conf.d/o.conf"
        self.ok("override", "set", "declared", "batch")
        self.assertEqual(self.ok("override", "clear", "declared"),
                         '"declared" has no override of an administrator now; that of %s counts.\n' % path)
        self.assertIn('New tasks named "declared" start as batch because %s says so.\n' % path,
                      self.ok("explain", "declared"))

    def test_an_override_below_a_hold_does_not_say_that_it_counts(self):
        done = subprocess.run([CTL, "run", "--tier=lat-critical", "sh", "-c", CTL + " override set sh batch"],
                              env=self.bus.environment(), stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              check=False)
        self.assertTrue(done.stdout.startswith('The override of "sh" is set; a caller, such as a run, holds new '
                                               "tasks at lat-critical until it ends.\n"), done)

    def test_where_nothing_is_applied_an_override_says_so(self):
        idle = "No slices are given now, since the mode is none: until they are, it changes nothing.\n"
        for sets, ends in ((("ApplyReason='the mode is none'",), idle), (("ApplyActive=true",), "as they are.\n"),
                           (("BackendInUse='sched-ext'",), "as they are.\n")):
            with self.subTest(sets):
                ClientTest.setUp(self)
                self.start_fake(*("--set=" + text for text in sets))
                told = self.ok("override", "set", "cc1", "as", "batch")
                self.assertTrue(told.endswith(ends), told)
                self.assertEqual(told.count("No slices"), int(ends == idle))

    def test_an_override_is_of_one_name_that_is_given(self):
        self.assertIn("the name is empty", self.fails(2, "override", "set", "cc1", "", "batch"))
        self.assertIn('"c*" is a pattern, and an override is of one name; --program and --unit take patterns',
                      self.fails(2, "override", "set", "c*", "batch"))
        self.assertEqual([row["name"] for row in self.json("override", "list")], ["wine"])
        self.ok("override", "set", "--literal", "c*", "batch")
        self.ok("override", "clear", "c*")

    def test_an_override_of_a_script_says_what_its_path_means(self):
        script = os.path.join(self.bus.directory.name, "train.py")
        with open(script, "w", encoding="utf-8") as file:
            file.write("#!/usr/bin/python3\n")
        hint = ('A script is meant where it is started by that path; "train.py" alone means each script of that '
                "name.\n")
        self.assertIn(hint, self.ok("override", "set", "--program", script, "batch"))
        for other in ("train.py", "*/train.py", "/bin/sh"):
            self.assertNotIn("A script", self.ok("override", "set", "--program", other, "batch"))
        for typed in ("python3 train.py", "/usr/bin/python3 -u train.py"):
            self.assertIn('"%s" is a command line; of a script give the name alone: "train.py"' % typed,
                          self.fails(2, "override", "set", "--program", typed, "batch"))

    def test_overrides(self):
        self.assertEqual(self.json("override", "set", "later", "batch"),
                         {"name": "later", "override": "batch"})
        self.assertEqual([row["name"] for row in self.json("override", "list")],
                         ["later", "wine"])
        self.assertEqual(self.json("override", "clear", "wine"), {"name": "wine", "override": None})
        self.assertIn("later", self.ok("override", "list"))

    def test_overrides_of_programs_and_units(self):
        self.assertEqual(self.json("override", "set", "--program", "train.py", "batch"),
                         {"program": "train.py", "override": "batch"})
        told = self.ok("override", "set", "--program", "./a b.py", "lat-critical")
        self.assertIn('Tasks that begin to run "%s/a b.py" start as lat-critical' % os.getcwd(), told)
        self.assertIn("No slices are given now: until they are, it changes nothing.\n", told)
        self.ok("override", "set", "-u", "app-*.scope", "x.service", "batch")
        rows = [words for words in map(str.split, self.ok("override", "list").splitlines()) if words]
        self.assertEqual(rows[:2], [["OF", "NAME", "TIER", "SOURCE"],
                                    ["program", "train.py", "batch", "administrator"]])
        self.assertIn(["unit", "app-*.scope", "batch", "administrator"], rows)
        self.assertIn(["name", "wine", "lat-critical", "administrator"], rows)
        self.assertIn({"unit": "x.service", "tier": "batch", "override_source": "administrator"},
                      self.json("override", "list"))
        self.assertEqual(self.ok("override", "clear", "--program", "train.py"),
                         'The override of the program "train.py" is cleared; tasks that it decided stay as '
                         "they are.\n")
        self.assertIn('There is no override of the program "train.py"',
                      self.fails(3, "override", "clear", "--program", "train.py"))
        self.assertIn("exclude each other", self.fails(2, "override", "set", "-p", "-u", "x", "batch"))

    def test_several_overrides_are_one_command(self):
        self.assertEqual(self.json("override", "set", "later", "cc1", "batch"),
                         [{"name": "later", "override": "batch"},
                          {"name": "cc1", "override": "batch"}])
        self.assertEqual(self.ok("override", "clear", "later", "cc1").count("has no override now"), 2)

    def test_an_override_that_can_never_match_is_refused_with_what_can(self):
        for typed, name in (("telegram-desktop", "telegram-deskto"),
                            ("gnome-control-center", "gnome-control-c"),
                            ("/usr/bin/vim", "vim"), ("./build/unit-test-runner", "unit-test-runne"),
                            ("größe-und-länge", "größe-und-lä")):
            told = self.fails(2, "override", "set", "later", typed, "batch")
            self.assertIn('no task is named "%s"' % typed, told)
            self.assertIn('give "%s"\n' % name, told)
        self.assertIn("is a process or thread named",
                      self.fails(2, "override", "set", str(os.getpid()), "batch"))
        self.ok("override", "set", "--literal", str(os.getpid()), "batch")
        self.assertNotIn("later", self.names())
        for name in ("kworker/0:1", "a/b", "fifteen-bytes-x"):
            self.ok("override", "set", name, "batch")


if __name__ == "__main__":
    unittest.main(verbosity=2)
