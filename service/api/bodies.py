"""JSON bodies, read more strictly than Python does, and what an app sends out of them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from email.message import Message
from functools import cache
from typing import Annotated, Any, NoReturn, TypeVar

from fastapi import Depends, Request
from pydantic import BaseModel, ValidationError

from recommender.cases import Case, lower_first
from service.limits import read_body
from service.problems import FieldError, Problem
from service.state import ServiceSettings

MAX_FIELD_ERRORS = 20
JSON = "application/json"
CSV = "text/csv"
Body = TypeVar("Body", bound=BaseModel)
_ESCAPED_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")
_WANTED = {
    "extra_forbidden": "only the documented fields",
    "model_type": "a JSON object",
    "missing": "a value",
    "union_tag_not_found": "a value",
}


async def json_body(request: Request, settings: ServiceSettings) -> bytes:
    """The bytes of a body that says it is JSON. Raises Problem for another media type, size or pace."""
    if media_type_of(request) != JSON:
        raise Problem("unsupported-media-type")
    return await read_body(request, settings.request_timeout_seconds)


JsonBody = Annotated[bytes, Depends(json_body)]


def media_type_of(request: Request) -> str:
    """The media type a body says it has, without parameters; empty for one that is compressed or not in UTF-8."""
    header = Message()
    header["content-type"] = request.headers.get("content-type", "")
    charset = str(header.get_param("charset", "utf-8")).lower()
    encoding = request.headers.get("content-encoding", "identity").lower()
    return header.get_content_type() if charset in {"utf-8", "utf8"} and encoding == "identity" else ""


def parse_json(content: bytes) -> Any:
    """One JSON value from UTF-8 bytes.

    Raises Problem ``malformed-json`` for what Python would let through as well: NaN and infinities, a name twice in
    one object, half a surrogate pair.
    """
    try:
        value = json.loads(
            content.decode(), object_pairs_hook=_unique_names, parse_float=_number, parse_constant=_refuse_constant
        )
        if _ESCAPED_SURROGATE.search(content):
            # A whole pair has become one character by now; a lone half cannot be encoded.
            json.dumps(value, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        raise Problem("malformed-json") from None
    return value


def _unique_names(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    names = dict(pairs)
    if len(names) != len(pairs):
        raise ValueError("a name twice")
    return names


def _number(digits: str) -> int | float:
    """To JSON Schema 3 and 3.0 are one number; to Python they are two types."""
    number = float(digits)
    return int(number) if number.is_integer() else number


def _refuse_constant(_: str) -> NoReturn:
    raise ValueError("not a finite number")


def read_case(value: Any) -> Case:
    """The case in a decoded JSON value. Raises Problem ``invalid-case`` with each field and what is wanted there."""
    return _validated(value, Case, "invalid-case", "the whole case")


def read_body_as(body: bytes, model: type[Body]) -> Body:
    """What an app sent, as ``model``.

    Raises Problem ``malformed-json``, or ``invalid-request`` with each field and what is wanted there.
    """
    return _validated(parse_json(body), model, "invalid-request", "the whole body")


def _validated(value: Any, model: type[Body], problem: str, whole: str) -> Body:
    try:
        return model.model_validate(value)
    except ValidationError as error:
        raise Problem(problem, errors=_field_errors(error, known_fields(model), whole)) from None


@cache
def known_fields(model: type[BaseModel]) -> frozenset[str]:
    """Every field of a model and of its parts. Only these appear in an error: any other name is the client's text."""
    return frozenset(_properties(model.model_json_schema()))


def _properties(schema: Any) -> Iterator[str]:
    if isinstance(schema, dict):
        yield from schema.get("properties", ())
        for part in schema.values():
            yield from _properties(part)
    elif isinstance(schema, list):
        for part in schema:
            yield from _properties(part)


def _field_errors(error: ValidationError, known: frozenset[str], whole: str) -> list[FieldError]:
    """Where a body is wrong and what is wanted; a field that may have two types is named once."""
    wanted: dict[str, list[str]] = {}
    for problem in error.errors(include_url=False, include_input=False):
        path = [part for part in problem["loc"] if isinstance(part, int) or part in known]
        sentence = _WANTED.get(problem["type"]) or lower_first(problem["msg"]).removeprefix("input should be ")
        if problem["type"].startswith("union_tag"):
            path.append(problem["ctx"]["discriminator"].strip("'"))
        if problem["type"] == "union_tag_invalid":
            # The message repeats the tag that was sent.
            sentence = f"one of {problem['ctx']['expected_tags']}"
        wanted.setdefault(".".join(map(str, path)) or whole, []).append(sentence)
    return [FieldError(field=field, wanted=", or ".join(dict.fromkeys(s))) for field, s in wanted.items()][
        :MAX_FIELD_ERRORS
    ]
