"""Calibration in use: whether suggestions hold in coaches' reviews as often as their probabilities promise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from recommender.catalogue.loader import Catalogue
from recommender.learning.drift import DriftFinding, Statistic, judged, not_judged
from recommender.learning.drift_parameters import CALIBRATION, DriftParameters
from recommender.learning.drift_statistics import Floats, Integers
from recommender.learning.evidence import EvidenceRow
from recommender.learning.parameters import LearningParameters
from recommender.learning.positions import Positions, estimate_positions
from recommender.learning.reference_profile import ReferenceProfile, ReliabilityBin
from recommender.learning.signals import read_signals

# Expected shares stay off the ends: at them nothing could be drawn.
_LEAST = 0.01


@dataclass(frozen=True)
class ReviewedSkills:
    """Skills that coaches judged on a list, one entry each; ``list_number`` tells which list.

    ``target``: 1 - (1 - said) / examination, the unbiased relevance of ``Positions.target``; it can be below 0.
    """

    probability: Floats
    examination: Floats
    target: Floats
    list_number: Integers

    def __len__(self) -> int:
        return len(self.probability)


def reviewed_skills(rows: Sequence[EvidenceRow], catalogue: Catalogue, learning: LearningParameters) -> ReviewedSkills:
    """What reviews say of the skills in sight, with the probability that was shown less what spreading did."""
    judgements, _ = read_signals(rows, catalogue, learning)
    positions: Positions = estimate_positions(rows, learning.examination)
    place = judgements.about.place
    return ReviewedSkills(
        expit(judgements.about.log_odds),
        positions.at(place),
        positions.target(judgements.said, place),
        judgements.row,
    )


def calibration_findings(
    reviewed: ReviewedSkills, profile: ReferenceProfile, parameters: DriftParameters, seed: int = 0
) -> list[DriftFinding]:
    """Expected calibration error and mean gap of the reviewed skills, beside what training would show.

    ``ECE = sum over bins of |sum (probability - target)| / n`` in the profile's bins; the gap has one bin, and sees
    coaches who are stricter or milder throughout from far fewer reviews. A threshold is drift.yaml's quantile where
    skills hold exactly as often as suggestions of that probability did in training, for as many judgements at the same
    places, the training shares being known no better than they are. Intervals resample whole lists (basic bootstrap,
    which takes off the upward bias of an absolute error; Davison and Hinkley 1997, 5.2).
    """
    statistics: tuple[Statistic, Statistic] = ("ECE", "gap")
    wanted = parameters.least_judgements.value
    if len(reviewed) < wanted:
        return [not_judged(CALIBRATION, statistic, len(reviewed), wanted, parameters) for statistic in statistics]
    reviewed = _in_order(reviewed)
    member = bin_numbers(reviewed.probability, profile.reliability)
    gaps = reviewed.probability - reviewed.target
    values = _errors(_summed(gaps, member), len(gaps))
    drawn = _without_drift(reviewed, member, profile.reliability, parameters.draws.value, seed)
    thresholds = np.quantile(drawn, parameters.quantile.value, axis=0, method="higher")
    intervals = _intervals(values, gaps, member, reviewed.list_number, parameters.resamples.value, seed)
    means = {"promised": float(reviewed.probability.mean()), "held": float(reviewed.target.mean())}
    findings = []
    for at, statistic in enumerate(statistics):
        low, high = (float(end) for end in intervals[:, at])
        figures = {"value": float(values[at]), "low": low, "high": high, "chance": float(drawn[:, at].mean())}
        findings.append(
            judged(
                CALIBRATION, statistic, float(values[at]), float(thresholds[at]), len(reviewed), parameters,
                {"statistic": statistic, **means, **figures}, interval=(round(low, 4), round(high, 4)),
            )
        )  # fmt: skip
    return findings


def bin_numbers(probability: Floats, bins: Sequence[ReliabilityBin]) -> Integers:
    """The profile's bin of each probability."""
    edges = np.array([part.highest for part in bins[:-1]])
    result: Integers = np.searchsorted(edges, probability, side="left").astype(np.int64)
    return result


def _summed(gaps: Floats, member: Integers) -> Floats:
    return np.bincount(member, gaps).astype(np.float64)


def _errors(summed: Floats, n: float) -> Floats:
    """(2,) expected calibration error and mean gap of the gaps summed in each bin."""
    return np.array([np.abs(summed).sum(), abs(summed.sum())]) / n


def _in_order(reviewed: ReviewedSkills) -> ReviewedSkills:
    """Sorted by what is drawn for, so that the order of the lists changes nothing."""
    order = np.lexsort((reviewed.list_number, reviewed.target, reviewed.examination, reviewed.probability))
    return ReviewedSkills(
        reviewed.probability[order], reviewed.examination[order], reviewed.target[order], reviewed.list_number[order]
    )


def _without_drift(
    reviewed: ReviewedSkills, member: Integers, bins: Sequence[ReliabilityBin], draws: int, seed: int
) -> Floats:
    """(draws, 2) errors where what is not relevant is removed if looked at, and skills hold as in training."""
    rng = np.random.default_rng([seed, 1])
    n, share = (np.array([getattr(part, name) for part in bins]) for name in ("n", "share"))
    promised = np.array([part.probability for part in bins])
    result = np.empty((draws, 2))
    for draw in range(draws):
        known = rng.binomial(n, share) / n
        expected = np.clip(reviewed.probability + (known - promised)[member], _LEAST, 1 - _LEAST)
        removed = rng.random(len(reviewed)) < reviewed.examination * (1 - expected)
        gaps = reviewed.probability - 1 + removed / reviewed.examination
        result[draw] = _errors(_summed(gaps, member), len(gaps))
    return result


def _intervals(
    values: Floats, gaps: Floats, member: Integers, list_number: Integers, resamples: int, seed: int
) -> Floats:
    """(2, 2) lower and upper ends of each error."""
    rng = np.random.default_rng([seed, 2])
    _, lists = np.unique(list_number, return_inverse=True)
    n_lists, n_bins = int(lists.max()) + 1, int(member.max()) + 1
    by_list = np.zeros((n_lists, n_bins + 1))
    np.add.at(by_list, (lists, member), gaps)
    by_list[:, -1] = np.bincount(lists)
    # Lists in the order of what they hold, so that the order they came in changes nothing.
    by_list = by_list[np.lexsort(by_list.T)]
    errors = np.empty((resamples, 2))
    for resample in range(resamples):
        drawn = np.bincount(rng.integers(n_lists, size=n_lists), minlength=n_lists) @ by_list
        errors[resample] = _errors(drawn[:-1], drawn[-1])
    ends: Floats = np.quantile(errors, (0.975, 0.025), axis=0)
    return np.maximum(0.0, 2 * values - ends)
