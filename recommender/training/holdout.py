"""The held-back visit: one visit by other observers is hidden from the rankers and asked what it finds lowest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from recommender.catalogue.instrument import Instrument
from recommender.observations import scores as columns
from recommender.observations.ratings import is_observed, observed_ratings
from recommender.training.observation_baselines import (
    ItemRanks,
    by_teacher,
    cells,
    leniency,
    normal_scores_within,
)

Bools = npt.NDArray[np.bool_]

ONE_VISIT = "seen once"
UNKNOWN_OBSERVER = "an observer is unknown"
SAME_OBSERVERS = "no visit by other observers"

_TEACHER = [columns.TENANT, columns.TEACHER]
_VISIT = [*_TEACHER, columns.VISIT]


@dataclass(frozen=True)
class HeldBack:
    """A score table cut in two.

    ``kept``: what rankers, norms and severities may use, all teachers; ``held``: every row of the held-back visits.
    ``teachers``: how many have one. ``left_out``: reason -> number of teachers without one.
    """

    kept: pd.DataFrame
    held: pd.DataFrame
    teachers: int
    left_out: dict[str, int]


def hold_back(scores: pd.DataFrame) -> HeldBack:
    """Hold back each teacher's latest visit whose observers saw no other visit of the teacher.

    By date, ties by visit id. Nobody knows whether an unknown observer is one of the others, so teachers who have one
    are left out. Self-ratings and machine scores make no visit. A teacher id that two tenants use gets the tenant
    before it in both parts.
    """
    scores = _with_unique_teachers(scores)
    seen = scores.loc[is_observed(scores)]
    by_observer = seen.groupby([*_VISIT, columns.OBSERVER], as_index=False)[columns.OBSERVED_ON].max()
    visits_of_observer = by_observer.groupby([*_TEACHER, columns.OBSERVER])[columns.VISIT].transform("size")
    by_observer["again"] = visits_of_observer > 1
    by_observer["unknown"] = by_observer[columns.OBSERVER] == columns.UNKNOWN_OBSERVER
    visits = by_observer.groupby(_VISIT)[[columns.OBSERVED_ON, "again", "unknown"]].max().reset_index()
    teachers = visits.groupby(_TEACHER)
    visits["alone"] = teachers[columns.VISIT].transform("size") == 1
    visits["unknown"] = teachers["unknown"].transform("any")
    free = visits.loc[~(visits["alone"] | visits["unknown"] | visits["again"])]
    chosen = free.sort_values([*_TEACHER, columns.OBSERVED_ON, columns.VISIT]).groupby(_TEACHER, as_index=False).tail(1)
    hidden = _rows_of(scores, chosen)
    return HeldBack(scores.loc[~hidden], scores.loc[hidden], len(chosen), _left_out(visits, len(chosen)))


def _left_out(visits: pd.DataFrame, measured: int) -> dict[str, int]:
    teachers = visits.drop_duplicates(_TEACHER)
    alone = int(teachers["alone"].sum())
    unknown = int((teachers["unknown"] & ~teachers["alone"]).sum())
    rest = len(teachers) - measured - alone - unknown
    reasons = {ONE_VISIT: alone, UNKNOWN_OBSERVER: unknown, SAME_OBSERVERS: rest}
    return {reason: count for reason, count in reasons.items() if count}


def _with_unique_teachers(scores: pd.DataFrame) -> pd.DataFrame:
    pairs = scores[_TEACHER].drop_duplicates()
    shared = pairs.loc[pairs[columns.TEACHER].duplicated(), columns.TEACHER]
    twice = scores[columns.TEACHER].isin(shared)
    if not twice.any():
        return scores
    qualified = scores[columns.TENANT].astype(str) + "/" + scores[columns.TEACHER].astype(str)
    return scores.assign(**{columns.TEACHER: scores[columns.TEACHER].where(~twice, qualified)})


def _rows_of(scores: pd.DataFrame, visits: pd.DataFrame) -> Bools:
    keys = pd.MultiIndex.from_frame(scores[_VISIT])
    hidden: Bools = np.asarray(keys.isin(pd.MultiIndex.from_frame(visits[_VISIT])), dtype=bool)
    return hidden


def held_back_target(held: pd.DataFrame, instruments: Mapping[str, Instrument], *, adjusted: bool) -> ItemRanks:
    """What the held-back visits find lowest: own-normed, higher = lower score.

    A visit's score is the mean over its observers; its normal score is taken within tenant and item over the held-back
    visits only. ``adjusted`` first turns ratings into normal scores and takes off what each rater's other held-back
    teachers show of the rater's leniency.
    """
    ratings = observed_ratings(held, instruments)
    value = ratings.value
    if adjusted:
        z = normal_scores_within(value, cells(ratings))
        value = z - leniency(ratings, z)
    visit = by_teacher(ratings, value)
    tenant = np.zeros(len(visit.teachers), dtype=np.int64)
    tenant[ratings.teacher] = ratings.tenant
    teacher, item = np.nonzero(~np.isnan(visit.need))
    need = np.full(visit.need.shape, np.nan)
    cell = tenant[teacher] * len(visit.items) + item
    need[teacher, item] = -normal_scores_within(visit.need[teacher, item], cell)
    return ItemRanks(visit.teachers, visit.items, need)
