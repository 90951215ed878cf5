"""What stands in a score cell before an instrument reads it: a label, a number, or a number written as text."""

from __future__ import annotations

import math
import re
from numbers import Real

_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?")
# A longer text in a score cell is somebody's comment in the wrong column: its words are never repeated.
_LONGEST_QUOTED = 30


def fold_label(text: str) -> str:
    """A level label without regard to case and spacing, so that ' not  using' is 'Not Using'."""
    return " ".join(text.split()).casefold()


def plain_number(raw: object) -> float | None:
    """The number ``raw`` is or is written as, with a point and plain digits; None for all else, true and false too.

    A number too large for a float is infinite.
    """
    if isinstance(raw, str):
        text = raw.strip()
        return float(text) if _NUMBER.fullmatch(text) else None
    if not isinstance(raw, Real) or isinstance(raw, bool):
        return None
    try:
        return float(raw)
    except OverflowError:
        return math.inf


def shown(raw: object) -> str:
    """A raw score or an item code as an error may show it: a number, a short text, or only what kind of thing it is."""
    if isinstance(raw, str):
        return repr(raw) if len(raw) <= _LONGEST_QUOTED else f"a text of {len(raw)} characters"
    number = plain_number(raw)
    return f"a value of type {type(raw).__name__}" if number is None else f"{number:.12g}"
