"""Drift: whether struggles, contexts and scores in use are still those the version was trained and measured on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from recommender.learning.drift_parameters import CALIBRATION, NOT_RANKED, DriftParameters
from recommender.learning.drift_statistics import Floats, Integers, drawn_pairs, in_bins, ks, on_same_values, psi
from recommender.learning.reference_profile import Histogram, ReferenceProfile
from recommender.learning.watched import CATEGORIES, NO_NAME, NUMBERS, CategoryName, NumberName, WatchedLists

Statistic = Literal["PSI", "KS", "difference", "ECE", "gap"]

RARE = "all rarer ones"


@dataclass(frozen=True)
class DriftFinding:
    """One check. ``value`` and ``threshold`` are None where there was too little to tell.

    ``threshold``: what quiet windows of ``n`` pass once in 500. ``interval``: 95%, where a value has one.
    """

    name: str
    statistic: Statistic
    value: float | None
    threshold: float | None
    n: int
    drifted: bool
    sentence: str
    interval: tuple[float, float] | None = None


@dataclass
class QuietThresholds:
    """What each statistic reaches in windows without drift, drawn from the profile itself.

    ``trained_share``: how much of the profile's training struggles a reference holds; 1 but where a study splits them.
    The same profile and size give the same thresholds, whatever was asked for before.
    """

    profile: ReferenceProfile
    parameters: DriftParameters
    trained_share: float = 1.0
    _known: dict[tuple[str, int], tuple[float, ...]] = field(default_factory=dict)

    def numbers(self, name: NumberName, n: int) -> tuple[float, ...]:
        """Thresholds of PSI and KS for a window of ``n`` numbers."""
        return self._once(name, n, lambda: self._of_numbers(self.profile.numbers[name], n, self._seed(name)))

    def names(self, name: CategoryName, n: int) -> float:
        """Threshold of PSI for a window of ``n`` names."""
        counts = np.array(list(pooled(self.profile.names[name], self._rare(name)).values()))
        return self._once(name, n, lambda: (self._quantile(psi(*self._pairs(counts, n, name))),))[0]

    def not_ranked(self, n: int) -> float:
        """Threshold of the difference in the share of struggles answered with a message."""
        counts = np.array([self.profile.not_ranked, self.profile.struggles - self.profile.not_ranked])
        return self._once(NOT_RANKED, n, lambda: (self._of_shares(counts, n),))[0]

    def _of_numbers(self, trained: Histogram, n: int, seed: tuple[int, ...]) -> tuple[float, ...]:
        counts, values = np.array(trained.counts), np.array(trained.values)
        found, reference = drawn_pairs(counts, n, self._trained(counts), self.parameters.draws.value, seed)
        edges = np.array(trained.deciles)
        by_bin = psi(in_bins(found, values, edges), in_bins(reference, values, edges))
        return self._quantile(by_bin), self._quantile(ks(found, reference))

    def _of_shares(self, counts: Integers, n: int) -> float:
        found, reference = self._pairs(counts, n, NOT_RANKED)
        first = [part[:, 0] / part.sum(axis=1) for part in (found, reference)]
        return self._quantile(np.abs(first[0] - first[1]))

    def _pairs(self, counts: Integers, n: int, name: str) -> tuple[Integers, Integers]:
        return drawn_pairs(counts, n, self._trained(counts), self.parameters.draws.value, self._seed(name))

    def _trained(self, counts: Integers) -> int:
        return max(1, round(self.trained_share * int(counts.sum())))

    def _quantile(self, drawn: Floats) -> float:
        return float(np.quantile(drawn, self.parameters.quantile.value, method="higher"))

    def _rare(self, name: CategoryName) -> frozenset[str]:
        return rare_names(self.profile.names[name], self.parameters)

    def _seed(self, name: str) -> tuple[int, ...]:
        # A stream of its own for each check, so that none depends on what else is checked.
        return (0, (*NUMBERS, *CATEGORIES, NOT_RANKED).index(name))

    def _once(self, name: str, n: int, make: Callable[[], tuple[float, ...]]) -> tuple[float, ...]:
        if (name, n) not in self._known:
            self._known[name, n] = make()
        return self._known[name, n]


def drift_findings(lists: WatchedLists, profile: ReferenceProfile, thresholds: QuietThresholds) -> list[DriftFinding]:
    """PSI and KS of every number, PSI of every name, and the share answered with a message.

    The order of the lists does not matter. A threshold counts that many quiet windows; it knows nothing of what the
    lists of one teacher have in common, so that a window of few teachers is called drifted more often.
    """
    findings: list[DriftFinding] = []
    for name in NUMBERS:
        values = lists.numbers[name]
        findings += _of_numbers(name, values[~np.isnan(values)], profile.numbers[name], thresholds)
    for category in CATEGORIES:
        names = [each for each in lists.names[category].tolist() if each != NO_NAME]
        findings.append(_of_names(category, names, profile.names[category], thresholds))
    return [*findings, _of_not_ranked(lists, profile, thresholds)]


def rare_names(trained: Mapping[str, int], parameters: DriftParameters) -> frozenset[str]:
    """Names that fewer than ``least_share`` of the training struggles have."""
    total = sum(trained.values())
    return frozenset(name for name, count in trained.items() if count < parameters.least_share.value * total)


def pooled(counts: Mapping[str, int], rare: frozenset[str]) -> dict[str, int]:
    """Counts by name, with the rare ones taken together under ``RARE``, which is always there."""
    result = {name: counts[name] for name in sorted(counts) if name not in rare}
    return result | {RARE: sum(count for name, count in counts.items() if name in rare)}


def not_judged(name: str, statistic: Statistic, n: int, wanted: int, parameters: DriftParameters) -> DriftFinding:
    """A check that cannot be made."""
    sentence = parameters.sentences.too_few.format(label=parameters.labels[name], n=n, wanted=wanted)
    return DriftFinding(name, statistic, None, None, n, drifted=False, sentence=sentence)


def judged(
    name: str,
    statistic: Statistic,
    measured: float,
    threshold: float,
    n: int,
    parameters: DriftParameters,
    figures: Mapping[str, float | str],
    interval: tuple[float, float] | None = None,
) -> DriftFinding:
    """A check that was made, in a sentence with ``figures``."""
    sentences = parameters.sentences
    kind = name if name in (NOT_RANKED, CALIBRATION) else "numbers" if name in NUMBERS else "names"
    drifted = bool(measured > threshold)
    said = str(getattr(sentences, kind)).format(label=parameters.labels[name], **figures)
    meant = sentences.drifted if drifted else sentences.quiet
    value, limit = round(measured, 4), round(threshold, 4)
    return DriftFinding(name, statistic, value, limit, n, drifted, f"{said} {meant}", interval)


def _of_numbers(
    name: NumberName, values: Floats, trained: Histogram, thresholds: QuietThresholds
) -> list[DriftFinding]:
    parameters, n = thresholds.parameters, len(values)
    statistics: tuple[Statistic, Statistic] = ("PSI", "KS")
    if n < parameters.least_lists.value:
        return [not_judged(name, statistic, n, parameters.least_lists.value, parameters) for statistic in statistics]
    counts, reference, union = on_same_values(values, np.array(trained.values), np.array(trained.counts))
    edges = np.array(trained.deciles)
    measured = psi(in_bins(counts, union, edges), in_bins(reference, union, edges)), ks(counts, reference)
    here = Histogram.of(values)
    figures: dict[str, float | str] = {
        "found": here.quantile(0.5), "low": here.quantile(0.1), "high": here.quantile(0.9),
        "trained": trained.quantile(0.5), "trained_low": trained.quantile(0.1), "trained_high": trained.quantile(0.9),
    }  # fmt: skip
    return [
        judged(name, statistic, float(value), threshold, n, parameters, figures)
        for statistic, value, threshold in zip(statistics, measured, thresholds.numbers(name, n), strict=True)
    ]


def _of_names(
    name: CategoryName, names: list[str], trained: Mapping[str, int], thresholds: QuietThresholds
) -> DriftFinding:
    parameters, n = thresholds.parameters, len(names)
    if n < parameters.least_lists.value:
        return not_judged(name, "PSI", n, parameters.least_lists.value, parameters)
    kept = set(trained) - rare_names(trained, parameters)
    reference = pooled(trained, frozenset(trained) - kept)
    seen = {each: names.count(each) for each in set(names)}
    here = pooled(dict.fromkeys(kept, 0) | seen, frozenset(seen) - kept)
    labels = list(reference)
    counts = np.array([here[label] for label in labels]), np.array([reference[label] for label in labels])
    shares = [part / part.sum() for part in counts]
    most = int(np.argmax(np.abs(shares[0] - shares[1])))
    figures: dict[str, float | str] = {
        "name": labels[most],
        "found": float(shares[0][most]),
        "trained": float(shares[1][most]),
    }
    return judged(name, "PSI", float(psi(*counts)), thresholds.names(name, n), n, parameters, figures)


def _of_not_ranked(lists: WatchedLists, profile: ReferenceProfile, thresholds: QuietThresholds) -> DriftFinding:
    parameters, n = thresholds.parameters, len(lists)
    if n < parameters.least_lists.value:
        return not_judged(NOT_RANKED, "difference", n, parameters.least_lists.value, parameters)
    here, trained = float((~lists.ranked).mean()), profile.not_ranked / profile.struggles
    return judged(
        NOT_RANKED, "difference", abs(here - trained), thresholds.not_ranked(n), n, parameters,
        {"found": here, "trained": trained},
    )  # fmt: skip
