# SPDX-License-Identifier: GPL-2.0-only
# Copyright (C) 2026 The ProcDb developers
"""What the fake service tells of a profile, as a map and by columns, from one set of values."""

from gi.repository import GLib

WAITS = ("waits_%s", "wait_p50_%s", "wait_p90_%s", "wait_p99_%s")
# In the order of GetProfile.
MEMBERS = {
    "name": "s", "tier": "s", "confidence": "d", "confident": "b", "observations": "u", "votes": "(uuu)",
    "avg_runtime_ns": "t", "runtime_dev_ns": "t", "wakeup_freq": "t", "csw_rate": "t", "last_seen_us": "x",
    "origin": "s", "first_seen_us": "x", "predicted": "b", "taught_by": "s", "found": "t", "missed": "t",
    "right": "t", "wrong": "t", "withdrawals": "u", "override": "s", "override_source": "s",
    "prediction_source": "s", "predicted_tier": "s", "held": "s", "held_by": "s", "held_uid": "u",
    "held_reason": "s", "cpu_ns": "t", "runs": "t", "cpu_share": "d",
    **{name % side: "t" for side in ("without", "with") for name in WAITS},
    "wakeups_per_second": "d", "switches_per_second": "d", "kind": "s", "user": "s", "program": "s", "unit": "s",
    "application": "s", "uid": "u", "script": "s", "scripts": "u", "pids": "au",
}
VOTES = ("votes_batch", "votes_interactive", "votes_lat_critical")
# What QueryColumns can be asked for; an array of each.
FIELDS = {**{name: kind for name, kind in MEMBERS.items() if name != "votes"}, **dict.fromkeys(VOTES, "u"),
          "uid": "x", "held_uid": "x", "cpu_known": "b"}
UNKNOWN = {"s": "", "d": -1.0, "x": -1, "b": False, "au": []}


def as_map(values):
    return {name: GLib.Variant(kind, values[name]) for name, kind in MEMBERS.items() if name in values}


def packed(kind, values):
    """As bytes, or numbers with their number in front."""
    if kind == "au":
        return GLib.Variant("au", [number for row in values for number in (len(row), *row)])
    if kind == "b":
        return GLib.Variant("ay", bytes(values))
    return GLib.Variant("ay", b"".join(text.encode() + b"\0" for text in values))


def as_columns(rows, fields):
    """Of a list of such values."""
    def value(values, field):
        if field in VOTES:
            return values["votes"][VOTES.index(field)]
        if field == "cpu_known":
            return "cpu_ns" in values
        return values.get(field, UNKNOWN.get(FIELDS[field], 0))

    columns = {field: (FIELDS[field], [value(values, field) for values in rows])
               for field in fields if field != "packed"}
    return {field: packed(kind, values) if "packed" in fields and kind in ("s", "b", "au")
            else GLib.Variant("a" + kind, values) for field, (kind, values) in columns.items()}
