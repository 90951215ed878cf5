"""How far two samples lie apart, and how far samples of one kind do by chance."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Counts = npt.NDArray[Any]

# Added to each count, as under Jeffreys' prior, so that an empty bin costs something and not everything.
HALF_A_COUNT = 0.5


def psi(found: Counts, trained: Counts) -> Floats:
    """Population stability index of counts (..., bins): ``sum (p - q) ln(p / q)``, 0 or more.

    The symmetric divergence of Jeffreys (1946), known by this name from credit scoring. Half a count is added to each
    bin of either side.
    """
    p, q = _shares(found), _shares(trained)
    result: Floats = ((p - q) * np.log(p / q)).sum(axis=-1)
    return result


def ks(found: Counts, trained: Counts) -> Floats:
    """Two-sample Kolmogorov-Smirnov distance, 0 to 1, of counts (..., values) on the same rising values."""
    reached = [np.cumsum(counts, axis=-1) / counts.sum(axis=-1, keepdims=True) for counts in (found, trained)]
    result: Floats = np.abs(reached[0] - reached[1]).max(axis=-1)
    return result


def on_same_values(found: Floats, values: Floats, counts: Integers) -> tuple[Integers, Integers, Floats]:
    """A sample beside a histogram: counts of both on the union of their values, and those values."""
    union = np.union1d(found, values)
    of_found = np.zeros(len(union), np.int64)
    np.add.at(of_found, np.searchsorted(union, found), 1)
    of_histogram = np.zeros(len(union), np.int64)
    of_histogram[np.searchsorted(union, values)] = counts
    return of_found, of_histogram, union


def in_bins(counts: Counts, values: Floats, edges: Floats) -> Counts:
    """Counts (..., values) summed into bins: up to the first edge, up to the next, ..., above the last."""
    member = np.searchsorted(edges, values, side="left")
    result = np.zeros((*counts.shape[:-1], len(edges) + 1), counts.dtype)
    for one in np.unique(member):
        result[..., one] = counts[..., member == one].sum(axis=-1)
    return result


def drawn_pairs(counts: Integers, n: int, trained_n: int, draws: int, seed: tuple[int, ...]) -> tuple[Counts, Counts]:
    """Counts (draws, values) of windows of ``n`` and of as many references of ``trained_n``, both without drift.

    Both are drawn from the reference: that it is itself a sample counts too, which for windows as large as it doubles
    the variance.
    """
    rng = np.random.default_rng(list(seed))
    shares = counts / counts.sum()
    return rng.multinomial(n, shares, size=draws), rng.multinomial(trained_n, shares, size=draws)


def _shares(counts: Counts) -> Floats:
    smoothed = counts + HALF_A_COUNT
    result: Floats = smoothed / smoothed.sum(axis=-1, keepdims=True)
    return result
