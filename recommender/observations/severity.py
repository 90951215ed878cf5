"""How strict each rater is on each item, shrunken, from the rater's scores of other teachers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from recommender.observations.components import VarianceComponents

Array = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

# With fewer scores of other teachers than this a rater's mean says too little to be taken off (a rule, not a formula).
LEAST_SCORES = 5


@dataclass(frozen=True)
class RaterTotals:
    """Per rater and item: number of scores, their sum of normal scores, and number of teachers scored."""

    n: Array
    """(raters, items)"""
    total: Array
    """(raters, items)"""
    teachers: Array
    """(raters, items)"""


def rater_totals(
    rater: Integers, item: Integers, teacher: Integers, z: Array, n_raters: int, n_items: int
) -> RaterTotals:
    """Sums over ratings; ``z`` are the ratings' normal scores."""
    cell = rater * n_items + item
    size = n_raters * n_items
    pairs = np.unique(np.stack([cell, teacher]), axis=1)
    shape = (n_raters, n_items)
    return RaterTotals(
        n=np.bincount(cell, minlength=size).astype(float).reshape(shape),
        total=np.bincount(cell, weights=z, minlength=size).astype(np.float64).reshape(shape),
        teachers=np.bincount(pairs[0], minlength=size).astype(float).reshape(shape),
    )


@dataclass(frozen=True)
class Severity:
    """What is taken off each rating, and the share of rater variance that remains in it."""

    offset: Array
    """(ratings,) in normal-score units; positive: the rater is lenient"""
    remaining: Array
    """(ratings,) 0 to 1; 1 where nothing could be taken off"""


def severity(
    totals: RaterTotals,
    components: VarianceComponents,
    rater: Integers,
    item: Integers,
    noise: Array,
    known: npt.NDArray[np.bool_],
    own: tuple[Integers, Array] | None = None,
) -> Severity:
    """Empirical-Bayes severity of a rater on an item.

    ``b = lambda * mean``, ``lambda = s2R / (s2R + error variance of the mean)``; the error counts teachers, lessons and
    residual. ``noise`` is the ratings' coarseness in units of the residual. With ``own`` = (teacher of each rating, its
    normal score) the teacher's own scores are left out of the mean, so that nobody's score corrects itself.
    """
    n, total, teachers = totals.n[rater, item], totals.total[rater, item], totals.teachers[rater, item]
    if own is not None:
        own_n, own_total = _own_totals(rater, item, own[0], own[1], totals.n.shape[1])
        n, total, teachers = n - own_n, total - own_total, teachers - 1
    usable = known & (n >= LEAST_SCORES)
    n, teachers = np.where(usable, n, 1.0), np.where(usable, np.maximum(teachers, 1.0), 1.0)
    s2_rater = components.rater.variance
    error = components.teacher.variance / teachers + (components.between_scores + noise) / n
    shrink = np.where(usable, s2_rater / (s2_rater + error), 0.0)
    return Severity(offset=np.where(usable, shrink * total / n, 0.0), remaining=1.0 - shrink)


def _own_totals(rater: Integers, item: Integers, teacher: Integers, z: Array, n_items: int) -> tuple[Array, Array]:
    width = int(teacher.max()) + 1 if len(teacher) else 1
    key = (rater * n_items + item) * width + teacher
    _, code = np.unique(key, return_inverse=True)
    counts, sums = np.bincount(code), np.bincount(code, weights=z)
    return counts[code].astype(np.float64), sums[code].astype(np.float64)
