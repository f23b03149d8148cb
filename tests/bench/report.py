# SPDX-License-Identifier: GPL-2.0-only
# Copyright (C) 2026 The ProcDb developers
"""What the effect benchmark prints: medians, spreads, and a plot."""

from statistics import median

QUANTILES = ("p50", "p90", "p99")
COLORS = {"idle": "#000000", "stock": "#888888", "observing": "#4c72b0", "applying": "#c44e52",
          "reference": "#64b5cd",
          "nice-19": "#55a868", "chrt-batch": "#8172b2", "chrt-idle": "#ccb974"}
# Names with fewer processes in a build say nothing about a share.
MIN_PROCESSES = 3


def share(part, whole):
    return part / whole if whole else None


def percent(value):
    return "-" if value is None else f"{100 * value:.1f} %"


def service_figures(before, after):
    """What the service counted between two looks."""
    names = {}
    for name, counts in after["names"].items():
        old = before["names"].get(name, {})
        new = {key: counts[key] - old.get(key, 0) for key in ("found", "missed", "right", "wrong")}
        if new["found"] + new["missed"] >= MIN_PROCESSES:
            names[name] = {**new, "tier": counts["tier"],
                           "found_share": share(new["found"], new["found"] + new["missed"]),
                           "right_share": share(new["right"], new["right"] + new["wrong"])}
    was, now = before["properties"], after["properties"]
    found, missed, right, wrong = (now[key] - was[key] for key in (
        "PredictionHits", "PredictionMisses", "PredictionsRight", "PredictionsWrong"))
    seconds = after["time"] - before["time"]
    named = [sum(n[key] for n in names.values()) for key in ("found", "missed", "right", "wrong")]
    return {"names": names, "found": found, "missed": missed, "right": right, "wrong": wrong,
            "found_share": share(named[0], named[0] + named[1]),
            "right_share": share(named[2], named[2] + named[3]),
            "apply": now["ApplyStatistics"], "cpu_share": (after["cpu"] - before["cpu"]) / seconds,
            "switches_per_second": (after["switches"] - before["switches"]) / seconds}


def facts_text(facts):
    m, p = facts["machine"], facts["project"]
    return (f"{m['cpus']} × {m['cpu']}, {m['memory_mib']} MiB, Linux {m['kernel']}, {m['compiler']}\n"
            f"{p['units']} units, {p['lines']} lines, {p['libraries']} libraries, make -j{facts['jobs']}; "
            f"the probe wakes every {facts['period_us']} µs for {facts['work_us']} µs")


def latency_text(latency):
    return "  ".join(f"{q} {latency[q] / 1000:8.0f}" for q in QUANTILES)


def progress_text(result):
    text = (f"round {result['round']} {result['condition']:<11} {latency_text(result['latency'])} µs  "
            f"{result['seconds']:5.1f} s  other CPU {result['other_cpu_seconds']:4.1f} s")
    if "service" in result:
        s = result["service"]
        text += (f"  found {percent(s['found_share'])} right {percent(s['right_share'])}"
                 f" service {percent(s['cpu_share'])}")
    return text


def spread(values):
    return f"{median(values):.0f} ({min(values):.0f}–{max(values):.0f})"


def by_condition(results):
    table = {}
    for result in results:
        table.setdefault(result["condition"], []).append(result)
    return table


def lower_than_stock(table, condition, figure):
    """How many times lower each quantile is than that of the stock kernel, round by round."""
    pairs = [(r, s) for r in table[condition] for s in table["stock"] if r["round"] == s["round"]]
    return [f"{median(figure(s)[q] / max(1, figure(r)[q]) for r, s in pairs):.1f}×" for q in QUANTILES]


def times_text(table, title, figure):
    """Quantiles of figure(result) of each condition, and their ratio to those of the stock kernel."""
    lines = ["", f"{title}, µs", "",
             f"{'':<12}{'p50':>20}{'p90':>22}{'p99':>24}" + (f"{'lower than stock by':>30}" if "stock" in table else "")]
    for condition, runs in table.items():
        columns = [spread([figure(r)[q] / 1000 for r in runs]) for q in QUANTILES]
        line = f"{condition:<12}{columns[0]:>20}{columns[1]:>22}{columns[2]:>24}"
        if "stock" in table and condition != "stock":
            line += "".join(f"{cell:>10}" for cell in lower_than_stock(table, condition, figure))
        lines.append(line)
    return lines


def builds_text(table):
    lines = ["", "Build", "", f"{'':<12}{'s':>20}{'CPU, s':>10}{'against stock':>16}"]
    for condition, runs in table.items():
        if condition == "idle":
            continue
        seconds = [r["seconds"] for r in runs]
        line = (f"{condition:<12}{f'{median(seconds):.1f} ({min(seconds):.1f}–{max(seconds):.1f})':>20}"
                f"{median(r['cpu_seconds'] for r in runs):10.1f}")
        if "stock" in table and condition != "stock":
            pairs = [(r, s) for r in runs for s in table["stock"] if r["round"] == s["round"]]
            line += f"{median(r['seconds'] / s['seconds'] for r, s in pairs) - 1:>+16.1%}"
        lines.append(line)
    return lines


def summary_text(facts, results):
    table = by_condition(results)
    lines = ["", "Median over the rounds (lowest–highest); ratios are taken within a round"]
    lines += times_text(table, "How late a wake-up is", lambda r: r["latency"])
    lines += times_text(table, "How late the work is done", lambda r: r["latency"]["response"])
    lines += builds_text(table)
    lines += names_text("First build, from an empty database", [facts["first_build"]]
                        if "first_build" in facts else [])
    lines += names_text("First build, by the rule of the reference", [facts["first_build_reference"]]
                        if "first_build_reference" in facts else [])
    served = [r["service"] for r in results if "service" in r and r["condition"] != "reference"]
    lines += names_text("Later builds, all rounds", served)
    lines += names_text("Later builds, by the rule of the reference",
                        [r["service"] for r in table.get("reference", [])])
    applied = [r["service"] for r in table.get("applying", [])]
    if applied:
        last = applied[-1]["apply"]
        lines += ["", "Applying, last round: " + ", ".join(
            f"{key} {value}" for key, value in last.items() if not key.startswith("latency")),
            "from exec to applied, median over the rounds (lowest–highest): " + ", ".join(
                f"{key[8:]} {spread([one['apply'][key] / 1000 for one in applied])} µs" for key in last
                if key.startswith("latency")),
            f"the service: {percent(median(s['cpu_share'] for s in applied))} of a CPU, "
            f"{median(s['switches_per_second'] for s in applied):.0f} switches a second"]
    return "\n".join(lines)


def names_text(title, figures):
    if not figures:
        return []
    total = {}
    for one in figures:
        for name, counts in one["names"].items():
            sums = total.setdefault(name, dict.fromkeys(("found", "missed", "right", "wrong"), 0))
            for key in sums:
                sums[key] += counts[key]
            sums["tier"] = counts["tier"]
    found, missed, right, wrong = (sum(one[key] for one in figures)
                                   for key in ("found", "missed", "right", "wrong"))
    named = [sum(n[key] for n in total.values()) for key in ("found", "missed", "right", "wrong")]
    lines = ["", f"{title}: {percent(share(found, found + missed))} of {found + missed} executed programs "
             f"had a prediction, {percent(share(right, right + wrong))} of these were right",
             f"of the names below {percent(share(named[0], named[0] + named[1]))}, "
             f"{percent(share(named[2], named[2] + named[3]))}", "",
             f"{'name':<16}{'executed':>9}{'found':>9}{'right':>9}  tier"]
    order = sorted(total.items(), key=lambda item: -(item[1]["found"] + item[1]["missed"]))
    for name, n in order:
        lines.append(f"{name:<16}{n['found'] + n['missed']:>9}"
                     f"{percent(share(n['found'], n['found'] + n['missed'])):>9}"
                     f"{percent(share(n['right'], n['right'] + n['wrong'])):>9}  {n['tier']}")
    return lines


def svg(facts, results):
    """Cumulative latency by condition, time on a logarithmic axis, all rounds merged by median."""
    width, height, left, top, right, bottom = 760, 420, 60, 50, 150, 50
    decades = range(1, 6)  # 10 µs to 100 ms

    def x(us):
        from math import log10
        position = (log10(max(us, 10)) - decades[0]) / (decades[-1] - decades[0])
        return left + min(position, 1) * (width - left - right)

    def y(quantile):
        return height - bottom - quantile * (height - top - bottom)

    labels = {1: "10 µs", 2: "100 µs", 3: "1 ms", 4: "10 ms", 5: "100 ms"}
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
           'font-family="sans-serif" font-size="12">',
           f'<rect width="{width}" height="{height}" fill="white"/>',
           f'<text x="{left}" y="22" font-size="15">Wake-ups of an interactive program beside '
           f'make -j{facts["jobs"]} on {facts["machine"]["cpus"]} CPUs</text>',
           f'<text x="{left}" y="40" fill="#555">share of wake-ups that were at most so late; '
           'further left is better</text>']
    for decade in decades:
        at = x(10 ** decade)
        out.append(f'<line x1="{at:.1f}" y1="{top}" x2="{at:.1f}" y2="{height - bottom}" stroke="#ddd"/>')
        out.append(f'<text x="{at:.1f}" y="{height - bottom + 18}" text-anchor="middle">{labels[decade]}</text>')
    for quantile in (0, .25, .5, .75, .9, 1):
        at = y(quantile)
        out.append(f'<line x1="{left}" y1="{at:.1f}" x2="{width - right}" y2="{at:.1f}" stroke="#ddd"/>')
        out.append(f'<text x="{left - 8}" y="{at + 4:.1f}" text-anchor="end">{quantile:.0%}</text>')
    for i, (condition, runs) in enumerate(by_condition(results).items()):
        curves = [r["latency"]["quantiles"] for r in runs]
        n = min(len(c) for c in curves) - 1
        points = " ".join(f"{x(median(c[k] for c in curves) / 1000):.1f},{y(k / n):.1f}"
                          for k in range(n + 1))
        color = COLORS[condition]
        bold = 2.5 if condition in ("stock", "applying") else 1.2
        out.append(f'<polyline points="{points}" fill="none" stroke="{color}" stroke-width="{bold}"/>')
        at = top + 20 + 20 * i
        out.append(f'<line x1="{width - right + 12}" y1="{at - 4}" x2="{width - right + 36}" '
                   f'y2="{at - 4}" stroke="{color}" stroke-width="{bold}"/>')
        out.append(f'<text x="{width - right + 42}" y="{at}">{condition}</text>')
    out.append("</svg>")
    return "\n".join(out) + "\n"
