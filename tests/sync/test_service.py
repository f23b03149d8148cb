#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
# Copyright (C) 2026 The ProcDb developers
"""The service's options and keys agree with its configuration file and manual."""

import os
import re
import shutil
import subprocess
import unittest

from sync import SOURCE, help_options, man_options, text

DAEMON = os.environ["PANDEMONIUM_PROCDBD"]
PAGES = os.environ["MANUAL_PAGES"].split(":")


def keys():
    """(group, key) as the service knows them."""
    table = text("service", "config", "keys.c").split("keys[] = {")[1].split("};")[0]
    return set(re.findall(r'\{"(\w+)", "(\w+)"', table))


def commented_keys():
    """(group, key) as the vendor's file has them, commented out."""
    found, group = set(), None
    for line in text("data", "procdb.conf").splitlines():
        header = re.match(r"\[(\w+)\]$", line)
        key = re.match(r"#(\w+)=", line)
        if header:
            group = header[1]
        elif key:
            found.add((group, key[1]))
    return found


def manual_keys():
    found, group = set(), None
    for line in text("data", "man", "procdb.conf.5.in").splitlines():
        header = re.match(r"\.Sh SECTION \[(\w+)\]$", line)
        key = re.match(r"\.It Va (\w+) Ns =$", line)
        if header:
            group = header[1]
        elif key:
            found.add((group, key[1]))
    return found


class Service(unittest.TestCase):
    def test_the_vendor_file_has_every_key_commented_out(self):
        self.assertEqual(commented_keys(), keys())
        active = [line for line in text("data", "procdb.conf").splitlines()
                  if re.match(r"\w+ *=", line)]
        self.assertEqual(active, [])

    def test_the_manual_has_every_key(self):
        self.assertEqual(manual_keys(), keys())

    @unittest.skipUnless(shutil.which("groff"), "groff is not installed")
    def test_the_manual_pages_are_well_formed(self):
        for page in PAGES:
            done = subprocess.run(["groff", "-Tutf8", "-mdoc", "-ww", "-z", page],
                                  capture_output=True, text=True, check=True)
            self.assertEqual(done.stderr, "", page)

    @unittest.skipUnless(shutil.which("mandoc"), "mandoc is not installed")
    def test_the_manual_pages_please_mandoc_and_fit_a_terminal(self):
        for page in PAGES:
            lint = subprocess.run(["mandoc", "-T", "lint", "-W", "warning", page],
                                  capture_output=True, text=True, check=False)
            self.assertEqual(lint.stdout + lint.stderr, "", page)
            shown = subprocess.run(["mandoc", "-T", "utf8", "-O", "width=78", page],
                                   capture_output=True, text=True, check=True).stdout
            for line in re.sub(".\b", "", shown).splitlines():
                self.assertLessEqual(len(line), 80, page)

    def test_the_manual_has_every_option(self):
        done = subprocess.run([DAEMON, "--help"], capture_output=True, text=True, check=True)
        page = text("data", "man", "pandemonium-procdbd.8.in")
        found = set()
        for line in page.split(".Sh OPTIONS")[1].split(".Sh")[0].splitlines():
            if line.startswith(".It Fl"):
                found |= man_options(line)
        self.assertEqual(found, help_options(done.stdout))


if __name__ == "__main__":
    unittest.main(verbosity=2)
