#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
# Copyright (C) 2026 The ProcDb developers
"""usage: interface.py TEMPLATE XML EXAMPLE

Prints a manual page: the template with @INTERFACE@, @METHODS@, @SIGNALS@ and
@PROPERTIES@ replaced by what the introspection XML and the comments in it say,
and @EXAMPLE@ by the code of a Python file. The XML is the contract; so is the
page that is made from it.
"""

import re
import sys
import xml.etree.ElementTree as ET


def roff(text):
    """Text that troff prints as it is."""
    text = text.replace("\\", "\\e").replace("-", "\\-")
    return re.sub(r"^(?=[.'])", r"\\&", text, flags=re.MULTILINE)


def read(path):
    """The interface, and the comment in front of each element in it."""
    parser = ET.XMLParser(target=ET.TreeBuilder(insert_comments=True))
    interface = ET.parse(path, parser).getroot().find("interface")
    comments, last = {}, ""
    for child in interface:
        if child.tag is ET.Comment:
            last = child.text
        else:
            comments[child] = last
            last = ""
    return interface, comments


def arguments(element):
    kinds = ((arg.get("direction"), arg.get("type"), arg.get("name"))
             for arg in element.iter("arg"))
    return ", ".join(" ".join(filter(None, kind)) for kind in kinds)


def emits(element):
    for annotation in element.iter("annotation"):
        if annotation.get("name").endswith("EmitsChangedSignal"):
            return annotation.get("value")
    return "true"


def overview(interface):
    lines = ["node /org/pandemonium/ProcDb {", "  interface %s {" % interface.get("name")]
    for tag, title in (("method", "methods"), ("signal", "signals"), ("property", "properties")):
        lines.append("    %s:" % title)
        for element in interface.iter(tag):
            if tag == "property":
                lines.append("      @EmitsChangedSignal(\"%s\")" % emits(element))
                lines.append("      readonly %s %s;" % (element.get("type"), element.get("name")))
                continue
            start = "      %s(" % element.get("name")
            parts = [part.strip() for part in arguments(element).split(", ") if part]
            indent = ",\n" + " " * len(start)
            lines.append(start + indent.join(parts) + ");")
    return roff("\n".join(lines + ["  };", "};"]))


def paragraphs(comment, name):
    """The comment without its heading, as (argument or None, text)."""
    text = re.sub(r"\A\s*%s:\s*" % re.escape(name), "", comment).strip()
    for paragraph in re.split(r"\n\s*\n|\n(?=\s*@\w+:)", text):
        words = " ".join(paragraph.split())
        argument = re.match(r"@(\w+): (.*)", words)
        if argument:
            yield argument.groups()
        elif words:
            yield None, words


def prose(text):
    """Running text: a new sentence is a new line."""
    return roff(re.sub(r"([.]) (?=[A-Z0-9])", r"\1\n", text))


def member(element, comment):
    name = element.get("name")
    if not comment.strip().startswith(name + ":"):
        sys.exit("%s has no comment of its own in the XML" % name)
    parts = list(paragraphs(comment, name))
    title = name + ("" if element.tag == "property" else "(%s)" % arguments(element))
    lines = [".It Ic %s" % roff(title).replace('"', '\\(dq')]
    plain = [text for argument, text in parts if argument is None]
    lines.append("\n.Pp\n".join(prose(text) for text in plain))
    given = [(argument, text) for argument, text in parts if argument]
    if given:
        lines.append(".Bl -tag -width Ds -compact")
        for argument, text in given:
            lines += [".It Va %s" % argument, prose(text)]
        lines.append(".El")
    return "\n".join(line for line in lines if line)


def main(template, xml, example):
    interface, comments = read(xml)

    def members(tag):
        return "\n".join(member(element, comments[element]) for element in interface.iter(tag))

    with open(example, encoding="utf-8") as file:
        code = "".join(line for line in file if not line.startswith("#")).strip()
    with open(template, encoding="utf-8") as file:
        page = file.read()
    for key, text in (("INTERFACE", overview(interface)), ("METHODS", members("method")),
                      ("SIGNALS", members("signal")), ("PROPERTIES", members("property")),
                      ("EXAMPLE", roff(code))):
        page = page.replace("@%s@" % key, text)
    sys.stdout.reconfigure(encoding="utf-8")
    sys.stdout.write(page)


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    main(*sys.argv[1:])
