"""Imports Teach scores as they are collected for videos: one row a clip, three header rows, columns by position."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

from recommender.catalogue.instrument import Instrument
from recommender.errors import DataFileError, ScoreError
from recommender.exchange.import_maps import TeachMap, instrument_of, read_map
from recommender.exchange.imported import Imported
from recommender.exchange.pseudonyms import Pseudonyms
from recommender.exchange.raw_tables import raw_table
from recommender.exchange.rejects import Reject
from recommender.exchange.row_checks import CellProblem, check_rows, plain_text
from recommender.exchange.sheet_rows import SheetRow, sheet_rows
from recommender.exchange.value_checks import instrument_score
from recommender.exchange.wide_scores import NOTES_CUT, ItemColumn, body, import_wide, short_notes
from recommender.observations import scores as table

HEADER_ROWS = 3
DOUBTED = "scores with a question mark, taken as they stand"

# route, school_clip, person; then the items; then the enumerator's comments.
_CLIP, _PERSON, _FIRST_ITEM = 1, 2, 3
_CLIP_NAME = re.compile(r"(.*\S)\s+clip\s*0*(\d{1,3})", re.IGNORECASE)
_CODE_LIKE = re.compile(r"[A-Za-z]{0,4}[ _-]?\d{1,9}")
_NAMES = {table.TEACHER: "school_clip", table.OBSERVER: "person", table.SEGMENT: "school_clip"}


def read(
    path: Path,
    instruments: Mapping[str, Instrument],
    mapping: Path,
    pseudonyms: Pseudonyms | None = None,
    today: date | None = None,
) -> Imported:
    """Import a CSV (UTF-8 or Windows-1252) of Teach clips; the YAML map says edition and day (see TeachMap).

    Columns are route, school_clip ("<school> Clip <n>"), person, the items in the instrument's own order, comments;
    a blank last column may follow. A school's clips are the segments of one lesson of one teacher, who has the
    school's id. ``person`` is the scorer: replaced where there is a pseudonym key, otherwise taken only when it is a
    code such as 7 or R07. "H?" is H, and counted; N/A and blank are no scores.

    Raises DataFileError for a file of another shape.
    """
    teach_map = read_map(mapping, TeachMap)
    instrument = instrument_of(teach_map.instrument, instruments, f"{mapping.name}: instrument")
    columns = [ItemColumn(_FIRST_ITEM + n, item.code, item.code) for n, item in enumerate(instrument.items)]
    rows = sheet_rows(path)
    comments = _FIRST_ITEM + len(columns)
    _check_header(rows, comments + 1, str(path))
    sheet = body(rows[HEADER_ROWS:], comments + 1)
    names = pseudonyms or Pseudonyms()
    clips = [_clip(cell) for cell in sheet.column(_CLIP)]
    notes, notes_cut = short_notes(sheet.column(comments))
    raw = raw_table(
        sheet.lines,
        {
            table.TEACHER: [school for school, _ in clips],
            table.SEGMENT: [number for _, number in clips],
            table.OBSERVER: [_scorer(cell, names) for cell in sheet.column(_PERSON)],
            table.OBSERVED_ON: [teach_map.observed_on] * len(clips),
            table.OBSERVATION_TYPE: [teach_map.observation_type] * len(clips),
            table.NOTE: notes,
        },
    )
    checked, rejects = check_rows(raw, names, _NAMES, today=today)
    checked[table.VISIT] = checked[table.TEACHER]
    doubted = sum(_is_doubted(sheet.cells[row][column.position]) for row in checked.index for column in columns)
    imported = import_wide(sheet, checked, rejects, columns, instrument, _read_value)
    imported.counts.update({DOUBTED: doubted} if doubted else {})
    imported.counts.update({NOTES_CUT: notes_cut} if notes_cut else {})
    return imported


def _check_header(rows: list[SheetRow | Reject], width: int, where: str) -> None:
    if len(rows) <= HEADER_ROWS:
        raise DataFileError(f"{len(rows)} rows", wanted=f"scores below {HEADER_ROWS} header rows", where=where)
    header = rows[:HEADER_ROWS]
    for row in header:
        if isinstance(row, Reject):
            raise DataFileError(row.found, wanted=f"{HEADER_ROWS} header rows", where=f"{where}: line {row.line}")
        if len(row.cells) > _CLIP and _CLIP_NAME.fullmatch(str(row.cells[_CLIP]).strip()):
            raise DataFileError("a clip", wanted=f"{HEADER_ROWS} header rows", where=f"{where}: line {row.line}")
    named = max(_named_width(row) for row in header if isinstance(row, SheetRow))
    if named != width:
        raise DataFileError(
            f"{named} columns",
            wanted=f"{width}: route, clip, person, the {width - _FIRST_ITEM - 1} items of the edition, comments",
            way_out="The map names the edition: `instrument: teach-primary-v1` or `teach-primary-2`.",
            where=where,
        )


def _named_width(row: SheetRow) -> int:
    return max((place for place, cell in enumerate(row.cells, 1) if cell is not None and str(cell).strip()), default=0)


def _clip(cell: object) -> tuple[object, object]:
    matched = _CLIP_NAME.fullmatch(str(cell).strip())
    if not matched:
        problem = CellProblem("another form" if str(cell).strip() else "nothing", 'a school and "Clip <n>"')
        return problem, problem
    return matched[1], matched[2]


def _scorer(cell: object, names: Pseudonyms) -> object:
    try:
        person = plain_text(cell).strip()
    except ScoreError as error:
        return CellProblem(error.found, error.wanted)
    if not person or (not names.has_key and _CODE_LIKE.fullmatch(person)):
        return person
    if names.has_key:
        return names.of("observer", person)
    return CellProblem("what may be a person's name", "a code such as R07, or a pseudonym key to make one")


def _is_doubted(cell: object) -> bool:
    return isinstance(cell, str) and cell.strip().endswith("?") and cell.strip() != "?"


def _read_value(instrument: Instrument, code: str, raw: Any) -> float | None:
    return instrument_score(instrument, code, raw.strip()[:-1] if _is_doubted(raw) else raw)
