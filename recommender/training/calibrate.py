"""Fits the few weights that turn the text's log-probabilities and the context into a calibrated log-odds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize
from scipy.special import expit

from recommender.catalogue.loader import Catalogue, load_catalogue
from recommender.ranking.fusion import Fusion, FusionWeights
from recommender.ranking.observation_weights import ObservationWeights, Weights
from recommender.ranking.ordering import Ordering
from recommender.training.corpus import Row, acceptable

# The calibration looks at the part of the list people see, not at a hundred skills nobody would name.
FITTED_PLACES = 10
# Pulls the two context weights towards 0: few cases name a subject or grade that decides anything.
CONTEXT_PENALTY = 2.0
# Confidence words: a strong suggestion should hold three times in five, a likely one twice in five.
STRONG, LIKELY = 0.6, 0.4

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Inputs:
    """What the score is made of for every text and skill, all (texts, skills)."""

    log_p: Floats
    other_subject: Floats
    other_grade_band: Floats

    def take(self, rows: npt.NDArray[np.int64]) -> Inputs:
        """The given texts."""
        return Inputs(self.log_p[rows], self.other_subject[rows], self.other_grade_band[rows])

    def score(self, weights: FusionWeights) -> Floats:
        """(texts, skills) log-odds before constraints."""
        result: Floats = (
            weights.intercept
            + weights.slope * self.log_p
            + weights.other_subject * self.other_subject
            + weights.other_grade_band * self.other_grade_band
        )
        return result


_NO_WEIGHT = Weights(intercept=0, words=1, need=0, note=0, interest=0)
NEUTRAL = FusionWeights(
    slope=1,
    intercept=0,
    other_subject=0,
    other_grade_band=0,
    neighbour_spread=0,
    strong=STRONG,
    likely=LIKELY,
    prior_log_odds=dict.fromkeys(load_catalogue().ids, 0.0),
    observations=ObservationWeights(with_words=_NO_WEIGHT, alone=_NO_WEIGHT),
)


def gather_inputs(rows: Sequence[Row], log_p: npt.NDArray[np.float32], catalogue: Catalogue) -> Inputs:
    """Inputs for rows whose (texts, skills) log-probabilities are known."""
    fusion = Fusion(NEUTRAL, catalogue)
    contexts = [row.case_context() for row in rows]
    return Inputs(
        log_p.astype(np.float64),
        np.stack([fusion.misfit_subject(context) for context in contexts]),
        np.stack([fusion.misfit_grade_band(context) for context in contexts]),
    )


def fit_weights(inputs: Inputs, rows: Sequence[Row], catalogue: Catalogue) -> FusionWeights:
    """Logistic fit of "a labeller graded it 3 or 2" on the first ``FITTED_PLACES`` skills of each text.

    Platt scaling (Platt 1999) with two context terms that may only lower a score. With several labellers the event is
    the share of them.
    """
    places = np.argsort(-inputs.log_p, axis=1, kind="stable")[:, :FITTED_PLACES]
    log_p, subject, band, event = (
        np.take_along_axis(table, places, axis=1).ravel()
        for table in (inputs.log_p, inputs.other_subject, inputs.other_grade_band, acceptable(rows, catalogue))
    )

    def loss(theta: Floats) -> tuple[float, Floats]:
        slope, intercept, w_subject, w_band = theta
        p = expit(intercept + slope * log_p + w_subject * subject + w_band * band)
        eps = 1e-12
        value = -(event * np.log(p + eps) + (1 - event) * np.log(1 - p + eps)).sum()
        value += CONTEXT_PENALTY * (w_subject**2 + w_band**2)
        gap = p - event
        gradient = np.array([gap @ log_p, gap.sum(), gap @ subject, gap @ band])
        gradient[2:] += 2 * CONTEXT_PENALTY * theta[2:]
        return float(value), gradient

    bounds = [(0.05, 5.0), (-5.0, 5.0), (-5.0, 0.0), (-5.0, 0.0)]
    fitted = minimize(loss, np.array([1.0, 0.0, -0.1, -0.1]), jac=True, method="L-BFGS-B", bounds=bounds).x
    slope, intercept, w_subject, w_band = (round(float(value), 6) for value in fitted)
    return NEUTRAL.model_copy(
        update={"slope": slope, "intercept": intercept, "other_subject": w_subject, "other_grade_band": w_band}
    )


def ordered_scores(inputs: Inputs, weights: FusionWeights, catalogue: Catalogue, places: int = 10) -> Floats:
    """(texts, skills) scores after spreading: the first ``places`` as placed, all others below them as they were."""
    ordering = Ordering(catalogue, weights.neighbour_spread)
    nothing = np.zeros(len(catalogue), dtype=bool)
    scores = inputs.score(weights)
    result = scores - 1_000.0
    for i, row in enumerate(scores):
        for rank, placed in enumerate(ordering.place(row, places, nothing)):
            # A place, not a score: spreading may put a higher score below a lower one.
            result[i, placed.skill] = -float(rank)
    return result
