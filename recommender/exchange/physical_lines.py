"""Physical lines of a byte stream, each bounded, so that no line decides how much memory is used."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

MAX_LINE_BYTES = 1_048_576
"""With its line end; as much as the scoring API takes for one case."""

_SKIPPED_AT_ONCE = 65_536
_SURROGATE = re.compile("[\ud800-\udfff]")


class Line(NamedTuple):
    """One line with its line end, counted from 1; ``content`` is None when it is over ``MAX_LINE_BYTES``."""

    number: int
    content: bytes | None


def physical_lines(stream: BinaryIO) -> Iterator[Line]:
    """Every line of ``stream`` up to the line feed, without a byte order mark before the first.

    Of a line that is too long at most ``MAX_LINE_BYTES`` + 1 bytes are held; the rest is read and dropped.
    """
    number = 0
    while content := stream.readline(MAX_LINE_BYTES + 1):
        number += 1
        if len(content) > MAX_LINE_BYTES:
            _skip_rest(stream, content)
            yield Line(number, None)
        else:
            yield Line(number, content.removeprefix(codecs.BOM_UTF8) if number == 1 else content)


def has_lone_surrogate(text: str) -> bool:
    """Whether text holds half a surrogate pair, which no UTF-8 file can hold."""
    return not text.isascii() and _SURROGATE.search(text) is not None


def _skip_rest(stream: BinaryIO, content: bytes) -> None:
    while content and not content.endswith(b"\n"):
        content = stream.readline(_SKIPPED_AT_ONCE)
