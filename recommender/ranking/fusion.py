"""One additive log-odds per skill from everything a case holds, as arrays over the catalogue."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field

from recommender.cases import Case, Context
from recommender.catalogue.loader import Catalogue
from recommender.catalogue.subjects import SUBJECTS
from recommender.struggles.text_model import TextEvidence

WEIGHTS_FILE = "fusion.json"

Array = npt.NDArray[np.float64]


class FusionWeights(BaseModel):
    """Trained weights of the additive score.

    ``score = intercept + slope * (log-probability of the text) + context``. Slope and intercept calibrate the score to
    the log-odds that a coach would start, or could well start, with the skill (Platt scaling, fitted out of fold).
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    slope: Annotated[float, Field(gt=0)]
    intercept: float
    other_subject: float
    """Added to a skill made for certain subjects when the case names another one."""
    other_grade_band: float
    """Added to a skill that does not fit the case's grade band."""
    neighbour_spread: Annotated[float, Field(le=0)]
    """Added for each better-placed suggestion that is a neighbour of this skill, from the second one on."""
    strong: Annotated[float, Field(gt=0, lt=1)]
    """Probability from which a suggestion is called strong."""
    likely: Annotated[float, Field(gt=0, lt=1)]
    """Probability from which a suggestion is called likely."""

    @classmethod
    def load(cls, folder: Path) -> FusionWeights:
        """Read ``fusion.json``."""
        return cls.model_validate_json((folder / WEIGHTS_FILE).read_bytes())


@dataclass(frozen=True)
class Evidence:
    """The additive parts of every skill's score for one case; ``score`` is exactly their sum."""

    prior: Array
    """(skills,)"""
    clauses: list[str]
    clause_effects: Array
    """(clauses, skills)"""
    subject: Array
    """(skills,)"""
    grade_band: Array
    """(skills,)"""

    @property
    def score(self) -> Array:
        """(skills,) log-odds before constraints."""
        total: Array = self.prior + self.clause_effects.sum(axis=0) + self.subject + self.grade_band
        return total


class Fusion:
    """Joins text and context for one catalogue."""

    def __init__(self, weights: FusionWeights, catalogue: Catalogue) -> None:
        self.weights = weights
        self._misfit_subject = {subject: _misfit_subject(catalogue, subject) for subject in SUBJECTS}
        self._misfit_band = {
            band: np.array([float(band not in skill.grade_bands) for skill in catalogue])
            for band in ("elementary", "middle", "high")
        }
        self._nothing = np.zeros(len(catalogue))

    def join(self, case: Case, text: TextEvidence) -> Evidence:
        """The parts of every skill's score."""
        slope = self.weights.slope
        return Evidence(
            prior=self.weights.intercept + slope * text.base.astype(np.float64),
            clauses=[case.struggle[clause.start : clause.end] for clause in text.clauses],
            clause_effects=slope * text.clause_effects.astype(np.float64),
            subject=self.weights.other_subject * self.misfit_subject(case.context),
            grade_band=self.weights.other_grade_band * self.misfit_grade_band(case.context),
        )

    def misfit_subject(self, context: Context) -> Array:
        """(skills,) 1 where a skill is made for other subjects than the case's, else 0."""
        return self._misfit_subject[context.subject]

    def misfit_grade_band(self, context: Context) -> Array:
        """(skills,) 1 where a skill does not fit the case's grade band, else 0."""
        return self._misfit_band.get(context.grade_band, self._nothing)


# Subjects under whose roof any skill may be met: they tell nothing about a subject skill.
_OPEN_SUBJECTS = frozenset(
    {"unknown", "other", "special-education", "english-learners", "all-subjects", "homeroom", "library", "religion"}
)
# A reading skill is at home in an English lesson and the other way round.
_RELATED = {"english": {"reading", "writing"}, "reading": {"english", "writing"}, "writing": {"english", "reading"}}


def _misfit_subject(catalogue: Catalogue, subject: str) -> Array:
    if subject in _OPEN_SUBJECTS:
        return np.zeros(len(catalogue))
    fitting = {"any", subject, *_RELATED.get(subject, set())}
    return np.array([float(not fitting & set(skill.subjects)) for skill in catalogue])
