"""Which lesson an Ed-Fi rating speaks of, what kind of observation it was, and who saw it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from recommender.errors import ScoreError
from recommender.exchange.ed_fi_mapping import ElementMapping
from recommender.exchange.ed_fi_records import ElementRating, Evaluation, Review
from recommender.exchange.ed_fi_trees import descriptor_code
from recommender.exchange.row_checks import iso_date
from recommender.observations.scores import ObservationType

# The standard's performance evaluation types, and the short forms of the starter kit's own data.
_TYPES: Mapping[str, ObservationType] = {
    "walkthrough": "walkthrough",
    "informal observation": "informal",
    "informal obs": "informal",
    "formal observation": "formal",
    "formal obs": "formal",
    "formal evaluation": "formal",
    "formal eval": "formal",
}
_SELF_RATING = ("self-rating", "self rating")
_VISIT_DIGITS = 16

_PersonKey = tuple[Evaluation, str, str, str]


class ObservationTypes:
    """The observation type of a performance evaluation; a mapping file may add a district's own."""

    def __init__(self, mapping: ElementMapping | None) -> None:
        self._types = dict(_TYPES)
        if mapping is not None:
            self._types.update((descriptor_code(name), kind) for name, kind in mapping.observation_types.items())

    def of(self, evaluation: Evaluation) -> ObservationType | None:
        """The type; None for student surveys, student work and whatever else is no observation."""
        known = self._types.get(evaluation.kind)
        return "self" if known is None and evaluation.kind.endswith(_SELF_RATING) else known


class Observer(NamedTuple):
    """Who saw a lesson: an id, "" when unknown; ``is_shared`` when it is unknown because several rated together."""

    person: str
    is_shared: bool


class Observers:
    """Who rated, by the reviewers of the evaluation rating or else of the performance evaluation rating.

    Only a reviewer's person id is taken, never a name.
    """

    def __init__(self, reviews: Iterable[Review]) -> None:
        self._reviewers: dict[_PersonKey, set[str]] = {}
        for review in reviews:
            key = _person_key(review.evaluation, review.whole, review.person, review.source_system, review.date)
            self._reviewers.setdefault(key, set()).update(review.reviewers)

    def of(self, rating: ElementRating) -> Observer:
        """The observer of a rating. Of several, none is named: a severity belongs to one person."""
        for whole in (False, True):
            key = _person_key(rating.evaluation, whole, rating.person, rating.source_system, rating.date)
            reviewers = self._reviewers.get(key, set())
            if reviewers:
                return Observer(next(iter(reviewers)), False) if len(reviewers) == 1 else Observer("", True)
        return Observer("", False)


def visit_of(rating: ElementRating) -> str:
    """A short hash of what tells visits apart in Ed-Fi: performance evaluation, period, term, year and day.

    It is one lesson only together with the teacher's id.
    """
    evaluation = rating.evaluation
    parts = (evaluation.performance_title, evaluation.period, evaluation.term, evaluation.school_year)
    content = "\x1f".join((*parts, _day(rating.date)))
    return hashlib.sha256(content.encode()).hexdigest()[:_VISIT_DIGITS]


def _person_key(evaluation: Evaluation, whole: bool, person: str, source_system: str, written: str) -> _PersonKey:
    if whole:
        return evaluation._replace(title=""), person, source_system, ""
    return evaluation, person, source_system, _day(written)


def _day(written: str) -> str:
    """The day of a date however its time is written; what is no date stays as it is, for its own check."""
    try:
        return iso_date(written).isoformat()
    except ScoreError:
        return written
