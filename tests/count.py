#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
# Copyright (C) 2026 The ProcDb developers
"""Counts the results of meson test runs.

usage: count.py TESTLOG.json=STATUS...

STATUS is what `meson test` returned. Prints what failed and what was skipped, and last "N passed, N failed, N
skipped". A test that speaks TAP counts as its subtests, another one as one.
A log that is not there, or without a failure though STATUS is not 0, counts as
one failure. Fails when something failed or when nothing passed.
"""

import json
import os
import re
import sys

TAP = re.compile(r"^(TAP version \d+|1\.\.\d+.*)$", re.M)
SUBTEST = re.compile(r"^(not )?ok\b *(.*)$", re.M)
PASSED = ("OK", "EXPECTEDFAIL")


def results(test):
    """The (name, "passed" | "failed" | "skipped", reason) of one entry of a test log."""
    name, result, output = test["name"], test["result"], test.get("stdout") or ""
    if TAP.search(output):
        found = []
        for failed, rest in SUBTEST.findall(output):
            label, _, directive = rest.partition(" # ")
            label = f"{name}: {label.strip()}"
            if directive.upper().startswith("SKIP"):
                found.append((label, "skipped", directive))
            elif failed and not directive.upper().startswith("TODO"):
                found.append((label, "failed", ""))
            else:
                found.append((label, "passed", ""))
        if found:
            # A crash or a time-out after the last line is a failure of its own.
            if result not in PASSED + ("SKIP",) and not any(f[1] == "failed" for f in found):
                found.append((name, "failed", result))
            return found
    if result in PASSED:
        return [(name, "passed", "")]
    if result == "SKIP":
        lines = (output + (test.get("stderr") or "")).strip().splitlines()
        reason = next((line for line in lines if "SKIP" in line), lines[-1] if lines else "")
        return [(name, "skipped", reason)]
    return [(name, "failed", result)]


def run(path, status):
    """The outcomes of one test run, as results() gives them."""
    found = []
    if os.path.exists(path):
        with open(path, encoding="utf-8", errors="replace") as log:
            for line in log:
                found += results(json.loads(line))
    if status != "0" and not any(outcome == "failed" for _, outcome, _ in found):
        found.append((path, "failed", "no results" if not found else f"exit status {status}"))
    return found


def main(runs):
    counts = {"passed": 0, "failed": 0, "skipped": 0}
    for path, _, status in (argument.rpartition("=") for argument in runs):
        for name, outcome, reason in run(path, status):
            counts[outcome] += 1
            if outcome != "passed":
                print(f"{outcome}: {name}" + (f" ({reason})" if reason else ""))
    print(", ".join(f"{number} {outcome}" for outcome, number in counts.items()))
    return 1 if counts["failed"] or not counts["passed"] else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
