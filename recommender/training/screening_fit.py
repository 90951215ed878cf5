"""Trains the screening head on frozen features, cross-validated, and chooses its thresholds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from recommender.struggles.screening import STATUSES, Screener, Thresholds
from recommender.training.corpus import Row
from recommender.training.folds import make_folds
from recommender.training.thresholds import ScreeningCase, choose_thresholds

OUT_OF_FOLD_FILE = "screening_out_of_fold.npz"

# Inverse penalty of the logistic regression on 1,536 standardised features, chosen by cross-validation among
# .001, .003, .01 and .03.
INVERSE_PENALTY = 0.003
MAX_STEPS = 500

# A head that is only asked for probabilities needs no real thresholds.
_UNUSED = Thresholds(safeguarding=1.0, refuse=1.0)

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class ScreeningOutOfFold:
    """Cross-validated status probabilities of every text the screening head learns from."""

    ids: tuple[str, ...]
    probabilities: Floats
    """(texts, 4)"""

    @classmethod
    def load(cls, version_folder: Path) -> ScreeningOutOfFold:
        """Read the arrays of a model version."""
        with np.load(version_folder / OUT_OF_FOLD_FILE, allow_pickle=False) as arrays:
            return cls(tuple(arrays["ids"].tolist()), arrays["probabilities"])

    def save(self, version_folder: Path) -> None:
        """Write the arrays."""
        np.savez_compressed(
            version_folder / OUT_OF_FOLD_FILE, ids=np.asarray(self.ids), probabilities=self.probabilities
        )

    def take(self, ids: Sequence[str]) -> Floats:
        """(n, 4) probabilities of the given ids, in that order."""
        position = {text_id: i for i, text_id in enumerate(self.ids)}
        result: Floats = self.probabilities[[position[text_id] for text_id in ids]]
        return result


def fit_screener(rows: Sequence[Row], features: Floats) -> tuple[Screener, ScreeningOutOfFold]:
    """The head fitted on all rows, with thresholds chosen on the probabilities of heads that never saw the text."""
    wanted = np.array([STATUSES.index(row.status) for row in rows])
    probabilities = np.zeros((len(rows), len(STATUSES)), np.float32)
    for train, test in make_folds(rows):
        weights, bias = _fit(features[train], wanted[train])
        probabilities[test] = Screener(weights, bias, _UNUSED).probabilities(features[test])
    cases = ScreeningCase.of(rows, probabilities)
    weights, bias = _fit(features, wanted)
    out_of_fold = ScreeningOutOfFold(tuple(row.id for row in rows), probabilities)
    return Screener(weights, bias, choose_thresholds(cases)), out_of_fold


def _fit(features: Floats, wanted: npt.NDArray[np.int64]) -> tuple[Floats, Floats]:
    """Weights and bias for raw features: the scaling is folded in, so that no fitted object needs to be stored."""
    scaler = StandardScaler().fit(features)
    model = LogisticRegression(C=INVERSE_PENALTY, max_iter=MAX_STEPS).fit(scaler.transform(features), wanted)
    weights = model.coef_ / scaler.scale_
    bias = model.intercept_ - weights @ scaler.mean_
    return weights.astype(np.float32), bias.astype(np.float32)
