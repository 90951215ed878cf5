"""Reads what kind of text a struggle is before anything is suggested."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from scipy.special import softmax

from recommender.struggles.encoder import Floats, unit_mean
from recommender.struggles.language import is_other_language

HEAD_FILE = "screening_head.npz"

ScreeningStatus = Literal["rankable", "not_enough", "out_of_scope", "safeguarding"]
STATUSES: tuple[ScreeningStatus, ...] = ("rankable", "not_enough", "out_of_scope", "safeguarding")
SAFEGUARDING = STATUSES.index("safeguarding")


@dataclass(frozen=True)
class Thresholds:
    """Probability from which a status is answered; chosen by cross-validation for the cost of each error.

    ``safeguarding`` is low: missing a child in danger costs far more than showing a contact too often.
    ``refuse`` is high: an ordinary struggle should rarely be turned away.
    """

    safeguarding: float
    refuse: float


@dataclass(frozen=True)
class Screening:
    """The status of one struggle and how sure the status model is."""

    status: ScreeningStatus
    other_language: bool
    probabilities: tuple[float, ...]
    """In the order of ``STATUSES``."""


class Screener:
    """A softmax head over the encoder's mean state, trained together with the encoder."""

    def __init__(self, weights: Floats, bias: Floats, scale: float, thresholds: Thresholds) -> None:
        self.weights = np.asarray(weights, np.float32)
        self.bias = np.asarray(bias, np.float32)
        self.scale = float(scale)
        self.thresholds = thresholds

    @classmethod
    def load(cls, folder: Path) -> Screener:
        """Read ``screening_head.npz``: weights (4, dimensions), bias (4,), scale, thresholds (2,)."""
        with np.load(folder / HEAD_FILE, allow_pickle=False) as arrays:
            safeguarding, refuse = arrays["thresholds"].tolist()
            return cls(arrays["weights"], arrays["bias"], float(arrays["scale"]), Thresholds(safeguarding, refuse))

    def save(self, folder: Path) -> None:
        """Write ``screening_head.npz``."""
        thresholds = np.asarray([self.thresholds.safeguarding, self.thresholds.refuse])
        np.savez(
            folder / HEAD_FILE,
            weights=self.weights,
            bias=self.bias,
            scale=np.float32(self.scale),
            thresholds=thresholds,
        )

    def probabilities(self, embeddings: Floats) -> Floats:
        """(n, 4) status probabilities for (n, dimensions) unit-length embeddings."""
        result: Floats = softmax(self.scale * embeddings @ self.weights.T + self.bias, axis=1)
        return result

    def screen(self, text: str, states: Floats) -> Screening:
        """Status of ``text`` from its token states."""
        if not len(states):
            return Screening("not_enough", False, (0.0, 1.0, 0.0, 0.0))
        probabilities = self.probabilities(unit_mean(states)[np.newaxis])[0]
        other_language = is_other_language(text)
        return Screening(
            decide(probabilities, other_language, self.thresholds), other_language, tuple(probabilities.tolist())
        )


def decide(probabilities: Floats, other_language: bool, thresholds: Thresholds) -> ScreeningStatus:
    """The answer for (4,) probabilities: safeguarding first, then refusals, else rankable."""
    if probabilities[SAFEGUARDING] >= thresholds.safeguarding:
        return "safeguarding"
    if other_language:
        return "out_of_scope"
    if 1 - probabilities[0] - probabilities[SAFEGUARDING] >= thresholds.refuse:
        return "not_enough" if probabilities[1] >= probabilities[2] else "out_of_scope"
    return "rankable"
