"""Ed-Fi element ratings to rows of the score table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, NamedTuple

import pandas as pd

from recommender.catalogue.instrument import Instrument
from recommender.catalogue.raw_scores import fold_label
from recommender.errors import ScoreError
from recommender.exchange.ed_fi_items import EvaluationTitles, ItemFinder
from recommender.exchange.ed_fi_levels import score_of
from recommender.exchange.ed_fi_mapping import ElementMapping
from recommender.exchange.ed_fi_records import Element, ElementRating, ElementScale, Evaluation, Place, Review
from recommender.exchange.ed_fi_visits import ObservationTypes, Observers, visit_of
from recommender.exchange.imported import NOT_SCORED, ROWS
from recommender.exchange.pseudonyms import Pseudonyms, redacted
from recommender.exchange.rejects import Reject
from recommender.exchange.row_checks import LINE, MAX_NOTE_CHARACTERS, check_rows, tidy_note
from recommender.exchange.score_files import row_hashes
from recommender.observations import scores as table

SOURCE = "ed-fi"
DERIVED = "left out: ratings of objectives and whole evaluations"
OTHER_TYPES = "left out: evaluation types that are no observation"
RESCALED = "rescaled to the instrument's scale"
SHARED = "observer unknown: several reviewers"

# What a reject calls a column of the score table: the field of the file.
_FIELDS = {
    table.TEACHER: "personId",
    table.OBSERVED_ON: "evaluationDate",
    table.OBSERVER: "reviewerPersonReference.personId",
}
_TYPE_FIELD = "performanceEvaluationTypeDescriptor"
_SOURCE_FIELD = "sourceSystemDescriptor"
_RAW_COLUMNS = (
    table.TEACHER,
    table.VISIT,
    table.OBSERVED_ON,
    table.OBSERVER,
    table.OBSERVATION_TYPE,
    table.OBSERVER_ROLE,
    table.NOTE,
    table.SOURCE_SYSTEM,
)


@dataclass
class Records:
    """Everything read of the files of one import, in file order."""

    ratings: list[ElementRating] = field(default_factory=list)
    elements: list[Element] = field(default_factory=list)
    reviews: list[Review] = field(default_factory=list)
    derived: int = 0


class ScoreRows(NamedTuple):
    """The score table, the rejects with their places, and the counts."""

    scores: pd.DataFrame
    rejects: list[tuple[Place, Reject]]
    counts: dict[str, int]


def score_rows(
    records: Records,
    instruments: Mapping[str, Instrument],
    mapping: ElementMapping | None,
    pseudonyms: Pseudonyms,
    today: date,
) -> ScoreRows:
    """Every element rating as a row, a reject or a count; no date may be later than ``today``."""
    refused = _Refused(records.ratings)
    counts = Counter({ROWS: len(records.ratings), DERIVED: records.derived})
    counts.update(dict.fromkeys((NOT_SCORED, OTHER_TYPES, RESCALED, SHARED), 0))
    raw = pd.DataFrame(
        _raw_rows(records, ObservationTypes(mapping), refused, counts), columns=[LINE, *_RAW_COLUMNS], dtype=object
    )
    rows, rejects = check_rows(raw, pseudonyms, names=_FIELDS, today=today)
    for reject in rejects:
        refused.add(reject.line, reject.field, reject.found, reject.wanted)
    scored = _scored(records, rows[LINE].tolist(), instruments, mapping, refused, counts)
    return ScoreRows(_finished(rows, scored), refused.rejects, dict(counts))


class _Scored(NamedTuple):
    """The score of one rating."""

    instrument: str
    item: str
    value: float


class _Refused:
    """Rejects by the position of the rating they refuse."""

    def __init__(self, ratings: list[ElementRating]) -> None:
        self._ratings = ratings
        self.rejects: list[tuple[Place, Reject]] = []

    def add(self, position: int, name: str, found: str, wanted: str) -> None:
        place = self._ratings[position].place
        self.rejects.append((place, Reject(place.line, name, found, wanted)))


def _raw_rows(
    records: Records, types: ObservationTypes, refused: _Refused, counts: Counter[str]
) -> list[tuple[Any, ...]]:
    """One raw row for each rating that is an observation or a self-rating; ``line`` is its position."""
    observers = Observers(records.reviews)
    sources: dict[str, str] = {}
    rows: list[tuple[Any, ...]] = []
    for position, rating in enumerate(records.ratings):
        kind = types.of(rating.evaluation)
        if not rating.evaluation.kind:
            refused.add(position, _TYPE_FIELD, "nothing", "the type of the performance evaluation")
        elif kind is None:
            counts[OTHER_TYPES] += 1
        elif rating.person and sources.setdefault(rating.person, rating.source_system) != rating.source_system:
            wanted = "ids of one source system; import the other apart, with pseudonyms of its own"
            refused.add(position, _SOURCE_FIELD, "an id that two source systems use", wanted)
        else:
            observer = observers.of(rating)
            counts[SHARED] += observer.is_shared
            is_self = kind == "self" or observer.person == rating.person
            seen_by = rating.person if is_self else observer.person
            role = "self" if is_self else ""
            source = f"{SOURCE} {rating.source_system}".strip()
            who = (rating.person, visit_of(rating), rating.date, seen_by)
            rows.append((position, *who, kind, role, _note(rating.note), source))
    return rows


def _scored(
    records: Records,
    positions: Iterable[int],
    instruments: Mapping[str, Instrument],
    mapping: ElementMapping | None,
    refused: _Refused,
    counts: Counter[str],
) -> dict[int, _Scored]:
    """Position of a rating -> its score, for those that have one."""
    finder = ItemFinder(instruments, _titles(records), mapping)
    scales = {_element_key(each.evaluation, each.objective, each.title): each.scale for each in records.elements}
    scored: dict[int, _Scored] = {}
    for position in positions:
        rating = records.ratings[position]
        defined = scales.get(_element_key(rating.evaluation, rating.objective, rating.element))
        try:
            instrument, item = finder.item(_evaluation_titles(rating.evaluation), rating.element)
            scale = rating.scale or defined or ElementScale()
            value = score_of(rating.results, rating.level, scale, instruments[instrument], item)
        except ScoreError as error:
            refused.add(position, error.where, error.found, error.wanted)
            continue
        if value is None:
            counts[NOT_SCORED] += 1
            continue
        counts[RESCALED] += value.rescaled
        scored[position] = _Scored(instrument, item, value.number)
    return scored


def _finished(rows: pd.DataFrame, scored: Mapping[int, _Scored]) -> pd.DataFrame:
    kept = rows[rows[LINE].isin(list(scored))].reset_index(drop=True)
    found = [scored[position] for position in kept[LINE]]
    kept[table.INSTRUMENT] = pd.Series([each.instrument for each in found], dtype=str)
    kept[table.ITEM] = pd.Series([each.item for each in found], dtype=str)
    kept[table.VALUE] = pd.Series([each.value for each in found], dtype="float64")
    kept[table.SOURCE_SYSTEM] = kept[table.SOURCE_SYSTEM].astype(str)
    kept[table.SOURCE_ROW_HASH] = pd.Series(row_hashes(kept), dtype=str)
    return kept[[*table.COLUMNS, *table.IMPORT_COLUMNS]]


def _titles(records: Records) -> dict[EvaluationTitles, set[str]]:
    titles: dict[EvaluationTitles, set[str]] = {}
    for evaluation, element in _all_elements(records):
        titles.setdefault(_evaluation_titles(evaluation), set()).add(element)
    return titles


def _all_elements(records: Records) -> Iterator[tuple[Evaluation, str]]:
    yield from ((each.evaluation, each.title) for each in records.elements)
    yield from ((each.evaluation, each.element) for each in records.ratings)


def _evaluation_titles(evaluation: Evaluation) -> EvaluationTitles:
    return evaluation.title, evaluation.performance_title


def _element_key(evaluation: Evaluation, objective: str, element: str) -> tuple[Evaluation, str, str]:
    return evaluation, fold_label(objective), fold_label(element)


def _note(text: str) -> str:
    note = redacted(tidy_note(text))
    return note if len(note) <= MAX_NOTE_CHARACTERS else f"{note[: MAX_NOTE_CHARACTERS - 1]}…"
