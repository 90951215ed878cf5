"""Finds texts that repeat another text of the data: nearly the same story, or the same run of words."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from recommender.training.corpus import Row
from recommender.training.folds import NEAR_DUPLICATE, near_duplicates
from recommender.training.stored_vectors import StoredVectors, text_key

# MiniLM cosine over which two texts tell one story in nearly the same words.
NEAR_COPY = 0.9
SHARED_RUN = 8

_WORD = re.compile(r"[a-z0-9']+")


@dataclass(frozen=True)
class PlacedRow:
    """A row with the file and line (from 1) it stands in."""

    file: str
    line: int
    row: Row

    def __str__(self) -> str:
        return f"{self.file}:{self.line} ({self.row.id})"


@dataclass(frozen=True)
class NearCopy:
    """A row, the row it is close to, and the ``measure`` (MiniLM or character 4-gram) whose ``limit`` it passes.

    ``cosine`` is None for the character measure, which only tells that its limit is passed.
    """

    one: PlacedRow
    other: PlacedRow
    measure: str
    cosine: float | None
    limit: float


def near_copies(rows: Sequence[PlacedRow], others: Sequence[PlacedRow], vectors: StoredVectors) -> list[NearCopy]:
    """Pairs of one of ``rows`` and any other row, of ``rows`` or ``others``, that are nearly one text.

    Where both texts have a stored vector: MiniLM cosine over ``NEAR_COPY``. Where one has none (screening texts): the
    character 4-gram TF-IDF cosine of ``folds.near_duplicates`` over its own ``NEAR_DUPLICATE``. The two cosines are
    not on one scale: .5 of the second already is a retelling. Of a pair within ``rows`` the later one is named first.
    """
    everything = [*others, *rows]  # so that of any pair told the later one is of ``rows``
    stored = [text_key(one.row.text) in vectors.rows for one in everything]
    pairs = _vector_pairs(everything, len(others), stored, vectors)
    return sorted(
        [*pairs, *_character_pairs(everything, len(others), stored)],
        key=lambda copy: (copy.one.file, copy.one.line, copy.other.file, copy.other.line),
    )


def shared_runs(
    rows: Sequence[PlacedRow], others: Sequence[PlacedRow], length: int = SHARED_RUN
) -> Iterator[tuple[PlacedRow, PlacedRow, int]]:
    """Each of ``rows`` that shares ``length`` words in a row with another row, with that row and ``length``.

    Words are lower-cased runs of a-z, 0-9 and '. Linear in the number of words: a run remembers only the first row it
    stood in, so one that many rows share is told for each later row with the first. Pairs are told once.
    """
    holder: dict[tuple[str, ...], int] = {}
    for number, one in enumerate([*others, *rows]):
        met: dict[int, None] = {}
        for run in _runs(one.row.text, length):
            earlier = holder.setdefault(run, number)
            if earlier != number and number >= len(others):
                met[earlier] = None
        for earlier in met:
            yield one, others[earlier] if earlier < len(others) else rows[earlier - len(others)], length


def _runs(text: str, length: int) -> Iterator[tuple[str, ...]]:
    words = _WORD.findall(text.lower())
    return (tuple(words[start : start + length]) for start in range(len(words) - length + 1))


def _vector_pairs(
    everything: Sequence[PlacedRow], first: int, stored: Sequence[bool], vectors: StoredVectors
) -> Iterator[NearCopy]:
    positions = [i for i, known in enumerate(stored) if known]
    units = vectors.embed([everything[i].row.text for i in positions])
    units /= np.linalg.norm(units, axis=1, keepdims=True)
    start = sum(i < first for i in positions)
    cosines = units[start:] @ units.T
    for a, b in zip(*np.nonzero(cosines > NEAR_COPY), strict=True):
        if b < start + a:
            one, other = everything[positions[start + a]], everything[positions[b]]
            yield NearCopy(one, other, "MiniLM", float(cosines[a, b]), NEAR_COPY)


def _character_pairs(everything: Sequence[PlacedRow], first: int, stored: Sequence[bool]) -> Iterator[NearCopy]:
    if all(stored):
        return
    missing_among_rows = not all(stored[first:])
    chosen = [i for i, known in enumerate(stored) if i >= first or not known or missing_among_rows]
    for a, b in near_duplicates([everything[i].row.text for i in chosen]):
        earlier, later = chosen[a], chosen[b]
        if later >= first and not (stored[earlier] and stored[later]):
            yield NearCopy(everything[later], everything[earlier], "character 4-gram", None, NEAR_DUPLICATE)
