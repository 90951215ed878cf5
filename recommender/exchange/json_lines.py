"""JSON Lines: one strict JSON object a line, read without letting a bad line cost the next."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, BinaryIO

from recommender.errors import CaseError
from recommender.exchange.physical_lines import MAX_LINE_BYTES, Line, has_lone_surrogate, physical_lines
from recommender.exchange.rejects import Reject, Row, shown_field

_SURROGATE_ESCAPE = re.compile(r"\\u[dD][89a-fA-F]")
# An integer of more digits fits no field; as a float it cannot overflow one, and is refused by name.
_MAX_INTEGER_DIGITS = 18


def json_rows(stream: BinaryIO) -> Iterator[Row | Reject]:
    """Every line that is not blank, in file order."""
    for line in physical_lines(stream):
        if line.content is None or line.content.strip():
            yield _row(line)


def _row(line: Line) -> Row | Reject:
    try:
        if line.content is None:
            raise CaseError(f"a line over {MAX_LINE_BYTES} bytes", wanted="one case a line, within that size")
        return Row(line.number, decode_object(line.content))
    except CaseError as error:
        return Reject.because(error, line.number)


def decode_object(content: bytes) -> dict[str, Any]:
    """Decode one JSON object, strictly (RFC 8259 in UTF-8, every name once, no lone surrogate).

    NaN and Infinity are decoded, for the field's own check to refuse them by name.

    Raises CaseError; its ``where`` is the field, empty for the whole case.
    """
    text = _decode_text(content)
    try:
        value = json.loads(text, object_pairs_hook=_every_name_once, parse_int=_bounded_integer)
        if _SURROGATE_ESCAPE.search(text):
            _refuse_lone_surrogate(value, "")
    except json.JSONDecodeError as error:
        raise CaseError(f"broken JSON at character {error.pos + 1}", wanted="one JSON object a line") from None
    except RecursionError:
        raise CaseError("JSON nested too deeply", wanted="the fields of a case") from None
    if not isinstance(value, dict):
        raise CaseError("JSON that is not an object", wanted="one JSON object a line")
    return value


def _decode_text(content: bytes) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        raise CaseError(f"bytes that are not UTF-8, from byte {error.start + 1}", wanted="UTF-8") from None


def _every_name_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    names: set[str] = set()
    for name, _ in pairs:
        if name in names:
            raise CaseError("a field given twice", wanted="every field once", where=shown_field(name))
        names.add(name)
    return dict(pairs)


def _bounded_integer(digits: str) -> int | float:
    return int(digits) if len(digits) <= _MAX_INTEGER_DIGITS else float(digits)


def _refuse_lone_surrogate(value: Any, field: str) -> None:
    if isinstance(value, str):
        if has_lone_surrogate(value):
            raise CaseError("a lone surrogate", wanted="well-formed Unicode text", where=field)
    elif isinstance(value, list):
        for position, entry in enumerate(value):
            _refuse_lone_surrogate(entry, f"{field}.{position}")
    elif isinstance(value, dict):
        for name, entry in value.items():
            _refuse_lone_surrogate(name, field)
            _refuse_lone_surrogate(entry, f"{field}.{shown_field(name)}".removeprefix("."))
