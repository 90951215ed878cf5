"""Writes a score table to CSV or Parquet, whole or not at all, with a hash a row so that nothing is taken twice."""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from recommender.errors import DataFileError
from recommender.exchange.file_formats import format_of, whole_file
from recommender.exchange.ranking_files import spreadsheet_safe
from recommender.exchange.raw_tables import object_array
from recommender.observations import scores as table

WRITTEN_COLUMNS = (*table.COLUMNS, *table.IMPORT_COLUMNS)
IDENTITY = (
    table.TENANT,
    table.TEACHER,
    table.VISIT,
    table.OBSERVED_ON,
    table.OBSERVER,
    table.INSTRUMENT,
    table.ITEM,
    table.SEGMENT,
)
"""The columns that say which score a row is: who saw whom, when, in which part of the lesson, by which item."""

_TYPES = {table.OBSERVED_ON: pa.date32(), table.VALUE: pa.float64(), table.SEGMENT: pa.int32()}
SCORE_SCHEMA = pa.schema([(column, _TYPES.get(column, pa.string())) for column in WRITTEN_COLUMNS])
"""The columns of a written score table."""

_FORMULA_STARTS = ("'=", "'+", "'-", "'@", "'\t", "'\r")


def row_hashes(scores: pd.DataFrame) -> list[str]:
    """SHA-256 (hex) of each row's identity and value; notes, schools and types do not change it."""
    return _hashes(scores, (*IDENTITY, table.VALUE))


def appended(existing: pd.DataFrame, new: pd.DataFrame) -> tuple[pd.DataFrame, int, int]:
    """Both tables in one, how many rows of ``new`` were there already, and how many were corrected.

    Both have row hashes. A row of ``existing`` whose identity ``new`` has with another value only is an earlier state
    of that score: it gives way. Appending the same rows again changes nothing.
    """
    is_known = new[table.SOURCE_ROW_HASH].isin(existing[table.SOURCE_ROW_HASH])
    identities = pd.Series(_hashes(existing, IDENTITY), index=existing.index, dtype=str)
    is_earlier = identities.isin(_hashes(new, IDENTITY)) & ~existing[table.SOURCE_ROW_HASH].isin(
        new[table.SOURCE_ROW_HASH]
    )
    together = pd.concat([existing[~is_earlier], new[~is_known]], ignore_index=True)
    return together, int(is_known.sum()), int(is_earlier.sum())


def _hashes(scores: pd.DataFrame, columns: Sequence[str]) -> list[str]:
    # The unit separator is a control character, which no cell holds.
    rows = zip(*(_texts(scores, column) for column in columns), strict=True)
    return [hashlib.sha256("\x1f".join(cells).encode()).hexdigest() for cells in rows]


def write_scores(scores: pd.DataFrame, path: Path) -> None:
    """Write a table that has every column of ``WRITTEN_COLUMNS``, in its row order.

    CSV is UTF-8 with dates as YYYY-MM-DD and numbers such that they read back exactly; a text that a spreadsheet would
    take for a formula is led by an apostrophe, which ``read_observations`` takes off again.

    Raises DataFileError for another suffix, a folder, or a path in no folder.
    """
    check_score_output(path)
    with whole_file(path) as stream:
        if format_of(path) == "parquet":
            columns = {column: scores[column] for column in WRITTEN_COLUMNS}
            pq.write_table(pa.Table.from_pandas(pd.DataFrame(columns), SCORE_SCHEMA, preserve_index=False), stream)
            return
        text = io.TextIOWrapper(stream, encoding="utf-8", newline="")
        rows = csv.writer(text)
        rows.writerow(WRITTEN_COLUMNS)
        rows.writerows(zip(*(_csv_cells(scores, column) for column in WRITTEN_COLUMNS), strict=True))
        text.detach()


def check_score_output(path: Path) -> None:
    """Refuse an output that is neither CSV nor Parquet. Raises DataFileError."""
    if format_of(path) == "json-lines":
        raise DataFileError("JSON Lines", wanted="an output .csv or .parquet", where=str(path))


def without_formula_guard(cell: str) -> str:
    """A CSV cell as it was before it was made safe for spreadsheets."""
    return cell[1:] if cell.startswith(_FORMULA_STARTS) else cell


def _csv_cells(scores: pd.DataFrame, column: str) -> list[Any]:
    if column in _TYPES:
        return _texts(scores, column)
    codes, distinct = pd.factorize(scores[column].to_numpy(dtype=object))
    return list(object_array([spreadsheet_safe(cell) for cell in distinct])[codes])


def _texts(scores: pd.DataFrame, column: str) -> list[str]:
    cells = scores[column]
    if column == table.OBSERVED_ON:
        return list(map(str, np.datetime_as_string(cells.to_numpy().astype("datetime64[D]"))))
    # repr of a float is the shortest text that reads back as the same number.
    return list(map(repr if column == table.VALUE else str, cells.tolist()))
