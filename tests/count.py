#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
# Copyright (C) 2026 The ProcDb developers
"""Counts the results of meson test runs.

usage: count.py TESTLOG.json=STATUS...
       count.py --again TESTLOG.json

STATUS is what `meson test` returned. Prints what failed and what was skipped, and last "N passed, N failed, N
skipped". A test that speaks TAP counts as its subtests, another one as one.
A log that is not there, or without a failure though STATUS is not 0, counts as
one failure. Fails when something failed or when nothing passed.

Many tests are about time, and what else runs on a machine can disturb one. So up to MOST_DISTURBED of a run are
tried again (--again prints their names, if these are all that failed), alone and twice in a row, with AGAIN in place of
the log's name. A test that passes both is counted as passed, and always printed as disturbed, for a person to
look into: it may as well be a race. One that fails once more, that crashed, or of which a sanitizer
reports a fault, has failed.
"""

import json
import os
import re
import sys

TAP = re.compile(r"^(TAP version \d+|1\.\.\d+.*)$", re.M)
SUBTEST = re.compile(r"^(not )?ok\b *(.*)$", re.M)
PASSED = ("OK", "EXPECTEDFAIL")
MOST_DISTURBED = 2
# What no machine that is slow makes of right code.
FAULT = re.compile(r"(Address|Leak|Thread|UndefinedBehavior)Sanitizer|runtime error:|CRITICAL \*\*|double free|"
                   r"Invalid (read|write) of size|SIGSEGV|SIGBUS|status -(4|7|8|11)\b")
CRASHED = (-4, -7, -8, -11)
AGAIN, TRIES = "again.json", 2


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


def entries(path):
    if not os.path.exists(path):
        return []
    with open(path, encoding="utf-8", errors="replace") as log:
        return [json.loads(line) for line in log]


def failed(found):
    return any(outcome == "failed" for _, outcome, _ in found)


def passed_again(path):
    """What passed each time when it was tried again: name -> its last entry."""
    tries = {}
    for entry in entries(os.path.join(os.path.dirname(path), AGAIN)):
        tries.setdefault(entry["name"], []).append(entry)
    return {name: found[-1] for name, found in tries.items()
            if len(found) == TRIES and all(entry["result"] in PASSED for entry in found)}


def is_fault(entry):
    return entry["result"] == "INTERRUPT" or entry.get("returncode") in CRASHED or FAULT.search(str(entry))


def to_try_again(path):
    found = [entry for entry in entries(path) if failed(results(entry))]
    if len(found) > MOST_DISTURBED or any(is_fault(entry) for entry in found):
        return []
    return [entry["name"].rpartition(" / ")[2] for entry in found]


def run(path, status):
    """The outcomes of one test run, as results() gives them, and the names of tests that were disturbed."""
    found, disturbed, again = [], [], passed_again(path)
    for entry in entries(path):
        outcomes = results(entry)
        if failed(outcomes) and entry["name"] in again:
            later = results(again[entry["name"]])
            # A subtest that is skipped then has not passed.
            skipped = {label for label, outcome, _ in later if outcome == "skipped"}
            if not any(outcome == "failed" and label in skipped for label, outcome, _ in outcomes):
                disturbed.append(entry["name"])
                outcomes = later
        found += outcomes
    # meson returns how many failed: what else ended the run was no disturbance.
    if status not in ("0", str(len(disturbed))) and not failed(found):
        found.append((path, "failed", "no results" if not found else f"exit status {status}"))
    return found, disturbed


def main(runs):
    counts = {"passed": 0, "failed": 0, "skipped": 0}
    for path, _, status in (argument.rpartition("=") for argument in runs):
        found, disturbed = run(path, status)
        for name in disturbed:
            print(f"disturbed: {name} (failed, and passed {TRIES} times when it was tried again alone: look into it)")
        for name, outcome, reason in found:
            counts[outcome] += 1
            if outcome != "passed":
                print(f"{outcome}: {name}" + (f" ({reason})" if reason else ""))
    print(", ".join(f"{number} {outcome}" for outcome, number in counts.items()))
    return 1 if counts["failed"] or not counts["passed"] else 0


if __name__ == "__main__":
    if sys.argv[1:2] == ["--again"]:
        print("\n".join(to_try_again(sys.argv[2])))
    else:
        sys.exit(main(sys.argv[1:]))
