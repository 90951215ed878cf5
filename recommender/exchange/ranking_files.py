"""Writes rankings as JSON Lines, CSV or Parquet, in the order of their cases; skills are ranked, teachers never are."""

from __future__ import annotations

import csv
import io
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, Protocol

import pyarrow as pa
import pyarrow.parquet as pq

from recommender.cases import Ranking
from recommender.exchange.file_formats import STANDARD_STREAM, FileFormat, format_of, whole_file

FLAT_SCHEMA = pa.schema(
    [
        ("case_id", pa.string()),
        ("status", pa.string()),
        ("message", pa.string()),
        ("rank", pa.int32()),
        ("skill_id", pa.string()),
        ("name", pa.string()),
        ("probability", pa.float64()),
        ("confidence", pa.string()),
        ("score", pa.float64()),
        ("reasons", pa.string()),
        ("ask_next", pa.string()),
        ("notices", pa.string()),
        ("evidence_grade", pa.string()),
        ("model_version", pa.string()),
        ("catalogue_version", pa.string()),
        ("input_hash", pa.string()),
    ]
)
"""The columns of a flat ranking, one row a suggestion; ``reasons`` is the JSON of the suggestion's list,
``notices`` the sentences in a row."""

# A cell that starts with one of these is a formula to a spreadsheet, whoever wrote it.
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
# About 10 MB of rows with their reasons.
_ROW_GROUP_ROWS = 4_096


class RankingWriter(Protocol):
    """Takes rankings one by one."""

    def write(self, ranking: Ranking) -> None:
        """Add one ranking after those before it."""

    def finish(self) -> None:
        """Write what is still held back; the stream stays open."""


@contextmanager
def open_rankings(path: Path | str) -> Iterator[RankingWriter]:
    """A writer of rankings to ``path``, by suffix as cases are read; ``-`` is JSON Lines on standard output.

    The file is there, whole, when the block ends without an error; otherwise whatever ``path`` was before stays.

    Raises DataFileError for another suffix, a folder, or a path in no folder.
    """
    if str(path) == STANDARD_STREAM:
        yield _JsonLinesWriter(sys.stdout.buffer, live=True)
        return
    path = Path(path)
    file_format = format_of(path)
    with whole_file(path) as stream:
        writer = _writer(file_format, stream)
        try:
            yield writer
        finally:
            writer.finish()


def flat_rows(ranking: Ranking) -> list[dict[str, Any]]:
    """One row a suggestion, rounded as in the JSON; without suggestions one row whose suggestion fields are absent."""
    content = ranking.model_dump(mode="json")
    content["notices"] = " ".join(ranking.notices) or None
    suggestions = [{**each, "reasons": _compact_json(each["reasons"])} for each in content.pop("suggestions")]
    rows = [{**content, **suggestion} for suggestion in suggestions or [{}]]
    return [{name: row.get(name) for name in FLAT_SCHEMA.names} for row in rows]


def spreadsheet_safe(cell: object) -> object:
    """A CSV cell that no spreadsheet takes for a formula: such text is led by an apostrophe, numbers stay numbers."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULA_STARTS) else cell


def _compact_json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _writer(file_format: FileFormat, stream: BinaryIO) -> RankingWriter:
    if file_format == "json-lines":
        return _JsonLinesWriter(stream)
    return _CsvWriter(stream) if file_format == "csv" else _ParquetWriter(stream)


class _JsonLinesWriter:
    def __init__(self, stream: BinaryIO, *, live: bool = False) -> None:
        self._stream = stream
        self._live = live

    def write(self, ranking: Ranking) -> None:
        self._stream.write(ranking.to_json().encode() + b"\n")
        if self._live:
            self._stream.flush()

    def finish(self) -> None:
        pass


class _CsvWriter:
    def __init__(self, stream: BinaryIO) -> None:
        self._text = io.TextIOWrapper(stream, encoding="utf-8", newline="")
        self._rows = csv.writer(self._text)
        self._rows.writerow(FLAT_SCHEMA.names)

    def write(self, ranking: Ranking) -> None:
        self._rows.writerows([map(spreadsheet_safe, row.values()) for row in flat_rows(ranking)])

    def finish(self) -> None:
        self._text.detach()


class _ParquetWriter:
    def __init__(self, stream: BinaryIO) -> None:
        self._file = pq.ParquetWriter(stream, FLAT_SCHEMA)
        self._rows: list[dict[str, Any]] = []

    def write(self, ranking: Ranking) -> None:
        self._rows += flat_rows(ranking)
        if len(self._rows) >= _ROW_GROUP_ROWS:
            self._write_group()

    def finish(self) -> None:
        if self._rows:
            self._write_group()
        self._file.close()

    def _write_group(self) -> None:
        self._file.write_batch(pa.RecordBatch.from_pylist(self._rows, schema=FLAT_SCHEMA))
        self._rows.clear()
