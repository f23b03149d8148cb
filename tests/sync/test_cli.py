#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
# Copyright (C) 2026 The ProcDb developers
"""pandemoniumctl --help, its manual page and its completions name the same things."""

import os
import re
import shutil
import subprocess
import unittest

from sync import SOURCE, help_options, man_options, text

CTL = os.environ["PANDEMONIUMCTL"]
COMPLETIONS = os.path.join(SOURCE, "data", "completions")


def run_help(*arguments):
    return subprocess.run([CTL, *arguments, "--help"], capture_output=True, text=True, check=True,
                          env={"LC_ALL": "C.UTF-8"}).stdout


def program():
    """Command ('' for none) -> its options, as the program has them."""
    general = run_help()
    block = general.split("Commands:\n")[1].split("\n\n")[0]
    commands = re.findall(r"^  ([a-z]+)", block, re.MULTILINE)
    return {"": help_options(general), **{name: help_options(run_help(name)) for name in commands}}


def without_json():
    """The commands that have no --json, as its entry in the manual page names them."""
    entry = text("data", "man", "pandemoniumctl.1").split("\n.It Fl -json\n")[1].split("\n.It ")[0]
    return set(re.findall(r"^\.Cm (\w+)", entry, re.MULTILINE))


def options_of_page(command):
    """Those of a command that has a page of its own."""
    section = text("data", "man", "pandemoniumctl-%s.1" % command).split(".Sh OPTIONS")[1].split(".Sh")[0]
    return {option for line in section.splitlines() if line.startswith(".It Fl") for option in man_options(line)}


def manual():
    """The same, as the manual page has it."""
    found, common, command, depth, section = {}, set(), None, 0, None
    for line in text("data", "man", "pandemoniumctl.1").splitlines():
        if line.startswith(".Sh "):
            section, depth = line[4:], 0
        depth += line.startswith(".Bl") - line.startswith(".El")
        if section == "COMMANDS" and depth == 1 and line.startswith(".It Cm "):
            command = line.split()[2]
            found.setdefault(command, set())
        elif section == "COMMANDS" and depth == 2 and line.startswith(".It Fl "):
            found[command] |= man_options(line)
        elif section == "OPTIONS" and line.startswith(".It Fl "):
            common |= man_options(line)
    for own in ("farm", "metrics"):
        found[own] |= options_of_page(own)
    local = common - {"--version"}
    for name, options in found.items():
        options |= local - {"--json"} if name in without_json() else local
    return {"": common, **found}


def complete_bash(*words):
    script = ('source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _pandemoniumctl; '
              'printf "%s\\n" "${COMPREPLY[@]}"')
    done = subprocess.run(["bash", "--norc", "-c", script, "bash",
                           os.path.join(COMPLETIONS, "pandemoniumctl.bash"), "pandemoniumctl",
                           *words], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def zsh():
    """Command -> options, from the text of the function for zsh."""
    code = text("data", "completions", "_pandemoniumctl")
    option = r"(?<![\w-])(--?[a-z][a-z-]*)"
    common = set(re.findall(option, code.split("common=(")[1].split("\n)")[0]))
    names = re.findall(r"^\t'([a-z]+):", code, re.MULTILINE)
    found = {"": common | {"--version"}, **{name: set(common) for name in names}}
    for cases, body in re.findall(r"^\t([a-z |]+)\)\n(.*?);;", code, re.MULTILINE | re.DOTALL):
        braces = ",".join(re.findall(r"\{(-[^}]*)\}", body)).replace("+", "").replace("=", "")
        for name in cases.split(" | "):
            if name in found:
                found[name] |= set(filter(None, braces.split(",")))
                # Those without a letter of their own.
                found[name] |= set(re.findall(r"'(--[a-z-]+)\[", body))
                found[name] -= set(re.findall(r"\$\{common:#(--[a-z]+)\*\}", body))
    return found


def fish():
    """The same, from the completions for fish."""
    found, common, general, without = {}, set(), set(), {}
    for line in text("data", "completions", "pandemoniumctl.fish").splitlines():
        if not line.startswith("complete "):
            continue
        options = {"-" + name for name in re.findall(r" -s (\w)", line)}
        options |= {"--" + name for name in re.findall(r" -l ([\w-]+)", line)}
        command = re.search(r"-n __fish_use_subcommand -a (\w+)", line)
        where = re.search(r"__pandemoniumctl_is ([\w ]+)", line)
        where_not = re.search(r"'not __pandemoniumctl_is ([\w ]+)'", line)
        if command:
            found.setdefault(command[1], set())
        elif "__fish_use_subcommand" in line:
            general |= options
        elif where_not:
            common |= options
            without.update((name, options) for name in where_not[1].split())
        elif where:
            for name in where[1].split():
                found[name] |= options
        else:
            common |= options
    return {"": common | general, **{name: own | common - without.get(name, set())
                                     for name, own in found.items()}}


class Cli(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls.program = program()

    def test_the_help_has_the_commands(self):
        self.assertGreaterEqual(set(self.program), {"status", "list", "doctor"})
        self.assertIn("--sort", self.program["list"])

    def test_what_has_no_json_does_not_offer_it(self):
        self.assertEqual({name for name, options in self.program.items()
                          if "--json" not in options}, {"top", "run", "metrics", "panel"})

    def test_manual_page(self):
        self.assertEqual(manual(), self.program)

    def test_bash_completes_every_command(self):
        self.assertEqual(complete_bash(""), set(self.program) - {""})

    def test_bash_completes_every_option(self):
        found = {name: complete_bash(*filter(None, [name]), "-") for name in self.program}
        self.assertEqual(found, self.program)

    def test_zsh(self):
        self.assertEqual(zsh(), self.program)

    def test_fish(self):
        self.assertEqual(fish(), self.program)

    def test_columns_to_sort_by(self):
        reply = subprocess.run([CTL, "list", "--sort=x"], capture_output=True, text=True,
                               check=False).stderr
        columns = set(re.split(", | and ", re.search(r"there are (.*)", reply)[1]))
        for command in ("list", "top"):
            told = re.search(r"Columns (?:to show and )?to sort by(?: are|:)\s+([^.]*)\.", run_help(command))[1]
            self.assertEqual(set(re.split(r",\s+|\s+and ", told)), columns)
            self.assertEqual(re.split(r",\s+|\s+and ", told), re.split(", | and ", re.search(r"there are (.*)", reply)[1]))
        for option in ("--sort", "--columns"):
            self.assertEqual(complete_bash("list", option, ""), columns)
        for name in ("_pandemoniumctl", "pandemoniumctl.fish"):
            self.assertIn(" ".join(sorted(columns)),
                          " ".join(sorted(re.search(r"columns[ =(]+([^)\n]*(\n\t[^)]*)?)",
                                                    text("data", "completions", name))[1].split())))

    def test_shells_accept_their_files(self):
        for shell, name in (("bash", "pandemoniumctl.bash"), ("zsh", "_pandemoniumctl"),
                            ("fish", "pandemoniumctl.fish")):
            if shutil.which(shell):
                with self.subTest(shell=shell):
                    subprocess.run([shell, "-n", os.path.join(COMPLETIONS, name)], check=True)


if __name__ == "__main__":
    unittest.main(verbosity=2)
