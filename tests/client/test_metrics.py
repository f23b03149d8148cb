#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
# Copyright (C) 2026 The ProcDb developers
"""pandemoniumctl metrics, and the dashboard that shows them."""

import json
import os
import re
import shutil
import stat
import subprocess
import unittest

from support import CTL, SOURCE, WAIT_S, ClientTest, stop

DASHBOARD = os.path.join(SOURCE, "data", "grafana-dashboard.json")
# The names that PromQL has for itself.
FUNCTIONS = {"sum", "by", "le", "rate", "count", "topk", "histogram_quantile"}


def parse(text):
    """(name, labels) -> value, with labels as a text that is sorted."""
    found, typed = {}, set()
    for line in text.splitlines():
        if line.startswith("# TYPE "):
            name = line.split()[2]
            assert name not in typed, "%s comes twice" % name
            typed.add(name)
        if line.startswith("#"):
            continue
        match = re.fullmatch(r'([a-z_]+)(?:\{((?:[a-z]+="(?:[^"\\\n]|\\["\\n])*",?)*)\})? ([-+.e0-9]+)', line)
        assert match, "no sample: %s" % line
        key = match[1], match[2] or ""
        assert key not in found, "%s comes twice" % line
        found[key] = float(match[3])
    return found


class Metrics(ClientTest):
    def test_counters_and_states_are_those_of_the_service(self):
        self.start_fake("--set=GuardState='paused'", "--set=ObservationsLost=18446744073709551615")
        text = self.ok("metrics")
        found = parse(text)
        self.assertEqual(found["pandemonium_up", ""], 1)
        self.assertEqual(found["pandemonium_observations_total", ""], 12345)
        self.assertIn("pandemonium_observations_lost_total 18446744073709551615\n", text)
        self.assertEqual(found["pandemonium_predictions_judged_total", 'result="right"'], 97)
        states = {labels: value for (name, labels), value in found.items() if name == "pandemonium_guard_state"}
        self.assertEqual(states, {'state="paused"': 1, 'state="off"': 0, 'state="watching"': 0,
                                  'state="looking"': 0})

    def test_waits_are_a_histogram(self):
        self.start_fake()
        found = parse(self.ok("metrics", "--top=0"))
        labels = 'tier="lat-critical",slice="yes"'
        ends = [(float(re.search('le="([0-9.]+)"', other)[1]), value)
                for (name, other), value in found.items()
                if name == "pandemonium_wait_seconds_bucket" and other.startswith(labels) and "Inf" not in other]
        self.assertEqual(ends, sorted(ends))
        self.assertEqual([value for _, value in ends], sorted(value for _, value in ends))
        self.assertEqual(len(ends), 17)
        self.assertEqual(dict(ends)[0.000262144], 5000)
        self.assertEqual(dict(ends)[0.000524288], 9000)
        self.assertEqual(found["pandemonium_wait_seconds_bucket", labels + ',le="+Inf"'], 9000)
        self.assertEqual(found["pandemonium_wait_seconds_count", labels], 9000)
        self.assertAlmostEqual(found["pandemonium_wait_seconds_sum", labels], 5000 * 245.76e-6 + 4000 * 294.912e-6, 3)

    def test_programs_are_bounded_and_escaped(self):
        self.start_fake("--many=100")
        found = parse(self.ok("metrics"))
        self.assertEqual(sum(name == "pandemonium_program_confidence" for name, _ in found), 20)
        self.ok("override", "set", r'q"\\c', "batch")
        found = parse(self.ok("metrics", "--top=500"))
        self.assertEqual(found["pandemonium_program_confidence", r'name="q\"\\\\c"'], 0)
        self.assertEqual(sum(name == "pandemonium_program_confidence" for name, _ in found), 110)
        self.assertFalse([name for name, _ in parse(self.ok("metrics", "--top=0")) if "program_c" in name])
        for wrong in ("-1", "501", "many"):
            self.fails(2, "metrics", "--top", wrong)

    def test_kernel_threads_are_no_programs(self):
        self.start_fake()
        self.assertIn("a b'", self.ok("list", "--names"))
        found = parse(self.ok("metrics", "--top=500"))
        self.assertEqual(sum(name == "pandemonium_program_confidence" for name, _ in found), 9)
        self.assertFalse([labels for _, labels in found if "a b'" in labels])

    def test_openmetrics_names_families_without_their_endings(self):
        self.start_fake()
        text = self.ok("metrics", "--openmetrics")
        self.assertIn("# TYPE pandemonium_observations counter\npandemonium_observations_total 12345\n", text)
        self.assertIn("# TYPE pandemonium_service info\npandemonium_service_info{", text)
        self.assertTrue(text.endswith("\n# EOF\n"))
        parse(text)

    def test_a_file_is_replaced_at_once_for_all_to_read(self):
        self.start_fake()
        path = os.path.join(self.bus.directory.name, "m.prom")
        with open(path, "w", encoding="ascii") as file:
            file.write("old\n")
        with open(path, encoding="ascii") as before:
            self.assertEqual(self.ok("metrics", "--output", path), "")
            self.assertEqual(before.read(), "old\n")
        with open(path, encoding="utf-8") as file:
            self.assertEqual(parse(file.read())["pandemonium_up", ""], 1)
        self.assertEqual(stat.S_IMODE(os.stat(path).st_mode), 0o644)
        self.assertEqual(os.listdir(os.path.dirname(path)).count("m.prom"), 1)
        self.assertIn("Cannot write the metrics", self.fails(1, "metrics", "--output", "/nonexistent/m.prom"))

    def test_what_is_no_file_is_written_to(self):
        self.start_fake()
        link = os.path.join(self.bus.directory.name, "stdout")
        # A link of our own: /dev/stdout, which leads there as well, is the machine's.
        os.symlink("/proc/self/fd/1", link)
        for path in (link, "-"):
            self.assertEqual(parse(self.ok("metrics", "--output", path))["pandemonium_up", ""], 1)
        self.assertTrue(os.path.islink(link))
        self.assertFalse(os.path.exists("-"))

    def test_a_service_that_does_not_run_is_a_metric_and_is_not_started(self):
        started = self.bus.note_starts()
        self.assertEqual(parse(self.ok("metrics")), {("pandemonium_up", ""): 0})
        self.assertFalse(os.path.exists(started))

    def test_what_the_service_refuses_is_a_failure(self):
        self.start_fake("--fail=QueryProfiles=org.freedesktop.DBus.Error.AccessDenied:no")
        self.fails(4, "metrics")

    def check_up_is_0(self, path):
        with open(path, encoding="ascii") as file:
            self.assertEqual(parse(file.read()), {("pandemonium_up", ""): 0})
        with open(path, "w", encoding="ascii") as file:
            file.write("pandemonium_up 1\n")

    def test_a_file_does_not_go_on_saying_that_the_service_answers(self):
        path = os.path.join(self.bus.directory.name, "m.prom")
        fake = self.start_fake("--fail=QueryProfiles=org.freedesktop.DBus.Error.AccessDenied:no")
        self.fails(4, "metrics", "--output", path)
        self.check_up_is_0(path)
        stop(fake)
        fake = self.start_fake("--hang=GetDelays")
        with subprocess.Popen([CTL, "metrics", "--output", path], env=self.bus.environment(),
                              stderr=subprocess.DEVNULL) as process:
            self.assertEqual(fake.stdout.readline(), "GetDelays may not ask\n")
            stop(fake)
            self.assertEqual(process.wait(WAIT_S), 5)
        self.check_up_is_0(path)
        done = self.ctl("metrics", "--output", path, DBUS_SYSTEM_BUS_ADDRESS="unix:path=/nonexistent")
        self.assertEqual(done.returncode, 5)
        self.check_up_is_0(path)
        self.assertEqual(self.ok("metrics", "--output", path), "")
        self.check_up_is_0(path)

    @unittest.skipUnless(shutil.which("promtool"), "promtool is not installed")
    def test_promtool_finds_nothing(self):
        self.start_fake("--many=30")
        done = subprocess.run(["promtool", "check", "metrics"], input=self.ok("metrics"), capture_output=True,
                              text=True, check=False)
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "", ""))

    def test_the_dashboard_shows_metrics_that_there_are(self):
        self.start_fake()
        there = {name for name, _ in parse(self.ok("metrics"))}
        with open(DASHBOARD, encoding="utf-8") as file:
            dashboard = json.load(file)
        queries = [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]
        queries += [entry["expr"] for entry in dashboard["annotations"]["list"]]
        self.assertGreater(len(queries), 10)
        for query in queries:
            bare = re.sub(r"\{[^}]*\}|\[[^]]*\]|by \([^)]*\)", "", query)
            names = set(re.findall(r"[a-z_]+", bare)) - FUNCTIONS
            self.assertTrue(names)
            self.assertLessEqual(names, there, query)


if __name__ == "__main__":
    unittest.main(verbosity=2)
