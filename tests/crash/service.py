# SPDX-License-Identifier: GPL-2.0-only
# Copyright (C) 2026 The ProcDb developers
"""The real service, killed at any moment while it learns, saves and is asked to change.

usage: service.py ROUNDS

What was answered before the kill holds after it, and no file is ever bad.
"""

import os
import random
import subprocess
import sys
import threading
import time

from harness import DATABASE, CallFailed, Service
import pddb

# A save under way nearly always, beside those that are asked for.
CONFIG = "[Database]\nSaveIntervalSec=1\n"
NAMES = [f"asked-{number}" for number in range(40)]


class Asker(threading.Thread):
    """Changes one profile after the other; knows what was answered, and what was not."""

    def __init__(self, service, chance, known):
        super().__init__(daemon=True)
        self.service, self.chance, self.known = service, chance, known
        self.open = None  # the name whose change is not answered yet
        self.answered = 0

    def ask(self, name):
        if self.chance.random() < 0.2:
            self.service.call("Save")
        elif name in self.known:
            self.service.call("DeleteProfile", "(s)", name)
            self.known.discard(name)
        else:
            row = (name, "batch", 1.0, True, 9, (9, 0, 0), 5_000_000, 1000, 3, 5, 0, "retained")
            self.service.call("Import", "(a(ssdbu(uuu)ttttxs)b)", [row], False)
            self.known.add(name)

    def run(self):
        try:
            while True:
                self.open = self.chance.choice(NAMES)
                self.ask(self.open)
                self.open = None
                self.answered += 1
        except CallFailed as failure:
            # It was killed; anything else would show as a lost change.
            self.failure = failure


def files():
    folder = os.path.dirname(DATABASE)
    return sorted(os.listdir(folder)) if os.path.exists(folder) else []


def check(known, unsure):
    """The file, before a service has looked at it."""
    there = {comm.rstrip(b"\0").decode(errors="replace") for comm in pddb.read(DATABASE)}
    asked = {name for name in there if name.startswith("asked-")}
    assert asked ^ known <= unsure, (asked ^ known, unsure)
    return asked


def main():
    rounds = int(sys.argv[1])
    seed = random.randrange(2**32)
    chance = random.Random(seed)
    config = os.environ["LAB_DIR"] + "/procdb.conf"
    with open(config, "w", encoding="utf-8") as file:
        file.write(CONFIG)
    storm = subprocess.Popen([os.environ["STORM"], "300", "100000"])
    known, answered, leftovers = set(), 0, 0
    for _ in range(rounds):
        with Service("--config", config, backend="observer") as service:
            bad = [name for name in files() if ".bad-" in name]
            assert not bad and "checksum" not in service.logged(), (seed, bad, service.logged())
            assert {name for name in service.profiles() if name.startswith("asked-")} == known, seed
            asker = Asker(service, chance, known)
            asker.start()
            time.sleep(chance.uniform(0, 1.2))
            service.kill()
            asker.join(30)
        answered += asker.answered
        leftovers += os.path.basename(DATABASE) + ".tmp" in files()
        if os.path.exists(DATABASE):
            known = check(known, {asker.open} if asker.open else set())
        else:
            assert not known, (seed, known)
    storm.kill()
    storm.wait()
    print(f"{rounds} kills, {leftovers} of them in the middle of writing; {answered} answers held "
          f"(seed {seed})")


if __name__ == "__main__":
    main()
