# SPDX-License-Identifier: GPL-2.0-only
# Copyright (C) 2026 The ProcDb developers
"""A desk in the lab: a screen, a session bus and the window of a user that is no administrator."""

import os
import shutil
import socket
import subprocess
import sys
import time
from contextlib import contextmanager, suppress

from gi.repository import Gio, GLib

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../integration"))

from harness import AGENT_XML, wait_for  # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))
USER, UID = "alice", 2001
HOME = "/run/desk"
POLKIT = ("org.freedesktop.PolicyKit1", "/org/freedesktop/PolicyKit1/Authority",
          "org.freedesktop.PolicyKit1.Authority")


class Agent:
    """Stands for the person that is asked for a password: knows it, or cancels."""

    def __init__(self, bus, pid):
        self.bus, self.knows, self.asked = bus, True, []
        bus.register_object("/agent", Gio.DBusNodeInfo.new_for_xml(AGENT_XML).interfaces[0],
                            self.answer, None, None)
        with open(f"/proc/{pid}/stat", encoding="ascii") as stat:
            started = int(stat.read().rsplit(")", 1)[1].split()[19])
        subject = ("unix-process", {"pid": GLib.Variant("u", pid), "start-time": GLib.Variant("t", started),
                                    "uid": GLib.Variant("i", UID)})
        bus.call_sync(*POLKIT, "RegisterAuthenticationAgent",
                      GLib.Variant("((sa{sv})ss)", (subject, "C", "/agent")), None, 0, 5000)

    def answer(self, _bus, _sender, _path, _interface, method, parameters, invocation):
        if method != "BeginAuthentication":
            invocation.return_value(None)
            return
        action, _, _, _, cookie, identities = parameters.unpack()
        self.asked.append(action)
        if not self.knows:
            invocation.return_dbus_error("org.freedesktop.PolicyKit1.Error.Cancelled", "not now")
            return
        kind, details = identities[0]
        packed = {name: GLib.Variant("u", value) for name, value in details.items()}
        self.bus.call(*POLKIT, "AuthenticationAgentResponse2",
                      GLib.Variant("(us(sa{sv}))", (0, cookie, (kind, packed))), None, 0, 5000, None,
                      lambda bus, result: (bus.call_finish(result), invocation.return_value(None)))


class Desk:
    """The window, as a screen reader sees it."""

    def __init__(self, environment):
        self.environment = environment
        self.window = self.reader = None

    def as_user(self, *command, **options):
        return subprocess.Popen(command, env=self.environment, cwd="/", user=USER, group=USER,
                                extra_groups=[], **options)

    def open(self):
        """Opens the window, and has it read: anew if the bus of screen readers came up without one of the two."""
        for _ in range(3):
            self.open_once()
            if self.is_read(15):
                return
            self.close()
        raise AssertionError(f"the screen reader finds no window\n{self.logged()}")

    def is_read(self, seconds):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if self.ask("texts") or self.window.poll() is not None:
                return True
            time.sleep(0.1)
        return False

    def close(self):
        for process in (self.reader, self.window):
            if process:
                with suppress(ProcessLookupError):
                    process.kill()
                process.wait()

    def open_once(self):
        # A copy, because the user may not be able to look into the build directory.
        program = f"{HOME}/pandemonium-monitor"
        shutil.copy(os.environ["MONITOR"], program)
        os.chmod(program, 0o755)
        with open(f"{HOME}/window.log", "wb") as log:
            self.window = self.as_user(program, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        with open(f"{HERE}/reader.py", encoding="utf-8") as source:
            self.reader = self.as_user("/usr/bin/python3", "-c", source.read(),
                                       stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(self, question):
        """What the screen reader answers; the agent is served before."""
        while GLib.MainContext.default().iteration(False):
            pass
        self.reader.stdin.write(question + "\n")
        self.reader.stdin.flush()
        return self.reader.stdout.readline().rstrip("\n")

    def sees(self, text, seconds=15, missing=False):
        """Waits until a text is to be read, or is no longer."""
        last = [""]

        def is_so():
            last[0] = self.ask("texts")
            return (text in last[0]) != missing
        try:
            wait_for(is_so, seconds, repr(text))
        except AssertionError as failure:
            raise AssertionError(f"{failure} in {last[0]}\n{self.logged()}") from None

    def press(self, *keys):
        subprocess.run(["xdotool", "key", "--delay", "20", *keys], env=self.environment, check=True)

    def type(self, text):
        subprocess.run(["xdotool", "type", "--delay", "20", text], env=self.environment, check=True)

    def focus(self):
        """There is no window manager to do so."""
        subprocess.run(["xdotool", "search", "--sync", "--onlyvisible", "--name", "ProcDb", "windowfocus", "--sync"],
                       env=self.environment, check=True, timeout=20, stdout=subprocess.DEVNULL)

    def logged(self):
        with open(f"{HOME}/window.log", encoding="utf-8") as log:
            return log.read()


def answers():
    """Whether the screen takes connections: its socket is there a little earlier."""
    with socket.socket(socket.AF_UNIX) as screen_socket:
        return screen_socket.connect_ex("/tmp/.X11-unix/X7") == 0


@contextmanager
def screen():
    """A screen of our own, whose number is no other's: the directory of sockets is ours."""
    os.makedirs("/tmp/.X11-unix", exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "tmpfs", "/tmp/.X11-unix"], check=True)
    server = subprocess.Popen(["Xvfb", ":7", "-nolock", "-nolisten", "local", "-nolisten", "tcp", "-screen", "0",
                               "900x720x24"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_for(answers, 10, "the screen")
        yield ":7"
    finally:
        server.kill()
        server.wait()


def skip_without(*programs):
    missing = [program for program in programs if not shutil.which(program)]
    if missing:
        print(f"SKIP: not installed: {' '.join(missing)}", file=sys.stderr)
        sys.exit(77)


@contextmanager
def desk(**more):
    """A screen and a session of alice, with nothing open yet."""
    skip_without("Xvfb", "dbus-daemon", "xdotool")
    for path in (HOME, f"{HOME}/runtime"):
        os.makedirs(path, mode=0o700, exist_ok=True)
        os.chown(path, UID, UID)
    with screen() as display:
        environment = {"DISPLAY": display, "HOME": HOME, "XDG_RUNTIME_DIR": f"{HOME}/runtime",
                       "PATH": os.environ["PATH"], "LANG": "C.UTF-8", "GDK_BACKEND": "x11",
                       "GSK_RENDERER": "cairo", "NO_AT_BRIDGE": "0", "GSETTINGS_BACKEND": "memory", **more}
        place = Desk(environment)
        bus = place.as_user("dbus-daemon", "--session", "--nofork", "--print-address",
                            stdout=subprocess.PIPE, text=True)
        environment["DBUS_SESSION_BUS_ADDRESS"] = bus.stdout.readline().strip()
        try:
            yield place
        finally:
            place.close()
            bus.kill()
            bus.wait()
