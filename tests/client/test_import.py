#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
# Copyright (C) 2026 The ProcDb developers
"""What pandemoniumctl exports and imports: files, every value of them, and sums of several."""

import json
import os
import shutil
import stat
import subprocess
import tempfile
import unittest

from fake import PROFILES, TIERS
from support import CTL, ClientTest

RAW = "sshd\\xff\\xfe\\x0a%n"


class Import(ClientTest):
    def setUp(self):
        super().setUp()
        self.start_fake()
        directory = tempfile.TemporaryDirectory(prefix="procdb-client-")
        self.addCleanup(directory.cleanup)
        self.path = os.path.join(directory.name, "export.json")

    def test_an_export_comes_back_as_it_was(self):
        before = self.json("list")
        self.ok("export", self.path)
        self.assertEqual(os.stat(self.path).st_mode & 0o777, 0o600)
        self.ok("reset", "--yes")
        self.assertEqual(self.json("import", self.path), {"imported": len(PROFILES)})
        self.assertEqual(self.json("list"), before)

    def test_what_programs_profiles_are_of_comes_back(self):
        whole = self.json("list", "cc1", "firefox", "make")
        self.ok("export", self.path)
        with open(self.path, encoding="utf-8") as file:
            rows = {row["name"]: row for row in json.load(file)["profiles"]}
        self.assertEqual((rows["cc1"]["program"], rows["cc1"]["kind"], rows["cc1"]["runs"]),
                         ("/usr/libexec/gcc/cc1", "process", 42))
        self.ok("reset", "--yes")
        self.ok("import", self.path)
        for before, after in zip(whole, self.json("list", "cc1", "firefox", "make")):
            self.assertEqual([after.get(key, 0) for key in ("program", "kind", "runs", "cpu_ns")],
                             [before.get(key, 0) for key in ("program", "kind", "runs", "cpu_ns")])
        self.ok("import", "--merge", self.path)
        self.assertEqual(self.json("show", "cc1")["runs"], 84)

    def test_overrides_by_program_and_unit_come_back(self):
        self.ok("override", "set", "--program", "train.py", "batch")
        self.ok("override", "set", "--unit", "app-*.scope", "interactive")
        listed = self.json("override", "list")
        self.ok("export", self.path)
        self.ok("override", "clear", "--program", "train.py")
        self.ok("import", "--no-overrides", self.path)
        self.assertNotIn("train.py", self.ok("override", "list"))
        self.ok("import", self.path)
        self.assertEqual(sorted(map(str, self.json("override", "list"))), sorted(map(str, listed)))
        # As of names: a merge decides nothing that was decided otherwise.
        self.ok("override", "set", "--program", "train.py", "interactive")
        before = self.json("list")
        self.assertIn('the program "train.py" has an override to batch here and to interactive elsewhere',
                      self.fails(1, "import", "--merge", self.path))
        self.assertEqual(self.json("list"), before)
        # Nor do two files that disagree.
        other = self.path + ".other"
        self.ok("delete", "make")
        self.ok("export", other)
        self.assertIn(f'{other}: the program "train.py" has an override to interactive here and to batch elsewhere',
                      self.fails(1, "import", "--merge", self.path, other))

    def test_what_is_no_file_is_written_to(self):
        os.mkfifo(self.path)
        with subprocess.Popen(["cat", self.path], stdout=subprocess.PIPE) as reader:
            self.assertEqual(self.ok("export", self.path), "")
            self.assertEqual(len(json.loads(reader.stdout.read())["profiles"]), len(PROFILES))
        self.assertTrue(stat.S_ISFIFO(os.stat(self.path).st_mode))
        self.assertEqual(len(self.json("export", "/dev/stdout")["profiles"]), len(PROFILES))

    def test_a_link_stays_a_link(self):
        link = self.path + ".link"
        self.write("old")
        os.symlink(self.path, link)
        self.assertEqual(self.json("export", link), {"exported": len(PROFILES), "file": link})
        self.assertTrue(os.path.islink(link))
        with open(self.path, encoding="utf-8") as file:
            self.assertEqual(len(json.load(file)["profiles"]), len(PROFILES))

    @unittest.skipUnless(os.geteuid() == 0, "only root makes links for others")
    def test_a_link_that_another_user_laid_is_not_followed(self):
        """As /tmp/export.json on its way to /etc/shadow, where the kernel would not go either."""
        everyones = os.path.join(os.path.dirname(self.path), "tmp")
        os.mkdir(everyones)
        os.chmod(everyones, 0o1777)
        link = os.path.join(everyones, "export.json")
        self.write("precious")
        os.symlink(self.path, link)
        os.lchown(link, 2001, 2001)
        for arguments in (["export", link], ["metrics", "--output", link]):
            self.assertIn("is a link of another user (2001)", self.fails(1, *arguments))
            self.assertTrue(os.path.islink(link))
            with open(self.path, encoding="utf-8") as file:
                self.assertEqual(file.read(), "precious")
        os.lchown(link, os.geteuid(), -1)
        self.ok("export", link)

    def test_a_file_that_cannot_be_made_is_named_as_it_was_given(self):
        path = os.path.join(self.bus.directory.name, "nosuch", "x.json")
        for what, arguments in (("export", ["export", path]), ("metrics", ["metrics", "--output", path])):
            self.assertEqual(self.fails(1, *arguments), "Cannot write the %s: %s: No such file or directory\n" %
                             (what, path))

    def test_replacing_forgets_the_others(self):
        export = json.loads(self.ok("export"))
        export["profiles"] = [row for row in export["profiles"] if row["name"] == "as"]
        self.write(json.dumps(export))
        self.assertIn("--replace needs --yes", self.fails(2, "import", "--replace", self.path))
        self.ok("import", "--replace", "--yes", self.path)
        self.assertEqual(self.ok("list", "--names").splitlines(), ["as", "wine"])

    def write(self, text):
        with open(self.path, "w", encoding="utf-8") as file:
            file.write(text)

    def test_standard_input(self):
        done = subprocess.run([CTL, "import", "-"], input=self.ok("export").encode(),
                              env=self.bus.environment(), capture_output=True, check=True)
        self.assertEqual(done.stdout, b"Imported 10 profiles.\n")

    def test_every_wrong_value_is_named_and_changes_nothing(self):
        export = json.loads(self.ok("export"))
        before = self.json("list")
        wrong = {
            "name": [None, 5], "tier": ["fast", 1], "confidence": [-0.1, 1.5, "1"],
            "confident": [0, "true"], "observations": [-1, 2**32, 1.5, "3", True],
            "votes": [[1, 2, 3], {"batch": 1}], "avg_runtime_ns": [-1, 1e30, 0.5, None],
            "last_seen_us": [-5, 2.0**63], "origin": ["", "dead"], "program": [5, None],
            "unit": [[]], "kind": ["", "fiber"], "runs": [-1, "2"], "cpu_ns": [2.0**65], "uid": [2**32],
        }
        for key, values in wrong.items():
            for value in values:
                with self.subTest(key=key, value=value):
                    row = dict(export["profiles"][3], **{key: value})
                    self.write(json.dumps(dict(export, profiles=[export["profiles"][0], row])))
                    self.assertIn("profile 2: \"", self.fails(1, "import", self.path))
            row = dict(export["profiles"][3])
            if key in ("tier", "confidence", "confident", "origin", "program", "unit", "kind", "runs", "cpu_ns", "uid"):
                continue
            del row[key]
            self.write(json.dumps(dict(export, profiles=[row])))
            self.assertIn('profile 1: "%s"' % key, self.fails(1, "import", self.path))
        overrides = ({}, [5], [{"tier": "batch"}], [{"program": "a", "unit": "b", "tier": "batch"}],
                     [{"program": "a"}], [{"program": "a", "tier": "fast"}], [{"unit": 3, "tier": "batch"}])
        for value in overrides:
            with self.subTest(overrides=value):
                self.write(json.dumps(dict(export, overrides=value)))
                self.assertIn("override", self.fails(1, "import", self.path))
        self.assertEqual(self.json("list"), before)

    def import_rows(self, **changes):
        """The result of importing one profile with these columns, None for left out."""
        export = json.loads(self.ok("export"))
        row = next(row for row in export["profiles"] if row["name"] == "cc1")
        row = {key: value for key, value in {**row, **changes}.items() if value is not None}
        self.write(json.dumps(dict(export, profiles=[row])))
        return self.ctl("import", self.path)

    def test_what_can_be_worked_out_may_be_left_out(self):
        done = self.import_rows(tier=None, confidence=None, confident=None, origin=None)
        self.assertEqual((done.returncode, done.stderr), (0, b""))
        self.assertEqual(self.json("show", "cc1")["tier"], "batch")

    def test_a_tier_edited_by_hand_is_an_override_or_refused(self):
        done = self.import_rows(tier="interactive")
        self.assertEqual(done.returncode, 1)
        self.assertIn(b'"tier" says interactive, and the votes say batch: write "origin": '
                      b'"override" to decide it', done.stderr)
        self.assertEqual(self.import_rows(tier="interactive", origin="override").returncode, 0)
        self.assertEqual(self.json("override", "list")[0]["tier"], "interactive")

    def test_what_older_exports_do_not_have_may_be_left_out(self):
        rest = ("first_seen_us", "right", "wrong", "withdrawals", "taught_by", "owner")
        self.assertEqual(self.import_rows(**dict.fromkeys(rest)).returncode, 0)
        row = self.exported_row("cc1")
        self.assertEqual([row[key] for key in rest], [0, 0, 0, 0, "unknown", 0])
        values = (7, 2**64 - 1, 3, 4, "root and users", 1000)
        self.assertEqual(self.import_rows(**dict(zip(rest, values))).returncode, 0)
        row = self.exported_row("cc1")
        self.assertEqual(tuple(row[key] for key in rest), values)
        for key, value in (("first_seen_us", -1), ("right", 1.5), ("wrong", "1"), ("owner", 2**32),
                           ("withdrawals", None), ("taught_by", "me"), ("taught_by", 1)):
            with self.subTest(key=key):
                self.write(json.dumps({"format": "pandemonium-profiles", "version": 1,
                                       "profiles": [dict(row, **{key: value})]}))
                self.assertIn('"%s" must be' % key, self.fails(1, "import", self.path))

    def exported_row(self, name):
        rows = json.loads(self.ok("export"))["profiles"]
        return next(row for row in rows if row["name"] == name)

    def test_numbers_are_read_as_they_are_written(self):
        text = self.ok("export")
        number = '"avg_runtime_ns" : 72000000'
        self.assertIn(number, text)
        for written, value in (("72000000.0", 72000000), ("7.2e7", 72000000), ("720e5", 72000000),
                               ("18446744073709551615", 2**64 - 1),
                               ("18446744073709552000", 2**64 - 1), ("1e19", 10**19),
                               ("0.0", 0), ("-0", 0)):
            self.write(text.replace(number, '"avg_runtime_ns":' + written))
            self.ok("import", self.path)
            self.assertEqual(self.json("show", "cc1")["avg_runtime_ns"], value, written)
        for written in ("-18446744073709551615", "0x10", "18446744073709552001", "1e20", "1.5",
                        "1e-1", "01", "+1", "1.", ".5", "NaN", "Infinity", "1_000", "'1'",
                        "18446744073709551616e-1", "9" * 5000, "1e999999999999999999999"):
            self.write(text.replace(number, '"avg_runtime_ns":' + written))
            self.fails(1, "import", self.path)

    def test_one_document_and_strict_json(self):
        text = self.ok("export")
        for wrong, told in ((text + text, "text follows the end"), (text + "x", "text follows the end"),
                            (text + "]", "text follows the end"), ("// mine\n" + text, "an object"),
                            (text.replace('"cc1"', '"cc1\\u0000x"'), "a NUL"),
                            (text.replace('"cc1"', '"cc1\\ud800"'), "a character"),
                            (text.replace('"cc1"', "'cc1'"), "a value is expected"),
                            (text[:text.index(',\n  "overrides"')], "is missing")):
            self.write(wrong)
            self.assertIn(told, self.fails(1, "import", self.path))
        self.write("\ufeff" + text.replace('"cc1"', '"c\\u0063\\u0031"'))
        self.ok("import", self.path)

    @unittest.skipUnless(shutil.which("jq"), "jq is not installed")
    def test_a_round_trip_through_jq(self):
        before = [row for row in self.json("list") if row["name"] != RAW]
        text = self.ok("export")
        for program in (".", ".profiles |= sort_by(.observations)", "to_entries | reverse | from_entries"):
            done = subprocess.run(["jq", program], input=text, capture_output=True, text=True,
                                  check=True)
            self.write(done.stdout)
            self.ok("reset", "--yes")
            self.assertEqual(self.json("import", self.path), {"imported": len(PROFILES)})
            self.assertEqual([row for row in self.json("list") if row["name"] != RAW], before)

    def test_json_of_any_double_is_json(self):
        for value in ("1e-10", "1e-08", "0.5", "1e+22", "1e22"):
            with self.subTest(value=value):
                ClientTest.setUp(self)
                self.start_fake("--set=MinConfidence=" + value)
                self.assertEqual(self.json("status")["min_confidence"], float(value))

    def test_what_is_no_export_is_refused(self):
        for text in ("", "[]", "{}", "nonsense", '{"format": "pandemonium-profiles"}',
                     '{"format": "pandemonium-profiles", "version": 2, "profiles": []}',
                     '{"format": "pandemonium-profiles", "version": 1, "profiles": {}}',
                     '{"format": "pandemonium-profiles", "version": 1, "profiles": [1]}',
                     "[" * 1000000):
            self.write(text)
            self.assertIn("Cannot import", self.fails(1, "import", self.path))
        self.write('{\n  "format": ]')
        self.assertIn("line 2, column 13", self.fails(1, "import", self.path))
        self.assertIn("No such file", self.fails(1, "import", self.path + "x"))

    def exported(self, name, *profiles):
        """A file with these profiles: name, votes, average and when last seen."""
        rows = [{"name": name, "observations": sum(votes), "votes": dict(zip(TIERS, votes)),
                 "avg_runtime_ns": average, "runtime_dev_ns": 0, "wakeup_freq": 0, "csw_rate": 0,
                 "last_seen_us": seen, **more} for name, votes, average, seen, more in profiles]
        path = os.path.join(os.path.dirname(self.path), name)
        with open(path, "w", encoding="utf-8") as file:
            json.dump({"format": "pandemonium-profiles", "version": 1, "profiles": rows}, file)
        return path

    def test_exports_of_several_machines_add_up_in_any_order(self):
        a = self.exported("a", ("x", (2, 1, 0), 100, 5, {}), ("y", (1, 0, 0), 7, 1, {}))
        b = self.exported("b", ("x", (0, 6, 0), 200, 3, {}))
        c = self.exported("c", ("x", (1, 0, 0), 1000, 9, {}), ("z", (0, 0, 4), 5, 2, {}))
        results = []
        for order in ((a, b, c), (c, a, b), (b, c, a)):
            self.assertEqual(self.json("import", "--merge", "--replace", "--yes", *order), {"imported": 3})
            results.append([self.json("show", name) for name in "xyz"])
        self.assertEqual(results[0], results[1])
        self.assertEqual(results[0], results[2])
        x = results[0][0]
        self.assertEqual((x["votes"], x["observations"], x["avg_runtime_ns"], x["last_seen_us"]),
                         ({"batch": 3, "interactive": 7, "lat-critical": 0}, 10, 250, 9))
        # And what is known of the same names.
        self.json("import", "--merge", b)
        self.assertEqual(self.json("show", "x")["votes"]["interactive"], 13)
        self.assertEqual(self.json("show", "z"), results[0][2])

    def test_a_file_that_is_given_twice_does_not_count_twice(self):
        a = self.exported("a", ("x", (2, 1, 0), 100, 5, {}))
        same = self.exported("same", ("x", (2, 1, 0), 100, 5, {}))
        for other in (a, same):
            self.assertIn("would count twice", self.fails(1, "import", "--merge", a, other))
        self.assertNotIn("x", self.ok("list", "--names").splitlines())

    def test_a_merge_says_how_many_are_confident_that_were_not(self):
        self.write(json.dumps({"format": "pandemonium-profiles", "version": 1, "profiles": [
            self.exported_row("new"), self.exported_row("cc1")]}))
        self.assertEqual(self.ok("import", "--merge", self.path),
                         "Imported 2 profiles.\n1 profile is confident that was not.\n")

    def test_overrides_that_differ_are_no_sum(self):
        override = {"origin": "override", "tier": "batch"}
        a = self.exported("a", ("x", (2, 1, 0), 1, 5, override))
        b = self.exported("b", ("x", (2, 1, 0), 1, 5, dict(override, tier="interactive")))
        c = self.exported("c", ("x", (2, 1, 0), 1, 5, {}))
        self.assertIn('"x" has an override to interactive here and to batch elsewhere',
                      self.fails(1, "import", "--merge", a, b))
        self.ok("import", "--merge", a, c)
        self.assertEqual(self.json("show", "x")["tier"], "batch")
        self.assertIn("'x' has an override to interactive, and here is one to batch",
                      self.fails(1, "import", "--merge", b))
        self.assertIn("--merge", self.fails(2, "import", a, b))

    def test_overrides_may_be_left_out(self):
        a = self.exported("a", ("x", (2, 1, 0), 1, 5, {"origin": "override", "tier": "interactive"}),
                          ("y", (0, 0, 0), 0, 0, {"origin": "override", "tier": "batch"}))
        b = self.exported("b", ("x", (2, 1, 0), 1, 5, {"origin": "override", "tier": "lat-critical"}))
        self.assertEqual(self.json("import", "--merge", "--no-overrides", a, b), {"imported": 1})
        self.assertEqual(self.json("show", "x")["tier"], "batch")
        self.assertEqual([row["name"] for row in self.json("override", "list")], ["wine"])
        self.ok("import", "--no-overrides", b)
        self.assertEqual(self.json("show", "x")["tier"], "batch")

    def test_sums_have_first_times_scores_and_teachers(self):
        a = self.exported("a", ("x", (2, 1, 0), 100, 5, {
            "first_seen_us": 3, "right": 4, "taught_by": "users", "owner": 1000}))
        b = self.exported("b", ("x", (2, 1, 0), 100, 9, {
            "first_seen_us": 2, "right": 5, "wrong": 1, "taught_by": "root"}))
        for order in ((a, b), (b, a)):
            self.ok("import", "--merge", "--replace", "--yes", *order)
            row = self.exported_row("x")
            self.assertEqual([row[key] for key in ("first_seen_us", "last_seen_us", "right", "wrong",
                                                   "taught_by", "owner")],
                             [2, 9, 9, 1, "root and users", 0])


class ToOlder(ClientTest):
    def test_a_service_without_programs_takes_the_profiles(self):
        self.start_fake("--fail", "ImportPrograms=org.freedesktop.DBus.Error.UnknownMethod:No such method")
        with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
            file.write(self.ok("export"))
            file.flush()
            self.assertEqual(self.json("import", file.name), {"imported": len(PROFILES)})


if __name__ == "__main__":
    unittest.main(verbosity=2)
