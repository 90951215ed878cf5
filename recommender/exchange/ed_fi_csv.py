"""Ed-Fi rating CSV with the columns of the starter kit's import template; one row is one rating."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import BinaryIO, NamedTuple

from recommender.errors import DataFileError
from recommender.exchange.csv_rows import csv_rows
from recommender.exchange.ed_fi_trees import RESULTS, Found, Tree, field_name
from recommender.exchange.rejects import Reject

_ELEMENT = "evaluationelementtitle"
_PERSON = "personid"
_RATING = "rating"
_RESULT_FIELDS = (_RATING, "ratingresulttitle", "resultdatatypetype")
_READ_FIELDS = frozenset(
    [
        *_RESULT_FIELDS,
        *(_PERSON, _ELEMENT, "evaluationobjectivetitle", "evaluationdate", "sourcesystem", "educationorganizationid"),
        *("evaluationtitle", "performanceevaluationtitle", "performanceevaluationtype", "evaluationperiod", "term"),
        *("schoolyear", "minrating", "maxrating", "evaluationelementratinglevel"),
        *("areaofrefinement", "areaofreinforcement", "comments", "feedback"),
    ]
)
_WANTED_COLUMNS = "the columns of the Ed-Fi rating template, PersonId and Rating among them"
_NUMBERED = re.compile(r"(.*?)([0-9]{0,2})")


class _Column(NamedTuple):
    """The field a column holds and, for a field of a result, the number of the result."""

    name: str
    number: str


def template_records(stream: BinaryIO, where: str) -> Iterator[Found | Reject]:
    """Every row, in file order: an element rating, or a derived rating where no column names an element.

    Column names are read without regard to case; results may be numbered (Rating1, Rating2 ...). Columns of other
    names are not read.

    Raises DataFileError when the first row lacks the columns of a rating.
    """
    columns: dict[str, _Column] = {}

    def check_columns(header: list[str]) -> None:
        columns.update((written, _column(written)) for written in header if _column(written).name in _READ_FIELDS)
        names = {column.name for column in columns.values()}
        missing = [title for title, name in (("PersonId", _PERSON), ("Rating", _RATING)) if name not in names]
        if missing:
            raise DataFileError(f"no column {' and no column '.join(missing)}", wanted=_WANTED_COLUMNS, where=where)
        read = [column for column in map(_column, header) if column.name in _READ_FIELDS]
        if len(set(read)) < len(read):
            raise DataFileError("a column that is there twice", wanted="every column once", where=where)

    for row in csv_rows(stream, check_columns, where):
        if isinstance(row, Reject):
            yield row
            continue
        has_element = any(column.name == _ELEMENT for column in columns.values())
        tree = _tree((column, row.content[written]) for written, column in columns.items())
        yield "element rating" if has_element else "derived rating", row.line, tree


def _column(written: str) -> _Column:
    name = field_name(written.strip())
    match = _NUMBERED.fullmatch(name)
    stem = field_name(match.group(1)) if match else name
    return _Column(stem, match.group(2)) if match and stem in _RESULT_FIELDS else _Column(name, "")


def _tree(cells: Iterable[tuple[_Column, str]]) -> Tree:
    tree: Tree = {}
    results: dict[str, Tree] = {}
    for column, cell in cells:
        target = results.setdefault(column.number, {}) if column.name in _RESULT_FIELDS else tree
        target.setdefault(column.name, []).append(cell)
    tree[RESULTS] = list(results.values())
    return tree
