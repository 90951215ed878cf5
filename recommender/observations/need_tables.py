"""Needs as tables: one row per teacher and item, or per teacher and skill."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import pandas as pd

from recommender.catalogue.instruments import Instruments
from recommender.catalogue.loader import Catalogue
from recommender.observations import scores as columns
from recommender.observations.evidence import Seen, count_seen, grades, in_order, one_rater_schools
from recommender.observations.needs import Estimate, NeedGroup
from recommender.observations.notices import Notice, notice
from recommender.observations.skill_map import SkillMap
from recommender.observations.top_three import probability_of_top, sample_needs

NEED, SD, P_TOP3 = "need", "sd", "p_top3"
N_VISITS, N_OBSERVERS = "n_visits", "n_observers"
EVIDENCE_GRADE, NOTICES_COLUMN = "evidence_grade", "notices"
SKILL = "skill_id"
ITEM_NEED_COLUMNS = (
    columns.TEACHER, columns.INSTRUMENT, columns.ITEM, NEED, SD, P_TOP3, N_VISITS, N_OBSERVERS, EVIDENCE_GRADE,
    NOTICES_COLUMN,
)  # fmt: skip
SKILL_NEED_COLUMNS = (columns.TEACHER, SKILL, NEED, SD, P_TOP3, EVIDENCE_GRADE)
NOTICE_SEPARATOR = " "
# Sampling skills is (draws x skills) a teacher: this many teachers at a time.
TEACHERS_A_STEP = 200

Array = npt.NDArray[np.float64]


def standard_deviations(covariance: Array) -> Array:
    """(teachers, items) square roots of the diagonals."""
    return np.sqrt(np.maximum(np.diagonal(covariance, axis1=1, axis2=2), 0.0))


def teacher_notices(estimate: Estimate) -> list[tuple[Notice, ...]]:
    """(teachers,) the notices that belong beside each teacher's needs."""
    ratings = estimate.ratings
    found: list[list[Notice]] = [[] for _ in ratings.teachers]
    known = np.zeros(len(ratings.teachers), dtype=bool)
    known[ratings.teacher[ratings.known_rater()]] = True
    flags: dict[Notice, npt.NDArray[np.bool_]] = {
        "one_rater_school": one_rater_schools(ratings, ratings.school),
        "unknown_observer": ~known,
        "thin_norms": estimate.thin,
    }
    for key, flag in flags.items():
        for teacher in np.flatnonzero(flag):
            found[teacher].append(key)
    for group in estimate.groups:
        for teacher in group.teacher[group.flat]:
            found[teacher].append("flat_profile")
        for teacher in group.teacher[group.observed.sum(axis=1) == 1]:
            found[teacher].append("one_item")
    return [in_order(keys) for keys in found]


def item_need_table(estimate: Estimate) -> pd.DataFrame:
    """Contract table of needs per teacher and item, by teacher, instrument and item in the instrument's order."""
    seen, sentences = count_seen(estimate.ratings), teacher_notices(estimate)
    said = np.array([NOTICE_SEPARATOR.join(map(notice, keys)) for keys in sentences], dtype=object)
    parts = [_item_rows(estimate, group, seen, said) for group in estimate.groups]
    if not parts:
        return pd.DataFrame(columns=list(ITEM_NEED_COLUMNS))
    table = pd.concat(parts, ignore_index=True).sort_values(["_teacher", "_item"], kind="stable", ignore_index=True)
    return table[list(ITEM_NEED_COLUMNS)]


def _item_rows(estimate: Estimate, group: NeedGroup, seen: Seen, said: npt.NDArray[np.object_]) -> pd.DataFrame:
    place = {item: position for position, item in enumerate(estimate.ratings.items)}
    local = np.array([place[item] for item in group.items], dtype=np.int64)
    row, column = np.nonzero(group.observed)
    teacher, item = group.teacher[row], local[column]
    lessons, observers = seen.lessons[teacher, item], seen.observers[teacher, item]
    names = np.array(estimate.ratings.teachers, dtype=object)
    instrument, code = (np.array(part, dtype=object) for part in zip(*estimate.ratings.items, strict=True))
    return pd.DataFrame(
        {
            "_teacher": teacher,
            "_item": item,
            columns.TEACHER: names[teacher],
            columns.INSTRUMENT: instrument[item],
            columns.ITEM: code[item],
            NEED: group.need[row, column],
            SD: standard_deviations(group.covariance)[row, column],
            P_TOP3: item_p_top3(group)[row, column],
            N_VISITS: lessons,
            N_OBSERVERS: observers,
            EVIDENCE_GRADE: grades(lessons, observers),
            NOTICES_COLUMN: said[teacher],
        }
    )


def item_p_top3(group: NeedGroup) -> Array:
    """(teachers, items) chance that the item is among the teacher's three greatest needs; even for a flat profile."""
    chance = probability_of_top(sample_needs(group.need, group.covariance), group.observed)
    n_items = group.observed.sum(axis=1, keepdims=True)
    even = np.where(group.observed, np.minimum(1.0, 3.0 / np.maximum(n_items, 1)), np.nan)
    return np.where(group.flat[:, None], even, chance)


def skill_need_table(estimate: Estimate, instruments: Instruments, catalogue: Catalogue) -> pd.DataFrame:
    """Contract table of needs per teacher and skill, by teacher and then as the catalogue lists the skills.

    A skill's need is the crosswalk-weighted mean of its items' needs with the matching variance. Skills that no scored
    item speaks for are left out.
    """
    seen = count_seen(estimate.ratings)
    parts = [rows for group in estimate.groups for rows in _skill_rows(estimate, group, seen, instruments, catalogue)]
    if not parts:
        return pd.DataFrame(columns=list(SKILL_NEED_COLUMNS))
    table = pd.concat(parts, ignore_index=True).sort_values(["_teacher", "_skill"], kind="stable", ignore_index=True)
    return table[list(SKILL_NEED_COLUMNS)]


def _skill_rows(
    estimate: Estimate, group: NeedGroup, seen: Seen, instruments: Instruments, catalogue: Catalogue
) -> Iterator[pd.DataFrame]:
    place = {item: position for position, item in enumerate(estimate.ratings.items)}
    local = np.array([place[item] for item in group.items], dtype=np.int64)
    mapping = SkillMap.of(group.items, instruments, catalogue)
    names, ids = np.array(estimate.ratings.teachers, dtype=object), np.array(catalogue.ids, dtype=object)
    for begin in range(0, len(group.teacher), TEACHERS_A_STEP):
        rows = slice(begin, begin + TEACHERS_A_STEP)
        shares = mapping.shares(group.observed[rows])
        known = np.asarray((shares > 0).any(axis=1), dtype=np.bool_)
        need = np.matmul(group.need[rows][:, None, :], shares)[:, 0, :]
        variance = (np.matmul(group.covariance[rows], shares) * shares).sum(axis=1)
        draws = np.matmul(np.swapaxes(shares, 1, 2), sample_needs(group.need[rows], group.covariance[rows]))
        chance = probability_of_top(draws, known)
        flat = group.flat[rows][:, None]
        even = np.minimum(1.0, 3.0 / np.maximum(known.sum(axis=1, keepdims=True), 1))
        teacher = group.teacher[rows]
        lessons, observers = (
            (count[np.ix_(teacher, local)][:, :, None] * (shares > 0)).max(axis=1)
            for count in (seen.lessons, seen.observers)
        )
        row, skill = np.nonzero(known)
        yield pd.DataFrame(
            {
                "_teacher": teacher[row],
                "_skill": skill,
                columns.TEACHER: names[teacher[row]],
                SKILL: ids[skill],
                NEED: need[row, skill],
                SD: np.sqrt(np.maximum(variance, 0.0))[row, skill],
                P_TOP3: np.where(flat, even, chance)[row, skill],
                EVIDENCE_GRADE: grades(lessons, observers)[row, skill],
            }
        )
