"""Puts skills in order: best score first, near-duplicates of one need spread, ties broken the same way every time."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from recommender.catalogue.loader import Catalogue


class Placed(NamedTuple):
    """One place of the list: a skill's position in the catalogue and what spreading took off its score (<= 0)."""

    skill: int
    spread: float


class Ordering:
    """Greedy choice by score less a penalty for the neighbours already above.

    The first neighbour of a suggestion is welcome: the two are alternatives a teacher should see. From the second on
    each costs ``penalty``, so that one need does not fill the list.
    """

    def __init__(self, catalogue: Catalogue, penalty: float) -> None:
        self.penalty = penalty
        ids = catalogue.ids
        self._neighbours = np.array([[catalogue.are_neighbours(a, b) for b in ids] for a in ids], dtype=np.int64)

    def place(self, score: npt.NDArray[np.float64], top: int, left_out: npt.NDArray[np.bool_]) -> list[Placed]:
        """The first ``top`` places for (skills,) log-odds; equal scores stand in catalogue order."""
        placed: list[Placed] = []
        available = ~left_out
        above = np.zeros(len(score), np.int64)
        for _ in range(min(top, int(available.sum()))):
            spread = self.penalty * np.maximum(above - 1, 0)
            best = int(np.argmax(np.where(available, score + spread, -np.inf)))
            placed.append(Placed(best, float(spread[best])))
            available[best] = False
            above += self._neighbours[best]
        return placed
