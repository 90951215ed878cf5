"""The attribute file of the audit, `teacher,attribute,value`: read by nothing else, joined in memory, never stored."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from recommender.errors import DataFileError
from recommender.exchange.csv_rows import csv_rows
from recommender.exchange.file_formats import check_readable
from recommender.exchange.rejects import Reject

COLUMNS = ("teacher", "attribute", "value")
TEACHER, ATTRIBUTE, VALUE = COLUMNS
_LONGEST = 200


@dataclass(frozen=True)
class Attributes:
    """Attribute -> teacher -> value, both sorted, with the rows that were refused.

    Attributes that should be looked at together are written as one, such as `gender and stage`.
    """

    values: Mapping[str, Mapping[str, str]]
    rejects: tuple[Reject, ...] = ()

    @property
    def teachers(self) -> frozenset[str]:
        """Everyone the file names."""
        return frozenset(teacher for by_teacher in self.values.values() for teacher in by_teacher)


def read_attributes(path: Path) -> Attributes:
    """Read the file; a broken row is refused with its line and field and costs no other.

    A teacher has one value of an attribute: another one is refused. Raises DataFileError when the file is missing or
    empty, has other columns, or holds no usable row.
    """
    check_readable(path)
    values: dict[str, dict[str, str]] = {}
    rejects: list[Reject] = []
    with path.open("rb") as stream:
        for row in csv_rows(stream, lambda columns: _check_columns(columns, path), str(path)):
            if isinstance(row, Reject):
                rejects.append(row)
                continue
            cells = {column: str(row.content[column]).strip() for column in COLUMNS}
            problem = _problem(cells, values)
            if problem is not None:
                rejects.append(Reject(row.line, *problem))
                continue
            values.setdefault(cells[ATTRIBUTE], {})[cells[TEACHER]] = cells[VALUE]
    if not values:
        raise DataFileError("no usable row", wanted="one attribute of a teacher a row", where=str(path))
    return Attributes({name: dict(sorted(values[name].items())) for name in sorted(values)}, tuple(rejects))


def _check_columns(columns: list[str], path: Path) -> None:
    if sorted(columns) != sorted(COLUMNS):
        raise DataFileError("other columns", wanted=f"a first row {','.join(COLUMNS)}", where=str(path))


def _problem(cells: Mapping[str, str], values: Mapping[str, Mapping[str, str]]) -> tuple[str, str, str] | None:
    for column, cell in cells.items():
        if not cell or len(cell) > _LONGEST or not cell.isprintable():
            return column, "an empty, overlong or unprintable cell", f"1 to {_LONGEST} printable characters"
    known = values.get(cells[ATTRIBUTE], {}).get(cells[TEACHER])
    if known is not None and known != cells[VALUE]:
        return VALUE, "another value of the same attribute", "one value a teacher and attribute"
    return None
