"""Rates of groups of teachers and the gap between them, with intervals that know who said several things."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from scipy.stats import t as student

from recommender.training.intervals import Interval
from recommender.training.metrics import FloatArray


@dataclass(frozen=True)
class Entry:
    """What one teacher adds to a rate: ``above`` of ``below``, as chosen lists of all lists."""

    teacher: str
    above: float
    below: float


@dataclass(frozen=True)
class GroupRate:
    """A group's rate ``sum(above) / sum(below)``, its variance over teachers and how many there are."""

    group: str
    rate: float
    variance: float
    teachers: int
    below: float

    def interval(self, comparisons: int = 1) -> Interval:
        """The rate with its 95% interval."""
        half = _reach(self.teachers, comparisons) * float(np.sqrt(self.variance))
        return Interval(self.rate, self.rate - half, self.rate + half, self.teachers)


def group_rates(
    entries: Iterable[Entry], group_of: Mapping[str, str], smallest: int, *, share: bool = True
) -> dict[str, GroupRate]:
    """The rate of every group with ``smallest`` teachers or more; other groups are left out, and teachers without one.

    A teacher counts where they have anything below the line. The variance is that of a ratio of sums over teachers
    (Taylor linearisation; Woodruff 1971). ``share``: of a share it is at least that of independent cases with two
    more of either kind (Agresti and Coull 1998), so that a group in which nothing happened is not taken for certain.
    """
    sums: dict[str, dict[str, FloatArray]] = {}
    for entry in entries:
        group = group_of.get(entry.teacher)
        if group is not None and entry.below > 0:
            person = sums.setdefault(group, {}).setdefault(entry.teacher, np.zeros(2))
            person += (entry.above, entry.below)
    return {
        group: _rate(group, np.array([sums[group][teacher] for teacher in sorted(sums[group])]), share=share)
        for group in sorted(sums)
        if len(sums[group]) >= smallest
    }


def _rate(group: str, people: FloatArray, *, share: bool) -> GroupRate:
    above, below = people.sum(axis=0)
    n = len(people)
    rate = above / below
    variance = float(((people[:, 0] - rate * people[:, 1]) ** 2).sum() / below**2 * n / max(n - 1, 1))
    if share:
        near = (above + 2) / (below + 4)
        variance = max(variance, near * (1 - near) / (below + 4))
    return GroupRate(group, float(rate), variance, n, float(below))


def worst_gap(rates: Mapping[str, GroupRate], comparisons: int) -> tuple[Interval, str, str] | None:
    """The largest difference of two groups' rates, higher less lower, with the two groups; None for under two groups.

    The interval allows for ``comparisons`` looked at (Bonferroni), since the largest of many gaps is never small.
    """
    pairs = [_ordered(first, second) for first, second in combinations(rates.values(), 2)]
    if not pairs:
        return None
    low, high = max(pairs, key=lambda pair: pair[1].rate - pair[0].rate)
    gap = high.rate - low.rate
    half = _reach(min(low.teachers, high.teachers), comparisons) * float(np.sqrt(low.variance + high.variance))
    return Interval(gap, gap - half, gap + half, low.teachers + high.teachers), low.group, high.group


def worst_ratio(rates: Mapping[str, GroupRate], comparisons: int) -> tuple[Interval, str, str] | None:
    """The lowest rate over the highest with its interval, on the log scale; None for under two groups or no event."""
    if len(rates) < 2 or not any(each.rate for each in rates.values()):
        return None
    low, high = (function(rates.values(), key=lambda each: each.rate) for function in (min, max))
    # Half an event more keeps a rate of 0 on the log scale (Haldane 1956); the ratio itself is told as it is.
    near = [(each.rate * each.below + 0.5) / (each.below + 1) for each in (low, high)]
    sd = float(np.sqrt(low.variance / near[0] ** 2 + high.variance / near[1] ** 2))
    half = _reach(min(low.teachers, high.teachers), comparisons) * sd
    middle = near[0] / near[1]
    ratio = low.rate / high.rate
    ends = min(ratio, middle * np.exp(-half)), max(ratio, middle * np.exp(half))
    return Interval(ratio, float(ends[0]), float(ends[1]), low.teachers + high.teachers), low.group, high.group


def _ordered(first: GroupRate, second: GroupRate) -> tuple[GroupRate, GroupRate]:
    return (first, second) if first.rate <= second.rate else (second, first)


def _reach(teachers: int, comparisons: int) -> float:
    """Half-width in standard errors, from Student's t with the smaller group's teachers."""
    return float(student.ppf(1 - 0.025 / max(comparisons, 1), max(teachers - 1, 1)))
