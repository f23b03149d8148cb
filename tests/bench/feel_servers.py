# SPDX-License-Identifier: GPL-2.0-only
# Copyright (C) 2026 The ProcDb developers
"""Loads that are a server and what asks it, with the latencies of their answers."""

import json
import os
import pwd
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

from feel_loads import CPUS, Load

USER = "nobody"  # for servers that refuse to run as root
KEPT = 4000  # latencies of a cell, evenly from the least to the greatest


def evenly(values):
    """KEPT of sorted values, evenly; all, if they are fewer."""
    if len(values) <= KEPT:
        return values
    return [values[(len(values) - 1) * i // (KEPT - 1)] for i in range(KEPT)]


class Pgbench(Load):
    """PostgreSQL, and pgbench that reads from it."""

    needs = ("postgres", "pgbench", "initdb")
    unit = "transactions/s"

    def find(self, program):
        found = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{program}"))
        return str(found[-1]) if found else shutil.which(program)

    def as_user(self):
        return {"user": USER, "group": pwd.getpwnam(USER).pw_gid, "extra_groups": [], "cwd": self.directory,
                "env": {"PATH": os.environ["PATH"], "LC_ALL": "C", "PGHOST": str(self.directory), "PGDATABASE": "postgres"}}

    def once(self, *command):
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **self.as_user())

    def prepare(self):
        user = pwd.getpwnam(USER)
        os.chown(self.directory, user.pw_uid, user.pw_gid)
        self.once(self.find("initdb"), "-N", "-A", "trust", "-D", "data")
        self.serve([], False)
        self.once(self.find("pgbench"), "-i", "-q", "-s", "10")
        self.stop()

    def serve(self, prefix, session):
        self.server = self.run(
            [*prefix, self.find("postgres"), "-D", "data", "-k", str(self.directory), "-c", "listen_addresses=",
             "-c", "fsync=off", "-c", "logging_collector=off"], session, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL, **self.as_user())
        deadline = time.monotonic() + 20
        while subprocess.run([self.find("pg_isready"), "-q"], **self.as_user()).returncode != 0:
            if time.monotonic() > deadline or self.server.poll() is not None:
                raise RuntimeError("postgres did not come up")
            time.sleep(0.02)

    def start(self, prefix, session):
        for log in self.directory.glob("log.*"):
            log.unlink()
        self.serve(prefix, session)
        self.client = self.run(
            [*prefix, self.find("pgbench"), "-n", "-S", "-c", "8", "-j", "2", "-T", "86400", "-l",
             "--log-prefix=log"], session, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **self.as_user())

    def end(self, start, end):
        if self.client.poll() is not None:
            raise RuntimeError(f"pgbench ended with {self.client.returncode}")
        # The alarm that ends a run of limited time, only earlier: it writes its log to the end.
        self.client.send_signal(signal.SIGALRM)
        self.client.wait(timeout=20)
        offset = time.time() - time.monotonic()
        latencies = []
        for log in self.directory.glob("log.*"):
            for line in open(log):
                fields = line.split()
                if start <= int(fields[4]) + int(fields[5]) / 1e6 - offset < end:
                    latencies.append(int(fields[2]))
        latencies.sort()
        return len(latencies) / (end - start), {"pgbench": {"late": evenly(latencies)}}

    def stop(self):
        # In order: a killed postgres leaves shared memory behind, and recovers at its next start.
        if self.processes and self.server.poll() is None:
            self.server.send_signal(signal.SIGINT)
            try:
                self.server.wait(timeout=20)
            except subprocess.TimeoutExpired:
                pass  # killed below
        super().stop()


NGINX_CONF = """\
daemon off;
worker_processes {cpus};
pid {directory}/pid;
error_log stderr error;
events {{ worker_connections 512; }}
http {{
	access_log off;
	client_body_temp_path {directory}/body;
	proxy_temp_path {directory}/proxy;
	fastcgi_temp_path {directory}/fastcgi;
	uwsgi_temp_path {directory}/uwsgi;
	scgi_temp_path {directory}/scgi;
	server {{ listen 127.0.0.1:{port}; root {directory}/pages; }}
}}
"""
WRK_SCRIPT = f"""\
function done(summary, latency, requests)
	local times = {{}}
	for i = 1, {KEPT // 4} do times[i] = latency:percentile((i - 0.5) * 100 / {KEPT // 4}) end
	print(string.format('{{"requests": %d, "us": %d, "late": [%s]}}', summary.requests, summary.duration,
		table.concat(times, ",")))
end
"""


class Nginx(Load):
    """nginx, and wrk that asks it for a page."""

    needs = ("nginx", "wrk")
    unit = "requests/s"

    def find(self, program):
        return shutil.which(program, path=os.environ.get("PATH", "") + ":/usr/sbin")

    def prepare(self):
        (self.directory / "pages").mkdir()
        (self.directory / "pages/index.html").write_text("<p>A page of a few thousand bytes.</p>\n" * 100)
        (self.directory / "done.lua").write_text(WRK_SCRIPT)

    def start(self, prefix, session):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        conf = self.directory / "nginx.conf"
        conf.write_text(NGINX_CONF.format(cpus=CPUS, directory=self.directory, port=self.port))
        self.prefix, self.session = prefix, session
        self.server = self.run([*prefix, self.find("nginx"), "-c", str(conf), "-e", "stderr"], session,
                               stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 10
        while not self.answers():
            if time.monotonic() > deadline or self.server.poll() is not None:
                raise RuntimeError("nginx did not come up")
            time.sleep(0.02)
        self.ask()

    def answers(self):
        with socket.socket() as connection:
            return connection.connect_ex(("127.0.0.1", self.port)) == 0

    def ask(self):
        self.client = self.run(
            [*self.prefix, self.find("wrk"), "-t", "1", "-c", "16", "-d", "86400", "-s", self.directory / "done.lua",
             f"http://127.0.0.1:{self.port}/"], self.session, stdout=subprocess.PIPE, text=True)

    def answer(self):
        """What wrk has to say, which it says when it is interrupted."""
        self.client.send_signal(signal.SIGINT)
        output, _ = self.client.communicate(timeout=20)
        self.processes.remove(self.client)
        return json.loads(next(line for line in output.split("\n") if line.startswith("{")))

    def begin(self):
        # Another one for the time that counts: it keeps its latencies to itself until it ends.
        self.answer()
        self.ask()

    def end(self, start, end):
        said = self.answer()
        return said["requests"] / said["us"] * 1e6, {"nginx": {"late": [round(t) for t in said["late"]]}}


SERVERS = {"pgbench": Pgbench, "nginx": Nginx}
