"""What simulated coaches hold to be true: the shipped model's log-odds with known, hidden differences."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from recommender.cases import Context
from recommender.catalogue.loader import Catalogue, load_catalogue
from recommender.ranking.fusion import FusionWeights
from recommender.ranking.ordering import Ordering, Placed
from recommender.ranking.versions import open_version
from recommender.training.calibrate import gather_inputs
from recommender.training.corpus import REAL, load_rows
from recommender.training.out_of_fold import OUT_OF_FOLD_FILE, OutOfFold
from recommender.training.simulate.reviewing_parameters import CoachTruthParameters

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Booleans = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class ShippedScores:
    """What a model version says about texts it has not learned from, as a list would be made of it.

    ``words`` (texts, skills): calibrated log-odds of the words; ``context`` (texts, skills): what the context adds.
    ``start``: the part of ``words`` that is the same for all skills.
    """

    model_version: str
    contexts: tuple[Context, ...]
    words: Floats
    context: Floats
    start: float
    ordering: Ordering

    @classmethod
    def load(cls, models: Path, version: str | None = None) -> ShippedScores:
        """All real training struggles with their out-of-fold values, so that no model has seen its judge."""
        manifest, folder, encoder_folder = open_version(models, version)
        weights, catalogue = FusionWeights.load(folder), load_catalogue()
        rows = tuple(row for file in REAL for row in load_rows(file) if row.status == "rankable")
        known = OutOfFold.load(encoder_folder / OUT_OF_FOLD_FILE).take([row.id for row in rows])
        inputs = gather_inputs(rows, known.skill_log_p, catalogue)
        words = weights.intercept + weights.slope * inputs.log_p
        return cls(
            manifest.version,
            tuple(row.case_context() for row in rows),
            words,
            inputs.score(weights) - words,
            weights.intercept,
            Ordering(catalogue, weights.neighbour_spread),
        )

    def __len__(self) -> int:
        return len(self.words)

    @property
    def log_odds(self) -> Floats:
        """(texts, skills) before constraints."""
        return self.words + self.context

    def take(self, rows: Integers) -> ShippedScores:
        """The given texts."""
        contexts = tuple(self.contexts[row] for row in rows)
        return ShippedScores(
            self.model_version, contexts, self.words[rows], self.context[rows], self.start, self.ordering
        )

    def place(self, log_odds: Floats, top: int) -> list[Placed]:
        """The list for (skills,) log-odds, spread as the engine spreads it."""
        return self.ordering.place(log_odds, top, np.zeros(len(log_odds), dtype=bool))


@dataclass(frozen=True)
class CoachTruth:
    """Hidden differences from the shipped model, in log-odds; rows of ``tenant_offsets`` are tenants."""

    skill_offsets: Floats
    tenant_offsets: Floats
    words_factor: float
    strictness: float
    grade_step: float

    @classmethod
    def draw(
        cls, rng: np.random.Generator, tenants: int, catalogue: Catalogue, parameters: CoachTruthParameters
    ) -> CoachTruth:
        """Differences of a known number of skills, drawn at random; all others are as the model has them."""
        n = len(catalogue)
        shared = _some(rng, n, parameters.touched_skills.value, parameters.skill_sd.value)
        own = [_some(rng, n, parameters.tenant_skills.value, parameters.tenant_sd.value) for _ in range(tenants)]
        return cls(
            shared,
            np.array(own).reshape(tenants, n),
            parameters.words_factor.value,
            parameters.strictness.value,
            parameters.grade_step.value,
        )

    def log_odds(self, texts: ShippedScores, tenant: Integers) -> Floats:
        """(texts, skills) that a coach of each text's tenant would start, or could well start, with a skill."""
        result: Floats = (
            self.words_factor * texts.words
            + texts.context
            + self.strictness
            + self.skill_offsets
            + self.tenant_offsets[tenant]
        )
        return result

    def touched(self, tenant: Integers) -> Booleans:
        """(texts, skills) where coaches of the text's tenant see the skill differently from the model."""
        result: Booleans = (self.skill_offsets != 0) | (self.tenant_offsets[tenant] != 0)
        return result

    def draw_grades(self, rng: np.random.Generator, log_odds: Floats) -> Integers:
        """Grades 0 to 3 such that 2 or 3 has exactly the chance of ``log_odds``: a cumulative logistic model."""
        latent = log_odds + rng.logistic(size=log_odds.shape)
        steps = self.grade_step * np.array([-1.0, 0.0, 1.0])
        result: Integers = (latent[..., None] > steps).sum(axis=-1).astype(np.int64)
        return result


def _some(rng: np.random.Generator, n: int, count: int, sd: float) -> Floats:
    """(n,) zeros but for ``count`` places drawn at random."""
    result = np.zeros(n)
    result[rng.permutation(n)[:count]] = rng.normal(0, sd, min(count, n))
    return result
