"""Evidence of use by simulated districts, for trying retraining, the gates and the watch without anybody's words."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from recommender.learning.evidence import EvidenceRow
from recommender.training.corpus import REAL, load_rows
from recommender.training.simulate.coach_truth import ShippedScores
from recommender.training.simulate.reviewing import simulate_reviews


def simulated_evidence(
    models: Path, seed: int, reviews: int, *, tenants: int, with_words: float, version: str | None = None
) -> tuple[EvidenceRow, ...]:
    """``reviews`` lists of a version (None: the current one), reviewed as ``simulate_reviews`` says, by time.

    ``with_words``: share of rows, 0 to 1, that carry the struggle, which is a retold one of the training data. The same
    seed gives the same rows. Raises ModelVersionError.
    """
    made = simulate_reviews(seed, reviews, tenants=tenants, texts=ShippedScores.load(models, version))
    struggles = [row.text for file in REAL for row in load_rows(file) if row.status == "rankable"]
    carries = np.random.default_rng([seed, 3]).random(len(made.rows)) < with_words
    return tuple(
        row.model_copy(update={"struggle": struggles[text]}) if has_words else row
        for row, text, has_words in zip(made.rows, made.text.tolist(), carries.tolist(), strict=True)
    )
