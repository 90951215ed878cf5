"""Imports a district's spreadsheet: one row an observation, one column an item, labels or numbers in the cells."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd

from recommender.catalogue.instrument import Instrument
from recommender.catalogue.raw_scores import fold_label
from recommender.errors import DataFileError
from recommender.exchange.import_maps import (
    SheetMap,
    check_items,
    check_mapped,
    folded,
    instrument_of,
    observation_kind,
    read_map,
)
from recommender.exchange.imported import Imported
from recommender.exchange.pseudonyms import Pseudonyms
from recommender.exchange.raw_tables import raw_table
from recommender.exchange.rejects import Reject
from recommender.exchange.row_checks import check_rows
from recommender.exchange.sheet_rows import SheetRow, sheet_rows
from recommender.exchange.value_checks import ReadValue, instrument_score
from recommender.exchange.wide_scores import (
    NOTES_CUT,
    ItemColumn,
    Sheet,
    body,
    date_reader,
    import_wide,
    is_blank,
    mapped_cells,
    positions_of,
)
from recommender.observations import scores as table

_REQUIRED = (table.TEACHER, table.OBSERVED_ON)


def read(
    path: Path,
    instruments: Mapping[str, Instrument],
    mapping: Path,
    pseudonyms: Pseudonyms | None = None,
    today: date | None = None,
) -> Imported:
    """Import ``.csv`` or ``.xlsx`` as the YAML map says (see SheetMap).

    A visit is the day and the value of the visit column, whose numbers start again every year; without one it is all
    that one observer saw of one teacher on one day. Rows without any mapped cell are skipped.

    Raises DataFileError for a file or map that cannot be used, or that do not belong together.
    """
    sheet_map = read_map(mapping, SheetMap)
    instrument = instrument_of(sheet_map.instrument, instruments, f"{mapping.name}: instrument")
    _check_map(sheet_map, instrument, mapping.name)
    rows = sheet_rows(path, sheet_map.sheet)
    header, below = _parted(rows, sheet_map.header_row, path)
    ids = positions_of(sheet_map.columns, header.cells, str(path))
    items = positions_of({name: name for name in sheet_map.items}, header.cells, str(path))
    columns = [ItemColumn(items[name], name, code) for name, code in sheet_map.items.items()]
    sheet = _used(body(below, len(header.cells)), [*ids.values(), *items.values()])
    raw, notes_cut = _raw_rows(sheet, ids, sheet_map)
    checked, rejects = check_rows(
        raw, pseudonyms or Pseudonyms(), sheet_map.columns, date_reader(sheet_map.dates), today
    )
    if table.VISIT in ids:
        checked[table.VISIT] = checked[table.OBSERVED_ON].dt.strftime("%Y-%m-%d") + "#" + checked[table.VISIT]
    imported = import_wide(sheet, checked, rejects, columns, instrument, label_reader(sheet_map.labels))
    if notes_cut:
        imported.counts[NOTES_CUT] = notes_cut
    return imported


def label_reader(labels: Mapping[str, float | None]) -> ReadValue:
    """Reads a cell by the labels of a map first, then as the instrument does."""
    by_label = folded(labels)

    def read_value(instrument: Instrument, code: str, raw: Any) -> float | None:
        if isinstance(raw, (str, int, float)) and not isinstance(raw, bool):
            label = fold_label(raw if isinstance(raw, str) else f"{raw:g}")
            if label in by_label:
                meaning = by_label[label]
                return None if meaning is None else instrument_score(instrument, code, meaning)
        return instrument_score(instrument, code, raw)

    return read_value


def _check_map(sheet_map: SheetMap, instrument: Instrument, where: str) -> None:
    check_mapped(_REQUIRED, sheet_map.columns, where)
    check_items(sheet_map.items, instrument, f"{where}: items")
    scales = [instrument.scale_of(code) for code in sheet_map.items.values()]
    for label, number in sheet_map.labels.items():
        if number is not None and not any(scale.min <= number <= scale.max for scale in scales):
            raise DataFileError(
                f"{number:g}, which no item's scale holds", wanted="a number on the scale", where=f"{where}: {label}"
            )


def _parted(rows: Sequence[SheetRow | Reject], header_row: int, path: Path) -> tuple[SheetRow, list[SheetRow | Reject]]:
    """The header and what is below; blank rows do not count."""
    if header_row > len(rows):
        raise DataFileError(f"{len(rows)} rows", wanted=f"a header in row {header_row}", where=str(path))
    header = rows[header_row - 1]
    if isinstance(header, Reject):
        raise DataFileError(header.found, wanted="a row that names the columns", where=str(path))
    return header, list(rows[header_row:])


def _used(sheet: Sheet, positions: Sequence[int]) -> Sheet:
    """The sheet without rows that are blank in every mapped column, such as notes below the table."""
    used = [number for number, row in enumerate(sheet.cells) if not all(is_blank(row[place]) for place in positions)]
    return Sheet([sheet.lines[each] for each in used], [sheet.cells[each] for each in used], sheet.rejects)


def _raw_rows(sheet: Sheet, ids: Mapping[str, int], sheet_map: SheetMap) -> tuple[pd.DataFrame, int]:
    columns, notes_cut = mapped_cells(sheet, ids)
    if table.OBSERVATION_TYPE in columns:
        words = folded(sheet_map.observation_types)
        columns[table.OBSERVATION_TYPE] = [observation_kind(cell, words) for cell in columns[table.OBSERVATION_TYPE]]
    return raw_table(sheet.lines, columns), notes_cut
