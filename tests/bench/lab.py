# SPDX-License-Identifier: GPL-2.0-only
# Copyright (C) 2026 The ProcDb developers
"""A service of our own on a bus of our own, away from the machine's."""

import contextlib
import ctypes
import fcntl
import os
import platform
import signal
import subprocess
import sys
import time
from pathlib import Path

BUS_CONFIG = """\
<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-BUS Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>unix:path={path}</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow send_destination="*"/>
    <allow receive_sender="*"/>
    <allow own="*"/>
  </policy>
</busconfig>
"""

CLONE_NEWNS = 0x00020000
MS_PRIVATE_REC = 0x00040000 | 0x00004000
PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36


def enter_namespace():
    """A mount namespace with a BPF file system of its own: no pins meet those of the machine."""
    libc = ctypes.CDLL(None, use_errno=True)

    def check(result, what):
        if result != 0:
            sys.exit(f"bench: {what}: {os.strerror(ctypes.get_errno())}")

    check(libc.unshare(CLONE_NEWNS), "a mount namespace")
    check(libc.mount(b"none", b"/", None, MS_PRIVATE_REC, None), "a private mount namespace")
    check(libc.mount(b"bpf", b"/sys/fs/bpf", b"bpf", 0, b"mode=0700"), "a BPF file system")


def machine():
    """What figures are worth nothing without."""
    cpu = [line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")]
    autogroup = Path("/proc/sys/kernel/sched_autogroup_enabled")
    return {
        "kernel": platform.release(),
        "cpu": cpu[0] if cpu else platform.machine(),
        "cpus": len(os.sched_getaffinity(0)),
        "memory_mib": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") >> 20,
        "autogroup": autogroup.read_text().strip() == "1" if autogroup.exists() else False,
    }


def own_session():
    """Goes on in a child with a session of its own, without a terminal; the caller waits for it and passes on a stop.

    All that is measured is then in one autogroup, with nothing else in it, and
    an interactive shell among it does not take the terminal.
    """
    libc = ctypes.CDLL(None)
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
    parent, child = os.getpid(), os.fork()
    if child == 0:
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
        if os.getppid() != parent:
            sys.exit(143)
        os.setsid()
        signal.signal(signal.SIGINT, signal.default_int_handler)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT, signal.SIGTERM})
        return
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: os.kill(child, signal.SIGTERM))
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT, signal.SIGTERM})
    _, status = os.waitpid(child, 0)
    code = os.waitstatus_to_exitcode(status)
    os._exit(code if code >= 0 else 128 - code)


def adopt_orphans():
    """Makes what children leave behind children of this process, so that their CPU time is known and they end."""
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def children():
    """The process ids of all children."""
    found = set()
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            if int(path.read_text().rpartition(")")[2].split()[1]) == os.getpid():
                found.add(int(path.parent.name))
    return found


def end_children(keep):
    """Kills and reaps all children but those, and what these leave behind in turn."""
    while others := children() - keep:
        for pid in others:
            with contextlib.suppress(ProcessLookupError, ChildProcessError):
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)


@contextlib.contextmanager
def lock(path):
    """Holds a lock file; None: nothing."""
    if path is None:
        yield
        return
    with open(path, "a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


# Of the clock of tests/vm/run.sh.
NS_PER_INSTRUCTION = 4


def guest_words(kernel, limit, command, files):
    """The words of each line that a command writes in a virtual machine of one CPU, which has these files."""
    ran = subprocess.run([Path(__file__).resolve().parent.parent / "vm/run.sh", "-c", "1", "-t", str(limit), kernel, command, *files],
                         stdout=subprocess.PIPE, text=True)
    if ran.returncode:
        sys.exit(ran.returncode)
    return [line.split() for line in ran.stdout.splitlines()]


def bounds(found, most):
    """What CI reads, of instructions by name: 0 are too few, what should be counted was not found."""
    print(f"1..{len(found)}")
    for number, (name, value) in enumerate(found.items(), 1):
        print(f"{'ok' if 0 < value <= most else 'not ok'} {number} {name} ({value:.0f}, at most {most})")


def order(conditions, rounds):
    """The conditions of each round. Another order in each, so that no condition always follows the same one."""
    names = list(conditions)
    for number in range(rounds):
        shift = number % len(names)
        yield from names[shift:] + names[:shift]


class Turn:
    """Lock files that are held for one step after the other, and given to others once that took so many seconds."""

    def __init__(self, paths, seconds):
        self.paths, self.seconds = paths, seconds
        self.held, self.since = contextlib.ExitStack(), None

    @contextlib.contextmanager
    def step(self):
        if self.since is None:
            for path in self.paths:
                self.held.enter_context(lock(path))
            self.since = time.monotonic()
        yield
        if time.monotonic() - self.since > self.seconds:
            self.end()

    def end(self):
        self.held.close()
        self.since = None


def stop(process):
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
    try:
        return process.wait(timeout=20)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.wait()


@contextlib.contextmanager
def bus(directory):
    """A message bus; everything started within finds it as the system bus."""
    address = f"unix:path={directory}/bus"
    config = directory / "bus.conf"
    config.write_text(BUS_CONFIG.format(path=directory / "bus"))
    daemon = subprocess.Popen(["dbus-daemon", f"--config-file={config}", "--nofork"],
                              stderr=subprocess.DEVNULL)
    try:
        wait_for((directory / "bus").exists, "the bus")
        os.environ["DBUS_SYSTEM_BUS_ADDRESS"] = address
        yield
    finally:
        stop(daemon)


def wait_for(condition, what, seconds=10):
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            sys.exit(f"bench: {what} did not come up within {seconds} s")
        time.sleep(0.05)


class Service:
    """pandemonium-procdbd with a database that outlives its restarts."""

    def __init__(self, build, directory, config=None, settings=""):
        """Keeps its files in directory; settings are its configuration where no file is given."""
        self.program = Path(build) / "service/pandemonium-procdbd"
        if not self.program.exists():
            sys.exit(f"bench: {self.program} is not built")
        directory.mkdir(exist_ok=True)
        self.directory = directory
        self.config = config
        if not config:
            self.config = directory / "procdb.conf"
            self.config.write_text(settings)
        self.process = None
        self.connection = None

    def call(self, method, signature=None, *args):
        # Imported here: the benchmarks without a service do without it.
        from gi.repository import Gio, GLib
        if not self.connection:
            self.connection = Gio.DBusConnection.new_for_address_sync(
                os.environ["DBUS_SYSTEM_BUS_ADDRESS"],
                Gio.DBusConnectionFlags.AUTHENTICATION_CLIENT
                | Gio.DBusConnectionFlags.MESSAGE_BUS_CONNECTION, None, None)
        interface, _, member = method.rpartition(".")
        return self.connection.call_sync(
            "org.pandemonium.ProcDb", "/org/pandemonium/ProcDb",
            interface or "org.pandemonium.ProcDb1", member,
            GLib.Variant(signature, args) if signature else None, None,
            Gio.DBusCallFlags.NONE, 10000, None).unpack()

    def properties(self):
        return self.call("org.freedesktop.DBus.Properties.GetAll", "(s)",
                         "org.pandemonium.ProcDb1")[0]

    def start(self):
        # A session of its own, as any daemon has.
        with open(self.directory / "service.log", "ab") as log:
            self.process = subprocess.Popen(
                [self.program, "--config", self.config, "--database", self.directory / "procdb.bin",
                 "--backend", "observer"], stderr=log, stdout=log, start_new_session=True)
        wait_for(self.is_up, "the service")
        state = self.properties()["BackendState"]
        if state != "active":
            sys.exit(f"bench: the observer does not run: {state}")

    def is_up(self):
        from gi.repository import GLib
        if self.process.poll() is not None:
            sys.exit(f"bench: the service ended:\n{(self.directory / 'service.log').read_text()}")
        try:
            return bool(self.properties())
        except GLib.Error:
            return False

    def set_apply(self, mode):
        self.call("SetApply", "(s)", mode)

    def cpu_seconds(self):
        """The CPU time that the service has used so far."""
        stat = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(stat[11]) + int(stat[12])) / os.sysconf("SC_CLK_TCK")

    def counts(self):
        """What the service counted, and what it used, so far."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        from gi.repository import GLib
        names = {}
        for row in self.call("ListProfiles")[0]:
            try:
                profile = self.call("GetProfile", "(s)", row[0])[0]
            except GLib.Error:
                continue  # forgotten since it was listed
            names[row[0]] = {key: profile.get(key, 0)
                             for key in ("tier", "found", "missed", "right", "wrong")}
        return {"properties": self.properties(), "names": names, "time": time.monotonic(),
                "cpu": self.cpu_seconds(),
                "switches": sum(int(line.split()[1]) for line in status.split("\n")
                                if "ctxt_switches" in line)}

    def kill(self):
        """For when something went wrong; without effect after stop()."""
        if self.process and self.process.poll() is None:
            stop(self.process)

    def stop(self):
        code = stop(self.process)
        if code != 0:
            sys.exit(f"bench: the service ended with {code}:\n"
                     f"{(self.directory / 'service.log').read_text()}")
