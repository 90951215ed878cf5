"""Rankers of a teacher's items from a score table: the estimated need and the simpler rules it has to beat."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import ndtri

from recommender.catalogue.instrument import Instrument
from recommender.catalogue.loader import load_catalogue
from recommender.observations.components import shipped_components
from recommender.observations.needs import Estimate, estimate_needs
from recommender.observations.ratings import Ratings, observed_ratings
from recommender.observations.severity import rater_totals, severity

Array = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Instruments: TypeAlias = Mapping[str, Instrument]

POSTERIOR = "full posterior"
# A teacher's own wish lifts an item by half a level: enough to break ties and no more than a close call.
INTEREST_STEPS = 0.5
# Means of the same numbers in another order differ in the last digits; those are ties.
DIGITS = 9


@dataclass(frozen=True)
class ItemRanks:
    """One ranker's answer for every teacher of a score table.

    ``need`` (teachers, items): higher = more need, in the ranker's own unit; NaN where the item was not scored, or
    where the ranker gives no order.
    """

    teachers: tuple[str, ...]
    items: tuple[tuple[str, str], ...]
    """(instrument id, item code)"""
    need: Array


Ranker: TypeAlias = Callable[[pd.DataFrame, Instruments], ItemRanks]


def rankers(interests: Mapping[str, Sequence[str]] | None = None) -> dict[str, Ranker]:
    """Name -> ranker, simplest first; ``interests``: teacher -> catalogue domains (None leaves that ranker out)."""
    wishes = {} if interests is None else {"lowest + interest": lowest_with_interest(interests)}
    return {
        "hard items": hard_items,
        "raw lowest": raw_lowest,
        **wishes,
        "z-score": z_scores,
        "rater-adjusted z": rater_adjusted_z,
        "normal scores": normal_scores,
        POSTERIOR: full_posterior,
    }


def hard_items(scores: pd.DataFrame, instruments: Instruments) -> ItemRanks:
    """The tenant's lowest items by mean score, the same list for everybody."""
    ratings = observed_ratings(scores, instruments)
    return by_teacher(ratings, -_cell_mean(places(ratings, instruments), cells(ratings)))


def raw_lowest(scores: pd.DataFrame, instruments: Instruments) -> ItemRanks:
    """The teacher's lowest mean scores, as fractions of their scales."""
    ratings = observed_ratings(scores, instruments)
    return by_teacher(ratings, -places(ratings, instruments))


def lowest_with_interest(interests: Mapping[str, Sequence[str]]) -> Ranker:
    """Raw lowest, items of a domain the teacher named moved up by half a step of their scale.

    An item's domain is the catalogue domain that most of its skills' weight lies in. Teachers who named none keep raw
    lowest.
    """

    def rank(scores: pd.DataFrame, instruments: Instruments) -> ItemRanks:
        lowest = raw_lowest(scores, instruments)
        domains = item_domains(lowest.items, instruments)
        scales = [instruments[name].scale_of(code) for name, code in lowest.items]
        lift = np.array([INTEREST_STEPS * scale.step / (scale.max - scale.min) for scale in scales])
        named = [set(interests.get(teacher, ())) for teacher in lowest.teachers]
        wished = np.array([[domain in wish for domain in domains] for wish in named], dtype=bool)
        return ItemRanks(lowest.teachers, lowest.items, lowest.need + wished.reshape(lowest.need.shape) * lift)

    return rank


def item_domains(items: Iterable[tuple[str, str]], instruments: Instruments) -> tuple[str | None, ...]:
    """The catalogue domain with most of each item's skill weight (the first by name of equals); None if unmapped."""
    catalogue = load_catalogue()
    found: list[str | None] = []
    for name, code in items:
        weight: dict[str, float] = {}
        for skill_id, share in instruments[name].crosswalk.get(code, {}).items():
            domain = catalogue[skill_id].domain
            weight[domain] = weight.get(domain, 0.0) + share
        found.append(_heaviest(weight))
    return tuple(found)


def _heaviest(weight: Mapping[str, float]) -> str | None:
    return min(weight, key=lambda domain: (-round(weight[domain], DIGITS), domain)) if weight else None


def z_scores(scores: pd.DataFrame, instruments: Instruments) -> ItemRanks:
    """Mean z-score of the teacher's lesson scores within tenant and item; 0 where an item never varies."""
    ratings = observed_ratings(scores, instruments)
    return by_teacher(ratings, -standardised(ratings))


def rater_adjusted_z(scores: pd.DataFrame, instruments: Instruments) -> ItemRanks:
    """Mean z-score less the rater's shrunken mean on the item over the rater's other teachers."""
    ratings = observed_ratings(scores, instruments)
    z = standardised(ratings)
    return by_teacher(ratings, leniency(ratings, z) - z)


def normal_scores(scores: pd.DataFrame, instruments: Instruments) -> ItemRanks:
    """Mean normal score of the teacher's lesson scores within tenant and item; no rater adjustment, no shrinkage."""
    ratings = observed_ratings(scores, instruments)
    return by_teacher(ratings, -normal_scores_within(ratings.value, cells(ratings)))


def full_posterior(scores: pd.DataFrame, instruments: Instruments) -> ItemRanks:
    """The engine's estimated need; no answer where every lesson's scores are alike."""
    estimate = estimate_needs(scores, instruments)
    need, _ = posterior_needs(estimate)
    for group in estimate.groups:
        need[group.teacher[group.flat]] = np.nan
    return ItemRanks(estimate.ratings.teachers, estimate.ratings.items, need)


def posterior_needs(estimate: Estimate) -> tuple[Array, Array]:
    """Need and its SD, both (teachers, items) over the ratings' teachers and items; NaN where not scored."""
    ratings = estimate.ratings
    place = {item: position for position, item in enumerate(ratings.items)}
    need = np.full((len(ratings.teachers), len(ratings.items)), np.nan)
    sd = need.copy()
    for group in estimate.groups:
        cell = np.ix_(group.teacher, np.array([place[item] for item in group.items], dtype=np.int64))
        variance = np.diagonal(group.covariance, axis1=1, axis2=2)
        need[cell] = np.where(group.observed, group.need, np.nan)
        sd[cell] = np.where(group.observed, np.sqrt(np.maximum(variance, 0)), np.nan)
    return need, sd


def by_teacher(ratings: Ratings, need: Array) -> ItemRanks:
    """Mean over each teacher's ratings (ratings,) of an item."""
    shape = (len(ratings.teachers), len(ratings.items))
    cell = ratings.teacher * shape[1] + ratings.item
    count = np.bincount(cell, minlength=shape[0] * shape[1])
    total = np.bincount(cell, need, minlength=len(count))
    mean = np.divide(total, count, out=np.full(len(count), np.nan), where=count > 0)
    return ItemRanks(ratings.teachers, ratings.items, mean.reshape(shape))


def places(ratings: Ratings, instruments: Instruments) -> Array:
    """(ratings,) directed scores as fractions of their scales, so that items of two scales can be compared."""
    scales = [instruments[name].scale_of(code) for name, code in ratings.items]
    low = np.array([scale.min for scale in scales])
    span = np.array([scale.max - scale.min for scale in scales])
    place: Array = (ratings.value - low[ratings.item]) / span[ratings.item]
    return place


def cells(ratings: Ratings) -> Integers:
    """(ratings,) one number per tenant and item."""
    cell: Integers = ratings.tenant * len(ratings.items) + ratings.item
    return cell


def standardised(ratings: Ratings) -> Array:
    """(ratings,) z-scores within tenant and item; 0 where all scores are alike."""
    cell = cells(ratings)
    apart = ratings.value - _cell_mean(ratings.value, cell)
    sd = np.sqrt(_cell_mean(apart**2, cell))
    varies = sd > 10.0**-DIGITS
    z: Array = np.where(varies, apart / np.where(varies, sd, 1.0), 0.0)
    return z


def normal_scores_within(values: Array, cell: Integers) -> Array:
    """Normal scores within each cell, ``Phi^-1((mean rank - 1/2) / n)``: ties share their middle."""
    grouped = pd.Series(np.round(values, DIGITS)).groupby(cell)
    share = (grouped.rank() - 0.5) / grouped.transform("size")
    return np.asarray(ndtri(share.to_numpy(dtype=np.float64)), dtype=np.float64)


def leniency(ratings: Ratings, z: Array) -> Array:
    """(ratings,) the rater's shrunken mean ``z`` on the item over other teachers; 0 where too few were seen."""
    shape = (len(ratings.raters), len(ratings.items))
    totals = rater_totals(ratings.rater, ratings.item, ratings.teacher, z, *shape)
    found = severity(
        totals,
        shipped_components(),
        ratings.rater,
        ratings.item,
        noise=np.zeros(len(ratings)),
        known=ratings.known_rater(),
        own=(ratings.teacher, z),
    )
    return found.offset


def _cell_mean(values: Array, cell: Integers) -> Array:
    """(ratings,) mean of the values in the same cell."""
    count = np.bincount(cell)
    mean: Array = (np.bincount(cell, values) / np.maximum(count, 1))[cell]
    return mean
