# SPDX-License-Identifier: GPL-2.0-only
# Copyright (C) 2026 The ProcDb developers
"""The figures of feel as small multiples: a panel for each load and probe, a line for each condition."""

import math

import feel_report
import feel_stats as stats

COLORS = ("#888888", "#bbbbbb", "#c44e52", "#4c72b0", "#55a868", "#8172b2", "#ccb974", "#64b5cd")
RADII = {"p50": 4, "p90": 3, "p99": 2}
LEFT, TOP, PANEL, GAP, LINE = 90, 78, 210, 24, 9
LEAST, MOST = 10, 1000000  # µs at both ends of the axis
LABELS = {100: "0.1 ms", 1000: "1", 10000: "10", 100000: "100"}


def x(us):
    return min(max(math.log(max(us, LEAST) / LEAST) / math.log(MOST / LEAST), 0), 1) * PANEL


def panel(table, colors, left, top, height):
    """One load and probe: p50, p90 and p99 of each condition, joined."""
    out = [f'<rect x="{left}" y="{top}" width="{PANEL}" height="{height}" fill="none" stroke="#ccc"/>']
    for us in LABELS:
        out.append(f'<line x1="{left + x(us):.1f}" y1="{top}" x2="{left + x(us):.1f}" y2="{top + height}" '
                   'stroke="#eee"/>')
    for i, (condition, color) in enumerate(colors.items()):
        samples = [s for some in table.get(condition, {}).values() for s in some]
        if not samples or not any(s.n for s in samples):
            continue
        y = top + LINE * (i + 1)
        values = {metric: left + x(stats.value(samples, metric)) for metric in RADII}
        out.append(f'<line x1="{values["p50"]:.1f}" y1="{y}" x2="{values["p99"]:.1f}" y2="{y}" stroke="{color}"/>')
        for metric, radius in RADII.items():
            out.append(f'<circle cx="{values[metric]:.1f}" cy="{y}" r="{radius}" fill="{color}"/>')
    return out


def svg(facts, cells):
    """The plot; left is better."""
    results = feel_report.Results(cells, judge=False)
    colors = dict(zip(results.conditions, COLORS * (1 + len(results.conditions) // len(COLORS))))
    probes = feel_report.ordered(probe for _, probe in results.samples)
    height = LINE * (len(colors) + 1)
    # The title and three conditions have to fit above and below a single load, too.
    width = max(LEFT + len(results.loads) * (PANEL + GAP), 700)
    total = TOP + len(probes) * (height + 6) + 40 + 18 * math.ceil(len(colors) / 3)
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {total}" font-family="sans-serif" '
           'font-size="12">', f'<rect width="{width}" height="{total}" fill="white"/>',
           f'<text x="8" y="22" font-size="15">How late things are beside load, on {facts["machine"]["cpus"]} CPUs</text>',
           '<text x="8" y="40" fill="#555">p50 (large), p90 and p99 (small) of all rounds; further left is better</text>']
    for column, load in enumerate(results.loads):
        left = LEFT + column * (PANEL + GAP)
        out.append(f'<text x="{left}" y="{TOP - 8}" font-weight="bold">beside {load}</text>')
        for row, probe in enumerate(probes):
            if (load, probe) in results.samples:
                out += panel(results.samples[load, probe], colors, left, TOP + row * (height + 6), height)
        for us, label in LABELS.items():
            out.append(f'<text x="{left + x(us):.1f}" y="{TOP + len(probes) * (height + 6) + 12}" fill="#555" '
                       f'text-anchor="middle">{label}</text>')
    for row, probe in enumerate(probes):
        out.append(f'<text x="8" y="{TOP + row * (height + 6) + height / 2 + 4:.0f}">{probe}</text>')
    for i, (condition, color) in enumerate(colors.items()):
        at, y = 8 + 230 * (i % 3), TOP + len(probes) * (height + 6) + 36 + 18 * (i // 3)
        out.append(f'<circle cx="{at + 5}" cy="{y - 4}" r="5" fill="{color}"/>'
                   f'<text x="{at + 16}" y="{y}">{condition}</text>')
    return "\n".join([*out, "</svg>"]) + "\n"
