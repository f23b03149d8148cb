#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
# Copyright (C) 2026 The ProcDb developers
"""What each command of pandemoniumctl prints and answers, against the fake service."""

import json
import os
import re
import subprocess
import tempfile
import unittest

from fake import COLUMNS, PROFILES
from support import CTL, SOURCE, WAIT_S, ClientTest, stop

RAW = "sshd\\xff\\xfe\\x0a%n"


class Reading(ClientTest):
    def setUp(self):
        super().setUp()
        self.start_fake()

    def test_status_is_what_runs_without_a_command(self):
        self.assertEqual(self.ok(), self.ok("status"))
        self.assertIn("learns from its own BPF observer", self.ok())

    def test_status_json_has_every_property_in_snake_case(self):
        status = self.json("status")
        self.assertEqual(status["backend_state"], "active")
        self.assertEqual(status["observations"], 12345)
        self.assertEqual(status["min_confidence"], 0.6)
        self.assertIs(status["dirty"], True)
        self.assertEqual(status["apply_statistics"], {"set": 7, "lost": 0})

    def test_status_shows_each_tier_and_the_best_constant_guess(self):
        self.assertIn("batch 79 of 80, interactive 15 of 15, lat-critical 3 of 5; "
                      'a guess of "batch" for all would be right for 79.0 %', self.ok("status"))

    def test_list_json_has_the_columns_of_the_contract(self):
        rows = self.json("list")
        self.assertEqual(len(rows), len(PROFILES))
        for row in rows:
            self.assertEqual(tuple(row)[:len(COLUMNS)], COLUMNS)
        self.assertEqual(rows, sorted(rows, key=lambda row: row["name"].encode()))
        cc1 = next(row for row in rows if row["name"] == "cc1")
        self.assertEqual(cc1["votes"], {"batch": 41, "interactive": 1, "lat-critical": 0})
        self.assertEqual(cc1["confidence"], 0.9123)

    def test_numbers_beyond_int64_are_exact(self):
        row = next(row for row in self.json("list") if row["name"] == RAW)
        self.assertEqual((row["avg_runtime_ns"], row["runtime_dev_ns"]), (2**64 - 1, 2**63))

    def names(self, *arguments):
        return self.ok("list", "--names", *arguments).splitlines()

    def test_list_filters(self):
        self.assertEqual(self.names("--tier=lat-critical"), ["pipewire", "wine"])
        self.assertEqual(self.names("--origin", "override"), ["wine"])
        self.assertEqual(self.names("-c", "-t", "interactive"), ["firefox"])
        self.assertEqual(self.names("c*", "?s"), ["as", "cc1"])
        self.assertEqual(self.names("nothing"), [])

    def test_list_finds_the_program_that_stands_beside_a_name(self):
        self.assertEqual(self.names("train.py"), ["new"])
        self.assertEqual(self.names("train*", "as"), ["as", "new"])
        self.assertIn("new (train.py)", self.ok("list", "tr*"))
        self.assertEqual([row["name"] for row in self.json("list", "train*")], ["new"])
        # Of those that say their program themselves no second name counts.
        self.assertEqual(self.names("gm*"), [])

    def test_list_sorts_numbers_from_the_greatest_and_reverses(self):
        self.assertEqual(self.names("-s", "observations")[:2], ["pipewire", "cc1"])
        self.assertEqual(self.names("-r", "-s", "observations")[-1], "pipewire")
        self.assertEqual(self.names("-s", "tier")[:2], ["pipewire", "wine"])

    def test_a_table_in_a_pipe_has_no_escape_sequences(self):
        self.assertNotIn("\033", self.ok("list") + self.ok("status") + self.ok("show", "cc1"))

    def test_without_a_locale_names_are_utf8(self):
        self.assertIn("größe", self.ok("list", LC_ALL="C"))

    def test_decimal_points_are_points(self):
        self.assertIn("0.912", self.ok("show", "cc1", LC_ALL="de_DE.UTF-8"))

    def test_show_prints_what_it_does_not_know(self):
        self.assertRegex(self.ok("show", "cc1"), r"from_the_future +\['x'\]")
        self.assertEqual(self.json("show", "cc1")["from_the_future"], ["x"])

    def test_a_tier_that_is_a_guess_is_shown_as_one(self):
        for command in ("show", "explain"):
            self.assertRegex(self.ok(command, "make"), r"\nTier +interactive\? *\n")
            for name, tier in (("cc1", "batch"), ("wine", "lat-critical")):
                self.assertRegex(self.ok(command, name), r"\nTier +%s *\n" % tier)

    def test_names_as_shown_are_names_to_give(self):
        for name in self.names():
            self.assertEqual(self.json("show", name)["name"], name)

    def test_raw_bytes_are_escaped(self):
        self.assertEqual(self.json("confidence", b"sshd\xff\xfe\n%n")["name"], RAW)

    def test_confidence_is_a_bare_number(self):
        self.assertEqual(self.ok("confidence", "cc1"), "0.912\n")

    def test_explain_has_a_sentence_for_each_case(self):
        for name, sentence in (("cc1", "start as batch: 98 % of 42"),
                               ("new", "observed 2 times, and 1 more is needed"),
                               ("new", "each of its tasks is judged by what it does"),
                               ("make", "disagree: only 60 % of 5 votes are for interactive"),
                               ("cc1", "\nThe confidence is 0.91, and 0.60 is needed.\nA run takes 72"),
                               ("a b'\"\\\\c", "\nIt is a kernel thread, which is never given a slice.\n"),
                               ("wine", "because an administrator decided so"),
                               ("wine", "\nWithout the override nothing would be predicted.\n")):
            self.assertIn(sentence, self.ok("explain", name))
        self.assertNotIn("kernel thread", self.ok("explain", "cc1"))
        self.ok("override", "set", "cc1", "interactive")
        self.assertIn("\nWithout the override it would be batch, with a confidence of 0.91.\n", self.ok("explain", "cc1"))

    def test_explain_of_nothing_learned_shows_nothing_learned(self):
        self.ok("override", "set", "later", "batch")
        text = self.ok("explain", "later")
        self.assertIn("Nothing was learned about it yet", text)
        self.assertNotIn("Learned tier", text)
        self.assertNotIn("Run time", text)
        self.assertIn("Learned tier", self.ok("explain", "wine"))

    def test_explain_takes_a_pid(self):
        with open("/proc/self/comm", encoding="utf-8") as file:
            name = file.read().strip()
        pid = str(os.getpid())
        done = self.ctl("explain", pid)
        self.assertIn('There is no profile of "%s"' % name, done.stderr.decode())
        self.assertIn('%s is a process or thread named "%s"' % (pid, name), done.stderr.decode())
        self.assertIn('"%d"' % os.getpid(), self.fails(3, "explain", "-l", str(os.getpid())))

    def test_what_cannot_be_explained_says_why(self):
        self.assertIn("No process or thread has the ID 999999999, and there is no profile of that name.",
                      self.fails(3, "explain", "999999999"))
        self.assertIn('There is no profile of "bash" yet: it runs, but has not run enough',
                      self.fails(3, "explain", "bash"))

    def test_options_stand_before_or_after_the_command(self):
        self.assertEqual(self.ok("--json", "show", "as"), self.ok("show", "as", "--json"))


class Changing(ClientTest):
    def setUp(self):
        super().setUp()
        self.start_fake()

    def names(self):
        return self.ok("list", "--names").splitlines()

    def test_delete_takes_names_and_patterns(self):
        self.assertEqual(self.json("delete", "cc1", "c*", "as"), {"deleted": 2,
                                                                 "names": ["cc1", "as"]})
        self.assertNotIn("cc1", self.names())

    def test_delete_of_an_unknown_name_deletes_nothing(self):
        before = self.names()
        self.fails(3, "delete", "cc1", "unknown")
        self.assertIn("nothing was deleted", self.fails(3, "delete", "cc1", "unknown*"))
        self.assertEqual(self.names(), before)

    def test_an_override_that_goes_as_well_is_said(self):
        terminal = self.terminal("delete", "wine")
        terminal.expect('Forget what was learned about "wine", and its override? [y/N]')
        terminal.type("y\n")
        text, code = terminal.finish()
        self.assertIn("Deleted 1 profile, and 1 override with it.", text)
        self.assertEqual(code, 0)
        self.ok("override", "set", "cc1", "as", "batch")
        terminal = self.terminal("delete", "cc1", "as", "make")
        listed = terminal.expect("about these 3 programs, and 2 overrides of them? [y/N]")
        self.assertEqual(listed.split("\r\n")[:3], ["  cc1 (override)", "  as (override)", "  make"])
        terminal.type("n\n")
        terminal.finish()
        self.assertIn("Deleted 3 profiles, and 2 overrides with them.\n", self.ok("delete", "cc1", "as", "make"))
        self.assertEqual(self.json("override", "list"), [])

    def test_a_literal_star_is_no_pattern(self):
        self.fails(3, "delete", "--literal", "c*")
        self.assertIn("cc1", self.names())

    def test_a_name_like_an_option_is_given_after_two_dashes(self):
        self.assertIn('"-x"', self.fails(3, "show", "--", "-x"))

    def test_reset_without_a_terminal_wants_a_yes(self):
        self.assertIn("it needs --yes", self.fails(2, "reset"))
        self.assertIn("cc1", self.names())

    def test_of_what_runs_it_says_that_it_comes_back(self):
        self.assertEqual(self.ok("delete", "cc1"), 'Deleted 1 profile.\n"cc1" runs, and is learned anew.\n')
        self.assertEqual(self.ok("delete", "as"), "Deleted 1 profile.\n")

    def test_reset_keeps_overrides(self):
        self.assertEqual(self.json("reset", "--yes"), {"deleted": len(PROFILES) - 1})
        self.assertEqual(self.names(), ["wine"])

    def test_what_reads_takes_paths_and_long_names_and_says_so(self):
        done = self.ctl("show", "--json", "/usr/libexec/gcc/cc1")
        self.assertEqual(json.loads(done.stdout)["name"], "cc1")
        self.ok("override", "set", "gnome-control-c", "batch")
        done = self.ctl("explain", "gnome-control-center")
        self.assertEqual(done.returncode, 0)
        self.assertIn('Tasks of "gnome-control-center" are named "gnome-control-c".',
                      done.stderr.decode())

    def test_names_that_resemble_it_are_suggested(self):
        for wrong, right in (("Firefox", "firefox"), ("PipeWire", "pipewire"), ("firefx", "firefox"),
                             ("pipe", "pipewire")):
            for command in ("show", "explain", "confidence"):
                self.assertIn('Did you mean "%s"?' % right, self.fails(3, command, wrong))
        self.assertNotIn("Did you mean", self.fails(3, "show", "utterly-unknown"))
        self.assertIn('Did you mean "wine"?', self.fails(3, "override", "clear", "Wine"))
        self.assertIn('Did you mean "wine"?', self.fails(3, "override", "clear", "/usr/bin/wine"))
        self.assertIn('Did you mean "cc1"?', self.fails(3, "delete", "/usr/libexec/gcc/cc1"))
        self.assertIn('Did you mean "firefox"?', self.fails(3, "delete", "Firefox"))

    def test_a_program_that_another_name_runs_is_told(self):
        told = ('"train.py" is run by tasks named "new"; "pandemoniumctl override set --program train.py TIER" decides '
                "for it alone.\n")
        for command in ("show", "explain"):
            self.assertIn(told, self.fails(3, command, "train.py"))
        self.assertIn(told, self.ok("override", "set", "train.py", "batch"))
        self.assertNotIn("is run by", self.ok("override", "set", "cc1", "batch"))

    def test_save_and_reload_count(self):
        self.assertEqual(self.ok("save"), "Saved: 6 profiles with a prediction or an override, and what else is known.\n")
        self.assertEqual(self.json("save"), {"saved": 6})
        self.assertEqual(self.json("load"), {"loaded": len(PROFILES)})
        self.assertEqual(self.json("reload"), {"profiles": len(PROFILES)})

    def test_reload_and_load_say_what_they_changed(self):
        self.assertEqual(self.ok("reload"),
                         "Read the configuration. What was learned stays: 10 profiles.\n")
        self.assertEqual(self.ok("load"), "Read 10 profiles from the database.\n")

    def test_backend(self):
        self.assertEqual(self.json("backend", "none"), {"backend": "none",
                                                       "backend_state": "active"})
        self.assertIn("there is no backend \"magic\"", self.fails(2, "backend", "magic"))

    def test_a_backend_that_failed_is_a_failure(self):
        self.assertEqual(self.fails(1, "backend", "sched-ext"),
                         "The backend sched-ext failed: no sched_ext; observing instead.\n"
                         "\"pandemoniumctl doctor\" checks what it needs.\n")
        done = self.ctl("backend", "sched-ext", "--json")
        self.assertEqual((done.returncode, json.loads(done.stdout)),
                         (1, {"backend": "sched-ext",
                              "backend_state": "failed: no sched_ext; observing instead"}))

    def test_few_predictions_are_no_share(self):
        self.assertNotIn("too few", self.ok("status"))
        ClientTest.setUp(self)
        self.start_fake("--set=PredictionsRight=uint64 8", "--set=PredictionsWrong=uint64 0",
                        "--set=PredictionOutcomes=[('batch',2,0,0),('interactive',0,0,0),('lat-critical',0,0,6)]")
        self.assertIn("Right: 8 of 8 predictions that could be judged\n"
                      "             batch 2 of 2, lat-critical 6 of 6; too few to tell more\n", self.ok("status"))

    def test_what_was_applied_is_not_what_is(self):
        self.assertIn("got the slice of their tier since the start (Mode=, observing only; no task has one now)",
                      self.ok("status"))

    def test_status_says_that_batch_tasks_get_no_slice(self):
        for active, held, said in (("true", 1, True), ("true", 0, False), ("false", 1, False)):
            ClientTest.setUp(self)
            self.start_fake(f"--set=ApplyActive={active}",
                            "--set=ApplyStatistics={'set': uint64 7, 'held': uint64 %d}" % held)
            self.assertEqual("Batch tasks have the kernel's slice now" in self.ok("status"), said, (active, held))

    def test_apply(self):
        self.assertEqual(self.json("apply", "slices"), {"apply": "slices", "apply_active": False})
        self.assertIn("there is no mode", self.fails(2, "apply", "magic"))

    def test_apply_says_why_nothing_changes(self):
        ClientTest.setUp(self)
        self.start_fake("--set=ApplyReason='Linux 6.1 has no slices for single tasks'")
        self.assertEqual(self.ok("apply", "auto"), "The mode is auto: predictions change nothing now, since Linux 6.1 "
                                                   "has no slices for single tasks.\n")
        self.assertEqual(self.ok("apply", "none"), "The mode is none: predictions change nothing now.\n")


class Members(ClientTest):
    """The names in the JSON of each command are those of the manual."""

    def manual(self):
        with open(os.path.join(SOURCE, "data", "man", "pandemoniumctl.1"), encoding="utf-8") as file:
            section = file.read().split("\n.Sh JSON\n")[1].split("\n.Sh")[0].split("\n.El")[0]
        found = {}
        for item in section.split("\n.It Cm ")[1:]:
            names, _, rest = item.partition("\n")
            for name in names.split(" , Cm "):
                found[name] = set(re.findall(r"\w+", " ".join(
                    re.findall(r"^\.Va (.*)", rest, re.MULTILINE))))
        return found

    def test_they_are_those_of_the_manual(self):
        self.start_fake()
        found = {
            "confidence": self.json("confidence", "cc1"),
            "override set": self.json("override", "set", "cc1", "batch"),
            "override clear": self.json("override", "clear", "cc1"),
            "delete": self.json("delete", "cc1"), "reset": self.json("reset", "--yes"),
            "save": self.json("save"), "reload": self.json("reload"),
            "load": self.json("load"),
            "backend": self.json("backend", "none"), "apply": self.json("apply", "none"),
        }
        directory = tempfile.TemporaryDirectory(prefix="procdb-client-")
        self.addCleanup(directory.cleanup)
        path = os.path.join(directory.name, "export.json")
        found["export"] = {**self.json("export"), **self.json("export", path)}
        found["import"] = self.json("import", path)
        found["doctor"] = {key for row in json.loads(self.ctl("doctor", "--json").stdout)
                           for key in row}
        manual = self.manual()
        for command, keys in found.items():
            self.assertEqual(set(keys), manual.pop(command), command)
        self.assertEqual(set(manual), {"status", "list", "override list", "ps", "show", "explain",
                                       "trial", "monitor"})


class Reloading(ClientTest):
    def test_without_a_database_it_says_what_is_known(self):
        self.start_fake("--no-database")
        self.assertEqual(self.ok("load"),
                         "The database is missing or empty; 10 profiles are known now.\n")
        self.assertEqual(self.json("load"), {"loaded": 0})

    def test_what_could_not_be_read_changes_nothing(self):
        self.start_fake("--fail=LoadDatabase=LoadFailed:p is no valid database; it is p.bad now")
        self.assertEqual(self.fails(1, "load"),
                         "Not loaded: p is no valid database; it is p.bad now.\n"
                         "Configuration and profiles stay as they were.\n")


class Leaving(ClientTest):
    def test_a_match_that_leaves_by_itself_does_not_keep_the_others(self):
        self.start_fake("--leave=pipewire")
        self.assertEqual(self.json("delete", "pi*", "a*"),
                         {"deleted": 2, "names": ["a b'\"\\\\c", "as"]})

    def test_a_name_that_leaves_does(self):
        self.start_fake("--leave=pipewire")
        self.fails(3, "delete", "pipewire", "a*")
        self.ok("show", "as")


class Json(ClientTest):
    def lists(self, *options):
        """What each of several lists is printed as, but for when a profile was seen."""
        fake = self.start_fake(*options)
        self.ok("override", "set", "cc1", "batch")
        texts = [self.ok("list", "--json", *more) for more in
                 ([], ["--sort=cpu"], ["--confident", "--reverse"], ["*s*"], ["nothing"])]
        stop(fake)
        return [re.sub(r'"last_seen_us" : \d+', "", text) for text in texts]

    def test_an_older_service_has_the_same_list_byte_by_byte(self):
        """By rows, of which json-glib makes the text: it does not know all the columns."""
        for by_columns, by_rows in zip(self.lists(),
                                       self.lists("--fail=QueryColumns=InvalidFilter:There is no column 'found'")):
            self.assertEqual(by_columns, by_rows)


class Titles(ClientTest):
    def test_names_and_programs_that_are_not_wanted_are_not_sent(self):
        fake = self.start_fake("--many=100", "--tell=QueryColumns")
        for options in (["--json"], ["--names"], []):
            self.assertIn("new", self.ok("list", "train*", "nothing", *options))
            self.assertEqual(fake.stdout.readline(), "QueryColumns 1\n")
        # More than a filter may have, and the same list.
        self.assertEqual(self.ok("list", "--names", "as", *("x%d" % i for i in range(64))), "as\n")
        self.assertEqual(fake.stdout.readline(), "QueryColumns %d\n" % (100 + len(PROFILES)))


class Many(ClientTest):
    def test_a_pattern_may_match_more_than_one_call_can_delete(self):
        self.start_fake("--many=9000", "--leave=many8500")
        reply = self.json("delete", "cc1", "many*")
        self.assertEqual((reply["deleted"], len(set(reply["names"]))), (9000, 9000))
        self.assertEqual(len(self.json("list")), len(PROFILES) - 1)

    def test_more_than_one_answer_has_room_for_are_listed(self):
        self.start_fake("--many=20001")
        self.assertEqual(len(set(self.ok("list", "--names").splitlines())), 20001 + len(PROFILES))
        self.assertIn("cc1", self.ok("ps"))

    def test_an_unknown_name_beside_them_deletes_nothing(self):
        self.start_fake("--many=9000")
        self.fails(3, "delete", "many*", "nosuch")
        self.assertEqual(len(self.json("list")), 9000 + len(PROFILES))

    def test_names_that_are_given_are_not_split(self):
        self.start_fake("--many=5000")
        told = self.fails(1, "delete", *("many%d" % i for i in range(5000)))
        self.assertEqual(told, "The service refused: At most 4096 names can be deleted in one "
                               "call.\n")
        self.assertEqual(len(self.json("list")), 5000 + len(PROFILES))


class Usage(ClientTest):
    def test_wrong_command_lines_need_no_service(self):
        for arguments in (["nonsense"], ["--nonsense"], ["show"], ["show", "a", "b"],
                          ["status", "x"], ["list", "--sort=x"], ["list", "--tier=x"],
                          ["list", "--origin=x"], ["list", "--nonsense"], ["override"],
                          ["override", "set", "a"], ["override", "set", "a", "fast"],
                          ["override", "nonsense"], ["top"], ["top", "--sort=x"],
                          ["list", "--columns="], ["list", "--columns=,"],
                          ["metrics", "--json"], ["--json", "panel"], ["delete"], ["import"]):
            with self.subTest(arguments=arguments):
                self.assertIn("--help", self.fails(2, *arguments))

    def test_help_is_a_command_too(self):
        self.assertEqual(self.ok("help"), self.ok("--help"))
        self.assertEqual(self.ok("help", "list"), self.ok("list", "--help"))
        self.assertEqual(self.ok("help", "override", "set"), self.ok("override", "--help"))
        self.assertIn('there is no command "nosuch"', self.fails(2, "help", "nosuch"))

    def test_help_and_version_need_no_service(self):
        self.assertIn("Commands:", self.ok("--help"))
        self.assertIn("pandemoniumctl list [OPTION", self.ok("list", "--help"))
        self.assertRegex(self.ok("--version"), r"^pandemoniumctl \d")

    def test_lines_of_help_fit_a_terminal(self):
        general = self.ok("--help")
        for command in re.findall(r"^  ([a-z]+)", general.split("Commands:\n")[1], re.MULTILINE):
            for line in (general + self.ok(command, "--help")).splitlines():
                self.assertLessEqual(len(line), 80, line)

    def test_output_that_cannot_be_written_is_a_failure(self):
        self.start_fake()
        for arguments in (["list"], ["list", "--json"], ["list", "--names"], ["export"],
                          ["status"], ["save", "--json"], ["--help"], ["list", "--help"],
                          ["--version"], ["monitor", "--json"]):
            with self.subTest(arguments=arguments):
                with open("/dev/full", "w", encoding="utf-8") as full:
                    done = subprocess.run([CTL, *arguments], env=self.bus.environment(),
                                          stdout=full, stderr=subprocess.PIPE, check=False,
                                          timeout=WAIT_S)
                self.assertEqual(done.returncode, 1)
                self.assertIn(b"Cannot write", done.stderr)

    def test_a_reader_that_has_read_enough_is_no_failure(self):
        self.start_fake()
        for arguments in (["list"], ["list", "--json"], ["export"], ["--help"]):
            with self.subTest(arguments=arguments):
                reader, writer = os.pipe()
                os.close(reader)
                with os.fdopen(writer, "wb") as pipe:
                    done = subprocess.run([CTL, *arguments], env=self.bus.environment(),
                                          stdout=pipe, stderr=subprocess.PIPE, check=False)
                self.assertEqual((done.returncode, done.stderr), (0, b""))


if __name__ == "__main__":
    unittest.main(verbosity=2)
