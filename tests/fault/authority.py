# SPDX-License-Identifier: GPL-2.0-only
# Copyright (C) 2026 The ProcDb developers
"""polkitd ends, hangs and comes back at any moment, under callers of every kind."""

import json
import os
import random
import signal
import subprocess
import time

from harness import ACCESS_DENIED, Service, call_as, error_name, processes, run_case, wait_for

SECONDS = 12
CALLER = """
import json, sys, time
from gi.repository import Gio, GLib

bus = Gio.bus_get_sync(Gio.BusType.SYSTEM)
counts, end = {}, time.monotonic() + float(sys.argv[1])
while time.monotonic() < end:
    for method in ("ListProfiles", "Save", "Reset"):
        began = time.monotonic()
        try:
            bus.call_sync("org.pandemonium.ProcDb", "/org/pandemonium/ProcDb",
                          "org.pandemonium.ProcDb1", method, None, None,
                          Gio.DBusCallFlags.NO_AUTO_START, 60_000)
            result = "done"
        except GLib.Error as error:
            result = Gio.DBusError.get_remote_error(error) or error.message
        key = f"{method} {result}"
        counts[key] = counts.get(key, 0) + 1
        counts["longest"] = max(counts.get("longest", 0), time.monotonic() - began)
print(json.dumps(counts))
"""


def caller(user):
    return subprocess.Popen(["/usr/bin/python3", "-c", CALLER, str(SECONDS)],
                            stdout=subprocess.PIPE, cwd="/", user=user, group=user,
                            extra_groups=[])


def start_polkitd():
    # Its criticals are its own.
    environment = {name: value for name, value in os.environ.items() if name != "G_DEBUG"}
    subprocess.Popen([os.environ["LAB_POLKITD"], "--no-debug"], env=environment,
                     stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def disturb(chance):
    """Ends, stops or starts polkitd, whatever it does just then."""
    running = processes("/polkitd --no-debug")
    if not running:
        start_polkitd()
        return
    os.kill(running[0], chance.choice((signal.SIGKILL, signal.SIGSTOP, signal.SIGCONT)))


def kill_polkitd():
    for pid in processes("/polkitd --no-debug"):
        os.kill(pid, signal.SIGKILL)


def alice_reads():
    """Whether she may; polkitd is started as often as it takes, since one that begins while
    the bus still has the name of the one before ends at once."""
    if not processes("/polkitd --no-debug"):
        start_polkitd()
    return call_as("alice", "ListProfiles")[1] is None


def polkitd_dies_and_hangs_at_any_moment():
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    chance = random.Random(seed)
    with Service() as service:
        callers = {user: caller(user) for user in ("alice", "bob", "root")}
        end = time.monotonic() + SECONDS
        disturbed = 0
        while time.monotonic() < end:
            time.sleep(chance.uniform(0, 0.3))
            disturb(chance)
            disturbed += 1
        kill_polkitd()
        for user, process in callers.items():
            check(user, json.loads(process.communicate(timeout=90)[0]))
            assert process.returncode == 0
        # For a call of theirs after the first kill the bus has started it again.
        kill_polkitd()
        wait_for(lambda: not processes("/polkitd --no-debug"), 5, "polkitd is gone")
        print(f"{disturbed} disturbances")
        wait_for(alice_reads, 40, "alice may read again")
        assert call_as("alice", "Reset")[1] == \
            "org.freedesktop.DBus.Error.InteractiveAuthorizationRequired"
        assert service.call("Save") == 0


def check(user, counts):
    print(f"{user}: {counts}")
    # No caller waits for longer than the service waits for polkit.
    assert counts.pop("longest") < 22, counts
    for answer in counts:
        method, result = answer.split(" ", 1)
        if user == "root":
            assert result == "done", answer
        elif method == "Reset":
            assert result != "done", answer
        assert result in ("done", ACCESS_DENIED, error_name("LimitExceeded"),
                          "org.freedesktop.DBus.Error.InteractiveAuthorizationRequired"), answer


if __name__ == "__main__":
    run_case(globals())
