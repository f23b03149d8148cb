#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
# Copyright (C) 2026 The ProcDb developers
"""The observer sees what a plain one sees that reads a clock at every wake-up and switch.

usage: agree.py ATTACH PLAIN-OBJECT OBSERVER-OBJECT BEHAVE

Both watch the same programs at the same time, in scheduling classes of all
kinds, long and short ones, some moved from CPU to CPU while they wait or sleep;
what they publish of each has to agree. They publish again whenever a task stops,
so that what is compared is the state of both at the same moment, its death: one
stop earlier or later makes an eighth of an average.
"""

import json
import os
import random
import re
import shutil
import struct
import subprocess
import sys
import time

# Both see the whole machine, and on it maybe another run of this test.
PREFIX = f"{os.getpid():x}-"
# A rate of one wake-up in 100 ms is next to the limit of a tier, and rounds to either side by chance.
ROUNDS = 3
# (name, µs of running, µs of sleep, seconds, command in front)
PROGRAMS = [
    ("batch", 40000, 10000, 4, []),
    ("inter", 3000, 15000, 4, []),
    ("lat", 50, 2000, 4, []),
    ("spin", 200000, 0, 3, []),
    ("short", 20000, 0, 0.3, []),
    ("rr", 2000, 8000, 4, ["chrt", "-r", "5"]),
    ("fifo", 100, 3000, 4, ["chrt", "-f", "5"]),
    ("idle", 1000, 20000, 4, ["chrt", "-i", "0"]),
    ("nice", 5000, 20000, 4, ["nice", "-n", "10"]),
    ("deadline", 500, 9000, 4,
     ["chrt", "-d", "--sched-runtime", "2000000", "--sched-period", "10000000", "0"]),
    *((f"moved{number}", 500, 60000, 4, ["chrt", "-i", "0"]) for number in range(4)),
]


def bpftool(*words):
    tool = shutil.which("bpftool") or "/usr/sbin/bpftool"
    return json.loads(subprocess.run([tool, "-j", *words], check=True, capture_output=True).stdout)


class Observer:
    """A BPF object that is attached."""

    def __init__(self, attach, path):
        self.process = subprocess.Popen([attach, path, "observing.renew_ns=1"], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True)
        if self.process.stdout.readline() != "ready\n":
            sys.exit(f"{path} does not attach")

    def observations(self):
        """name -> (tier, avg_runtime, runtime_dev, wakeup_freq, csw_rate)"""
        directory = f"/proc/{self.process.pid}/fdinfo"
        found = {}
        for fd in os.listdir(directory):
            with open(f"{directory}/{fd}", encoding="ascii") as file:
                number = re.search(r"^map_id:\s*(\d+)", file.read(), re.M)
            if not number or bpftool("map", "show", "id", number[1])["name"] != "task_class_obse":
                continue
            for entry in bpftool("map", "dump", "id", number[1]):
                key, value = (bytes(int(byte, 16) for byte in entry[part])
                              for part in ("key", "value"))
                found[key.rstrip(b"\0").decode("latin-1")] = (
                    value[0], *struct.unpack("<QQQQ", value[8:40]))
        return found

    def stop(self):
        self.process.communicate()


def near(a, b, share, slack):
    return abs(a - b) <= max(a, b) * share + slack


def agree(plain, ours):
    """Both measure at slightly different instants, and rates round down."""
    return (plain[0] == ours[0] and near(plain[1], ours[1], 0.15, 30_000)
            and near(plain[3], ours[3], 0.15, 2) and near(plain[4], ours[4], 0.15, 8))


def move(programs):
    """From one CPU to another until they end; one CPU at a time is busy."""
    cpus = sorted(os.sched_getaffinity(0))
    with subprocess.Popen(["sh", "-c", "while :; do :; done"]) as busy:
        while any(program.poll() is None for program in programs):
            os.sched_setaffinity(busy.pid, {random.choice(cpus)})
            for program in programs:
                if program.poll() is None and random.random() < 0.3:
                    os.sched_setaffinity(program.pid, {random.choice(cpus)})
            time.sleep(0.004)
        busy.kill()


def watch(attach, plain_object, observer_object, behave):
    """What both published of each program: name -> (plain, observer)."""
    plain, ours = Observer(attach, plain_object), Observer(attach, observer_object)
    try:
        running = [subprocess.Popen([*front, behave, PREFIX + name, str(run), str(sleep),
                                     str(seconds)])
                   for name, run, sleep, seconds, front in PROGRAMS]
        move([process for process, program in zip(running, PROGRAMS) if "moved" in program[0]])
        for process in running:
            process.wait()
        time.sleep(0.2)
        expected, seen = plain.observations(), ours.observations()
    finally:
        plain.stop()
        ours.stop()
    names = sorted(program[0] for program in PROGRAMS)
    return {name: (expected.get(PREFIX + name), seen.get(PREFIX + name)) for name in names}


def main(*objects):
    if os.geteuid() != 0:
        print("SKIP: needs root")
        return 77
    differ = None
    for _ in range(ROUNDS):
        pairs = watch(*objects)
        if not any(plain for plain, _ in pairs.values()):
            print("nothing was observed at all")
            return 1
        wrong = {name for name, (plain, ours) in pairs.items()
                 if plain != ours and not (plain and ours and agree(plain, ours))}
        for name, (plain, ours) in pairs.items():
            print(f"{name:16} plain {plain} observer {ours}{'  DIFFERENT' if name in wrong else ''}")
        differ = wrong if differ is None else differ & wrong
        if not differ:
            return 0
    print(f"different in each of {ROUNDS} rounds: {' '.join(sorted(differ))}")
    return 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
