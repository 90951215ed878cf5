"""One additive log-odds per skill from everything a case holds, as arrays over the catalogue."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, SerializerFunctionWrapHandler, model_serializer
from scipy.special import expit

from recommender.cases import Case, Context
from recommender.catalogue.loader import Catalogue
from recommender.catalogue.subjects import SUBJECTS
from recommender.ranking.observation_weights import Mix, ObservationWeights, Weights, need_effects
from recommender.ranking.observed import Observed
from recommender.struggles.text_model import TextEvidence

WEIGHTS_FILE = "fusion.json"

Array = npt.NDArray[np.float64]

# Without words, how much of the strongest observed effect a suggestion must have.
POINTED_SHARE = 0.5
# Written only where something was learned from use, so that other versions keep their bytes.
_LEARNED_FIELDS = ("skill_offsets", "tenant_offsets")


class FusionWeights(BaseModel):
    """Trained weights of the additive score.

    ``score = intercept + slope * (log-probability of the text) + context``. Slope and intercept calibrate the score to
    the log-odds that a coach would start, or could well start, with the skill (Platt scaling, fitted out of fold).
    Offsets learned from reviews and choices are added to that.
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
    prior_log_odds: dict[str, float]
    """Per skill, how likely a coach starts or could well start with it when nothing is known"""
    observations: ObservationWeights
    skill_offsets: dict[str, FiniteFloat] = {}
    """Per skill the log-odds that reviews and choices add for every tenant; 0 for skills left out"""
    tenant_offsets: dict[str, dict[str, FiniteFloat]] = {}
    """Per tenant and skill what is added beside that for the tenant's own cases"""

    @model_serializer(mode="wrap")
    def _without_empty(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        fields: dict[str, Any] = handler(self)
        return {name: value for name, value in fields.items() if value or name not in _LEARNED_FIELDS}

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
    items: tuple[tuple[str, str], ...]
    """(instrument id, item code) of the observed items"""
    item_effects: Array
    """(items, skills)"""
    note_clauses: list[str]
    note_effects: Array
    """(note clauses, skills)"""
    note_rest: Array
    """(skills,) what no phrase of a note carries"""
    interest: Array
    """(skills,)"""
    reviews: Array | None = None
    """(skills,) what earlier reviews and choices add; None where nothing was learned from any"""

    @property
    def score(self) -> Array:
        """(skills,) log-odds before constraints."""
        total: Array = self.prior + self.clause_effects.sum(axis=0) + self.subject + self.grade_band + self.observed
        return total if self.reviews is None else total + self.reviews

    @property
    def observed(self) -> Array:
        """(skills,) what observers saw and what the teacher is interested in; exactly 0 without observations."""
        total: Array = self.seen + self.interest
        return total

    def pointed_at(self) -> npt.NDArray[np.bool_]:
        """(skills,) where what observers saw speaks at least half as much as for the skill it speaks for most.

        Without words only these are suggested: others would be there for being popular or liked.
        """
        seen = self.seen
        most = float(seen.max(initial=0.0))
        pointed: npt.NDArray[np.bool_] = (seen > 0) & (seen >= POINTED_SHARE * most)
        return pointed

    @property
    def seen(self) -> Array:
        """(skills,) what observers saw alone."""
        total: Array = self.item_effects.sum(axis=0) + self.note_effects.sum(axis=0) + self.note_rest
        return total


class Fusion:
    """Joins words, observations and context for one catalogue."""

    def __init__(self, weights: FusionWeights, catalogue: Catalogue) -> None:
        self.weights = weights
        self._misfit_subject = {subject: _misfit_subject(catalogue, subject) for subject in SUBJECTS}
        self._misfit_band = {
            band: np.array([float(band not in skill.grade_bands) for skill in catalogue])
            for band in ("elementary", "middle", "high")
        }
        self._nothing = np.zeros(len(catalogue))
        self._prior = np.array([weights.prior_log_odds[skill.id] for skill in catalogue])
        self._domains = tuple(skill.domain for skill in catalogue)
        self._skills = catalogue.index
        self._reviews = self._offsets(weights.skill_offsets)

    def for_tenant(self, tenant: str) -> Fusion:
        """The same fusion with what one tenant's reviews taught beside what all reviews did."""
        own = self._offsets(self.weights.tenant_offsets.get(tenant, {}))
        shared = self._offsets(self.weights.skill_offsets)
        other = copy.copy(self)
        other._reviews = shared if own is None else own if shared is None else shared + own
        return other

    def _offsets(self, by_skill: Mapping[str, float]) -> Array | None:
        if not by_skill:
            return None
        offsets = np.zeros(len(self._skills))
        for skill_id, offset in by_skill.items():
            offsets[self._skills[skill_id]] = offset
        return offsets

    @property
    def prior_shares(self) -> Array:
        """(skills,) the prior as shares that sum to 1."""
        chance = expit(self._prior)
        shares: Array = chance / chance.sum()
        return shares

    def join(self, case: Case, text: TextEvidence | None, observed: Observed | None = None) -> Evidence:
        """The parts of every skill's score.

        ``text`` None: there are no words to go by. Without observations that count, the score is that of the words
        alone, whatever ``mix`` and ``interests`` say.
        """
        counting = observed if observed is not None and observed.counts else None
        if counting is None:
            parts = self._words(case, text, factor=1.0, share=1.0, intercept=0.0)
            return Evidence(**parts, **self._nothing_seen(), reviews=self._reviews)
        mix = Mix.of(case.context.mix) if text is not None else Mix(words=0.0, observations=1.0)
        weights = mix.blend(self.weights.observations)
        parts = self._words(case, text, factor=weights.words, share=mix.words, intercept=weights.intercept)
        return Evidence(**parts, **self._seen(case, counting, weights), reviews=self._reviews)

    def _words(
        self, case: Case, text: TextEvidence | None, *, factor: float, share: float, intercept: float
    ) -> dict[str, Any]:
        """Prior, phrases and context; ``share`` of them from the words, the rest from the skills' prior."""
        slope = self.weights.slope * factor * share
        prior = intercept + (1 - share) * self.weights.observations.alone.words * self._prior
        clauses: list[str] = []
        effects = np.zeros((0, len(self._prior)))
        if text is not None and share > 0:
            prior = prior + share * factor * self.weights.intercept + slope * text.base.astype(np.float64)
            clauses = [case.struggle[clause.start : clause.end] for clause in text.clauses]
            effects = slope * text.clause_effects.astype(np.float64)
        return {
            "prior": prior,
            "clauses": clauses,
            "clause_effects": effects,
            "subject": self.weights.other_subject * self.misfit_subject(case.context),
            "grade_band": self.weights.other_grade_band * self.misfit_grade_band(case.context),
        }

    def _seen(self, case: Case, observed: Observed, weights: Weights) -> dict[str, Any]:
        parts = self._nothing_seen()
        if observed.has_order and observed.needs is not None:
            parts["items"] = observed.needs.items
            parts["item_effects"] = need_effects(observed.needs, weights.need)
        if observed.notes:
            share = weights.note / len(observed.notes)
            parts["note_clauses"] = [clause for note in observed.notes for clause in note.clauses]
            parts["note_effects"] = share * np.concatenate([note.clause_effects for note in observed.notes])
            parts["note_rest"] = share * np.sum([note.base for note in observed.notes], axis=0)
        wanted = set(case.context.interests)
        parts["interest"] = weights.interest * np.array([float(domain in wanted) for domain in self._domains])
        return parts

    def _nothing_seen(self) -> dict[str, Any]:
        n_skills = len(self._prior)
        return {
            "items": (),
            "item_effects": np.zeros((0, n_skills)),
            "note_clauses": [],
            "note_effects": np.zeros((0, n_skills)),
            "note_rest": np.zeros(n_skills),
            "interest": np.zeros(n_skills),
        }

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
