#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
# Copyright (C) 2026 The ProcDb developers
"""Each shell, with Tab pressed in it, completes commands, options, words and names."""

import os
import shutil
import subprocess
import unittest

from support import CTL, SOURCE, ClientTest, Terminal

COMPLETIONS = os.path.join(SOURCE, "data", "completions")
PROMPT = "pandemonium> "
# What is typed before Tab, and what stands there after it.
CASES = (
    ("sta", "status "),
    ("--no-a", "--no-ask-password "),
    ("list --rev", "list --reverse "),
    ("list --sort conf", "list --sort confidence "),
    ("list --sort=conf", "list --sort=confidence "),
    ("list --tier=i", "list --tier=interactive "),
    ("top -s ru", "top -s runtime "),
    ("show f", "show firefox "),
    ("--json show gr", "--json show größe "),
    ("delete cc1 pip", "delete cc1 pipewire "),
    ("explain wi", "explain wine "),
    ("show ss", r"show sshd\\xff\\xfe\\x0a%n "),
    ("show a", r"""show a\ b\'\"\\\\c """),
    ("override cl", "override clear "),
    ("override clear w", "override clear wine "),
    ("override set fire", "override set firefox "),
    ("override set cc1 b", "override set cc1 batch "),
    ("override set --prog", "override set --program "),
    ("backend s", "backend sched-ext "),
    ("apply s", "apply slices "),
    ("import /etc/hostna", "import /etc/hostname "),
)


class Shells(ClientTest):
    def start(self, shell, *options, setup=""):
        if not shutil.which(shell):
            self.skipTest(shell + " is not installed")
        self.start_fake()
        self.ok("delete", "as")
        path = os.path.dirname(CTL) + ":" + os.environ["PATH"]
        environment = self.bus.environment(PATH=path, HOME=self.bus.directory.name, TERM="dumb")
        terminal = Terminal([shell, *options], environment, columns=200)
        self.addCleanup(terminal.close)
        terminal.type(setup + "PS1='%s'; echo 'set' up\n" % PROMPT)
        terminal.expect("set up\r\n")
        terminal.expect(PROMPT)
        return terminal

    def check(self, terminal, cases):
        for typed, completed in cases:
            with self.subTest(typed=typed):
                terminal.type("pandemoniumctl %s\t" % typed)
                terminal.expect("pandemoniumctl " + completed)
                terminal.type("\x15\n")  # drops the line
                terminal.expect(PROMPT)

    def test_bash(self):
        terminal = self.start("bash", "--norc", "--noprofile", "-i",
                              setup="source %s/pandemoniumctl.bash; " % COMPLETIONS)
        path = "override set --program /etc/hostna"
        self.check(terminal, (*CASES, (path, path + "me ")))

    def test_bash_with_its_completions(self):
        common = "/usr/share/bash-completion/bash_completion"
        if not os.path.exists(common):
            self.skipTest("bash-completion is not installed")
        terminal = self.start("bash", "--norc", "--noprofile", "-i",
                              setup="source %s; source %s/pandemoniumctl.bash; "
                              % (common, COMPLETIONS))
        self.ok("override", "set", "kworker/0:1H", "batch")
        self.check(terminal, (*CASES, ("show kworker/0:", "show kworker/0:1H ")))

    def test_zsh(self):
        terminal = self.start("zsh", "-f", "-i",
                              setup="fpath=(%s $fpath); autoload -U compinit; compinit -u -D; "
                              % COMPLETIONS)
        self.ok("override", "set", "kworker/0:1H", "batch")
        path = "override set --program /etc/hostna"
        self.check(terminal, (*CASES, ("show kworker/0:", "show kworker/0:1H "), (path, path + "me ")))


class Fish(ClientTest):
    """It says what it would complete to, unquoted."""

    def test_fish(self):
        if not shutil.which("fish"):
            self.skipTest("fish is not installed")
        self.start_fake()
        path = os.path.dirname(CTL) + ":" + os.environ["PATH"]
        environment = self.bus.environment(PATH=path, HOME=self.bus.directory.name)
        lines = ("list --sort=conf", "delete cc1 pip", "show ss", "override clear ",
                 "override set cc1 b", "override list ", "backend s", "list --rev", "sta",
                 "override --program set /etc/hostna")
        script = "source %s/pandemoniumctl.fish\n" % COMPLETIONS
        script += "\n".join("complete -C 'pandemoniumctl %s'; echo END" % line for line in lines)
        output = subprocess.run(["fish", "-N", "-c", script], env=environment, check=True,
                                stdout=subprocess.PIPE, text=True).stdout
        found = [[line.split("\t")[0] for line in block.splitlines()]
                 for block in output.split("END\n")]
        self.assertEqual(found[:-1],
                         [["--sort=confidence"], ["pipewire"], [r"sshd\xff\xfe\x0a%n"], ["wine"],
                          ["batch"], [], ["sched-ext"], ["--reverse"], ["status"], ["/etc/hostname"]])


if __name__ == "__main__":
    unittest.main(verbosity=2)
