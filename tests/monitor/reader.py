# SPDX-License-Identifier: GPL-2.0-only
# Copyright (C) 2026 The ProcDb developers
"""A screen reader: answers questions about the window, a line each.

Run as the user of the window, whose buses let no other one in.
"""

import sys

import gi

gi.require_version("Atspi", "2.0")
from gi.repository import Atspi, GLib  # noqa: E402


def window():
    desktop = Atspi.get_desktop(0)
    for i in range(desktop.get_child_count()):
        application = desktop.get_child_at_index(i)
        if application and "monitor" in (application.get_name() or ""):
            return application
    return None


def walk(node):
    yield node
    for i in range(node.get_child_count()):
        child = node.get_child_at_index(i)
        if child:
            yield from walk(child)


def nodes():
    found = window()
    return walk(found) if found else ()


def texts():
    """All that is to be read, each once."""
    return " | ".join(dict.fromkeys(filter(None, (node.get_name() for node in nodes()))))


def unlabelled():
    """What one can act on or look at, and has no name of its own."""
    kinds = ("push button", "toggle button", "entry", "combo box", "image", "tree table", "progress bar")
    return " | ".join(node.get_role_name() for node in nodes()
                      if node.get_role_name() in kinds and not node.get_name())


for line in sys.stdin:
    question, *arguments = line.rstrip("\n").split("\t")
    try:
        answer = globals()[question](*arguments)
    except GLib.Error as error:
        answer = f"error: {error.message}"
    print(answer.replace("\n", " "), flush=True)
