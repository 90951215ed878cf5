"""Reads who, whom, when and how off raw rows, column by column; a bad row becomes one reject and costs no other."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import partial
from typing import Any, get_args

import numpy as np
import pandas as pd

from recommender.errors import GrowthError, ScoreError
from recommender.exchange.physical_lines import has_lone_surrogate
from recommender.exchange.pseudonyms import Kind, Pseudonyms, person_likeness
from recommender.exchange.rejects import Reject
from recommender.observations import scores as table

LINE = "line"
"""The column of a raw table that holds the physical line a row starts on, for Parquet the row; both from 1."""

MAX_ID_CHARACTERS = 200
MAX_NOTE_CHARACTERS = 4_000
MAX_SEGMENT = 1_000
_VISIT_HEX = 12
# Exports write a missing date as 1900-01-01 or 1970-01-01.
EARLIEST = date(1990, 1, 1)

_ISO_DATE = re.compile(r"(\d{4}-\d{2}-\d{2})(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?: ?(?:Z|[+-]\d{2}:?\d{2}))?)?")
_WHOLE_NUMBER = re.compile(r"(\d{1,9})(?:\.0*)?")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
_KINDS: dict[str, Kind] = {table.TEACHER: "teacher", table.OBSERVER: "observer", table.SCHOOL: "school"}
_ID_COLUMNS = (table.TEACHER, table.VISIT, table.OBSERVER, table.TENANT, table.SCHOOL, table.SOURCE_SYSTEM)
_REQUIRED_IDS = (table.TEACHER, table.VISIT)

ParseDate = Callable[[object], date]


@dataclass(frozen=True, slots=True)
class CellProblem:
    """In place of a cell that could not be read: the row, or the score, it stands in is refused for it."""

    found: str
    wanted: str

    def error(self) -> ScoreError:
        """The error to refuse with."""
        return ScoreError(self.found, wanted=self.wanted)


@dataclass
class RowChecks:
    """Checks columns of one raw table; a row is refused for its first problem only.

    ``names``: column of the score table -> how the file calls it, for rejects.
    """

    lines: np.ndarray[Any, Any]
    names: Mapping[str, str] = field(default_factory=dict)
    rejects: list[Reject] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.is_good = np.ones(len(self.lines), dtype=bool)

    def read(self, column: str, raw: pd.DataFrame, parse: Callable[[Any], object]) -> np.ndarray[Any, Any]:
        """A column parsed, each distinct cell once; where ``parse`` raises GrowthError the row is refused.

        A column the raw table does not have reads as blank cells.
        """
        if column not in raw:
            return np.full(len(raw), parse(""), dtype=object)
        codes, distinct = pd.factorize(raw[column].to_numpy(dtype=object), use_na_sentinel=False)
        parsed = np.empty(len(distinct), dtype=object)
        problems: dict[int, GrowthError] = {}
        for position, cell in enumerate(distinct):
            try:
                parsed[position] = parse(cell)
            except GrowthError as error:
                problems[position] = error
        if problems:
            is_bad = np.zeros(len(distinct), dtype=bool)
            is_bad[list(problems)] = True
            shown = self.names.get(column, column)
            self.refuse(np.flatnonzero(is_bad[codes]), shown, lambda row: problems[int(codes[row])])
        return parsed[codes]

    def refuse(
        self, rows: np.ndarray[Any, Any], shown: str | np.ndarray[Any, Any], problem: Callable[[int], GrowthError]
    ) -> None:
        """Refuse those of ``rows`` that were good so far; ``shown``: the field of the rejects, or one for each row."""
        for row in rows[self.is_good[rows]].tolist():
            error = problem(row)
            name = shown if isinstance(shown, str) else str(shown[row])
            self.rejects.append(Reject(int(self.lines[row]), name, error.found, error.wanted))
        self.is_good[rows] = False


def check_rows(
    raw: pd.DataFrame,
    pseudonyms: Pseudonyms,
    names: Mapping[str, str] | None = None,
    parse_date: ParseDate | None = None,
    today: date | None = None,
) -> tuple[pd.DataFrame, list[Reject]]:
    """The good rows of a raw table with everything but instrument, item and value read, and the refused ones.

    ``raw`` has the column ``line`` and object columns of the score table as the file has them, "" for blank; its other
    columns and its index pass unchanged. A missing optional column is filled in, an empty observer is ``UNK``; without
    a column ``visit`` a visit is all that one observer saw of one teacher on one day.
    ``parse_date`` reads a date cell (default: ISO 8601); no date may be later than ``today`` (default: now).
    """
    checks = RowChecks(raw[LINE].to_numpy(), names or {})
    out: dict[str, Any] = {}
    for column in _ID_COLUMNS:
        if column not in raw and column in (table.VISIT, table.SOURCE_SYSTEM):
            continue
        parse = partial(read_id, column, pseudonyms=pseudonyms)
        out[column] = checks.read(column, raw, parse)
    read_day = partial(_read_day, parse=parse_date or iso_date, latest=today or date.today())
    days = checks.read(table.OBSERVED_ON, raw, read_day)
    for column, words in (
        (table.OBSERVATION_TYPE, get_args(table.ObservationType)),
        (table.OBSERVER_ROLE, [role for role in get_args(table.ObserverRole) if role]),
    ):
        out[column] = checks.read(column, raw, partial(_read_word, words=words))
    segments = checks.read(table.SEGMENT, raw, _read_segment)
    out[table.NOTE] = checks.read(table.NOTE, raw, _read_note)
    good = checks.is_good
    rows = raw.loc[good].copy()
    for column, cells in out.items():
        rows[column] = pd.Series(cells[good], index=rows.index, dtype=str)
    rows[table.OBSERVED_ON] = pd.Series(days[good].astype("datetime64[D]"), index=rows.index).astype("datetime64[ns]")
    rows[table.SEGMENT] = segments[good].astype("int64")
    if table.VISIT not in raw:
        rows[table.VISIT] = _made_visits(rows)
    return rows, checks.rejects


def read_id(column: str, cell: object, pseudonyms: Pseudonyms) -> str:
    """An identifier without outer white space; what looks like a person is replaced or refused (see Pseudonyms).

    Raises ScoreError for a missing one that is required, one that is too long or holds no plain text.
    """
    identity = plain_text(cell).strip()
    if not identity:
        if column in _REQUIRED_IDS:
            raise ScoreError("nothing", wanted="an id")
        return table.UNKNOWN_OBSERVER if column == table.OBSERVER else ""
    if len(identity) > MAX_ID_CHARACTERS:
        raise ScoreError(f"{len(identity)} characters", wanted=f"at most {MAX_ID_CHARACTERS}")
    kind = _KINDS.get(column)
    if kind is not None:
        return pseudonyms.safe(kind, identity)
    likeness = person_likeness(None, identity)
    if likeness is not None:
        raise ScoreError(f"what looks like {likeness}", wanted="an id that names no person")
    return identity


def iso_date(cell: object) -> date:
    """The day of a date or of ISO 8601 text, as written: a time of day and its zone are left out.

    Raises ScoreError for anything else and for a day no calendar has.
    """
    if isinstance(cell, datetime):
        return cell.date()
    if isinstance(cell, date):
        return cell
    text = plain_text(cell).strip()
    matched = _ISO_DATE.fullmatch(text)
    if not matched:
        raise ScoreError("text that is no date" if text else "nothing", wanted="a date written YYYY-MM-DD")
    try:
        return date.fromisoformat(matched[1])
    except ValueError:
        raise ScoreError("a day that no calendar has", wanted="a date written YYYY-MM-DD") from None


def tidy_note(text: str) -> str:
    """A note as an importer may keep it: without control characters, stray surrogates and outer white space."""
    whole = text.encode("utf-8", "ignore").decode()
    return _CONTROL.sub(" ", whole).strip()


def _made_visits(rows: pd.DataFrame) -> pd.Series[str]:
    parts = [rows[column].astype(str) for column in (table.TENANT, table.TEACHER, table.OBSERVED_ON, table.OBSERVER)]
    visits = [hashlib.sha256("\x1f".join(cells).encode()).hexdigest() for cells in zip(*parts, strict=True)]
    return pd.Series([f"v-{visit[:_VISIT_HEX]}" for visit in visits], index=rows.index, dtype=str)


def _read_day(cell: object, parse: ParseDate, latest: date) -> np.datetime64:
    day = parse(cell)
    if day > latest:
        raise ScoreError("a date later than today", wanted="the day of the observation")
    if day < EARLIEST:
        raise ScoreError(f"a date before {EARLIEST.year}", wanted="the day of the observation")
    return np.datetime64(day, "D")


def _read_word(cell: object, words: Sequence[str]) -> str:
    word = plain_text(cell).strip().casefold()
    if word and word not in words:
        raise ScoreError("another word", wanted=f"one of {', '.join(words)}")
    return word


def _read_segment(cell: object) -> int:
    text = plain_text(cell).strip()
    if not text:
        return 0
    matched = _WHOLE_NUMBER.fullmatch(text)
    if not matched or int(matched[1]) > MAX_SEGMENT:
        raise ScoreError("another value", wanted=f"a whole number from 0 to {MAX_SEGMENT}; 0 is the whole lesson")
    return int(matched[1])


def _read_note(cell: object) -> str:
    note = plain_text(cell)
    if len(note) > MAX_NOTE_CHARACTERS:
        raise ScoreError(f"{len(note)} characters", wanted=f"at most {MAX_NOTE_CHARACTERS}")
    return note


def plain_text(cell: object) -> str:
    """The text of a cell; a whole number has no point, because spreadsheets and data frames make floats of them.

    Raises ScoreError for text that is not well formed and for a cell that could not be read.
    """
    if isinstance(cell, str):
        if has_lone_surrogate(cell):
            raise ScoreError("bytes that are not UTF-8", wanted="UTF-8; in a spreadsheet, save as CSV UTF-8")
        if _CONTROL.search(cell):
            raise ScoreError("a control character", wanted="printable text")
        return cell
    if isinstance(cell, CellProblem):
        raise cell.error()
    if cell is None or cell != cell:
        return ""
    if isinstance(cell, (float, np.floating)) and float(cell).is_integer():
        return str(int(cell))
    return str(cell)
