# SPDX-License-Identifier: GPL-2.0-only
# Copyright (C) 2026 The ProcDb developers
"""What a person uses beside the load, in groups that do not crowd each other out.

Programs are plain: SCHED_OTHER, nice 0, and each under the name that a service
knows it by. The stopwatches beside them are real-time.
"""

import json
import os
import shlex
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import lab

HERE = Path(__file__).resolve().parent

# name: (period, work) in µs. Buffers of 256, 512 and 2048 frames at 48 kHz, 60 and 30 pictures a second, a cursor.
PERIODIC = {
    "audio-5": (5333, 300),
    "audio-10": (10667, 1000),
    "audio-43": (42667, 4000),
    "frames-17": (16667, 3000),
    "frames-33": (33333, 8000),
    "sleeper-70": (70000, 1000),
}
TYPED = {
    "bash": "exec bash --norc --noprofile -i",
    "vim": "exec vim -N -u DEFAULTS -i NONE -n +startinsert {file}",
}
GROUPS = {
    "A": ("bash", "vim", "audio-5", "audio-10", "audio-43", "git"),
    "B": ("frames-17", "frames-33", "web", "sleeper-70"),
}
NEEDS = {"bash": ("bash",), "vim": ("vim",), "git": ("git",)}


def missing(names):
    return [program for name in names for program in NEEDS.get(name, ()) if not shutil.which(program)]


class Probes:
    """The probes of those names, run again in each cell."""

    def __init__(self, build, directory, names):
        self.directory, self.names = directory, names
        directory.mkdir()
        self.processes = {}
        program = Path(build) / "tests/bench/procdb-periodic"
        if not program.exists():
            sys.exit(f"feel: {program} is not built")
        for name in PERIODIC:
            (directory / name).symlink_to(program.resolve())
        if "git" in names:
            self.make_repository()
        self.pages = directory / "pages"
        self.pages.mkdir()
        (self.pages / "page.html").write_text("<p>A page of a few thousand bytes.</p>\n" * 100)

    def make_repository(self):
        self.repository = self.directory / "repository"
        for i in range(200):
            path = self.repository / f"part{i % 10}" / f"file{i}.c"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(f"int f{i}(void) {{ return {i}; }}\n" * 20)
        identity = ["-c", "user.name=feel", "-c", "user.email=feel@localhost"]
        for command in (["init", "-q"], ["add", "."], [*identity, "commit", "-q", "-m", "all"]):
            subprocess.run(["git", *command], cwd=self.repository, env=self.environment(), check=True)

    def environment(self):
        """No person's settings: what is measured is the same on every machine."""
        return {**os.environ, "HOME": str(self.directory), "GIT_CONFIG_NOSYSTEM": "1", "LC_ALL": "C.UTF-8"}

    def run(self, name, command, **options):
        self.processes[name] = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, env=self.environment(), text=True,
            **{"stdout": subprocess.PIPE, **options})

    def stopwatch(self, kind, span, *arguments):
        self.run(kind, ["/usr/bin/python3", HERE / "feel_stopwatch.py", kind, *span, *arguments])

    def start(self, start, until, names=None):
        """Starts those that are named, or all; what begins from start until until (time.monotonic()) counts."""
        names = names or self.names
        span = [str(round(when * 1e9)) for when in (start, until)]
        typed = [name for name in names if name in TYPED]
        if typed:
            notes = self.directory / "notes.c"
            notes.write_text("int main(void)\n{\n\treturn 0;\n}\n")
            self.stopwatch("typist", span, *(
                word for name in typed for word in (name, TYPED[name].format(file=shlex.quote(str(notes))))))
        for name in names:
            if name in PERIODIC:
                period, work = PERIODIC[name]
                self.run(name, [self.directory / name, str(period), str(work), *span])
        if "git" in names:
            self.stopwatch("commands", span, self.repository, "git", "status", "--porcelain")
        if "web" in names:
            with socket.socket() as free:
                free.bind(("127.0.0.1", 0))
                port = str(free.getsockname()[1])
            self.run("server", ["/usr/bin/python3", "-m", "http.server", "--bind", "127.0.0.1",
                                "--directory", self.pages, port],
                     stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            self.stopwatch("requests", span, port)

    def results(self):
        """Waits for all to end; figures by name, times in µs."""
        figures = {}
        for name, process in self.processes.items():
            if name == "server":
                continue
            output, _ = process.communicate(timeout=60)
            if process.returncode != 0:
                sys.exit(f"feel: the probe {name} ended with {process.returncode}")
            one = json.loads(output)
            figures.update({name: one} if name in PERIODIC else one)
        return figures

    def stop(self):
        for process in self.processes.values():
            lab.stop(process)
            if process.stdout:
                process.stdout.close()
        self.processes = {}
