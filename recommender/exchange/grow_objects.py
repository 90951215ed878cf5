"""Reads the objects of a Grow (Whetstone) export: a JSON list, an API page around one, or JSON Lines."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from recommender.errors import DataFileError
from recommender.exchange.file_formats import check_readable
from recommender.exchange.rejects import Reject

WHOLE_OBJECT = "the whole object"
# An integer of more digits is no score; as a float it can be compared and refused like any other.
_MAX_INTEGER_DIGITS = 18
_PAGE_FIELDS = ("data", "results", "observations", "measurements", "rubrics")


@dataclass(frozen=True)
class GrowFile:
    """One file's objects by kind, each with its place: its number in the list, or the line in JSON Lines; from 1.

    ``measurement_names``: measurement id -> its name. Objects of other kinds, such as rubrics and users, are not kept.
    """

    observations: list[tuple[int, dict[str, Any]]] = field(default_factory=list)
    measurement_names: dict[str, str] = field(default_factory=dict)
    rejects: list[Reject] = field(default_factory=list)


def read_grow_file(path: Path) -> GrowFile:
    """Read one file. Raises DataFileError when it is not JSON in UTF-8; a broken line of JSON Lines is one reject."""
    check_readable(path)
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError:
        raise DataFileError("bytes that are not UTF-8", wanted="JSON in UTF-8", where=str(path)) from None
    file = GrowFile()
    for place, value in _values(text, file.rejects, str(path)):
        if not isinstance(value, dict):
            file.rejects.append(Reject(place, WHOLE_OBJECT, "JSON that is not an object", "an object of the export"))
        elif "observationScores" in value or "observedAt" in value:
            file.observations.append((place, value))
        elif "measurementOptions" in value or "scaleMax" in value:
            identity, name = value.get("_id"), value.get("name")
            if isinstance(identity, str) and isinstance(name, str):
                file.measurement_names[identity] = name
    return file


def member(value: object, name: str) -> Any:
    """A field of an object; None where there is no such field or no object."""
    return value.get(name) if isinstance(value, dict) else None


def members(value: object, name: str) -> list[Any]:
    """A field that holds a list; empty where there is none."""
    found = member(value, name)
    return found if isinstance(found, list) else []


def identity(value: object) -> Any:
    """The id of a reference, which is an object with ``_id`` or the id itself."""
    return value.get("_id") if isinstance(value, dict) else value


def _values(text: str, rejects: list[Reject], where: str) -> Iterator[tuple[int, Any]]:
    try:
        yield from enumerate(_page(_decoded(text)), start=1)
    except json.JSONDecodeError as error:
        lines = [(number, line) for number, line in enumerate(text.split("\n"), start=1) if line.strip()]
        objects = list(_lines(lines, rejects))
        if not objects:
            place = f"{where}: line {error.lineno}"
            raise DataFileError("broken JSON", wanted="the JSON of the export", where=place) from None
        yield from objects
    except RecursionError:
        raise DataFileError("JSON nested too deeply", wanted="the JSON of the export", where=where) from None


def _lines(lines: list[tuple[int, str]], rejects: list[Reject]) -> Iterator[tuple[int, Any]]:
    for number, line in lines:
        try:
            yield from ((number, value) for value in _page(_decoded(line)))
        except json.JSONDecodeError:
            rejects.append(Reject(number, WHOLE_OBJECT, "broken JSON", "one object a line"))


def _page(value: Any) -> list[Any]:
    if isinstance(value, list):
        return value
    if isinstance(value, dict) and "observationScores" not in value:
        for name in _PAGE_FIELDS:
            if isinstance(value.get(name), list):
                return list(value[name])
    return [value]


def _decoded(text: str) -> Any:
    return json.loads(text, parse_int=_bounded_integer)


def _bounded_integer(digits: str) -> int | float:
    return int(digits) if len(digits) <= _MAX_INTEGER_DIGITS else float(digits)
