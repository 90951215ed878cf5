"""Lays simulated ratings out as the engine's score table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from recommender.observations import scores as column
from recommender.training.simulate.components import Floats
from recommender.training.simulate.design import Design
from recommender.training.simulate.population import Integers, numbered
from recommender.training.simulate.raters import Assignment, visit_numbers
from recommender.training.simulate.rubrics import SimulatedRubric

Booleans = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Rated:
    """Ratings before they are a table.

    ``visit_counts`` (teachers,); ``walkthrough`` (visits,); ``scored`` (visits, raters per visit, items) what has a
    score; ``values`` (visits x raters per visit, items) levels. Visits are ordered by teacher.
    """

    teacher_ids: tuple[str, ...]
    rubric: SimulatedRubric
    visit_counts: Integers
    assignment: Assignment
    walkthrough: Booleans
    scored: Booleans
    values: Floats


def score_table(rated: Rated, design: Design, rng: np.random.Generator, school_days: int) -> pd.DataFrame:
    """One row per item score, with every column of the score table.

    Dates of a teacher's visits rise with the visit's number; two visits may fall on one day.
    """
    teachers = len(rated.teacher_ids)
    teacher_of = np.repeat(np.arange(teachers), rated.visit_counts)
    nth = visit_numbers(rated.visit_counts)
    visit, rater, item = np.nonzero(rated.scored)
    per_visit = rated.scored.shape[1]
    schools = numbered(f"{design.prefix}-s", -(-teachers // design.school_size))
    observers = numbered(f"{design.prefix}-o", rated.assignment.raters)
    visit_ids = [f"{rated.teacher_ids[t]}-v{n + 1}" for t, n in zip(teacher_of.tolist(), nth.tolist(), strict=True)]
    teacher = teacher_of[visit]
    formal = "research" if design.preset == "research" else "formal"
    role = "own_admin" if design.raters == "shared" else "external"
    nothing = np.zeros(len(visit), dtype=np.int64)
    return pd.DataFrame(
        {
            column.TEACHER: _take(rated.teacher_ids, teacher),
            column.VISIT: _take(visit_ids, visit),
            column.OBSERVED_ON: visit_days(rng, rated.visit_counts, design, school_days)[visit],
            column.OBSERVER: _take(observers, rated.assignment.rater_of[visit, rater]),
            column.INSTRUMENT: _take([rated.rubric.instrument], nothing),
            column.ITEM: _take(rated.rubric.items, item),
            column.VALUE: rated.values[visit * per_visit + rater, item],
            column.TENANT: _take([""], nothing),
            column.SCHOOL: _take(schools, teacher // design.school_size),
            column.SEGMENT: nothing,
            column.OBSERVATION_TYPE: _take((formal, "walkthrough"), rated.walkthrough[visit].astype(np.int64)),
            column.OBSERVER_ROLE: _take([role], nothing),
            column.NOTE: _take([""], nothing),
        }
    )


def visit_days(
    rng: np.random.Generator, visit_counts: Integers, design: Design, school_days: int
) -> npt.NDArray[np.datetime64]:
    """(visits,) weekdays, uniform over the school year and rising within each teacher."""
    teacher_of = np.repeat(np.arange(len(visit_counts)), visit_counts)
    day = rng.integers(0, school_days, size=len(teacher_of))
    day = day[np.lexsort((day, teacher_of))]
    first = np.datetime64(design.first_day, "D")
    days: npt.NDArray[np.datetime64] = np.busday_offset(first, day, roll="forward").astype("datetime64[ns]")
    return days


def _take(values: Sequence[str], positions: Integers) -> pd.api.extensions.ExtensionArray:
    return pd.array(list(values), dtype="str").take(positions)
