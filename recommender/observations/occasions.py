"""Lays a tenant's ratings out as (teachers, items, occasions) blocks that only each teacher's own ratings shape."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from recommender.observations.posterior import DAYS_A_YEAR
from recommender.observations.ratings import Ratings

Array = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]


@dataclass(frozen=True)
class OccasionGroup:
    """Teachers scored with the same instruments whose occasions fit one padded size."""

    members: Integers
    """Positions among the tenant's teachers"""
    items: Integers
    """Positions in the ratings' items: all items of the teachers' instruments, scored or not"""
    size: int
    """Padded number of occasions, a power of two"""


class OccasionTable:
    """The occasions (one rater in one lesson) of one tenant's teachers, in the order of their dates."""

    def __init__(self, ratings: Ratings, rows: Integers) -> None:
        self.ratings = ratings
        self.rows = rows
        teacher = ratings.teacher[rows]
        key = np.stack([teacher, ratings.lesson[rows], ratings.rater[rows]])
        # The items of a lesson may carry different days; it stands where its first item does.
        pairs, first, occasion = np.unique(key, axis=1, return_index=True, return_inverse=True)
        order = np.lexsort((pairs[2], pairs[1], ratings.day[rows][first], pairs[0]))
        place = np.empty_like(order)
        place[order] = np.arange(len(order))
        sorted_teacher = pairs[0][order]
        self.teachers, start, self.count = np.unique(sorted_teacher, return_index=True, return_counts=True)
        self.member = np.searchsorted(self.teachers, teacher)
        self.occasion = place[occasion.ravel()] - start[self.member]

    @cached_property
    def _instrument(self) -> tuple[Integers, int]:
        names = np.array([name for name, _ in self.ratings.items])
        found, codes = np.unique(names, return_inverse=True)
        return codes.astype(np.int64), len(found)

    def groups(self) -> Iterator[OccasionGroup]:
        """Groups in a fixed order."""
        if not len(self.rows):
            return
        instrument, n_instruments = self._instrument
        used = np.zeros((len(self.teachers), n_instruments), dtype=bool)
        used[self.member, instrument[self.ratings.item[self.rows]]] = True
        patterns, pattern = np.unique(used, axis=0, return_inverse=True)
        size = 2 ** np.ceil(np.log2(self.count)).astype(np.int64)
        for number, padded in sorted(set(zip(pattern.ravel().tolist(), size.tolist(), strict=True))):
            members = np.flatnonzero((pattern.ravel() == number) & (size == padded))
            yield OccasionGroup(members, np.flatnonzero(patterns[number][instrument]), padded)

    @cached_property
    def _by_member(self) -> tuple[Integers, Integers]:
        order = np.argsort(self.member, kind="stable")
        return order, np.searchsorted(self.member[order], np.arange(len(self.teachers) + 1))

    def cells(self, group: OccasionGroup, members: Integers) -> OccasionCells:
        """Where the ratings of some of a group's teachers go."""
        order, bounds = self._by_member
        chosen = np.concatenate([order[bounds[m] : bounds[m + 1]] for m in members])
        local = np.searchsorted(members, self.member[chosen])
        item = np.searchsorted(group.items, self.ratings.item[self.rows[chosen]])
        shape = (len(members), len(group.items), group.size)
        return OccasionCells(self.teachers[members], chosen, local, item, self.occasion[chosen], shape)


@dataclass(frozen=True)
class OccasionCells:
    """The cells of one block; ``chosen`` are positions among the tenant's rows."""

    teachers: Integers
    chosen: Integers
    member: Integers
    item: Integers
    occasion: Integers
    shape: tuple[int, int, int]

    def fill(self, values: Array) -> Array:
        """(teachers, items, occasions) of a column over the tenant's rows; 0 where there is no rating."""
        block = np.zeros(self.shape)
        block[self.member, self.item, self.occasion] = values[self.chosen]
        return block

    def occasions(self, values: Integers) -> Integers:
        """(teachers, occasions) of a column that is the same for all items of an occasion; padding is -1, -2, ..."""
        block = np.tile(-1 - np.arange(self.shape[2]), (self.shape[0], 1))
        block[self.member, self.occasion] = values[self.chosen]
        return block

    def ages(self, day: Integers) -> Array:
        """(teachers, occasions) years before the teacher's latest occasion; 0 for padding."""
        block = np.full((self.shape[0], self.shape[2]), np.iinfo(np.int64).min)
        np.maximum.at(block, (self.member, self.occasion), day[self.chosen])
        latest = block.max(axis=1, keepdims=True)
        known = block > np.iinfo(np.int64).min
        return np.where(known, latest - np.where(known, block, 0), 0) / DAYS_A_YEAR
