"""Answers of any ranker in the shape the figures are computed from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import expit

from recommender.cases import Case
from recommender.catalogue.loader import Catalogue
from recommender.errors import DataFileError
from recommender.ranking.fusion import FusionWeights
from recommender.ranking.recommender import Recommender
from recommender.training.calibrate import Inputs, fit_weights, gather_inputs, ordered_scores
from recommender.training.corpus import Row
from recommender.training.folds import make_folds
from recommender.training.out_of_fold import OutOfFold

Floats = npt.NDArray[np.float64]

# The list as far as it is measured; skills further down keep the order of their scores.
PLACES = 10


@dataclass(frozen=True)
class Measured:
    """One ranker's answers to rows that can be ranked."""

    rows: tuple[Row, ...]
    scores: Floats
    """(rows, skills), higher is better"""
    probabilities: Floats | None
    """(rows, skills), None where a ranker gives none"""
    answered: npt.NDArray[np.bool_]
    """(rows,) False where a rankable text was refused: it counts as a miss"""


def rankable(rows: Sequence[Row]) -> tuple[Row, ...]:
    """Rows with labels to be measured against. Raises DataFileError when there are none."""
    chosen = tuple(row for row in rows if row.status == "rankable" and row.labels)
    if not chosen:
        raise DataFileError("no row with labels", wanted="at least one labelled, rankable row")
    return chosen


def measure_version(recommender: Recommender, rows: Sequence[Row]) -> Measured:
    """Every answer made exactly as a teacher would get it, screening and spreading included."""
    catalogue = recommender.catalogue
    scores = np.zeros((len(rows), len(catalogue)))
    probabilities = np.zeros_like(scores)
    answered = np.zeros(len(rows), dtype=bool)
    for i, row in enumerate(rows):
        case = Case(case_id=row.id, struggle=row.text, context=row.case_context(), top=len(catalogue))
        ranking = recommender.rank(case)
        answered[i] = ranking.status == "ranked"
        for suggestion in ranking.suggestions:
            position = catalogue.index[suggestion.skill_id]
            scores[i, position] = -float(suggestion.rank)
            probabilities[i, position] = suggestion.probability
    return Measured(tuple(rows), scores, probabilities, answered)


def measure_out_of_fold(
    out_of_fold: OutOfFold,
    rows: Sequence[Row],
    catalogue: Catalogue,
    weights: FusionWeights,
    answered: npt.NDArray[np.bool_],
) -> Measured:
    """Cross-validated answers: encoder, heads and calibration all fitted without the text they answer.

    Of the shipped weights only the spreading is used. ``answered`` (rows,) is the cross-validated screening.
    """
    known = out_of_fold.take([row.id for row in rows])
    inputs = gather_inputs(rows, known.skill_log_p, catalogue)
    scores = np.zeros(inputs.log_p.shape)
    probabilities = np.zeros_like(scores)
    for train, test in make_folds(rows):
        fitted = fit_weights(inputs.take(train), [rows[i] for i in train], catalogue)
        fitted = fitted.model_copy(update={"neighbour_spread": weights.neighbour_spread})
        scores[test], probabilities[test] = _answers(inputs.take(test), fitted, catalogue)
    return Measured(tuple(rows), scores, probabilities, answered)


def _answers(inputs: Inputs, weights: FusionWeights, catalogue: Catalogue) -> tuple[Floats, Floats]:
    ordered = ordered_scores(inputs, weights, catalogue, PLACES)
    return ordered, expit(inputs.score(weights))
