"""Ranking metrics, one value per request first and the mean second, so that every figure can carry an interval.

Scores and gains are ``(n, k)``: one row a request, one column a skill. Tied scores rank in column order (a stable
sort), so a ranker that says nothing gets the columns' own order and not a lucky one. Where a request has nothing to
find the value is NaN; ``intervals.bootstrap_mean`` leaves those out and counts them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from recommender.catalogue.loader import load_catalogue
from recommender.errors import GrowthError

Floats: TypeAlias = npt.NDArray[np.floating[Any]]
FloatArray: TypeAlias = npt.NDArray[np.float64]
BoolArray: TypeAlias = npt.NDArray[np.bool_]
RowLabels: TypeAlias = Sequence[Mapping[str, int]]
"""One mapping of skill id to grade (1..3, left out = 0) per labeller of one row."""


def ndcg_at(scores: Floats, gains: Floats, k: int = 5) -> FloatArray:
    """Normalised discounted cumulative gain of each row's first ``k`` skills, 0..1, shape ``(n,)``.

    A skill of gain g at rank r (from 1) adds ``(2**g - 1) / log2(r + 1)``; the sum is divided by that of the best
    order of all the row's skills (Burges et al. 2005, "Learning to Rank using Gradient Descent"). ``gains`` is the mean
    of the labellers' grades, 0..3. ``k`` is 5 by default because no page shows more. A row without a positive gain is
    NaN.

    Raises GrowthError for NaN scores, gains that are negative or NaN, unequal shapes or ``k`` below 1.
    """
    _check_tables(scores, gains)
    _check_depth(k)
    if not (gains >= 0).all():
        raise GrowthError("a gain that is negative or NaN", wanted="gains of 0 or more", where="ndcg_at")
    worth = np.exp2(gains, dtype=np.float64) - 1
    order = np.argsort(-scores, axis=1, kind="stable")[:, :k]
    discount = 1 / np.log2(np.arange(2, order.shape[1] + 2))
    reached = (np.take_along_axis(worth, order, axis=1) * discount).sum(axis=1)
    ideal = (-np.sort(-worth, axis=1)[:, :k] * discount).sum(axis=1)
    values: FloatArray = np.divide(reached, ideal, out=np.full(len(scores), np.nan), where=ideal > 0)
    return values


def hit_at(scores: Floats, first_sets: BoolArray, k: int) -> FloatArray:
    """1 where a first skill is among the row's first ``k``, else 0, ``(n,)``; NaN where the row has no first skill."""
    _check_depth(k)
    rank = _first_rank(scores, first_sets)
    return np.where(np.isnan(rank), np.nan, rank <= k)


def reciprocal_rank(scores: Floats, first_sets: BoolArray) -> FloatArray:
    """1 / the rank (from 1) of the row's best-placed first skill, ``(n,)``; NaN where the row has no first skill."""
    return 1 / _first_rank(scores, first_sets)


def first_skill_sets(labels: Sequence[RowLabels], skills: Sequence[str] | None = None) -> BoolArray:
    """Which skills count as the right first answer, ``(n, k)``.

    With three labellers or more: the skills that at least two graded 3. With fewer, or where no skill has two 3s: any
    labeller's 3s. ``skills`` names the columns; by default the catalogue's order.
    """
    threes = np.array([(_grade_table(row, skills) == 3).sum(axis=0) for row in labels])
    wanted = np.array([2 if len(row) >= 3 else 1 for row in labels])
    agreed = threes >= wanted[:, None]
    return np.where(agreed.any(axis=1, keepdims=True), agreed, threes > 0)


def labeller_agreement(labels: Sequence[RowLabels], k: int = 5, skills: Sequence[str] | None = None) -> FloatArray:
    """How well one labeller predicts the others, per row ``(n,)``; its mean is the ceiling a model can hope for.

    Each labeller's grades rank the skills and are measured by ``ndcg_at`` against the mean grade of the row's other
    labellers; the row's value is the mean over its labellers. Skills a labeller graded alike, and those left out, rank
    in column order. NaN for rows with fewer than two labellers, or where no labeller graded anything.
    """
    return np.array([_row_agreement(_grade_table(row, skills), k) for row in labels], dtype=np.float64)


def _row_agreement(grades: FloatArray, k: int) -> float:
    if len(grades) < 2:
        return float("nan")
    others = (grades.sum(axis=0) - grades) / (len(grades) - 1)
    values = ndcg_at(grades, others, k)
    defined = values[~np.isnan(values)]
    return float(defined.mean()) if defined.size else float("nan")


def _grade_table(row: RowLabels, skills: Sequence[str] | None) -> FloatArray:
    """(labellers, skills) grades of one row."""
    columns = load_catalogue().index if skills is None else {skill: at for at, skill in enumerate(skills)}
    table = np.zeros((len(row), len(columns)))
    for labeller, grades in enumerate(row):
        for skill, grade in grades.items():
            table[labeller, columns[skill]] = grade
    return table


def _first_rank(scores: Floats, first_sets: BoolArray) -> FloatArray:
    """Rank from 1 of the best-placed member of each row's set, ``(n,)``; NaN for an empty set."""
    _check_tables(scores, first_sets)
    order = np.argsort(-scores, axis=1, kind="stable")
    found = np.take_along_axis(first_sets, order, axis=1)
    return np.where(found.any(axis=1), found.argmax(axis=1) + 1.0, np.nan)


def _check_tables(scores: Floats, other: Floats | BoolArray) -> None:
    if scores.ndim != 2 or scores.shape != other.shape:
        raise GrowthError(
            f"scores of shape {scores.shape} beside {other.shape}", wanted="two tables of one shape", where="metrics"
        )
    if np.isnan(scores).any():
        raise GrowthError("a NaN score", wanted="numbers; -inf ranks last", where="metrics")


def _check_depth(k: int) -> None:
    if k < 1:
        raise GrowthError(f"a depth of {k}", wanted="1 or more", where="metrics")
