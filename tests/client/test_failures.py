#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
# Copyright (C) 2026 The ProcDb developers
"""Errors of bus, polkit and service become sentences and exit codes."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import unittest

from support import CTL, HERE, XML, ClientTest

DENIED = "org.freedesktop.DBus.Error.AccessDenied"
ASKS = "org.freedesktop.DBus.Error.InteractiveAuthorizationRequired"
CALLS = {
    "QueryColumns": (["list"], "list-profiles"),
    "QueryProfiles": (["list", "--json"], "list-profiles"),
    "ListProfiles": (["override", "list"], "list-profiles"),
    "ListTasks": (["ps"], "list-profiles"),
    "ExportProfiles": (["export"], "list-profiles"),
    "GetProfile": (["show", "cc1"], "list-profiles"),
    "GetConfidence": (["confidence", "cc1"], "get-confidence"),
    "Explain": (["explain", "cc1"], "list-profiles"),
    "DeleteProfile": (["delete", "cc1"], "delete-entries"),
    "DeleteProfiles": (["delete", "cc1", "as"], "delete-entries"),
    "Reset": (["reset", "--yes"], "delete-entries"),
    "Save": (["save"], "save"),
    "Reload": (["reload"], "manage"),
    "LoadDatabase": (["load"], "manage"),
    "SetBackend": (["backend", "none"], "manage"),
    "SetBackend sched-ext": (["backend", "sched-ext"], "replace-scheduler"),
    "SetApply": (["apply", "none"], "manage"),
    "SetOverride": (["override", "set", "cc1", "batch"], "set-override"),
    "ClearOverride": (["override", "clear", "cc1"], "set-override"),
}
METHODS = {name.split()[0] for name in CALLS}


class Failures(ClientTest):
    def test_a_denial_names_the_missing_action(self):
        self.start_fake(*("--fail=%s=%s:Not authorized" % (method, DENIED) for method in METHODS))
        for arguments, action in CALLS.values():
            with self.subTest(arguments=arguments):
                self.assertIn("the action org.pandemonium.procdb.%s in" % action, self.fails(4, *arguments))

    def test_a_denial_tells_the_reason_that_the_service_gives(self):
        self.start_fake("--fail=Save=%s:Not authorized for x: polkit did not answer" % DENIED)
        self.assertIn("Access denied: Not authorized for x: polkit did not answer.\n", self.fails(4, "save"))

    def test_where_a_password_is_needed_it_says_so(self):
        self.start_fake("--fail=Save=%s:x" % ASKS)
        told = self.fails(4, "save")
        self.assertIn("org.pandemonium.procdb.save asks for a password", told)

    def test_errors_of_the_service(self):
        for error, code, words in (
                ("NoSuchProfile", 3, "shows the names that there are"),
                ("SaveFailed", 1, "The database was not saved: Disk full."),
                ("LimitExceeded", 1, "The service refused: Disk full."),
                ("SomethingNew", 1, "Disk full (SomethingNew)")):
            with self.subTest(error=error):
                fake = self.start_fake("--fail=Save=%s:Disk full." % error)
                self.assertIn(words, self.fails(code, "save"))
                fake.kill()
                fake.wait()
                self.wait_for_no_service()

    def test_what_could_not_be_saved_counts_all_the_same(self):
        self.start_fake(*("--fail=%s=SaveFailed:Disk full." % method for method in METHODS))
        changing = [arguments for arguments, action in CALLS.values()
                    if action in ("delete-entries", "set-override")]
        self.assertEqual(len(changing), 5)
        for arguments in changing:
            with self.subTest(arguments=arguments):
                told = self.fails(1, *arguments)
                self.assertIn("The change is in effect, but not saved to disk yet: "
                              "Disk full.\n", told)
                self.assertNotIn("still there", told)
        self.assertIn("What was saved before is still there", self.fails(1, "save"))

    def test_what_could_not_be_saved_of_an_import_counts_too(self):
        self.start_fake("--fail=ImportProfiles=SaveFailed:Disk full.")
        with tempfile.NamedTemporaryFile("w") as file:
            file.write(self.ok("export"))
            file.flush()
            told = self.fails(1, "import", file.name)
        self.assertIn("is in effect, but not saved to disk yet", told)
        self.assertNotIn("Nothing was imported", told)

    def test_after_a_part_of_a_sum_nothing_is_to_be_imported_again(self):
        self.start_fake("--fail=ImportPrograms=SomethingNew:x")
        with tempfile.NamedTemporaryFile("w") as file:
            file.write(self.ok("export"))
            file.flush()
            self.assertIn("Import the file again for the rest.", self.fails(1, "import", file.name))
            told = self.fails(1, "import", "--merge", file.name)
        self.assertIn("Do not import the files again", told)
        self.assertNotIn("without --merge", told)

    def test_only_a_push_is_taken_up_by_the_next_one(self):
        self.start_fake()
        store = "--store=unix:" + os.path.join(self.bus.directory.name, "none")
        if b"built without hiredis" in self.ctl("farm", "audit", store).stderr:
            self.skipTest("built without hiredis")
        for arguments in (["push"], ["sync"]):
            self.assertRegex(self.fails(5, "farm", *arguments, store),
                             "cannot be reached: .*\nNothing is lost: the next push takes up")
        for arguments in (["pull"], ["audit"], ["audit", "cc1"], ["forget", "builder-1"]):
            told = self.fails(5, "farm", *arguments, store)
            self.assertIn("cannot be reached", told)
            self.assertNotIn("Nothing is lost", told)

    def test_it_says_how_many_of_many_are_left(self):
        self.start_fake("--many=5000", "--fail=DeleteProfiles=SaveFailed:Disk full.")
        self.assertIn("904 of 5000 programs were not forgotten.\n",
                      self.fails(1, "delete", "many*"))

    def wait_for_no_service(self):
        for _ in range(100):
            if self.ctl("save").returncode == 5:
                return
        self.fail("the service is still there")

    def test_a_name_that_is_none(self):
        self.start_fake()
        told = self.fails(2, "delete", "x" * 70)
        self.assertEqual(told, "'%s': Not a valid task name: the kernel keeps 15 bytes.\n" % ("x" * 70))

    def test_of_several_names_the_wrong_one_is_told(self):
        self.start_fake()
        self.assertIn("Nothing was deleted: 'nosuch': There is no profile of this name.\n",
                      self.fails(3, "delete", "cc1", "nosuch", "as"))
        self.assertEqual(self.fails(2, "delete", "cc1", "x" * 70),
                         "Nothing was deleted: '%s': Not a valid task name: the kernel keeps 15 bytes.\n" % ("x" * 70))

    def test_nothing_is_read_out_of_what_the_service_says(self):
        self.start_fake("--fail=DeleteProfiles=NoSuchProfile:other words, 'of': no rule",
                        "--fail=DeleteProfile=InvalidName:a: b: c")
        self.assertIn("Nothing was deleted: other words, 'of': no rule.\n", self.fails(3, "delete", "cc1", "as"))
        self.assertEqual("a: b: c.\n", self.fails(2, "delete", "cc1"))

    def test_what_the_service_says_cannot_write_to_the_terminal(self):
        self.start_fake("--fail=Save=SomethingNew:a\033[31mb\nc")
        self.assertIn("a\\x1b[31mb\\x0ac", self.fails(1, "save"))

    def test_no_service(self):
        for arguments, _ in CALLS.values():
            self.assertIn("doctor", self.fails(5, *arguments))
        for arguments in (["status"], ["monitor"], ["export"]):
            self.assertIn("not running", self.fails(5, *arguments))

    def test_a_service_that_cannot_be_started(self):
        for command, words in (("/nonexistent", "Failed to execute program "),
                               ("/bin/false", "Process org.pandemonium.ProcDb exited with status 1.")):
            self.bus.start_by(command)
            for arguments in (["save"], ["status"], ["list"]):
                self.assertIn("The service pandemonium-procdbd could not be started: " + words,
                              self.fails(5, *arguments))

    def test_a_service_that_is_started_for_a_call(self):
        self.bus.start_by("/usr/bin/env DBUS_SYSTEM_BUS_ADDRESS=%s %s %s %s" % (
            self.bus.address, sys.executable, os.path.join(HERE, "fake.py"), XML))
        self.ok("save")

    def test_no_bus(self):
        done = self.ctl("status", DBUS_SYSTEM_BUS_ADDRESS="unix:path=/nonexistent")
        self.assertEqual(done.returncode, 5)
        self.assertIn(b"The system bus cannot be reached", done.stderr)

    def test_a_service_that_dies_while_it_is_asked(self):
        fake = self.start_fake("--hang=Save")
        ctl = self.terminal("save")
        monitor = self.terminal("monitor")
        monitor.expect("Following")
        self.assertIn("Save may", fake.stdout.readline())
        fake.kill()
        text, code = ctl.finish()
        self.assertEqual(code, 5)
        self.assertIn("did not answer", text)

    def test_a_service_that_hangs_is_told_at_a_terminal(self):
        fake = self.start_fake()
        began = time.monotonic()
        self.ok("status")
        usual = time.monotonic() - began
        fake.send_signal(signal.SIGSTOP)
        began = time.monotonic()
        terminals = [self.terminal(*command) for command in
                     (["status"], ["list"], ["save"], ["monitor"], ["top"])]
        for terminal in terminals:
            text, code = terminal.finish()
            self.assertIn("The service did not answer in time.", text)
            self.assertEqual(code, 5)
        self.assertLess(time.monotonic() - began, 15 + len(terminals) * usual)

    def test_a_password_may_be_asked_for_at_a_terminal_but_not_of_root(self):
        fake = self.start_fake("--hang=Save")
        for arguments, asks in (([], os.geteuid() != 0), (["--no-ask-password"], False)):
            self.terminal("save", *arguments)
            self.assertEqual(fake.stdout.readline(),
                             "Save may ask\n" if asks else "Save may not ask\n")

    @unittest.skipIf(os.geteuid() == 0, "root is not asked")
    def test_a_password_may_be_asked_for_without_a_terminal_too(self):
        fake = self.start_fake("--hang=Save")
        for arguments, asks in (([], True), (["--no-ask-password"], False)):
            with subprocess.Popen([CTL, "save", *arguments], env=self.bus.environment(),
                                  stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                  stderr=subprocess.DEVNULL) as process:
                self.assertEqual(fake.stdout.readline(),
                                 "Save may ask\n" if asks else "Save may not ask\n")
                process.kill()

    def test_an_older_service(self):
        self.start_fake("--fail=Reload=org.freedesktop.DBus.Error.UnknownMethod:x")
        self.assertIn("older than this program", self.fails(1, "reload"))


class Doctor(ClientTest):
    def findings(self):
        done = self.ctl("doctor", "--json")

        rows = json.loads(done.stdout)
        self.assertEqual(done.returncode,
                         int(any(row["result"] == "problem" for row in rows)))
        return {row["check"]: row for row in rows}

    def test_without_a_service_it_says_what_to_do(self):
        service = self.findings()["service"]
        self.assertEqual(service["result"], "problem")
        self.assertIn("start", service["remedy"])

    def test_it_checks_everything(self):
        self.start_fake()
        self.assertEqual(set(self.findings()),
                         {"kernel", "btf", "bpf", "bpffs", "sched_ext", "pins", "bus", "polkit",
                          "service", "backend", "apply", "config", "database", "sandbox"})

    def test_what_the_service_reports_is_a_problem(self):
        self.start_fake("--set=BackendState='is broken: no BTF'", "--set=BackendStatus='failed'",
                        "--set=LastSaveError='Disk full'")
        found = self.findings()
        self.assertIn("no BTF", found["backend"]["finding"])
        self.assertIn("Disk full", found["database"]["finding"])
        self.assertEqual((found["backend"]["result"], found["database"]["result"]),
                         ("problem", "problem"))

    def test_a_database_that_was_damaged_is_told(self):
        self.start_fake("--set=DatabaseProblem='x is no valid database; it is kept as x.bad-1'")
        found = self.findings()["database"]
        self.assertEqual(found["result"], "note")
        self.assertIn("kept as x.bad-1", found["finding"])
        self.assertIn("pandemoniumctl import FILE", found["remedy"])

    def test_a_save_that_says_what_helps_is_believed(self):
        """Whole: what a sentence means does not depend on its punctuation, nor on a path with some."""
        for reason in ("another service has x; run: y", "/srv/a; b: the disk is full"):
            self.setUp()
            self.start_fake(f"--set=LastSaveError='{reason}'")
            found = self.findings()["database"]
            self.assertEqual(found["finding"], reason)
            self.assertIn("only in memory", found["remedy"])
            self.assertNotIn("pandemoniumctl save", found["remedy"])

    def test_without_a_bus_the_rest_is_checked(self):
        done = self.ctl("doctor", DBUS_SYSTEM_BUS_ADDRESS="unix:path=/nonexistent")
        self.assertEqual(done.returncode, 1)
        self.assertIn(b"kernel", done.stdout)
        self.assertIn(b"bus cannot be reached", done.stdout)


class Status(ClientTest):
    def test_what_is_wrong_is_said(self):
        for option, words in (("BackendStatus='failed'", "does not learn"),
                              ("BackendStatus='failed'", "Problem: "),
                              ("BackendStatus='waiting'", "nothing to do"),
                              ("BackendStatus='waiting'", "does not learn"),
                              ("Backend='none'", "no backend is in use"),
                              ("Backend='none'", "\"pandemoniumctl backend auto\" for now"),
                              ("Backend='none'", "Backend= in procdb.conf"),
                              ("LastSaveError='Disk full'", "the database is not saved: Disk full"),
                              ("MapErrors=uint64 3", "3 map operations failed"),
                              ("ObservationsLost=uint64 7", "7 lost")):
            with self.subTest(option=option):
                self.setUp()
                self.start_fake("--set=" + option)
                self.assertIn(words, self.ok("status"))

    def test_a_save_that_says_what_helps_is_believed(self):
        for reason in ("another service has x; run: y", "/srv/a; b: the disk is full"):
            self.setUp()
            self.start_fake(f"--set=LastSaveError='{reason}'")
            text = self.ok("status")
            self.assertIn(f"the database is not saved: {reason}\n", text)
            self.assertIn("             Until that is mended, what is learned is only in memory.\n", text)
            self.assertNotIn("pandemoniumctl save", text)

    def test_what_is_wrong_with_what_works_is_said_whole(self):
        self.start_fake("--set=BackendReason='another program writes; run x with y'")
        self.assertIn("Problem: another program writes; run x with y\n", self.ok("status"))

    def test_only_the_token_decides(self):
        self.start_fake("--set=BackendState='failed to notice: nothing'")
        self.assertIn("learns from", self.ok("status"))
        self.assertNotIn("Problem", self.ok("status"))

    def test_the_token_is_said_once(self):
        self.start_fake("--set=BackendState='failed: no BTF'", "--set=BackendStatus='failed'")
        self.assertIn("Problem: no BTF", self.ok("status"))

    def test_what_stands_in_for_the_scheduler_learns(self):
        for state, words in (("failed: no sched_ext; observing instead",
                              "Problem: no sched_ext; observing instead"),
                             ("waiting: scx_x is running; observing instead",
                              "nothing to do; scx_x is running; observing instead")):
            with self.subTest(state=state):
                self.setUp()
                self.start_fake("--set=Backend='sched-ext'", "--set=BackendState='%s'" % state,
                                "--set=BackendStatus='%s'" % state.split(":")[0])
                text = self.ok("status")
                self.assertIn("learns, but its own sched_ext scheduler does not run", text)
                self.assertIn(words, text)


if __name__ == "__main__":
    unittest.main(verbosity=2)
