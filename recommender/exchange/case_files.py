"""Reads cases from JSON Lines, CSV or Parquet, one at a time; a bad row becomes a reject and never costs a good one."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from recommender.cases import Case, describe_problem
from recommender.errors import CaseError
from recommender.exchange.csv_rows import csv_rows
from recommender.exchange.file_formats import STANDARD_STREAM, check_readable, empty_file, format_of
from recommender.exchange.flat_cases import check_columns, column_of, nested_case
from recommender.exchange.json_lines import json_rows
from recommender.exchange.parquet_rows import parquet_rows
from recommender.exchange.rejects import WHOLE_CASE, Reject, Row, shown_field

# observations.0.value; what pydantic adds beyond names the kind of value it tried.
_DEEPEST_FIELD = 3


def read_cases(path: Path | str, check: Callable[[Case], object] | None = None) -> Iterator[Case | Reject]:
    """Every row of a file of cases, in file order, as a case or as the reason why it is none.

    The suffix tells the format: ``.jsonl``, ``.ndjson`` or ``.json-lines``, ``.csv``, ``.parquet``; ``-`` is JSON Lines
    on standard input. Blank rows are skipped. A ``case_id`` an earlier case of the file has is refused. Beyond the row
    in hand (for Parquet, the batch) only 16 bytes a case are kept, to know its id again. ``check`` may refuse a case
    that was read by raising CaseError.

    Raises DataFileError at once when the path is missing, a folder, empty or of another suffix; while reading, when the
    file has no column case_id or an unknown one, is not what its suffix says, or holds no row.
    """
    where = str(path)
    if where == STANDARD_STREAM:
        return _cases(json_rows(sys.stdin.buffer), _checked(parse_case_fields, check), "standard input")
    path = Path(path)
    file_format = format_of(path)
    check_readable(path)
    if file_format == "json-lines":
        return _cases(_json_file_rows(path), _checked(parse_case_fields, check), where)
    flat = _checked(_parse_flat_case, check)
    if file_format == "csv":
        return _cases(_csv_file_rows(path), flat, where)
    return _cases(parquet_rows(path, partial(check_columns, where=where)), flat, where)


def _checked(
    parse: Callable[[dict[str, Any]], Case], check: Callable[[Case], object] | None
) -> Callable[[dict[str, Any]], Case]:
    if check is None:
        return parse

    def parse_and_check(content: dict[str, Any]) -> Case:
        case = parse(content)
        check(case)
        return case

    return parse_and_check


def parse_case_fields(content: dict[str, Any]) -> Case:
    """The case of a decoded JSON object.

    Raises CaseError; its ``where`` is the field alone, and a field name that may be misplaced text is not repeated.
    """
    try:
        return Case.model_validate(content)
    except ValidationError as error:
        raise _first_problem(error) from None


def _json_file_rows(path: Path) -> Iterator[Row | Reject]:
    with path.open("rb") as stream:
        yield from json_rows(stream)


def _csv_file_rows(path: Path) -> Iterator[Row | Reject]:
    with path.open("rb") as stream:
        yield from csv_rows(stream, partial(check_columns, where=str(path)), str(path))


def _cases(
    rows: Iterator[Row | Reject], parse: Callable[[dict[str, Any]], Case], where: str
) -> Iterator[Case | Reject]:
    ids: set[bytes] = set()
    row = None
    for row in rows:
        yield row if isinstance(row, Reject) else _case(row, parse, ids)
    if row is None:
        raise empty_file(where)


def _case(row: Row, parse: Callable[[dict[str, Any]], Case], ids: set[bytes]) -> Case | Reject:
    try:
        case = parse(row.content)
        _refuse_known_id(case, ids)
    except CaseError as error:
        return Reject.because(error, row.line)
    return case


def _refuse_known_id(case: Case, ids: set[bytes]) -> None:
    digest = hashlib.blake2b(case.case_id.encode(), digest_size=16).digest()
    if digest in ids:
        raise CaseError("an id that an earlier case has", wanted="every case_id once in a file", where="case_id")
    ids.add(digest)


def _parse_flat_case(cells: dict[str, Any]) -> Case:
    try:
        return parse_case_fields(nested_case(cells))
    except CaseError as error:
        raise CaseError(error.found, wanted=error.wanted, where=column_of(error.where)) from None


def _first_problem(error: ValidationError) -> CaseError:
    first = error.errors(include_url=False, include_context=False)[0]
    parts = [str(part) for part in first["loc"]]
    if first["type"] == "extra_forbidden":
        field = ".".join([*parts[:-1], shown_field(parts[-1])])
        return CaseError("an unknown field", wanted="only the fields of a case", where=field)
    problem = describe_problem(error)
    field = ".".join(parts[:_DEEPEST_FIELD]) or WHOLE_CASE
    return CaseError(problem["found"].partition(" in ")[0], wanted=problem["wanted"], where=field)
