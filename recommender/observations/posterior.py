"""Each teacher's true item scores given all ratings: multivariate empirical Bayes, many teachers at a time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from recommender.observations.components import VarianceComponents

Array = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

DAYS_A_YEAR = 365.25


@dataclass(frozen=True)
class TeacherRatings:
    """Ratings of teachers that share one list of items and one padded number of occasions.

    An occasion is one rater in one lesson. ``lesson`` and ``rater`` tell occasions of one teacher apart; cells without
    a rating have ``used`` 0 and hold zeros.
    """

    lesson: Integers
    """(teachers, occasions)"""
    rater: Integers
    """(teachers, occasions)"""
    age: Array
    """(teachers, occasions) years before the teacher's latest lesson"""
    latent: Array
    """(teachers, items, occasions) severity-adjusted reading"""
    noise: Array
    """(teachers, items, occasions) variance that coarseness adds"""
    rater_remaining: Array
    """(teachers, items, occasions) share of rater variance left"""
    uncertainty: Array
    """(teachers, items, occasions) variance of the item's middle"""
    used: Array
    """(teachers, items, occasions) 1 for a rating"""


@dataclass(frozen=True)
class Posterior:
    """True item scores in normal-score units around the tenant's usual teacher; more is better."""

    mean: Array
    """(teachers, items)"""
    covariance: Array
    """(teachers, items, items)"""
    gain: Array
    """(teachers, items, items) change of each mean per unit of an item's observed mean"""
    observed: npt.NDArray[np.bool_]
    """(teachers, items) whether the item was scored at all"""


def posterior(ratings: TeacherRatings, components: VarianceComponents, domains: tuple[str, ...]) -> Posterior:
    """Posterior mean and covariance of the true scores.

    ``m = C' M^-1 y`` with y the recency-weighted mean reading of each item, M its covariance (teacher + lesson + rater
    left + residual + coarseness, each by how far two items share lessons, raters and ratings) and C its covariance
    with the true scores at the time of the latest lesson. Items that were not scored carry no information but are
    informed through the correlation of true scores. Multivariate EB as in the research notes, section 6.
    """
    true = components.teacher.covariance(domains)
    stability = components.annual_stability
    share = ratings.used * (stability**ratings.age)[:, None, :]
    total = share.sum(axis=2)
    observed = total > 0
    share /= np.where(observed, total, 1.0)[:, :, None]

    y = (share * ratings.latent).sum(axis=2)
    now = np.matmul(share, (stability**ratings.age)[:, :, None])[:, :, 0]
    apart = np.abs(ratings.age[:, :, None] - ratings.age[:, None, :])
    same_lesson, same_rater = _same(ratings.lesson), _same(ratings.rater)
    left = share * np.sqrt(ratings.rater_remaining)
    covariance = true * _overlap(share, stability**apart)
    covariance += components.lesson.covariance(domains) * _overlap(share, same_lesson)
    covariance += components.rater.covariance(domains) * _overlap(left, same_rater)
    covariance += components.residual.covariance(domains) * np.matmul(share, np.swapaxes(share, 1, 2))
    diagonal = np.arange(len(domains))
    covariance[:, diagonal, diagonal] += (share**2 * ratings.noise).sum(axis=2)
    covariance[:, diagonal, diagonal] += (share * ratings.uncertainty).sum(axis=2)
    covariance[:, diagonal, diagonal] += ~observed

    cross = true * now[:, :, None]
    gain = np.swapaxes(np.linalg.solve(covariance, cross), 1, 2)
    mean = np.matmul(gain, y[:, :, None])[:, :, 0]
    spread = true - np.matmul(gain, cross)
    return Posterior(mean, (spread + np.swapaxes(spread, 1, 2)) / 2, gain, observed)


def _same(codes: Integers) -> Array:
    same: Array = (codes[:, :, None] == codes[:, None, :]).astype(np.float64)
    return same


def _overlap(share: Array, kernel: Array) -> Array:
    """(teachers, items, items) sum over pairs of occasions of both shares times the kernel."""
    overlap: Array = np.matmul(np.matmul(share, kernel), np.swapaxes(share, 1, 2))
    return overlap
