"""The cells of a spreadsheet, saved as CSV or XLSX, row by row as a person sees them."""

from __future__ import annotations

import io
import re
import warnings
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from openpyxl import load_workbook

from recommender.errors import DataFileError
from recommender.exchange.csv_rows import csv_records
from recommender.exchange.file_formats import check_readable, empty_file
from recommender.exchange.rejects import Reject
from recommender.exchange.row_checks import CellProblem

# Above this a workbook is no longer something a person keeps by hand, and openpyxl holds all of it.
MAX_UNPACKED_BYTES = 300_000_000
MAX_SHEET_ROWS = 200_000

_ZEROS = re.compile(r"0+")
_NO_STORED_VALUE = CellProblem(
    "a formula without its stored value", "a value; open the file in a spreadsheet program and save it"
)
_ERROR_VALUE = CellProblem("a spreadsheet's error value", "a value")
_LOGICAL = CellProblem("true or false", "a number or a label")


class SheetRow(NamedTuple):
    """One row that is not blank; ``line`` counts from 1 and is the row number of a workbook."""

    line: int
    cells: list[Any]


def sheet_rows(path: Path, sheet: str | None = None) -> list[SheetRow | Reject]:
    """Every row of ``.csv`` (UTF-8 or Windows-1252, commas) or ``.xlsx`` that is not blank.

    ``sheet``: of a workbook, default the first.

    CSV cells are text. XLSX cells are text, numbers, dates or None, and a CellProblem where a value cannot be trusted;
    a merged cell holds its value everywhere it covers, and a number shown with leading zeros keeps them, as text.

    Raises DataFileError for a file that is neither, is damaged, empty or too large, or has no such sheet.
    """
    check_readable(path)
    suffix = path.suffix.lower()
    if suffix == ".csv":
        rows: list[SheetRow | Reject] = list(_csv_sheet(path))
    elif suffix == ".xlsx":
        rows = list(_workbook_sheet(path, sheet))
    else:
        raise DataFileError(f"the suffix {path.suffix!r}", wanted=".csv or .xlsx", where=str(path))
    if not rows:
        raise empty_file(str(path))
    return rows


def _csv_sheet(path: Path) -> Iterator[SheetRow | Reject]:
    text = _decoded(path)
    for record in csv_records(io.BytesIO(text.encode())):
        yield record if isinstance(record, Reject) else SheetRow(record.line, record.cells)


def _decoded(path: Path) -> str:
    content = path.read_bytes()
    for encoding in ("utf-8-sig", "cp1252"):
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            return text
    raise DataFileError(
        "text that is neither UTF-8 nor Windows-1252",
        wanted="CSV in one of them",
        way_out="In a spreadsheet program, save as CSV UTF-8.",
        where=str(path),
    )


def _workbook_sheet(path: Path, sheet: str | None) -> Iterator[SheetRow]:
    values, formulas = (_worksheet(path, sheet, data_only=data_only) for data_only in (True, False))
    covered = _merged_cells(values)
    for row in values.iter_rows():
        cells = []
        for cell in row:
            place = (cell.row, cell.column)
            seen = values.cell(*covered.get(place, place))
            cells.append(_shown(seen, formulas.cell(seen.row, seen.column)))
        if any(cell is not None and cell != "" for cell in cells):
            yield SheetRow(row[0].row, cells)


def _worksheet(path: Path, sheet: str | None, *, data_only: bool) -> Any:
    try:
        with zipfile.ZipFile(path) as parts:
            size = sum(part.file_size for part in parts.infolist())
        if size <= MAX_UNPACKED_BYTES:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                workbook = load_workbook(path, data_only=data_only)
    # A damaged workbook makes openpyxl raise whatever its parts run into.
    except Exception:
        raise DataFileError(
            "a file that is not XLSX or is damaged", wanted="a whole workbook", where=str(path)
        ) from None
    if size > MAX_UNPACKED_BYTES:
        raise DataFileError(f"a workbook of {size} bytes unpacked", wanted="a CSV file instead", where=str(path))
    if sheet is not None and sheet not in workbook.sheetnames:
        # Sheets may be called by teachers' names, so the others are not listed.
        wanted = f"the name of one of its {len(workbook.sheetnames)} sheets"
        raise DataFileError(f"no sheet {sheet!r}", wanted=wanted, where=str(path))
    found = workbook[sheet] if sheet is not None else next(iter(workbook.worksheets), None)
    if found is None or not hasattr(found, "iter_rows"):
        raise DataFileError("no sheet with cells", wanted="a sheet with cells", where=str(path))
    if found.max_row > MAX_SHEET_ROWS:
        raise DataFileError(
            f"a sheet of {found.max_row} rows",
            wanted=f"at most {MAX_SHEET_ROWS}",
            way_out="Delete the blank rows below the data, or save the sheet as CSV.",
            where=str(path),
        )
    return found


def _merged_cells(worksheet: Any) -> dict[tuple[int, int], tuple[int, int]]:
    """Every cell of a merged range -> the one that holds the range's value."""
    covered = {}
    for merged in worksheet.merged_cells.ranges:
        for row in range(merged.min_row, min(merged.max_row, worksheet.max_row) + 1):
            for column in range(merged.min_col, min(merged.max_col, worksheet.max_column) + 1):
                covered[row, column] = (merged.min_row, merged.min_col)
    return covered


def _shown(cell: Any, formula: Any) -> object:
    value = cell.value
    if value is None:
        return _NO_STORED_VALUE if formula.data_type == "f" else None
    if cell.data_type == "e":
        return _ERROR_VALUE
    if isinstance(value, bool):
        return _LOGICAL
    if isinstance(value, int) and _ZEROS.fullmatch(cell.number_format or ""):
        return str(value).zfill(len(cell.number_format))
    return value
