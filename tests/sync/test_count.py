#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
# Copyright (C) 2026 The ProcDb developers
"""check counts what meson's logs say, and hides no failure."""

import json
import os
import subprocess
import sys
import tempfile
import unittest

from sync import SOURCE

COUNT = os.path.join(SOURCE, "tests", "count.py")
TAP = "TAP version 13\n1..3\nok 1 a\n{} 2 b\nok 3 c # SKIP no d\n"


def entry(name, result="OK", stdout=""):
    return {"name": "procdb:unit / " + name, "result": result, "stdout": stdout, "stderr": "SKIP: no disk\n"}


class Counting(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.log = os.path.join(directory.name, "testlog.json")

    def write(self, *entries, log="testlog.json"):
        with open(os.path.join(os.path.dirname(self.log), log), "w", encoding="utf-8") as file:
            file.writelines(json.dumps(each) + "\n" for each in entries)

    def count(self, status=0):
        done = subprocess.run([sys.executable, "-B", COUNT, f"{self.log}={status}"], stdout=subprocess.PIPE, text=True,
                              check=False)
        return done.returncode, done.stdout.splitlines()

    def again(self):
        return subprocess.run([sys.executable, "-B", COUNT, "--again", self.log], stdout=subprocess.PIPE, text=True,
                              check=True).stdout.split("\n")[:-1]

    def test_subtests_count(self):
        self.write(entry("one"), entry("tap", "FAIL", TAP.format("not ok")), entry("disk", "SKIP"))
        self.assertEqual(self.count(1), (1, ["failed: procdb:unit / tap: 2 b",
                                             "skipped: procdb:unit / tap: 3 c (SKIP no d)",
                                             "skipped: procdb:unit / disk (SKIP: no disk)",
                                             "2 passed, 1 failed, 2 skipped"]))

    def test_no_results_are_a_failure(self):
        self.assertEqual(self.count(1)[1][-1], "0 passed, 1 failed, 0 skipped")
        self.write(entry("one"))
        self.assertEqual(self.count(1)[1][-1], "1 passed, 1 failed, 0 skipped")

    def test_what_passes_twice_alone_was_disturbed(self):
        self.write(entry("one"), entry("two words", "FAIL"))
        self.assertEqual(self.again(), ["two words"])
        self.write(*[entry("two words")] * 2, log="again.json")
        code, lines = self.count(1)
        self.assertEqual((code, lines[-1]), (0, "2 passed, 0 failed, 0 skipped"))
        self.assertIn("disturbed: procdb:unit / two words", lines[0])

    def test_what_fails_once_more_has_failed(self):
        self.write(entry("one"), entry("two", "TIMEOUT"))
        for tries in ([entry("two"), entry("two", "FAIL")], [entry("two")], [entry("two", "SKIP")] * 2, []):
            self.write(*tries, log="again.json")
            self.assertEqual(self.count(1), (1, ["failed: procdb:unit / two (TIMEOUT)",
                                                 "1 passed, 1 failed, 0 skipped"]))

    def test_what_fails_in_numbers_is_not_tried_again(self):
        self.write(*(entry(f"number {number}", "FAIL") for number in range(3)))
        self.assertEqual(self.again(), [""])

    def test_a_run_that_was_cut_short_has_failed(self):
        self.write(entry("one"), entry("two", "FAIL"))
        self.write(*[entry("two")] * 2, log="again.json")
        self.assertEqual(self.count(137)[1][-1], "2 passed, 1 failed, 0 skipped")

    def test_a_subtest_that_is_skipped_the_next_time_has_failed(self):
        self.write(entry("tap", "FAIL", "1..1\nnot ok 1 a\n"))
        self.write(*[entry("tap", "OK", "1..1\nok 1 a # SKIP no a\n")] * 2, log="again.json")
        self.assertEqual(self.count(1)[1][-1], "0 passed, 1 failed, 0 skipped")

    def test_a_crash_is_not_tried_again(self):
        for crash in ({"returncode": -11}, {"result": "INTERRUPT"}, {"stderr": "the service ended with status -11"}):
            self.write({**entry("one", "FAIL"), **crash})
            self.assertEqual(self.again(), [""])

    def test_a_fault_that_a_sanitizer_found_is_not_tried_again(self):
        self.write({**entry("one", "FAIL"), "stderr": "==7==ERROR: AddressSanitizer: heap-use-after-free on ..."})
        self.assertEqual(self.again(), [""])


if __name__ == "__main__":
    unittest.main()
