#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
# Copyright (C) 2026 The ProcDb developers
"""usage: tmux capture-pane -e -p | screenshot.py > PICTURE.svg

Draws what a terminal shows, for the README: colours, bold, underlined and
reversed text of sixteen colours, each run of text as wide as its columns.
"""

import re
import sys
import unicodedata
from xml.sax.saxutils import escape

WIDTH, HEIGHT, MARGIN = 7.8, 16, 12
BACK, FRONT = "#1c1f26", "#d5d9e2"
COLOURS = ("#5c6370", "#e06c75", "#98c379", "#e5c07b", "#61afef", "#c678dd", "#56b6c2", "#ffffff")
SGR = re.compile(r"\033\[([\d;]*)m")


def columns(text):
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def restyle(style, codes):
    for code in (int(code or 0) for code in codes.split(";")):
        if code == 0:
            style = {}
        elif code in (1, 4, 7):
            style = dict(style, **{{1: "bold", 4: "underline", 7: "reverse"}[code]: True})
        elif code == 2:
            style = dict(style, colour=COLOURS[0])
        elif 30 <= code <= 37 or 90 <= code <= 97:
            style = dict(style, colour=COLOURS[code % 10])
        elif code == 39:
            style = {key: value for key, value in style.items() if key != "colour"}
    return style


def runs(line, style):
    """(column, text, style) of each run of one style, and the style at the end."""
    found, column = [], 0
    parts = SGR.split(line)
    for i, part in enumerate(parts):
        if i % 2:
            style = restyle(style, part)
        elif part:
            found.append((column, part, style))
            column += columns(part)
    return found, style


def draw(row, column, text, style):
    x, y = MARGIN + column * WIDTH, MARGIN + row * HEIGHT
    width = columns(text) * WIDTH
    colour = style.get("colour", FRONT)
    if style.get("reverse"):
        yield '<rect x="%.1f" y="%d" width="%.1f" height="%d" fill="%s"/>' % (x, y, width, HEIGHT,
                                                                           colour)
        colour = BACK
    if text.strip():
        # Chromium makes one of several spaces, whatever xml:space says.
        text = text.replace(" ", "\N{NO-BREAK SPACE}")
        more = ' font-weight="bold"' if style.get("bold") else ""
        more += ' text-decoration="underline"' if style.get("underline") else ""
        yield '<text x="%.1f" y="%d" fill="%s" textLength="%.1f"%s>%s</text>' % (
            x, y + 12, colour, width, more, escape(text))


def main():
    sys.stdin.reconfigure(encoding="utf-8")
    sys.stdout.reconfigure(encoding="utf-8")
    lines = sys.stdin.read().rstrip("\n").split("\n")
    shapes, style, widest = [], {}, 0
    for row, line in enumerate(lines):
        found, style = runs(line, style)
        for column, text, look in found:
            shapes += draw(row, column, text, look)
            widest = max(widest, column + columns(text))
    width, height = 2 * MARGIN + widest * WIDTH, 2 * MARGIN + len(lines) * HEIGHT
    print('<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %.0f %.0f" width="%.0f" '
          'font-family="monospace" font-size="13">' % (width, height, width))
    print('<rect width="100%%" height="100%%" rx="6" fill="%s"/>' % BACK)
    print("\n".join(shapes) + "\n</svg>")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        sys.exit(__doc__)
    main()
