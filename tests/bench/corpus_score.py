# SPDX-License-Identifier: GPL-2.0-only
# Copyright (C) 2026 The ProcDb developers
"""How far the treatments that the kernel recorded are those that a person wants."""

from corpus_workloads.model import TREATMENTS

SECOND = 10**9
# Another policy than SCHED_OTHER, or a nice value (x265's workers call nice(10)), is the program's
# own choice, which the service leaves alone: it is not judged.
JUDGED = ("default", "long", "short")
FEATURES = ("slept", "waited", "runs", "voluntary", "by_interrupt", "by_softirq", "by_kernel_thread",
            "by_own_process", "by_other_process")


def read_lives(path):
    """The recorder's lines, as dicts, and what it says at the end."""
    lines = path.read_text().split("\n")
    names = lines[0].split("\t")
    lives, end = [], None
    for line in lines[1:]:
        if line.startswith("# lost "):
            words = line.split()[1:]
            end = dict(zip(words[::2], map(int, words[1::2])))
        elif line:
            # A name may hold a tab's worth of anything but a tab: the recorder writes ? for it.
            fields = line.split("\t")
            lives.append({"comm": fields[0], **{n: int(f) for n, f in zip(names[1:], fields[1:])}})
    if end is None:
        raise ValueError(f"{path} has no end")
    return lives, end


def nothing():
    return {"lives": 0, "cpu": dict.fromkeys(TREATMENTS, 0), "settled": dict.fromkeys(TREATMENTS, 0),
            "wakes": dict.fromkeys(TREATMENTS, 0), **dict.fromkeys(FEATURES, 0)}


def add_life(sums, life):
    """
    settled is the CPU time in which a treatment could be had: that after the first
    second of a life, or all of a life that was shorter.
    """
    is_long = life["ended"] - life["born"] > SECOND
    sums["lives"] += 1
    for t in TREATMENTS:
        first, later = life["first_" + t], life["later_" + t]
        counted = t if life["nice"] == 0 else "other"
        sums["cpu"][counted] += first + later
        sums["settled"][counted] += later if is_long else first + later
        sums["wakes"][counted] += life["wakes_" + t]
    for feature in FEATURES:
        sums[feature] += life[feature]


def add_sums(to, other):
    for key, value in other.items():
        if isinstance(value, dict):
            for t in value:
                to[key][t] += value[t]
        elif isinstance(value, int):
            to[key] += value


def by_label(workload, lives):
    """Sums for each label of the workload, and for each name that has none."""
    units, unlabelled = {}, {}
    for life in lives:
        label = workload.label_of(life["comm"])
        if label is None:
            add_life(unlabelled.setdefault(life["comm"], nothing()), life)
            continue
        unit = units.setdefault(label.comm, {"wish": label.wish.name, "wanted": sorted(label.wish.wanted),
                                             "person": label.wish.used_by_a_person, "why": label.why,
                                             "sums": nothing(), "comms": {}})
        add_life(unit["sums"], life)
        add_life(unit["comms"].setdefault(life["comm"], nothing()), life)
    return units, unlabelled


def judged(times):
    return sum(times[t] for t in JUDGED)


def share_of(times, wanted):
    whole = judged(times)
    return sum(times[t] for t in wanted) / whole if whole else None


def is_counted(unit):
    return len(unit["wanted"]) < len(JUDGED)


def is_right(unit, treatment_of=lambda times: times):
    """Whether a task had what is wanted for most of its settled CPU time; None when it had none."""
    sums = unit["sums"]
    times = sums["settled"] if judged(sums["settled"]) else sums["cpu"]
    share = share_of(treatment_of(times), unit["wanted"])
    return None if share is None else share > 0.5


def always(treatment):
    """A guess: all time in one treatment."""
    return lambda times: {**dict.fromkeys(JUDGED, 0), treatment: judged(times)}


def agreement(units, treatment_of=lambda times: times):
    """Shares of CPU time, of settled CPU time, of wake-ups and of tasks that had what is wanted."""
    result = {}
    for name in ("cpu", "settled", "wakes"):
        good = whole = 0
        for unit in units:
            times = treatment_of(unit["sums"][name])
            good += sum(times[t] for t in unit["wanted"])
            whole += judged(times)
        result[name] = good / whole if whole else None
    verdicts = [v for v in (is_right(u, treatment_of) for u in units) if v is not None]
    result["tasks"] = sum(verdicts) / len(verdicts) if verdicts else None
    result["right"], result["judged"] = sum(verdicts), len(verdicts)
    return result


def confusion(units):
    """CPU time by wish and treatment, as shares of all of it."""
    whole = sum(judged(u["sums"]["cpu"]) for u in units) or 1
    table = {}
    for unit in units:
        row = table.setdefault(unit["wish"], dict.fromkeys(JUDGED, 0))
        for t in JUDGED:
            row[t] += unit["sums"]["cpu"][t] / whole
    return table


def harm(named_units):
    """What a person would notice: (A) used tasks held back, (B) computing tasks let through."""
    whole = sum(judged(u["sums"]["cpu"]) for _, u in named_units) or 1
    held, through = [], []
    for name, unit in named_units:
        cpu, wakes = unit["sums"]["cpu"], unit["sums"]["wakes"]
        if unit["person"] and (cpu["long"] or wakes["long"]):
            held.append({"task": name, "cpu": share_of(cpu, ["long"]), "wakes": share_of(wakes, ["long"])})
        if unit["wish"].startswith("may wait") and cpu["short"]:
            through.append({"task": name, "of_all": cpu["short"] / whole, "of_its_own": share_of(cpu, ["short"])})
    return {"held": sorted(held, key=lambda h: -(h["wakes"] or 0)),
            "through": sorted(through, key=lambda t: -t["of_all"])}


def score(results, which):
    """The verdict over all workloads in their first or measured runs."""
    named = [(f"{r['workload']}/{comm}", unit) for r in results if which in r
             for comm, unit in r[which]["units"].items() if is_counted(unit)]
    units = [unit for _, unit in named]
    return {"agreement": agreement(units),
            "guesses": {t: agreement(units, always(t)) for t in JUDGED},
            "confusion": confusion(units), "harm": harm(named), "tasks": len(units)}
