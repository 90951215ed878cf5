"""Imports a research file with one row a teacher, video and rater, and a column for every item in every segment."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd

from recommender.catalogue.instrument import Instrument
from recommender.errors import DataFileError
from recommender.exchange.import_maps import SegmentMap, check_mapped, instrument_of, read_map
from recommender.exchange.imported import Imported
from recommender.exchange.pseudonyms import Pseudonyms
from recommender.exchange.raw_tables import raw_table
from recommender.exchange.rejects import Reject, shown_field
from recommender.exchange.row_checks import check_rows
from recommender.exchange.sheet_rows import sheet_rows
from recommender.exchange.value_checks import instrument_score
from recommender.exchange.wide_scores import (
    NOTES_CUT,
    ItemColumn,
    Sheet,
    body,
    date_reader,
    import_wide,
    mapped_cells,
    positions_of,
)
from recommender.observations import scores as table

MISSING_CODES = frozenset({9997.0, 9998.0, 9999.0})
DERIVED_COLUMNS = "derived columns"

_SEGMENT_COLUMN = re.compile(r"(.+)_S(\d{1,3})", re.IGNORECASE)
_HOLISTIC = re.compile(r"C?[A-Z]{2}0OV", re.IGNORECASE)
_REQUIRED = (table.TEACHER, table.VISIT)
_KIND = "research"


def read(
    path: Path,
    instruments: Mapping[str, Instrument],
    mapping: Path,
    pseudonyms: Pseudonyms | None = None,
    today: date | None = None,
) -> Imported:
    """Import a CSV whose score columns are ``C<item>_S<segment>``; the YAML map names the others (see SegmentMap).

    Blank, 9997, 9998 and 9999 are no scores. Holistic ``C<domain>0OV_S<segment>`` and items the instrument calls
    derived are dropped and counted. Where there is a tenant (a country), a rater's id is led by it: it is one person's
    only within the tenant.

    Raises DataFileError for a file or map that cannot be used, or that do not belong together.
    """
    segment_map = read_map(mapping, SegmentMap)
    instrument = instrument_of(segment_map.instrument, instruments, f"{mapping.name}: instrument")
    _check_map(segment_map, mapping.name)
    header, *below = sheet_rows(path)
    if isinstance(header, Reject):
        raise DataFileError(header.found, wanted="a first row that names the columns", where=str(path))
    names = [str(cell).strip() for cell in header.cells]
    ids = positions_of(segment_map.columns, names, str(path))
    columns, derived, unread = _score_columns(names, set(ids.values()), instrument, str(path))
    sheet = body(below, len(names))
    raw, notes_cut = _raw_rows(sheet, ids, segment_map)
    rows, rejects = check_rows(
        raw, pseudonyms or Pseudonyms(), segment_map.columns, date_reader(segment_map.dates), today
    )
    rows[table.OBSERVER] = _raters(rows)
    imported = import_wide(sheet, rows, rejects, columns, instrument, _read_value)
    imported.counts[DERIVED_COLUMNS] = derived
    imported.unread_columns.extend(unread)
    if notes_cut:
        imported.counts[NOTES_CUT] = notes_cut
    return imported


def _check_map(segment_map: SegmentMap, where: str) -> None:
    check_mapped(_REQUIRED, segment_map.columns, where)
    if (table.OBSERVED_ON in segment_map.columns) == (segment_map.observed_on is not None):
        raise DataFileError(
            "no day of observation" if segment_map.observed_on is None else "two of them",
            wanted="either a column for observed_on or one day for all rows: `observed_on: 2018-03-01`",
            where=where,
        )


def _score_columns(
    names: Sequence[str], taken: set[int], instrument: Instrument, where: str
) -> tuple[list[ItemColumn], int, list[str]]:
    by_code = {code.casefold(): item for code, item in instrument.by_code.items()}
    columns: dict[tuple[str, int | None], ItemColumn] = {}
    derived, unread = 0, []
    for position, name in enumerate(names):
        if position in taken:
            continue
        matched = _SEGMENT_COLUMN.fullmatch(name)
        code = matched[1].casefold() if matched else ""
        item = by_code.get(code[1:] if code.startswith("c") and code[1:] in by_code else code)
        if matched and ((item is not None and item.derived) or _HOLISTIC.fullmatch(matched[1])):
            derived += 1
        elif matched and item is not None:
            column = ItemColumn(position, name, item.code, int(matched[2]))
            if columns.setdefault((column.item, column.segment), column) is not column:
                raise DataFileError(f"{name!r} twice", wanted="every item and segment once", where=where)
        else:
            unread.append(shown_field(name))
    if not columns:
        raise DataFileError(
            "no column of scores", wanted=f"columns such as C{instrument.items[0].code}_S1", where=where
        )
    return list(columns.values()), derived, unread


def _raw_rows(sheet: Sheet, ids: Mapping[str, int], segment_map: SegmentMap) -> tuple[pd.DataFrame, int]:
    columns, notes_cut = mapped_cells(sheet, ids)
    if segment_map.observed_on is not None:
        columns[table.OBSERVED_ON] = [segment_map.observed_on] * len(sheet.lines)
    columns.setdefault(table.OBSERVATION_TYPE, [_KIND] * len(sheet.lines))
    return raw_table(sheet.lines, columns), notes_cut


def _raters(rows: pd.DataFrame) -> pd.Series[str]:
    is_local = (rows[table.TENANT] != "") & (rows[table.OBSERVER] != table.UNKNOWN_OBSERVER)
    return rows[table.OBSERVER].where(~is_local, rows[table.TENANT] + ":" + rows[table.OBSERVER])


def _read_value(instrument: Instrument, code: str, raw: Any) -> float | None:
    try:
        if not isinstance(raw, bool) and float(raw) in MISSING_CODES:
            return None
    except (TypeError, ValueError):
        pass
    return instrument_score(instrument, code, raw)
