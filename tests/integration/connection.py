# SPDX-License-Identifier: GPL-2.0-only
# Copyright (C) 2026 The ProcDb developers
"""The connection to the bus is lost, and the service goes on: same process, same knowledge."""

import ctypes
import os
import signal
import socket
import subprocess
import sys
import time

from gi.repository import Gio, GLib

from harness import (ACCESS_DENIED, DATABASE, INIT, INTERACTION_REQUIRED, NAME, OBSERVE,
                     PIN_DIRECTORY, Service, Standstill, bpftool, call_as, run_case, stopped,
                     wait_for)
import pddb

BUS = int(os.environ["LAB_BUS_PID"])
POLKITD = int(os.environ["LAB_POLKITD_PID"] or 0)
SOCKET = "/run/dbus/system_bus_socket"
LOST = "connection to the system bus is lost"
# How long the service waits for a bus, and for its end.
PATIENCE = 30


def ask_bus(service, method, *values):
    return service.bus.call_sync("org.freedesktop.DBus", "/org/freedesktop/DBus",
                                 "org.freedesktop.DBus", method,
                                 GLib.Variant(f"({'s' * len(values)})", values), None,
                                 Gio.DBusCallFlags.NONE, 60_000).unpack()[0]


def owner(service):
    """The unique name of the service's connection, or None."""
    try:
        return ask_bus(service, "GetNameOwner", NAME)
    except GLib.Error:
        return None


def hang_up(service):
    """Ends the service's connection from its side."""
    pidfd_getfd = 438
    process = os.pidfd_open(service.process.pid)
    for number in os.listdir(f"/proc/{service.process.pid}/fd"):
        fd = ctypes.CDLL(None).syscall(pidfd_getfd, process, int(number), 0)
        if fd < 0 or not os.readlink(f"/proc/self/fd/{fd}").startswith("socket:"):
            continue
        with socket.socket(fileno=fd) as found:
            if found.family == socket.AF_UNIX and found.getpeername() == SOCKET:
                found.shutdown(socket.SHUT_RDWR)
                return
    raise AssertionError("the service has no connection to the bus")


def connections_of(service, uid):
    count = 0
    for name in ask_bus(service, "ListNames"):
        try:
            count += name.startswith(":") and ask_bus(service, "GetConnectionUnixUser", name) == uid
        except GLib.Error:
            pass  # it has left meanwhile
    return count


def is_elsewhere(service, before):
    after = owner(service)
    return after if after not in (None, before) else None


def lose_connection(service):
    """Until the service, which has to be the same process, is back; the seconds that it took."""
    before = owner(service)
    began = time.monotonic()
    hang_up(service)
    wait_for(lambda: is_elsewhere(service, before) or service.process.poll() is not None, 10,
             "the service lost its connection and came back")
    assert service.process.poll() is None, \
        f"the service ended with status {service.process.returncode}"
    assert ask_bus(service, "GetConnectionUnixProcessID", NAME) == service.process.pid
    return time.monotonic() - began


def went_on(ticks, seconds, late):
    """As many ticks as seconds, but for those in which nothing ran."""
    assert seconds - late - 2 < ticks < seconds + 2, (ticks, seconds, late)


def fds(service):
    return len(os.listdir(f"/proc/{service.process.pid}/fd"))


def a_lost_connection_costs_a_second_at_most():
    pddb.write(DATABASE, [pddb.confident(b"lab-cc1")])
    with Service(backend="observer") as service, Standstill() as still:
        service.call("SetOverride", "(ss)", "mine", "lat-critical")
        service.wait_ticks(2)
        maps = [bpftool("map", "show", "pinned", path)["id"] for path in (OBSERVE, INIT)]
        began, tick, late = time.monotonic(), service.get("Tick"), still.seconds()
        took = lose_connection(service)
        print(f"back after {took * 1000:.0f} ms")
        assert took < 1 + still.seconds() - late, (took, still.seconds() - late)
        assert {"lab-cc1", "mine"} <= set(service.profiles())
        assert service.state() == ("observer", "active")
        service.wait_ticks(2)
        went_on(service.get("Tick") - tick, time.monotonic() - began, still.seconds() - late)
        assert maps == [bpftool("map", "show", "pinned", path)["id"] for path in (OBSERVE, INIT)]
        assert call_as("alice", "GetConfidence", "(s)", "lab-cc1")[1] is None
        assert call_as("alice", "Reset")[1] == INTERACTION_REQUIRED
        assert call_as("alice", "Reset", interactive=True)[1] == ACCESS_DENIED
        service.call("DeleteProfile", "(s)", "lab-cc1")
        assert "lab-cc1" not in service.profiles()
        assert service.logged().count(LOST) == 1, service.logged()


def signals_go_on_with_their_serials():
    pddb.write(DATABASE, [pddb.confident(name) for name in (b"as", b"ld")])
    with Service() as service:
        seen = []
        service.bus.signal_subscribe(NAME, None, "ProfilesChanged", None, None,
                                     Gio.DBusSignalFlags.NONE,
                                     lambda *args: seen.append(args[5].unpack()))

        def deleted(name):
            service.call("DeleteProfile", "(s)", name)
            wait_for(lambda: GLib.MainContext.default().iteration(False) or
                     seen and name in seen[-1][2], 5, f"the signal of {name}")
            return seen[-1][0]

        first = deleted("as")
        lose_connection(service)
        assert deleted("ld") > first, seen


def losing_it_again_and_again_leaves_nothing_behind():
    with Service() as service:
        lose_connection(service)
        assert call_as("alice", "ListProfiles")[1] is None
        before = fds(service)
        for _ in range(20):
            lose_connection(service)
            # Callers and authorizations of the connection that is lost.
            assert call_as("alice", "ListProfiles")[1] is None
        wait_for(lambda: fds(service) <= before, 3, "its files are closed")
        with open(f"/proc/{service.process.pid}/status", encoding="utf-8") as status:
            print(*(line.strip() for line in status if line.startswith(("VmRSS", "Threads"))))


def a_caller_that_waited_for_polkit_is_not_obeyed_later():
    pddb.write(DATABASE, [pddb.confident(b"cc1")])
    with Service() as service:
        with stopped(POLKITD):
            callers = [subprocess.Popen(
                ["busctl", "--timeout=20", "call", NAME, "/org/pandemonium/ProcDb",
                 "org.pandemonium.ProcDb1", "Reset"],
                user="alice", group="alice", extra_groups=[], stderr=subprocess.PIPE, cwd="/")
                for _ in range(5)]
            wait_for(lambda: connections_of(service, 2001) == len(callers), 5, "they are on the bus")
            time.sleep(0.5)
            lose_connection(service)
            for caller in callers:
                said = caller.communicate(timeout=60)[1]
                assert caller.returncode != 0, said
            # It does not wait for polkit, either.
            assert service.call("GetConfidence", "(s)", "cc1") > 0
        wait_for(lambda: call_as("alice", "ListProfiles")[1] is None, 10, "polkit answers")
        assert set(service.profiles()) == {"cc1"}


def start_bus():
    """One more bus daemon at the same place."""
    os.path.exists(SOCKET) and os.unlink(SOCKET)
    return subprocess.Popen(["dbus-daemon", "--system", "--nofork", "--nopidfile", "--nosyslog"],
                            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                            stderr=subprocess.DEVNULL)


def reconnected(service):
    try:
        service.connect()
    except GLib.Error:
        return False
    return owner(service) is not None


def a_bus_that_was_restarted_has_the_service_again():
    pddb.write(DATABASE, [pddb.confident(b"cc1")])
    with Service(backend="observer") as service, Standstill() as still:
        service.wait_ticks(1)
        began, tick, late = time.monotonic(), service.get("Tick"), still.seconds()
        os.kill(BUS, signal.SIGKILL)
        time.sleep(3)
        assert service.process.poll() is None
        assert os.path.exists(OBSERVE)
        bus = start_bus()
        try:
            wait_for(lambda: reconnected(service), 5, "the service is on the new bus")
            assert set(service.profiles()) >= {"cc1"}
            went_on(service.get("Tick") - tick, time.monotonic() - began, still.seconds() - late)
            service.stop()
        finally:
            bus.kill()
            bus.wait()
    assert not os.path.exists(PIN_DIRECTORY)


def a_service_without_a_bus_stops_in_order():
    with Service(backend="observer") as service:
        os.kill(BUS, signal.SIGKILL)
        time.sleep(0.5)
        service.stop()
    assert not os.path.exists(PIN_DIRECTORY)


def hang_up_on_all(seconds):
    """Takes each connection at the bus's place and ends it, as a bus does that is ending itself."""
    os.path.exists(SOCKET) and os.unlink(SOCKET)
    ended = 0
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(SOCKET)
        listening.listen()
        listening.settimeout(0.1)
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            try:
                listening.accept()[0].close()
                ended += 1
            except TimeoutError:
                pass
    return ended


def a_bus_that_stays_away_is_an_error():
    with Service(backend="observer") as service, Standstill() as still:
        began, late = time.monotonic(), still.seconds()
        os.kill(BUS, signal.SIGKILL)
        assert hang_up_on_all(PATIENCE / 2) > 1
        status = service.process.wait(PATIENCE + 30)
        assert status not in (0, -6, -11), status
        waited = time.monotonic() - began
        # Counted from the first loss.
        assert PATIENCE - 5 < waited < PATIENCE * 1.4 + still.seconds() - late, waited
        assert not os.path.exists(PIN_DIRECTORY)
        assert service.logged().count(LOST) == 1, service.logged()
        service.kill()  # it has been looked at


def a_bus_that_hangs_does_not_stop_the_tick():
    with Service(backend="observer") as service, Standstill() as still:
        service.wait_ticks(1)
        tick = service.get("Tick")
        before = owner(service)
        with stopped(BUS):
            hang_up(service)
            began, late = time.monotonic(), still.seconds()
            # 4 s in which the machine runs.
            while time.monotonic() - began < 4 + still.seconds() - late:
                time.sleep(0.1)
        wait_for(lambda: owner(service) not in (None, before) or service.process.poll() is not None,
                 10, "the service is back")
        assert service.process.poll() is None
        assert service.get("Tick") - tick >= 3


def a_name_that_another_took_is_an_error():
    with Service(backend="observer") as service:
        # Its name is given to what waits for it, before the service is back.
        other = subprocess.Popen([sys.executable, "-c", f"""
from gi.repository import Gio, GLib
bus = Gio.bus_get_sync(Gio.BusType.SYSTEM)
Gio.bus_own_name_on_connection(bus, "{NAME}", 0, None, None)
GLib.MainLoop().run()
"""])
        try:
            wait_for(lambda: len(ask_bus(service, "ListQueuedOwners", NAME)) == 2, 5, "one waits")
            hang_up(service)
            status = service.process.wait(60)
            assert status not in (0, -6, -11), status
            assert "Another service owns the name" in service.logged(), service.logged()
        finally:
            other.kill()
            other.wait()
        service.kill()  # it has been looked at


def a_log_that_is_not_read_any_more_ends_nothing():
    """Without systemd, which has it ignored: `pandemonium-procdbd 2>&1 | head`, a logger that ends."""
    with Service() as service:
        service.stop()
        process = subprocess.Popen([os.environ["LAB_SERVICE"], "--database", DATABASE, "--backend", "none"],
                                   stderr=subprocess.PIPE)
        wait_for(lambda: owner(service), 10, "the service owns its name")
        process.stderr.close()
        process.send_signal(signal.SIGHUP)  # which is logged
        service.call("SetOverride", "(ss)", "mine", "batch")
        assert process.poll() is None
        process.terminate()
        assert process.wait(60) == 0


def what_users_send_in_the_name_of_the_bus_is_not_believed():
    """That the name is lost, that a caller has left: a match rule does not compare the sender."""
    with Service() as service:
        service.call("Hold", "(sss)", "held", "batch", "for a test")
        me = service.bus.get_unique_name()
        for member, *values in (("NameOwnerChanged", me, me, ""), ("NameAcquired", NAME),
                                ("NameLost", NAME)):
            subprocess.run(["dbus-send", "--system", "--type=signal", f"--dest={NAME}",
                            "/org/freedesktop/DBus", f"org.freedesktop.DBus.{member}",
                            *(f"string:{value}" for value in values)],
                           check=True, cwd="/", user="alice", group="alice", extra_groups=[])
            time.sleep(0.3)
            assert service.process.poll() is None, f"{member} ended it: {service.logged()}"
            assert service.call("GetProfile", "(s)", "held")["held"] == "batch", member


if __name__ == "__main__":
    run_case(globals())
