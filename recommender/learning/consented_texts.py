"""Struggles whose words may be learned from, with what a coach's review says they are about."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from recommender.catalogue.loader import Catalogue
from recommender.learning.embedding_cache import text_hash
from recommender.learning.evidence import EvidenceRow
from recommender.learning.parameters import LearningParameters
from recommender.learning.positions import Positions
from recommender.learning.signals import kind_of
from recommender.learning.weights import capped
from recommender.training.corpus import GRADE_SHARE, REAL_DEV, load_rows

# A review says less than three labellers who had the whole catalogue before them: it weighs as one written text.
TEXT_WEIGHT = 1.0

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class ConsentedTexts:
    """``texts`` with soft ``targets`` (texts, skills), rows summing to one, and ``weight`` (texts,)."""

    texts: tuple[str, ...]
    targets: Floats
    weight: Floats

    def __len__(self) -> int:
        return len(self.texts)


def consented_texts(
    rows: Sequence[EvidenceRow], catalogue: Catalogue, positions: Positions, parameters: LearningParameters
) -> ConsentedTexts:
    """One entry a reviewed case that has words, from the last of its lists; in the order of the rows.

    Shares follow the labellers' grades (``corpus.GRADE_SHARE``): put first is a 3; kept, or put second, a 2; moved down
    a 1. A skill left standing counts by how far down a list people look. Coaches count as in the update: beyond the
    cap by the square root. A text of the development set never teaches.
    """
    measured = {text_hash(row.text) for row in load_rows(REAL_DEV)}
    last: dict[tuple[str, str], tuple[EvidenceRow, dict[str, float]]] = {}
    for row in rows:
        if not row.struggle or not row.struggle.strip() or text_hash(row.struggle) in measured:
            continue
        if shares := dict(_shares(row, positions, parameters)):
            last[row.tenant, row.case] = row, shares
    kept = list(last.values())
    targets = np.zeros((len(kept), len(catalogue)), np.float32)
    for number, (_, shares) in enumerate(kept):
        for skill, share in shares.items():
            targets[number, catalogue.index[skill]] = share / sum(shares.values())
    return ConsentedTexts(
        tuple(str(row.struggle) for row, _ in kept), targets, _weights([r for r, _ in kept], parameters)
    )


def _shares(row: EvidenceRow, positions: Positions, parameters: LearningParameters) -> Iterator[tuple[str, float]]:
    place = {shown.skill_id: shown.rank for shown in row.shown}
    for change in row.review.changes if row.review else ():
        kind = kind_of(change, parameters.signals)
        if kind == "kept":
            looked = float(positions.at(np.array([place[change.skill_id]]))[0])
            yield change.skill_id, looked * GRADE_SHARE[2]
        elif kind == "moved_down":
            yield change.skill_id, GRADE_SHARE[1]
        elif kind in ("moved_up", "added"):
            yield change.skill_id, GRADE_SHARE[3 if change.to_rank == 1 else 2]


def _weights(rows: Sequence[EvidenceRow], parameters: LearningParameters) -> Floats:
    by_coach = Counter((row.tenant, row.coach) for row in rows)
    count = np.array([by_coach[row.tenant, row.coach] for row in rows], dtype=np.int64)
    weight: Floats = (TEXT_WEIGHT * capped(count, parameters.weights.coach_reviews.value)).astype(np.float32)
    return weight
