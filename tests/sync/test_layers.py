#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
# Copyright (C) 2026 The ProcDb developers
"""The plan of the house: no arrow upward between layers, no circle among files, no file of two things."""

import os
import re
import unittest

from sync import text
from test_docs import tracked

LONGEST = 500

# Layer -> the layers that it may use, beside itself; docs/architecture.md says why.
USES = {
    "bpf": set(),
    "common": {"bpf"},
    "service/log": set(),
    "service/core": {"bpf", "common"},
    "service/store": {"bpf", "common", "service/core"},
    "service/backend": {"bpf"},
    "service/apply": {"bpf", "service/backend"},
    "service/trial": {"bpf", "common", "service/core"},
    "service/engine": {"bpf", "common", "service/core", "service/store", "service/backend", "service/log"},
    "service/config": {"bpf", "common", "service/core", "service/store", "service/backend", "service/apply",
                       "service/engine"},
    "service/bus": {"bpf", "common", "service/core", "service/store", "service/backend", "service/apply",
                    "service/trial", "service/engine", "service/log"},
    "client/ctl.h": {"common"},
    "client/model": {"bpf", "common", "client/ctl.h"},
    "client/view": {"bpf", "common", "client/ctl.h", "client/model"},
    "client": {"bpf", "common", "client/ctl.h", "client/model", "client/view"},
    "client/farm": {"bpf", "common", "client", "client/ctl.h", "client/model", "client/view"},
    "client/commands": {"bpf", "common", "client", "client/ctl.h", "client/farm", "client/model", "client/view"},
    "monitor": {"bpf", "common", "client/ctl.h", "client/model", "client/view"},
}
# Whole programs are put together here.
TOPS = {"service/main.c", "service/options.c", "service/options.h", "service/daemon.c", "service/daemon.h",
        "service/notify.c", "service/notify.h", "service/proof.c", "service/proof.h", "service/putback.c",
        "service/putback.h", "client/main.c", "monitor/main.c"}


def code():
    """Path -> text, of the C files of programs."""
    return {name: text(name) for name in tracked()
            if re.match(r"(bpf|common|service|client|monitor)/.*\.[ch]$", name)}


def layer(path):
    return path if path in TOPS or path in USES else os.path.dirname(path)


def bare(content):
    """Code without comments and strings."""
    return re.sub(r'/\*.*?\*/|"(\\.|[^"\\\n])*"', " ", content, flags=re.DOTALL)


def includes(files):
    """File -> the files of ours that it includes. Of several of one name the nearest is meant."""
    found = {}
    for path, content in files.items():
        found[path] = set()
        for name in re.findall(r'^\s*#\s*include "([^"]+)"', content, re.MULTILINE):
            same = [other for other in files if other.endswith("/" + name)]
            near = [other for other in same if layer(other) == layer(path)]
            below = [other for other in same if layer(other) in USES.get(layer(path), ())]
            found[path] |= set((near or below or same)[:1])
    return found


def calls(files):
    """C file -> the C files whose functions it names. A .bpf.c is a program of its own."""
    units = {path: bare(content) for path, content in files.items()
             if path.endswith(".c") and not path.endswith(".bpf.c")}
    home = {}
    for path, content in units.items():
        for line, name in re.findall(r"^(\w[^\n;={}]*?\b(\w+)\([^;{}]*\)\n\{)", content, re.MULTILINE):
            if not line.startswith("static "):
                home[name] = path
    return {path: {home[name] for name in set(re.findall(r"\b\w+\b", content)) if home.get(name, path) != path}
            for path, content in units.items()}


def circles(arrows):
    """The sets of files that lead to each other."""
    reach = {start: set() for start in arrows}
    for start, found in reach.items():
        ways = list(arrows[start])
        while ways:
            way = ways.pop()
            if way not in found:
                found.add(way)
                ways += arrows.get(way, ())
    return {tuple(sorted(other for other in reach[start] if start in reach.get(other, ())))
            for start in reach if start in reach[start]}


class House(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls.files = code()
        cls.includes = includes(cls.files)
        cls.calls = calls(cls.files)

    def test_it_sees_what_there_is(self):
        self.assertEqual({layer(path) for path in self.files} - TOPS, set(USES))
        self.assertIn("service/core/profile.c", self.calls["service/engine/requests.c"] | self.calls["service/core/table.c"])
        self.assertEqual(circles({"a": {"b"}, "b": {"c"}, "c": {"b"}}), {("b", "c")})

    def test_no_arrow_leads_upward(self):
        for arrows in (self.includes, self.calls):
            for path, others in arrows.items():
                for other in others:
                    with self.subTest(path=path, other=other):
                        self.assertTrue(layer(path) == layer(other) or path in TOPS or
                                        layer(other) in USES[layer(path)])

    def test_no_headers_include_each_other_in_a_circle(self):
        self.assertEqual(circles(self.includes), set())

    def test_no_files_call_each_other_in_a_circle(self):
        self.assertEqual(circles(self.calls), set())


class Sizes(unittest.TestCase):
    def test_no_file_holds_two_things(self):
        for name in tracked():
            if name.startswith(("tests/golden/", "tests/fuzz/corpus/")) or name == "COPYING":
                continue
            try:
                lines = text(name).count("\n")
            except UnicodeDecodeError:
                continue
            with self.subTest(name=name):
                self.assertLessEqual(lines, LONGEST)


if __name__ == "__main__":
    unittest.main(verbosity=2)
