#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
# Copyright (C) 2026 The ProcDb developers
"""
Many machines push to a Redis Cluster of three nodes whose nodes are killed and held, with real clients
that are killed, too: the farm's sums are those of what was learned, exactly.

    farm.py SECONDS MACHINES

The service is a stand-in that shows each client what its machine has learned so far.
"""

import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time

from gi.repository import Gio, GLib

from stores import need_redis

NAME, PATH = "org.pandemonium.ProcDb", "/org/pandemonium/ProcDb"
RECORD = "(ssdbu(uuu)ttttxsxttusu)"
TIERS = ("batch", "interactive", "lat-critical")
HOST_WEIGHT = 8
WORKERS = 6
# Keys of a label are on one node: these are on all three.
LABELS = ("a", "b", "c", "d", "e")
SEED = int(os.environ.get("PROCDB_SEED", "0")) or random.randrange(1 << 32)
DICE = random.Random(SEED)


class Machine:
    """A machine, and what it has learned: name -> [votes, runs, right]."""

    def __init__(self, number):
        self.host, self.label, self.node = f"host-{number}", LABELS[number % len(LABELS)], number % 3
        # Common programs, those of some, and those of one alone.
        names = [f"common{index}" for index in range(20)] + [f"of{number % 7}-{index}" for index in range(15)]
        names += [f"own{number}-{index}" for index in range(number % 11)]
        self.learned = {name: [[0, 0, 0], 0, 0] for name in names}
        self.usual = {name: DICE.randrange(3) for name in names}
        self.lock = threading.Lock()
        self.learn(1.0)

    def learn(self, share):
        for name, known in self.learned.items():
            if DICE.random() < share:
                votes = DICE.choice((1, 1, 2, 5, 40))
                tier = self.usual[name] if DICE.random() < 0.9 else DICE.randrange(3)
                known[0][tier] += votes
                known[1] += votes + DICE.randrange(2)
                known[2] += DICE.randrange(2)

    def records(self):
        now = int(time.time()) * 1_000_000
        return [(name, TIERS[max(range(3), key=lambda tier: (votes[tier], tier))], 0.0, False, runs, tuple(votes),
                 1000 * (index + 1), 10, 3, 4, now, "live", now - 5_000_000, right, 0, 0, "root", 0)
                for index, (name, (votes, runs, right)) in enumerate(self.learned.items())]

    def push(self, ports, kill_after=None):
        """Whether the client says that all is counted; or it is killed after some time."""
        client = subprocess.Popen(
            ["pandemoniumctl", "farm", "push", f"--store=redis://127.0.0.1:{ports[self.node]}", f"--label={self.label}",
             f"--host={self.host}", f"--state={os.environ['LAB_DIR']}/states/{self.host}", "--timeout=1"],
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        try:
            said = client.communicate(timeout=kill_after or 60)[1].decode()
        except subprocess.TimeoutExpired:
            client.kill()
            client.communicate()
            return False
        assert client.returncode in (0, 1, 5), (client.returncode, said)
        # What the store lost would show in the sums; a push to another address has another memory.
        assert "has lost" not in said and "knows nothing" not in said and "knows newer" not in said, said
        assert client.returncode != 1 or "failed" in said, said
        return client.returncode == 0


class StandIn:
    """The service, for all machines: which one is meant stands in the command line of the caller."""

    def __init__(self, machines):
        self.machines = {machine.host: machine for machine in machines}
        self.bus = Gio.DBusConnection.new_for_address_sync(
            "unix:path=/run/dbus/system_bus_socket",
            Gio.DBusConnectionFlags.AUTHENTICATION_CLIENT | Gio.DBusConnectionFlags.MESSAGE_BUS_CONNECTION)
        with open(os.environ["LAB_SOURCE"] + "/dbus/org.pandemonium.ProcDb1.xml", encoding="utf-8") as xml:
            interface = Gio.DBusNodeInfo.new_for_xml(xml.read()).interfaces[0]
        self.bus.register_object(PATH, interface, self.on_call, self.on_get, None)
        Gio.bus_own_name_on_connection(self.bus, NAME, Gio.BusNameOwnerFlags.NONE, None, None)
        self.loop = GLib.MainLoop()
        threading.Thread(target=self.loop.run, daemon=True).start()

    def on_get(self, _bus, _sender, _path, _interface, name):
        return GLib.Variant("u", 30) if name == "RetentionDays" else None

    def on_call(self, _bus, sender, _path, _interface, method, _arguments, call):
        assert method == "ExportProfiles", method
        try:
            pid = self.bus.call_sync("org.freedesktop.DBus", "/", "org.freedesktop.DBus", "GetConnectionUnixProcessID",
                                     GLib.Variant("(s)", (sender,)), None, 0, 1000).unpack()[0]
            with open(f"/proc/{pid}/cmdline", encoding="utf-8") as words:
                host = next(word[7:] for word in words.read().split("\0") if word.startswith("--host="))
        except (GLib.Error, OSError, StopIteration):
            # It was killed.
            call.return_dbus_error("org.pandemonium.ProcDb1.Error.Gone", "Gone")
            return
        call.return_value(GLib.Variant(f"(a{RECORD})", (self.machines[host].records(),)))


class Cluster:
    def __init__(self):
        base = next(port for port in range(21000 + os.getpid() % 5000, 40000, 3) if all(map(self.is_free, range(port, port + 3))))
        self.ports = range(base, base + 3)
        self.nodes = {port: self.start(port) for port in self.ports}
        for port in self.ports:
            self.wait(port)
        subprocess.run(["redis-cli", "--cluster", "create", *(f"127.0.0.1:{port}" for port in self.ports), "--cluster-yes"],
                       stdout=subprocess.DEVNULL, check=True, timeout=60)

    @staticmethod
    def is_free(port):
        for number in (port, port + 10000):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", number)) == 0:
                    return False
        return True

    @staticmethod
    def start(port):
        directory = f"{os.environ['LAB_DIR']}/node-{port}"
        os.makedirs(directory, exist_ok=True)
        return subprocess.Popen(
            ["redis-server", "--bind", "127.0.0.1", "--port", str(port), "--cluster-enabled", "yes", "--dir", directory,
             "--cluster-node-timeout", "1000", "--cluster-require-full-coverage", "no", "--save", "",
             # Written before a command is answered: a node that is killed has all that it acknowledged.
             "--appendonly", "yes", "--appendfsync", "everysec"], stdout=subprocess.DEVNULL)

    @staticmethod
    def cli(port, *arguments):
        return subprocess.run(["redis-cli", "-c", "-p", str(port), *arguments], stdout=subprocess.PIPE, check=False,
                              timeout=30).stdout.decode()

    def wait(self, port):
        deadline = time.monotonic() + 20
        while "PONG" not in self.cli(port, "PING"):
            assert time.monotonic() < deadline, "a node does not come back"
            time.sleep(0.05)

    def kill_one(self):
        port = DICE.choice(self.ports)
        self.nodes[port].kill()
        self.nodes[port].wait()
        time.sleep(DICE.uniform(0.1, 2))
        self.nodes[port] = self.start(port)
        self.wait(port)

    def hold_one(self):
        node = self.nodes[DICE.choice(self.ports)]
        node.send_signal(signal.SIGSTOP)
        time.sleep(DICE.uniform(0.1, 1.8))
        node.send_signal(signal.SIGCONT)

    def wait_whole(self):
        deadline = time.monotonic() + 30
        while not all("cluster_state:ok" in self.cli(port, "CLUSTER", "INFO") for port in self.ports):
            assert time.monotonic() < deadline, "the cluster does not come back"
            time.sleep(0.1)

    def close(self):
        for node in self.nodes.values():
            node.kill()
            node.wait()

    def records(self, label, kind):
        """Name -> numbers and steps, of a key."""
        found = {}
        keys = [key for port in self.ports
                for key in self.cli(port, "KEYS", f"procdb:{{*-{label}}}:{kind}").split()]
        lines = self.cli(self.ports[0], "HGETALL", keys[0]).splitlines() if keys else []
        for name, text in zip(lines[::2], lines[1::2]):
            words = text.split()
            found[name] = ([int(word) for word in words if "=" not in word],
                           {word.split("=")[0]: int(word.split("=")[1]) for word in words if "=" in word})
        return found


def share_of(votes):
    everything = sum(votes)
    if everything <= HOST_WEIGHT:
        return list(votes)
    return [(vote * HOST_WEIGHT * 2 + everything) // (2 * everything) for vote in votes]


def compare(cluster, machines):
    for machine in machines:
        expected = {name: [*votes, runs, right] for name, (votes, runs, right) in machine.learned.items() if runs}
        found = {name: numbers[:5] for name, (numbers, _) in cluster.records(machine.label, f"host:{machine.host}").items()}
        assert found == expected, (SEED, machine.host,
                                   {name: (found.get(name), expected.get(name)) for name in {*found, *expected}
                                    if found.get(name) != expected.get(name)})
    runs = 0
    for label in LABELS:
        expected = {}
        for machine in (machine for machine in machines if machine.label == label):
            for name, (votes, count, right) in machine.learned.items():
                if count:
                    total = expected.setdefault(name, [0] * 6)
                    for index, number in enumerate([*share_of(votes), 1, count, right]):
                        total[index] += number
        found = cluster.records(label, "sums")
        assert {name: numbers[:6] for name, (numbers, _) in found.items()} == expected, (SEED, label)
        for name, (numbers, steps) in found.items():
            for letter in "adwc":
                count = sum(hosts for key, hosts in steps.items() if key[0] == letter)
                assert count == numbers[3], (SEED, name, letter, count, numbers)
        runs += sum(numbers[4] for numbers, _ in found.values())
    return runs


def work(machines, ports, until, counts):
    """Pushes of machines that learn meanwhile; each by an address of its own, which its memory is of."""
    while time.monotonic() < until and not counts["wrong"]:
        machine = DICE.choice(machines)
        if not machine.lock.acquire(blocking=False):
            continue
        with_kill = DICE.random() < 0.25
        machine.learn(0.3)
        try:
            done = machine.push(ports, DICE.uniform(0.005, 0.2) if with_kill else None)
        except BaseException as wrong:
            counts["wrong"].append(wrong)
            raise
        counts["killed" if with_kill and not done else "counted" if done else "failed"] += 1
        machine.lock.release()


def all_pushed(cluster, machines):
    for machine in machines:
        deadline = time.monotonic() + 60
        while not machine.push(cluster.ports):
            assert time.monotonic() < deadline, (SEED, machine.host)


def main():
    need_redis()
    seconds, number = int(sys.argv[1]), int(sys.argv[2])
    print(f"seed {SEED}")
    os.makedirs(f"{os.environ['LAB_DIR']}/states")
    machines = [Machine(index) for index in range(number)]
    StandIn(machines)
    cluster = Cluster()
    try:
        cluster.wait_whole()
        counts = {"counted": 0, "failed": 0, "killed": 0, "wrong": []}
        until = time.monotonic() + seconds
        workers = [threading.Thread(target=work, args=(machines, cluster.ports, until, counts)) for _ in range(WORKERS)]
        for worker in workers:
            worker.start()
        faults = 0
        while time.monotonic() < until:
            time.sleep(DICE.uniform(0.5, 2))
            DICE.choice((cluster.kill_one, cluster.hold_one))()
            faults += 1
        for worker in workers:
            worker.join()
        assert not counts["wrong"], (SEED, counts["wrong"])
        cluster.wait_whole()
        all_pushed(cluster, machines)
        runs = compare(cluster, machines)
        print(f"{number} machines: {counts['counted']} pushes counted, {counts['failed']} failed, {counts['killed']} clients killed, "
              f"{faults} nodes killed or held; {runs} runs in the farm, exactly")
        assert counts["counted"] > 0 and faults > 0, counts
    finally:
        cluster.close()
        shutil.rmtree(f"{os.environ['LAB_DIR']}/states")


if __name__ == "__main__":
    main()
