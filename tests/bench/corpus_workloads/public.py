# SPDX-License-Identifier: GPL-2.0-only
# Copyright (C) 2026 The ProcDb developers
"""
What the public rules of CachyOS/ananicy-rules (2026-11) call programs of the corpus, to be
shown beside our labels: facts, not wishes. Of the command-line archivers here they name 7z only.
"""

RULES = {
    "7z": "BG_CPUIO", "bash": "Doc-View", "emacs": "Doc-View", "ffmpeg": "Heavy_CPU", "htop": "Doc-View",
    "mpv": "Player-Video", "nano": "Doc-View", "nginx": "LowLatency_RT", "node": "BG_CPUIO", "vim": "Doc-View",
}


def rule_of(label):
    """The type that the rules give to a program that the label names; None without one."""
    names = [alternative.removesuffix(".*").removesuffix("/?") for alternative in label.comm.split("|")]
    return next((RULES[name] for name in names if name in RULES), None)
