# SPDX-License-Identifier: GPL-2.0-only
# Copyright (C) 2026 The ProcDb developers
"""Pooled values over rounds, their ratio to stock, and how far that ratio can be trusted."""

import itertools
import math
import random
from collections import Counter

METRICS = ("p50", "p90", "p99", "mean", "miss")
QUANTILES = {"p50": .5, "p90": .9, "p99": .99}
BINS = 200  # a factor of e, so half a per cent each: finer than any ratio that matters
RESAMPLES = 500
CONFIDENCE = .95


class Sample:
    """What one probe saw in one cell: times in µs, and how many periods were missed, if it has any."""

    def __init__(self, times, missed=None):
        self.times, self.n, self.sum, self.missed = times, len(times), sum(times), missed
        self.bins = Counter(int(math.log(max(t, 1)) * BINS) for t in times)


def quantile(values, q):
    """Of sorted values."""
    return values[int((len(values) - 1) * q)]


def binned_quantile(samples, weights, q):
    bins = Counter()
    for sample, weight in zip(samples, weights):
        if weight:
            for at, n in sample.bins.items():
                bins[at] += weight * n
    left = (sum(bins.values()) - 1) * q
    for at in sorted(bins):
        left -= bins[at]
        if left < 0:
            return math.exp((at + .5) / BINS)
    return math.exp((max(bins) + .5) / BINS)


def value(samples, metric, weights=None):
    """A metric of samples put together, in µs, or a share for misses; None where there is none."""
    weights = weights or [1] * len(samples)
    n = sum(w * s.n for s, w in zip(samples, weights))
    if n == 0 or (metric == "miss" and samples[0].missed is None):
        return None
    if metric == "miss":
        return sum(w * s.missed for s, w in zip(samples, weights)) / n
    if metric == "mean":
        return sum(w * s.sum for s, w in zip(samples, weights)) / n
    if set(weights) == {1}:
        return quantile(sorted(t for s in samples for t in s.times), QUANTILES[metric])
    return binned_quantile(samples, weights, QUANTILES[metric])


def ratio(value, base, metric, n):
    """Of two values; times of a µs and fewer are one, and no miss is half of one."""
    least = .5 / max(n, 1) if metric == "miss" else 1
    return max(value, least) / max(base, least)


def resamples(rounds):
    """How often each of so many rounds is drawn, and how likely that is: all ways, or many by chance."""
    if math.comb(2 * rounds - 1, rounds) > RESAMPLES:
        chance = random.Random(rounds)
        for _ in range(RESAMPLES):
            drawn = Counter(chance.randrange(rounds) for _ in range(rounds))
            yield [drawn[i] for i in range(rounds)], 1
        return
    for drawn in itertools.combinations_with_replacement(range(rounds), rounds):
        weights = [drawn.count(i) for i in range(rounds)]
        yield weights, math.factorial(rounds) / math.prod(map(math.factorial, weights))


def interval(rounds, ratio_of):
    """Bootstrap over rounds, which stay together: where CONFIDENCE of ratio_of(weights) lies; None for one round."""
    if rounds < 2:
        return None
    drawn = sorted((ratio_of(weights), likely) for weights, likely in resamples(rounds))
    total, so_far, low, high = sum(likely for _, likely in drawn), 0, None, drawn[-1][0]
    for one, likely in drawn:
        so_far += likely
        if low is None and so_far > total * (1 - CONFIDENCE) / 2:
            low = one
        if so_far >= total * (1 + CONFIDENCE) / 2:
            high = one
            break
    return low, high


def compare(samples, base, metric):
    """Ratio and interval of {round: [Sample...]} against another such, in the rounds that both have."""
    rounds = sorted(samples.keys() & base.keys())
    ours = [s for r in rounds for s in samples[r]]
    theirs = [s for r in rounds for s in base[r]]
    mine, other = value(ours, metric), value(theirs, metric)
    if mine is None or other is None:
        return None
    n = min(sum(s.n for s in ours), sum(s.n for s in theirs))

    def ratio_of(weights):
        by_round = dict(zip(rounds, weights))
        return ratio(value(ours, metric, [by_round[r] for r in rounds for _ in samples[r]]),
                     value(theirs, metric, [by_round[r] for r in rounds for _ in base[r]]), metric, n)

    return {"value": mine, "base": other, "n": n, "ratio": ratio(mine, other, metric, n),
            "interval": interval(len(rounds), ratio_of)}


def compare_means(samples, base):
    """The same of {round: [number...]}, by their means."""
    rounds = sorted(samples.keys() & base.keys())
    if not rounds:
        return None

    def mean(table, weights):
        pairs = [(x, w) for r, w in zip(rounds, weights) for x in table[r]]
        return sum(x * w for x, w in pairs) / sum(w for _, w in pairs)

    once = [1] * len(rounds)
    if mean(base, once) == 0:
        return None
    return {"value": mean(samples, once), "base": mean(base, once), "n": len(rounds),
            "ratio": mean(samples, once) / mean(base, once),
            "interval": interval(len(rounds), lambda w: mean(samples, w) / mean(base, w))}


def verdict(compared, spread, less_is_better=True):
    """better, same or WORSE: beyond 1 with the whole interval, and beyond the spread of stock against stock.

    One round has no interval and leaves it undecided.
    """
    if not compared["interval"]:
        return "?"
    worse = (lambda x: x) if less_is_better else (lambda x: 1 / x if x else math.inf)
    low, high = sorted(map(worse, compared["interval"]))
    middle = worse(compared["ratio"])
    if low > 1 and middle > spread:
        return "WORSE"
    if high < 1 and middle < 1 / spread:
        return "better"
    return "same"
