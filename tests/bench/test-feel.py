# SPDX-License-Identifier: GPL-2.0-only
# Copyright (C) 2026 The ProcDb developers
"""feel on a stock kernel, for two seconds: are its figures such as can be?

usage: test-feel.py FEEL BUILD
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

SECONDS = 2
# A machine that stands still for seconds has other figures.
ROUNDS = 3
AUDIO_WORK_US = 1000  # of audio-10
COMMAND = ["--loads", "hogs,make", "--groups", "A", "--probes", "bash,audio-10", "--conditions", "stock",
           "--seconds", str(SECONDS), "--warmup", "1", "--rounds", "1"]


class NotSo(Exception):
    pass


def check(condition, what, found):
    if not condition:
        raise NotSo(f"not so: {what}: {found}")


def check_times(name, times, least, most, work_us=0):
    check(least <= len(times) <= most, f"{name} has {least} to {most} samples", len(times))
    # Work is counted in units that were timed before: done a little faster now, it is early by that.
    check(all(-work_us / 10 < t < SECONDS * 1000000 for t in times), f"{name} has times within the cell", times)
    check(len(set(times)) > 1, f"{name} has times that differ", times)


def measure(feel, build):
    with tempfile.TemporaryDirectory() as directory:
        file = Path(directory, "feel.json")
        output = subprocess.run([feel, "--build", build, "--tools", build, "--json", file, *COMMAND],
                                env={**os.environ, "TMPDIR": directory},
                                stdout=subprocess.PIPE, text=True, check=True).stdout
        print(output)
        cells = json.loads(file.read_text())["cells"]
        check(os.listdir(directory) == [file.name], "nothing else is left behind", os.listdir(directory))
    check([c["load"] for c in cells] == ["hogs", "make"], "a cell for each load", [c["load"] for c in cells])
    for cell in cells:
        figures = cell["figures"]
        check(set(figures) == {"bash", "audio-10"}, "the probes that were named", set(figures))
        # Gaps are 125 to 500 ms; late echoes only make them longer.
        check_times("bash", figures["bash"]["late"], 2, SECONDS * 8)
        check_times("audio-10", figures["audio-10"]["late"], SECONDS * 20, SECONDS * 94 + 1, AUDIO_WORK_US)
        check(figures["bash"]["lost"] == 0, "an echo of each key", figures["bash"]["lost"])
        check(0 <= figures["audio-10"]["missed"] <= len(figures["audio-10"]["late"]), "some misses of all",
              figures["audio-10"]["missed"])
        check(cell["throughput"] > 0, "a load that gets something done", cell["throughput"])
        check(0 <= cell["other_cpu"] <= os.cpu_count(), "others use at most all CPUs", cell["other_cpu"])
    check("Beside make" in output and "stock" in output, "a report", output)


def main():
    if os.geteuid() != 0:
        print("SKIP: not root")
        sys.exit(77)
    if not Path("/dev/ptmx").exists():
        print("SKIP: no /dev/ptmx")
        sys.exit(77)
    for _ in range(ROUNDS):
        try:
            measure(*sys.argv[1:])
            return
        except NotSo as failure:
            print(failure)
    sys.exit(f"not so in each of {ROUNDS} rounds")


if __name__ == "__main__":
    main()
