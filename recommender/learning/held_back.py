"""The newest reviews, held back from learning: what a version's lists would have been worth to their coaches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import expit

from recommender.catalogue.loader import Catalogue
from recommender.learning.earlier_versions import context_part, is_words_only
from recommender.learning.evidence import Evidence, EvidenceRow
from recommender.learning.parameters import LearningParameters
from recommender.learning.positions import Positions
from recommender.learning.signals import read_signals
from recommender.learning.update import fit_update
from recommender.learning.updated_weights import updated_weights
from recommender.learning.weights import without_copies
from recommender.ranking.fusion import Fusion, FusionWeights
from recommender.ranking.ordering import Ordering

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

PLACES = 5
# The least a list can be worth at best: rows where hardly anything seems relevant must not count for many others.
_LEAST_IDEAL = 1.0


def split_by_time(evidence: Evidence, share: float) -> tuple[Evidence, Evidence]:
    """What is learned from, and the newest ``share`` of the rows, which is held back.

    Copies are dropped first. A case whose first list is learned from has none held back, and neither has another case
    in the same words: a text head knows what it has read.
    """
    rows = without_copies(evidence.rows)
    cut = len(rows) - round(share * len(rows))
    learned, newest = rows[:cut], rows[cut:]
    cases = {(row.tenant, row.case) for row in learned}
    texts = {_words(row) for row in learned} - {""}
    unread = [row for row in newest if (row.tenant, row.case) not in cases and _words(row) not in texts]
    return Evidence.of(learned), Evidence.of(unread)


def _words(row: EvidenceRow) -> str:
    """The words alone, however they are spaced or capitalised; empty where they were not passed on."""
    return " ".join((row.struggle or "").casefold().split())


def referee(
    rows: Sequence[EvidenceRow],
    base: FusionWeights,
    catalogue: Catalogue,
    positions: Positions,
    parameters: LearningParameters,
) -> FusionWeights:
    """What the held-back rows alone would teach the base: it says what skills nobody judged are worth.

    The version that answers is no fair judge of them: it would call what a candidate learned about skills that it does
    not show itself a loss. Nothing the candidate learned from is in here.
    """
    return updated_weights(base, fit_update(Evidence.of(rows), catalogue, positions, parameters)) if rows else base


@dataclass(frozen=True)
class ReviewedLists:
    """Reviewed rows with scores, as arrays over all skills; made of ``restored`` rows.

    ``log_p`` (rows, skills): log-probabilities of the words; ``fixed`` (rows, skills): log-odds of rows that
    observations had a part in, of which offsets alone can be told apart. ``target`` (rows, skills): unbiased relevance
    of judged skills (``Positions.target``), 1 for added ones, NaN where nothing was said. ``place``: of judged skills,
    else 0; ``said``: as in ``Judgements``, NaN for others.
    """

    rows: tuple[EvidenceRow, ...]
    catalogue: Catalogue
    words_only: npt.NDArray[np.bool_]
    log_p: Floats
    fixed: Floats
    context: Floats
    """(rows, skills, 2) where a skill does not fit the case's subject, its grade band"""
    target: Floats
    place: Integers
    said: Floats

    @classmethod
    def of(
        cls,
        rows: Sequence[EvidenceRow],
        base: FusionWeights,
        catalogue: Catalogue,
        positions: Positions,
        parameters: LearningParameters,
    ) -> ReviewedLists:
        """Rows that coaches judged; ``base`` is the version whose log-odds they hold."""
        chosen = tuple(row for row in rows if row.review is not None and row.review.changes and row.scores is not None)
        fusion = Fusion(base, catalogue)
        shape = len(chosen), len(catalogue)
        fixed = np.array([row.scores for row in chosen], dtype=np.float64).reshape(shape)
        unit = [base.model_copy(update={"other_subject": a, "other_grade_band": 1.0 - a}) for a in (1.0, 0.0)]
        context = np.array([[context_part(row, one, fusion) for one in unit] for row in chosen]).reshape(
            shape[0], 2, shape[1]
        )
        context = np.swapaxes(context, 1, 2)
        weight = np.array([base.other_subject, base.other_grade_band])
        judgements, picks = read_signals(chosen, catalogue, parameters)
        target, said = np.full(shape, np.nan), np.full(shape, np.nan)
        place = np.zeros(shape, dtype=np.int64)
        at = judgements.row, judgements.about.skill
        said[at], place[at] = judgements.said, judgements.about.place
        target[at] = positions.target(judgements.said, judgements.about.place)
        for row, picked, kind in zip(picks.row, picks.picked, picks.kinds, strict=True):
            if kind == "added":
                target[row, picks.among.skill[picked]] = 1.0
        return cls(
            chosen, catalogue, np.array([is_words_only(row) for row in chosen], dtype=bool),
            (fixed - context @ weight - base.intercept) / base.slope, fixed, context, target, place, said,
        )  # fmt: skip

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def teachers(self) -> list[str]:
        """Whose list each row was: lists of one teacher hang together."""
        return [f"{row.tenant} {row.teacher}" for row in self.rows]

    def log_odds(self, weights: FusionWeights, head_change: Floats | None = None) -> Floats:
        """(rows, skills) before constraints under a version's weights, for each row's tenant.

        ``head_change`` (rows, skills): what another text head adds to the log-probabilities.
        """
        log_p = self.log_p if head_change is None else self.log_p + head_change
        scale = np.array([weights.other_subject, weights.other_grade_band])
        words = weights.intercept + weights.slope * log_p + self.context @ scale
        scored: Floats = np.where(self.words_only[:, None], words, self.fixed) + self._offsets(weights)
        return scored

    def _offsets(self, weights: FusionWeights) -> Floats:
        table = np.zeros((len(self), len(self.catalogue)))
        for number, row in enumerate(self.rows):
            for offsets in (weights.skill_offsets, weights.tenant_offsets.get(row.tenant, {})):
                for skill, offset in offsets.items():
                    table[number, self.catalogue.index[skill]] += offset
        return table

    def worth(self, log_odds: Floats, ordering: Ordering, expected: Floats) -> Floats:
        """(rows,) nDCG@5 of the lists these log-odds make, in mean what the coaches' own relevance would give.

        A judged skill counts with its unbiased target; one that nobody judged with ``expected`` (rows, skills), the
        probability by a ``referee`` (the doubly robust way: Dudik, Langford and Li 2011). Divided by the best order of
        the same values, cut to 0 and 1, so that two versions are divided by the same number; single rows may lie
        outside 0..1.
        """
        relevance = np.where(np.isnan(self.target), expected, self.target)
        discount = 1 / np.log2(np.arange(2, PLACES + 2))
        ideal = -np.sort(-np.clip(relevance, 0, 1), axis=1)[:, :PLACES] @ discount
        nothing = np.zeros(len(self.catalogue), dtype=bool)
        reached = np.empty(len(self))
        for number, scores in enumerate(log_odds):
            listed = [placed.skill for placed in ordering.place(scores, PLACES, nothing)]
            reached[number] = relevance[number, listed] @ discount[: len(listed)]
        values: Floats = reached / np.maximum(ideal, _LEAST_IDEAL)
        return values

    def removals(self, log_odds: Floats, positions: Positions) -> tuple[Floats, Floats]:
        """Of every judged skill the predicted chance of its removal, ``e_k (1 - p)``, and how far it was removed."""
        judged = self.place > 0
        chance = positions.at(self.place[judged]) * (1 - expit(log_odds[judged]))
        event: Floats = 1 - self.said[judged]
        return chance, event
