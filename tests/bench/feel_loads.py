# SPDX-License-Identifier: GPL-2.0-only
# Copyright (C) 2026 The ProcDb developers
"""Real programs that keep all CPUs busy, and what they get done in a given time.

A load is prepared once, in a directory of its own. In each cell it starts, is
told when the time that counts begins and ends, says what it did in it, and is
stopped. Times are seconds of time.monotonic().
"""

import bisect
import contextlib
import os
import random
import re
import shutil
import signal
import subprocess
import threading
import time

import sources

CPUS = len(os.sched_getaffinity(0))


class Load:
    """One load; the base class is the idle machine."""

    needs = ()  # programs
    unit = None  # of what it gets done

    def __init__(self, directory):
        self.directory = directory
        self.processes = []

    def missing(self):
        return [program for program in self.needs if not self.find(program)]

    def find(self, program):
        return shutil.which(program)

    def prepare(self):
        """Once, before the first cell."""

    def start(self, prefix, session):
        """Starts it with prefix before its commands, in a session of its own if so wanted."""

    def begin(self):
        """The time that counts begins now."""

    def end(self, start, end):
        """What was done between start and end, the latter now; and latencies of its own in µs."""
        return None, {}

    def stop(self):
        """Ends all of it; in any state, and more than once without harm."""
        for process in self.processes:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
        for process in self.processes:
            process.wait()
        self.processes = []

    def run(self, command, session, **options):
        """Starts a command as the leader of a process group: a group is no session, and so no autogroup."""
        group = {"start_new_session": True} if session else {"process_group": 0}
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, **group, **options)
        self.processes.append(process)
        return process


class Hogs(Load):
    """A shell loop for each CPU."""

    unit = "CPU s/s"

    def start(self, prefix, session):
        for _ in range(CPUS):
            self.run([*prefix, "sh", "-c", "while :; do :; done"], session)

    def cpu(self):
        stats = (open(f"/proc/{p.pid}/stat").read().rpartition(")")[2].split() for p in self.processes)
        return sum(int(s[11]) + int(s[12]) for s in stats) / os.sysconf("SC_CLK_TCK")

    def begin(self):
        self.before = self.cpu()

    def end(self, start, end):
        return (self.cpu() - self.before) / (end - start), {}


class Repeated(Load):
    """A command that is started again whenever it has ended."""

    def start(self, prefix, session):
        self.prefix, self.session = prefix, session
        self.stopping = threading.Event()
        self.error = None
        self.runs = []  # when each ended
        self.thread = threading.Thread(target=self.repeat)
        self.thread.start()

    def repeat(self):
        try:
            while not self.stopping.is_set():
                self.once()
                self.runs.append(time.monotonic())
        except Exception as error:  # told by end(): a thread has no caller
            self.error = error

    def once(self):
        raise NotImplementedError

    def finish(self, command, **options):
        """Runs a command of this load to its end."""
        process = self.run([*self.prefix, *command], self.session, stdout=subprocess.DEVNULL, **options)
        if self.stopping.is_set():  # stop() may have looked before it was there
            os.killpg(process.pid, signal.SIGKILL)
        if process.wait() != 0 and not self.stopping.is_set():
            raise RuntimeError(f"{command[0]} ended with {process.returncode}")
        self.processes.remove(process)

    def check(self):
        if self.error:
            raise self.error

    def stop(self):
        if not hasattr(self, "thread"):
            return
        self.stopping.set()
        while self.thread.is_alive():
            for process in list(self.processes):
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
            self.thread.join(0.05)
        self.processes = []
        del self.thread


class Make(Repeated):
    """A generated C project, built with four times as many jobs as CPUs."""

    needs = ("make", "gcc", "ar", "sed")
    # Units differ a hundredfold in size, so jobs would count what a cell happens to meet.
    unit = "lines/s"

    def prepare(self):
        self.tree = self.directory / "tree"
        sources.generate(self.tree, units=80, libraries=4)
        self.lines = {path.with_suffix(".o"): path.read_bytes().count(b"\n")
                      for path in self.tree.glob("*/*.c")}

    def start(self, prefix, session):
        self.finished = {}  # (object, when in ns of time.time()): lines
        self.clean()
        super().start(prefix, session)

    def clean(self):
        subprocess.run(["make", "-s", "clean"], cwd=self.tree, check=True)

    def collect(self):
        """Notes when each object was finished."""
        for path, lines in self.lines.items():
            with contextlib.suppress(FileNotFoundError):
                stat = path.stat()
                if stat.st_size:
                    self.finished[path, stat.st_mtime_ns] = lines

    def once(self):
        self.finish(["make", "-s", f"-j{4 * CPUS}"], cwd=self.tree)
        if not self.stopping.is_set():
            self.collect()
            self.clean()

    def end(self, start, end):
        self.check()
        self.collect()
        offset = time.time() - time.monotonic()
        return sum(lines for (_, when), lines in list(self.finished.items())
                   if start <= when / 1e9 - offset < end) / (end - start), {}


class X264(Load):
    """An endless video, encoded as fast as it goes."""

    needs = ("ffmpeg",)
    unit = "frames/s"

    def start(self, prefix, session):
        self.ffmpeg = self.run(
            [*prefix, "ffmpeg", "-nostdin", "-v", "error", "-f", "lavfi", "-i",
             "testsrc2=size=1280x720:rate=30", "-c:v", "libx264", "-preset", "medium",
             "-progress", "pipe:1", "-stats_period", "0.1", "-f", "null", "-"],
            session, stdout=subprocess.PIPE, text=True)
        self.frames = []  # (when, how many so far)
        self.thread = threading.Thread(target=self.read, daemon=True)
        self.thread.start()

    def read(self):
        for line in self.ffmpeg.stdout:
            if line.startswith("frame="):
                self.frames.append((time.monotonic(), int(line[6:])))

    def at(self, when):
        """How many frames were done then, between two reports in proportion."""
        i = bisect.bisect_right(self.frames, (when, 0))
        if i == 0 or len(self.frames) < 2:
            raise RuntimeError("ffmpeg had encoded nothing when the time began: a longer --warmup is needed")
        i = min(i, len(self.frames) - 1)
        (a, n), (b, m) = self.frames[i - 1], self.frames[i]
        return n + (m - n) * (when - a) / (b - a)

    def end(self, start, end):
        if self.ffmpeg.poll() is not None:
            raise RuntimeError(f"ffmpeg ended with {self.ffmpeg.returncode}")
        return (self.at(end) - self.at(start)) / (end - start), {}

    def stop(self):
        super().stop()
        if hasattr(self, "thread"):
            self.thread.join()
            self.ffmpeg.stdout.close()
            del self.thread


def runs_between(times, start, end):
    """How many of the runs that end at times are between start and end, of runs at the edges their part."""
    if len(times) < 2:
        raise RuntimeError("it did not end twice: a longer --warmup or --seconds is needed")

    def done(at):
        # Before the first and after the last it went on as fast as it did next to them.
        i = min(max(bisect.bisect_right(times, at), 1), len(times) - 1)
        return i - 1 + (at - times[i - 1]) / (times[i] - times[i - 1])

    return done(end) - done(start)


def javascript(rng, number, imports):
    """A module of some functions, which uses others."""
    lines = [f'import {{ value{i} }} from "./module{i}.js";' for i in imports]
    for f in range(rng.randint(10, 60)):
        names = [f"{rng.choice(('item', 'node', 'state', 'count'))}{rng.randrange(99)}" for _ in range(4)]
        lines.append(f"""export function work{number}_{f}({names[0]}, options = {{}}) {{
  const {{ size = {rng.randrange(99)}, label = "{rng.randrange(1 << 30):x}" }} = options;
  let {names[1]}x = [...({names[0]} ?? [])].map((entry) => ({{ ...entry, label, size: size * {rng.randrange(9)} }}));
  for (const {names[2]}y of {names[1]}x) {{
    if ({names[2]}y.size > {rng.randrange(999)} && !{names[2]}y.done) {{ {names[2]}y.done = `${{label}}-${{size}}`; }}
    else {{ {names[1]}x = {names[1]}x.filter((other) => other?.size !== {names[2]}y.size); }}
  }}
  return {names[1]}x.length;
}}""")
    total = " + ".join([f"work{number}_0([])", *(f"value{i}()" for i in imports)])
    return "\n".join(lines) + f"\nexport function value{number}() {{ return {total}; }}\n"


class Bundle(Repeated):
    """JavaScript of a middling web page, bundled again and again."""

    needs = ("esbuild",)
    unit = "bundles/s"
    modules = 120

    def prepare(self):
        rng = random.Random(6)
        for number in range(self.modules):
            # Each uses some of those after it, so that all are used and none uses itself.
            imports = sorted({min(2 * number + k, self.modules - 1) for k in (1, 2)} - {number})
            (self.directory / f"module{number}.js").write_text(javascript(rng, number, imports))

    def once(self):
        self.finish(["esbuild", "--log-level=error", "--bundle", "--minify", "--sourcemap",
                     "--outfile=bundle.out.js", "module0.js"], cwd=self.directory)

    def end(self, start, end):
        # The one that runs now began within the time and has its part in it.
        known = len(self.runs)
        while len(self.runs) == known and self.thread.is_alive() and time.monotonic() < end + 5:
            time.sleep(0.01)
        self.check()
        return runs_between(list(self.runs), start, end) / (end - start), {}


class Xz(Repeated):
    """Text, compressed by as many threads as there are CPUs."""

    needs = ("xz",)
    unit = "MiB/s"
    size = 48 * CPUS  # MiB: two blocks for each thread

    def prepare(self):
        rng = random.Random(7)
        words = ["".join(rng.choices("etaoinshrdlucmf", k=rng.randint(2, 9))) for _ in range(20000)]
        text = " ".join(rng.choices(words, k=900000)).encode()[:4 << 20]
        letters = list(range(ord("a"), ord("z") + 1))
        with open(self.directory / "text", "wb") as file:
            for _ in range(self.size // 4):
                # Other letters each time, or all but the first would be found in the dictionary.
                file.write(text.translate(bytes.maketrans(bytes(letters), bytes(rng.sample(letters, 26)))))

    def start(self, prefix, session):
        self.seen = []  # (when, MiB so far)
        self.before = 0
        super().start(prefix, session)

    def once(self):
        self.began = time.monotonic()
        process = self.run([*self.prefix, "xz", "-v", "-6", f"-T{CPUS}", "-c", "text"], self.session,
                           cwd=self.directory, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
                           env={**os.environ, "LC_ALL": "C"})
        for line in process.stderr:
            read = re.search(r"/ *([0-9,.]+) (B|KiB|MiB|GiB) = ", line)
            if read:
                self.seen.append((time.monotonic(), self.before + float(read[1].replace(",", ""))
                                  * {"B": 2**-20, "KiB": 2**-10, "MiB": 1, "GiB": 1024}[read[2]]))
        process.stderr.close()
        if process.wait() != 0 and not self.stopping.is_set():
            raise RuntimeError(f"xz ended with {process.returncode}")
        self.processes.remove(process)
        self.before += self.size

    def ask(self):
        """When it had done how much: asked with a signal, it says so within a third of a second."""
        known = len(self.seen)
        deadline = time.monotonic() + 5
        while len(self.seen) == known:
            self.check()
            if time.monotonic() > deadline:
                raise RuntimeError("xz does not say how far it is")
            # The signal would kill one that has only just started.
            if time.monotonic() > self.began + 0.5:
                for process in list(self.processes):
                    process.send_signal(signal.SIGUSR1)
            time.sleep(0.5)
        return self.seen[known]

    def begin(self):
        self.first = self.ask()

    def end(self, start, end):
        (began, some), (ended, more) = self.first, self.ask()
        return (more - some) / (ended - began), {}


LOADS = {"idle": Load, "hogs": Hogs, "make": Make, "x264": X264, "bundle": Bundle, "xz": Xz}
