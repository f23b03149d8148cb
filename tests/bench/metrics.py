# SPDX-License-Identifier: GPL-2.0-only
# Copyright (C) 2026 The ProcDb developers
"""Inside of the lab, with the directory of the programs: what `metrics` says, by node_exporter and Prometheus, as the dashboard asks for it."""

import json
import os
import subprocess
import sys
import time
import urllib.parse
import urllib.request

HERE = os.path.dirname(os.path.abspath(__file__))
SOURCE = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.join(SOURCE, "tests", "integration"))

from harness import Service, ctl, wait_for  # pylint: disable=wrong-import-position

EXPORTER, PROMETHEUS = "127.0.0.1:19100", "127.0.0.1:19090"
CONFIGURATION = """
global: {scrape_interval: 1s}
scrape_configs:
  - job_name: node
    static_configs: [{targets: ['%s']}]
"""
# What may have no answer: nothing was judged, or nothing paused, in these seconds.
MAY_BE_EMPTY = ("predictions_judged", "== 1")


def ask(query):
    """The samples that a query answers with."""
    url = "http://%s/api/v1/query?query=%s" % (PROMETHEUS, urllib.parse.quote(query))
    with urllib.request.urlopen(url, timeout=10) as answer:
        reply = json.load(answer)
    assert reply["status"] == "success", reply
    return reply["data"]["result"]


def queries():
    with open(os.path.join(SOURCE, "data", "grafana-dashboard.json"), encoding="utf-8") as file:
        dashboard = json.load(file)
    found = [(panel["title"], target["expr"]) for panel in dashboard["panels"] for target in panel["targets"]]
    found += [(entry["name"], entry["expr"]) for entry in dashboard["annotations"]["list"]]
    # What Grafana puts in for "All"; rates over what there is after some seconds.
    return [(title, query.replace("$job", ".*").replace("$instance", ".*").replace("[5m]", "[20s]")
             .replace("[1h]", "[20s]")) for title, query in found]


def write(path):
    ctl("metrics", "--output", path)
    return True


def answers(query):
    try:
        return ask(query)
    except OSError:
        return []


def run(directory):
    path = os.path.join(directory, "pandemonium.prom")
    with open(os.path.join(directory, "prometheus.yml"), "w", encoding="ascii") as file:
        file.write(CONFIGURATION % EXPORTER)
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(["prometheus-node-exporter", "--collector.disable-defaults", "--collector.textfile",
                           "--collector.textfile.directory=" + directory, "--web.listen-address=" + EXPORTER],
                          **quiet) as exporter, \
         subprocess.Popen(["prometheus", "--config.file=%s/prometheus.yml" % directory,
                           "--storage.tsdb.path=%s/data" % directory, "--web.listen-address=" + PROMETHEUS],
                          **quiet) as prometheus:
        try:
            write(path)
            wait_for(lambda: answers("pandemonium_up == 1"), 20, "Prometheus has the metrics")
            # A rate needs several scrapes, and programs that start.
            for _ in range(8):
                subprocess.run(["true"], check=True)
                write(path)
                time.sleep(1)
            assert not ask("node_textfile_scrape_error == 1"), "node_exporter could not read the file"
            missing = []
            for title, query in queries():
                result = ask(query)
                print("%-50s %3d  %s" % (title, len(result), query))
                if not result and not any(word in query for word in MAY_BE_EMPTY):
                    missing.append(query)
            assert not missing, missing
        finally:
            exporter.kill()
            prometheus.kill()


def main():
    os.environ["PATH"] = sys.argv[1] + ":" + os.environ["PATH"]
    directory = os.path.join(os.environ["LAB_DIR"], "textfile")
    os.makedirs(directory)
    with Service(backend="observer"):
        checked = subprocess.run(["promtool", "check", "metrics"], input=ctl("metrics"), capture_output=True,
                                 text=True, check=False)
        assert (checked.returncode, checked.stdout + checked.stderr) == (0, ""), checked
        print("promtool check metrics: nothing found, %d lines" % ctl("metrics").count("\n"))
        run(directory)


if __name__ == "__main__":
    main()
