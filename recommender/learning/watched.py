"""What is watched of every list: the struggle's length and words, the scores, the first domain, the context."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt
from tokenizers import Tokenizer

from recommender.catalogue.loader import Catalogue
from recommender.learning.evidence import EvidenceRow
from recommender.struggles.encoder import TOKENIZER_FILE

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Booleans = npt.NDArray[np.bool_]
Names = npt.NDArray[np.str_]

NumberName = Literal["characters", "unknown_words", "top_score", "score_spread"]
CategoryName = Literal["first_domain", "subject", "grade_band"]
LeftOut = Literal["other_version", "again", "with_observations", "without_scores", "without_words"]
NUMBERS: tuple[NumberName, ...] = get_args(NumberName)
CATEGORIES: tuple[CategoryName, ...] = get_args(CategoryName)
LEFT_OUT: tuple[LeftOut, ...] = get_args(LeftOut)
# Finer digits say nothing, and coarser ones keep a profile small.
DECIMALS: dict[NumberName, int] = {"characters": 0, "unknown_words": 3, "top_score": 2, "score_spread": 2}
SPREAD_PLACES = 5
# Stands for a name that is not known; such lists are left out of the check.
NO_NAME = ""


class WordPieces:
    """The encoder's own vocabulary, to tell how much of a text it does not know."""

    def __init__(self, encoder_folder: Path) -> None:
        self._tokenizer = Tokenizer.from_file(str(encoder_folder / TOKENIZER_FILE))
        self._tokenizer.no_padding()
        self._tokenizer.no_truncation()

    def unknown_share(self, text: str) -> float:
        """Share of the word pieces that go on a word or stand for an unknown one, 0 to 1; 0 for a text without any.

        A word the vocabulary holds is one piece; spelling, jargon and other languages break words into more.
        """
        encoding = self._tokenizer.encode(text, add_special_tokens=False)
        unknown = self._tokenizer.model.unk_token
        words = [None, *encoding.word_ids]
        count = sum(
            piece == unknown or word == before
            for piece, word, before in zip(encoding.tokens, encoding.word_ids, words, strict=False)
        )
        return float(count) / max(len(encoding.tokens), 1)


@dataclass(frozen=True)
class WatchedLists:
    """What is watched, one entry a list; numbers that are not known are NaN, names ``NO_NAME``.

    ``numbers``: characters of the struggle; share of unknown words; log-odds of the first skill before constraints,
    and by how much it is above the fifth. ``names``: domain of the first skill, subject and grade band of the class.
    ``ranked`` False: the struggle was answered with a message.
    """

    numbers: dict[NumberName, Floats]
    names: dict[CategoryName, Names]
    ranked: Booleans

    def __len__(self) -> int:
        return len(self.ranked)

    def take(self, rows: Integers) -> WatchedLists:
        """The given lists, in that order."""
        return WatchedLists(
            {name: values[rows] for name, values in self.numbers.items()},
            {name: values[rows] for name, values in self.names.items()},
            self.ranked[rows],
        )

    @classmethod
    def of(
        cls,
        texts: Sequence[str | None],
        scores: Sequence[Sequence[float] | Floats | None],
        contexts: Sequence[tuple[str, str]],
        ranked: Sequence[bool],
        catalogue: Catalogue,
        pieces: WordPieces | None,
    ) -> WatchedLists:
        """Measure lists. ``scores``: log-odds of all skills in catalogue order; ``contexts``: subject, grade band.

        Scores of lists that were not ranked do not count. ``pieces`` None leaves unknown words unknown.
        """
        domains = [skill.domain for skill in catalogue]
        first = np.full((len(ranked), SPREAD_PLACES), np.nan)
        domain = [NO_NAME] * len(ranked)
        for at, (values, answered) in enumerate(zip(scores, ranked, strict=True)):
            if values is None or not answered:
                continue
            order = np.argsort(-np.asarray(values, dtype=np.float64), kind="stable")[:SPREAD_PLACES]
            first[at] = np.asarray(values)[order]
            domain[at] = domains[int(order[0])]
        numbers: dict[NumberName, Floats] = {
            "characters": _numbers(None if text is None else len(text) for text in texts),
            "unknown_words": _numbers(
                None if text is None or pieces is None else pieces.unknown_share(text) for text in texts
            ),
            "top_score": first[:, 0],
            "score_spread": first[:, 0] - first[:, -1],
        }
        names: dict[CategoryName, Names] = {
            "first_domain": np.array(domain, dtype=np.str_),
            "subject": np.array([subject for subject, _ in contexts], dtype=np.str_),
            "grade_band": np.array([band for _, band in contexts], dtype=np.str_),
        }
        rounded = {name: np.round(values, DECIMALS[name]) for name, values in numbers.items()}
        return cls(rounded, names, np.array(ranked, dtype=np.bool_))


@dataclass(frozen=True)
class Window:
    """What is watched of some evidence, what of it was left out, and by how many teachers it is."""

    lists: WatchedLists
    reviewed: tuple[EvidenceRow, ...]
    """Lists made of words alone that a coach reviewed"""
    left_out: dict[LeftOut, int]
    teachers: int

    @classmethod
    def of(
        cls, rows: Iterable[EvidenceRow], model_version: str, catalogue: Catalogue, pieces: WordPieces | None
    ) -> Window:
        """The first list of each case that ``model_version`` made of words alone; ``rows`` in the order of time.

        Later lists of a case are about the same words. A case that was answered with observations tells nothing here:
        training struggles have none.
        """
        counts: Counter[LeftOut] = Counter()
        first: dict[tuple[str, str], EvidenceRow] = {}
        reviewed = []
        for row in rows:
            if row.model_version != model_version:
                counts["other_version"] += 1
                continue
            case = (row.tenant, row.case)
            seen = is_observed(row)
            if row.review is not None and not seen:
                reviewed.append(row)
            if case in first:
                counts["again"] += 1
            elif seen:
                counts["with_observations"] += 1
            else:
                first[case] = row
        used = list(first.values())
        counts["without_scores"] = sum(bool(row.shown) and row.scores is None for row in used)
        counts["without_words"] = sum(row.struggle is None for row in used)
        lists = WatchedLists.of(
            [row.struggle for row in used],
            [row.scores for row in used],
            [(row.context.subject, row.context.grade_band) for row in used],
            [bool(row.shown) for row in used],
            catalogue,
            pieces,
        )
        return cls(lists, tuple(reviewed), dict(counts), len({(row.tenant, row.teacher) for row in used}))


def is_observed(row: EvidenceRow) -> bool:
    """Whether more than words made a list: a part of some score came from observations or notes."""
    return any(place.parts.observation or place.parts.note for place in row.shown)


def _numbers(values: Iterable[float | None]) -> Floats:
    return np.array([np.nan if value is None else float(value) for value in values], dtype=np.float64)
