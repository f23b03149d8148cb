# SPDX-License-Identifier: GPL-2.0-only
# Copyright (C) 2026 The ProcDb developers
"""What the integration tests share: the service, calls to it, pinned maps.

Everything here runs inside tests/lab/lab.sh, so paths and process ids are the
lab's own.
"""

import ctypes
import json
import os
import platform
import re
import signal
import struct
import subprocess
import sys
import time
from contextlib import contextmanager

from gi.repository import Gio, GLib

NAME = "org.pandemonium.ProcDb"
PATH = "/org/pandemonium/ProcDb"
INTERFACE = "org.pandemonium.ProcDb1"
DATABASE = "/var/lib/pandemonium/procdb.bin"
PIN_DIRECTORY = "/sys/fs/bpf/pandemonium"
OBSERVE = PIN_DIRECTORY + "/task_class_observe"
INIT = PIN_DIRECTORY + "/task_class_init"
# asm/unistd.h and linux/bpf.h
BPF, BPF_OBJ_GET = {"x86_64": 321, "aarch64": 280}.get(platform.machine()), 7
TIERS = ("batch", "interactive", "lat-critical")
COLUMNS = ("name", "tier", "confidence", "confident", "observations", "votes", "avg_runtime",
           "runtime_dev", "wakeup_freq", "csw_rate", "last_seen", "origin")
ACCESS_DENIED = "org.freedesktop.DBus.Error.AccessDenied"
INTERACTION_REQUIRED = "org.freedesktop.DBus.Error.InteractiveAuthorizationRequired"
HERE = os.path.dirname(os.path.abspath(__file__))
# What polkit calls, of the person that is asked for a password.
AGENT_XML = """<node><interface name="org.freedesktop.PolicyKit1.AuthenticationAgent">
<method name="BeginAuthentication"><arg type="s" direction="in"/><arg type="s" direction="in"/>
<arg type="s" direction="in"/><arg type="a{ss}" direction="in"/><arg type="s" direction="in"/>
<arg type="a(sa{sv})" direction="in"/></method>
<method name="CancelAuthentication"><arg type="s" direction="in"/></method>
</interface></node>"""


def error_name(name):
    return f"{INTERFACE}.Error.{name}"


# Seconds are those of a machine that has the time: others are slower, or stand still for some.
PATIENCE = 3


def wait_for(condition, seconds, what):
    """Polls until condition() is true and returns its value; fails after the time, with patience."""
    deadline = time.monotonic() + seconds * PATIENCE
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds * PATIENCE} s: {what}")
        time.sleep(0.05)


class Standstill:
    """
    For how long the machine lets that not run which asks for next to nothing: what is measured
    beside it may come so much later, whatever is right. Next to 0 s on a machine that has the time.
    """

    SOURCE = """
import select, sys, time
late, last = 0.0, time.monotonic()
while True:
    asked = select.select([sys.stdin], [], [], 0.02)[0]
    now = time.monotonic()
    late += max(now - last - 0.05, 0)
    last = now
    if asked and not sys.stdin.readline():
        break
    if asked:
        print(late, flush=True)
"""

    def __enter__(self):
        self.process = subprocess.Popen([sys.executable, "-c", self.SOURCE], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True)
        self.seconds()
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.communicate()

    def seconds(self):
        """Since the beginning."""
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return float(self.process.stdout.readline())


def escape(comm):
    """A task name as the D-Bus contract writes it."""
    out, rest = "", comm.rstrip(b"\0")
    while rest:
        for size in (1, 2, 3, 4):
            try:
                char = rest[:size].decode("utf-8")
            except UnicodeDecodeError:
                continue
            if char == "\\":
                out += "\\\\"
            elif GLib.unichar_isprint(char):
                out += char
            else:
                out += "".join(f"\\x{byte:02x}" for byte in rest[:size])
            break
        else:
            size = 1
            out += f"\\x{rest[0]:02x}"
        rest = rest[size:]
    return out


# MiB of memory that the service may take. MemoryMax in the unit has room beside it for what dbus-broker hands on.
MEMORY_MAX = 64


class CallFailed(Exception):
    """The service answered with an error; name is its D-Bus name."""

    def __init__(self, error):
        super().__init__(error.message)
        self.name = Gio.DBusError.get_remote_error(error)


class Service:
    """A running service. Stopped in order at the end of `with`, which checks its exit status."""

    def __init__(self, *arguments, backend="none", database=DATABASE, prefix=(), seconds=10):
        self.killed = False
        self.log = open(os.environ["LAB_DIR"] + "/service.log", "ab+")
        self.process = subprocess.Popen(
            [*prefix, os.environ["LAB_SERVICE"], "--database", database, "--backend", backend,
             *arguments],
            stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log)
        self.connect()
        try:
            wait_for(self._owned, seconds, "the service owns its name")
        except BaseException:
            self.kill()
            print(self.logged(), file=sys.stderr)
            raise

    def connect(self):
        """The connection that everything is asked over."""
        self.bus = Gio.DBusConnection.new_for_address_sync(
            "unix:path=/run/dbus/system_bus_socket",
            Gio.DBusConnectionFlags.AUTHENTICATION_CLIENT
            | Gio.DBusConnectionFlags.MESSAGE_BUS_CONNECTION)

    def _owned(self):
        if self.process.poll() is not None:
            raise AssertionError(f"the service ended with status {self.process.returncode}")
        return self.bus.call_sync("org.freedesktop.DBus", "/org/freedesktop/DBus",
                                  "org.freedesktop.DBus", "NameHasOwner",
                                  GLib.Variant("(s)", (NAME,)), None, 0, 60_000).unpack()[0]

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        if kind:
            self.kill()
            print(f"-- log of the service\n{self.logged()}", file=sys.stderr)
        elif not self.killed:
            self.stop()

    def logged(self):
        self.log.flush()
        with open(self.log.name, encoding="utf-8", errors="replace") as log:
            return log.read()

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
        status = self.process.wait(60)
        assert status == 0, f"the service ended with status {status}: {self.logged()}"

    def kill(self):
        self.killed = True
        self.process.kill()
        self.process.wait()

    def send(self, interface, method, signature, *values, seconds=120):
        try:
            reply = self.bus.call_sync(NAME, PATH, interface, method,
                                       GLib.Variant(signature, values), None,
                                       Gio.DBusCallFlags.NO_AUTO_START, seconds * 1000)
        except GLib.Error as error:
            raise CallFailed(error) from None
        reply = reply.unpack()
        return reply[0] if len(reply) == 1 else reply

    def call(self, method, signature="()", *values):
        return self.send(INTERFACE, method, signature, *values)

    def get(self, name):
        return self.send("org.freedesktop.DBus.Properties", "Get", "(ss)", INTERFACE, name)

    def refused(self, method, signature="()", *values):
        """The error name that the call is answered with; it must not succeed."""
        try:
            value = self.call(method, signature, *values)
        except CallFailed as failure:
            return failure.name
        raise AssertionError(f"{method}{values} succeeded: {value}")

    def profiles(self):
        """ListProfiles as a dict of dicts, by escaped name."""
        rows = [dict(zip(COLUMNS, row)) for row in self.call("ListProfiles")]
        assert len({row["name"] for row in rows}) == len(rows), rows
        return {row["name"]: row for row in rows}

    def state(self):
        return self.get("Backend"), self.get("BackendState")

    def memory_mb(self, what):
        """A line of its /proc/PID/status, as VmRSS or VmHWM (the most so far), in MiB."""
        with open(f"/proc/{self.process.pid}/status", encoding="utf-8") as status:
            return next(int(line.split()[1]) for line in status if line.startswith(what)) / 1024

    def is_instrumented(self):
        """Whether it needs more memory than it would."""
        with open(f"/proc/{self.process.pid}/maps", encoding="utf-8") as maps:
            return "libasan" in maps.read()

    def wait_ticks(self, number):
        """Until that many whole ticks have begun and ended."""
        start = self.get("Tick")
        wait_for(lambda: self.get("Tick") >= start + number, number + 5, f"{number} ticks")


def call_as(user, method, signature="()", *values, interactive=False):
    """(value, error name) of a call that another user makes."""
    with open(f"{HERE}/caller.py", encoding="utf-8") as source:
        done = subprocess.run(
            ["/usr/bin/python3", "-", method, signature, GLib.Variant(signature, values).print_(True),
             "interactive" if interactive else ""],
            stdin=source, stdout=subprocess.PIPE, check=True, timeout=70, cwd="/",
            user=user, group=user, extra_groups=[])
    answer = json.loads(done.stdout)
    return answer.get("value"), answer.get("error")


def skip_unless_the_bus_starts():
    if os.environ["LAB_BROKER"] == "1":
        print("SKIP: dbus-broker leaves starting services to systemd, which the lab has not")
        sys.exit(77)


def without_guard(also="LongSliceAmongGroups=yes"):
    """No window of the guard takes slices back for a second while a test looks at them, and no second session does."""
    os.makedirs("/etc/pandemonium/procdb.conf.d", exist_ok=True)
    with open("/etc/pandemonium/procdb.conf.d/guard.conf", "w", encoding="ascii") as drop_in:
        drop_in.write(f"[Apply]\nGuard=no\n{also}\n")


def ctl(*arguments, status=0, **options):
    """What pandemoniumctl prints."""
    done = subprocess.run(["pandemoniumctl", *arguments], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, timeout=200, check=False, **options)
    assert done.returncode == status, \
        f"pandemoniumctl {arguments}: status {done.returncode}, expected {status}: {done.stderr!r}"
    return done.stdout.decode()


def bpftool(*arguments):
    done = subprocess.run(["bpftool", "-j", *arguments], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, check=False, timeout=120)
    assert done.returncode == 0, f"bpftool {arguments}: {done.stdout!r}"
    return json.loads(done.stdout) if done.stdout.strip() else None


def create_map(path, kind, key=16, value=40, entries=512):
    bpftool("map", "create", path, "type", kind, "key", str(key), "value", str(value),
            "entries", str(entries), "name", "lab")


def create_pins():
    """The maps of another scheduler that runs, as it pins them."""
    os.makedirs(PIN_DIRECTORY, mode=0o700, exist_ok=True)
    # Whenever both are there one is held: a service that looks takes no scheduler for one that ended.
    create_map(INIT, "hash")
    HANDLES.append(handle_of(INIT))
    create_map(OBSERVE, "lru_hash")
    HANDLES.append(handle_of(OBSERVE))


def handle_of(path):
    """A descriptor of a pinned map, as a scheduler that runs has one."""
    # union bpf_attr of BPF_OBJ_GET: the address of the path, and zeros.
    name = ctypes.create_string_buffer(path.encode())
    attr = struct.pack("<Q", ctypes.addressof(name)).ljust(16, b"\0")
    handle = ctypes.CDLL(None, use_errno=True).syscall(BPF, BPF_OBJ_GET, attr, len(attr))
    assert handle >= 0, os.strerror(ctypes.get_errno())
    return handle


HANDLES = []


def release_pins():
    """The scheduler was killed: the maps stay, and no process has them."""
    while HANDLES:
        os.close(HANDLES.pop())


def hold_pins():
    HANDLES.extend(handle_of(path) for path in (OBSERVE, INIT))


@contextmanager
def held_pins():
    hold_pins()
    try:
        yield
    finally:
        release_pins()


def remove_pins():
    release_pins()
    for path in (OBSERVE, INIT):
        os.unlink(path)


def in_hex(data):
    return ["hex", *(f"{byte:02x}" for byte in data)]


def observe(comm, tier=0, avg=40_000_000, dev=1_000_000, freq=3, csw=5):
    """Writes what a scheduler would publish of a task of that name."""
    bpftool("map", "update", "pinned", OBSERVE, "key", *in_hex(comm.ljust(16, b"\0")),
            "value", *in_hex(struct.pack("<B7xQQQQ", tier, avg, dev, freq, csw)))


def entries(path):
    """The content of a pinned map: comm -> (tier, avg, dev, freq, csw)."""
    found = {}
    for entry in bpftool("map", "dump", "pinned", path) or []:
        if "error" in entry["value"]:
            continue  # taken out by the service while bpftool went through
        key = bytes(int(byte, 16) for byte in entry["key"])
        value = bytes(int(byte, 16) for byte in entry["value"])
        found[key] = struct.unpack("<B7xQQQQ", value)
    return found


def teach(service, *comms, times=3, **values):
    """Lets a pinned service see names often enough to be confident."""
    for _ in range(times):
        for comm in comms:
            observe(comm, **values)
        wait_for(lambda: not entries(OBSERVE), 5, "the observations are taken")
    wait_for(lambda: all(escape(comm) in service.profiles() for comm in comms), 3, "the profiles")


@contextmanager
def stopped(pid):
    """Keeps a process from running."""
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def processes(name):
    """The ids of the lab's processes whose command line holds name."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as file:
                if re.search(name.encode(), file.read().replace(b"\0", b" ")):
                    found.append(int(pid))
        except OSError:
            continue
    return [pid for pid in found if pid != os.getpid()]


def run_case(cases):
    """Runs the case that the command line names; cases are the functions of a test file."""
    name = sys.argv[1]
    cases[name.replace("-", "_")]()
    print(f"{name}: as expected")
