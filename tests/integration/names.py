# SPDX-License-Identifier: GPL-2.0-only
# Copyright (C) 2026 The ProcDb developers
"""A task name is 16 arbitrary bytes: each must work everywhere."""

import os
import subprocess

from harness import (INIT, Service, create_pins, ctl, entries, error_name, escape, run_case, teach)
import pddb

NAMES = (b"sshd\xff\xfe\n%n", b"", b"0123456789abcdef", b"with some spaces", b" lead trail ",
         b"it's \"quoted\"", b"back\\slash\\x41", b"../../etc/passw", b"na\xc3\xafve \xe2\x98\x83",
         b"cut\xe2\x98", b"\x1b[31mred\x1b[0m", b"inner\0zero", b"\xe2\x80\xae override",
         b"$(reboot)`x`", b"-rf", b"%s%n%x", b"\xed\xa0\x80surrogate", b"\xf4\x90\x80\x80 high",
         b"\xc0\xaf overlong", b"\x7f\x01\x02\x03", b"\xff" * 16)


def any_name_works_end_to_end():
    create_pins()
    with Service(backend="pinned") as service:
        teach(service, *NAMES)
        profiles = service.profiles()
        assert set(profiles) == {escape(name) for name in NAMES}
        predictions = entries(INIT)
        for name in NAMES:
            text = escape(name)
            assert text.isprintable(), text
            assert profiles[text]["confident"], name
            assert service.call("GetConfidence", "(s)", text) == profiles[text]["confidence"]
            assert service.call("GetProfile", "(s)", text)["name"] == text
            assert name.ljust(16, b"\0") in predictions, name
        assert service.call("Save") == len(NAMES)
        service.kill()
    with Service(backend="pinned") as service:
        assert set(service.profiles()) == {escape(name) for name in NAMES}
        service.call("DeleteProfile", "(s)", escape(NAMES[0]))
        assert service.call("DeleteProfiles", "(as)", [escape(name) for name in NAMES[1:]]) == \
            len(NAMES) - 1
        assert service.profiles() == {} and entries(INIT) == {}


def the_client_shows_any_name():
    pddb.write("/var/lib/pandemonium/procdb.bin", [pddb.confident(name) for name in NAMES])
    with Service() as service:
        listed = ctl("list")
        assert all(char.isprintable() or char == "\n" for char in listed), listed
        for name in NAMES:
            text = escape(name)
            assert text in listed, text
            assert text in ctl("show", "--", text), text
            printed = float(ctl("confidence", "--", text))
            assert abs(printed - service.call("GetConfidence", "(s)", text)) < 0.0051
        ctl("delete", "--yes", "--", *(escape(name) for name in NAMES))
        assert service.profiles() == {}


def a_name_that_does_not_decode_is_refused():
    with Service() as service:
        for text in ("\\", "\\q", "\\x", "\\x4", "\\xZZ", "\\x4G", "tail\\", "a" * 17,
                     "\\xff" * 17, "\u2603" * 6, "line\nbreak"):
            for method in ("GetConfidence", "GetProfile", "DeleteProfile"):
                assert service.refused(method, "(s)", text) == error_name("InvalidName"), text
        for text in ("nobody", "", "a" * 16, "\\xff", "\\\\"):
            assert service.refused("GetConfidence", "(s)", text) == error_name("NoSuchProfile")


def a_process_that_proc_hides_is_no_unknown_name():
    with Service():
        for hide in ("hidepid=1", "hidepid=2"):
            subprocess.run(["mount", "-t", "proc", "-o", hide, "proc", "/proc"], check=True)
            told = subprocess.run(["pandemoniumctl", "explain", str(os.getpid())], check=False,
                                  stderr=subprocess.PIPE, cwd="/", user="alice", group="alice",
                                  extra_groups=[])
            said = told.stderr.decode()
            assert told.returncode == 3 and "hidepid" in said and "no profile" not in said, told
            assert "is a process or thread named" in subprocess.run(
                ["pandemoniumctl", "explain", str(os.getpid())], check=False,
                stderr=subprocess.PIPE).stderr.decode(), hide
            # A number that is no process is a name.
            told = subprocess.run(["pandemoniumctl", "explain", "4194304"], check=False,
                                  stderr=subprocess.PIPE, user="alice", group="alice",
                                  extra_groups=[], cwd="/")
            assert b"hidepid" not in told.stderr and told.returncode == 3, told
            subprocess.run(["umount", "/proc"], check=True)


if __name__ == "__main__":
    run_case(globals())
