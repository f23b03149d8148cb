# SPDX-License-Identifier: GPL-2.0-only
# Copyright (C) 2026 The ProcDb developers
"""Broken configurations: what the check, status, doctor and the journal say, and what is in force."""

import json
import os
import re
import shutil
import signal
import subprocess

from harness import Service, ctl, run_case, wait_for

ETC = "/etc/pandemonium"
DROP_IN = ETC + "/procdb.conf.d/10-test.conf"
# What it does without any configuration, and what it does when [Apply] cannot be understood.
DEFAULT, OBSERVE_ONLY = "auto", "none"

# Title, bytes of the drop-in or what makes it, what the problem says, the mode in force.
IN_APPLY = [
    ("a comment behind the value", b"[Apply]\nMode=none # only observe\n", "line of its own"),
    ("a comment of semicolons behind it", b"[Apply]\nMode=none;observe\n", "line of its own"),
    ("quotation marks", b'[Apply]\nMode="none"\n', "without quotation marks"),
    ("single quotation marks", b"[Apply]\nMode='none'\n", "without quotation marks"),
    ("a capital letter", b"[Apply]\nMode=None\n", "one of auto, slices, none"),
    ("off for none", b"[Apply]\nMode=off\n", "one of auto, slices, none"),
    ("no value", b"[Apply]\nMode=\n", "one of auto, slices, none"),
    ("no equals sign", b"[Apply]\nMode none\n", 'test.conf:2: "Mode none" is neither'),
    ("a colon", b"[Apply]\nMode: none\n", "neither Key=value nor a comment"),
    ("two equals signs", b"[Apply]\nMode==none\n", "one of auto, slices, none"),
    ("a section in lower case", b"[apply]\nMode=none\n", r"there is \[Apply\] Mode="),
    ("all in lower case", b"[apply]\nmode=none\n", r"there is \[Apply\] Mode="),
    ("a key in lower case", b"[Apply]\nmode=none\n", r"there is \[Apply\] Mode="),
    ("a misspelt section", b"[Aply]\nMode=none\n", r"there is \[Apply\] Mode="),
    ("a misspelt key", b"[Apply]\nModus=none\n", r"\[Apply\] Modus is not a known setting"),
    ("a section without its end", b"[Apply\nMode=none\n", "does not end with"),
    ("no section", b"Mode=none\n", "before the first section"),
    ("a YAML file", b"apply:\n  mode: none\n", "neither Key=value nor a comment"),
    ("a JSON file", b'{"Apply": {"Mode": "none"}}\n', "neither Key=value nor a comment"),
    ("UTF-16", "[Apply]\nMode=none\n".encode("utf-16"), "NUL byte"),
    ("NUL bytes after a crash", b"\0" * 4096, "NUL byte in line 1"),
    ("an end of NUL bytes", b"[Apply]\nMode=none\n\0\0\0", "NUL byte in line 3"),
    ("a unit behind a number", b"[Apply]\nBatchSliceUSec=20ms\n", "0, or a whole number from 100 to 99000"),
    ("a number that is too large", b"[Apply]\nBatchSliceUSec=100000\n", "whole number from 100"),
    ("a negative number", b"[Apply]\nBatchNice=-5\n", "whole number from 0"),
    ("no break space", b"[Apply]\nMode=\xc2\xa0none\n", "one of auto, slices, none"),
    ("bytes of another encoding", b"[Apply]\nMode=n\xf6ne\n", r"n\\+xf6ne|n\\+366ne"),
    ("a directory in its place", lambda: os.makedirs(DROP_IN), "not a regular file"),
    ("a FIFO in its place", lambda: os.mkfifo(DROP_IN), "not a regular file"),
    ("a link to itself", lambda: os.symlink(DROP_IN, DROP_IN), "symbolic links"),
]
ELSEWHERE = [
    ("a decimal comma", b"[Learning]\nMinConfidence=0,5\n", "a number from 0 to 1"),
    ("percent", b"[Learning]\nMinConfidence=50%\n", "a number from 0 to 1"),
    ("a time with a unit", b"[Database]\nSaveIntervalSec=5min\n", "300 stays in force"),
    ("days with a unit", b"[Database]\nRetentionDays=30d\n", "30 stays in force"),
    ("a misspelt key elsewhere", b"[Learning]\nMinObservation=4\n", "MinObservation is not a known setting"),
    ("a section in capitals", b"[DATABASE]\nMaxRetained=9\n", r"there is \[Database\] MaxRetained="),
    ("a path that is none", b"[Database]\nPath=procdb.bin\n", "an absolute path"),
    ("garbage in a section", b"[Learning]\n<<<<<<< HEAD\n", "neither Key=value nor a comment"),
    ("a tier that is none", b"[Learning]\nMaxUserTier=best\n", "one of batch, interactive"),
    ("a foreign section", b"[Unit]\nDescription=x\n", r"\[Unit\] Description is not a known setting"),
]
UNDERSTOOD = [
    ("CRLF", b"[Apply]\r\nMode=none\r\n"),
    ("a byte order mark", b"\xef\xbb\xbf[Apply]\nMode=none\n"),
    ("comments of both kinds", b"; keep off\n# my tasks\n[Apply]\nMode=none\n"),
    ("a mark of another program", b"[X-Ansible]\nmanaged=yes\n[Apply]\nMode=none\n"),
]


def write(content):
    shutil.rmtree(ETC + "/procdb.conf.d", ignore_errors=True)
    os.makedirs(ETC + "/procdb.conf.d")
    if callable(content):
        content()
        return
    with open(DROP_IN, "wb") as file:
        file.write(content)


def check():
    """Status and output of --check-config."""
    done = subprocess.run([os.environ["LAB_SERVICE"], "--check-config"], capture_output=True,
                          text=True, timeout=120, check=False)
    return done.returncode, done.stdout


def findings():
    """What doctor finds of the configuration: (result, finding)."""
    done = subprocess.run(["pandemoniumctl", "doctor", "--json"], stdout=subprocess.PIPE,
                          timeout=60, check=False)
    return [(row["result"], row["finding"]) for row in json.loads(done.stdout)
            if row["check"] == "config"]


def try_broken(title, content, mention, mode):
    write(content)
    status, output = check()
    assert status == 1 and f"in force [Apply] Mode={mode}" in output, (title, output)
    assert "10-test.conf" in output and (not mention or re.search(mention, output)), (title, output)
    with Service() as service:
        problems = service.get("ConfigurationProblems")
        assert problems and all(f"problem  {text}\n" in output for text in problems), (title, problems)
        assert service.get("Apply") == mode, title
        assert findings() == [("problem", text) for text in problems], (title, findings())
        assert f"Problem: {problems[0]}" in ctl("status"), title
        assert all(text in service.logged() for text in problems), title
        # For as long as it lasts.
        write(b"[Apply]\nMode=none\n")
        service.process.send_signal(signal.SIGHUP)
        wait_for(lambda: not service.get("ConfigurationProblems"), 5, "the problem is over")
        assert service.get("Apply") == "none" and findings()[0][0] == "ok", title
    print(f"{title}: Mode={mode}; {problems[0]}")


def what_was_meant_for_apply_applies_nothing():
    for title, content, mention in IN_APPLY:
        try_broken(title, content, mention, OBSERVE_ONLY)


def what_is_wrong_elsewhere_is_left_out():
    assert len(IN_APPLY) + len(ELSEWHERE) >= 40
    for title, content, mention in ELSEWHERE:
        try_broken(title, content, mention, DEFAULT)


def what_systemd_understands_is_understood():
    for title, content in UNDERSTOOD:
        write(content)
        status, output = check()
        assert status == 0 and "in force [Apply] Mode=none" in output, (title, output)
        with Service() as service:
            assert service.get("Apply") == "none" and findings()[0][0] == "ok", title


def what_is_masked_or_leads_nowhere_stops_no_reload():
    with Service() as service:
        for target in ("/dev/null", "/nonexistent"):
            write(lambda: os.symlink(target, DROP_IN))
            assert check()[0] == 0
            ctl("reload")
            assert service.get("ConfigurationProblems") == []
            os.symlink(target, ETC + "/procdb.conf")
            assert check()[0] == 0
            ctl("reload")
            os.unlink(ETC + "/procdb.conf")


def a_reload_that_is_refused_is_told_for_as_long_as_it_lasts():
    with Service() as service:
        write(b"[Learning]\nMinConfidence=x\n[Apply]\nMode=x\n")
        ctl("reload", status=1)
        problems = service.get("ConfigurationProblems")
        assert len(problems) == 2 and "auto stays in force" in problems[1], problems
        assert service.get("Apply") == "auto"
        assert [result for result, _ in findings()] == ["problem"] * 2
        shutil.rmtree(ETC + "/procdb.conf.d")
        ctl("reload")
        assert service.get("ConfigurationProblems") == []


def sources():
    """Name -> tier and source, as override list has them."""
    return {row["name"]: (row["tier"], row["override_source"])
            for row in json.loads(ctl("override", "list", "--json"))}


def declared_overrides_count_and_show_their_source():
    run = "/run/pandemonium/procdb.conf.d"
    os.makedirs(run)
    with open(run + "/90-run.conf", "w", encoding="utf-8") as file:
        file.write("[Overrides]\nffmpeg=interactive\nx264=batch\n")
    write(b"[Overrides]\nffmpeg=batch\n")
    with Service() as service:
        assert sources() == {"ffmpeg": ("batch", DROP_IN), "x264": ("batch", run + "/90-run.conf")}
        ctl("override", "set", "ffmpeg", "lat-critical")
        assert sources()["ffmpeg"] == ("lat-critical", "administrator")
        told = ctl("override", "clear", "ffmpeg")
        assert told == '"ffmpeg" has no override of an administrator now; that of %s counts.\n' % DROP_IN, told
        assert "start as batch because %s says so." % DROP_IN in ctl("explain", "ffmpeg")
        assert sources()["ffmpeg"] == ("batch", DROP_IN)
        ctl("override", "clear", "ffmpeg", status=1)
        shutil.rmtree(ETC + "/procdb.conf.d")
        ctl("reload")
        assert sources()["ffmpeg"] == ("interactive", run + "/90-run.conf")
        shutil.rmtree(run)
        ctl("reload")
        assert not sources() and service.get("Overrides") == 0


if __name__ == "__main__":
    run_case(globals())
