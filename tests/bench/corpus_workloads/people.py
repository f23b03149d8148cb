# SPDX-License-Identifier: GPL-2.0-only
# Copyright (C) 2026 The ProcDb developers
"""What a person types into or looks at, alone and beside a load."""

from .build import C_BUILD, C_TREE, MAKE
from .media import ENCODES, VIDEO
from .model import PROMPT, PROMPT_BUSY, WAITS, Label, Workload

TYPED = "typed into: a person sees each key"
PROSE = "'the quick brown fox jumps over the lazy dog '"
SHOWS = "shows the machine's state to a person"


def typed(name, command, keys, comm, wish=PROMPT, why=TYPED, needs=None, beside=None, labels=(), prepare=""):
    """keys are typed again and again, three a second; beside is a command that runs meanwhile."""
    background = f"setsid sh -c '{beside}' & " if beside else ""
    return Workload(name, needs or command.split()[0], f"{background}TERM=xterm $BENCH/corpus-typist $S {keys} -- {command}",
                    (Label(comm, wish, why), *labels), prepare, endless=False)


X264 = f"ffmpeg -v error -nostdin {VIDEO % '1280x720'} -c:v libx264 -f null -"
TEXT = "cp /usr/share/common-licenses/GPL-3 text"

WORKLOADS = (
    typed("vim", "vim -u NONE text", "i" + PROSE, "vim.*", prepare=TEXT),
    typed("nano", "nano -I text", PROSE, "nano", prepare=TEXT),
    typed("emacs", "emacs -nw -Q text", PROSE, "emacs.*", prepare=TEXT),
    typed("bash", "bash --norc -i", "'ls\\r'", "bash", labels=(Label("ls", PROMPT_BUSY, "a command that a person waits for"),)),
    typed("less", "less text", "'jjjj k j j  '", "less", prepare=TEXT),
    typed("python-prompt", "python3 -q", "'x = [1, 2, 3]\\r'", "python3"),
    typed("sqlite-prompt", "sqlite3 db", "'select 1 + 2;\\r'", "sqlite3"),
    typed("top", "top -d 1", "'hhh'", "top", PROMPT_BUSY, SHOWS),
    typed("htop", "htop -d 10", "'jk'", "htop", PROMPT_BUSY, SHOWS),
    typed("vim-beside-make", "vim -u NONE text", "i" + PROSE, "vim.*", needs="vim make gcc",
          beside=MAKE % "4", labels=C_BUILD, prepare=TEXT + "; " + C_TREE),
    typed("bash-beside-make", "bash --norc -i", "'ls\\r'", "bash", needs="make gcc", beside=MAKE % "4",
          labels=(Label("ls", PROMPT_BUSY, "a command that a person waits for"), *C_BUILD), prepare=C_TREE),
    typed("vim-beside-x264", "vim -u NONE text", "i" + PROSE, "vim.*", needs="vim ffmpeg", beside=X264,
          labels=(Label("ffmpeg|x264.*|.*:.*", WAITS, ENCODES),), prepare=TEXT),
)
