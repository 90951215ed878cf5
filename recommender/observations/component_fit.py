"""Moment estimates of a tenant's own variance components from how alike ratings are that share a teacher or rater."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from recommender.observations.components import Component, VarianceComponents
from recommender.observations.norms import Readings
from recommender.observations.ratings import Ratings

Array = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Kind = Literal["own", "same_domain", "other_domain"]

# A tenant with fewer raters keeps the shipped components; with n its own weigh n / (n + this).
LEAST_RATERS = 30
# No part may vanish: with a variance of 0 a posterior would be certain of what nobody can know.
LEAST_VARIANCE = 0.02
MOST_SHARED = 0.95
# Items nearly always scored alike leave moments that no normal model fits: they are not used.
TELLING = 0.6
# Differences of sums leave rounding behind where there is no pair at all.
LEAST_PAIRS = 0.5


@dataclass(frozen=True)
class _Products:
    """Weighted sums of products of readings over pairs, and the pairs' weights, (items, items)."""

    total: Array
    pairs: Array

    def __sub__(self, other: _Products) -> _Products:
        return _Products(self.total - other.total, self.pairs - other.pairs)

    def __add__(self, other: _Products) -> _Products:
        return _Products(self.total + other.total, self.pairs + other.pairs)

    def mean(self, where: npt.NDArray[np.bool_]) -> float | None:
        """Mean product over the item pairs chosen, None without any pair of ratings."""
        pairs = float(self.pairs[where].sum())
        return float(self.total[where].sum()) / pairs if pairs > LEAST_PAIRS else None


def fit_components(
    ratings: Ratings, readings: Readings, rows: Integers, domains: tuple[str, ...], shipped: VarianceComponents
) -> VarianceComponents | None:
    """Components of the tenant whose ratings are ``rows``, or None with fewer than ``LEAST_RATERS`` known raters.

    Pairs of ratings of one teacher by different raters in different lessons share only the teacher; of one lesson by
    different raters teacher and lesson; of one rater and different teachers only the rater (method of moments;
    Shavelson and Webb 1991, generalizability theory). What the design cannot separate keeps its shipped value.
    Estimates are drawn towards the shipped ones by the number of raters.
    """
    telling = 1 / (1 + readings.noise) >= TELLING
    rows = rows[(ratings.known_rater() & telling)[rows]]
    n_raters = len(np.unique(ratings.rater[rows]))
    if n_raters < LEAST_RATERS:
        return None
    kinds = _kinds(domains)
    found = _estimates(ratings, readings, rows, kinds, shipped)
    weight = n_raters / (n_raters + LEAST_RATERS)
    blended = {
        source: {kind: weight * found[source][kind] + (1 - weight) * _shipped(shipped, source)[kind] for kind in kinds}
        for source in found
    }
    total = sum(part["own"] for part in blended.values())
    return VarianceComponents(
        source=f"fitted on {n_raters} raters",
        annual_stability=shipped.annual_stability,
        **{source: _component(part, total) for source, part in blended.items()},
    )


def _kinds(domains: tuple[str, ...]) -> dict[Kind, npt.NDArray[np.bool_]]:
    named = np.array(domains)
    same = named[:, None] == named[None, :]
    own = np.eye(len(named), dtype=bool)
    return {"own": own, "same_domain": same & ~own, "other_domain": ~same}


def _estimates(
    ratings: Ratings,
    readings: Readings,
    rows: Integers,
    kinds: dict[Kind, npt.NDArray[np.bool_]],
    shipped: VarianceComponents,
) -> dict[str, dict[Kind, float]]:
    item, information = ratings.item[rows], 1 / (1 + readings.noise[rows])
    teacher, lesson, rater = ratings.teacher[rows], ratings.lesson[rows], ratings.rater[rows]
    width = int(rater.max()) + 1
    by_teacher, by_lesson, by_rater, by_pair, by_occasion = (
        _products(group, item, readings.latent[rows], information, len(ratings.items))
        for group in (teacher, lesson, rater, teacher * width + rater, lesson * width + rater)
    )
    own_square = information**2 * (readings.latent[rows] ** 2 - readings.noise[rows])
    result: dict[str, dict[Kind, float]] = {"teacher": {}, "lesson": {}, "rater": {}, "residual": {}}
    for kind, where in kinds.items():
        usual = {source: _shipped(shipped, source)[kind] for source in result}
        r = _or((by_rater - by_pair).mean(where), usual["rater"])
        with_rater = (by_pair - by_occasion).mean(where)
        t = _or(
            (by_teacher - by_lesson - by_pair + by_occasion).mean(where),
            usual["teacher"] if with_rater is None else with_rater - r,
        )
        lesson_too = (by_lesson - by_occasion).mean(where)
        if kind == "own":
            everything = float(own_square.sum() / (information**2).sum())
        else:
            everything = _or(by_occasion.mean(where), sum(usual.values()))
        rest = everything - t - r
        # Without two raters in one lesson, lesson and residual keep the shipped proportion.
        proportion = usual["lesson"] / (usual["lesson"] + usual["residual"])
        within = _or(None if lesson_too is None else lesson_too - t, rest * proportion)
        result["teacher"][kind], result["rater"][kind] = t, r
        result["lesson"][kind], result["residual"][kind] = within, rest - within
    return result


def _products(group: Integers, item: Integers, x: Array, information: Array, n_items: int) -> _Products:
    """Products within groups, each reading weighted by its information: coarse items must not drown the others."""
    _, code = np.unique(group, return_inverse=True)
    size = (int(code.max()) + 1) * n_items
    cell = code.ravel() * n_items + item
    total, weight = (
        np.bincount(cell, weights=values, minlength=size).astype(np.float64).reshape(-1, n_items)
        for values in (x * information, information)
    )
    return _Products(total.T @ total, weight.T @ weight)


def _shipped(components: VarianceComponents, source: str) -> dict[Kind, float]:
    part: Component = getattr(components, source)
    other = part.variance * part.general
    return {"own": part.variance, "same_domain": other + part.variance * part.same_domain, "other_domain": other}


def _component(part: dict[Kind, float], total: float) -> Component:
    variance = max(LEAST_VARIANCE, part["own"] / total)
    general = min(MOST_SHARED, max(0.0, part["other_domain"] / total / variance))
    same = min(MOST_SHARED - general, max(0.0, (part["same_domain"] - part["other_domain"]) / total / variance))
    return Component(variance=min(1.0, variance), general=general, same_domain=max(0.0, same))


def _or(value: float | None, otherwise: float) -> float:
    return otherwise if value is None else value
