# SPDX-License-Identifier: GPL-2.0-only
# Copyright (C) 2026 The ProcDb developers
"""What the tests of agreement share: reading the files that have to agree."""

import os
import re
import xml.etree.ElementTree as ET

SOURCE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
ACTION = "org.pandemonium.procdb."
INTERFACE = "org.pandemonium.ProcDb1"


def text(*path):
    with open(os.path.join(SOURCE, *path), encoding="utf-8") as file:
        return file.read()


def contract():
    """The interface element of the introspection XML."""
    return ET.fromstring(text("dbus", INTERFACE.replace("Db1", "Db1.xml"))).find("interface")


def methods():
    return {method.get("name") for method in contract().iter("method")}


def help_options(output):
    """The options in what --help printed."""
    return set(re.findall(r"(?<!\S)(--?[a-z][\w-]*)(?=[,=\s])",
                          "\n".join(line for line in output.splitlines()
                                    if re.match(r"\s+-", line))))


def man_options(line):
    """The options of an .It line in mdoc."""
    return {"-" + name for name in re.findall(r"\bFl (-?[a-z][\w-]*)", line)}
