# SPDX-License-Identifier: GPL-2.0-only
# Copyright (C) 2026 The ProcDb developers
"""The client, and the widget of the manual, with the real service, bus and polkitd."""

import json
import os
import pwd
import re
import shutil
import signal
import subprocess
import sys
import termios
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "integration"))
from gi.repository import Gio, GLib
import pddb  # pylint: disable=wrong-import-position
from harness import (AGENT_XML, DATABASE, NAME, PATH, INTERFACE, Service, Standstill, call_as, ctl,
                     processes, run_case, skip_unless_the_bus_starts, wait_for)
from support import Terminal

SOURCE = os.path.dirname(os.path.dirname(HERE))


def service_with(*names):
    pddb.write(DATABASE, [pddb.confident(name) for name in names])
    return Service()


def follow(*argv):
    return subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)


def as_user(name):
    user = pwd.getpwnam(name)
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}


def told(user, *arguments):
    """(exit code, standard error) of the client as an ordinary user."""
    done = subprocess.run(["pandemoniumctl", *arguments], stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=60, check=False, cwd="/",
                          **as_user(user))
    return done.returncode, done.stderr


def next_list(widget):
    return [line.rstrip("\n") for line in iter(widget.stdout.readline, "\n")]


def the_widget_keeps_a_live_list():
    with service_with(b"cc1", b"as") as service:
        widget = follow("/usr/bin/python3", os.path.join(SOURCE, "data", "man", "widget.py"))
        try:
            assert [row.split(":")[0] for row in next_list(widget)] == ["as", "cc1"]
            service.call("DeleteProfile", "(s)", "as")
            assert [row.split(":")[0] for row in next_list(widget)] == ["cc1"]
            service.call("SetOverride", "(ss)", "new one", "lat-critical")
            assert "new one: lat-critical, 0.00" in next_list(widget)
            assert calls_during(3) == [], "the widget polls"
        finally:
            widget.kill()
            widget.communicate()


def calls_during(seconds):
    """The method calls on the bus in that time."""
    done = subprocess.run(["timeout", str(seconds), "dbus-monitor", "--system", "--profile",
                           "type=method_call"], stdout=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 124, done
    return [line for line in done.stdout.splitlines() if line.endswith("ProcDb1\tListProfiles")]


def monitor_sees_a_delete_by_busctl_at_once():
    with service_with(b"cc1", b"as"), Standstill() as still:
        monitor = follow("pandemoniumctl", "monitor", "--json")
        try:
            assert json.loads(monitor.stdout.readline())["event"] == "following"
            began, late = time.monotonic(), still.seconds()
            subprocess.run(["busctl", "call", NAME, PATH, INTERFACE, "DeleteProfile", "s", "cc1"],
                           check=True, timeout=20)
            event = json.loads(monitor.stdout.readline())
            assert event["removed"] == ["cc1"], event
            assert time.monotonic() - began < 2 + still.seconds() - late
            ctl("override", "set", "as", "lat-critical")
            seen = []
            while not any(event.get("changed") == ["as"] for event in seen):
                seen.append(json.loads(monitor.stdout.readline()))
            while not any(event.get("properties", {}).get("overrides") == 1 for event in seen):
                seen.append(json.loads(monitor.stdout.readline()))
        finally:
            monitor.kill()
            monitor.communicate()


def a_user_is_told_the_missing_action():
    with service_with(b"cc1") as service:
        for arguments, action in ((["delete", "cc1"], "delete-entries"),
                                  (["reset", "--yes"], "delete-entries"), (["save"], "save"), (["reload"], "manage"), (["load"], "manage"),
                                  (["backend", "none"], "manage"),
                                  (["backend", "sched-ext"], "replace-scheduler"),
                                  (["apply", "none"], "manage"),
                                  (["override", "set", "cc1", "batch"], "set-override"),
                                  (["override", "clear", "cc1"], "set-override")):
            code, text = told("alice", *arguments)
            assert code == 4 and "org.pandemonium.procdb." + action in text, (arguments, code, text)
            # An agent may be there, whatever input and output are: polkit is asked to ask.
            assert "--no-ask-password" not in text, (arguments, text)
            code, text = told("alice", *arguments, "--no-ask-password")
            assert code == 4 and "--no-ask-password says not to" in text, (arguments, code, text)
        assert set(service.profiles()) == {"cc1"}
        for arguments in (["list"], ["show", "cc1"], ["explain", "cc1"], ["confidence", "cc1"],
                          ["status"], ["export"], ["override", "list"]):
            assert told("alice", *arguments) == (0, ""), arguments


def on_a_terminal_a_password_is_asked_for():
    with service_with(b"cc1") as service:
        terminal = Terminal(["setpriv", "--reuid=alice", "--regid=alice", "--clear-groups",
                             "pandemoniumctl", "delete", "--yes", "cc1"], dict(os.environ))
        try:
            terminal.expect("org.pandemonium.procdb.delete-entries")
            assert processes("pkttyagent")
            # The person that is asked does not know the password.
            terminal.expect("assword:")
            # What is typed before the echo is off is thrown away.
            wait_for(lambda: not termios.tcgetattr(terminal.slave)[3] & termios.ECHO, 5, "no echo")
            terminal.type("wrong\n")
            text, code = terminal.finish()
            assert code == 4, (code, text)
            assert "the action org.pandemonium.procdb.delete-entries in a polkit rule" in text
        finally:
            terminal.close()
        assert not processes("pkttyagent")
        assert set(service.profiles()) == {"cc1"}


class SessionAgent:
    """The agent of a desktop: a program apart from the client, that asks, and says which user answered."""

    def __init__(self):
        self.user = pwd.getpwnam("alice").pw_uid
        self.helper = self.connect()
        # The kernel, and so the bus, know whose a connection is by the effective user.
        os.seteuid(self.user)
        try:
            self.bus = self.connect()
        finally:
            os.seteuid(0)
        self.bus.register_object("/agent", Gio.DBusNodeInfo.new_for_xml(AGENT_XML).interfaces[0],
                                 self.on_call, None, None)
        self.asked = []

    @staticmethod
    def connect():
        return Gio.DBusConnection.new_for_address_sync(
            "unix:path=/run/dbus/system_bus_socket",
            Gio.DBusConnectionFlags.AUTHENTICATION_CLIENT | Gio.DBusConnectionFlags.MESSAGE_BUS_CONNECTION)

    @staticmethod
    def authority(bus, method, arguments):
        bus.call_sync("org.freedesktop.PolicyKit1", "/org/freedesktop/PolicyKit1/Authority",
                      "org.freedesktop.PolicyKit1.Authority", method, arguments, None, 0, 10_000)

    def serve(self, process):
        """As if that process were a session's."""
        with open(f"/proc/{process.pid}/stat", encoding="ascii") as stat:
            started = int(stat.read().rsplit(")", 1)[1].split()[19])
        self.authority(self.bus, "RegisterAuthenticationAgent", GLib.Variant("((sa{sv})ss)", (("unix-process", {
            "pid": GLib.Variant("u", process.pid), "start-time": GLib.Variant("t", started),
            "uid": GLib.Variant("i", self.user)}), "C", "/agent")))

    def on_call(self, _bus, _sender, _path, _interface, method, parameters, invocation):
        if method == "BeginAuthentication":
            action, _, _, _, cookie, _ = parameters.unpack()
            self.asked.append(action)
            # What the helper of an agent, which is root, says once root's password was typed.
            self.authority(self.helper, "AuthenticationAgentResponse2", GLib.Variant("(us(sa{sv}))", (
                self.user, cookie, ("unix-user", {"uid": GLib.Variant("u", 0)}))))
        invocation.return_value(None)


def a_session_agent_is_asked_without_terminals():
    with service_with(b"cc1") as service:
        with open("/run/export.json", "w", encoding="utf-8") as file:
            file.write(ctl("export"))
        for command, action in (("import - </run/export.json", "manage"),
                                ("override set cc1 batch </dev/null", "set-override"),
                                ("delete --yes cc1 </dev/null", "delete-entries")):
            agent = SessionAgent()
            script = f"read -r go; exec pandemoniumctl {command}"
            with open("/run/client.log", "w+", encoding="utf-8") as log:
                client = subprocess.Popen(["bash", "-c", script], stdin=subprocess.PIPE, stdout=log, stderr=log,
                                          cwd="/", **as_user("alice"))
                agent.serve(client)
                client.stdin.write(b"go\n")
                client.stdin.close()
                context, deadline = GLib.MainContext.default(), time.monotonic() + 120
                while client.poll() is None and time.monotonic() < deadline:
                    context.iteration(False)
                    time.sleep(0.005)
                log.seek(0)
                text = log.read()
            assert client.poll() == 0, (command, client.poll(), text)
            assert agent.asked == ["org.pandemonium.procdb." + action], (command, agent.asked, text)
        assert not service.profiles()
    assert not processes("pkttyagent")


def without_asking_no_agent_is_started():
    with service_with(b"cc1"):
        terminal = Terminal(["setpriv", "--reuid=alice", "--regid=alice", "--clear-groups",
                             "pandemoniumctl", "save", "--no-ask-password"], dict(os.environ))
        try:
            text, code = terminal.finish()
            assert code == 4 and "--no-ask-password" in text, (code, text)
        finally:
            terminal.close()


def what_follows_does_not_start_a_service_that_was_stopped():
    skip_unless_the_bus_starts()
    monitor = Terminal(["pandemoniumctl", "monitor"], dict(os.environ))
    top = None
    try:
        monitor.expect("Following")  # the first call has started it
        top = Terminal(["pandemoniumctl", "top"], dict(os.environ, TERM="xterm"))
        top.expect("shown, by")
        service, = processes("^" + os.environ["LAB_SERVICE"])
        os.kill(service, signal.SIGTERM)
        monitor.expect("the service stopped")
        top.expect("The service stopped")
        time.sleep(1)
        assert not processes("^" + os.environ["LAB_SERVICE"])
        ctl("status")
        wait_for(lambda: processes("^" + os.environ["LAB_SERVICE"]), 5, "a new call starts it")
        assert monitor.expect("the service started").count("property") == 0
        # The next service tells of changes only those that have called it.
        ctl("override", "set", "later", "lat-critical")
        monitor.expect("later: lat-critical (override)")
    finally:
        for terminal in filter(None, (monitor, top)):
            terminal.close()


def a_user_is_told_of_a_service_that_hangs():
    with service_with(b"cc1") as service:
        os.kill(service.process.pid, signal.SIGSTOP)
        terminal = Terminal(["setpriv", "--reuid=alice", "--regid=alice", "--clear-groups",
                             "pandemoniumctl", "save"], dict(os.environ))
        try:
            text, code = terminal.finish()
            assert code == 5 and "did not answer in time" in text, (code, text)
            assert not processes("pkttyagent")
        finally:
            terminal.close()
            os.kill(service.process.pid, signal.SIGCONT)


def failures_have_their_exit_codes():
    skip_unless_the_bus_starts()
    with service_with(b"cc1"):
        ctl("show", "unknown", status=3)
        ctl("delete", "cc1", "unknown", status=3)
        ctl("show", "seventeen-bytes-x", status=3)
        ctl("delete", "seventeen-bytes-x", status=2)
        ctl("override", "set", "sixteen-bytes-xx", "batch", status=2)
        ctl("show", "bad\\name", status=2)
        ctl("backend", "magic", status=2)
    ctl("status", "--json")  # activated by the bus
    ctl("show", "cc1")


def an_export_comes_back_value_by_value():
    with service_with(b"cc1", b"as", b"sshd\xff\xfe\n%n", b"a\\b") as service:
        ctl("override", "set", "as", "lat-critical")
        before = service.profiles()
        export = ctl("export")
        ctl("override", "clear", "as")
        ctl("reset", "--yes")
        assert service.profiles() == {}
        assert "Imported 4 profiles" in ctl("import", "-", input=export.encode())
        assert service.profiles() == before, (before, service.profiles())
        ctl("import", "--replace", "--yes", "-", input=export.encode())
        assert set(service.profiles()) == set(before)


def a_list_has_all_that_the_service_tells():
    """In the order in which it does, whatever is known of a program."""
    with service_with(b"cc1", b"as", b"sshd\xff\xfe\n%n", b"a\\b", b"lab-sleeper") as service:
        path = f"{os.environ['LAB_DIR']}/lab-sleeper"
        shutil.copy(shutil.which("sleep"), path)
        sleeper = subprocess.Popen([path, "60"])
        try:
            ctl("override", "set", "as", "lat-critical")
            service.call("Hold", "(sss)", "cc1", "batch", 'in a "hurry"')
            wait_for(lambda: sleeper.pid in service.call("GetProfile", "(s)", "lab-sleeper").get("pids", []), 10,
                     "it is listed")
            listed = {row.pop("name"): row for row in json.loads(ctl("list", "--json"))}
            told = {row.pop("name"): row for row in service.call("QueryProfiles", "(a{sv}u)", {}, 0)[0]}
            for name in ("cc1", "as", "sshd\\xff\\xfe\\x0a%n", "a\\\\b", "lab-sleeper"):
                listed[name].pop("brief")
                assert list(listed[name]) == list(told[name]), (listed[name], told[name])
                listed[name]["votes"] = tuple(listed[name]["votes"].values())
                moving = {"cpu_share", "cpu_ns", "found", "missed", "runs", "wakeups_per_second", "switches_per_second",
                          *(key for key in told[name] if key.startswith("wait"))}
                assert all(listed[name][key] == told[name][key] for key in told[name].keys() - moving), \
                    (listed[name], told[name])
        finally:
            sleeper.kill()
            sleeper.wait()


def a_bad_import_changes_nothing():
    with service_with(b"cc1") as service:
        export = json.loads(ctl("export"))
        before = service.profiles()
        row = export["profiles"][0]
        for rows in ([row, row], [dict(row, name="x" * 17)], [row, dict(row, name="a\\b")],
                     [dict(row, observations=1, votes=dict(row["votes"], batch=9))]):
            done = subprocess.run(["pandemoniumctl", "import", "--replace", "--yes", "-"],
                                  input=json.dumps(dict(export, profiles=rows)),
                                  capture_output=True, text=True, timeout=60, check=False)
            assert done.returncode in (1, 2) and done.stderr and not done.stdout, (rows, done)
        assert service.profiles() == before
        value, error = call_as("alice", "Import", "(a(ssdbu(uuu)ttttxs)b)", [], False)
        assert value is None and error.endswith("InteractiveAuthorizationRequired"), error


def explain_says_why():
    with service_with(b"cc1"):
        ctl("override", "set", "boss", "lat-critical")
        assert 'New tasks named "cc1" start as batch' in ctl("explain", "cc1")
        assert "because an administrator decided so" in ctl("explain", "boss")
        assert json.loads(ctl("explain", "cc1", "--json"))["learned_tier"] == "batch"
    with open("/proc/self/comm", "rb") as file:
        own = file.read().strip()
    with service_with(own):
        assert '"%s"' % own.decode() in ctl("explain", str(os.getpid()))


def manual_members(first):
    """(name, type) of the table of the manual that begins with this member, up to .El."""
    path = os.path.join(SOURCE, "data", "man", "org.pandemonium.ProcDb.5.in")
    with open(path, encoding="utf-8") as file:
        table = file.read().split(".It Va %s Ta" % first)[1].split("\n.El")[0]
    return set(re.findall(r"^\.It Va (\w+) Ta (\S+) Ta", ".It Va %s Ta" % first + table,
                          re.MULTILINE))


def children(value):
    return [value.get_child_value(i) for i in range(value.n_children())]


def the_manual_has_every_member():
    columns, both = manual_members("name"), manual_members("override")
    with service_with(b"cc1", b"as") as service:
        ctl("override", "set", "cc1", "lat-critical")
        for method, own in (("GetProfile", manual_members("predicted")),
                            ("Explain", manual_members("learned_tier"))):
            found = set()
            for name in ("cc1", "as"):
                values = service.bus.call_sync(NAME, PATH, INTERFACE, method,
                                               GLib.Variant("(s)", (name,)), None, 0, -1, None)
                for pair in children(values.get_child_value(0)):
                    key, value = children(pair)
                    found.add((key.get_string(), value.get_variant().get_type_string()))
            # Nothing observes here: of tasks and of the kernel nothing has to be known.
            optional = {("in_kernel", "(stttt)")}
            if method == "GetProfile":
                optional |= manual_members("predicted_tier")
            always = (columns | both | own) - optional
            assert always <= found <= always | optional, (method, found ^ always)


def the_doctor_finds_a_healthy_machine_healthy():
    with service_with(b"cc1"):
        found = {row["check"]: row for row in json.loads(ctl("doctor", "--json"))}
        assert not [row for row in found.values() if row["result"] == "problem"], found
        assert "knows" in found["polkit"]["finding"], found["polkit"]
        assert found["backend"]["result"] == "note", found["backend"]


def the_doctor_says_what_is_missing():
    subprocess.run(["umount", "/sys/fs/bpf"], check=True)
    os.kill(int(os.environ["LAB_POLKITD_PID"]), 9)
    with Service(backend="observer"):
        wait_for(lambda: "failed" in ctl("status"), 5, "the observer has failed")
        done = subprocess.run(["pandemoniumctl", "doctor", "--json"], capture_output=True,
                              timeout=60, check=False)
        found = {row["check"]: row for row in json.loads(done.stdout)}
        assert done.returncode == 1
        assert found["bpffs"]["remedy"].startswith("Run: mount"), found["bpffs"]
        assert found["backend"]["result"] == "problem", found["backend"]


def bash_completes_names_from_the_bus():
    with service_with(b"cc1", b"kworker/0:1", b"a b", b"sshd\xff"):
        def complete(*words):
            script = ('source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); '
                      '_pandemoniumctl; printf "%s\\n" "${COMPREPLY[@]}"')
            done = subprocess.run(
                ["bash", "--norc", "-c", script, "bash",
                 os.path.join(SOURCE, "data", "completions", "pandemoniumctl.bash"),
                 "pandemoniumctl", *words], stdout=subprocess.PIPE, text=True, check=True)
            return done.stdout.splitlines()

        assert complete("show", "") == ["a\\ b", "cc1", "kworker/0:1", "sshd\\\\xff"]
        assert complete("explain", "c") == ["cc1"]
        assert complete("delete", "cc1", "a") == ["a\\ b"]
        assert complete("override", "set", "cc1", "b") == ["batch"]
        ctl("override", "set", "cc1", "batch")
        assert complete("override", "clear", "") == ["cc1"]


if __name__ == "__main__":
    run_case(globals())
