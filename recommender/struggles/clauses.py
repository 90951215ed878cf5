"""Cuts a struggle into the clauses a reason can quote, without changing a character of it."""

from __future__ import annotations

import re
from typing import NamedTuple

# Longer than a phrase, short enough to be read at a glance on a phone.
MIN_WORDS = 3
MAX_WORDS = 24

# A clause ends after sentence punctuation, a comma, semicolon, colon, dash or line break, or before a linking word.
_BOUNDARY = re.compile(
    r"(?<=[.!?])\s+"
    r"|(?<=[.!?][\"')\]\u201d\u2019])\s+"
    r"|(?<=[,;:])\s+"
    r"|\s+[-\u2013\u2014]+\s+"
    r"|\s*\n\s*"
    # "and then" and the like open one clause, not two.
    r"|(?<!\band)(?<!\bbut)(?<!\bso)\s+(?=(?:but|and|because|so|when|while|then|or|which|who|if|until|although|though)\s)",
    re.IGNORECASE,
)


class Clause(NamedTuple):
    """Half-open character span ``[start, end)`` of one clause."""

    start: int
    end: int


def split_clauses(text: str) -> list[Clause]:
    """Clauses of ``text`` in order; together with the space between them they cover it.

    Pieces under ``MIN_WORDS`` words join the piece before them (the first one joins the one after), pieces over
    ``MAX_WORDS`` are cut at a space, so that every quoted reason is short and says something.
    """
    pieces = _cut_long(text, _pieces(text))
    return _join_short(text, pieces)


def _pieces(text: str) -> list[Clause]:
    pieces, start = [], 0
    for match in _BOUNDARY.finditer(text):
        pieces.append(_strip(text, start, match.start()))
        start = match.end()
    pieces.append(_strip(text, start, len(text)))
    written = [piece for piece in pieces if piece.start < piece.end]
    # A text of nothing but dashes is still one clause for its pieces to belong to.
    return written or [whole for whole in [_strip(text, 0, len(text))] if whole.start < whole.end]


def _strip(text: str, start: int, end: int) -> Clause:
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    return Clause(start, end)


def _words(text: str, clause: Clause) -> int:
    return len(text[clause.start : clause.end].split())


def _cut_long(text: str, pieces: list[Clause]) -> list[Clause]:
    cut: list[Clause] = []
    for piece in pieces:
        words = list(re.finditer(r"\S+", text[piece.start : piece.end]))
        parts = -(-len(words) // MAX_WORDS)
        size = -(-len(words) // max(parts, 1))
        for first in range(0, len(words), size):
            last = words[min(first + size, len(words)) - 1]
            cut.append(Clause(piece.start + words[first].start(), piece.start + last.end()))
    return cut


def _join_short(text: str, pieces: list[Clause]) -> list[Clause]:
    joined: list[Clause] = []
    for piece in pieces:
        short = joined and (_words(text, piece) < MIN_WORDS or _words(text, joined[-1]) < MIN_WORDS)
        if short and _words(text, Clause(joined[-1].start, piece.end)) <= MAX_WORDS:
            joined[-1] = Clause(joined[-1].start, piece.end)
        else:
            joined.append(piece)
    return joined
