"""Reads a score table from CSV, Parquet or rows: a bad row becomes a reject with line and column, the rest is kept."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from recommender.catalogue.instrument import Instrument
from recommender.errors import DataFileError
from recommender.exchange.csv_rows import csv_rows
from recommender.exchange.file_formats import check_readable, empty_file, format_of
from recommender.exchange.pseudonyms import Pseudonyms
from recommender.exchange.raw_tables import object_array, raw_table
from recommender.exchange.rejects import WHOLE_CASE, WHOLE_ROW, Reject, shown_field
from recommender.exchange.row_checks import CellProblem, check_rows
from recommender.exchange.score_files import without_formula_guard
from recommender.exchange.value_checks import check_values
from recommender.observations import scores as table

_READ_COLUMNS = (*table.COLUMNS, table.SOURCE_SYSTEM)
# Made anew whenever rows are written, so it is known and not read.
_KNOWN_COLUMNS = (*_READ_COLUMNS, table.SOURCE_ROW_HASH)

# Beyond this a float is no longer exact; no scale, and no id, needs it.
_LARGEST_NUMBER = 2**53


@dataclass(frozen=True)
class ObservationFile:
    """What a file of observation scores holds.

    ``scores``: the score table, in file order; ``rejects``: the refused rows, by line; ``unread_columns``: columns that
    are not those of the table (one whose name may be misplaced text is not repeated); ``rows``: rows read;
    ``not_scored``: rows whose value is blank or means "not scored", which are no mistake and in neither list.
    """

    scores: pd.DataFrame
    rejects: list[Reject]
    unread_columns: list[str]
    rows: int
    not_scored: int


def read_observations(
    path: Path | str,
    instruments: Mapping[str, Instrument],
    pseudonyms: Pseudonyms | None = None,
    today: date | None = None,
) -> ObservationFile:
    """Read ``.csv`` (UTF-8) or ``.parquet`` with the columns of recommender.observations.scores, in any order.

    Ids that look like a person are refused, or replaced where ``pseudonyms`` has a key. Values are numbers or level
    labels of their instrument. ``today`` (default: now) is the latest day an observation can have.

    Raises DataFileError when the path is missing, a folder, empty or of another suffix, when a required column is not
    there or one is there twice, and when the file is not what its suffix says.
    """
    path = Path(path)
    if format_of(path) == "json-lines":
        raise DataFileError("JSON Lines", wanted="observation scores as .csv or .parquet", where=str(path))
    check_readable(path)
    if path.suffix.lower() != ".csv":
        return _checked(*_parquet_table(path), str(path), instruments, pseudonyms, today)
    with path.open("rb") as stream:
        return read_observation_csv(stream, instruments, pseudonyms, today, str(path))


def read_observation_csv(
    stream: BinaryIO,
    instruments: Mapping[str, Instrument],
    pseudonyms: Pseudonyms | None = None,
    today: date | None = None,
    where: str = "CSV",
) -> ObservationFile:
    """Read an open CSV file, called ``where`` in errors; otherwise as ``read_observations``."""
    return _checked(*_csv_table(stream, where), where, instruments, pseudonyms, today)


def read_observation_rows(
    rows: Sequence[object],
    instruments: Mapping[str, Instrument],
    pseudonyms: Pseudonyms | None = None,
    today: date | None = None,
    where: str = "rows",
) -> ObservationFile:
    """Read rows as JSON has them, objects with the columns as names; otherwise as ``read_observations``.

    A reject's line is the row's place, from 1. A row that is no object, or has another name, is refused.
    """
    return _checked(*_object_table(rows), where, instruments, pseudonyms, today)


def _checked(
    raw: pd.DataFrame,
    broken: list[Reject],
    unread: list[str],
    where: str,
    instruments: Mapping[str, Instrument],
    pseudonyms: Pseudonyms | None,
    today: date | None,
) -> ObservationFile:
    if len(raw) + len(broken) == 0:
        raise empty_file(where)
    rows, row_rejects = check_rows(raw, pseudonyms or Pseudonyms(), today=today)
    scores, value_rejects, not_scored = check_values(rows, instruments)
    rejects = sorted([*broken, *row_rejects, *value_rejects], key=lambda reject: reject.line)
    return ObservationFile(scores, rejects, unread, len(raw) + len(broken), not_scored)


def check_columns(names: Sequence[str], where: str) -> None:
    """Refuse columns that cannot hold scores. Raises DataFileError; nothing of the names in the file is repeated."""
    way_out = f"The columns are {', '.join(table.REQUIRED_COLUMNS)}; optional: {', '.join(table.OPTIONAL_COLUMNS)}."
    for column in table.REQUIRED_COLUMNS:
        if column not in names:
            raise DataFileError(f"no column {column}", wanted=f"a column {column}", way_out=way_out, where=where)
    for column, times in Counter(names).items():
        if column in _KNOWN_COLUMNS and times > 1:
            raise DataFileError(f"the column {column} twice", wanted="every column once", where=where)


def _unread(names: Sequence[str]) -> list[str]:
    return [shown_field(name) for name in names if name not in _KNOWN_COLUMNS]


def _object_table(rows: Sequence[object]) -> tuple[pd.DataFrame, list[Reject], list[str]]:
    places: list[int] = []
    broken: list[Reject] = []
    cells: dict[str, list[object]] = {column: [] for column in _READ_COLUMNS}
    for place, row in enumerate(rows, start=1):
        if not isinstance(row, dict) or not row.keys() <= set(_KNOWN_COLUMNS):
            found = "a field of another name" if isinstance(row, dict) else "no object"
            broken.append(Reject(place, WHOLE_ROW, found, "an object with the columns of a score table only"))
            continue
        places.append(place)
        for column in _READ_COLUMNS:
            cells[column].append(_object_cell(row.get(column)))
    return raw_table(places, cells), broken, []


def _object_cell(cell: object) -> object:
    if cell is None:
        return ""
    if isinstance(cell, bool) or not isinstance(cell, str | int | float):
        return CellProblem(f"a value of type {type(cell).__name__}", "text or a number")
    if not isinstance(cell, str) and not abs(cell) <= _LARGEST_NUMBER:
        return CellProblem("a number out of all range", "text or a number")
    return cell


def _csv_table(stream: BinaryIO, where: str) -> tuple[pd.DataFrame, list[Reject], list[str]]:
    names: list[str] = []

    def take_columns(header: list[str]) -> None:
        check_columns(header, where)
        names.extend(header)

    lines: list[int] = []
    broken: list[Reject] = []
    cells: dict[str, list[str]] = {column: [] for column in _READ_COLUMNS}
    # Every distinct cell is kept once: a million rows hold few teachers, dates and items.
    kept: dict[str, str] = {}
    for row in csv_rows(stream, take_columns, where):
        if isinstance(row, Reject):
            broken.append(_of_scores(row))
            continue
        lines.append(row.line)
        for column, cell in row.content.items():
            if column in cells:
                known = kept.get(cell)
                if known is None:
                    known = kept[cell] = without_formula_guard(cell)
                cells[column].append(known)
    columns = {column: cells[column] for column in _READ_COLUMNS if column in names}
    return raw_table(lines, columns), broken, _unread(names)


def _of_scores(reject: Reject) -> Reject:
    field = WHOLE_ROW if reject.field == WHOLE_CASE else reject.field
    return replace(reject, field=field, wanted=reject.wanted.replace("one case a row", "one score a row"))


def _parquet_table(path: Path) -> tuple[pd.DataFrame, list[Reject], list[str]]:
    try:
        with pq.ParquetFile(path) as file:
            names = list(file.schema_arrow.names)
            check_columns(names, str(path))
            read = [column for column in _READ_COLUMNS if column in names]
            content = file.read(columns=read, use_threads=False)
            columns = {column: _parquet_cells(content.column(column), f"{path}: {column}") for column in read}
    except (pa.ArrowException, OSError, ValueError, OverflowError, KeyError):
        raise DataFileError(
            "a file that is not Parquet or is damaged",
            wanted="a whole Parquet file",
            way_out="Write it again, or give it the suffix of what it is.",
            where=str(path),
        ) from None
    return raw_table(range(1, content.num_rows + 1), columns), [], _unread(names)


def _parquet_cells(column: Any, where: str) -> np.ndarray[Any, Any]:
    """The cells as Python objects, "" where there is none; a true NaN stays one, to be refused as a value."""
    if pa.types.is_nested(column.type) or pa.types.is_binary(column.type) or pa.types.is_large_binary(column.type):
        raise DataFileError(f"a column of type {column.type}", wanted="text, numbers or dates", where=where)
    encoded = column.combine_chunks()
    if not pa.types.is_dictionary(encoded.type):
        encoded = encoded.dictionary_encode()
    distinct = [_plain_cell(cell) for cell in encoded.dictionary.to_pylist()]
    positions = encoded.indices.fill_null(len(distinct)).to_numpy(zero_copy_only=False)
    cells: np.ndarray[Any, Any] = object_array([*distinct, ""])[positions]
    return cells


def _plain_cell(cell: object) -> object:
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return str(cell)
    return float(cell) if isinstance(cell, Decimal) else cell
