"""Reads what kind of text a struggle is before anything is suggested."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from scipy.special import softmax

from recommender.struggles.encoder import Floats
from recommender.struggles.language import is_other_language

HEAD_FILE = "screening_head.npz"

ScreeningStatus = Literal["rankable", "not_enough", "out_of_scope", "safeguarding"]
STATUSES: tuple[ScreeningStatus, ...] = ("rankable", "not_enough", "out_of_scope", "safeguarding")
SAFEGUARDING = STATUSES.index("safeguarding")


@dataclass(frozen=True)
class Thresholds:
    """Probability from which a status is answered; chosen by cross-validation for the cost of each error.

    ``safeguarding`` is low: missing a child in danger costs far more than showing a contact too often.
    ``refuse`` is for both other statuses together: an ordinary struggle should rarely be turned away.
    """

    safeguarding: float
    refuse: float


@dataclass(frozen=True)
class Screening:
    """The status of one struggle and whether it is in another language than English."""

    status: ScreeningStatus
    other_language: bool


class Screener:
    """A softmax head over the mean and the maximum of the encoder's lower states.

    The lower layers were never tuned on these texts, so cross-validating the head alone is honest. The maximum keeps
    a sentence that a long text's mean would drown.
    """

    def __init__(self, weights: Floats, bias: Floats, thresholds: Thresholds) -> None:
        self.weights = np.asarray(weights, np.float32)
        self.bias = np.asarray(bias, np.float32)
        self.thresholds = thresholds

    @classmethod
    def load(cls, folder: Path) -> Screener:
        """Read ``screening_head.npz``: weights (4, features), bias (4,), thresholds (2,)."""
        with np.load(folder / HEAD_FILE, allow_pickle=False) as arrays:
            safeguarding, refuse = arrays["thresholds"].tolist()
            return cls(arrays["weights"], arrays["bias"], Thresholds(safeguarding, refuse))

    def save(self, folder: Path) -> None:
        """Write ``screening_head.npz``."""
        thresholds = np.asarray([self.thresholds.safeguarding, self.thresholds.refuse])
        np.savez(folder / HEAD_FILE, weights=self.weights, bias=self.bias, thresholds=thresholds)

    def probabilities(self, features: Floats) -> Floats:
        """(n, 4) status probabilities for (n, features) rows of ``screening_features``."""
        result: Floats = softmax(features @ self.weights.T + self.bias, axis=1)
        return result

    def screen(self, text: str, lower_states: Floats) -> Screening:
        """Status of ``text`` from its lower token states."""
        if not len(lower_states):
            return Screening("not_enough", other_language=False)
        probabilities = self.probabilities(screening_features(lower_states)[np.newaxis])[0]
        other_language = is_other_language(text)
        return Screening(decide(probabilities, other_language, self.thresholds), other_language)


def screening_features(lower_states: Floats) -> Floats:
    """(2 * dimensions,) mean and maximum over the word pieces of one text."""
    return np.concatenate([lower_states.mean(axis=0), lower_states.max(axis=0)])


def decide(probabilities: Floats, other_language: bool, thresholds: Thresholds) -> ScreeningStatus:
    """The answer for (4,) probabilities: safeguarding first, then refusals, else rankable."""
    if probabilities[SAFEGUARDING] >= thresholds.safeguarding:
        return "safeguarding"
    if other_language:
        return "out_of_scope"
    if 1 - probabilities[0] - probabilities[SAFEGUARDING] >= thresholds.refuse:
        return "not_enough" if probabilities[1] >= probabilities[2] else "out_of_scope"
    return "rankable"
