# SPDX-License-Identifier: GPL-2.0-only
# Copyright (C) 2026 The ProcDb developers
"""bpf(2) fails, here and there or for a while, under the real service."""

import errno
import mmap
import os
import struct
import sys
import time

from harness import (INIT, OBSERVE, PIN_DIRECTORY, CallFailed, Service, create_pins, entries, observe,
                     remove_pins, run_case, teach, wait_for)

ERRORS = (errno.EPERM, errno.ENOMEM, errno.E2BIG, errno.EINTR, errno.EINVAL, errno.EAGAIN)
THOROUGH = "--thorough" in sys.argv


class Faults:
    """Orders to the shim in the service that started_with() starts."""

    def __init__(self):
        path = os.environ["LAB_DIR"] + "/faults"
        with open(path, "wb") as file:
            file.write(bytes(16))
        with open(path, "r+b") as file:
            self.memory = mmap.mmap(file.fileno(), 16)
        # ASan wants to be the first library; the shim does not get in its way.
        asan = os.environ.get("ASAN_OPTIONS", "") + ":verify_asan_link_order=0"
        self.prefix = ("env", f"FAULTS={path}", f"LD_PRELOAD={os.environ['BPF_SHIM']}",
                       f"ASAN_OPTIONS={asan.strip(':')}")

    def calls(self):
        return struct.unpack("=I", self.memory[:4])[0]

    def fail(self, nth, error, count=1):
        """The nth call from now on, and the next count - 1."""
        self.memory[4:16] = struct.pack("=III", 0, count, error)
        self.memory[4:8] = struct.pack("=I", self.calls() + nth)

    def stop(self):
        self.memory[4:8] = bytes(4)


def open_files(service):
    return len(os.listdir(f"/proc/{service.process.pid}/fd"))


def service_with(faults, backend):
    service = Service(backend=backend, prefix=faults.prefix)
    with open(f"/proc/{service.process.pid}/maps", encoding="utf-8") as maps:
        assert os.environ["BPF_SHIM"] in maps.read(), "the shim is not in the service"
    return service


def pinned_files():
    """Without the record of what tasks were given, which is there as long as the service runs."""
    files = os.listdir(PIN_DIRECTORY) if os.path.exists(PIN_DIRECTORY) else []
    return [file for file in files if file != "procdb_given"]


def check_start(service, faults, nth, error):
    """One start of the observer, in which the nth bpf(2) fails. Whether it came to that call."""
    what = f"call {nth} fails with {errno.errorcode[error]}"
    before = faults.calls()
    faults.fail(nth, error)
    service.call("SetBackend", "(s)", "observer")
    reached = faults.calls() - before >= nth
    backend, state = service.state()
    assert backend == "observer", (what, backend)
    if state != "active":
        assert state.startswith("failed: ") and len(state) > len("failed: "), (what, state)
        assert not pinned_files(), (what, state, pinned_files())
    faults.stop()
    service.call("SetBackend", "(s)", "none")
    assert not pinned_files(), (what, pinned_files())
    return reached


def the_nth_call_of_a_start_fails():
    faults = Faults()
    with service_with(faults, "none") as service:
        # The first start asks the kernel what it can do, later ones know.
        calls = 1_000_000
        for number in range(4):
            before = faults.calls()
            service.call("SetBackend", "(s)", "observer")
            # The fewest: a tick may come before they are counted, and makes some as well.
            calls = min(calls, faults.calls() - before) if number else calls
            assert service.state() == ("observer", "active") and calls > 10, (service.state(), calls)
            service.call("SetBackend", "(s)", "none")
        files = open_files(service)
        began = time.monotonic()
        tried = 0
        for nth in range(1, calls + 1):
            for error in ERRORS if THOROUGH else (ERRORS[nth % len(ERRORS)],):
                assert check_start(service, faults, nth, error) or nth > calls - 5, nth
                tried += 1
            assert open_files(service) == files, f"call {nth} fails: files stay open"
        print(f"{tried} starts with a failure at each of {calls} calls: "
              f"{time.monotonic() - began:.1f} s, {files} open files before and after")
        faults.fail(1, errno.EPERM, count=1_000_000)
        service.call("SetBackend", "(s)", "observer")
        assert service.state()[1].startswith("failed: "), service.state()
        faults.stop()
        wait_for(lambda: service.state() == ("observer", "active"), 6, "it is tried again")


def the_nth_call_of_a_tick_fails():
    faults = Faults()
    create_pins()
    with service_with(faults, "pinned") as service:
        for number in range(20):
            observe(f"name-{number}".encode())
            faults.fail(1 + number % 7, ERRORS[number % len(ERRORS)])
            service.wait_ticks(1)
        assert service.get("MapErrors") > 0
        faults.stop()
        recovers(service)


def all_calls_fail_for_a_while():
    faults = Faults()
    create_pins()
    with service_with(faults, "pinned") as service:
        teach(service, b"before")
        for error in ERRORS:
            observe(b"meanwhile")
            counted = service.get("MapErrors")
            faults.fail(1, error, count=1_000_000)
            service.wait_ticks(2)
            assert service.get("MapErrors") > counted, errno.errorcode[error]
            assert "before" in service.profiles()
            service.call("SetOverride", "(ss)", "before", "interactive")
            service.call("ClearOverride", "(s)", "before")
            faults.stop()
            wait_for(lambda: not entries(OBSERVE), 4, "what waited is taken")
        recovers(service)


def recovers(service):
    """All that is confident is predicted, and nothing else, soon after the failures."""
    teach(service, b"after", b"before")

    def agree():
        confident = {name for name, row in service.profiles().items() if row["confident"]}
        return confident == {key.rstrip(b"\0").decode() for key in entries(INIT)}
    wait_for(agree, 4, "the init map is what it should be")
    assert service.state() == ("pinned", "active")
    for name in ("after", "before"):
        assert service.profiles()[name]["confident"]


def pins_are_put_back_after_a_failure():
    faults = Faults()
    with service_with(faults, "observer") as service:
        for nth in range(1, 9):
            wait_for(lambda: len(pinned_files()) == 3, 5, f"the pins, before {nth}")
            faults.fail(nth, errno.ENOMEM)
            remove_pins()
            wait_for(lambda: len(pinned_files()) == 3, 5, f"the pins are back, call {nth} failed")
            faults.stop()
        assert service.state() == ("observer", "active")
    assert not pinned_files()


def changes_while_calls_fail():
    """What a client asks for in the meantime is done, or refused with a reason, and then holds."""
    faults = Faults()
    create_pins()
    with service_with(faults, "pinned") as service:
        names = [f"c{number}" for number in range(12)]
        for round_ in range(24):
            faults.fail(1 + round_ % 5, ERRORS[round_ % len(ERRORS)])
            try:
                if round_ % 3:
                    service.call("SetOverride", "(ss)", names[round_ // 2], "lat-critical")
                else:
                    service.call("Reset")
            except CallFailed as failure:
                assert failure.name.startswith("org.pandemonium.ProcDb1.Error."), failure.name
        faults.stop()
        service.wait_ticks(2)
        overrides = {name for name, row in service.profiles().items() if row["origin"] == "override"}
        assert len(overrides) == service.get("Overrides") > 0
        assert overrides == {key.rstrip(b"\0").decode() for key in entries(INIT)}


if __name__ == "__main__":
    run_case(globals())
