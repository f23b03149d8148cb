# SPDX-License-Identifier: GPL-2.0-only
# Copyright (C) 2026 The ProcDb developers
"""Legal messages of any make: both byte orders, header fields in any order and unknown ones,
cut anywhere and many at once, of root and of a user. Each is answered once, rightly, and in the
order of its sender; those that want no answer get none.

usage: messages.py NUMBER [SEED]
"""

import os
import pwd
import random
import select
import socket
import struct
import sys
import time

from harness import DATABASE, INTERFACE, NAME, PATH, Service
import pddb

ROW = "(ssdbu(uuu)ttttxs)"
# Below what dbus-daemon lets a caller have unanswered.
AT_ONCE = 100


class Body:
    """Arguments in the bytes of a message."""

    def __init__(self, order):
        self.order, self.bytes = order, bytearray()

    def align(self, size):
        self.bytes += bytes(-len(self.bytes) % size)

    def number(self, kind, value):
        self.align(struct.calcsize(kind))
        self.bytes += struct.pack(self.order + kind, value)

    def text(self, value):
        self.number("I", len(value.encode()))
        self.bytes += value.encode() + b"\0"

    def signature(self, value):
        self.bytes += bytes([len(value)]) + value.encode() + b"\0"


def texts(order, *values):
    body = Body(order)
    for value in values:
        body.text(value)
    return bytes(body.bytes)


def numbers(order, *values):
    body = Body(order)
    for value in (4 * len(values), *values):
        body.number("I", value)
    return bytes(body.bytes)


def rows(order, number):
    body = Body(order)
    body.number("I", 0)
    body.align(8)
    start = len(body.bytes)
    for index in range(number):
        body.align(8)
        for value in (f"row-{index}", "batch"):
            body.text(value)
        body.number("d", 0.5)
        for value in (1, 9):
            body.number("I", value)
        body.align(8)
        for value in (9, 0, 0):
            body.number("I", value)
        for value in (1000, 10, 1, 1, 0):
            body.number("Q", value)
        body.text("live")
    struct.pack_into(order + "I", body.bytes, 0, len(body.bytes) - start)
    body.number("I", 0)
    return bytes(body.bytes)


# Their answers wait for a save, and those to later calls do not.
SAVED = ("SetOverride", "Import")
# What only an administrator may do, whatever the arguments are.
DENIED = ("SetOverride", "Import", "SetApply", "Reset")
NO_REPLY = 1


def calls(chance, order):
    """(member, signature, body, what it is answered with): "" for no error."""
    return chance.choice((
        ("GetConfidence", "s", texts(order, "cc1"), ""),
        ("Explain", "s", texts(order, "cc1"), ""),
        ("ListProfiles", "", b"", ""),
        ("GetProfile", "s", texts(order, "no-such-name"), "NoSuchProfile"),
        ("GetConfidence", "s", texts(order, "x" * chance.randrange(17, 6000)), "InvalidName"),
        ("GetConfidence", "u", bytes(4), "InvalidArgs"),
        ("GetConfidence", "v", b"\x01v\0" * 20 + b"\x01y\0\x07", "InvalidArgs"),
        ("GetConfidence", "au", numbers(order, 1, 2), "InvalidArgs"),
        ("SetOverride", "ss", texts(order, "mine", "batch"), ""),
        ("SetOverride", "ss", texts(order, "mine", "best"), "InvalidTier"),
        ("SetApply", "s", texts(order, "nonsense"), "NoBackend"),
        ("Import", f"a{ROW}b", rows(order, chance.randrange(80)), ""),
        ("Nothing", "", b"", "UnknownMethod"),
        ("Reset", "s", texts(order, ""), "InvalidArgs"),
    ))


def message(chance, serial, member, signature, body, order, more_flags=0, destination=NAME, path=PATH,
            interface=INTERFACE):
    fields = [(1, "o", path), (2, "s", interface), (3, "s", member), (6, "s", destination)]
    if signature:
        fields.append((8, "g", signature))
    if chance.random() < 0.3:
        # The bus takes out what it does not know.
        fields.append((chance.randrange(20, 255), *chance.choice((("u", 5), ("s", "hello"), ("g", "a{sv}")))))
    chance.shuffle(fields)
    head = Body(order)
    flags = chance.choice((0, 0, 2, 4, 8, 0xf0)) | more_flags if destination == NAME else 0
    head.bytes += struct.pack(order + "BBBBIII", ord("l" if order == "<" else "B"), 1, flags, 1, len(body), serial, 0)
    for code, kind, value in fields:
        head.align(8)
        head.bytes += bytes([code])
        head.signature(kind)
        if kind == "u":
            head.number("I", value)
        elif kind == "g":
            head.signature(value)
        else:
            head.text(value)
    struct.pack_into(order + "I", head.bytes, 12, len(head.bytes) - 16)
    head.align(8)
    return bytes(head.bytes) + body


class Sender:
    def __init__(self, chance, user):
        self.chance, self.serial, self.buffer, self.expected = chance, 1, b"", []
        self.is_root, uid = user == "root", pwd.getpwnam(user).pw_uid
        self.bus = socket.socket(socket.AF_UNIX)
        # The bus believes the credentials that the socket had when it connected.
        os.seteuid(uid)
        self.bus.connect("/run/dbus/system_bus_socket")
        os.seteuid(0)
        self.bus.sendall(b"\0AUTH EXTERNAL " + str(uid).encode().hex().encode() + b"\r\n")
        assert self.bus.recv(4096).startswith(b"OK")
        bus_name = "org.freedesktop.DBus"
        self.bus.sendall(b"BEGIN\r\n" + message(chance, 1, "Hello", "", b"", "<", 0, bus_name,
                                                "/org/freedesktop/DBus", bus_name))
        self.expected = [(1, "", False)]
        self.collect()

    def send(self, number):
        blob = b""
        for _ in range(number):
            order = self.chance.choice("<>")
            self.serial += 1
            *call, error = calls(self.chance, order)
            if not self.is_root and call[0] in DENIED:
                # By whether the call allows a prompt, for which no agent is there.
                error = "AccessDenied|InteractiveAuthorizationRequired"
            is_quiet = self.chance.random() < 0.1
            blob += message(self.chance, self.serial, *call, order, NO_REPLY if is_quiet else 0)
            if not is_quiet:
                # One that is asked about with a prompt lets the others pass.
                may_wait = call[0] in SAVED and not error if self.is_root else call[0] in DENIED
                self.expected.append((self.serial, error, may_wait))
        while blob:
            size = self.chance.choice((1, 3, 7, 16, 50, 1000, 70000))
            self.bus.sendall(blob[:size])
            blob = blob[size:]

    def collect(self):
        """Reads until all is answered."""
        deadline = time.monotonic() + 60
        while self.expected:
            if self.take():
                continue
            ready = select.select([self.bus], [], [], deadline - time.monotonic())[0]
            assert ready, f"no answer to {self.expected[0]}"
            data = self.bus.recv(1 << 20)
            assert data, "the bus closed the connection"
            self.buffer += data

    def take(self):
        """Looks at one message, if a whole one is there."""
        if len(self.buffer) < 16:
            return False
        order = "<" if self.buffer[:1] == b"l" else ">"
        body, _, fields = struct.unpack_from(order + "III", self.buffer, 4)
        header = 16 + fields + -fields % 8
        if len(self.buffer) < header + body:
            return False
        kind, head = self.buffer[1], self.buffer[:header]
        self.buffer = self.buffer[header + body:]
        if kind in (2, 3):
            # The field of the serial that is answered: its code, its type, and the number.
            answered = [b"\x05\x01u\0" + struct.pack(order + "I", serial) in head
                        for serial, _, _ in self.expected]
            assert any(answered), (self.expected[0], head)
            place = answered.index(True)
            assert all(saved for _, _, saved in self.expected[:place]), (self.expected[:place + 1], head)
            serial, error, _ = self.expected.pop(place)
            assert (kind == 3) == bool(error), (serial, error, head)
            assert any(name.encode() in head for name in error.split("|")), (serial, error, head)
        return True


def main():
    number = int(sys.argv[1])
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else random.randrange(2**32)
    chance = random.Random(seed)
    print(f"seed {seed}")
    pddb.write(DATABASE, [pddb.confident(b"cc1")])
    with Service() as service:
        done, senders = 0, [Sender(chance, user) for user in ("root", "alice") * 2]
        while done < number:
            for sender in senders:
                size = chance.randrange(1, AT_ONCE)
                sender.send(size)
                done += size
            for sender in senders:
                sender.collect()
        print(f"{done} messages were answered rightly, in their order; {service.memory_mb('VmHWM'):.1f} MB at most"
              + (" (instrumented)" if service.is_instrumented() else ""))
        assert "connection to the system bus is lost" not in service.logged(), service.logged()


if __name__ == "__main__":
    main()
