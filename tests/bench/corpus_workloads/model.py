# SPDX-License-Identifier: GPL-2.0-only
# Copyright (C) 2026 The ProcDb developers
"""What a workload of the corpus is, and what a person may want of a task."""

import re
from dataclasses import dataclass

TREATMENTS = ("default", "long", "short", "other")


@dataclass(frozen=True)
class Wish:
    """What a person wants of a task, and the treatments that give it to them."""
    name: str
    wanted: frozenset
    used_by_a_person: bool = False  # must not wait

    @property
    def counts(self):
        """Whether any treatment at all could be wrong."""
        return len(self.wanted) < 3


def wish(name, wanted, person=False):
    return Wish(name, frozenset(wanted.split()), person)


# It computes: its end is wanted, not its progress.
WAITS = wish("may wait", "long")
# As that, and its runs are so short that a slice changes nothing.
WAITS_BRIEF = wish("may wait, short runs", "long default")
# A person sees or hears each of its wake-ups, and it sleeps nearly always.
PROMPT = wish("must not wait, sleeps", "short", person=True)
# As that, and it works a lot: a slice of its own may be shorter than its work.
PROMPT_BUSY = wish("must not wait, works", "short default", person=True)
# Others wait for it, but it would take a long slice from them, and a short one for nothing.
STOCK = wish("as stock", "default short")
ANY = wish("does not matter", "default long short")


@dataclass(frozen=True)
class Label:
    """What is wanted of those threads of a workload whose name matches whole."""
    comm: str
    wish: Wish
    why: str

    def matches(self, comm):
        return re.fullmatch(self.comm, comm, re.DOTALL) is not None


# What starts and stops the workload, and the person that types.
SCAFFOLD = Label(r"corpus-.*|procdb-corpus-r|sh|timeout|sleep|setsid|setpriv|seq|ln|cp|mv", ANY, "starts and stops the workload")


@dataclass(frozen=True)
class Workload:
    """
    A shell script in a directory of its own, with S (seconds), J (CPUs), BENCH (the
    directory of the benchmarks), PROBE (procdb-probe), PORT and DATA (a directory that
    all workloads share) set. prepare is run once before, unobserved. An endless one is
    stopped after S seconds; another has to end by itself, with status 0.
    """
    name: str
    needs: str  # programs
    command: str
    labels: tuple
    prepare: str = ""
    endless: bool = True

    def label_of(self, comm):
        for label in (SCAFFOLD, *self.labels):
            if label.matches(comm):
                return label
        return None
