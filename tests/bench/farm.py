#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
# Copyright (C) 2026 The ProcDb developers
"""
How long a push and a pull of 2,000 names take, with the real service and a real Redis.

    sudo tests/lab/lab.sh -- /usr/bin/python3 -B tests/bench/farm.py [MACHINES]
"""

import os
import random
import resource
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "integration"))
from farm import RECORDS, TIERS, farm, record  # noqa: E402
from harness import Service  # noqa: E402
from stores import Redis  # noqa: E402

NAMES = 2000
PULLS = 15


def measured(what, times):
    times.sort()
    print(f"{what}: median {times[len(times) // 2]:.0f} ms, {times[0]:.0f} to {times[-1]:.0f}")


def used():
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def main():
    machines = int(sys.argv[1]) if len(sys.argv) > 1 else 41
    dice = random.Random(1)
    usual = {f"prog{number}": (dice.choice(TIERS), dice.randrange(1000, 10**9)) for number in range(NAMES)}
    with Redis() as store, Service() as service:
        pushes, pulls, clients = [], [], []
        for number in range(machines):
            rows = [record(name, tier, dice.randrange(1, 60), int(runtime * dice.uniform(0.5, 2)))
                    for name, (tier, runtime) in usual.items()]
            service.call("ImportProfiles", f"({RECORDS}bb)", rows, True, False)
            began = time.monotonic()
            farm("push", store, f"host-{number}")
            pushes.append(1000 * (time.monotonic() - began))
        for _ in range(PULLS):
            service.call("Reset")
            began, before = time.monotonic(), used()
            farm("pull", store, "fresh")
            pulls.append(1000 * (time.monotonic() - began))
            clients.append(1000 * (used() - before))
        measured(f"push of {NAMES} names of {machines} machines", pushes)
        measured(f"pull of {NAMES} names into a fresh service", pulls)
        measured("of that CPU time of the client", clients)
        memory = next(line for line in store.cli("INFO", "memory") if line.startswith("used_memory:"))
        print(f"the store: {int(memory.split(':')[1]) / 1e6:.1f} MB; "
              + " ".join(line for line in store.cli("INFO", "commandstats") if "evalsha" in line or "hgetall" in line))


if __name__ == "__main__":
    main()
