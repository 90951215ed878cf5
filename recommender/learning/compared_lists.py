"""The newest reviews under the base, the version that answers and a candidate; what learning from more gained."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from scipy.special import expit

from recommender.catalogue.loader import Catalogue
from recommender.learning.earlier_versions import restored
from recommender.learning.embedding_cache import EmbeddingCache
from recommender.learning.evidence import Evidence
from recommender.learning.gated_version import GatedVersion
from recommender.learning.held_back import Floats, ReviewedLists, referee
from recommender.learning.parameters import LearningParameters, load_learning_parameters
from recommender.learning.positions import Positions, estimate_positions
from recommender.learning.retrain import LEARNED_FROM, Base
from recommender.learning.update import fit_update
from recommender.learning.updated_weights import updated_weights
from recommender.learning.weights import without_copies
from recommender.ranking.fusion import FusionWeights
from recommender.ranking.ordering import Ordering
from recommender.struggles.text_model import HEAD_FILE, TextModel
from recommender.training.calibration_error import calibration_error
from recommender.training.intervals import bootstrap_mean
from recommender.training.report import as_data

# Of the lists learned from, the oldest first: where the learning curve has its points.
SHARES = (0.25, 0.5, 1.0)


@dataclass(frozen=True)
class ComparedLists:
    """``learned`` and ``held_back`` are of what is given to ``GatedEvidence``; ``known``: weights by version name."""

    base: Base
    current: GatedVersion
    candidate: GatedVersion
    learned: Evidence
    held_back: Evidence
    known: Mapping[str, FusionWeights]
    catalogue: Catalogue
    cache: EmbeddingCache

    def __len__(self) -> int:
        return len(self.lists)

    @cached_property
    def positions(self) -> Positions:
        """How far down a list people look, as far as the rows learned from tell."""
        return estimate_positions(self.learned.rows, self._parameters.examination)

    @cached_property
    def lists(self) -> ReviewedLists:
        """The reviewed lists held back, as the base would have scored them."""
        rows = restored(self.held_back, self.known, self.base.weights, self.catalogue).rows
        return ReviewedLists.of(rows, self.base.weights, self.catalogue, self.positions, self._parameters)

    @cached_property
    def log_odds(self) -> tuple[Floats, Floats]:
        """(lists, skills) under the version that answers and under the candidate."""
        before, now = (
            self.lists.log_odds(version.weights, head)
            for version, head in zip((self.current, self.candidate), self._head_changes, strict=True)
        )
        return before, now

    @cached_property
    def difference(self) -> Floats:
        """(lists,) how much more the candidate's would have been worth than those of the version that answers."""
        before, now = (
            self._worth(version.weights, head)
            for version, head in zip((self.current, self.candidate), self._head_changes, strict=True)
        )
        return now - before

    def calibration_errors(self) -> tuple[float, float]:
        """Of removals, under the version that answers and under the candidate."""
        before, now = (
            calibration_error(*self.lists.removals(log_odds, self.positions)).corrected for log_odds in self.log_odds
        )
        return float(before), float(now)

    def learning_curve(self) -> list[dict[str, Any]]:
        """Points with the ``lists`` and ``texts`` learned from and the ``gain`` over the base on the lists held back.

        One update is fitted a point, which takes seconds. Without texts the head is the base's; the last point is the
        candidate itself. Empty where no list is held back.
        """
        return list(self._points()) if len(self.lists) else []

    def _points(self) -> Iterator[dict[str, Any]]:
        rows = without_copies(restored(self.learned, self.known, self.base.weights, self.catalogue).rows)
        before = self._worth(self.base.weights)
        for n in sorted({round(share * len(rows)) for share in SHARES} - {0}):
            update = fit_update(Evidence.of(rows[:n]), self.catalogue, self.positions, self._parameters)
            yield self._point(n, 0, self._worth(updated_weights(self.base.weights, update)) - before)
        texts = self.candidate.manifest.settings[LEARNED_FROM]["texts"]
        if texts:
            yield self._point(len(rows), texts, self._worth(self.candidate.weights, self._head_changes[1]) - before)

    def _point(self, lists: int, texts: int, gain: Floats) -> dict[str, Any]:
        return {"lists": lists, "texts": texts, "gain": as_data(bootstrap_mean(gain, groups=self.lists.teachers))}

    @cached_property
    def _parameters(self) -> LearningParameters:
        return load_learning_parameters()

    @cached_property
    def _expected(self) -> Floats:
        judge = referee(self.lists.rows, self.base.weights, self.catalogue, self.positions, self._parameters)
        chance: Floats = expit(self.lists.log_odds(judge))
        return chance

    def _worth(self, weights: FusionWeights, head_change: Floats | None = None) -> Floats:
        ordering = Ordering(self.catalogue, weights.neighbour_spread)
        return self.lists.worth(self.lists.log_odds(weights, head_change), ordering, self._expected)

    @cached_property
    def _head_changes(self) -> tuple[Floats | None, Floats | None]:
        return self._head_change(self.current), self._head_change(self.candidate)

    def _head_change(self, version: GatedVersion) -> Floats | None:
        """What a version's text head adds to the base's, known for lists whose words may be read; 0 for others."""
        if version.manifest.files[HEAD_FILE] == self.base.manifest.files[HEAD_FILE]:
            return None
        change = np.zeros(self.lists.log_p.shape)
        with_text = [number for number, row in enumerate(self.lists.rows) if row.struggle and row.struggle.strip()]
        if with_text:
            texts = [str(self.lists.rows[number].struggle) for number in with_text]
            embeddings = self.cache.embed(self.base.encoder_folder, texts, keep=False)
            heads = [
                TextModel.load(folder).log_probabilities(embeddings) for folder in (version.folder, self.base.folder)
            ]
            change[with_text] = heads[0] - heads[1]
        return change
