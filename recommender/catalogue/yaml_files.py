"""Reads one YAML file strictly, and turns a broken rule into an error with file, entry and field."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import TypeAdapter, ValidationError

from recommender.errors import DataFileError

# The C loader is ten times faster; where PyYAML was built without it the plain one reads the same.
_SAFE_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_LONGEST_QUOTED = 60

T = TypeVar("T")


def read_yaml(file: Path) -> dict[Any, Any]:
    """The mapping a YAML file holds. Raises DataFileError for an unreadable file, broken YAML and a key given twice."""
    try:
        content = file.read_bytes()
    except OSError as error:
        raise DataFileError(
            f"no readable file ({error.strerror or type(error).__name__})", wanted="a YAML file", where=str(file)
        ) from error
    return parse_yaml(content, file.name)


def read_validated(file: Path, shape: type[T]) -> T:
    """What a YAML file holds, as a model or a dict of them. Raises DataFileError with the first broken rule's place."""
    document = read_yaml(file)
    try:
        return TypeAdapter(shape).validate_python(document)
    except ValidationError as error:
        raise first_error(error, document, file.name) from None


def parse_yaml(content: bytes, name: str) -> dict[Any, Any]:
    """As ``read_yaml``, of a file's bytes."""
    try:
        loader = _SAFE_LOADER(content)
        try:
            node = loader.get_single_node()
            if node is not None:
                _refuse_double_keys(node, name)
            document = None if node is None else loader.construct_document(node)
        finally:
            loader.dispose()
    # The constructor raises ValueError for a date such as 2020-13-45, TypeError for odd keys.
    except (yaml.YAMLError, ValueError, TypeError, RecursionError) as error:
        message = (str(error).splitlines() or [type(error).__name__])[-1].strip()
        raise DataFileError(f"broken YAML ({message[:_LONGEST_QUOTED]})", wanted="YAML", where=name) from error
    if not isinstance(document, dict):
        raise DataFileError(f"a {type(document).__name__}", wanted="a mapping of fields", where=name)
    return document


def _refuse_double_keys(root: yaml.Node, name: str) -> None:
    waiting: list[yaml.Node] = [root]
    done: set[int] = set()
    while waiting:
        node = waiting.pop()
        if id(node) in done:
            continue
        done.add(id(node))
        if isinstance(node, yaml.SequenceNode):
            waiting.extend(node.value)
        elif isinstance(node, yaml.MappingNode):
            seen: set[str] = set()
            for key, value in node.value:
                waiting.append(value)
                if not isinstance(key, yaml.ScalarNode):
                    continue
                if key.value in seen:
                    where = f"{name}: line {key.start_mark.line + 1}"
                    raise DataFileError(f"{key.value[:_LONGEST_QUOTED]!r} twice", wanted="every key once", where=where)
                seen.add(key.value)


def first_error(error: ValidationError, document: Mapping[Any, Any], name: str) -> DataFileError:
    """The first broken rule as ``<file>: <entry>: <field>``; an entry of a list is named by its code, not its place."""
    first = error.errors(include_url=False)[0]
    place: list[str] = []
    at: Any = document
    for part in first["loc"]:
        # pydantic marks a refused dictionary key with "[key]" and puts a number for the key before it.
        if part == "[key]":
            place[-1] = str(first["input"])[:_LONGEST_QUOTED]
            continue
        at = _step(at, part)
        code = at.get("code") if isinstance(part, int) and isinstance(at, Mapping) else None
        place.append(str(part if code is None else code))
    message = str(first["msg"]).removeprefix("Value error, ")
    is_rule = first["type"] == "value_error"
    found = message if is_rule else _found(first["type"], first["input"])
    wanted = "a file that keeps this rule" if is_rule else message[:1].lower() + message[1:]
    way_out = ""
    if first["type"] == "string_type" and isinstance(first["input"], (int, float, bool)):
        way_out = "Put it in quotes: YAML reads it as a number or as true/false."
    return DataFileError(found, wanted=wanted, way_out=way_out, where=": ".join([name, *place]))


def _found(kind: str, value: Any) -> str:
    if kind == "missing":
        return "nothing"
    if value is None or isinstance(value, (bool, int, float, str)):
        return repr(value)[:_LONGEST_QUOTED]
    return f"a {type(value).__name__}"


def _step(at: Any, part: int | str) -> Any:
    if isinstance(at, Mapping):
        return at.get(part)
    if isinstance(at, list) and isinstance(part, int) and part < len(at):
        return at[part]
    return None
