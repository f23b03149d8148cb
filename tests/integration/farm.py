#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
# Copyright (C) 2026 The ProcDb developers
"""pandemoniumctl farm with the real service and a real Redis. Machines are one service, which forgets in between."""

import glob
import json
import os
import shutil
import socket
import subprocess
import sys
import threading
import time

from harness import Service, ctl, run_case
from stores import Between, Redis, Slow

RECORDS = "a(ssdbu(uuu)ttttxsxttusu)"
TIERS = ("batch", "interactive", "lat-critical")
SEEN = int(time.time()) * 1_000_000
HOST_WEIGHT = 8


def record(name, tier, observations, runtime=1_000_000, taught_by="root"):
    votes = [0, 0, 0]
    votes[TIERS.index(tier)] = observations
    return (name, tier, 0.0, False, observations, tuple(votes), runtime, runtime // 10, 3, 4, SEEN, "retained", SEEN - 1,
            observations, 1, 0, taught_by, 0)


def teach(service, *records):
    """Adds what a machine has learned."""
    service.call("ImportProfiles", f"({RECORDS}bb)", records, False, True)


def farm(verb, store, host="a", status=0, *more):
    """What "farm" says as a machine, whose memory is its own."""
    return ctl("farm", verb, *more, f"--store={store.url}", f"--host={host}",
               f"--state={os.environ['LAB_DIR']}/state-{host}", "--no-ask-password", status=status)


def fails(verb, status, *arguments, host="a", prefix=()):
    """What it says on standard error when it fails."""
    done = subprocess.run([*prefix, "pandemoniumctl", "farm", verb, f"--host={host}", f"--state={os.environ['LAB_DIR']}/state-{host}",
                           *arguments], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == status, (done.returncode, done.stdout, done.stderr)
    return done.stderr


def machine(service, store, host, *records):
    """A machine that has learned this from nothing on, and pushes it."""
    service.call("Reset")
    teach(service, *records)
    return json.loads(farm("push", store, host, 0, "--json"))


def sums_are_exact(store):
    """Compares the farm's records with those of the machines."""
    expected = {}
    for (_, name), (part, _) in store.records("host:").items():
        total = expected.setdefault(name, [[0] * 7, {}])
        votes = sum(part[:3])
        share = part[:3] if votes <= HOST_WEIGHT else [(vote * HOST_WEIGHT * 2 + votes) // (2 * votes) for vote in part[:3]]
        for index, number in enumerate([*share, 1, *part[3:6]]):
            total[0][index] += number
        for letter, step in zip("adwc", part[8:]):
            total[1][f"{letter}{step}"] = total[1].get(f"{letter}{step}", 0) + 1
    found = {name: [numbers[:7], {key: int(n) for key, n in steps.items()}]
             for (_, name), (numbers, steps) in store.records("sums").items()}
    assert found == expected, (found, expected)
    return found


def what_machines_learned_comes_to_a_fresh_one():
    with Redis() as store, Service() as service:
        many = [record(f"prog{number}", "batch", 5) for number in range(150)]
        for host in "abc":
            assert machine(service, store, host, record("cc1", "batch", 30), *many) == {"pushed": 151, "runs": 780}
        # Nothing new is nothing; and then only what is new.
        assert json.loads(farm("push", store, "c", 0, "--json")) == {"pushed": 0, "runs": 0}
        teach(service, record("cc1", "batch", 2))
        assert json.loads(farm("push", store, "c", 0, "--json")) == {"pushed": 1, "runs": 2}
        sums = sums_are_exact(store)
        assert sums["cc1"][0][:5] == [24, 0, 0, 3, 92], sums["cc1"]

        service.call("Reset")
        teach(service, record("prog0", "lat-critical", 1))
        began = time.monotonic()
        pulled = json.loads(farm("pull", store, "fresh", 0, "--json"))
        print(f"pull: {1000 * (time.monotonic() - began):.0f} ms")
        assert pulled == {"names": 151, "pulled": 150, "own": 1, "unsure": 0}, pulled
        profiles = service.profiles()
        assert profiles["cc1"]["confident"] and profiles["cc1"]["votes"] == (3, 0, 0), profiles["cc1"]
        assert abs(profiles["cc1"]["avg_runtime"] / 1_000_000 - 1) < 1 / 8, profiles["cc1"]
        assert profiles["prog0"]["votes"] == (0, 0, 1), "own evidence stays"
        # What came from the farm is not the machine's: it does not go back.
        assert json.loads(farm("push", store, "fresh", 0, "--json")) == {"pushed": 1, "runs": 1}
        assert "known from the farm, and was not seen here" in ctl("explain", "cc1")
        # Where the unit has its memory, the client finds how many say so.
        environment = {**os.environ, "STATE_DIRECTORY": os.environ["LAB_DIR"] + "/state-fresh"}
        assert "known from the farm (3 machines, 92 runs)" in ctl("explain", "cc1", env=environment)
        assert "the farm (3 machines, 92 runs)" in ctl("show", "cc1", env=environment)
        sums_are_exact(store)


def a_lost_answer_counts_once():
    with Redis() as store, Service() as service:
        teach(service, *[record(f"prog{number}", "batch", 5) for number in range(300)])
        # What is lost: whether it is a store; that it does not know the script; that the first chunk is
        # counted; and at last the answers to four more together.
        for answers in (0, 1, 2, 2):
            with Between(store, answers) as between:
                said = fails("push", 5, f"--store={between.url}")
                assert "Nothing is lost" in said, said
        with Between(store, 1000) as between:
            farm("push", between)
            assert json.loads(farm("push", between, "a", 0, "--json")) == {"pushed": 0, "runs": 0}
        sums = sums_are_exact(store)
        assert sum(numbers[4] for numbers, _ in sums.values()) == 1500, sums
        assert all(numbers[3] == 1 for numbers, _ in sums.values()), sums
        # A store that was emptied is told all once more.
        store.cli("FLUSHALL")
        teach(service, record("prog0", "batch", 1))
        with Between(store, 1000) as between:
            assert json.loads(farm("push", between, "a", 0, "--json")) == {"pushed": 300, "runs": 1501}
        assert sum(numbers[4] for numbers, _ in sums_are_exact(store).values()) == 1501


def said_by(verb, store, host="a"):
    """What it says on standard error although it does what it should."""
    return fails(verb, 0, f"--store={store.url}", host=host)


def a_memory_that_is_not_that_of_the_store_is_told():
    state = f"{os.environ['LAB_DIR']}/state-a"
    with Redis() as store, Service() as service:
        teach(service, record("cc1", "batch", 5))
        assert said_by("push", store) == ""
        shutil.copytree(state, state + ".old")
        teach(service, record("cc1", "batch", 2))
        assert said_by("push", store) == ""
        serials = store.cli("HGETALL", store.keys("serials")[0])
        # An older image comes back, and learns anew what it has lost.
        shutil.rmtree(state)
        shutil.copytree(state + ".old", state)
        teach(service, *[record(f"prog{number}", "batch", 1) for number in range(10)])
        store.cli("HSET", store.keys("serials")[0], serials[0], f"9 {serials[1].split()[1]}")
        assert "newer pushes" in said_by("push", store)
        # It is the memory that counts from here on.
        assert sums_are_exact(store)["prog0"][0][4] == 1
        assert json.loads(farm("push", store, "a", 0, "--json")) == {"pushed": 0, "runs": 0}
        # The store fell back to what it was before the last pushes.
        for line in store.cli("HKEYS", store.keys("serials")[0]):
            store.cli("HSET", store.keys("serials")[0], line, "0 0")
        teach(service, record("cc1", "batch", 1))
        assert "has lost" in said_by("push", store)
        sums_are_exact(store)


def what_is_not_heard_of_any_more_is_forgotten():
    with Redis() as store, Service() as service:
        for host in "abc":
            machine(service, store, host, record("cc1", "batch", 30), record(f"own-{host}", "batch", 1))
        store.cli("ZADD", store.keys("seen")[0], "1000", "a")
        machine(service, store, "b", record("make", "batch", 1))
        assert [line["machine"] for line in json.loads(farm("audit", store, "b", 0, "--json"))] == ["b", "c"]
        sums = sums_are_exact(store)
        assert sums["cc1"][0][3] == 2 and "own-a" not in sums, sums
        # Overrides are not what was learned, and other labels are other farms.
        service.call("SetOverride", "(ss)", "decided", "batch")
        assert json.loads(farm("push", store, "b", 0, "--json")) == {"pushed": 0, "runs": 0}
        assert "knows nothing yet" in farm("pull", store, "b", 0, "--label=other")


def retention_is_that_of_the_service():
    path = f"{os.environ['LAB_DIR']}/long.conf"
    with open(path, "w", encoding="utf-8") as file:
        file.write("[Database]\nRetentionDays=60\n")
    with Redis() as store, Service("--config", path) as service:
        for host in "ab":
            machine(service, store, host, record("cc1", "batch", 30))
        # The farm last saw it 40 days ago.
        key = store.keys("sums")[0]
        words = store.cli("HGET", key, "cc1")[0].split()
        words[8] = str(int(words[8]) - 40 * 24 * 3600)
        store.cli("HSET", key, "cc1", " ".join(words))
        service.call("Reset")
        assert json.loads(farm("pull", store, "fresh", 0, "--json"))["pulled"] == 1


def a_slow_store_is_told_and_loses_nothing():
    with Redis() as store, Service() as service:
        teach(service, *[record(f"prog{number}", "batch", 5) for number in range(100)])
        with Slow(store, 0.6) as slow:
            said = fails("push", 5, f"--store={slow.url}", "--timeout=1")
            assert "did not answer within 1 s" in said and "Nothing is lost" in said, said
            began = time.monotonic()
            service.profiles()
            assert time.monotonic() - began < 5, "the service waits for no store"
        # One that is only slow is waited for: what it had counted it says, and no more than that.
        with Slow(store, 0.02) as slow:
            done = json.loads(farm("push", slow, "a", 0, "--json"))
            assert done == {"pushed": 100, "runs": 500}, done
            service.call("Reset")
            assert json.loads(farm("pull", slow, "fresh", 0, "--json", "--quorum=1"))["pulled"] == 100
        assert sum(numbers[4] for numbers, _ in sums_are_exact(store).values()) == 500


def overrides_travel_only_when_asked():
    with Redis("--unixsocketperm", "777") as store, Service() as service:
        def decided():
            return {name: row["tier"] for name, row in service.profiles().items() if row["origin"] == "override"}

        def becomes(**decisions):
            for name in decided():
                service.call("ClearOverride", "(s)", name)
            for name, tier in decisions.items():
                service.call("SetOverride", "(ss)", name, tier)

        def pulls(*more):
            return json.loads(farm("pull", store, "fresh", 0, "--json", *more))

        becomes(agreed="batch", here="batch", disputed="batch", alone="batch")
        farm("push", store, "a")
        assert pulls("--overrides")["overrides"] == 0, "no machine was asked to push"
        assert json.loads(farm("push", store, "a", 0, "--json", "--overrides"))["overrides"] == 4
        becomes(agreed="batch", here="batch", disputed="interactive")
        for _ in range(2):
            assert json.loads(farm("push", store, "b", 0, "--json", "--overrides"))["overrides"] == 3
        lines = {line["machine"]: line for line in json.loads(farm("audit", store, "fresh", 0, "--json"))}
        assert (lines["a"]["overrides"], lines["b"]["overrides"]) == (4, 3), lines
        assert [part["override"] for part in json.loads(farm("audit", store, "fresh", 0, "disputed", "--json"))] \
            == ["batch", "interactive"]

        becomes(here="lat-critical")
        assert "overrides" not in pulls() and decided() == {"here": "lat-critical"}
        assert "\"here\" to lat-critical stays" in fails("pull", 0, f"--store={store.url}", "--overrides", host="fresh")
        assert decided() == {"here": "lat-critical", "agreed": "batch"}, decided()
        # What came from the farm is no voice of its own, and what was cleared here stays so.
        assert json.loads(farm("push", store, "fresh", 0, "--json", "--overrides"))["overrides"] == 1
        service.call("ClearOverride", "(s)", "agreed")
        assert pulls("--overrides")["overrides"] == 0 and decided() == {"here": "lat-critical"}
        farm("forget", store, "fresh", 0, "a")
        assert [part["machine"] for part in json.loads(farm("audit", store, "fresh", 0, "agreed", "--json"))] == ["b"]
        # A user may not decide, and is told which right is missing.
        alice = ["setpriv", "--reuid=alice", "--regid=alice", "--clear-groups"]
        said = fails("pull", 4, f"--store={store.url}", "--overrides", "--quorum=1", "--no-ask-password", host="c", prefix=alice)
        assert "org.pandemonium.procdb.set-override" in said and decided() == {"here": "lat-critical"}, said


def a_store_behind_tls_has_to_be_the_right_one():
    directory = os.environ["LAB_DIR"]
    if not shutil.which("openssl") or not any(os.path.exists(f"{path}/libgiognutls.so") for path in
                                              glob.glob("/usr/lib/*/gio/modules")):
        print("SKIP: openssl or glib-networking is not installed")
        sys.exit(77)
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                    "-keyout", f"{directory}/key", "-out", f"{directory}/cert", "-days", "2", "-subj", "/CN=localhost",
                    "-addext", "subjectAltName=DNS:localhost"], check=True, capture_output=True)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with Service() as service, Redis("--tls-port", str(port), "--bind", "127.0.0.1", "--tls-cert-file", f"{directory}/cert",
                                     "--tls-key-file", f"{directory}/key", "--tls-auth-clients", "no"):
        teach(service, record("cc1", "batch", 5))
        good = f"--store=rediss://localhost:{port}"
        # LeakSanitizer itself crashes on the thread-local memory of the TLS library, which is loaded late.
        os.environ["ASAN_OPTIONS"] = os.environ.get("ASAN_OPTIONS", "") + ":detect_leaks=0"
        assert fails("push", 0, good, f"--ca-file={directory}/cert") == ""
        assert "certificate" in fails("push", 5, good)
        assert "certificate" in fails("push", 5, f"--store=rediss://127.0.0.1:{port}", f"--ca-file={directory}/cert")
        assert "cannot be reached" in fails("push", 5, f"--store=redis://localhost:{port}")


def a_poisoned_machine_changes_nothing_and_can_be_forgotten():
    with Redis() as store, Service() as service:
        for host in "abcde":
            machine(service, store, host, record("cc1", "batch", 30), record("make", "interactive", 9))
        machine(service, store, "evil", record("cc1", "lat-critical", 1_000_000, runtime=1), record("own", "batch", 1000))
        service.call("Reset")
        farm("pull", store, "fresh")
        assert service.profiles()["cc1"]["tier"] == "batch"
        assert abs(service.profiles()["cc1"]["avg_runtime"] / 1_000_000 - 1) < 1 / 8
        assert "own" not in service.profiles(), "one machine alone"
        lines = json.loads(farm("audit", store, "fresh", 0, "--json"))
        assert lines[0]["machine"] == "evil" and lines[0]["against_all"] == 1 and lines[0]["far_more"] == 1, lines
        assert all(line["against_all"] == 0 for line in lines[1:]), lines
        assert "1,000,000" in farm("audit", store, "fresh", 0, "cc1")
        parts = json.loads(farm("audit", store, "fresh", 0, "cc1", "--json"))
        assert [part["runs"] for part in parts] == [30] * 5 + [1_000_000], parts
        farm("forget", store, "fresh", 0, "evil")
        assert [line["machine"] for line in json.loads(farm("audit", store, "fresh", 0, "--json"))] == list("abcde")
        sums = sums_are_exact(store)
        assert sums["cc1"][0][:5] == [40, 0, 0, 5, 150] and "own" not in sums, sums
        farm("forget", store, "fresh", 3, "evil")


def listen(answer):
    """A socket that answers anything with the same."""
    path = f"{os.environ['LAB_DIR']}/strange.sock"
    server = socket.socket(socket.AF_UNIX)
    server.bind(path)
    server.listen()

    def serve():
        while True:
            client = server.accept()[0]
            client.recv(65536)
            client.sendall(answer) if answer else time.sleep(30)
    threading.Thread(target=serve, daemon=True).start()
    return path


def a_store_that_fails_is_told():
    password = f"{os.environ['LAB_DIR']}/password"
    with Service() as service, Redis("--requirepass", "right") as store:
        teach(service, *[record(f"prog{number}", "batch", 5) for number in range(100)])
        with open(password, "w", encoding="utf-8") as file:
            file.write("wrong\n")
        assert "--password-file" in fails("push", 4, f"--store={store.url}")
        assert "--password-file" in fails("push", 4, f"--store={store.url}", f"--password-file={password}")
        assert "cannot be reached" in fails("push", 5, "--store=redis://127.0.0.1:1")
        assert "cannot be reached" in fails("pull", 5, "--store=unix:/nowhere")
        assert "does not belong here" in fails("push", 2, "--store=redis://:right@localhost")
        path = listen(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        assert "does not answer as a Redis" in fails("push", 1, f"--store=unix:{path}")
        os.unlink(path)
        path = listen(b"*2147483647\r\n")
        assert "does not answer as a Redis" in fails("pull", 1, f"--store=unix:{path}")
        os.unlink(path)
        path = listen(b"")
        assert "did not answer within 1 s" in fails("push", 5, f"--store=unix:{path}", "--timeout=1")
        # And with all of that no more than a word: the rest goes on, and so does the push.
        with open(password, "w", encoding="utf-8") as file:
            file.write("right\n")
        store.cli("CONFIG", "SET", "maxmemory", "1", password="right")
        assert "takes nothing more" in fails("push", 1, f"--store={store.url}", f"--password-file={password}")
        store.cli("CONFIG", "SET", "maxmemory", "0", password="right")
        done = json.loads(farm("push", store, "a", 0, "--json", f"--password-file={password}"))
        assert done == {"pushed": 100, "runs": 500}, done
        assert len(service.profiles()) == 100


if __name__ == "__main__":
    run_case(globals())
