"""What observers saw of a case's teacher: scores as a table, needs from them, notes through the text model."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from recommender.cases import Case, Observation
from recommender.catalogue.instrument import Instrument
from recommender.catalogue.instruments import Instruments
from recommender.catalogue.raw_scores import fold_label
from recommender.errors import CaseError, ScoreError
from recommender.observations import scores as columns
from recommender.observations.teacher_needs import NeedReader, TeacherNeeds

Array = npt.NDArray[np.float64]

# The newest notes are read, and no more than these: each costs as much time as a struggle.
MAX_NOTES = 8


@dataclass(frozen=True)
class ReadNote:
    """One observer's note through the text model, in log-odds against what any note would say."""

    clauses: list[str]
    clause_effects: Array
    """(clauses, skills)"""
    base: Array
    """(skills,) the part no phrase carries"""


@dataclass(frozen=True)
class Observed:
    """Needs and notes of one case; ``needs`` is None where the scores give no order."""

    needs: TeacherNeeds | None
    notes: list[ReadNote]

    @property
    def counts(self) -> bool:
        """Whether anything here can move a skill."""
        return bool(self.notes) or self.has_order

    @property
    def has_order(self) -> bool:
        """Whether the scores tell the teacher's items apart, and the items speak for skills."""
        return self.needs is not None and self.needs.gives_order and bool(self.needs.shares.any())


@dataclass(frozen=True)
class ItemNeed:
    """The need on one item: positive is more room to grow than on the teacher's other items, in own-normed SD units."""

    instrument: str
    item: str
    need: float
    sd: float
    visits: int


def item_needs(needs: TeacherNeeds | None) -> list[ItemNeed]:
    """Need, SD and number of visits of each item scored, in the instruments' order; empty without scores."""
    if needs is None:
        return []
    sds = np.sqrt(np.diagonal(needs.covariance))
    return [
        ItemNeed(instrument, code, float(need), float(sd), visits)
        for (instrument, code), need, sd, visits in zip(needs.items, needs.need, sds, needs.visits, strict=True)
    ]


def case_scores(case: Case, instruments: Instruments, tenant: str = "") -> pd.DataFrame:
    """The score table of a case's own observations; labels become numbers and "not scored" stays out.

    A row that is not scored but has a note stays with an empty value, so that the note is read. Without a visit, scores
    of one day by one observer are one visit. ``tenant`` names the norms they are read with. Raises CaseError naming the
    observation and field of an unknown instrument, item or label, and of a score outside the scale.
    """
    values = observed_values(case, instruments)
    rows = [
        _row(case, observation, value)
        for observation, value in zip(case.observations, values, strict=True)
        if value is not None or observation.note
    ]
    if not rows:
        return columns.empty_scores()
    frame = pd.DataFrame(rows).assign(**{columns.TENANT: tenant})
    frame[columns.OBSERVED_ON] = pd.to_datetime(frame[columns.OBSERVED_ON])
    return frame


def observed_values(case: Case, instruments: Instruments) -> list[float | None]:
    """The number of each observation, None where it says "not scored". Raises CaseError as ``case_scores`` does."""
    return [
        _value(observation, instruments, f"observations.{position}")
        for position, observation in enumerate(case.observations)
    ]


def _value(observation: Observation, instruments: Instruments, where: str) -> float | None:
    instrument = instruments.get(observation.instrument)
    if instrument is None:
        raise CaseError(
            "an unknown instrument",
            wanted="an instrument that is known here",
            way_out="`growth instruments list` shows the shipped ones.",
            where=f"{where}.instrument",
        )
    if observation.item not in instrument.by_code:
        raise CaseError("an unknown item", wanted=f"an item of {instrument.id}", where=f"{where}.item")
    if isinstance(observation.value, str) and not _is_label(instrument, observation.item, observation.value):
        labels = instrument.labels_of(observation.item)
        wanted = f"a number or one of {', '.join(labels)}" if labels else "a number"
        raise CaseError("a text that is no level label", wanted=wanted, where=f"{where}.value")
    try:
        return instrument.score(observation.item, observation.value)
    except ScoreError as error:
        raise CaseError("a value that is no score", wanted=error.wanted, where=f"{where}.value") from None


def _is_label(instrument: Instrument, item: str, text: str) -> bool:
    return fold_label(text) in {fold_label(label) for label in instrument.labels_of(item)}


def _row(case: Case, observation: Observation, value: float | None) -> dict[str, object]:
    observer = observation.observer or columns.UNKNOWN_OBSERVER
    return {
        columns.TEACHER: case.teacher_id or case.case_id,
        columns.VISIT: observation.visit or f"{observation.observed_on.isoformat()} {observer}",
        columns.OBSERVED_ON: observation.observed_on,
        columns.OBSERVER: observer,
        columns.INSTRUMENT: observation.instrument,
        columns.ITEM: observation.item,
        columns.VALUE: np.nan if value is None else value,
        columns.SCHOOL: "",
        columns.SEGMENT: observation.segment,
        columns.OBSERVATION_TYPE: "",
        columns.OBSERVER_ROLE: "",
        columns.NOTE: observation.note or "",
    }


def together(case: Case, own: pd.DataFrame, joined: pd.DataFrame | None) -> pd.DataFrame:
    """A case's own scores and those a file has of its teacher, as one teacher's.

    A score that stands in both counts once, but the note beside either is kept; the joined ones keep their tenant,
    which the own ones then take.
    """
    if joined is None or joined.empty:
        return own
    joined = joined.assign(**{columns.TEACHER: case.teacher_id or case.case_id})
    if own.empty:
        return joined
    own = own.assign(**{columns.TENANT: joined[columns.TENANT].iloc[0]})
    key = [columns.VISIT, columns.OBSERVED_ON, columns.OBSERVER, columns.INSTRUMENT, columns.ITEM, columns.SEGMENT]
    stands_in_both = pd.MultiIndex.from_frame(own[key]).isin(pd.MultiIndex.from_frame(joined[key]))
    own[columns.VALUE] = own[columns.VALUE].mask(stands_in_both)
    return pd.concat([joined, own], ignore_index=True)


def newest_notes(scores: pd.DataFrame) -> list[str]:
    """Different notes, newest first, at most ``MAX_NOTES``; a note that stands beside several items counts once."""
    if scores.empty:
        return []
    ordered = scores.sort_values(columns.OBSERVED_ON, ascending=False, kind="stable")
    texts = (str(note).strip() for note in ordered[columns.NOTE])
    return list(dict.fromkeys(text for text in texts if text))[:MAX_NOTES]


def read_needs(scores: pd.DataFrame, reader: NeedReader) -> TeacherNeeds | None:
    """Needs of the one teacher of a score table, None without an observed score."""
    return None if scores.empty else reader.read(scores)


def item_label(instruments: Instruments, item: tuple[str, str]) -> str:
    """Our own short name of an item, without the rubric's code, which tells a teacher nothing."""
    name, code = item
    return instruments[name].by_code[code].label
