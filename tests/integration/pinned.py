# SPDX-License-Identifier: GPL-2.0-only
# Copyright (C) 2026 The ProcDb developers
"""Maps that another scheduler pinned; bpftool plays the scheduler."""

import errno
import os
import struct
import subprocess
import threading
import time

from harness import (INIT, OBSERVE, PIN_DIRECTORY, Service, bpftool, create_map, create_pins,
                     entries, handle_of, held_pins, in_hex, observe, release_pins, remove_pins, run_case, stopped,
                     teach, wait_for)


def key(name):
    return name.ljust(16, b"\0")


def learns_from_and_feeds_pinned_maps():
    create_pins()
    with Service(backend="pinned") as service:
        assert service.state() == ("pinned", "active")
        for number in (1, 2, 3):
            observe(b"cc1", tier=0)
            wait_for(lambda: not entries(OBSERVE), 3, "the observation is taken")
            wait_for(lambda n=number: service.profiles()["cc1"]["observations"] == n, 3, "merged")
        wait_for(lambda: entries(INIT) == {key(b"cc1"): (0, 40_000_000, 1_000_000, 3, 5)}, 3,
                 "the prediction is published")
        assert service.get("MapErrors") == 0
    # They belong to another program: nothing of them is removed.
    assert os.path.exists(OBSERVE) and os.path.exists(INIT)


def a_full_map_is_drained_at_once():
    create_pins()
    names = [f"task-{number}".encode() for number in range(150)]
    with Service(backend="pinned") as service:
        for name in names:
            observe(name)
        wait_for(lambda: not entries(OBSERVE), 5, "all are taken")
        wait_for(lambda: len(service.profiles()) == len(names), 3, "all are there")


def a_large_map_of_others_is_left_to_them():
    os.makedirs(PIN_DIRECTORY, mode=0o700, exist_ok=True)
    create_map(OBSERVE, "lru_hash")
    create_map(INIT, "hash", entries=90000)
    batch = os.environ["LAB_DIR"] + "/batch"
    with open(batch, "w", encoding="ascii") as lines:
        for number in range(70000):
            comm = f"other-{number}".encode().ljust(16, b"\0")
            lines.write(" ".join(["map update pinned", INIT, "key", *in_hex(comm), "value",
                                  *in_hex(bytes(40)), "\n"]))
    bpftool("batch", "file", batch)
    with Service(backend="pinned") as service:
        teach(service, b"cc1")
        service.call("SetOverride", "(ss)", "other-69999", "lat-critical")
        service.wait_ticks(7)
        there = entries(INIT)
        assert len(there) == 70001, len(there)
        assert there[key(b"cc1")][0] == 0 and there[key(b"other-69999")][0] == 2


def waits_for_pins():
    with Service(backend="pinned") as service:
        assert service.state() == ("pinned", "waiting")
        service.wait_ticks(2)
        assert service.state() == ("pinned", "waiting")
        create_pins()
        service.wait_ticks(2)
        assert service.state() == ("pinned", "active")
        teach(service, b"cc1")


def notices_new_pins_within_two_ticks():
    create_pins()
    with Service(backend="pinned") as service:
        teach(service, b"cc1")
        wait_for(lambda: key(b"cc1") in entries(INIT), 3, "the prediction is published")
        remove_pins()
        create_pins()
        service.wait_ticks(2)
        assert service.state() == ("pinned", "active")
        assert key(b"cc1") in entries(INIT), "the new init map has the predictions"
        teach(service, b"as")


def goes_on_when_pins_disappear():
    create_pins()
    with Service(backend="pinned") as service:
        teach(service, b"cc1")
        remove_pins()
        service.wait_ticks(2)
        assert service.state() == ("pinned", "waiting")
        assert set(service.profiles()) == {"cc1"}
        # As scx_pandemonium does when it ends: under the unit the mount would go with it.
        try:
            os.rmdir(PIN_DIRECTORY)
            raise AssertionError("the folder went under the service")
        except OSError as error:
            assert error.errno == errno.ENOTEMPTY, error
        service.wait_ticks(2)
        assert service.call("Save") == 1
        create_pins()
        service.wait_ticks(2)
        assert service.state() == ("pinned", "active")
        assert key(b"cc1") in entries(INIT)


def one_pin_alone_is_not_enough():
    os.mkdir(PIN_DIRECTORY, 0o700)
    create_map(OBSERVE, "lru_hash")
    with Service(backend="pinned") as service:
        service.wait_ticks(1)
        assert service.state() == ("pinned", "waiting")


def a_pin_alone_stays_as_long_as_its_program_runs():
    """A scheduler pins one map after the other: the first is not to be replaced between them."""
    os.mkdir(PIN_DIRECTORY, 0o700)
    create_map(OBSERVE, "lru_hash")
    before = bpftool("map", "show", "pinned", OBSERVE)["id"]
    handle = handle_of(OBSERVE)
    for backend in ("observer", "auto"):
        with Service(backend=backend) as service:
            service.wait_ticks(2)
            assert bpftool("map", "show", "pinned", OBSERVE)["id"] == before, backend
            # It observes all the same.
            assert service.state()[1] == "active", service.state()
    os.close(handle)
    with Service(backend="observer") as service:
        assert service.state() == ("observer", "active"), service.state()


def refuses_unsafe_pins():
    def shape(observe_shape, init_shape):
        def make():
            os.makedirs(PIN_DIRECTORY, 0o700, exist_ok=True)
            create_map(OBSERVE, *observe_shape)
            create_map(INIT, *init_shape)
        return make

    def changed(path, change, *values):
        def make():
            create_pins()
            change(path, *values)
        return make

    good, init = ("lru_hash", 16, 40), ("hash", 16, 40)
    unsafe = {
        "observe value": shape(("lru_hash", 16, 48), init),
        "observe key": shape(("lru_hash", 32, 40), init),
        "observe type": shape(("array", 4, 40), init),
        "observe is a hash": shape(("hash", 16, 40), init),
        "init value": shape(good, ("hash", 16, 32)),
        "init key": shape(good, ("hash", 8, 40)),
        "init type": shape(good, ("lru_hash", 16, 40)),
        "directory owner": changed(PIN_DIRECTORY, os.chown, 2001, 2001),
        "directory mode": changed(PIN_DIRECTORY, os.chmod, 0o777),
        "observe owner": changed(OBSERVE, os.chown, 2001, 2001),
        "observe mode": changed(OBSERVE, os.chmod, 0o666),
        "init owner": changed(INIT, os.chown, 2001, 2001),
        "init mode": changed(INIT, os.chmod, 0o622),
    }
    with Service(backend="pinned") as service:
        for what, make in unsafe.items():
            # It sees them when they are as they should be seen, and not a good one before.
            with stopped(service.process.pid):
                make()
            wait_for(lambda: service.state()[1] != "waiting", 3, f"{what} is noticed")
            backend, state = service.state()
            assert backend == "pinned" and state.startswith("failed: "), (what, state)
            path = PIN_DIRECTORY if what.startswith("directory") else \
                OBSERVE if what.startswith("observe") else INIT
            assert f"{path} " in state + " ", (what, state)
            print(f"{what}: {state}")
            remove_pins()
            os.chown(PIN_DIRECTORY, 0, 0)
            os.chmod(PIN_DIRECTORY, 0o700)
            wait_for(lambda: service.state() == ("pinned", "waiting"), 3, f"{what} is forgiven")
        create_pins()
        service.wait_ticks(2)
        assert service.state() == ("pinned", "active")


def auto_prefers_pins():
    create_pins()
    with Service(backend="auto") as service:
        assert service.state() == ("pinned", "active")
        teach(service, b"cc1")


def auto_observes_when_the_scheduler_was_killed():
    create_pins()
    release_pins()
    with Service(backend="auto") as service:
        assert service.get("Backend") == "observer" and service.get("BackendStatus") == "active"
        assert "remove" in service.get("BackendReason") and PIN_DIRECTORY in \
            service.get("BackendReason"), service.get("BackendReason")
        wait_for(lambda: service.get("Observations") > 0, 15, "it observes")
        for command, status in (("status", 0), ("doctor", None)):
            said = subprocess.run(["pandemoniumctl", command], stdout=subprocess.PIPE,
                                  check=status == 0).stdout.decode()
            assert "a scheduler that has ended" in said and "rm " in said, said
        # A scheduler that takes them up again, and one that is killed.
        with held_pins():
            wait_for(lambda: service.state() == ("pinned", "active"), 25, "it is noticed")
        wait_for(lambda: service.get("Backend") == "observer", 25, "it is noticed")
        # They are another program's, so they are there.
        assert bpftool("map", "show", "pinned", INIT)["max_entries"] == 512
        remove_pins()
        wait_for(lambda: service.state() == ("observer", "active"), 5, "they are gone")
        assert os.path.exists(OBSERVE), "its own are there"
    assert not os.path.exists(PIN_DIRECTORY)


def pinned_says_that_the_scheduler_was_killed():
    create_pins()
    with Service(backend="pinned") as service:
        assert service.state() == ("pinned", "active")
        release_pins()
        wait_for(lambda: "a scheduler that has ended" in service.get("BackendReason"), 25, "it says so")
        # It was told to use them.
        teach(service, b"cc1")


def auto_observes_without_pins():
    with Service(backend="auto") as service:
        assert service.state() == ("observer", "active")


class Adaptive:
    """What scx_pandemonium does once a second in its adaptive mode, with the maps."""

    def __init__(self, known):
        self.known = dict(known)  # name -> tier
        self.stop = threading.Event()
        self.thread = threading.Thread(target=self.loop)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.stop.set()
        self.thread.join()

    def loop(self):
        while not self.stop.wait(1):
            self.step()

    def step(self):
        """It drains what was observed, and writes every confident prediction again."""
        lines = [["map", "delete", "pinned", OBSERVE, "key", *in_hex(name)]
                 for name in entries(OBSERVE)]
        for name, tier in self.known.items():
            write_prediction(name, tier)
        for line in lines:
            subprocess.run(["bpftool", *line], stderr=subprocess.DEVNULL, check=False)

    def evict(self, *names):
        """It forgets names after a minute, and removes their predictions."""
        for name in names:
            self.known.pop(name, None)
            subprocess.run(["bpftool", "map", "delete", "pinned", INIT, "key",
                            *in_hex(key(name))], stderr=subprocess.DEVNULL, check=False)


def write_prediction(name, tier):
    bpftool("map", "update", "pinned", INIT, "key", *in_hex(key(name)), "value",
            *in_hex(struct.pack("<B7xQQQQ", tier, 1_000_000, 0, 1, 1)))


def tier_in_map(name):
    return entries(INIT).get(key(name), (None,))[0]


def what_another_program_writes_beside_us_is_put_right():
    create_pins()
    names = [f"lab-{number}".encode() for number in range(3)]
    with Service(backend="pinned") as service:
        teach(service, *names)
        service.call("SetOverride", "(ss)", "lab-own", "lat-critical")
        service.wait_ticks(6)
        assert service.get("BackendReason") == ""
        with Adaptive({b"lab-own": 0, b"theirs": 1}) as other:
            for _ in range(2):
                wait_for(lambda: tier_in_map(b"lab-own") == 0, 5, "it is overwritten")
                wait_for(lambda: tier_in_map(b"lab-own") == 2, 8, "the override holds again")
            other.evict(*names)
            wait_for(lambda: all(tier_in_map(name) == 0 for name in names), 8, "they are there again")
            wait_for(lambda: "--no-adaptive" in service.get("BackendReason"), 8, "it is said")
            assert service.get("BackendStatus") == "active"
            for command in ("status", "doctor"):
                said = subprocess.run(["pandemoniumctl", command], stdout=subprocess.PIPE,
                                      check=False).stdout.decode()
                assert "another program" in said and "--no-adaptive" in said, said
            # What only the other one knows is its own.
            assert tier_in_map(b"theirs") == 1
    assert set(entries(INIT)) >= {key(b"lab-own"), key(b"theirs"), *map(key, names)}


def what_another_program_wrote_before_us_stays():
    create_pins()
    write_prediction(b"theirs", 2)
    with Service(backend="pinned") as service:
        teach(service, b"cc1")
        service.wait_ticks(7)
        assert tier_in_map(b"theirs") == 2 and tier_in_map(b"cc1") == 0
        # Nothing that we hold is contradicted, so nothing is said.
        assert service.state() == ("pinned", "active")


def nothing_is_lost_through_restarts_of_either():
    create_pins()
    names = [f"lab-{number}".encode() for number in range(3)]
    with Service(backend="pinned") as service:
        teach(service, *names)
        service.call("SetOverride", "(ss)", "lab-own", "lat-critical")
    for turn in range(10):
        with Service(backend="pinned") as service, Adaptive({b"lab-0": 2}) as other:
            time.sleep(turn % 3 / 2)
            other.evict(*names)
            wait_for(lambda: [tier_in_map(name) for name in (b"lab-1", b"lab-own")] == [0, 2],
                     8, f"all holds at start {turn}")
    with Service(backend="pinned") as service:
        assert set(service.profiles()) == {"lab-0", "lab-1", "lab-2", "lab-own"}
        teach(service, b"lab-new")


def hostile_values_do_no_harm():
    create_pins()
    big = 2**64 - 1
    with Service(backend="pinned") as service:
        for _ in range(4):
            observe(b"huge", tier=255, avg=big, dev=big, freq=big, csw=big)
            observe(b"zero", tier=3, avg=0, dev=0, freq=0, csw=0)
            wait_for(lambda: not entries(OBSERVE), 3, "the observations are taken")
        service.wait_ticks(1)
        profiles = service.profiles()
        assert profiles["huge"]["tier"] == "lat-critical"
        assert profiles["huge"]["avg_runtime"] == big, profiles["huge"]
        # Four of four say the same, however large the figures beside it are.
        assert abs(profiles["huge"]["confidence"] - 0.8) < 1e-9, profiles["huge"]
        assert abs(profiles["zero"]["confidence"] - 0.8) < 1e-9, profiles["zero"]
        assert service.call("Save") == 2


if __name__ == "__main__":
    run_case(globals())
