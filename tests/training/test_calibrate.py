from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit, log_softmax

from recommender.catalogue.loader import load_catalogue
from recommender.ranking.fusion import FusionWeights
from recommender.training.calibrate import (
    FITTED_PLACES,
    LIKELY,
    NEUTRAL,
    STRONG,
    Inputs,
    fit_weights,
    gather_inputs,
    ordered_scores,
)
from recommender.training.corpus import Row

CATALOGUE = load_catalogue()
N = len(CATALOGUE)
LABELLERS = 12


def row(labels: list[dict[str, int]], **context: str) -> Row:
    return Row.model_construct(
        id="t", kind="struggle", text="x", status="rankable", context=_context(context), labels=labels, source="public"
    )


def _context(context: dict[str, str]):
    return Row.model_fields["context"].annotation.model_validate(context)


def log_probabilities(n: int, seed: int = 0) -> np.ndarray:
    return log_softmax(3 * np.random.default_rng(seed).normal(size=(n, N)), axis=1)


def inputs_of(log_p: np.ndarray, subject: np.ndarray | None = None, band: np.ndarray | None = None) -> Inputs:
    nothing = np.zeros_like(log_p)
    return Inputs(log_p, nothing if subject is None else subject, nothing if band is None else band)


def rows_that_accept(probability: np.ndarray, seed: int = 1) -> list[Row]:
    """Rows whose labellers each accept a skill with its probability."""
    draws = np.random.default_rng(seed).random((*probability.shape, LABELLERS)) < probability[..., None]
    return [
        row([{CATALOGUE.ids[i]: 2 for i in np.flatnonzero(draws[text, :, labeller])} for labeller in range(LABELLERS)])
        for text in range(len(probability))
    ]


def fitted_to(score_of, n: int = 200, subject=None, band=None) -> FusionWeights:
    log_p = log_probabilities(n)
    inputs = inputs_of(log_p, subject, band)
    return fit_weights(inputs, rows_that_accept(expit(score_of(inputs))), CATALOGUE)


# Fitting


@pytest.mark.parametrize(("slope", "intercept"), [(1.0, 0.0), (0.6, 0.8), (1.5, 2.0)])
def test_a_known_slope_and_intercept_are_recovered(slope, intercept):
    weights = fitted_to(lambda inputs: intercept + slope * inputs.log_p)
    assert weights.slope == pytest.approx(slope, abs=0.06)
    assert weights.intercept == pytest.approx(intercept, abs=0.12)


def test_a_penalty_for_the_wrong_subject_and_grade_is_recovered():
    rng = np.random.default_rng(2)
    subject, band = ((rng.random((200, N)) < 0.3).astype(float) for _ in range(2))
    weights = fitted_to(
        lambda inputs: 0.5 + inputs.log_p - 1.0 * inputs.other_subject - 0.5 * inputs.other_grade_band,
        subject=subject,
        band=band,
    )
    assert weights.other_subject == pytest.approx(-1.0, abs=0.2)
    assert weights.other_grade_band == pytest.approx(-0.5, abs=0.2)
    assert weights.slope == pytest.approx(1.0, abs=0.06)


def test_context_weights_are_never_positive_even_where_the_data_say_so():
    rng = np.random.default_rng(2)
    subject, band = ((rng.random((200, N)) < 0.3).astype(float) for _ in range(2))
    weights = fitted_to(
        lambda inputs: 0.5 + inputs.log_p + 2.0 * inputs.other_subject + 1.0 * inputs.other_grade_band,
        subject=subject,
        band=band,
    )
    assert (weights.other_subject, weights.other_grade_band) == (0.0, 0.0)


def test_without_any_misfit_the_context_weights_are_nothing():
    weights = fitted_to(lambda inputs: 0.5 + inputs.log_p, n=60)
    assert weights.other_subject == pytest.approx(0, abs=1e-3)
    assert weights.other_grade_band == pytest.approx(0, abs=1e-3)


def test_only_the_first_places_of_each_text_are_fitted():
    log_p = log_probabilities(200)
    rank = np.argsort(np.argsort(-log_p, axis=1), axis=1)
    among_first = expit(0.5 + log_p) * (rank < FITTED_PLACES)
    everywhere = np.where(rank < FITTED_PLACES, among_first, 0.9)
    with_noise = fit_weights(inputs_of(log_p), rows_that_accept(everywhere), CATALOGUE)
    without = fit_weights(inputs_of(log_p), rows_that_accept(among_first), CATALOGUE)
    assert with_noise == without


def test_the_confidence_words_and_no_spreading_come_with_the_fit():
    weights = fitted_to(lambda inputs: 0.5 + inputs.log_p, n=40)
    assert (weights.strong, weights.likely, weights.neighbour_spread) == (STRONG, LIKELY, 0.0)
    assert (STRONG, LIKELY) == (0.6, 0.4)


def test_the_same_data_give_the_same_weights():
    assert fitted_to(lambda inputs: inputs.log_p, n=40) == fitted_to(lambda inputs: inputs.log_p, n=40)


# Inputs


def test_a_score_is_the_weighted_sum_of_its_inputs():
    inputs = Inputs(np.array([[-1.0, -2.0]]), np.array([[1.0, 0.0]]), np.array([[1.0, 1.0]]))
    weights = NEUTRAL.model_copy(
        update={"slope": 0.5, "intercept": 1.0, "other_subject": -0.25, "other_grade_band": -2.0}
    )
    assert inputs.score(weights).tolist() == [[-1.75, -2.0]]


def test_taking_rows_takes_them_from_every_input():
    inputs = Inputs(*(np.arange(6.0).reshape(3, 2) + offset for offset in (0, 10, 20)))
    taken = inputs.take(np.array([2, 0]))
    assert taken.log_p.tolist() == [[4, 5], [0, 1]]
    assert taken.other_subject.tolist() == [[14, 15], [10, 11]]
    assert taken.other_grade_band.tolist() == [[24, 25], [20, 21]]


def test_the_misfits_of_a_row_are_those_of_its_context():
    rows = [row([], grade_band="high", subject="Biology"), row([])]
    log_p = log_probabilities(2).astype(np.float32)
    inputs = gather_inputs(rows, log_p, CATALOGUE)
    phonics, source_analysis = (CATALOGUE.index[skill_id] for skill_id in ("phonics-routine", "source-analysis"))
    assert inputs.other_grade_band[:, phonics].tolist() == [1, 0]
    assert inputs.other_grade_band[:, source_analysis].tolist() == [0, 0]
    assert inputs.other_subject[:, source_analysis].tolist() == [1, 0]
    assert inputs.log_p.dtype == np.float64
    assert (inputs.log_p == log_p).all()


# Order after spreading


def test_the_scores_of_placed_skills_are_their_places_and_all_others_stand_below():
    log_p = np.full((1, N), -9.0)
    trio = [CATALOGUE.index[i] for i in ("cold-calling", "every-student-response", "high-ratio-questioning")]
    stranger = CATALOGUE.index["phonics-routine"]
    log_p[0, [*trio, stranger]] = [-1.0, -1.5, -2.0, -2.25]
    weights = NEUTRAL.model_copy(update={"neighbour_spread": -0.5})
    scores = ordered_scores(inputs_of(log_p), weights, CATALOGUE, places=4)[0]
    # The third of a kind moves below the stranger.
    assert scores[[*trio[:2], stranger, trio[2]]].tolist() == [0, -1, -2, -3]
    others = np.delete(scores, [*trio, stranger])
    assert others.max() < -3
    assert others == pytest.approx(-1_009.0)
