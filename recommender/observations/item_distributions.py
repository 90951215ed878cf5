"""The distribution of one item's scores among a tenant's lessons: what a score is worth is its place in it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr, ndtri

from recommender.catalogue.families import load_families
from recommender.catalogue.instrument import Instrument, Norm

Array = npt.NDArray[np.float64]
Bounds = tuple[Array, Array]

# A tenant's own distribution weighs n / (n + this) against a prior measured on the very item (observation notes, 6.2).
MEASURED_PRIOR = 200.0
# A prior borrowed from another instrument's items of the same construct only bridges the first few lessons.
BORROWED_PRIOR = 20.0
# How hard a borrowed item is, is known about as well as five scores of its own would tell (an assumption).
BORROWED_CERTAINTY = 5.0
# An item of no known family borrows what is usual over all of schools' own ratings; this family has no other norm.
USUAL_FAMILY = "agency"
# A scale with more steps than this is no rating scale.
MOST_STEPS = 10
# With few scores and no prior the variance of normal scores is taken to be that of a plain 4-level item.
USUAL_INFORMATION, USUAL_INFORMATION_WEIGHT = 0.85, 10.0
# No single score is taken for rarer than one in five hundred.
RAREST = 0.002
MOST_EXTREME = float(ndtri(1 - RAREST))
# A value that fewer scores than this share have in common is a point, not a level.
NARROW = 1e-6
# Below this a score says next to nothing; the floor keeps the arithmetic finite.
LEAST_INFORMATION = 0.02


@dataclass(frozen=True)
class Prior:
    """What is known of an item's scores before a tenant's own: level shares, or a mean and SD, with a weight in scores.

    Values are directed: more is better.
    """

    weight: float
    certainty: float
    """How many scores of the item would tell as well where its middle lies"""
    levels: tuple[float, ...] = ()
    shares: tuple[float, ...] = ()
    mean: float = 0.0
    sd: float = 1.0

    def bounds(self, values: Array) -> Bounds:
        """Share of scores below each value, and up to it; between two levels both are interpolated, without a jump."""
        if not self.levels:
            below: Array = ndtr((values - self.mean) / self.sd)
            return below, below
        up_to = np.cumsum(self.shares)
        below = up_to - np.asarray(self.shares)
        return np.interp(values, self.levels, below), np.interp(values, self.levels, up_to)

    @cached_property
    def information(self) -> float:
        """Variance of the normal scores under this prior; 1 for a continuous score."""
        if not self.levels:
            return USUAL_INFORMATION
        scores = expected_normal_scores(*self.bounds(np.asarray(self.levels)))
        shares = np.asarray(self.shares)
        return float(shares @ scores**2 - (shares @ scores) ** 2)


def expected_normal_scores(below: Array, up_to: Array) -> Array:
    """E[latent | the latent lies between two quantiles] of a standard normal: (phi(a) - phi(b)) / (up_to - below).

    The score of a level is what its latent score is on average, so that the variance of the scores is also their
    covariance with the latent score (Pearson 1901, grouped normals); the normal quantile of the mid-rank is a fifth too
    small for a two-level item. Where a value has no width of its own it is the quantile. Never beyond ``MOST_EXTREME``.
    """
    below, up_to = np.clip(below, 0.0, 1.0), np.clip(up_to, 0.0, 1.0)
    width = up_to - below
    density = np.exp(-(ndtri(np.stack([below, up_to])) ** 2) / 2) / np.sqrt(2 * np.pi)
    quantile = ndtri(np.clip((below + up_to) / 2, RAREST, 1 - RAREST))
    wide = width > NARROW
    mean = np.divide(density[0] - density[1], width, out=np.zeros_like(width), where=wide)
    scores: Array = np.clip(np.where(wide, mean, quantile), -MOST_EXTREME, MOST_EXTREME)
    return scores


def prior_of(instrument: Instrument, code: str) -> Prior | None:
    """The prior of an item: its own norm, else the one borrowed through its construct family, else None."""
    item = instrument.by_code[code]
    scale = instrument.scale_of(code)
    turned = item.direction == -1
    if item.norm is not None:
        return _measured(item.norm, scale.min + scale.max, turned)
    families = load_families()
    family = families.get(item.family or "", families[USUAL_FAMILY])
    span = scale.max - scale.min
    # A family's norm is a place on a rating scale; a count's rate, seconds and percentages have none.
    if item.per is not None or span / scale.step > MOST_STEPS:
        return None
    position = family.position_mean
    return Prior(BORROWED_PRIOR, BORROWED_CERTAINTY, mean=scale.min + position * span, sd=family.position_sd * span)


def _measured(norm: Norm, flip: float, turned: bool) -> Prior:
    if norm.shares is None:
        assert norm.mean is not None
        assert norm.sd is not None
        return Prior(MEASURED_PRIOR, MEASURED_PRIOR, mean=flip - norm.mean if turned else norm.mean, sd=norm.sd)
    directed = {flip - value if turned else value: share for value, share in norm.shares.items()}
    levels = tuple(sorted(directed))
    total = sum(directed.values())
    return Prior(MEASURED_PRIOR, MEASURED_PRIOR, levels, tuple(directed[level] / total for level in levels))


@dataclass(frozen=True)
class ItemDistribution:
    """Scores of one item among one tenant's lessons, blended with a prior; values directed, more is better."""

    values: Array
    """(distinct values,) ascending"""
    counts: Array
    """(distinct values,) scores at each value"""
    prior: Prior | None

    @property
    def n(self) -> float:
        """Number of the tenant's own scores."""
        return float(self.counts.sum())

    @property
    def own_weight(self) -> float:
        """Weight of the tenant's own scores, n / (n + the prior's)."""
        if self.prior is None:
            return 1.0
        return self.n / (self.n + self.prior.weight)

    @property
    def uncertainty(self) -> float:
        """Variance of where the middle of the distribution lies, in normal-score units."""
        known = self.n + (self.prior.certainty if self.prior is not None else 0.0)
        return 1.0 / (known + 1.0)

    def normal_scores(self, values: Array) -> Array:
        """Expected normal score of each value under the blended distribution; see ``expected_normal_scores``."""
        below, up_to = self._own_bounds(values)
        if self.prior is not None:
            weight, prior = self.own_weight, self.prior.bounds(values)
            below = weight * below + (1 - weight) * prior[0]
            up_to = weight * up_to + (1 - weight) * prior[1]
        return expected_normal_scores(below, up_to)

    def _own_bounds(self, values: Array) -> Bounds:
        if not len(self.values):
            middle = np.full(len(values), 0.5)
            return middle, middle
        cumulative = np.concatenate([[0.0], np.cumsum(self.counts)]) / self.n
        below = cumulative[np.searchsorted(self.values, values, side="left")]
        return below, cumulative[np.searchsorted(self.values, values, side="right")]

    @cached_property
    def information(self) -> float:
        """Variance of the normal scores, the share of the latent score that the coarse one keeps: 0.02 to 1.

        An item at its ceiling in 19 of 20 lessons keeps little, and so must not rank needs.
        """
        expected = USUAL_INFORMATION if self.prior is None else self.prior.information
        prior_weight = USUAL_INFORMATION_WEIGHT if self.prior is None else self.prior.weight
        if self.n < 2:
            return min(1.0, max(LEAST_INFORMATION, expected))
        scores = self.normal_scores(self.values)
        mean = float(self.counts @ scores) / self.n
        own = float(self.counts @ (scores - mean) ** 2) / self.n
        blended = (self.n * own + prior_weight * expected) / (self.n + prior_weight)
        return float(min(1.0, max(LEAST_INFORMATION, blended)))
