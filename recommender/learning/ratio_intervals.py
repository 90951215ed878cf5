"""Ratios of sums over people, and their differences, with intervals from a studentised cluster bootstrap."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from recommender.errors import GrowthError

Floats: TypeAlias = npt.NDArray[np.float64]
Ratios: TypeAlias = Mapping[str, tuple[int, int]]
"""By name, the columns above and below the line"""

# Resamples whose counts are in memory at a time.
DRAWN_AT_ONCE = 250
# A variance this small is the rounding of zero.
ROUNDING = 1e-14


@dataclass(frozen=True)
class RatioIntervals:
    """The ratios, then what each is more than the base one; arrays are (quantities, repeats)."""

    names: tuple[str, ...]
    value: Floats
    sd: Floats
    """Linearised standard error."""
    half_width: Floats
    """Of the 95% interval; infinite where too many resamples have no spread."""

    @property
    def least_sd(self) -> Floats:
        """Smallest standard error of a difference, per repeat."""
        result: Floats = self.sd[len(self.names) // 2 + 1 :].min(axis=0)
        return result


def more_than(name: str, base: str) -> str:
    """Name of the difference of two ratios."""
    return f"{name} - {base}"


def ratio_intervals(sums: Floats, ratios: Ratios, base: str, draws: int, seed: int) -> RatioIntervals:
    """Ratios of column sums with 95% intervals from resampled people; ``sums``: (repeats, people, columns).

    Symmetric studentised cluster bootstrap (Hall 1988, On symmetric bootstrap confidence intervals): each resample's
    error is divided by its own linearised standard error; the 95th percentile of the sizes is the half-width in
    standard errors. In the simulated logs of off_policy_report.py it covered better than percentile, expanded
    percentile, BCa and two-sided studentised intervals, because with heavy weights an estimate and its standard error
    err together. Raises GrowthError for fewer than two people.
    """
    repeats, people, columns = sums.shape
    if people < 2:
        raise GrowthError(f"{people} teacher", wanted="lists of two teachers or more", where="off-policy")
    by_person = _moments(sums)
    names, value, sd = _figures(by_person.sum(axis=1), columns, ratios, base)
    flat = by_person.transpose(1, 0, 2).reshape(people, -1)
    rng = np.random.default_rng(seed)
    errors = []
    for start in range(0, draws, DRAWN_AT_ONCE):
        size = min(DRAWN_AT_ONCE, draws - start)
        counts = rng.multinomial(people, np.full(people, 1 / people), size=size).astype(np.float64)
        drawn = (counts @ flat).reshape(size, len(by_person), repeats).swapaxes(0, 1)
        _, resampled, resampled_sd = _figures(drawn, columns, ratios, base)
        errors.append(_studentised(resampled - value[:, None], resampled_sd))
    reach = np.quantile(np.concatenate(errors, axis=1), 0.95, axis=1, method="higher")
    return RatioIntervals(names, value, sd, np.where(sd > 0, reach, 0.0) * sd)


def _pairs(columns: int) -> list[tuple[int, int]]:
    return [(i, j) for i in range(columns) for j in range(i, columns)]


def _moments(sums: Floats) -> Floats:
    """Each person's columns and products of two columns: (columns + products, people, repeats)."""
    by_column = sums.transpose(2, 1, 0)
    products = [by_column[i] * by_column[j] for i, j in _pairs(len(by_column))]
    return np.concatenate([by_column, np.stack(products)])


def _figures(moments: Floats, columns: int, ratios: Ratios, base: str) -> tuple[tuple[str, ...], Floats, Floats]:
    """Values and linearised standard errors from sums of columns and of products, along the first axis.

    A ratio a/b = v moves by (a_t - v b_t) / b with person t. These moves sum to 0, so the sum of their squares is its
    variance (Taylor linearisation; Woodruff 1971).
    """
    at = {pair: columns + index for index, pair in enumerate(_pairs(columns))}

    def product(i: int, j: int) -> Floats:
        result: Floats = moments[at[min(i, j), max(i, j)]]
        return result

    def covariance(first: str, second: str) -> Floats:
        (a, b), (c, d) = ratios[first], ratios[second]
        v, s = values[first], values[second]
        moved = product(a, c) - s * product(a, d) - v * product(b, c) + v * s * product(b, d)
        return _divided(moved, moments[b] * moments[d])

    values = {name: _divided(moments[above], moments[below]) for name, (above, below) in ratios.items()}
    variances = {name: covariance(name, name) for name in ratios}
    for name in ratios:
        if name != base:
            values[more_than(name, base)] = values[name] - values[base]
            variances[more_than(name, base)] = variances[name] + variances[base] - 2 * covariance(name, base)
    variance = np.stack(list(variances.values()))
    return tuple(values), np.stack(list(values.values())), np.sqrt(np.where(variance > ROUNDING, variance, 0.0))


def _divided(above: Floats, below: Floats) -> Floats:
    """0 where nothing is below the line: a resample without any weight."""
    result: Floats = np.divide(above, below, out=np.zeros_like(above), where=below > 0)
    return result


def _studentised(error: Floats, sd: Floats) -> Floats:
    """|error| / sd; a resample without spread says nothing where it has no error, and anything where it has."""
    size = np.abs(error)
    result: Floats = np.divide(size, sd, out=np.where(size > ROUNDING**0.5, np.inf, 0.0), where=sd > 0)
    return result
