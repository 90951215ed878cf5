"""How much was seen: lessons, observers, the evidence grade and the notices that belong beside a teacher's needs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from recommender.cases import EvidenceGrade
from recommender.observations.notices import NOTICES, Notice
from recommender.observations.ratings import Ratings

Integers = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

GRADE_A_LESSONS, GRADE_A_OBSERVERS = 4, 2
GRADE_B_LESSONS = 2


@dataclass(frozen=True)
class Seen:
    """Number of different lessons and observers, (teachers, items) over all of the ratings' items."""

    lessons: Integers
    observers: Integers


def count_seen(ratings: Ratings) -> Seen:
    """Lessons and observers of each teacher and item."""
    shape = (len(ratings.teachers), len(ratings.items))
    cell = ratings.teacher * shape[1] + ratings.item
    return Seen(_distinct(cell, ratings.lesson, shape), _distinct(cell, ratings.rater, shape))


def count_seen_in_all(ratings: Ratings) -> Seen:
    """(teachers,) lessons and observers over all items."""
    shape = (len(ratings.teachers),)
    return Seen(_distinct(ratings.teacher, ratings.lesson, shape), _distinct(ratings.teacher, ratings.rater, shape))


def _distinct(cell: Integers, code: Integers, shape: tuple[int, ...]) -> Integers:
    size = int(np.prod(shape))
    if not len(cell):
        return np.zeros(shape, dtype=np.int64)
    width = int(code.max()) + 1
    pairs = np.unique(cell * width + code)
    return np.bincount(pairs // width, minlength=size).reshape(shape)


def evidence_grade(lessons: int, observers: int) -> EvidenceGrade:
    """A: at least 4 lessons and 2 observers; B: 2 or more lessons; C: one; D: none (observation notes, 6.8)."""
    if lessons >= GRADE_A_LESSONS and observers >= GRADE_A_OBSERVERS:
        return "A"
    if lessons >= GRADE_B_LESSONS:
        return "B"
    return "C" if lessons == 1 else "D"


def grades(lessons: Integers, observers: Integers) -> npt.NDArray[np.str_]:
    """Evidence grades of arrays of counts."""
    high = (lessons >= GRADE_A_LESSONS) & (observers >= GRADE_A_OBSERVERS)
    return np.select([high, lessons >= GRADE_B_LESSONS, lessons == 1], ["A", "B", "C"], default="D")


def one_rater_schools(ratings: Ratings, school: Integers) -> Bools:
    """(teachers,) True where one known observer gave all scores at the teacher's school, which has other teachers.

    ``school`` is one code a rating, -1 where the school is not named.
    """
    named = school >= 0
    found = np.zeros(len(ratings.teachers), dtype=bool)
    if not named.any():
        return found
    size = int(school.max()) + 1
    n_raters = _distinct(school[named], ratings.rater[named], (size,))
    n_teachers = _distinct(school[named], ratings.teacher[named], (size,))
    confounded = (n_raters == 1) & (n_teachers >= 2)
    rows = named & ratings.known_rater()
    found[ratings.teacher[rows][confounded[school[rows]]]] = True
    return found


def in_order(keys: Iterable[Notice]) -> tuple[Notice, ...]:
    """Notices once each, in a fixed order."""
    given = set(keys)
    return tuple(key for key in NOTICES if key in given)
