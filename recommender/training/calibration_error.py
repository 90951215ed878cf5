"""Whether the probabilities can be taken at their word: expected calibration error and the reliability table.

The event is a labeller's grade 3 or 2 (``corpus.acceptable``; with several labellers the share of them, so an event may
be a fraction), looked at over the first five suggestions of each case, all cases pooled.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from recommender.errors import GrowthError
from recommender.training.intervals import wilson
from recommender.training.metrics import FloatArray, Floats

Integers: TypeAlias = npt.NDArray[np.int64]

BINS = 10
FIRST = 5


@dataclass(frozen=True)
class PooledSuggestions:
    """The first suggestions of all cases, flat: what was promised, what came true, who judged and in which case."""

    probabilities: FloatArray
    events: FloatArray
    labellers: Integers
    """How many labellers each event is the mean of."""
    cases: Integers
    """Row number of the case, for an interval that resamples whole cases."""


@dataclass(frozen=True)
class CalibrationError:
    """An expected calibration error, 0..1: ``corrected = max(0, raw - chance)`` over ``n`` suggestions."""

    corrected: float
    raw: float
    chance: float
    """The mean error that perfectly calibrated probabilities would show on this many suggestions."""
    n: int


@dataclass(frozen=True)
class ReliabilityBin:
    """One bin: ``n`` suggestions, their mean probability, the share that came true and its 95% Wilson interval."""

    n: int
    mean_probability: float
    event_rate: float
    low: float
    high: float


def pool_first(
    scores: Floats, probabilities: Floats, acceptable: Floats, labellers: Integers, first: int = FIRST
) -> PooledSuggestions:
    """The ``first`` best-scored suggestions of every case, pooled; ties rank in column order.

    ``scores``, ``probabilities`` and ``acceptable`` are ``(n, k)``; ``labellers`` ``(n,)`` counts who labelled each
    row. A row nobody labelled has no event and is left out.
    """
    order = np.argsort(-scores, axis=1, kind="stable")[:, :first]
    order = order[labellers > 0]
    cases = np.flatnonzero(labellers > 0).repeat(order.shape[1])
    columns = order.ravel()
    return PooledSuggestions(
        probabilities[cases, columns].astype(np.float64),
        acceptable[cases, columns].astype(np.float64),
        labellers[cases],
        cases,
    )


def calibration_error(
    probabilities: Floats,
    events: Floats,
    labellers: Integers | int = 1,
    bins: int = BINS,
    resamples: int = 1000,
    seed: int = 0,
) -> CalibrationError:
    """Expected calibration error over equal-mass bins, less what chance alone would show.

    ``raw = sum over bins of (n_bin / n) * |mean probability - mean event|`` (Naeini et al. 2015, with equal-mass bins
    as in Nguyen and O'Connor 2015). On few rows raw is above 0 even for perfect probabilities, so the mean of raw over
    ``resamples`` seeded draws of events that do follow the probabilities, Binomial(labellers, p) / labellers, is
    subtracted and the difference floored at 0: the l1 analogue of the debiased estimator of Kumar, Liang and Ma 2019
    ("Verified Uncertainty Calibration").

    Read ``corrected`` beside ``raw``, for the truth lies between them: raw is too high by ``chance`` when nothing is
    wrong and by next to nothing when every bin is off by more than its own noise, while the correction always takes the
    full ``chance``. Labellers of one case agree more often than independent draws do, and so do its suggestions; the
    draws know of neither, which sets ``chance`` too low and ``corrected`` too high.

    Raises GrowthError for values outside 0..1, unequal lengths or nothing at all.
    """
    _check(probabilities, events)
    number = _bin_numbers(probabilities, bins)
    raw = _mean_gap(number, probabilities - events)
    rng = np.random.default_rng(seed)
    judged = np.broadcast_to(np.asarray(labellers), probabilities.shape)
    by_chance = [
        _mean_gap(number, probabilities - rng.binomial(judged, probabilities) / judged) for _ in range(resamples)
    ]
    chance = float(np.mean(by_chance))
    return CalibrationError(max(0.0, raw - chance), raw, chance, len(probabilities))


def reliability_table(probabilities: Floats, events: Floats, bins: int = BINS) -> list[ReliabilityBin]:
    """The bins behind the error, by rising probability; none is empty.

    The Wilson interval takes the suggestions of a bin for independent, which those of one case are not quite. Raises
    GrowthError as ``calibration_error`` does.
    """
    _check(probabilities, events)
    number = _bin_numbers(probabilities, bins)
    table = []
    for one in np.unique(number):
        inside = number == one
        share = wilson(float(events[inside].sum()), int(inside.sum()))
        table.append(ReliabilityBin(share.n, float(probabilities[inside].mean()), share.mean, share.low, share.high))
    return table


def _bin_numbers(probabilities: Floats, bins: int) -> Integers:
    """Equal-mass bin of each value, from its rank; tied values stay together, so row order never matters."""
    _, member, counts = np.unique(probabilities, return_inverse=True, return_counts=True)
    ranked_below = np.cumsum(counts) - counts
    numbers: Integers = (ranked_below * bins // len(probabilities))[member]
    return numbers


def _mean_gap(number: Integers, gaps: Floats) -> float:
    """Sum over bins of ``(n_bin / n) * |mean gap|``, which is the sum of ``|summed gap| / n``."""
    return float(np.abs(np.bincount(number, gaps)).sum() / len(gaps))


def _check(probabilities: Floats, events: Floats) -> None:
    if probabilities.shape != events.shape or probabilities.ndim != 1 or not probabilities.size:
        raise GrowthError(
            f"probabilities of shape {probabilities.shape} beside events of {events.shape}",
            wanted="two rows of one length, not empty",
            where="calibration error",
        )
    for name, values in (("a probability", probabilities), ("an event", events)):
        if not ((values >= 0) & (values <= 1)).all():
            raise GrowthError(f"{name} outside 0..1", wanted="0 to 1", where="calibration error")
