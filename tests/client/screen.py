# SPDX-License-Identifier: GPL-2.0-only
# Copyright (C) 2026 The ProcDb developers
"""What a terminal shows after the sequences of xterm that ncurses uses; colours are left out."""

import codecs
import re

SEQUENCE = re.compile(r"\033(?:\[([?>!]?)([\d;]*)([@-~])|[()][0-9A-Za-z]|[=>78M])")


class Screen:
    def __init__(self, columns, rows):
        self.columns, self.rows = columns, rows
        self.cells = [[" "] * columns for _ in range(rows)]
        self.x = self.y = 0
        self.region = (0, rows)  # what scrolls
        self.clears = 0
        self.last = " "
        self.rest = ""
        self.decoder = codecs.getincrementaldecoder("utf-8")("replace")

    def lines(self):
        return ["".join(row).rstrip() for row in self.cells]

    def feed(self, output):
        text = self.rest + self.decoder.decode(output)
        at = 0
        while at < len(text):
            found = SEQUENCE.match(text, at) if text[at] == "\033" else None
            if text[at] == "\033" and not found:
                break  # the rest of it comes later
            if found:
                if found[3] and not found[1]:
                    self.control(found[3], [int(n or 0) for n in found[2].split(";")])
                at = found.end()
            else:
                self.put(text[at])
                at += 1
        self.rest = text[at:]

    def put(self, char):
        if char == "\r":
            self.x = 0
        elif char == "\n" and self.y == self.region[1] - 1:
            self.scroll(1, True)
        elif char == "\n":
            self.y = min(self.y + 1, self.rows - 1)
        elif char == "\b":
            self.x = max(self.x - 1, 0)
        elif char >= " " and self.x < self.columns:
            self.cells[self.y][self.x] = self.last = char
            self.x += 1

    def scroll(self, count, up, top=None):
        """The lines from top on, or all that scroll, and empty ones come."""
        top, bottom = self.region[0] if top is None else top, self.region[1]
        count = min(count, bottom - top)
        empty = [[" "] * self.columns for _ in range(count)]
        part = self.cells[top:bottom]
        self.cells[top:bottom] = part[count:] + empty if up else empty + part[:-count]

    def control(self, kind, numbers):
        first = max(numbers[0], 1)
        row = self.cells[self.y]
        if kind == "H":
            self.y = min(first, self.rows) - 1
            self.x = min(max(numbers[1] if len(numbers) > 1 else 1, 1), self.columns) - 1
        elif kind == "G":
            self.x = first - 1
        elif kind == "d":
            self.y = min(first, self.rows) - 1
        elif kind in "ABCD":
            self.x = min(max(self.x + {"C": first, "D": -first}.get(kind, 0), 0), self.columns - 1)
            self.y = min(max(self.y + {"B": first, "A": -first}.get(kind, 0), 0), self.rows - 1)
        elif kind == "X":
            row[self.x:self.x + first] = [" "] * len(row[self.x:self.x + first])
        elif kind == "K":
            begin, end = {0: (self.x, self.columns), 1: (0, self.x + 1)}.get(numbers[0], (0, self.columns))
            row[begin:end] = [" "] * (end - begin)
        elif kind == "J":
            self.clears += 1
            begin = self.y + 1 if numbers[0] == 0 else 0
            if numbers[0] == 0:
                row[self.x:] = [" "] * (self.columns - self.x)
            for y in range(begin, self.rows):
                self.cells[y] = [" "] * self.columns
        elif kind == "r":
            bottom = numbers[1] if len(numbers) > 1 and numbers[1] else self.rows
            self.region, self.x, self.y = (first - 1, bottom), 0, 0
        elif kind in "ST":
            self.scroll(first, kind == "S")
        elif kind in "LM" and self.region[0] <= self.y < self.region[1]:
            self.scroll(first, kind == "M", self.y)
        elif kind == "@":
            row[self.x:self.x] = [" "] * first
            del row[self.columns:]
        elif kind == "P":
            del row[self.x:self.x + first]
            row += [" "] * (self.columns - len(row))
        elif kind == "b":
            for _ in range(first):
                self.put(self.last)
