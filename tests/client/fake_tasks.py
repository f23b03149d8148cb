# SPDX-License-Identifier: GPL-2.0-only
# Copyright (C) 2026 The ProcDb developers
"""The tasks that the fake service has, and what it knows of programs beside their profiles."""

import os

from gi.repository import GLib

from fake_columns import MEMBERS

KINDS = {"pid": "u", "tid": "u", "name": "s", "kind": "s", "uid": "u", "user": "s", "program": "s",
         "predicted": "s", "measured": "s", "slice_ns": "t", "nice": "i", "policy": "u", "set_by": "s",
         "cpu_ns": "t"}


def named(**values):
    return {key: GLib.Variant({**MEMBERS, **KINDS}[key], value) for key, value in values.items()}


# Of names in the table of profiles.
IDENTITY = {name: {"uid": GLib.Variant("u", 0), **values} for name, values in {
    "cc1": named(kind="process", program="/usr/libexec/gcc/cc1", cpu_share=0.93, runs=42,
                 wakeups_per_second=0.4),
    "as": named(kind="process", program="/usr/bin/x86_64-linux-gnu-as", cpu_share=0.051, runs=40),
    "pipewire": named(kind="process", program="/usr/bin/pipewire", cpu_share=0.02,
                      wakeups_per_second=190.0),
    "firefox": named(kind="process", program="/usr/lib/firefox/firefox-bin", cpu_share=0.31,
                     runs=2, cpu_ns=90_000_000_000, user="user", unit="app-firefox-7.scope",
                     application="firefox", pids=[70, 71], switches_per_second=1.5e-7, waits_without=70,
                     wait_p50_without=1024, wait_p90_without=4096, wait_p99_without=2**63),
    "make": named(kind="process", program="/usr/bin/gmake", cpu_share=0.0, runs=5, cpu_ns=4_000_000),
    "new": named(kind="process", program="/home/a/train.py", cpu_share=0.0),
    "a b'\"\\\\c": named(kind="kernel", cpu_share=0.0),
}.items()}

# What a file of the configuration decides, beside what an administrator set.
DECLARED = {"declared": "/etc/pandemonium/procdb.conf.d/o.conf"}


def override_of(row):
    """What GetProfile has of an override."""
    if row["origin"] != "override":
        return {}
    source = DECLARED.get(row["name"], "administrator") if row.get("cleared") else "administrator"
    return {"override": GLib.Variant("s", row["tier"]), "override_source": GLib.Variant("s", source)}


TASKS = [
    named(pid=100, tid=100, name="cc1", kind="process", uid=1000, user="user",
          program="/usr/libexec/gcc/cc1", predicted="batch", measured="batch", slice_ns=20_007_300, nice=0,
          policy=0, set_by="procdb", cpu_ns=1_500_000_000),
    named(pid=200, tid=200, name="wine", kind="process", uid=1000, user="user",
          predicted="lat-critical", slice_ns=107_300, nice=0, policy=0, set_by="procdb", cpu_ns=5_000_000),
    named(pid=300, tid=301, name="mixer", kind="thread", uid=1000, user="user", measured="lat-critical",
          slice_ns=107_300, nice=-1, policy=0, set_by="procdb", cpu_ns=7_000_000),
    named(pid=400, tid=400, name="game", kind="process", uid=1001, user="user", slice_ns=3_000_000,
          nice=-5, policy=0, set_by="other", cpu_ns=70_000_000),
    named(pid=500, tid=500, name="bash", kind="process", uid=1001, user="user", slice_ns=1_400_000,
          nice=0, policy=0, set_by="kernel", cpu_ns=9_000_000),
    named(pid=600, tid=600, name="rtkit", kind="process", uid=0, user="root", slice_ns=0, nice=0, policy=2,
          set_by="other", cpu_ns=9_000_000),
    named(pid=os.getpid(), tid=os.getpid(), name="pandemonium-pro", kind="process", uid=0, user="root",
          slice_ns=100_000, nice=0, policy=0, set_by="other", cpu_ns=9_000_000),
]
