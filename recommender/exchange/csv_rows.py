"""CSV (RFC 4180) in UTF-8, streamed; a row with broken quoting is refused alone and does not swallow the next."""

from __future__ import annotations

import csv
from collections import deque
from collections.abc import Callable, Iterator
from typing import BinaryIO, NamedTuple

from recommender.errors import CaseError, DataFileError
from recommender.exchange.physical_lines import MAX_LINE_BYTES, Line, physical_lines
from recommender.exchange.rejects import Reject, Row


class _Record(NamedTuple):
    line: int
    cells: list[str]


class _TooLongError(csv.Error):
    """A line, or a record over several lines, beyond ``MAX_LINE_BYTES``."""


class _RecordLines(Iterator[str]):
    """Feeds lines to the csv module and keeps those of the record in progress, to go back to its second line."""

    def __init__(self, lines: Iterator[Line]) -> None:
        self._lines = lines
        self._returned: deque[Line] = deque()
        self._taken: list[Line] = []
        self._size = 0

    def __next__(self) -> str:
        line = self._returned.popleft() if self._returned else next(self._lines)
        self._taken.append(line)
        self._size += len(line.content or b"")
        if line.content is None or self._size > MAX_LINE_BYTES:
            raise _TooLongError
        return line.content.decode("utf-8", "surrogateescape")

    @property
    def first_number(self) -> int:
        return self._taken[0].number

    def start_record(self) -> None:
        self._taken.clear()
        self._size = 0

    def return_all_but_first(self) -> None:
        self._returned.extendleft(reversed(self._taken[1:]))


def csv_rows(stream: BinaryIO, check_columns: Callable[[list[str]], None], where: str) -> Iterator[Row | Reject]:
    """Every row after the first, which names the columns; rows whose cells are all empty are skipped.

    Bytes that are not UTF-8 arrive as lone surrogates, for the cell's own check to refuse by name.

    Raises DataFileError when the first row is no CSV, and whatever ``check_columns`` raises.
    """
    records = csv_records(stream)
    header = next(records, None)
    if header is None:
        return
    if isinstance(header, Reject):
        raise DataFileError(header.found, wanted="a first row that names the columns", where=where)
    check_columns(header.cells)
    for record in records:
        yield record if isinstance(record, Reject) else _row(record, header.cells)


def _row(record: _Record, columns: list[str]) -> Row | Reject:
    if len(record.cells) != len(columns):
        wanted = f"{len(columns)}, as many as columns are named"
        return Reject.because(CaseError(f"{len(record.cells)} cells", wanted=wanted), record.line)
    return Row(record.line, dict(zip(columns, record.cells, strict=True)))


def csv_records(stream: BinaryIO) -> Iterator[_Record | Reject]:
    """The records of a CSV file with the physical line each starts on, header included; a broken one is a reject."""
    lines = _RecordLines(physical_lines(stream))
    reader = csv.reader(lines, strict=True)
    while True:
        lines.start_record()
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            lines.return_all_but_first()
            yield Reject.because(_problem(error), lines.first_number)
            continue
        if any(cells):
            yield _Record(lines.first_number, cells)


def _problem(error: csv.Error) -> CaseError:
    if isinstance(error, _TooLongError):
        return CaseError(f"a row over {MAX_LINE_BYTES} bytes, or a quote left open", wanted="one case a row")
    return CaseError(
        "broken quoting or a stray line end",
        wanted="cells with commas, quotes or line breaks between double quotes, and quotes inside them doubled",
    )
