"""What a candidate's order would have been worth on lists that another order was shown for, and whether that is known.

The value of an order is the expected number of events (choices, removals) a list. Three estimates, Li et al. 2018:
``ips``, events weighted by how much more the candidate would have had them looked at, weights clipped (Strehl et al.
2010); ``snips``, the same over the sum of the weights (Swaminathan and Joachims 2015); ``doubly_robust``, predicted
events of the candidate's list plus weighted errors of the prediction on the shown one (Dudik et al. 2011).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from recommender.catalogue.yaml_files import read_validated
from recommender.errors import GrowthError
from recommender.learning.off_policy_lists import Floats, ListLog
from recommender.learning.ratio_intervals import RatioIntervals, Ratios, more_than, ratio_intervals
from recommender.training.intervals import Interval
from recommender.training.simulate.sourced import AtLeastOne, Positive, StrictModel, Value

OFF_POLICY_FILE = Path(__file__).parent / "off_policy.yaml"
# Columns of sums over lists, and the estimates as ratios of two of them.
LISTS, EVENTS, WEIGHTED, WEIGHT, ROBUST = range(5)
RATIOS: Ratios = {"shown": (EVENTS, LISTS), "ips": (WEIGHTED, LISTS), "snips": (WEIGHTED, WEIGHT)}
ROBUST_RATIOS: Ratios = {**RATIOS, "doubly_robust": (ROBUST, LISTS)}


class OffPolicyMessages(StrictModel):
    """Why a figure is not enough, one sentence a limit."""

    effective_lists: str
    effective_events: str
    teachers: str
    shift: str


class OffPolicyParameters(StrictModel):
    """Clipping, and the limits of ``enough``; off_policy.yaml gives each its reason."""

    clip: Value[Positive]
    effective_lists: Value[AtLeastOne]
    effective_events: Value[AtLeastOne]
    teachers: Value[AtLeastOne]
    shift: Value[Positive]
    messages: OffPolicyMessages


@dataclass(frozen=True)
class PolicyEstimate:
    """Events a list under the candidate, and how many more than on the shown lists; ``n`` counts lists."""

    value: Interval
    difference: Interval


@dataclass(frozen=True)
class Support:
    """How much of the candidate the log speaks about; arrays have the leading axes of the log."""

    effective_lists: Floats
    """Kish's effective sample size of the lists' mean weights: (sum w)^2 / sum w^2."""
    effective_events: Floats
    """The same of the weights of places where an event happened."""
    largest_weight: Floats
    """Of one place, before clipping."""
    clipped: npt.NDArray[np.int64]
    """Places whose weight was clipped."""
    unsupported: Floats
    """Share of the places the candidate would have looked at that hold a skill never shown there."""
    shift: Floats
    """Largest bias, in events a list, from such places and from clipping."""

    def of(self, log: int) -> Support:
        """The support of one of several logs."""
        return Support(**{name: values[log] for name, values in vars(self).items()})


@dataclass(frozen=True)
class OffPolicy:
    """All that a log says about a candidate. ``shown``: events a list, as logged with its swaps."""

    lists: int
    teachers: int
    left_out: int
    events: int
    support: Support
    shown: Interval
    estimates: dict[str, PolicyEstimate]
    reasons: tuple[str, ...]
    """Why the figures are not enough to decide by; empty when they are."""

    @property
    def enough(self) -> bool:
        """Whether the intervals can be trusted to hold what they claim."""
        return not self.reasons


@lru_cache(maxsize=4)
def load_off_policy_parameters(file: Path = OFF_POLICY_FILE) -> OffPolicyParameters:
    """Read and validate the file. Raises DataFileError with the group and field of the first broken rule."""
    return read_validated(file, OffPolicyParameters)


def off_policy(log: ListLog, parameters: OffPolicyParameters, draws: int = 2000, seed: int = 0) -> OffPolicy:
    """Estimates of the candidate's value with 95% intervals over teachers; ``doubly_robust`` only with predictions.

    ``log``: one log, ``(n, K)``. 2,000 resamples hold the ends of an interval steady to about 2% of its width. Raises
    GrowthError for fewer than two teachers and for a candidate that has no skill in common with the log.
    """
    ratios = RATIOS if log.predicted_shown is None else ROBUST_RATIOS
    support = support_of(log, parameters.clip.value)
    if not support.effective_lists:
        raise GrowthError(
            "no shown skill that the candidate would show", wanted="lists that overlap", where="off-policy"
        )
    sums = teacher_sums(list_columns(log, parameters.clip.value), log.teacher)
    found = ratio_intervals(sums[None], ratios, "shown", draws, seed)
    most, lists = float(log.examination.sum(axis=1).mean()), len(log.teacher)
    intervals = {name: _interval(found, index, most, lists) for index, name in enumerate(found.names)}
    return OffPolicy(
        lists=lists,
        teachers=len(sums),
        left_out=log.left_out,
        events=int(log.events.sum()),
        support=support,
        shown=intervals["shown"],
        estimates={
            name: PolicyEstimate(intervals[name], intervals[more_than(name, "shown")])
            for name in ratios
            if name != "shown"
        },
        reasons=tuple(shortfalls(support, len(sums), float(found.least_sd[0]), parameters)),
    )


def list_columns(log: ListLog, clip: float) -> Floats:
    """Per list the columns LISTS to WEIGHT, and ROBUST with predictions: (..., n, 4 or 5).

    WEIGHT is the mean weight over the places, each counted by its examination; its expectation is 1 where every
    candidate's skill could be shown, which is what ``snips`` divides by.
    """
    weight = np.minimum(log.weight, clip)
    columns = [
        np.ones(log.events.shape[:-1]),
        log.events.sum(axis=-1),
        (weight * log.events).sum(axis=-1),
        _mean_weight(log, weight),
    ]
    if log.predicted_shown is not None and log.predicted_candidate is not None:
        predicted = (log.examination * log.predicted_candidate).sum(axis=-1)
        columns.append(predicted + (weight * (log.events - log.examination * log.predicted_shown)).sum(axis=-1))
    return np.stack(columns, axis=-1)


def teacher_sums(columns: Floats, teacher: npt.NDArray[Any]) -> Floats:
    """Sums over each teacher's lists, teachers in the order of their labels: (..., teachers, columns)."""
    order = np.argsort(teacher, kind="stable")
    _, starts = np.unique(teacher[order], return_index=True)
    result: Floats = np.add.reduceat(columns[..., order, :], starts, axis=-2)
    return result


def support_of(log: ListLog, clip: float) -> Support:
    """Effective sample sizes, weights and unsupported places of a log."""
    weight = np.minimum(log.weight, clip)
    unseen = (log.examination * ~log.supported).sum(axis=-1)
    cut = (log.examination * (log.weight - weight)).sum(axis=-1)
    places = (-2, -1)
    return Support(
        effective_lists=_kish(_mean_weight(log, weight), (-1,)),
        effective_events=_kish(weight * log.events, places),
        largest_weight=log.weight.max(axis=places),
        clipped=(log.weight > clip).sum(axis=places),
        unsupported=unseen.sum(axis=-1) / log.examination.sum(axis=places),
        shift=(unseen + cut).mean(axis=-1),
    )


def shortfalls(support: Support, teachers: int, sd: float, parameters: OffPolicyParameters) -> list[str]:
    """Why one log is not enough, a sentence a limit. ``sd``: standard error that a bias is held against."""
    found = {
        "effective_lists": float(support.effective_lists),
        "effective_events": float(support.effective_events),
        "teachers": teachers,
    }
    reasons = []
    for name, value in found.items():
        wanted = getattr(parameters, name).value
        if value < wanted:
            reasons.append(getattr(parameters.messages, name).format(found=value, wanted=wanted))
    shift, limit = float(support.shift), parameters.shift.value * sd
    if shift > limit:
        share = float(support.unsupported)
        reasons.append(parameters.messages.shift.format(share=share, shift=shift, limit=limit))
    return reasons


def _kish(weight: Floats, axes: tuple[int, ...]) -> Floats:
    square = (weight**2).sum(axis=axes)
    result: Floats = np.divide(weight.sum(axis=axes) ** 2, square, out=np.zeros_like(square), where=square > 0)
    return result


def _interval(found: RatioIntervals, index: int, most: float, lists: int) -> Interval:
    """An end is never further from the estimate than events a list can be."""
    value, half = float(found.value[index, 0]), min(float(found.half_width[index, 0]), most)
    return Interval(value, value - half, value + half, lists)


def _mean_weight(log: ListLog, weight: Floats) -> Floats:
    result: Floats = (log.examination * weight).sum(axis=-1) / log.examination.sum(axis=-1)
    return result
