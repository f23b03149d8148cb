# SPDX-License-Identifier: GPL-2.0-only
# Copyright (C) 2026 The ProcDb developers
"""A reader and writer of the PDDB format that shares no code with the service.

It follows tests/golden/README.md: header, entries, and whatever comes after
the last entry is not read.
"""

import struct
from typing import NamedTuple

HEADER = struct.Struct("<4sII")
ENTRIES = {1: struct.Struct("<16sB7xQII"), 2: struct.Struct("<16sB7xQQQQII")}


class Record(NamedTuple):
    comm: bytes  # 16 bytes
    tier: int
    avg_runtime: int
    runtime_dev: int
    wakeup_freq: int
    csw_rate: int
    observations: int
    votes: int


def read(path):
    """The records of a file by comm, the last of each. ValueError says what is wrong."""
    with open(path, "rb") as file:
        data = file.read()
    if len(data) < HEADER.size:
        raise ValueError("short")
    magic, version, count = HEADER.unpack_from(data)
    if magic != b"PDDB":
        raise ValueError("magic")
    if version not in ENTRIES:
        raise ValueError("version")
    entry = ENTRIES[version]
    if len(data) < HEADER.size + count * entry.size:
        raise ValueError("truncated")
    records = {}
    for number in range(count):
        fields = entry.unpack_from(data, HEADER.size + number * entry.size)
        if version == 1:
            fields = (*fields[:3], 0, 0, 0, *fields[3:])
        record = Record(*fields)
        records[record.comm] = record._replace(tier=min(record.tier, 2))
    return records


def write(path, records):
    """Writes a version 2 file."""
    with open(path, "wb") as file:
        file.write(HEADER.pack(b"PDDB", 2, len(records)))
        for record in records:
            file.write(ENTRIES[2].pack(*record))


def confident(comm, tier=0):
    """A record that is confident and easy to recognize."""
    return Record(comm.ljust(16, b"\0"), tier, 40_000_000 + tier, 1_000_000, 3, 5, 10, 10)
