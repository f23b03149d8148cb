# SPDX-License-Identifier: GPL-2.0-only
# Copyright (C) 2026 The ProcDb developers
"""What survives in the database file, and which users can read it."""

import glob
import os
import pathlib
import shutil
import subprocess

from harness import (DATABASE, INIT, MEMORY_MAX, TIERS, Service, create_pins, entries, escape, run_case,
                     teach, wait_for)
import pddb

GOLDEN = os.environ["LAB_SOURCE"] + "/tests/golden"
LASTING = ("tier", "confidence", "confident", "observations", "avg_runtime", "runtime_dev",
           "wakeup_freq", "csw_rate")


def lasting(profiles):
    return {name: [row[column] for column in LASTING] for name, row in profiles.items()}


def a_save_survives_kill():
    create_pins()
    with Service(backend="pinned") as service:
        teach(service, b"cc1", b"as", tier=0)
        teach(service, b"pipewire", tier=2, avg=300_000, dev=20_000, freq=40, csw=50)
        before = lasting(service.profiles())
        assert service.call("Save") == 3
        service.kill()
        assert entries(INIT), "the maps of another scheduler stay"
    with Service(backend="pinned") as service:
        assert lasting(service.profiles()) == before
        predictions = entries(INIT)
        assert predictions[b"pipewire".ljust(16, b"\0")] == (2, 300_000, 20_000, 40, 50)


def of_two_services_with_one_database_one_writes():
    bus = os.environ["LAB_DIR"] + "/second-bus"
    subprocess.run(["dbus-daemon", "--session", f"--address=unix:path={bus}", "--fork"],
                   check=True)
    elsewhere = {**os.environ, "DBUS_SYSTEM_BUS_ADDRESS": f"unix:path={bus}"}
    pddb.write(DATABASE, [pddb.confident(b"cc1")])

    def second_says(*arguments):
        return subprocess.run(["pandemoniumctl", *arguments], env=elsewhere, check=False,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT).stdout.decode()

    with Service() as service:
        log = open(os.environ["LAB_DIR"] + "/second.log", "wb+")
        second = subprocess.Popen([os.environ["LAB_SERVICE"], "--backend", "none", "--database",
                                   DATABASE], stdout=log, stderr=log, env=elsewhere)
        wait_for(lambda: "1 profile" in second_says("status"), 10, "it reads the database")
        for command in ("status", "doctor"):
            said = second_says(command)
            assert "another service writes the database" in said, said
            # The one thing that helps, and not what is of no use here.
            assert "stop one of them, and run: pandemoniumctl load" in said, said
            assert "pandemoniumctl save" not in said, said
        # What the first one writes later stays, whatever the second one is told.
        service.call("SetOverride", "(ss)", "first", "batch")
        before = pathlib.Path(DATABASE).read_bytes()
        assert "another service" in second_says("override", "set", "second", "batch")
        assert "another service" in second_says("save")
        assert pathlib.Path(DATABASE).read_bytes() == before
        service.stop()
        # It is told what to do, and does it only then: what it knows is older.
        assert "another service" in second_says("save")
        assert pathlib.Path(DATABASE).read_bytes() == before
        second_says("load", "--yes")
        second_says("override", "set", "second", "batch")
    second.terminate()
    assert second.wait(60) == 0, second.returncode
    assert not os.path.exists(DATABASE + ".lock")
    # What a service leaves that was killed is no lock.
    with Service() as service:
        service.kill()
    assert os.path.exists(DATABASE + ".lock")
    with Service() as service:
        assert set(service.profiles()) == {"cc1", "first", "second"}
        service.call("SetOverride", "(ss)", "third", "batch")


def a_clean_stop_saves():
    create_pins()
    with Service(backend="pinned") as service:
        teach(service, b"cc1")
        assert not os.path.exists(DATABASE) or not pddb.read(DATABASE)
        assert service.get("Dirty")
    assert list(pddb.read(DATABASE)) == [b"cc1".ljust(16, b"\0")]


def an_independent_reader_reads_the_file():
    create_pins()
    with Service(backend="pinned") as service:
        teach(service, b"cc1", b"sshd\xff\xfe\n%n", tier=1)
        teach(service, b"unsure", times=2)
        assert service.call("Save") == 2
        assert service.get("LastSave") > 0 and service.get("LastSaveError") == ""
        records = pddb.read(DATABASE)
        profiles = service.profiles()
        assert {escape(comm) for comm in records} == \
            {name for name, row in profiles.items() if row["confident"]}
        for comm, record in records.items():
            row = profiles[escape(comm)]
            assert (TIERS[record.tier], record.avg_runtime, record.runtime_dev,
                    record.wakeup_freq, record.csw_rate, record.observations, record.votes) == \
                (row["tier"], row["avg_runtime"], row["runtime_dev"], row["wakeup_freq"],
                 row["csw_rate"], row["observations"], sum(row["votes"]))
        status = os.stat(DATABASE)
        assert status.st_uid == 0 and status.st_mode & 0o022 == 0, oct(status.st_mode)
        # No leftovers, and what says that it is in use.
        name = os.path.basename(DATABASE)
        assert sorted(os.listdir(os.path.dirname(DATABASE))) == [name, name + ".lock"]


def files_of_the_reference_load():
    loaded = 0
    for name in sorted(os.listdir(GOLDEN)):
        if not name.endswith(".bin"):
            continue
        try:
            records = pddb.read(f"{GOLDEN}/{name}")
        except ValueError:
            records = None
        if not records or len(records) > 512:
            continue
        loaded += 1
        shutil.copy(f"{GOLDEN}/{name}", DATABASE)
        with Service() as service:
            profiles = service.profiles()
            assert set(profiles) == {escape(comm) for comm in records}, name
            for comm, record in records.items():
                row = profiles[escape(comm)]
                votes = [0, 0, 0]
                votes[record.tier] = record.votes
                tier = TIERS[record.tier] if record.votes else TIERS[2]
                assert (row["tier"], row["avg_runtime"], row["runtime_dev"], row["wakeup_freq"],
                        row["csw_rate"], row["observations"], list(row["votes"])) == \
                    (tier, record.avg_runtime, record.runtime_dev, record.wakeup_freq,
                     record.csw_rate, record.observations, votes), (name, comm, row, record)
            service.kill()
    assert loaded >= 5, loaded


def a_bad_file_is_an_empty_database():
    for name in ("bad-magic", "version-3", "truncated", "short", "count-wrap", "count-max"):
        shutil.copy(f"{GOLDEN}/{name}.bin", DATABASE)
        with Service() as service:
            assert service.profiles() == {}, name
            assert name.split("-", maxsplit=1)[0] == "count" or service.logged(), name
            service.kill()


def deleting_reaches_the_file():
    pddb.write(DATABASE, [pddb.confident(b"cc1"), pddb.confident(b"as")])
    with Service() as service:
        service.call("DeleteProfile", "(s)", "cc1")
        assert set(service.profiles()) == {"as"}
        assert set(pddb.read(DATABASE)) == {b"as".ljust(16, b"\0")}
        service.kill()
    with Service() as service:
        assert set(service.profiles()) == {"as"}


def zeros_in_the_file_lose_nothing():
    pddb.write(DATABASE, [pddb.confident(b"n%d" % number) for number in range(100)])
    with Service() as service:
        # Each of these saves; what is clean would not be written again.
        service.call("SetOverride", "(ss)", "mine", "batch")
        service.call("SetOverride", "(ss)", "mine", "batch")
        service.kill()
    good = pathlib.Path(DATABASE).read_bytes()
    assert len(good) > 4096 and pathlib.Path(DATABASE + ".prev").read_bytes() == good
    pathlib.Path(DATABASE).write_bytes(good[:4096].ljust(len(good), b"\0"))
    with Service() as service:
        assert len(service.profiles()) == 101 and service.get("Overrides") == 1
        assert service.logged(), "a damaged file is reported"
        assert "procdb.bin.bad-" in service.get("DatabaseProblem") and "the previous version is used" in \
            service.get("DatabaseProblem"), service.get("DatabaseProblem")
        service.call("Save")
        service.kill()
    with Service() as service:
        assert service.get("DatabaseProblem") == ""
    assert len(glob.glob(DATABASE + ".bad-*")) == 1
    assert pathlib.Path(DATABASE + ".prev").read_bytes() == good


def a_file_of_any_size_is_no_matter():
    for count, loaded in ((1_000_000, 16384), (3_000_000, 0)):
        entry = pddb.ENTRIES[2].pack(*pddb.confident(b"n"))[16:]
        with open(DATABASE, "wb") as file:
            file.write(pddb.HEADER.pack(b"PDDB", 2, count))
            file.writelines(b"%-16d" % number + entry for number in range(count))
        with Service() as service:
            # Candidates have room of their own, which profiles that predict leave at the first tick.
            service.wait_ticks(1)
            assert len(service.profiles()) == loaded, count
            peak = service.memory_mb("VmHWM")
            assert service.is_instrumented() or peak < MEMORY_MAX, peak
            assert service.logged(), count
            service.kill()
    assert len(glob.glob(DATABASE + ".bad-*")) == 1


if __name__ == "__main__":
    run_case(globals())
