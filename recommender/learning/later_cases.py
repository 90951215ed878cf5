"""Later cases of simulated districts: what a list made with an update would have been worth to their coaches."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from recommender.catalogue.loader import Catalogue
from recommender.learning.update import Update
from recommender.training.metrics import ndcg_at
from recommender.training.simulate.coach_truth import Booleans, CoachTruth, Floats, Integers, ShippedScores
from recommender.training.simulate.reviewing import tenant_shares
from recommender.training.simulate.reviewing_parameters import ReviewingParameters

PLACES = 5
# How far down the shipped list a skill that coaches see differently may be to have a say in the first places.
IN_REACH = 10


@dataclass(frozen=True)
class LaterCases:
    """Texts nobody reviewed, of the same districts, with the grades their coaches would give.

    ``grades`` (cases, skills) 0 to 3; ``tenant`` (cases,).
    """

    texts: ShippedScores
    tenant: Integers
    truth: CoachTruth
    grades: Integers
    catalogue: Catalogue

    @classmethod
    def draw(
        cls,
        rng: np.random.Generator,
        n: int,
        texts: ShippedScores,
        truth: CoachTruth,
        catalogue: Catalogue,
        parameters: ReviewingParameters,
    ) -> LaterCases:
        """``n`` cases, with replacement of texts; grades are drawn anew for each."""
        chosen = texts.take(rng.integers(len(texts), size=n))
        n_tenants = len(truth.tenant_offsets)
        tenant = rng.choice(n_tenants, size=n, p=tenant_shares(n_tenants, parameters)).astype(np.int64)
        grades = truth.draw_grades(rng, truth.log_odds(chosen, tenant))
        return cls(chosen, tenant, truth, grades, catalogue)

    def log_odds(self, update: Update) -> Floats:
        """(cases, skills) with the update."""
        n_tenants = len(self.truth.tenant_offsets)
        offsets = np.array([update.offsets(self.catalogue, f"district-{tenant}") for tenant in range(n_tenants)])
        factors = update.factors
        result: Floats = (
            (1 + factors["words"]) * self.texts.words
            + (1 + factors["context"]) * self.texts.context
            + update.intercept
            + offsets[self.tenant]
        )
        return result

    def values(self, log_odds: Floats) -> Floats:
        """(cases,) nDCG@5 of the lists these log-odds make; NaN where coaches would name no skill at all."""
        places = np.full(log_odds.shape, -float(PLACES))
        for case, row in enumerate(log_odds):
            for rank, placed in enumerate(self.texts.place(row, PLACES)):
                places[case, placed.skill] = -float(rank)
        return ndcg_at(places, self.grades.astype(np.float64), PLACES)

    @property
    def best_values(self) -> Floats:
        """(cases,) nDCG@5 of the true log-odds: what nobody can beat on average."""
        return self.values(self.truth.log_odds(self.texts, self.tenant))

    def relevant_untouched(self) -> Booleans:
        """(cases,) where something is relevant, and coaches see all of it as the model does."""
        relevant = self.grades >= 2
        seen_otherwise = relevant & self.truth.touched(self.tenant)
        return np.asarray(relevant.any(axis=1) & ~seen_otherwise.any(axis=1))

    def out_of_reach(self) -> Booleans:
        """(cases,) where none of the shipped model's first ten skills is one that coaches see differently."""
        first = np.argsort(-self.texts.log_odds, axis=1, kind="stable")[:, :IN_REACH]
        touched = np.take_along_axis(self.truth.touched(self.tenant), first, axis=1)
        return np.asarray(~touched.any(axis=1))
