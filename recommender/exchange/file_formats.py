"""The three file formats spoken here, told apart by suffix, and files that appear whole or not at all."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Literal

from recommender.errors import DataFileError

STANDARD_STREAM = "-"
"""In place of a path: JSON Lines on standard input or output."""

FileFormat = Literal["json-lines", "csv", "parquet"]
_FORMATS: dict[str, FileFormat] = {
    ".jsonl": "json-lines",
    ".ndjson": "json-lines",
    ".json-lines": "json-lines",
    ".csv": "csv",
    ".parquet": "parquet",
}


def format_of(path: Path) -> FileFormat:
    """The format a file's suffix names, in either case.

    Raises DataFileError for any other suffix.
    """
    try:
        return _FORMATS[path.suffix.lower()]
    except KeyError:
        raise DataFileError(
            f"the suffix {path.suffix!r}" if path.suffix else "no suffix",
            wanted=f"one of {', '.join(_FORMATS)}",
            way_out="Save the file in one of these formats; `-` stands for JSON Lines on standard input or output.",
            where=str(path),
        ) from None


def check_readable(path: Path) -> None:
    """Refuse a path nothing can be read from.

    Raises DataFileError when it is missing, a folder, closed to this account or without a single byte.
    """
    if not path.exists():
        raise DataFileError("no such file", wanted="a file", way_out="Check the path for typos.", where=str(path))
    if path.is_dir():
        raise DataFileError("a folder", wanted="a file", way_out="Name one file inside it.", where=str(path))
    if not os.access(path, os.R_OK):
        raise DataFileError("a file closed to this account", wanted="permission to read it", where=str(path))
    if path.is_file() and path.stat().st_size == 0:
        raise empty_file(str(path))


def empty_file(where: str) -> DataFileError:
    """The error for a file, or standard input, that holds no row at all."""
    return DataFileError(
        "an empty file", wanted="at least one row", way_out="Check that the export finished.", where=where
    )


@contextmanager
def whole_file(path: Path) -> Iterator[BinaryIO]:
    """A stream whose bytes appear at ``path`` only when the block ends without an error.

    They are written to a hidden neighbour, because only within one folder is a rename sure to be atomic. A pipe or a
    device is written to directly.

    Raises DataFileError when ``path`` is a folder or lies in none.
    """
    target = path.resolve()
    _check_writable(path, target)
    if target.exists() and not target.is_file():
        with target.open("wb") as stream:
            yield stream
        return
    part = target.with_name(f".{target.name}.{secrets.token_hex(4)}.part")
    try:
        with part.open("xb") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)


def _check_writable(path: Path, target: Path) -> None:
    if target.is_dir():
        raise DataFileError("a folder", wanted="the name of a file", way_out="Add a file name to it.", where=str(path))
    if not target.parent.is_dir():
        raise DataFileError(
            "no such folder", wanted="an existing folder to write to", way_out="Create it first.", where=str(path)
        )
    if not os.access(target.parent, os.W_OK):
        raise DataFileError("a folder closed to this account", wanted="permission to write in it", where=str(path))
