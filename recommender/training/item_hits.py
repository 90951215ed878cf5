"""How many of the items a ranker puts first are among those truly first, ties broken by seeded draws."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from recommender.training.observation_baselines import DIGITS, ItemRanks

Array = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

FIRST = 3
# One seed's ties would hang the figure on luck; with 20 they move it by less than .003 for 300 teachers.
TIE_DRAWS = 20


@dataclass(frozen=True)
class Question:
    """Which items are in the running for each teacher, and what they truly need.

    Teachers with no more than ``FIRST`` candidates are left out: anything would be right. ``too_few`` counts them.
    """

    teachers: tuple[str, ...]
    items: tuple[tuple[str, str], ...]
    candidates: Bools
    """(teachers, items)"""
    target: Array
    """(teachers, items) higher = more need"""
    too_few: int = 0

    @classmethod
    def of(cls, scored: ItemRanks, target: ItemRanks) -> Question:
        """Candidates are the items that both have; ``scored`` is any ranker that answers for every scored item."""
        items = tuple(item for item in target.items if item in set(scored.items))
        wanted = aligned(target, target.teachers, items)
        candidates = ~np.isnan(wanted) & ~np.isnan(aligned(scored, target.teachers, items))
        enough = candidates.sum(axis=1) > FIRST
        teachers = tuple(teacher for teacher, kept in zip(target.teachers, enough, strict=True) if kept)
        return cls(teachers, items, candidates[enough], wanted[enough], int((~enough).sum()))

    @property
    def chance(self) -> float:
        """Mean share that a draw without looking reaches, 3 of the number of candidates; NaN without teachers."""
        return float(np.mean(FIRST / self.candidates.sum(axis=1))) if self.teachers else float("nan")


@dataclass(frozen=True)
class Hits:
    """A ranker's hits, one value a teacher of the question."""

    share: Array
    """(teachers,) 0 to 1, mean over the tie draws; 0 where the ranker gave no answer"""
    answered: Bools


def hits(question: Question, ranked: ItemRanks, seed: int, draws: int = TIE_DRAWS) -> Hits:
    """Share of the ranker's first three candidates that are among the target's first three.

    Every draw breaks the ties of both sides anew, and in the same way for every ranker.
    """
    need = aligned(ranked, question.teachers, question.items)
    known = question.candidates & ~np.isnan(need)
    total = np.zeros(len(need))
    for draw in range(draws):
        rng = np.random.default_rng([seed, draw])
        wanted = first_items(question.target, question.candidates, rng)
        picked = first_items(need, known, rng)
        total += (wanted & picked).sum(axis=1) / FIRST
    answered: Bools = known.sum(axis=1) > 0
    return Hits(total / draws, answered)


def first_items(need: Array, candidates: Bools, rng: np.random.Generator) -> Bools:
    """(teachers, items) True for the ``FIRST`` candidates of most need; equals are drawn from ``rng``."""
    luck = rng.random(need.shape)
    height = np.where(candidates, np.round(need, DIGITS), -np.inf)
    order = np.lexsort((luck, -height), axis=-1)[:, :FIRST]
    first = np.zeros(need.shape, dtype=bool)
    np.put_along_axis(first, order, values=True, axis=1)
    chosen: Bools = first & candidates
    return chosen


def aligned(ranks: ItemRanks, teachers: Sequence[str], items: Sequence[tuple[str, str]]) -> Array:
    """(teachers, items) the needs of these teachers and items; NaN for those the ranker does not know."""
    row = {teacher: position for position, teacher in enumerate(ranks.teachers)}
    column = {item: position for position, item in enumerate(ranks.items)}
    rows = np.array([row.get(teacher, -1) for teacher in teachers], dtype=np.int64)
    columns = np.array([column.get(item, -1) for item in items], dtype=np.int64)
    padded = np.pad(ranks.need, ((0, 1), (0, 1)), constant_values=np.nan)
    found: Array = padded[np.ix_(rows, columns)]
    return found
