# SPDX-License-Identifier: GPL-2.0-only
# Copyright (C) 2026 The ProcDb developers
"""What feel prints: a table for each load, and a verdict for each of its cells."""

from collections import Counter

import feel_stats as stats

STOCK = ("stock", "stock2")
FEW = 1000  # samples; with fewer, p99 is one of the ten worst


def ordered(values):
    return list(dict.fromkeys(values))


class Results:
    """The cells of a run, by load, probe and condition."""

    def __init__(self, cells, judge=True):
        self.cells = cells
        self.loads = ordered(c["load"] for c in cells)
        self.conditions = ordered(c["condition"] for c in cells)
        self.judged = [c for c in self.conditions if c not in STOCK]
        self.samples = {}  # (load, probe): {condition: {round: [Sample...]}}
        self.throughput = {}  # load: {condition: {round: [number...]}}
        for cell in cells:
            for probe, figures in {**cell["figures"], **cell["own"]}.items():
                table = self.samples.setdefault((cell["load"], probe), {})
                table.setdefault(cell["condition"], {}).setdefault(cell["round"], []).append(
                    stats.Sample(figures["late"], figures.get("missed")))
            if cell["throughput"] is not None:
                table = self.throughput.setdefault(cell["load"], {})
                table.setdefault(cell["condition"], {}).setdefault(cell["round"], []).append(cell["throughput"])
        if judge:
            self.compare()

    @staticmethod
    def stock(table):
        """stock and stock2 together, by round."""
        pooled = {}
        for condition in STOCK:
            for number, samples in table.get(condition, {}).items():
                pooled.setdefault(number, []).extend(samples)
        return pooled

    def compare(self):
        self.base = {}  # (load, probe, metric): (value of stock, of so many samples)
        self.compared = {}  # (load, probe, metric, condition): a comparison with it
        for load in self.loads:
            for (at, probe), table in self.samples.items():
                if at == load:
                    stock = [s for samples in self.stock(table).values() for s in samples]
                    for metric in stats.METRICS:
                        base = stats.value(stock, metric) if stock else None
                        if base is not None:
                            self.base[load, probe, metric] = base, sum(s.n for s in stock)
                        self.compare_all(load, probe, metric, table, lambda a, b, m=metric: stats.compare(a, b, m))
            if load in self.throughput:
                stock = [x for some in self.stock(self.throughput[load]).values() for x in some]
                if stock:
                    self.base[load, "throughput", "throughput"] = sum(stock) / len(stock), len(stock)
                self.compare_all(load, "throughput", "throughput", self.throughput[load], stats.compare_means)
        self.spread = {}  # metric: (the greatest ratio of stock against stock, where)
        for (load, probe, metric, condition), one in self.compared.items():
            if condition == "stock2" and one["ratio"]:
                beyond = max(one["ratio"], 1 / one["ratio"])
                self.spread[metric] = max(self.spread.get(metric, (1, "")), (beyond, f"{load} {probe}"))
        for (load, probe, metric, condition), one in self.compared.items():
            one["verdict"] = stats.verdict(one, self.spread.get(metric, (1, ""))[0], metric != "throughput")

    def compare_all(self, load, probe, metric, table, compare):
        for condition in self.conditions:
            if condition == "stock" or condition not in table:
                continue
            base = table.get("stock", {}) if condition == "stock2" else self.stock(table)
            one = compare(table[condition], base)
            if one:
                self.compared[load, probe, metric, condition] = one


def value_text(metric, value):
    if metric == "miss":
        return f"{100 * value:.2f} %"
    return f"{value:.2f}" if metric == "throughput" else f"{value / 1000:.2f}"


def ratio_text(one):
    text = f"{one['ratio']:.2f}"
    return f"{text} [{one['interval'][0]:.2f}–{one['interval'][1]:.2f}]" if one["interval"] else text


def rows(results, load, probe, metric):
    """The line of a metric, if it has one: the value of stock, and each other condition against it."""
    base = results.base.get((load, probe, metric))
    some = {c: results.compared.get((load, probe, metric, c)) for c in results.conditions if c != "stock"}
    if base is None and not any(some.values()):
        return []
    few = metric == "p99" and base is not None and base[1] < FEW
    line = (f"{probe if metric != 'throughput' else '':<12}{metric + '*' * few:<11}"
            f"{value_text(metric, base[0]) if base else '-':>9}")
    for condition, one in some.items():
        if condition == "stock2":
            line += f"{ratio_text(one) if one else '-':>20}"
        elif one:
            line += f"{value_text(metric, one['value']):>10}{ratio_text(one):>22} {one['verdict']:<6}"
        else:
            line += f"{'-':>32}{'':<7}"
    return [line]


def load_text(results, load):
    unit = next((c["unit"] for c in results.cells if c["load"] == load), None)
    head = f"{'':<23}{'stock':>9}"
    for condition in results.conditions:
        if condition != "stock":
            head += f"{'stock2/stock':>20}" if condition == "stock2" else f"{condition + ', against stock':>39}"
    lines = ["", f"Beside {load}" + (f" (throughput in {unit})" if unit else ""), "", head]
    for (at, probe) in results.samples:
        if at == load:
            for metric in stats.METRICS:
                lines += rows(results, load, probe, metric)
    lines += rows(results, load, "throughput", "throughput")
    return lines


def quiet_text(results):
    lines = ["", "CPU used by others, s per s (median, most); more than 0.05 is no quiet machine:"]
    for condition in results.conditions:
        others = sorted(c["other_cpu"] for c in results.cells if c["condition"] == condition)
        lines.append(f"  {condition:<24}{stats.quantile(others, .5):.3f}  {others[-1]:.3f}")
    return lines


def service_text(results):
    lines = []
    for condition in results.judged:
        used = sorted(c["service"]["cpu_share"] for c in results.cells
                      if c["condition"] == condition and "service" in c)
        if used:
            lines.append(f"  {condition:<24}{100 * stats.quantile(used, .5):.2f} %  {100 * used[-1]:.2f} %")
    return ["", "CPU of the service, of one CPU (median, most):", *lines] if lines else []


def rule_text(results):
    lines = ["", "The rule: WORSE or better is a cell whose ratio to stock (stock and stock2 together) has an interval "
             "(bootstrap over rounds, 95 %)", "that leaves out 1, and that is beyond the greatest ratio of stock2 to stock "
             "of that metric in this run:"]
    if not results.spread:
        return [*lines, "  there is no stock2: the interval decides alone, and such verdicts are weak"]
    lines.append("  " + ", ".join(f"{metric} {beyond:.2f} ({where})" for metric, (beyond, where) in results.spread.items()))
    return lines


def verdict_text(results):
    lines = [""]
    for condition in results.judged:
        judged = {key: one for key, one in results.compared.items() if key[3] == condition}
        counts = Counter(one["verdict"] for one in judged.values())
        lines.append(f"{condition}: {counts['better']} better, {counts['same']} same, {counts['WORSE']} WORSE "
                     + (f"and {counts['?']} undecided (one round) " if counts["?"] else "") + f"of {len(judged)} cells")
        for (load, probe, metric, _), one in judged.items():
            if one["verdict"] == "WORSE":
                lines.append(f"  WORSE beside {load}: {probe if metric != 'throughput' else ''} {metric} "
                             f"{value_text(metric, one['base'])} → {value_text(metric, one['value'])}, {ratio_text(one)}")
    return lines


def text(facts, cells):
    """The whole report."""
    results = Results(cells)
    rounds = len({c["round"] for c in cells})
    lines = ["", f"{rounds} rounds of {facts['seconds']:g} s a cell, times in ms; * fewer than {FEW} samples on a side: "
             "that p99 is nearly the worst value"]
    if rounds < 3:
        lines.append(f"{'one round is' if rounds == 1 else '2 rounds are'} too few for intervals that mean anything")
    for load in results.loads:
        lines += load_text(results, load)
    return "\n".join([*lines, *quiet_text(results), *service_text(results), *rule_text(results),
                      *verdict_text(results)])


def progress_text(cell):
    """One line: the p90 of each probe in ms."""
    figures = {**cell["figures"], **cell["own"]}
    p90 = "  ".join(f"{name} {stats.quantile(sorted(f['late']), .9) / 1000:.2f}" if f["late"] else f"{name} -"
                    for name, f in figures.items())
    done = f"  {cell['throughput']:.1f} {cell['unit']}" if cell["throughput"] is not None else ""
    return (f"round {cell['round']} {cell['load']} {cell['group']} {cell['condition']:<12} p90: {p90}{done}"
            f"  other CPU {cell['other_cpu']:.3f}")
