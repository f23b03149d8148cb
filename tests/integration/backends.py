# SPDX-License-Identifier: GPL-2.0-only
# Copyright (C) 2026 The ProcDb developers
"""Our own BPF programs: pins, takeover, and machines that cannot run them."""

import os
import signal
import socket
import stat
import subprocess
import time

from harness import (DATABASE, INIT, NAME, OBSERVE, PATH, INTERFACE, PIN_DIRECTORY, Service, Standstill,
                     bpftool, entries, processes, run_case, skip_unless_the_bus_starts, wait_for)
import pddb


def the_observer_pins_its_maps():
    with Service(backend="observer") as service:
        assert service.state() == ("observer", "active")
        directory = os.stat(PIN_DIRECTORY)
        assert stat.S_IMODE(directory.st_mode) == 0o700 and directory.st_uid == 0
        observe = bpftool("map", "show", "pinned", OBSERVE)
        init = bpftool("map", "show", "pinned", INIT)
        assert (observe["type"], observe["bytes_key"], observe["bytes_value"]) == \
            ("lru_hash", 16, 40), observe
        assert (init["type"], init["bytes_key"], init["bytes_value"]) == ("hash", 16, 40), init
        # What an LRU of 512 holds is about 320 names: ours are larger.
        assert observe["max_entries"] > 512 and init["max_entries"] >= 512


def a_clean_stop_leaves_nothing():
    for sent in (signal.SIGTERM, signal.SIGINT):
        with Service(backend="observer") as service:
            assert os.path.exists(OBSERVE)
            service.process.send_signal(sent)
            assert service.process.wait(60) == 0
        assert not os.path.exists(PIN_DIRECTORY), os.listdir(PIN_DIRECTORY)
        assert not processes("pandemonium-procdbd")
        # What it saw of the machine is saved, if it came to a tick.
        name = os.path.basename(DATABASE)
        assert set(os.listdir(os.path.dirname(DATABASE))) <= {name, name + ".prev"}


def leftovers_of_a_crash_are_taken_over():
    pddb.write(DATABASE, [pddb.confident(b"cc1")])
    with Service(backend="observer") as service:
        service.kill()
    assert os.path.exists(OBSERVE) and os.path.exists(INIT)
    with Service(backend="observer") as service:
        assert service.state() == ("observer", "active")
        service.wait_ticks(1)
        assert b"cc1".ljust(16, b"\0") in entries(INIT)
        wait_for(lambda: service.get("Observations") > 0, 15, "it observes")
    assert not os.path.exists(PIN_DIRECTORY)


def auto_takes_its_own_leftovers_for_what_they_are():
    with Service(backend="auto") as service:
        service.kill()
    assert os.path.exists(OBSERVE)
    with Service(backend="auto") as service:
        assert service.state() == ("observer", "active")


def a_second_service_leaves_the_first_alone():
    with Service(backend="observer") as service:
        second = subprocess.run([os.environ["LAB_SERVICE"], "--backend", "observer", "--database",
                                 "/run/lab/other.bin"], timeout=120, stderr=subprocess.PIPE,
                                stdout=subprocess.PIPE, check=False)
        assert second.returncode not in (0, -6, -11), second
        assert (second.stderr + second.stdout).strip(), "it says why"
        service.wait_ticks(2)
        assert service.state() == ("observer", "active")
        assert os.path.exists(OBSERVE) and os.path.exists(INIT)


def serves_without(reason, **options):
    pddb.write(DATABASE, [pddb.confident(b"cc1")])
    with Service(backend="observer", **options) as service:
        backend, state = service.state()
        assert backend == "observer" and state.startswith("failed: "), (backend, state)
        print(f"{reason}: {state}")
        said = subprocess.run(["pandemoniumctl", "status"], stdout=subprocess.PIPE,
                              check=False).stdout.decode()
        assert "does not learn" in said and service.get("BackendReason") in said, said
        assert set(service.profiles()) == {"cc1"}
        assert service.call("GetConfidence", "(s)", "cc1") > 0.9
        service.wait_ticks(3)
        service.call("DeleteProfile", "(s)", "cc1")
        assert service.call("Save") == 0
    assert not os.path.exists(PIN_DIRECTORY)


def without_bpffs_it_serves_what_it_knows():
    assert not os.path.ismount("/sys/fs/bpf")
    serves_without("no bpffs")


def without_capabilities_it_serves_what_it_knows():
    serves_without("no CAP_BPF", prefix=(
        "setpriv", "--bounding-set=-bpf,-perfmon,-sys_admin", "--inh-caps=-bpf,-perfmon,-sys_admin"))


def in_a_user_namespace_it_serves_what_it_knows():
    # Root there has all capabilities, and none over the kernel's BPF.
    serves_without("a user namespace", prefix=("unshare", "--user", "--map-root-user"))


def bpf_and_perfmon_are_capabilities_enough():
    # What the sandboxed unit has. The directory is made for it there, and is here.
    os.mkdir(PIN_DIRECTORY, 0o700)
    with Service(backend="observer", prefix=(
            "setpriv", "--bounding-set=-all,+bpf,+perfmon", "--inh-caps=-all")) as service:
        assert service.state() == ("observer", "active"), service.state()
        wait_for(lambda: service.get("Observations") > 0, 15, "it observes")


def it_recovers_when_a_bpffs_appears():
    with Service(backend="observer") as service:
        assert service.state()[1].startswith("failed: ")
        assert service.get("BackendStatus") == "failed" and service.get("BackendInUse") == ""
        assert service.state()[1] == "failed: " + service.get("BackendReason")
        subprocess.run(["mount", "-t", "bpf", "-o", "mode=700", "bpf", "/sys/fs/bpf"], check=True)
        wait_for(lambda: service.state() == ("observer", "active"), 15, "it noticed")


def the_first_call_starts_the_service():
    skip_unless_the_bus_starts()
    called = subprocess.run(
        ["busctl", "--json=short", "call", NAME, PATH, INTERFACE, "ListProfiles"],
        stdout=subprocess.PIPE, check=False, timeout=120)
    assert called.returncode == 0 and b"a(ssdbu(uuu)ttttxs)" in called.stdout, called
    pids = processes("bin/pandemonium-procdbd")
    assert len(pids) == 1, pids
    os.kill(pids[0], signal.SIGTERM)
    wait_for(lambda: not processes("bin/pandemonium-procdbd"), 10, "it stops")
    assert not os.path.exists(PIN_DIRECTORY)


def the_service_manager_is_told():
    path = os.environ["LAB_DIR"] + "/notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(path)
        manager.settimeout(30)
        os.environ.update(NOTIFY_SOCKET=path, WATCHDOG_USEC="2000000")
        with Service() as service, Standstill() as still:
            said = manager.recv(4096).decode().splitlines()
            assert said == ["READY=1", "STATUS=Backend none active; 0 profiles, 0 confident"], said
            began, late = time.monotonic(), still.seconds()
            for _ in range(3):
                assert manager.recv(4096) == b"WATCHDOG=1"
            # At least twice as often as is asked for.
            took, late = time.monotonic() - began, still.seconds() - late
            assert took < 3.9 + late, (took, late)
            service.process.send_signal(signal.SIGHUP)
            said = b"WATCHDOG=1"
            while said == b"WATCHDOG=1":
                said = manager.recv(4096)
            assert said == b"RELOADING=1", said
            assert manager.recv(4096).startswith(b"READY=1\nSTATUS=Backend none active"), said
        said = b"WATCHDOG=1"
        while said == b"WATCHDOG=1":
            said = manager.recv(4096)
        assert said.startswith(b"STOPPING=1\nSTATUS="), said


if __name__ == "__main__":
    run_case(globals())
