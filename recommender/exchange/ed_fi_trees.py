"""Ed-Fi records as trees of names and texts, alike for XML, JSON and CSV, and the way to a text in one."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import Literal

from recommender.catalogue.raw_scores import fold_label
from recommender.errors import ScoreError
from recommender.exchange.physical_lines import has_lone_surrogate
from recommender.exchange.rejects import shown_field

Scalar = str | int | float | bool | None
Tree = dict[str, list["Tree | Scalar"]]
"""Field name, as ``field_name`` folds it, to its values in file order."""

Kind = Literal["element rating", "element", "evaluation rating", "derived rating"]
"""What is read of a file. An evaluation rating is derived as well, but names who observed."""

Found = tuple[Kind, int, Tree]
"""One record of a file: its kind, the physical line it starts on, from 1, and what it holds."""

RESULTS = "results"
RATING_LEVELS = "ratinglevels"
REVIEWERS = "reviewers"
# The same field in the TPDM extension's XML, in its API and in Data Standard 6.
_ONE_NAME = {
    "elementratingresult": RESULTS,
    "elementratinglevel": RATING_LEVELS,
    "reviewer": REVIEWERS,
    "minnumericrating": "minrating",
    "maxnumericrating": "maxrating",
}
_PUNCTUATION = re.compile(r"[\W_]+")
_DECIMAL = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?")


@lru_cache(maxsize=4_096)
def field_name(written: str) -> str:
    """A field's name without regard to case and to the endings that differ between file formats."""
    name = written.casefold().removesuffix("descriptor")
    return _ONE_NAME.get(name, name)


def descriptor_code(text: str) -> str:
    """The code after a descriptor's ``#``, folded; a bare code is one already."""
    return fold_label(text.rpartition("#")[2])


def title_key(text: str) -> str:
    """A title without regard to case, spacing and punctuation; ``&`` reads as ``and``."""
    spelled = unicodedata.normalize("NFKC", text).replace("&", "and")
    return _PUNCTUATION.sub("", spelled.casefold())


def decimal(value: Scalar) -> float | None:
    """A number, or a text that writes one with a point; None for anything else. It may be infinite or no number."""
    if isinstance(value, str):
        return float(value) if _DECIMAL.fullmatch(value.strip()) else None
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None


def branch(tree: Tree, name: str) -> Tree:
    """The first tree of that name right below the root; an empty one where there is none."""
    return next((value for value in tree.get(name, ()) if isinstance(value, dict)), {})


def own(tree: Tree, name: str) -> str:
    """The first text of that name right below the root, "" where there is none; numbers as they are written."""
    return next(filter(None, map(_text, tree.get(name, ()))), "")


def first(name: str, *trees: Tree) -> str:
    """The first text of that name in the first of the trees that has one, the nearest to the root.

    Reviewers are passed over: they are other people than the one rated.
    """
    for tree in trees:
        level = [tree]
        while level:
            found = next(filter(None, (own(part, name) for part in level)), "")
            if found:
                return found
            level = [
                value
                for part in level
                for key, values in part.items()
                if key != REVIEWERS
                for value in values
                if isinstance(value, dict)
            ]
    return ""


def _text(value: Tree | Scalar) -> str:
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return repr(value)
    return ""


def refuse_lone_surrogates(tree: Tree) -> None:
    """Raise ScoreError for text anywhere in the tree that no UTF-8 file can hold."""
    for name, values in tree.items():
        for value in values:
            if isinstance(value, dict):
                refuse_lone_surrogates(value)
            elif isinstance(value, str) and has_lone_surrogate(value):
                raise ScoreError("bytes that are not UTF-8", wanted="well-formed UTF-8 text", where=shown_field(name))
