"""Which rater scores which visit, for every mode of a design."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from recommender.training.simulate.design import Design
from recommender.training.simulate.population import Integers


@dataclass(frozen=True)
class Assignment:
    """``rater_of`` (visits, raters per visit): position of each rating's rater among ``raters`` raters."""

    rater_of: Integers
    raters: int


def assign_raters(
    rng: np.random.Generator, design: Design, visit_counts: Integers, one_rater_share: float
) -> Assignment:
    """Raters of all visits, the visits ordered by teacher.

    ``visit_counts`` (teachers,) visits of each teacher; ``one_rater_share`` of the teachers keep one rater in the mode
    ``mixed``.
    """
    teachers = len(visit_counts)
    teacher_of = np.repeat(np.arange(teachers), visit_counts)
    if design.raters == "shared":
        school = np.arange(teachers) // design.school_size
        return Assignment(school[teacher_of][:, None], int(school[-1]) + 1)
    if design.raters == "same":
        rater = rng.permutation(teachers) // design.teachers_per_rater
        return Assignment(rater[teacher_of][:, None], int(rater.max()) + 1)
    per_visit = design.raters_per_visit
    ratings = len(teacher_of) * per_visit
    wanted = -(-ratings // design.teachers_per_rater)
    if design.raters == "pool":
        size = max(per_visit, wanted)
        return Assignment(distinct(rng, len(teacher_of), size, per_visit), size)
    most = int(visit_counts.max()) * per_visit
    size = max(most, wanted)
    by_teacher = distinct(rng, teachers, size, most)
    if design.raters == "mixed":
        alone = rng.random(teachers) < one_rater_share
        by_teacher[alone] = by_teacher[alone, :1]
    nth = visit_numbers(visit_counts)
    slots = nth[:, None] * per_visit + np.arange(per_visit)
    return Assignment(by_teacher[teacher_of[:, None], slots], size)


def distinct(rng: np.random.Generator, rows: int, size: int, count: int) -> Integers:
    """(rows, count) distinct numbers below ``size`` in every row, all sets and orders equally likely.

    Floyd's sampling (Bentley and Floyd 1987, "A sample of brilliance"), one step for all rows at once.
    """
    chosen = np.empty((rows, count), dtype=np.int64)
    for column, top in enumerate(range(size - count, size)):
        drawn = rng.integers(0, top, size=rows, endpoint=True)
        taken = (chosen[:, :column] == drawn[:, None]).any(axis=1)
        chosen[:, column] = np.where(taken, top, drawn)
    permuted: Integers = rng.permuted(chosen, axis=1)
    return permuted


def visit_numbers(visit_counts: Integers) -> Integers:
    """(visits,) 0, 1, ... within each teacher."""
    first = np.cumsum(visit_counts) - visit_counts
    numbers: Integers = np.arange(int(visit_counts.sum())) - np.repeat(first, visit_counts)
    return numbers
