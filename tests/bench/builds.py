# SPDX-License-Identifier: GPL-2.0-only
# Copyright (C) 2026 The ProcDb developers
"""A build beside a probe that wakes as an interactive program does."""

import json
import os
import signal
import subprocess
import sys
import time

import lab

IDLE_SECONDS = 10


def machine():
    compiler = subprocess.run(["gcc", "--version"], capture_output=True, text=True, check=True)
    return {**lab.machine(), "compiler": compiler.stdout.split("\n")[0]}


def foreign_cpu():
    """CPU time of all tasks so far, in seconds, to see what else ran."""
    fields = open("/proc/stat").readline().split()[1:]
    busy = [int(f) for i, f in enumerate(fields) if i not in (3, 4)]
    return sum(busy[:7]) / os.sysconf("SC_CLK_TCK")


def start_probe(args):
    return subprocess.Popen([args.build / "tests/bench/procdb-probe", str(args.period_us),
                             str(args.work_us)], stdout=subprocess.PIPE)


def no_build(args):
    """The probe alone; nothing was built."""
    before = foreign_cpu()
    probe = start_probe(args)
    time.sleep(IDLE_SECONDS)
    probe.send_signal(signal.SIGTERM)
    latency = json.loads(probe.communicate()[0])
    return {"seconds": IDLE_SECONDS, "cpu_seconds": 0, "latency": latency,
            "other_cpu_seconds": max(0, foreign_cpu() - before - latency["n"] * args.work_us / 1e6)}


def one_build(args, tree, prefix):
    """Builds once beside the probe; returns the figures of both."""
    if prefix is None:
        return no_build(args)
    subprocess.run(["make", "-s", "clean"], cwd=tree, check=True)
    before = foreign_cpu()
    probe = start_probe(args)
    start = time.monotonic()
    try:
        make = subprocess.Popen([*prefix, "make", "-s", f"-j{args.jobs}"], cwd=tree,
                                stdout=subprocess.DEVNULL, start_new_session=args.separate)
        try:
            _, status, usage = os.wait4(make.pid, 0)
        except BaseException:
            make.terminate()
            make.wait()
            raise
        seconds = time.monotonic() - start
        make.returncode = os.waitstatus_to_exitcode(status)
    finally:
        probe.send_signal(signal.SIGTERM)
        output, _ = probe.communicate()
    if make.returncode != 0:
        sys.exit(f"bench: the build failed with status {make.returncode}")
    latency = json.loads(output)
    cpu = usage.ru_utime + usage.ru_stime
    return {"seconds": seconds, "cpu_seconds": cpu, "latency": latency,
            # What neither the build nor the probe used: how quiet the machine was.
            "other_cpu_seconds": max(0, foreign_cpu() - before - cpu
                                     - latency["n"] * args.work_us / 1e6)}
