"""How far down a list people look, and what a review then says about skills they may not have looked at."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from recommender.learning.evidence import EvidenceRow
from recommender.learning.parameters import ExaminationParameters
from recommender.learning.signals import last_chosen

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]


@dataclass(frozen=True)
class PlaceRatio:
    """Examination at ``place`` + 1 over that at ``place``, from swapped lists, and the events it rests on.

    ``logged`` is None where there were too few events; ``used`` is what counts: between it and the assumed ratio.
    """

    place: int
    events: tuple[int, int]
    """Removals and choices at the place and at the next"""
    logged: float | None
    logged_sd: float | None
    """Standard error of the log ratio"""
    used: float


@dataclass(frozen=True)
class Positions:
    """Examination propensity by place, from place 1; a place beyond the last is looked at as it is."""

    examination: tuple[float, ...]
    ratios: tuple[PlaceRatio, ...] = ()
    """What was logged about neighbouring places; empty without swapped lists"""

    @classmethod
    def assumed(cls, parameters: ExaminationParameters) -> Positions:
        """The curve of learning.yaml."""
        return cls(tuple(max(value, parameters.least.value) for value in parameters.assumed.value))

    @classmethod
    def everywhere(cls) -> Positions:
        """As if every place were looked at."""
        return cls((1.0,))

    @property
    def estimated(self) -> bool:
        """Whether logged swaps moved the curve."""
        return any(ratio.logged is not None for ratio in self.ratios)

    def at(self, place: Integers) -> Floats:
        """Examination at each place, counted from 1; 1 at place 0, which is no place."""
        curve = np.array((1.0, *self.examination))
        result: Floats = curve[np.minimum(place, len(curve) - 1)]
        return result

    def target(self, said: Floats, place: Integers) -> Floats:
        """Unbiased target of a judged skill: ``1 - (1 - said) / e_k``, below 0 where little is looked at.

        A coach removes what is not relevant only where they looked: with chance ``e_k (1 - relevance)``. The mean of
        the target over looking and not looking is the relevance (Saito et al. 2020, unbiased recommender learning
        from missing-not-at-random feedback; Joachims et al. 2017).
        """
        result: Floats = 1 - (1 - said) / self.at(place)
        return result

    def information(self, probability: Floats, place: Integers) -> Floats:
        """How much of a full look's information a judgement at a place holds, 0 to 1.

        ``p e / (1 - e (1 - p))`` is the variance of a relevance over that of its target. It depends on the shipped
        probability and the place alone, never on what was said, so the target stays unbiased; with it the fit follows
        the likelihood of "removed only where looked" to first order, and its curvature can be trusted.
        """
        e = self.at(place)
        result: Floats = probability * e / (1 - e * (1 - probability))
        return result


def estimate_positions(rows: Sequence[EvidenceRow], parameters: ExaminationParameters) -> Positions:
    """The assumed curve, moved towards what logged exploration swaps show.

    Of two skills that changed places by chance each stood at both with a known chance. Removals and choices at the two
    places, each divided by that chance, then differ only by examination (intervention harvesting: Agarwal et al. 2019;
    Joachims et al. 2017, 5.3). A log ratio with under ``enough_events`` at either place is left at the assumed one;
    others are averaged with it by precision. Clipped to ``least`` .. 1.
    """
    assumed = Positions.assumed(parameters).examination
    sums: dict[int, Floats] = {}
    for place, second, chance in _events(rows):
        # count, weighted sum and its variance, for the place and the next
        entry = sums.setdefault(place, np.zeros((2, 3)))
        entry[second] += (1.0, 1 / chance, 1 / chance**2)
    if not sums:
        return Positions(assumed)
    curve = [assumed[0]]
    ratios = []
    for place in range(1, max(len(assumed), max(sums) + 1)):
        expected = _assumed_ratio(assumed, place)
        ratio = _ratio(place, sums.get(place), expected, parameters)
        ratios.append(ratio)
        curve.append(float(np.clip(curve[-1] * ratio.used, parameters.least.value, 1.0)))
    return Positions(tuple(curve), tuple(ratios))


def _assumed_ratio(assumed: Sequence[float], place: int) -> float:
    return assumed[place] / assumed[place - 1] if place < len(assumed) else 1.0


def _ratio(place: int, sums: Floats | None, expected: float, parameters: ExaminationParameters) -> PlaceRatio:
    events = (0, 0) if sums is None else (int(sums[0, 0]), int(sums[1, 0]))
    if sums is None or min(events) < parameters.enough_events.value:
        return PlaceRatio(place, events, None, None, expected)
    logged = float(np.log(sums[1, 1] / sums[0, 1]))
    variance = float((sums[:, 2] / sums[:, 1] ** 2).sum())
    precision = 1 / variance, 1 / parameters.ratio_sd.value**2
    used = (precision[0] * logged + precision[1] * np.log(expected)) / sum(precision)
    return PlaceRatio(place, events, float(np.exp(logged)), float(np.sqrt(variance)), float(np.exp(used)))


def _events(rows: Sequence[EvidenceRow]) -> Iterator[tuple[int, int, float]]:
    """Every removal and choice on a swapped pair: the pair's upper place, 0 or 1 within it, and the logged chance."""
    for row in rows:
        removed = [change.skill_id for change in row.review.changes if change.action == "remove"] if row.review else []
        told = [*removed, last_chosen(row)]
        for upper in swapped_pairs(row):
            for second in (0, 1):
                place = row.shown[upper - 1 + second]
                for _ in range(told.count(place.skill_id)):
                    yield upper, second, place.propensity


def swapped_pairs(row: EvidenceRow) -> list[int]:
    """Upper places of the pairs that exploration could have swapped: two neighbours with one chance below 1."""
    pairs: list[int] = []
    place = 1
    while place < len(row.shown):
        first, second = row.shown[place - 1].propensity, row.shown[place].propensity
        if first < 1 and abs(first - second) < 1e-9:
            pairs.append(place)
            place += 1
        place += 1
    return pairs
