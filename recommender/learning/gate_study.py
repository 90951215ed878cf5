"""One simulated world of the gates' power study: a better and a worse version of known worth before the gates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy.special import expit

from recommender.catalogue.loader import load_catalogue
from recommender.learning.evidence import Evidence, EvidenceRow
from recommender.learning.gate_parameters import load_gate_parameters
from recommender.learning.gate_rules import (
    DEVELOPMENT,
    GateResult,
    calibration_gate,
    development_gate,
    guards_gate,
    held_back_gate,
    slice_gates,
)
from recommender.learning.guards import guard
from recommender.learning.held_back import ReviewedLists, referee, split_by_time
from recommender.learning.later_cases import LaterCases
from recommender.learning.parameters import load_learning_parameters
from recommender.learning.positions import Positions
from recommender.learning.update import Update, fit_update
from recommender.learning.updated_weights import updated_weights
from recommender.ranking.fusion import FusionWeights
from recommender.training.calibration_error import calibration_error, pool_first
from recommender.training.simulate.coach_truth import CoachTruth, Floats, ShippedScores
from recommender.training.simulate.reviewing import Habit, simulate_reviews
from recommender.training.simulate.reviewing_parameters import ReviewingParameters, load_reviewing_parameters

BETTER, NEARLY_SAME = "honest reviews", "honest reviews, coaches differ less"
FLIPPED, NOISY_HEAD, NOISY_OFFSETS = "reviews the wrong way round", "noise in the text head", "noise in the offsets"
WORSE = (FLIPPED, NOISY_HEAD, NOISY_OFFSETS)

# Coaches must differ from the model by more than in the learning report: there even their true log-odds gain under .03.
# What the gates do with versions from the learning report's coaches is shown too, under NEARLY_SAME.
TOUCHED_SKILLS, SKILL_SD = 60, 1.1
# A worse version is made so bad, and little more.
DROP = 0.03
_STEPS = 8


@dataclass(frozen=True)
class GateStudy:
    """What is simulated: lists reviewed, cases that the true worth is measured on, struggles of the development set."""

    seeds: tuple[int, ...]
    reviews: int = 2_500
    later_cases: int = 3_000
    development: int = 107
    tenants: int = 4


@dataclass(frozen=True)
class Change:
    """What makes a version another one: an update, and a matrix (skills, skills) that disturbs its text head."""

    update: Update
    head: Floats | None = None

    def scaled(self, factor: float) -> Change:
        """The change so many times as large."""
        update = self.update
        more = replace(
            update,
            skill_offsets=_times(update.skill_offsets, factor),
            tenant_offsets={tenant: _times(own, factor) for tenant, own in update.tenant_offsets.items()},
            factors=_times(update.factors, factor),
            intercept=factor * update.intercept,
        )
        return Change(more, None if self.head is None else factor * self.head)

    def head_change(self, log_p: Floats) -> Floats | None:
        """(texts, skills) what the disturbed head adds: like a head's own error the same for texts that are alike."""
        if self.head is None:
            return None
        centred = log_p - log_p.mean(axis=1, keepdims=True)
        result: Floats = (centred / centred.std(axis=1, keepdims=True)) @ self.head
        return result


@dataclass(frozen=True)
class Judged:
    """One candidate: its true difference in nDCG@5 and what the gates said.

    ``labellers_would_refuse``: whether the development gate would fail if those who labelled saw things as the shipped
    model does, and not as the coaches.
    """

    kind: str
    seed: int
    true_difference: float
    passed: bool
    results: tuple[GateResult, ...]
    labellers_would_refuse: bool

    @property
    def would_pass_labellers(self) -> bool:
        """Whether it would pass if the development labels were theirs."""
        return not self.labellers_would_refuse and set(self.deciding) <= {DEVELOPMENT}

    @property
    def deciding(self) -> tuple[str, ...]:
        """Names of the gates that refused."""
        return tuple(result.name for result in self.results if not result.passed)


def study_seed(seed: int, texts: ShippedScores, base: FusionWeights, study: GateStudy) -> list[Judged]:
    """A better and a worse version in one world, and one that is better by little in another, in that order.

    Worse kinds take turns by seed.
    """
    world = _World(seed, texts, base, study, _disagreeing(load_reviewing_parameters()))
    milder = _World(seed, texts, base, study, load_reviewing_parameters())
    kind = WORSE[seed % len(WORSE)]
    return [
        world.judged(BETTER, Change(world.learned(world.evidence)), world.evidence),
        world.judged(kind, world.as_bad(world.worse(kind)), world.evidence),
        milder.judged(NEARLY_SAME, Change(milder.learned(milder.evidence)), milder.evidence),
    ]


class _World:
    """Districts of one seed with their reviews, later cases and a development set."""

    def __init__(
        self, seed: int, texts: ShippedScores, base: FusionWeights, study: GateStudy, parameters: ReviewingParameters
    ) -> None:
        self.seed, self.base, self.study = seed, base, study
        self.catalogue, self.gates, self.learning = load_catalogue(), load_gate_parameters(), load_learning_parameters()
        self.positions = Positions.assumed(self.learning.examination)
        self.parameters = parameters
        halves = np.array_split(np.random.default_rng([seed, 8]).permutation(len(texts)), 2)
        self.reviewed, unseen = texts.take(halves[0]), texts.take(halves[1])
        reviews = simulate_reviews(
            seed, study.reviews, tenants=study.tenants, texts=self.reviewed, parameters=self.parameters
        )
        self.truth = reviews.truth
        learned, held_back = split_by_time(Evidence.of(reviews.rows), self.gates.held_back.share.value)
        self.evidence, self.held_rows = learned, held_back.rows
        self.held_back = ReviewedLists.of(held_back.rows, base, self.catalogue, self.positions, self.learning)
        self.later = self._cases(9, study.later_cases, unseen, self.truth)
        self.shipped_values = self.later.values(self.later.texts.log_odds)
        # Whoever labels the development set knows no tenant; coaches' shared view, or the shipped model's.
        shared = replace(self.truth, tenant_offsets=np.zeros((1, len(self.catalogue))))
        as_shipped = replace(shared, skill_offsets=np.zeros(len(self.catalogue)), words_factor=1.0, strictness=0.0)
        self.development = self._cases(10, study.development, unseen, shared)
        self.labelled = self._cases(10, study.development, unseen, as_shipped)

    def _cases(self, stream: int, n: int, texts: ShippedScores, truth: CoachTruth) -> LaterCases:
        rng = np.random.default_rng([self.seed, stream])
        return LaterCases.draw(rng, n, texts, truth, self.catalogue, self.parameters)

    def learned(self, evidence: Evidence) -> Update:
        return fit_update(evidence, self.catalogue, self.positions, self.learning)

    def worse(self, kind: str) -> Change:
        """A change for the worse, of no particular size."""
        rng = np.random.default_rng([self.seed, 11])
        n = len(self.catalogue)
        if kind == NOISY_HEAD:
            return Change(Update(), rng.normal(0, 0.1, (n, n)))
        if kind == NOISY_OFFSETS:
            offsets = rng.normal(0, 0.3, n)
            return Change(Update(skill_offsets=dict(zip(self.catalogue.ids, offsets.tolist(), strict=True))))
        flipped: list[Habit] = ["flipped"] * self.study.tenants
        rows: tuple[EvidenceRow, ...] = simulate_reviews(
            self.seed, self.study.reviews // 2, tenants=self.study.tenants, texts=self.reviewed, truth=self.truth,
            habits=flipped, parameters=self.parameters,
        ).rows  # fmt: skip
        return Change(self.learned(Evidence.of(rows)))

    def as_bad(self, change: Change) -> Change:
        """The change at the size at which the true nDCG@5 has just fallen by ``DROP``."""
        low, high = 0.0, 1.0
        while self.true_difference(change.scaled(high)) > -DROP:
            low, high = high, 2 * high
        for _ in range(_STEPS):
            middle = (low + high) / 2
            low, high = (middle, high) if self.true_difference(change.scaled(middle)) > -DROP else (low, middle)
        return change.scaled(high)

    def true_difference(self, change: Change) -> float:
        return float(np.nanmean(self.later.values(self._log_odds(self.later, change)) - self.shipped_values))

    def judged(self, kind: str, change: Change, evidence: Evidence) -> Judged:
        results = tuple(self._gates(change, evidence))
        plain = Change(replace(change.update, tenant_offsets={}), change.head)
        labelled = development_gate(self._difference(self.labelled, plain), self.gates)
        return Judged(
            kind, self.seed, round(self.true_difference(change), 4), all(result.passed for result in results), results,
            not labelled.passed,
        )  # fmt: skip

    def _gates(self, change: Change, evidence: Evidence) -> list[GateResult]:
        """Every gate that figures decide; those about files and speed have nothing to look at here."""
        plain = Change(replace(change.update, tenant_offsets={}), change.head)
        difference = self._difference(self.development, plain)
        now, before = self._log_odds(self.development, plain), self.development.texts.log_odds
        margins = self.gates.calibration
        error_before, error_now = (self._development_error(log_odds) for log_odds in (before, now))
        lists, weights = self.held_back, updated_weights(self.base, change.update)
        shipped = lists.log_odds(self.base)
        candidate = lists.log_odds(weights, change.head_change(lists.log_p))
        judge = referee(self.held_rows, self.base, self.catalogue, self.positions, self.learning)
        ordering, expected = self.reviewed.ordering, expit(lists.log_odds(judge))
        worth = lists.worth(candidate, ordering, expected) - lists.worth(shipped, ordering, expected)
        removal = [calibration_error(*lists.removals(log_odds, self.positions)) for log_odds in (shipped, candidate)]
        labels: dict[str, list[str]] = {
            "grade band": [row.context.grade_band for row in lists.rows],
            "subject": [row.context.subject for row in lists.rows],
        }
        return [
            development_gate(difference, self.gates),
            held_back_gate(worth, lists.teachers, self.gates),
            calibration_gate(
                "development", error_before, error_now, margins.development.value, self.study.development
            ),
            calibration_gate(
                "held back", removal[0].corrected, removal[1].corrected, margins.held_back.value, len(lists)
            ),
            *slice_gates("held back", worth, labels, self.gates),
            guards_gate(guard(Evidence.of([*evidence.rows, *self.held_rows]), self.learning, self.positions)),
        ]  # fmt: skip

    def _difference(self, cases: LaterCases, change: Change) -> Floats:
        return cases.values(self._log_odds(cases, change)) - cases.values(cases.texts.log_odds)

    def _log_odds(self, cases: LaterCases, change: Change) -> Floats:
        log_p = (cases.texts.words - self.base.intercept) / self.base.slope
        added = change.head_change(log_p)
        factor = 1 + change.update.factors["words"]
        return cases.log_odds(change.update) + (0.0 if added is None else factor * self.base.slope * added)

    def _development_error(self, log_odds: Floats) -> float:
        grades = self.development.grades
        pooled = pool_first(log_odds, expit(log_odds), (grades >= 2).astype(np.float64), np.ones(len(grades), np.int64))
        return calibration_error(pooled.probabilities, pooled.events, pooled.labellers).corrected


def _disagreeing(parameters: ReviewingParameters) -> ReviewingParameters:
    truth: Mapping[str, Any] = {"touched_skills": TOUCHED_SKILLS, "skill_sd": SKILL_SD}
    changed = {
        name: getattr(parameters.truth, name).model_copy(update={"value": value}) for name, value in truth.items()
    }
    return parameters.model_copy(update={"truth": parameters.truth.model_copy(update=changed)})


def _times(values: Mapping[str, float], factor: float) -> dict[str, float]:
    return {name: factor * value for name, value in values.items()}
