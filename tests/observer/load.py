#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
# Copyright (C) 2026 The ProcDb developers
"""The kernel takes the BPF programs of another compiler.

usage: load.py ATTACH OURS OTHER [OURS OTHER...]

What the kernel's verifier takes of a program depends on the compiler that made it. Of each pair of
objects, made of the same source, it has to take those programs of OTHER that it takes of OURS.
"""

import os
import subprocess
import sys

# The constants that the service sets before it loads an object: they decide what is dead code.
CONSTANTS = {
    "observer": [["online_cpus=2"]],
    "scheduler": [["online_cpus=2", "nr_cpus=2"]],
}


def taken(attach, path, constants):
    """The names of the programs that the kernel takes, and what libbpf says of the rest."""
    result = subprocess.run([attach, "--load", path, *constants], capture_output=True, text=True,
                            check=False)
    if result.returncode:
        sys.exit(f"{path}: {result.stderr}")
    return result.stdout.split(), result.stderr


def main():
    attach, *paths = sys.argv[1:]
    count, refused = 0, []
    for ours, other in zip(paths[::2], paths[1::2]):
        for constants in CONSTANTS.get(os.path.basename(ours).split(".")[0], [[]]):
            known = taken(attach, ours, constants)[0]
            got, log = taken(attach, other, constants) if known else ([], "")
            count += len(known)
            missing = [name for name in known if name not in got]
            if missing:
                refused += missing
                print(f"{log}FAILED: the kernel refuses {', '.join(missing)} of {other}", *constants)
    if not count:
        print("SKIP: may not load BPF programs here")
        sys.exit(77)
    print(f"{count} programs, {len(refused)} of them refused")
    sys.exit(bool(refused))


if __name__ == "__main__":
    main()
