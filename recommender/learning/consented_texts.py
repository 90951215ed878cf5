"""Struggles whose words may be learned from, with what the model and a coach's review together say they are about."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import log_softmax, softmax

from recommender.catalogue.loader import Catalogue
from recommender.learning.embedding_cache import text_hash
from recommender.learning.evidence import EvidenceRow
from recommender.learning.parameters import LearningParameters
from recommender.learning.positions import Positions
from recommender.learning.signals import kind_of
from recommender.learning.weights import capped
from recommender.training.corpus import REAL_DEV, load_rows

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
    """One entry a reviewed case that has words and scores, from the last of its lists; in the order of the rows.

    Targets are each skill's share after the review: the shares the row's scores gave, times how much likelier what the
    coach did is for a skill that fits (Bayes). A review speaks of a few skills; without the shares of all others a
    text would teach that nothing else fits it, which was tried and taught nothing. Coaches
    count as in the update: beyond the cap by the square root. A text of the development set never teaches.
    """
    measured = {text_hash(row.text) for row in load_rows(REAL_DEV)}
    last: dict[tuple[str, str], EvidenceRow] = {}
    for row in rows:
        if not row.struggle or not row.struggle.strip() or text_hash(row.struggle) in measured:
            continue
        if row.scores is not None and row.review is not None and row.review.changes:
            last[row.tenant, row.case] = row
    kept = list(last.values())
    targets = np.zeros((len(kept), len(catalogue)), np.float32)
    for number, row in enumerate(kept):
        targets[number] = _shares(row, catalogue, positions, parameters)
    return ConsentedTexts(tuple(str(row.struggle) for row in kept), targets, _weights(kept, parameters))


def _shares(
    row: EvidenceRow, catalogue: Catalogue, positions: Positions, parameters: LearningParameters
) -> npt.NDArray[np.float64]:
    """(skills,) summing to one.

    Kept at place k: certain for a skill that fits, and ``1 - e_k (1 - slip)`` for another, which was not seen or was
    missed. Removed: ``slip`` against ``1 - slip``. Put on a leading place: the other way round, and with no smaller
    share before than the first of the list. Moved further down: says nothing, for it was left on the list.
    """
    slip = parameters.texts.slip.value
    place = {shown.skill_id: shown.rank for shown in row.shown}
    log_share = log_softmax(np.array(row.scores, dtype=np.float64))
    first = log_share.max()
    for change in row.review.changes if row.review else ():
        at, kind = catalogue.index[change.skill_id], kind_of(change, parameters.signals)
        if kind == "kept":
            looked = float(positions.at(np.array([place[change.skill_id]]))[0])
            log_share[at] -= np.log(1 - looked * (1 - slip))
        elif kind in ("moved_up", "added"):
            log_share[at] = max(log_share[at], first) + np.log((1 - slip) / slip)
        elif kind == "removed":
            log_share[at] -= np.log((1 - slip) / slip)
    shares: npt.NDArray[np.float64] = softmax(log_share)
    return shares


def _weights(rows: Sequence[EvidenceRow], parameters: LearningParameters) -> Floats:
    by_coach = Counter((row.tenant, row.coach) for row in rows)
    count = np.array([by_coach[row.tenant, row.coach] for row in rows], dtype=np.int64)
    full = parameters.texts.weight.value
    weight: Floats = (full * capped(count, parameters.weights.coach_reviews.value)).astype(np.float32)
    return weight
