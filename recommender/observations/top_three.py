"""The chance that an item or a skill is among a teacher's three greatest needs, by sampling the posterior."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt
from scipy.special import ndtri

Array = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

PLACES = 3
# Error of a probability about .015, .06 at worst; the same draws for every teacher, so a rerun gives the same bytes.
DRAWS = 256
SEED = 20_260_101
# Draws closer than this are one value: skills that the same items speak for differ by rounding only.
SAME_NEED = 1e-9


@lru_cache(maxsize=32)
def _standard_normal(size: int) -> Array:
    """(size, draws) the normal's quantiles in a random order each: a third less sampling error than plain draws."""
    rng = np.random.default_rng(SEED)
    quantiles = ndtri((np.arange(DRAWS) + 0.5) / DRAWS)
    return np.stack([rng.permutation(quantiles) for _ in range(size)])


def sample_needs(need: Array, covariance: Array) -> Array:
    """(teachers, items, draws) draws of the needs of (teachers, items) from their (centred) posterior."""
    size = need.shape[1]
    root = _roots(covariance)
    draws: Array = need[:, :, None] + np.matmul(root, _standard_normal(size))
    return draws


def _roots(covariance: Array) -> Array:
    """Square roots of covariances that may be singular: eigenvalues below zero are rounding and become 0."""
    values, vectors = np.linalg.eigh(covariance)
    roots: Array = vectors * np.sqrt(np.maximum(values, 0.0))[:, None, :]
    return roots


def probability_of_top(draws: Array, known: Bools) -> Array:
    """(teachers, things) share of draws in which a thing is among the ``PLACES`` greatest; NaN where it is not known.

    ``draws`` is (teachers, things, draws). Equal values (skills that the same items speak for) share the places that
    are left between them.
    """
    candidates = np.where(known[:, :, None], draws, -np.inf)
    things = candidates.shape[1]
    if things <= PLACES:
        return np.where(known, 1.0, np.nan)
    third = np.partition(candidates, things - PLACES, axis=1)[:, things - PLACES, None, :]
    above = candidates > third + SAME_NEED
    level = known[:, :, None] & ~above & (candidates >= third - SAME_NEED)
    left = PLACES - above.sum(axis=1, keepdims=True)
    share = above + level * (left / np.maximum(level.sum(axis=1, keepdims=True), 1))
    few = known.sum(axis=1, keepdims=True) <= PLACES
    return np.where(known, np.where(few, 1.0, share.mean(axis=2)), np.nan)
