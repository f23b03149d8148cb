# SPDX-License-Identifier: GPL-2.0-only
# Copyright (C) 2026 The ProcDb developers
"""What the corpus prints."""

import corpus_score as score
from report import percent

ORDER = ("default", "long", "short")


def shares(times):
    whole = score.judged(times)
    return "/".join(f"{100 * times[t] / whole:3.0f}" if whole else "  -" for t in ORDER)


def unit_text(name, unit):
    verdict = {True: "right", False: "WRONG", None: "-"}[score.is_right(unit)] if score.is_counted(unit) else ""
    sums = unit["sums"]
    return (f"  {verdict:<6}{name[:28]:<29}{unit['wish']:<22}{score.judged(sums['cpu']) / 1e6:>9.0f}"
            f"{shares(sums['settled']):>13}{sum(sums['wakes'].values()):>9}{shares(sums['wakes']):>13}")


HEADER = (f"  {'':<6}{'task':<29}{'wanted':<22}{'CPU, ms':>9}{'d/l/s %':>13}{'wakes':>9}{'d/l/s %':>13}"
          "   (default/long/short: settled CPU time, wake-ups)")


def run_text(run):
    lines = [unit_text(name, unit) for name, unit in run["units"].items()]
    big = sorted(run["unlabelled"].items(), key=lambda i: -score.judged(i[1]["cpu"]))
    if big:
        lines.append("  without a label: " + ", ".join(
            f"{comm} {score.judged(s['cpu']) / 1e6:.0f} ms" for comm, s in big[:8]))
    return lines


def agreement_text(name, a):
    return (f"{name:<18}{percent(a['cpu']):>10}{percent(a['settled']):>10}{percent(a['wakes']):>10}"
            f"{percent(a['tasks']):>10}   {a['right']} of {a['judged']}")


def score_text(title, s, other=None):
    lines = ["", title, "", f"{'agreement by':<18}{'CPU':>10}{'settled':>10}{'wake-ups':>10}{'tasks':>10}"]
    lines.append(agreement_text("this build", s["agreement"]))
    if other:
        lines.append(agreement_text("the other", other["agreement"]))
    lines += [agreement_text(f"always {t}", s["guesses"][t]) for t in ORDER]
    lines += ["", f"{'% of CPU time':<24}" + "".join(f"{t:>10}" for t in ORDER)]
    for wish, row in s["confusion"].items():
        lines.append(f"{wish:<24}" + "".join(f"{100 * row[t]:>10.1f}" for t in ORDER))
    held, through = s["harm"]["held"], s["harm"]["through"]
    lines += ["", f"(A) used by a person, held back by a long slice: {len(held)} tasks"]
    lines += [f"  {h['task']:<44} {percent(h['cpu']):>8} of its CPU time, {percent(h['wakes'])} of its wake-ups" for h in held]
    lines += ["", f"(B) may wait, let through by a short slice: {percent(sum(t['of_all'] for t in through))} of the labelled CPU time"]
    lines += [f"  {t['task']:<44} {percent(t['of_all']):>8}, {percent(t['of_its_own'])} of its own"
              for t in through if t["of_all"] >= 0.0005]
    return lines
