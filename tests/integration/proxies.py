# SPDX-License-Identifier: GPL-2.0-only
# Copyright (C) 2026 The ProcDb developers
"""Proxies that others make of the installed interface file: each reads a list, hears of a change,
and goes on after a restart of the service.

The programs are in proxies/. Each prints "list" and the names at the start and whenever the service
is there again, "changed" and the names of each ProfilesChanged, and "gone" when the service is.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from contextlib import contextmanager

from harness import DATABASE, HERE, INTERFACE, Service, run_case
import pddb

XML = os.path.join(HERE, "..", "..", "dbus", INTERFACE + ".xml")
PROGRAMS = os.path.join(HERE, "proxies")


def need(*programs):
    for program in programs:
        if not shutil.which(program):
            print(f"SKIP: {program} is not installed")
            sys.exit(77)


def flags(package, *what):
    done = subprocess.run(["pkg-config", *(what or ["--cflags", "--libs"]), package], capture_output=True, text=True, check=False)
    if done.returncode:
        print(f"SKIP: {package} is not installed")
        sys.exit(77)
    return done.stdout.split()


@contextmanager
def following(*command):
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield lambda: process.stdout.readline().split()
        finally:
            process.kill()


def follows(*command):
    pddb.write(DATABASE, [pddb.confident(b"one"), pddb.confident(b"two")])
    with Service() as service, following(*command) as line:
        assert line() == ["list", "one", "two"]
        service.call("SetOverride", "(ss)", "three", "batch")
        assert line() == ["changed", "three"]
        service.stop()
        assert line() == ["gone"]
        with Service() as again:
            assert line() == ["list", "one", "three", "two"]
            again.call("SetOverride", "(ss)", "four", "batch")
            assert line() == ["changed", "four"]


def gjs_follows_the_service():
    need("gjs")
    follows("gjs", os.path.join(PROGRAMS, "follow.js"), XML)


def gdbus_codegen_follows_the_service():
    need("gdbus-codegen", "cc", "pkg-config")
    libraries = flags("gio-unix-2.0")
    with tempfile.TemporaryDirectory() as directory:
        subprocess.run(["gdbus-codegen", "--interface-prefix", "org.pandemonium.", "--generate-c-code",
                        f"{directory}/proxy", XML], check=True)
        subprocess.run(["cc", "-o", f"{directory}/follow", os.path.join(PROGRAMS, "follow.c"), f"{directory}/proxy.c",
                        f"-I{directory}", *libraries], check=True)
        follows(f"{directory}/follow")


def sdbus_cpp_follows_the_service():
    need("sdbus-c++-xml2cpp", "c++", "pkg-config")
    libraries = flags("sdbus-c++")
    with tempfile.TemporaryDirectory() as directory:
        subprocess.run(["sdbus-c++-xml2cpp", f"--proxy={directory}/proxy.h", XML], check=True)
        subprocess.run(["c++", "-std=c++20", "-o", f"{directory}/follow", os.path.join(PROGRAMS, "follow.cpp"),
                        f"-I{directory}", *libraries], check=True)
        follows(f"{directory}/follow")


def qdbusxml2cpp_follows_the_service():
    need("c++", "pkg-config")
    libraries = flags("Qt5DBus")
    tools = flags("Qt5Core", "--variable=host_bins")[0]
    with tempfile.TemporaryDirectory() as directory:
        subprocess.run([f"{tools}/qdbusxml2cpp", "-c", "ProcDb", "-i", "follow-qt.h", "-p", "proxy", XML],
                       check=True, cwd=directory)
        subprocess.run([f"{tools}/moc", "-o", "moc.cpp", "proxy.h"], check=True, cwd=directory)
        subprocess.run(["c++", "-std=c++17", "-fPIC", "-o", f"{directory}/follow",
                        os.path.join(PROGRAMS, "follow-qt.cpp"), f"-I{PROGRAMS}", f"-I{directory}", *libraries],
                       check=True)
        follows(f"{directory}/follow")


if __name__ == "__main__":
    run_case(globals())
