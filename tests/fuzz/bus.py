# SPDX-License-Identifier: GPL-2.0-only
# Copyright (C) 2026 The ProcDb developers
"""Calls the service with what no honest client sends, as root and as alice.

usage: bus.py SECONDS [SEED]

Every method with arguments of the right types and hostile values, with wrong
types, and with whole messages in which bytes were changed; every property read,
written and misnamed. After each burst the service has to answer as usual, and at
the end to stop in order, which is when ASan looks for leaks.
"""

import os
import random
import shutil
import socket
import struct
import subprocess
import sys
import time

from gi.repository import Gio, GLib

import harness
from harness import INTERFACE, NAME, PATH, Service

SOCKET = "/run/dbus/system_bus_socket"
NUMBERS = (0, 1, 2, 3, 127, 255, 2**15, 2**16 - 1, 2**31 - 1, 2**31, 2**32 - 1, 2**53, 2**63 - 1,
           2**63, 2**64 - 1)
DOUBLES = (0.0, -0.0, 1.0, 0.6, -1.0, 1e308, 5e-324, float("inf"), float("-inf"), float("nan"))
WORDS = ("", "cc1", "batch", "interactive", "lat-critical", "auto", "observer", "pinned", "none",
         "slices", "live", "retained", "override", "\\", "\\x", "\\xZZ", "\\x00", "\\xff" * 16,
         "\\xff" * 17, "%n%s%x", "../../etc/passwd", "a" * 15, "a" * 16, "a" * 17, "\u2603" * 6,
         "\x1b[31m", "\u202e", "\n", "\x7f", "-rf", "failed: ", INTERFACE, "Tick")
LIMITS = {"y": (0, 8), "n": (1, 16), "q": (0, 16), "i": (1, 32), "u": (0, 32), "x": (1, 64),
          "t": (0, 64)}


def split(signature):
    """The complete types that a signature consists of."""
    found, start, depth = [], 0, 0
    for place, char in enumerate(signature):
        depth += (char in "({") - (char in ")}")
        if depth == 0 and char != "a":
            found.append(signature[start:place + 1])
            start = place + 1
    return found


class Fuzzer:
    def __init__(self, chance, huge):
        self.chance = chance
        self.huge = huge
        self.connect()
        self.pending = 0
        self.answers = {}
        info = Gio.DBusNodeInfo.new_for_xml(self.ask("org.freedesktop.DBus.Introspectable",
                                                     "Introspect", None).unpack()[0])
        interface = info.lookup_interface(INTERFACE)
        self.methods = {method.name: "(" + "".join(arg.signature for arg in method.in_args) + ")"
                        for method in interface.methods}
        self.properties = [prop.name for prop in interface.properties]

    def connect(self):
        self.bus = Gio.DBusConnection.new_for_address_sync(
            f"unix:path={SOCKET}", Gio.DBusConnectionFlags.AUTHENTICATION_CLIENT
            | Gio.DBusConnectionFlags.MESSAGE_BUS_CONNECTION)
        self.bus.set_exit_on_close(False)

    def ask(self, interface, method, values):
        return self.bus.call_sync(NAME, PATH, interface, method, values, None,
                                  Gio.DBusCallFlags.NO_AUTO_START, 60_000)

    def string(self):
        chance = self.chance
        kind = chance.random()
        if kind < 0.6:
            return chance.choice(WORDS)
        if kind < 0.97:
            return "".join(chr(chance.choice((chance.randrange(1, 128), chance.randrange(160, 0xd7ff),
                                              chance.randrange(0x10000, 0x10ffff))))
                           for _ in range(chance.randrange(40)))
        return chance.choice(WORDS[1:]) * chance.randrange(self.huge)

    def signature(self, depth=0):
        chance = self.chance
        kind = chance.random()
        if depth > 3 or kind < 0.6:
            return chance.choice("ybnqiuxtdsog")
        if kind < 0.75:
            return "a" + self.signature(depth + 1)
        if kind < 0.85:
            return "(" + "".join(self.signature(depth + 1) for _ in range(chance.randrange(1, 5))) + ")"
        if kind < 0.95:
            return "a{" + chance.choice("ysu") + self.signature(depth + 1) + "}"
        return "v"

    def value(self, text, depth=0):
        """A variant of a type, given as text."""
        chance = self.chance
        if text in LIMITS:
            signed, bits = LIMITS[text]
            number = chance.choice((chance.choice(NUMBERS), chance.getrandbits(64))) % 2**bits
            return GLib.Variant(text, number - 2**bits if signed and number >= 2**(bits - 1) else number)
        if text == "b":
            return GLib.Variant("b", chance.random() < 0.5)
        if text == "d":
            return GLib.Variant("d", chance.choice((chance.choice(DOUBLES), chance.random())))
        if text == "s":
            return GLib.Variant("s", self.string())
        if text == "o":
            return GLib.Variant("o", chance.choice(("/", PATH, "/" + "a" * chance.randrange(1, 300))))
        if text == "g":
            return GLib.Variant("g", chance.choice(("", "s", "a{sv}", "(" * 30 + "s" + ")" * 30)))
        if text == "v":
            return GLib.Variant("v", self.value(self.signature(depth + 1), depth + 1))
        if text[0] == "a":
            many = self.huge // 50 if depth < 2 and chance.random() < 0.02 else 4
            return GLib.Variant.new_array(GLib.VariantType(text[1:]),
                                          [self.value(text[1:], depth + 1)
                                           for _ in range(chance.randrange(many + 1))])
        members = [self.value(member, depth + 1) for member in split(text[1:-1])]
        if text[0] == "{":
            return GLib.Variant.new_dict_entry(*members)
        return GLib.Variant.new_tuple(*members)

    def arguments(self, method):
        signature = self.methods.get(method, "()")
        if self.chance.random() < 0.3:
            signature = "(" + "".join(self.signature() for _ in range(self.chance.randrange(4))) + ")"
        return self.value(signature)

    def property_call(self):
        chance = self.chance
        interface = chance.choice((INTERFACE, INTERFACE, self.string()))
        name = chance.choice((chance.choice(self.properties), self.string()))
        return chance.choice((("Get", GLib.Variant("(ss)", (interface, name))),
                              ("GetAll", GLib.Variant("(s)", (interface,))),
                              ("Set", GLib.Variant.new_tuple(
                                  GLib.Variant("s", interface), GLib.Variant("s", name),
                                  GLib.Variant("v", self.value(self.signature()))))))

    def message(self):
        chance = self.chance
        if chance.random() < 0.2:
            interface, (method, values) = "org.freedesktop.DBus.Properties", self.property_call()
        else:
            interface = INTERFACE
            method = chance.choice(list(self.methods) + ["Nothing", "Frobnicate"])
            values = self.arguments(method)
        path = PATH if chance.random() < 0.95 else "/org/pandemonium"
        message = Gio.DBusMessage.new_method_call(NAME, path, interface, method)
        message.set_flags(Gio.DBusMessageFlags(chance.choice((2, 2, 3, 6))))
        message.set_body(values)
        return message

    def answered(self, bus, result):
        self.pending -= 1
        try:
            reply = bus.send_message_with_reply_finish(result)
        except GLib.Error:
            if not bus.is_closed():
                raise
            return
        what = reply.get_error_name() or "done"
        self.answers[what] = self.answers.get(what, 0) + 1

    def burst(self, context):
        """Some calls at once; all of them are answered, but those that want no answer."""
        try:
            self.send_some()
        except GLib.Error:
            # The bus may take offence at a message of ours, as it may at a bent one: that is the
            # end of our connection, not of the service's, which the caller watches.
            if not self.bus.is_closed():
                raise
        while self.pending:
            context.iteration(True)
        if self.bus.is_closed():
            self.connect()

    def send_some(self):
        for _ in range(self.chance.randrange(1, 24)):
            message = self.message()
            if message.get_flags() & Gio.DBusMessageFlags.NO_REPLY_EXPECTED:
                self.bus.send_message(message, Gio.DBusSendMessageFlags.NONE)
                continue
            self.bus.send_message_with_reply(message, Gio.DBusSendMessageFlags.NONE, 60_000, None,
                                             self.answered)
            self.pending += 1

    def bend(self):
        """Messages with changed bytes, on a connection that the bus may well close."""
        with socket.socket(socket.AF_UNIX) as wire:
            wire.settimeout(10)
            wire.connect(SOCKET)
            wire.sendall(b"\0AUTH EXTERNAL " + str(os.geteuid()).encode().hex().encode() + b"\r\n")
            assert wire.recv(4096).startswith(b"OK"), "the bus lets us in"
            hello = Gio.DBusMessage.new_method_call("org.freedesktop.DBus", "/org/freedesktop/DBus",
                                                    "org.freedesktop.DBus", "Hello")
            hello.set_serial(1)
            wire.sendall(b"BEGIN\r\n" + hello.to_blob(0))
            # What it makes of the rest it may keep to itself.
            wire.settimeout(0.3)
            try:
                for serial in range(2, 12):
                    message = self.message()
                    message.set_serial(serial)
                    blob = bytearray(message.to_blob(0))
                    if len(blob) > 100_000:
                        continue
                    body = len(blob) - struct.unpack_from("<I", blob, 4)[0]
                    for _ in range(self.chance.randrange(1, 4)):
                        self.bend_byte(blob, body)
                    wire.sendall(blob)
                wire.recv(4096)
            except OSError:
                return

    def bend_byte(self, blob, body):
        """Mostly in the body, where the bus looks less."""
        start = body if self.chance.random() < 0.7 and body < len(blob) else 0
        blob[self.chance.randrange(start, len(blob))] = self.chance.choice((0, 1, 0x7f, 0xff,
                                                                            self.chance.getrandbits(8)))


def fuzz(seconds, seed, huge):
    fuzzer = Fuzzer(random.Random(seed), huge)
    context = GLib.MainContext.default()
    end = time.monotonic() + seconds
    bursts = 0
    while time.monotonic() < end:
        fuzzer.burst(context)
        if bursts % 4 == 0:
            fuzzer.bend()
        bursts += 1
    calls = sum(fuzzer.answers.values())
    print(f"seed {seed}, user {os.geteuid()}: {calls} answers in {bursts} bursts: {fuzzer.answers}")
    assert not [name for name in fuzzer.answers if "NoReply" in name or "Timeout" in name]
    assert calls >= 10, calls


def main():
    seconds = float(sys.argv[1])
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else random.randrange(2**32)
    if "FUZZ_AS" in os.environ:
        fuzz(seconds, seed, 20_000)
        return
    print(f"seed {seed}")
    # Where alice may look.
    shutil.copy(harness.__file__, os.environ["LAB_DIR"])
    with Service(backend="auto") as service:
        pid = service.process.pid
        users = [subprocess.Popen([sys.executable, "-B", "-", str(seconds), str(seed + number)],
                                  stdin=open(__file__, encoding="utf-8"), cwd="/",
                                  env={**os.environ, "FUZZ_AS": user, "PYTHONPATH": os.environ["LAB_DIR"]},
                                  user=user, group=user, extra_groups=[])
                 for number, user in enumerate(("root", "alice"))]
        deadline = time.monotonic() + seconds + 120
        while any(user.poll() is None for user in users):
            assert service.process.poll() is None, "the service ended"
            assert time.monotonic() < deadline, "the fuzzers do not end"
            service.get("Tick")
            time.sleep(0.2)
        assert [user.returncode for user in users] == [0, 0]
        service.call("SetBackend", "(s)", "none")
        service.call("Reset")
        service.call("SetOverride", "(ss)", "still-here", "batch")
        assert service.profiles()["still-here"]["tier"] == "batch"
        with open(f"/proc/{pid}/status", encoding="utf-8") as status:
            print(*(line.strip() for line in status if line.startswith(("VmHWM", "VmRSS"))))
    for word in ("runtime error", "CRITICAL", "Sanitizer", "connection to the system bus is lost"):
        assert word not in service.logged(), service.logged()[-5000:]


if __name__ == "__main__":
    main()
