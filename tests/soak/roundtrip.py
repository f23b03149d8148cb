# SPDX-License-Identifier: GPL-2.0-only
# Copyright (C) 2026 The ProcDb developers
"""What was learned is the same after a stop and a start, value by value.

usage: roundtrip.py SECONDS

The real observer learns from real programs; then the maps of another scheduler
stand in for BPF, so that nothing is learned between the two looks.
"""

import os
import subprocess
import sys
import time

from harness import INIT, OBSERVE, Service, create_pins, entries, remove_pins, wait_for

PROGRAMS = (("builder", "30000", "100"), ("editor", "200", "8000"), ("mixer", "100", "1500"))
# Whether it was seen lately is not remembered.
CHANGES = {"origin"}


def learn(service, seconds):
    end = time.monotonic() + seconds
    running = [subprocess.Popen([os.environ["BEHAVE"], *program, str(seconds)]) for program in PROGRAMS]
    storm = subprocess.Popen([os.environ["STORM"], "40", str(seconds)])
    while time.monotonic() < end:
        time.sleep(0.2)
    for process in (*running, storm):
        assert process.wait(20) == 0
    service.wait_ticks(2)


def freeze(service):
    """Foreign pins take the place of the observer; what is confident is published there."""
    service.call("SetBackend", "(s)", "none")
    create_pins()
    service.call("SetBackend", "(s)", "pinned")
    wait_for(lambda: service.state() == ("pinned", "active"), 3, "the pins are used")
    service.wait_ticks(2)
    assert not entries(OBSERVE)


def confident(service):
    return {name: {column: value for column, value in row.items() if column not in CHANGES}
            for name, row in service.profiles().items() if row["confident"]}


def main():
    seconds = float(sys.argv[1])
    with Service(backend="observer") as service:
        learn(service, seconds)
        freeze(service)
        before, predictions = confident(service), entries(INIT)
        explained = {name: service.call("GetProfile", "(s)", name) for name in before}
    remove_pins()
    create_pins()
    with Service(backend="pinned") as service:
        after = confident(service)
        service.wait_ticks(1)
        assert entries(INIT) == predictions
        again = {name: service.call("GetProfile", "(s)", name) for name in after}
    assert len(before) >= 3 and len(predictions) == min(len(before), 512), (before, predictions)
    assert after.keys() == before.keys(), after.keys() ^ before.keys()
    for name, row in before.items():
        assert after[name] == row, (name, row, after[name])
        for key in ("confidence", "votes", "tier", "first-seen", "taught-by"):
            assert explained[name].get(key) == again[name].get(key), (name, key)
    several = sum(sum(vote > 0 for vote in row["votes"]) > 1 for row in before.values())
    print(f"{len(before)} confident profiles, {several} with votes for several tiers, and "
          f"{len(predictions)} predictions are the same")


if __name__ == "__main__":
    main()
