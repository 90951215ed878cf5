"""Fits the weights that join words, needs, notes and interests, on simulated districts with out-of-fold texts."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize
from scipy.special import expit

from recommender.catalogue.loader import Catalogue
from recommender.ranking.observation_weights import ObservationWeights, Weights
from recommender.training.simulated_cases import SimulatedCases, Texts, simulated_cases

Array = npt.NDArray[np.float64]

VISITS = (1, 2, 4, 8)
FITTING_SEEDS = (101, 102, 103)
JUDGING_SEEDS = (901, 902, 903, 904, 905)
TEACHERS = 400
# The fit looks at the part of each list people see, as the calibration of the words does.
FITTED_PLACES = 10
# Pulls weights gently towards 0, so that a source that says nothing gets nothing.
PENALTY = 1.0
FIELDS = ("intercept", "words", "need", "note", "interest")

Say = Callable[[str], None]


def gather(seeds: tuple[int, ...], texts: Texts, catalogue: Catalogue, say: Say = lambda _: None) -> SimulatedCases:
    """Cases of one district a seed and number of visits."""
    parts = []
    for seed in seeds:
        for visits in VISITS:
            say(f"district {seed}, {visits} visits")
            parts.append(simulated_cases(1_000 * visits + seed, TEACHERS, visits, texts, catalogue))
    return SimulatedCases.join(parts)


def fit_observation_weights(cases: SimulatedCases, prior: Array) -> ObservationWeights:
    """Logistic fit of "the coach graded it 3 or 2", once with the words and once with ``prior`` (skills,) instead."""
    alone = np.broadcast_to(prior, cases.words.shape)
    return ObservationWeights(with_words=_fit(cases, cases.words), alone=_fit(cases, alone))


def observed_scores(cases: SimulatedCases, words: Array, weights: Weights) -> Array:
    """(cases, skills) log-odds before constraints; ``words`` is the words' part or the prior's."""
    score: Array = (
        weights.intercept
        + weights.words * words
        + need_part(cases, weights.need)
        + weights.note * cases.note
        + weights.interest * cases.interest
    )
    return score


def need_part(cases: SimulatedCases, weight: float) -> Array:
    """(cases, skills) what needs add; the same formula as ``observation_weights.need_effects``, summed over items.

    Written in its own order of operations: in the other's the fit ends a few ten-thousandths away, and a shipped
    version's weights would not come out again.
    """
    slope = weight * cases.lead
    part: Array = slope * cases.need / np.sqrt(1 + np.pi / 8 * slope**2 * cases.variance)
    return part


def _fit(cases: SimulatedCases, words: Array) -> Weights:
    start = Weights(intercept=0.0, words=1.0, need=1.0, note=0.1, interest=0.1)
    for _ in range(3):
        start = _fit_on_places(cases, words, start)
    return start


def _fit_on_places(cases: SimulatedCases, words: Array, start: Weights) -> Weights:
    """One logistic fit on the places that the weights so far put first."""
    places = np.argsort(-observed_scores(cases, words, start), axis=1, kind="stable")[:, :FITTED_PLACES]

    def at(table: Array) -> Array:
        return np.take_along_axis(table, places, axis=1).ravel()

    seen = SimulatedCases(
        words=at(cases.words),
        need=at(cases.need),
        variance=at(cases.variance),
        lead=at(cases.lead),
        note=at(cases.note),
        interest=at(cases.interest),
        grade=at(cases.grade),
        visits=cases.visits,
    )
    known, event = at(np.asarray(words)), (seen.grade >= 2).astype(np.float64)

    def loss(theta: Array) -> float:
        weights = Weights(**dict(zip(FIELDS, theta.tolist(), strict=True)))
        p = np.clip(expit(observed_scores(seen, known, weights)), 1e-12, 1 - 1e-12)
        value = -(event * np.log(p) + (1 - event) * np.log(1 - p)).sum()
        return float(value + PENALTY * (theta[2:] ** 2).sum())

    bounds = [(-8.0, 8.0), (0.0, 5.0), (0.0, 20.0), (0.0, 5.0), (0.0, 5.0)]
    theta0 = np.array([getattr(start, name) for name in FIELDS])
    fitted = minimize(loss, theta0, method="L-BFGS-B", bounds=bounds).x
    return Weights(
        **{name: round(max(value, low), 6) for name, value, (low, _) in zip(FIELDS, fitted, bounds, strict=True)}
    )
