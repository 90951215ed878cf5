"""Lesson scores as arrays: what nobody observed is left out, segments are averaged, reversed items are turned."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from recommender.catalogue.instrument import Instrument
from recommender.errors import DataFileError
from recommender.observations import scores as columns

Array = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Ratings:
    """One entry per teacher, lesson, observer and item: the mean over the lesson's segments, directed (more is better).

    ``teacher``, ``lesson``, ``rater``, ``item`` and ``tenant`` are positions in the tuples of names; a lesson belongs
    to one teacher, a rater to one tenant. ``day`` counts from 1970-01-01.
    """

    teachers: tuple[str, ...]
    items: tuple[tuple[str, str], ...]
    """(instrument id, item code) in a fixed order: by instrument id, then as the instrument lists its items"""
    tenants: tuple[str, ...]
    raters: tuple[tuple[str, str], ...]
    """(tenant, observer)"""
    teacher: Integers
    lesson: Integers
    rater: Integers
    item: Integers
    tenant: Integers
    day: Integers
    value: Array
    raw: Array
    """The same score before turning, as a person reads it"""
    exposure: Array
    """What a count is out of (teacher sentences, minutes) over the lesson; 0 for items that are no counts"""
    school: Integers
    """One code per tenant and school, -1 where none is named; for notices only, never a feature"""

    def __len__(self) -> int:
        return len(self.value)

    def known_rater(self) -> npt.NDArray[np.bool_]:
        """(ratings,) False where nobody knows who observed."""
        known = np.array([observer != columns.UNKNOWN_OBSERVER for _, observer in self.raters], dtype=bool)
        return known[self.rater] if len(self) else np.zeros(0, dtype=bool)


def observed_ratings(scores: pd.DataFrame, instruments: Mapping[str, Instrument]) -> Ratings:
    """Collapse a score table to lesson scores.

    Left out: derived items, self-ratings, machine scores and rows without a number; a missing score stays missing. A
    counted item becomes count / denominator, and is left out where the lesson has no denominator. Raises DataFileError
    for an instrument that is not known.
    """
    items = _item_positions(scores, instruments)
    frame = scores.loc[is_observed(scores)]
    keys = pd.MultiIndex.from_arrays([frame[columns.INSTRUMENT], frame[columns.ITEM]])
    position = _positions(keys, items)
    kept = position >= 0
    frame, position = frame.loc[kept], position[kept]
    tenant_code, tenants = _codes(frame[columns.TENANT].to_numpy(dtype=object))
    teacher, teachers = _people(frame[columns.TEACHER].to_numpy(dtype=object), tenant_code, tenants)
    visit, _ = _codes(frame[columns.VISIT].to_numpy(dtype=object))
    lesson = _joint(teacher, visit)
    observer, observers = _codes(frame[columns.OBSERVER].to_numpy(dtype=object))
    pair = tenant_code * len(observers) + observer
    rater_keys, rater = np.unique(pair, return_inverse=True)
    raters = tuple((tenants[int(key) // len(observers)], observers[int(key) % len(observers)]) for key in rater_keys)
    day = frame[columns.OBSERVED_ON].to_numpy().astype("datetime64[D]").astype(np.int64)
    collapsed = _collapse(lesson, rater, position, frame[columns.VALUE].to_numpy(dtype=np.float64), day)
    first, value, count, last_day = collapsed
    item = position[first]
    rate, exposure = _rates(lesson[first], rater[first], item, value, count, _denominators(items, instruments))
    offset, sign = _directions(items, instruments)
    directed = offset[item] + sign[item] * rate
    place, scored = _without_denominators(items, instruments)
    kept = (place[item] >= 0) & ~np.isnan(rate) if len(item) else np.zeros(0, dtype=bool)
    first = first[kept]
    return Ratings(
        teachers=teachers,
        items=scored,
        tenants=tenants,
        raters=raters,
        teacher=teacher[first],
        lesson=lesson[first],
        rater=rater[first],
        item=place[item[kept]],
        tenant=tenant_code[first],
        day=last_day[kept],
        value=directed[kept],
        raw=rate[kept],
        exposure=exposure[kept],
        school=_schools(frame, tenant_code)[first],
    )


def is_observed(scores: pd.DataFrame) -> npt.NDArray[np.bool_]:
    """(rows,) True where an observer gave a number: no self-rating, no machine score, nothing missing."""
    unseen = scores[columns.OBSERVATION_TYPE].isin(columns.NOT_OBSERVED_TYPES)
    unseen |= scores[columns.OBSERVER_ROLE].isin(columns.NOT_OBSERVED_ROLES)
    observed: npt.NDArray[np.bool_] = (~unseen & scores[columns.VALUE].notna()).to_numpy()
    return observed


def _item_positions(scores: pd.DataFrame, instruments: Mapping[str, Instrument]) -> tuple[tuple[str, str], ...]:
    """Every scorable item of the instruments met, so that a teacher's arithmetic does not depend on the others'."""
    items: list[tuple[str, str]] = []
    for name in sorted(scores[columns.INSTRUMENT].unique()):
        if name not in instruments:
            raise DataFileError(
                f"scores of {name!r}",
                wanted="an instrument that is known",
                way_out="Name its file with --instrument; `growth instruments list` shows the shipped ones.",
            )
        items += [(name, item.code) for item in instruments[name].items if not item.derived]
    return tuple(items)


def _denominators(items: tuple[tuple[str, str], ...], instruments: Mapping[str, Instrument]) -> Integers:
    """(items,) position of the item a count is divided by, -1 for items that are no counts."""
    place = {item: position for position, item in enumerate(items)}
    per = (instruments[name].by_code[code].per for name, code in items)
    found = [-1 if code is None else place[name, code] for (name, _), code in zip(items, per, strict=True)]
    return np.array(found, dtype=np.int64)


def _rates(
    lesson: Integers, rater: Integers, item: Integers, value: Array, segments: Integers, per: Integers
) -> tuple[Array, Array]:
    """Counts as rates with what they are out of over all segments; NaN where a lesson has no denominator."""
    exposure = np.zeros(len(value))
    counted = per[item] >= 0 if len(item) else np.zeros(0, dtype=bool)
    if not counted.any():
        return value, exposure
    total = value * segments
    key = pd.MultiIndex.from_arrays([lesson, rater, item])
    wanted = pd.MultiIndex.from_arrays([lesson[counted], rater[counted], per[item[counted]]])
    found = key.get_indexer(wanted)
    out_of = np.where(found >= 0, total[found], 0.0)
    exposure[counted] = out_of
    rate = value.copy()
    rate[counted] = np.where(out_of > 0, total[counted] / np.where(out_of > 0, out_of, 1.0), np.nan)
    return rate, exposure


def _without_denominators(
    items: tuple[tuple[str, str], ...], instruments: Mapping[str, Instrument]
) -> tuple[Integers, tuple[tuple[str, str], ...]]:
    """(items,) position of each item once denominators are dropped (-1 for those), and the items that remain."""
    per = {(name, instruments[name].by_code[code].per) for name, code in items}
    place = np.full(len(items), -1, dtype=np.int64)
    kept: list[tuple[str, str]] = []
    for position, item in enumerate(items):
        if item not in per:
            place[position] = len(kept)
            kept.append(item)
    return place, tuple(kept)


def _positions(keys: pd.MultiIndex, items: tuple[tuple[str, str], ...]) -> Integers:
    index = pd.MultiIndex.from_tuples(items, names=[columns.INSTRUMENT, columns.ITEM]) if items else None
    if index is None:
        return np.full(len(keys), -1, dtype=np.int64)
    return np.asarray(index.get_indexer(keys), dtype=np.int64)


def _codes(names: npt.NDArray[np.object_]) -> tuple[Integers, tuple[str, ...]]:
    codes, uniques = pd.factorize(names, sort=True)
    return codes.astype(np.int64), tuple(str(name) for name in uniques)


def _people(
    names: npt.NDArray[np.object_], tenant: Integers, tenants: tuple[str, ...]
) -> tuple[Integers, tuple[str, ...]]:
    """Code of each (teacher, tenant) and the teachers' names, with the tenant before those that two tenants use."""
    name, known = _codes(names)
    pairs, codes = np.unique(name * len(tenants) + tenant, return_inverse=True)
    of_name, of_tenant = np.divmod(pairs, max(len(tenants), 1))
    users = np.bincount(of_name, minlength=len(known))
    shown = (
        known[one] if users[one] == 1 else f"{tenants[place]}/{known[one]}"
        for one, place in zip(of_name.tolist(), of_tenant.tolist(), strict=True)
    )
    return codes.astype(np.int64), tuple(shown)


def _schools(frame: pd.DataFrame, tenant: Integers) -> Integers:
    school, names = _codes(frame[columns.SCHOOL].to_numpy(dtype=object))
    unnamed = np.array([name == "" for name in names], dtype=bool)
    codes = _joint(tenant, school)
    return np.where(unnamed[school], np.int64(-1), codes) if len(codes) else codes


def _joint(first: Integers, second: Integers) -> Integers:
    width = int(second.max()) + 1 if len(second) else 1
    _, codes = np.unique(first * width + second, return_inverse=True)
    return np.asarray(codes, dtype=np.int64)


def _collapse(
    lesson: Integers, rater: Integers, item: Integers, value: Array, day: Integers
) -> tuple[Integers, Array, Integers, Integers]:
    """Mean value, number of segments and last day of each (lesson, rater, item), with the row each is first met in."""
    width_rater = int(rater.max()) + 1 if len(rater) else 1
    width_item = int(item.max()) + 1 if len(item) else 1
    key = (lesson * width_rater + rater) * width_item + item
    _, first, code = np.unique(key, return_index=True, return_inverse=True)
    count = np.bincount(code, minlength=len(first))
    # A lesson's segments in ascending order of value: the sum does not depend on the order of the file's rows.
    order = np.lexsort((value, code))
    starts = np.concatenate([[0], np.cumsum(count)[:-1]]).astype(np.int64) if len(first) else np.zeros(0, np.int64)
    total = np.add.reduceat(value[order], starts) if len(first) else np.zeros(0)
    last = np.maximum.reduceat(day[order], starts) if len(first) else np.zeros(0, np.int64)
    return first.astype(np.int64), total / np.maximum(count, 1), count.astype(np.int64), last.astype(np.int64)


def _directions(items: tuple[tuple[str, str], ...], instruments: Mapping[str, Instrument]) -> tuple[Array, Array]:
    """(items,) offset and sign that turn a reversed score: min + max - value."""
    offset, sign = np.zeros(len(items)), np.ones(len(items))
    for position, (name, code) in enumerate(items):
        instrument = instruments[name]
        if instrument.by_code[code].direction == -1:
            scale = instrument.scale_of(code)
            offset[position], sign[position] = scale.min + scale.max, -1.0
    return offset, sign
