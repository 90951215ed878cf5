"""Parquet, read a batch at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from recommender.errors import CaseError, DataFileError
from recommender.exchange.rejects import Reject, Row

# Small enough that a batch of the longest struggles stays under 10 MB.
_BATCH_ROWS = 512
# Reads a column chunk through a buffer of this size, where the default would hold the whole chunk.
_BUFFER_BYTES = 65_536


def parquet_rows(path: Path, check_columns: Callable[[list[str]], None]) -> Iterator[Row | Reject]:
    """Every row, counted from 1.

    Raises DataFileError when the file is not Parquet or is damaged, and whatever ``check_columns`` raises.
    """
    number = 0
    try:
        with pq.ParquetFile(path, buffer_size=_BUFFER_BYTES, pre_buffer=False) as file:
            check_columns(file.schema_arrow.names)
            for batch in file.iter_batches(batch_size=_BATCH_ROWS, use_threads=False):
                for position in range(batch.num_rows):
                    number += 1
                    yield _row(batch, position, number)
    except (pa.ArrowException, OSError, UnicodeDecodeError):
        raise DataFileError(
            f"a file that stops being Parquet after row {number}" if number else "a file that is not Parquet",
            wanted="a whole Parquet file",
            way_out="Write it again, or give it the suffix of what it is.",
            where=str(path),
        ) from None


def _row(batch: Any, position: int, number: int) -> Row | Reject:
    try:
        names = batch.schema.names
        return Row(number, {name: _cell(batch, name, column, position) for column, name in enumerate(names)})
    except CaseError as error:
        return Reject.because(error, number)


def _cell(batch: Any, name: str, column: int, position: int) -> object:
    try:
        return batch.column(column)[position].as_py()
    except (ValueError, OverflowError):
        raise CaseError("a cell that cannot be read", wanted="a plain value; text in UTF-8", where=name) from None
