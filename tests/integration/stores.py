# SPDX-License-Identifier: GPL-2.0-only
# Copyright (C) 2026 The ProcDb developers
"""Stores for the tests of farms: a real redis-server, and one that loses answers in front of it."""

import os
import shutil
import socket
import subprocess
import sys
import threading
import time

from harness import wait_for


def need_redis():
    if not shutil.which("redis-server"):
        print("SKIP: redis-server is not installed")
        sys.exit(77)


class Redis:
    """A redis-server on a socket of its own, without a file. Ends with `with`."""

    def __init__(self, *arguments, name="redis"):
        need_redis()
        self.path = f"{os.environ['LAB_DIR']}/{name}.sock"
        self.url = f"unix:{self.path}"
        self.process = subprocess.Popen(
            ["redis-server", "--port", "0", "--unixsocket", self.path, "--save", "", "--appendonly", "no",
             "--dir", os.environ["LAB_DIR"], *arguments], stdout=subprocess.DEVNULL)
        wait_for(lambda: os.path.exists(self.path), 10, "redis-server listens")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()

    def cli(self, *arguments, password=None):
        """The lines of what redis-cli prints."""
        environment = {**os.environ, **({"REDISCLI_AUTH": password} if password else {})}
        done = subprocess.run(["redis-cli", "-s", self.path, *arguments], env=environment, stdout=subprocess.PIPE,
                              check=True, timeout=120)
        return done.stdout.decode().splitlines()

    def keys(self, kind):
        return [key for key in self.cli("--scan") if f"}}:{kind}" in key]

    def records(self, kind):
        """Name -> numbers of a record, of all keys of a kind, with what stands behind the numbers as a dict."""
        found = {}
        for key in self.keys(kind):
            lines = self.cli("HGETALL", key)
            for name, text in zip(lines[::2], lines[1::2]):
                words = text.split()
                found[key.split(":")[-1], name] = ([int(word) for word in words if "=" not in word],
                                                   dict(word.split("=") for word in words if "=" in word))
        return found


class Front:
    """A socket in front of a store; the subclass passes on what each connection asks, and the answers."""

    def __init__(self, store, listening):
        self.store, self.socket = store, listening
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def _accept(self):
        while True:
            try:
                client = self.socket.accept()[0]
            except OSError:
                return
            store = socket.socket(socket.AF_UNIX)
            store.connect(self.store.path)
            for work in (self._ask, self._answer):
                threading.Thread(target=work, args=(client, store), daemon=True).start()


class Slow(Front):
    """A TCP port that passes on what comes, each piece of it so many seconds later, both ways."""

    def __init__(self, store, seconds):
        self.seconds = seconds
        super().__init__(store, socket.create_server(("127.0.0.1", 0)))
        self.url = f"redis://127.0.0.1:{self.socket.getsockname()[1]}"

    def _ask(self, client, store):
        self._pass_on(client, store)

    def _answer(self, client, store):
        self._pass_on(store, client)

    def _pass_on(self, source, target):
        try:
            while data := source.recv(65536):
                time.sleep(self.seconds)
                target.sendall(data)
            target.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass  # the client has given up


class Between(Front):
    """
    A socket that passes on what is asked, and of each connection only so many answers: then the
    answer is lost, and the connection with it.
    """

    def __init__(self, store, answers):
        self.answers = answers
        self.path = f"{os.environ['LAB_DIR']}/between.sock"
        self.url = f"unix:{self.path}"
        listening = socket.socket(socket.AF_UNIX)
        listening.bind(self.path)
        listening.listen()
        super().__init__(store, listening)

    def __exit__(self, *_):
        super().__exit__()
        os.unlink(self.path)

    @staticmethod
    def _ask(client, store):
        while data := client.recv(65536):
            store.sendall(data)
        store.shutdown(socket.SHUT_RDWR)

    def _answer(self, client, store):
        # Answers are short, and come one at a time where the client waits for each.
        for _ in range(self.answers):
            data = store.recv(65536)
            if not data:
                break
            client.sendall(data)
        store.recv(65536)
        client.shutdown(socket.SHUT_RDWR)
