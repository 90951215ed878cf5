"""Ed-Fi API JSON: objects one after another, arrays and page wrappers, with the line each object starts on."""

from __future__ import annotations

import bisect
import codecs
import json
import re
from collections.abc import Generator, Iterator
from typing import Any, BinaryIO

from recommender.exchange.ed_fi_trees import Found, Kind, Tree, field_name
from recommender.exchange.rejects import Reject, shown_field

# The references that tell a resource by its own shape; exports do not say what an object is.
_SHAPES: tuple[tuple[frozenset[str], Kind], ...] = (
    (frozenset({"evaluationelementreference", "evaluationobjectiveratingreference"}), "element rating"),
    (frozenset({"evaluationelementtitle", "evaluationobjectivereference"}), "element"),
    (frozenset({"evaluationratingreference", "evaluationobjectivereference"}), "derived rating"),
    (frozenset({"performanceevaluationratingreference", "evaluationreference"}), "evaluation rating"),
    (frozenset({"performanceevaluationreference", "personreference"}), "evaluation rating"),
)
_BETWEEN = re.compile(r"[\s,]*")
_LINE_END = re.compile("\n")
# A page wrapper, a list in it, and one more of each for exports that bundle resources.
_MAX_WRAPPERS = 4
_MAX_DEPTH = 64
# An integer of more digits fits no field; as a float it is refused by its range.
_MAX_INTEGER_DIGITS = 18


class _TwiceError(Exception):
    """An object names a field twice; the argument is the name."""


def json_records(stream: BinaryIO) -> Iterator[Found | Reject]:
    """Every rating and element of an API export, in file order; other objects are passed over.

    What stands before broken JSON is kept; a reject names the line from which nothing was read. Bytes that are not
    UTF-8 arrive as lone surrogates, for the record's own check to refuse.
    """
    content = stream.read().removeprefix(codecs.BOM_UTF8)
    yield from _Objects(content.decode("utf-8", "surrogateescape")).records()


class _Objects:
    def __init__(self, text: str) -> None:
        self._text = text
        self._line_ends = [match.start() for match in _LINE_END.finditer(text)]
        self._strict = json.JSONDecoder(object_pairs_hook=_every_name_once, parse_int=_bounded_integer)
        self._lenient = json.JSONDecoder(parse_int=_bounded_integer)

    def records(self) -> Iterator[Found | Reject]:
        place = 0
        try:
            while (place := self._next(place)) < len(self._text):
                place = yield from self._value(place, 0)
        except json.JSONDecodeError as error:
            yield self._stopped(error.pos, "broken JSON")
        except RecursionError:
            yield self._stopped(place, "JSON nested too deeply")

    def _value(self, place: int, wrappers: int) -> Generator[Found | Reject, None, int]:
        """Read one value; a generator that returns where it ends."""
        if self._text[place] == "[" and wrappers < _MAX_WRAPPERS:
            return (yield from self._list(place, wrappers))
        twice = None
        try:
            value, end = self._strict.raw_decode(self._text, place)
        except _TwiceError as error:
            # In a page wrapper only one of its records is at fault; each is decoded again by itself.
            twice = str(error)
            value, end = self._lenient.raw_decode(self._text, place)
        if isinstance(value, dict):
            tree = _tree(value)
            kind = next((kind for names, kind in _SHAPES if names <= tree.keys()), None)
            if kind is not None and twice is not None:
                yield Reject(self._line(place), shown_field(twice), "a field given twice", "every field once")
            elif kind is not None:
                yield kind, self._line(place), tree
            elif wrappers < _MAX_WRAPPERS and any(isinstance(entry, (list, dict)) for entry in value.values()):
                yield from self._wrapper(place, wrappers)
        return end

    def _list(self, place: int, wrappers: int) -> Generator[Found | Reject, None, int]:
        place = self._next(place + 1)
        while self._text[place : place + 1] != "]":
            if place >= len(self._text):
                raise json.JSONDecodeError("a list left open", self._text, place)
            place = yield from self._value(place, wrappers + 1)
            place = self._next(place)
        return place + 1

    def _wrapper(self, place: int, wrappers: int) -> Iterator[Found | Reject]:
        """The members of an object known to be well-formed, each at its own place."""
        place = self._next(place + 1)
        while self._text[place] != "}":
            place = self._lenient.raw_decode(self._text, place)[1]
            place = self._next(self._text.index(":", place) + 1)
            place = self._next((yield from self._value(place, wrappers + 1)))

    def _next(self, place: int) -> int:
        match = _BETWEEN.match(self._text, place)
        return match.end() if match else place

    def _line(self, place: int) -> int:
        return bisect.bisect_left(self._line_ends, place) + 1

    def _stopped(self, place: int, found: str) -> Reject:
        return Reject(self._line(place), "the rest of the file", found, "JSON objects, one after another or in a list")


def _tree(value: dict[str, Any], depth: int = 0) -> Tree:
    """Raises RecursionError beyond ``_MAX_DEPTH``, far below what the interpreter allows."""
    if depth > _MAX_DEPTH:
        raise RecursionError
    tree: Tree = {}
    for name, entry in value.items():
        values = tree.setdefault(field_name(name), [])
        for part in entry if isinstance(entry, list) else [entry]:
            if isinstance(part, dict):
                values.append(_tree(part, depth + 1))
            elif not isinstance(part, list):
                values.append(part)
    return tree


def _every_name_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    content: dict[str, Any] = {}
    for name, value in pairs:
        if name in content:
            raise _TwiceError(name)
        content[name] = value
    return content


def _bounded_integer(digits: str) -> int | float:
    return int(digits) if len(digits) <= _MAX_INTEGER_DIGITS else float(digits)
