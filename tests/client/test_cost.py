#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
# Copyright (C) 2026 The ProcDb developers
"""What a list of thousands costs the client, in instructions that callgrind counts.

Nearly the same in every run and on every machine: the bounds are well above what it takes, and below what it
took before answers came by packed columns, of which GDBus makes no object for each text, and before each value of
JSON was written as it is read.
"""

import re
import shutil
import subprocess
import sys
import unittest

from support import CTL, ClientTest

ROWS = 2000


class Cost(ClientTest):
    def instructions(self, *arguments, rows=ROWS):
        """With what the start takes."""
        done = subprocess.run(["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", CTL, *arguments],
                              env=self.bus.environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                              timeout=150, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertGreaterEqual(done.stdout.count("many"), rows)
        return int(re.search(r"Collected : (\d+)", done.stderr)[1])

    def test_a_row_of_a_list_has_a_bound(self):
        self.start_fake("--many", str(ROWS))
        for arguments, most in ((["list"], 40_000), (["list", "--names"], 7_500), (["list", "--json"], 60_000)):
            with self.subTest(arguments):
                cost = self.instructions(*arguments) / ROWS
                print(f"# {' '.join(arguments)}: {cost:.0f} instructions a row, at most {most}", file=sys.stderr)
                self.assertLess(cost, most)

    def test_what_is_not_wanted_costs_nothing(self):
        """A pattern is tried by the service: what it keeps is not sent."""
        self.start_fake("--many", str(ROWS))
        for options in ([], ["--json"]):
            cost = self.instructions("list", "many7", *options, rows=1)
            print(f"# list many7 {' '.join(options)}: {cost} instructions", file=sys.stderr)
            self.assertLess(cost, ROWS * 10_000)


if __name__ == "__main__":
    if not shutil.which("valgrind"):
        print("SKIP: valgrind is not installed")
        sys.exit(77)
    unittest.main()
