"""Chooses the screening thresholds from out-of-fold probabilities for what each error costs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from recommender.struggles.language import is_other_language
from recommender.struggles.screening import SAFEGUARDING, STATUSES, ScreeningStatus, Thresholds, decide
from recommender.training.corpus import Row, is_real_struggle

# Costs in units of one ordinary struggle refused. A child's safety read as an ordinary lesson problem is the worst
# that can happen; a contact shown once too often costs a teacher a rereading.
MISSED_SAFEGUARDING = 20.0
FALSE_ALARM = 2.0
REFUSED_STRUGGLE = 1.5
RANKED_ANYWAY = 1.0

# A tool that turns away more than one ordinary struggle in fifty is not used again.
MOST_REFUSED = 0.02

_SAFEGUARDING_GRID = [round(0.005 * step, 3) for step in range(2, 121)]
_REFUSE_GRID = [round(0.02 * step, 2) for step in range(10, 48)]

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class ScreeningCase:
    """Out-of-fold screening of texts of known status."""

    probabilities: Floats
    """(texts, 4)"""
    other_language: npt.NDArray[np.bool_]
    status: list[ScreeningStatus]
    real: npt.NDArray[np.bool_]
    """(texts,) True for real struggles"""

    @classmethod
    def of(cls, rows: Sequence[Row], probabilities: Floats) -> ScreeningCase:
        """Rows of known status with their (texts, 4) probabilities."""
        other_language = np.array([is_other_language(row.text) for row in rows])
        real = np.array([is_real_struggle(row) for row in rows])
        return cls(probabilities, other_language, [row.status for row in rows], real)

    def decisions(self, thresholds: Thresholds) -> list[ScreeningStatus]:
        """The answer each text would get."""
        return [
            decide(p, bool(other), thresholds) for p, other in zip(self.probabilities, self.other_language, strict=True)
        ]


def choose_thresholds(cases: ScreeningCase) -> Thresholds:
    """The pair of the grid with the least total cost among those that refuse at most ``MOST_REFUSED`` real struggles.

    The more cautious pair where several cost the same.
    """
    wanted = np.array([STATUSES.index(status) for status in cases.status])
    p_safeguarding = cases.probabilities[:, SAFEGUARDING]
    p_refuse = np.where(cases.other_language, 1.0, 1 - cases.probabilities[:, 0] - p_safeguarding)
    best, best_cost = Thresholds(0.5, 0.5), np.inf
    for safeguarding in _SAFEGUARDING_GRID:
        alarm = p_safeguarding >= safeguarding
        for refuse in _REFUSE_GRID:
            refused = ~alarm & (p_refuse >= refuse)
            cost = _cost(wanted, alarm, refused)
            if cost < best_cost and (alarm | refused)[cases.real].sum() <= MOST_REFUSED * cases.real.sum():
                best, best_cost = Thresholds(safeguarding, refuse), cost
    return best


def _cost(wanted: np.ndarray, alarm: np.ndarray, refused: np.ndarray) -> float:
    is_safeguarding = wanted == SAFEGUARDING
    is_rankable = wanted == 0
    to_refuse = ~is_safeguarding & ~is_rankable
    return float(
        MISSED_SAFEGUARDING * (is_safeguarding & ~alarm & ~refused).sum()
        + FALSE_ALARM * (~is_safeguarding & alarm).sum()
        + REFUSED_STRUGGLE * (is_rankable & refused).sum()
        + RANKED_ANYWAY * (to_refuse & ~alarm & ~refused).sum()
    )
