"""One seed of the learning report: reviews of simulated districts, every way to learn from them, later cases."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta

import numpy as np

from recommender.catalogue.loader import load_catalogue
from recommender.learning.evidence import Evidence, EvidenceRow
from recommender.learning.guards import guard
from recommender.learning.later_cases import LaterCases
from recommender.learning.parameters import LearningParameters, load_learning_parameters
from recommender.learning.positions import Positions, estimate_positions
from recommender.learning.update import Update, fit_update
from recommender.training.simulate.coach_truth import Booleans, Floats, ShippedScores
from recommender.training.simulate.practised import with_outcomes
from recommender.training.simulate.review_attacks import (
    with_approving_coach,
    with_burst,
    with_copies,
    with_random_reviews,
)
from recommender.training.simulate.reviewing import Habit, SimulatedReviews, simulate_reviews
from recommender.training.simulate.reviewing_parameters import load_reviewing_parameters

SHIPPED, BEST = "shipped model", "true log-odds"
CORRECTED, UNSHRUNK = "corrected", "corrected, not shrunk"
NAIVE, SHRUNK_NAIVE = "counted as they are", "counted as they are, shrunk"
OUTCOMES_LEFT_OUT = "corrected, outcomes left out"
UNCAPPED, SWAPS = "corrected, without caps", "corrected, curve from swaps"
UNTOUCHED, OUT_OF_REACH = "all relevant skills as the model sees them", "no other skill among the model's first ten"

HONEST, CHOICES_ALONE = "nothing wrong", "choices and what came of them, no review"
FLIPPED_TENANT = 1

# An SD at which a prior says nothing, and a cap no count reaches.
_NO_SHRINKAGE, _NO_CAP = 10.0, 10**9


@dataclass(frozen=True)
class LearningStudy:
    """What is simulated.

    ``beside``: honest reviews beside each attack, and reviews of coaches who look otherwise; ``burst``: reviews for one
    skill in an hour.
    """

    seeds: tuple[int, ...]
    sizes: tuple[int, ...] = (50, 200, 1_000, 5_000)
    beside: int = 1_000
    burst: int = 500
    later_cases: int = 1_000
    tenants: int = 4


@dataclass(frozen=True)
class SeedFigures:
    """One seed's nDCG@5 (cases,) by scenario and way to learn, parts of its cases, and findings by scenario.

    ``fitted``: the corrected update by number of reviews.
    """

    values: dict[tuple[str, str], Floats]
    masks: dict[str, Booleans]
    findings: dict[str, tuple[str, ...]]
    fitted: dict[int, Update]


def study_seed(seed: int, texts: ShippedScores, study: LearningStudy) -> SeedFigures:
    """Simulate, learn in every way and measure; a random half of the texts is reviewed, later cases have the other."""
    parameters, catalogue = load_reviewing_parameters(), load_catalogue()
    halves = np.array_split(np.random.default_rng([seed, 8]).permutation(len(texts)), 2)
    reviewed, unseen = texts.take(halves[0]), texts.take(halves[1])
    n = max(*study.sizes, study.beside + max(study.beside, study.burst))
    reviews = simulate_reviews(seed, n, tenants=study.tenants, texts=reviewed)
    later = LaterCases.draw(
        np.random.default_rng([seed, 9]), study.later_cases, unseen, reviews.truth, catalogue, parameters
    )
    values = {("", SHIPPED): later.values(later.texts.log_odds), ("", BEST): later.best_values}
    fitted = {}
    for size in study.sizes:
        evidence = Evidence.of(reviews.rows[:size])
        for way in (CORRECTED, UNSHRUNK, NAIVE, SHRUNK_NAIVE):
            update = learn(evidence, way)
            values[reviews_name(size), way] = later.values(later.log_odds(update))
            if way == CORRECTED:
                fitted[size] = update
    findings: dict[str, tuple[str, ...]] = {}
    for scenario, evidence in _attacks(seed, reviews, reviewed, study):
        findings[scenario] = tuple(sorted({finding.name for finding in guard(evidence)}))
        for way in (CORRECTED, UNCAPPED):
            values[scenario, way] = later.values(later.log_odds(learn(evidence, way)))
    for scenario, evidence in _other_looks(seed, reviews, reviewed, study):
        for way in (CORRECTED, SWAPS, SHRUNK_NAIVE):
            values[scenario, way] = later.values(later.log_odds(learn(evidence, way)))
    chosen = Evidence.of(
        row.model_copy(update={"review": None, "coach": None})
        for row in with_outcomes(seed, reviews.first(max(study.sizes)), reviewed)
    )
    without = Evidence.of(row.model_copy(update={"outcome": None}) for row in chosen.rows)
    for way, evidence in ((CORRECTED, chosen), (OUTCOMES_LEFT_OUT, without)):
        values[CHOICES_ALONE, way] = later.values(later.log_odds(learn(evidence, way)))
    masks = {UNTOUCHED: later.relevant_untouched(), OUT_OF_REACH: later.out_of_reach()}
    return SeedFigures(values, masks, findings, fitted)


def reviews_name(size: int) -> str:
    """The scenario of so many honest reviews."""
    return f"{size} reviews"


def learn(evidence: Evidence, way: str) -> Update:
    """The update by one of the ways that are compared; all but the corrected one leave something out.

    Counted as they are: every place looked at, so that every skill left standing is relevant, no shrinkage, no caps.
    """
    parameters = load_learning_parameters()
    positions = Positions.assumed(parameters.examination)
    if way == SWAPS:
        positions = estimate_positions(evidence.rows, parameters.examination)
    if way in (UNSHRUNK, NAIVE):
        parameters = _not_shrunk(parameters)
    if way in (UNCAPPED, NAIVE, SHRUNK_NAIVE):
        parameters = _without_caps(parameters)
    if way in (NAIVE, SHRUNK_NAIVE):
        positions = Positions.everywhere()
    return fit_update(evidence, load_catalogue(), positions, parameters)


def _not_shrunk(parameters: LearningParameters) -> LearningParameters:
    flat = {"start": _NO_SHRINKAGE, "least": _NO_SHRINKAGE, "most": _NO_SHRINKAGE}
    update = parameters.update
    wide = {name: getattr(update, name).model_copy(update=flat) for name in ("skill_sd", "tenant_sd")}
    wide |= {
        name: getattr(update, name).model_copy(update={"value": _NO_SHRINKAGE})
        for name in ("intercept_sd", "factor_sd")
    }
    return parameters.model_copy(update={"update": update.model_copy(update=wide)})


def _without_caps(parameters: LearningParameters) -> LearningParameters:
    weights = parameters.weights
    caps = {
        name: getattr(weights, name).model_copy(update={"value": _NO_CAP})
        for name in ("coach_reviews", "teacher_choices", "burst_signals")
    }
    return parameters.model_copy(update={"weights": weights.model_copy(update=caps)})


def _attacks(
    seed: int, reviews: SimulatedReviews, texts: ShippedScores, study: LearningStudy
) -> Iterator[tuple[str, Evidence]]:
    """Evidence with each attack or accident in it, after the same honest evidence."""
    honest, spare = reviews.rows[: study.beside], reviews.rows[study.beside :]
    removal = load_reviewing_parameters().coaches.random_removal.value
    habits: list[Habit] = ["flipped" if tenant == FLIPPED_TENANT else "honest" for tenant in range(study.tenants)]
    flipped = simulate_reviews(
        seed, study.beside, tenants=study.tenants, texts=texts, truth=reviews.truth, habits=habits
    )
    attacks: dict[str, Sequence[EvidenceRow]] = {
        HONEST: honest,
        "one coach keeps everything, 10% of reviews": with_approving_coach(honest, spare, 0.1),
        "one coach keeps everything, 50% of reviews": with_approving_coach(honest, spare, 0.5),
        "10% of reviews at random": with_random_reviews(honest, 0.1, removal, seed),
        "one tenant's coaches judge the wrong way round": flipped.rows,
        f"{study.burst} reviews for one skill in an hour": with_burst(
            honest, spare, _pushed_skill(reviews), study.burst
        ),
        "every row twice": with_copies(honest),
        "every row twice, a second apart": with_copies(honest, timedelta(seconds=1)),
    }
    for name, rows in attacks.items():
        yield name, Evidence.of(rows)


def _pushed_skill(reviews: SimulatedReviews) -> str:
    """A skill that coaches see as the model does, the first of the catalogue."""
    untouched = ~reviews.truth.touched(np.arange(len(reviews.truth.tenant_offsets))).any(axis=0)
    return load_catalogue().ids[int(np.argmax(untouched))]


def _other_looks(
    seed: int, reviews: SimulatedReviews, texts: ShippedScores, study: LearningStudy
) -> Iterator[tuple[str, Evidence]]:
    """Coaches whose look down the list is not the assumed one, with near ties swapped by chance."""
    parameters = load_reviewing_parameters()
    for name, curve in parameters.other_looks.items():
        made = simulate_reviews(
            seed, study.beside, tenants=study.tenants, texts=texts, truth=reviews.truth,
            exploration=parameters.exploration.value, parameters=parameters.looking(curve.value),
        )  # fmt: skip
        yield name, Evidence.of(made.rows)
