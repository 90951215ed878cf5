"""Rows that could not become a case: what is said of one, and the file they are listed in."""

from __future__ import annotations

import json
import re
import sys
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self

from recommender.errors import CaseError
from recommender.exchange.file_formats import STANDARD_STREAM, whole_file

WHOLE_CASE = "the whole case"
WHOLE_ROW = "the whole row"
_FIELD_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,39}")


@dataclass(frozen=True, slots=True)
class Row:
    """One row before it is checked. ``line`` is the physical line it starts on, for Parquet the row; both from 1."""

    line: int
    content: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Reject:
    """One refused row. ``found`` describes the refused value and never repeats it, because it may be the struggle."""

    line: int
    field: str
    found: str
    wanted: str

    @classmethod
    def because(cls, error: CaseError, line: int) -> Self:
        """The reject for an error whose ``where`` is the field; none means the whole case."""
        return cls(line, error.where or WHOLE_CASE, error.found, error.wanted)

    def to_json(self) -> str:
        """The reject as one line of JSON."""
        return json.dumps(asdict(self), ensure_ascii=False)


def shown_field(name: str) -> str:
    """A field name as sent, if it is shaped like one; anything else may be a misplaced struggle and is not repeated."""
    return name if _FIELD_NAME.fullmatch(name) else "a field of another name"


class RejectsFile:
    """``<output>.rejects.jsonl``, one reject a line; made at the first reject and in place when the block ends.

    A block that ends well without a reject removes the file an earlier run left, which would describe other rows. When
    the output is standard output, rejects go to standard error.
    """

    def __init__(self, output: Path | str) -> None:
        self.path = None if str(output) == STANDARD_STREAM else Path(f"{output}.rejects.jsonl")
        self.count = 0
        self._open = ExitStack()
        self._stream: BinaryIO | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open.__exit__(kind, error, trace)
        if error is None and self.count == 0 and self.path is not None:
            self.path.unlink(missing_ok=True)

    def write(self, reject: Reject) -> None:
        """Add one reject."""
        if self._stream is None:
            self._stream = self._opened()
        self._stream.write(reject.to_json().encode() + b"\n")
        self._stream.flush()
        self.count += 1

    def _opened(self) -> BinaryIO:
        return sys.stderr.buffer if self.path is None else self._open.enter_context(whole_file(self.path))
