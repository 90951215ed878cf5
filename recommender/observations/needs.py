"""Need per item: the room to grow that a teacher's own scores point to, with how sure that is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from recommender.catalogue.instrument import Instrument
from recommender.observations.components import VarianceComponents
from recommender.observations.domains import domains_of
from recommender.observations.norm_fit import fit_norms
from recommender.observations.norms import Distributions, Norms, Readings, item_key
from recommender.observations.occasions import OccasionTable
from recommender.observations.posterior import Posterior, TeacherRatings, posterior
from recommender.observations.ratings import Ratings, observed_ratings
from recommender.observations.severity import RaterTotals, Severity, rater_totals, severity

Array = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

# Bounds the memory of one step; a teacher's result does not depend on it.
CELLS_A_CHUNK = 400_000
# Variance of the middle of an item that ten scores leave: with fewer, and no measured norm, it is a rough guess.
THIN = 1 / 11
# Two scores closer than this on their scales (0 to 1) are alike.
SAME_PLACE = 1e-9


@dataclass(frozen=True)
class NeedGroup:
    """Needs of teachers scored with the same instruments; arrays are (teachers, ...) over ``items``.

    ``need`` = -(mean - the teacher's mean over the items scored), in normal-score SD units: positive is more room to
    grow than on the teacher's other items. The level itself is never given out.
    """

    teacher: Integers
    """Positions in the ratings' teachers"""
    items: tuple[tuple[str, str], ...]
    observed: Bools
    need: Array
    covariance: Array
    """Of the needs"""
    gain: Array
    """(teachers, items, items): how far each true score moves with each item's observed mean"""
    flat: Bools
    """(teachers,) every lesson's scores were alike: there is no order"""


@dataclass(frozen=True)
class Estimate:
    """Everything estimated from one score table."""

    ratings: Ratings
    groups: list[NeedGroup]
    thin: Bools
    """(teachers,) what is usual on some item is a rough guess: few scores and no measured norm"""


def estimate_needs(
    scores: pd.DataFrame,
    instruments: Mapping[str, Instrument],
    norms: Norms | None = None,
    *,
    norms_hold_scores: bool = False,
) -> Estimate:
    """Needs of every teacher of a score table.

    Without ``norms`` they are fitted on the table itself, each teacher's own scores left out of the severities taken
    off them. With ``norms`` a teacher's needs do not depend on who else is in the table; ``norms_hold_scores`` says
    that they were fitted on a table with these very scores, which then are left out in the same way.
    """
    ratings = observed_ratings(scores, instruments)
    fitted_here = norms is None
    norms = fit_norms(ratings, instruments) if norms is None else norms
    readings = Distributions(norms, instruments).read(ratings)
    groups: list[NeedGroup] = []
    for tenant, name in enumerate(ratings.tenants):
        components = norms.of(name).variance_components()
        rows = np.flatnonzero(ratings.tenant == tenant)
        totals = None if fitted_here else _known_totals(norms, ratings, tenant)
        strictness = _severity(
            ratings, readings, rows, components, totals, leave_own_out=fitted_here or norms_hold_scores
        )
        groups += _tenant_groups(ratings, readings, strictness, rows, components, instruments)
    thin = np.zeros(len(ratings.teachers), dtype=bool)
    thin[ratings.teacher[readings.uncertainty > THIN]] = True
    return Estimate(ratings, groups, thin)


def _severity(
    ratings: Ratings,
    readings: Readings,
    rows: Integers,
    components: VarianceComponents,
    totals: RaterTotals | None,
    *,
    leave_own_out: bool,
) -> Severity:
    rater, item, latent = ratings.rater[rows], ratings.item[rows], readings.latent[rows]
    teacher = ratings.teacher[rows]
    own = (teacher, latent) if leave_own_out else None
    if totals is None:
        totals = rater_totals(rater, item, teacher, latent, len(ratings.raters), len(ratings.items))
    return severity(totals, components, rater, item, readings.noise[rows], ratings.known_rater()[rows], own)


def _known_totals(norms: Norms, ratings: Ratings, tenant: int) -> RaterTotals:
    shape = (len(ratings.raters), len(ratings.items))
    totals = RaterTotals(np.zeros(shape), np.zeros(shape), np.zeros(shape))
    known = norms.of(ratings.tenants[tenant]).raters
    for position, (name, observer) in enumerate(ratings.raters):
        if name != ratings.tenants[tenant] or observer not in known:
            continue
        for column, item in enumerate(ratings.items):
            cell = known[observer].get(item_key(item))
            if cell is not None:
                totals.n[position, column] = cell.n
                totals.total[position, column] = cell.total
                totals.teachers[position, column] = cell.teachers
    return totals


def _tenant_groups(
    ratings: Ratings,
    readings: Readings,
    strictness: Severity,
    rows: Integers,
    components: VarianceComponents,
    instruments: Mapping[str, Instrument],
) -> Iterator[NeedGroup]:
    """One group per set of instruments and padded number of occasions, in chunks of bounded memory."""
    place = _places_on_scales(ratings, instruments)
    table = OccasionTable(ratings, rows)
    for group in table.groups():
        named = tuple(ratings.items[item] for item in group.items)
        domains = domains_of(named, instruments)
        step = max(1, CELLS_A_CHUNK // (len(named) * max(group.size, len(named))))
        for begin in range(0, len(group.members), step):
            chunk = table.cells(group, group.members[begin : begin + step])
            used = chunk.fill(np.ones(len(rows)))
            padded = TeacherRatings(
                lesson=chunk.occasions(ratings.lesson[rows]),
                rater=chunk.occasions(ratings.rater[rows]),
                age=chunk.ages(ratings.day[rows]),
                latent=chunk.fill(readings.latent[rows] - strictness.offset),
                noise=chunk.fill(readings.noise[rows]),
                rater_remaining=chunk.fill(strictness.remaining),
                uncertainty=chunk.fill(readings.uncertainty[rows]),
                used=used,
            )
            flat = _flat(used, chunk.fill(place[rows]))
            yield _needs(chunk.teachers, named, posterior(padded, components, domains), flat)


def _flat(used: Array, place: Array) -> Bools:
    """(teachers,) True where no occasion's profile has two different scores and some occasion's has two equal ones.

    ``place`` is (teachers, items, occasions), each raw score as a fraction of its scale.
    """
    scored = used > 0
    high = np.where(scored, place, -np.inf).max(axis=1)
    low = np.where(scored, place, np.inf).min(axis=1)
    compared = scored.sum(axis=1) >= 2
    differ = compared & (high - low > SAME_PLACE)
    flat: Bools = compared.any(axis=1) & ~differ.any(axis=1)
    return flat


def _places_on_scales(ratings: Ratings, instruments: Mapping[str, Instrument]) -> Array:
    """(ratings,) raw scores as a fraction of their scale."""
    scales = [instruments[name].scale_of(code) for name, code in ratings.items]
    low = np.array([scale.min for scale in scales])
    span = np.array([scale.max - scale.min for scale in scales])
    place: Array = (ratings.raw - low[ratings.item]) / span[ratings.item]
    return place


def _needs(teacher: Integers, items: tuple[tuple[str, str], ...], result: Posterior, flat: Bools) -> NeedGroup:
    observed = result.observed
    share = observed / np.maximum(observed.sum(axis=1, keepdims=True), 1)
    middle = np.matmul(share[:, None, :], result.mean[:, :, None])[:, :, 0]
    need = np.where(observed & ~flat[:, None], middle - result.mean, 0.0)
    # Covariance of m - mean(m): centring matrix on both sides.
    centring = np.eye(len(items)) - share[:, None, :]
    covariance = np.matmul(np.matmul(centring, result.covariance), np.swapaxes(centring, 1, 2))
    return NeedGroup(teacher, items, observed, need, covariance, result.gain, flat)
