"""A case laid flat in one row of a CSV or Parquet file: its columns, and the way back to the contract's shape."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from recommender.errors import CaseError, DataFileError
from recommender.exchange.physical_lines import has_lone_surrogate

_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")
_WHOLE_NUMBER = re.compile(r"-?(0|[1-9][0-9]{0,17})")
# Spreadsheets rewrite true and false in capitals.
_TRUTH = {"true": True, "TRUE": True, "false": False, "FALSE": False}
_COLUMN_NAME = re.compile(r"[\w .:/()-]{1,60}")


def _text(cell: str) -> str:
    return cell


def _entries(cell: str) -> list[str]:
    return [entry.strip() for entry in cell.split(";") if entry.strip()]


def _number(cell: str) -> float:
    if not _NUMBER.fullmatch(cell):
        raise CaseError("text that is no number", wanted="a number such as 0.5")
    return float(cell)


def _whole_number(cell: str) -> int:
    if not _WHOLE_NUMBER.fullmatch(cell):
        raise CaseError("text that is no whole number", wanted="a whole number such as 30")
    return int(cell)


def _truth(cell: str) -> bool:
    if cell not in _TRUTH:
        raise CaseError("text that is neither true nor false", wanted="true or false")
    return _TRUTH[cell]


COLUMNS: dict[str, Callable[[str], object]] = {
    "case_id": _text,
    "teacher_id": _text,
    "struggle": _text,
    "context.grade_band": _text,
    "context.subject": _text,
    "context.career_stage": _text,
    "context.minutes_per_week": _whole_number,
    "context.interests": _entries,
    "context.mix": _number,
    "context.fit_minutes": _truth,
    "declined": _entries,
    "top": _whole_number,
}
"""Every column there is, with what makes a text cell its field's value; only ``case_id`` is required."""


def check_columns(names: Sequence[str], where: str) -> None:
    """Refuse a file whose columns are not those of a case.

    Raises DataFileError. Without ``case_id`` the first line may be a case and not the names, so nothing of it is said.
    """
    way_out = f"The first row names the columns, in any order: {', '.join(COLUMNS)}. CSV cells are parted by commas."
    if "case_id" not in names:
        raise DataFileError("no column case_id", wanted="a column case_id", way_out=way_out, where=where)
    for position, name in enumerate(names, start=1):
        if name not in COLUMNS:
            shown = repr(name) if _COLUMN_NAME.fullmatch(name) else f"number {position}"
            raise DataFileError(f"an unknown column {shown}", wanted="known columns", way_out=way_out, where=where)
    name, times = Counter(names).most_common(1)[0]
    if times > 1:
        raise DataFileError(f"the column {name} twice", wanted="every column once", where=where)


def nested_case(cells: Mapping[str, object]) -> dict[str, Any]:
    """The contract's shape of one flat row. Text is converted strictly; an empty cell leaves its field out.

    Raises CaseError; its ``where`` is the column.
    """
    case: dict[str, Any] = {}
    context: dict[str, Any] = {}
    for column, cell in cells.items():
        if cell is not None and cell != "":
            section, _, field = column.rpartition(".")
            (context if section else case)[field] = _value(column, cell)
    if context:
        case["context"] = context
    return case


def column_of(field: str) -> str:
    """The column a field of the nested case came from: ``declined`` for ``declined.0``."""
    return next((column for column in COLUMNS if field.startswith(f"{column}.")), field)


def _value(column: str, cell: object) -> object:
    convert = COLUMNS[column]
    if isinstance(cell, str):
        try:
            return convert(_well_formed(cell))
        except CaseError as error:
            raise CaseError(error.found, wanted=error.wanted, where=column) from None
    # Where a cell is absent, data frames store a column of whole numbers as floats.
    if isinstance(cell, float) and convert is _whole_number and cell.is_integer():
        return int(cell)
    return cell


def _well_formed(cell: str) -> str:
    if has_lone_surrogate(cell):
        raise CaseError("bytes that are not UTF-8", wanted="UTF-8; in a spreadsheet, save as CSV UTF-8")
    return cell
