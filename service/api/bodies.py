"""JSON bodies, read more strictly than Python does, and cases out of them."""

from __future__ import annotations

import json
import re
from email.message import Message
from typing import Annotated, Any, NoReturn

from fastapi import Depends, Request
from pydantic import ValidationError

from recommender.cases import Case, Context, Observation, lower_first
from service.api.state import ServiceSettings
from service.limits import read_body
from service.problems import FieldError, Problem

MAX_FIELD_ERRORS = 20
# Only these appear in an error's path: any other name in a body is the client's text.
KNOWN_FIELDS = frozenset({*Case.model_fields, *Context.model_fields, *Observation.model_fields})
_ESCAPED_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")
_WANTED = {
    "extra_forbidden": "only the documented fields",
    "model_type": "a JSON object",
    "missing": "a value",
}


async def json_body(request: Request, settings: ServiceSettings) -> bytes:
    """The bytes of a body that says it is JSON. Raises Problem for another media type, size or pace."""
    if not _says_json(request):
        raise Problem("unsupported-media-type")
    return await read_body(request, settings.request_timeout_seconds)


JsonBody = Annotated[bytes, Depends(json_body)]


def _says_json(request: Request) -> bool:
    header = Message()
    header["content-type"] = request.headers.get("content-type", "")
    charset = str(header.get_param("charset", "utf-8")).lower()
    encoding = request.headers.get("content-encoding", "identity").lower()
    return header.get_content_type() == "application/json" and charset in {"utf-8", "utf8"} and encoding == "identity"


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
    try:
        return Case.model_validate(value)
    except ValidationError as error:
        raise Problem("invalid-case", errors=field_errors(error)) from None


def field_errors(error: ValidationError) -> list[FieldError]:
    """Where a case is wrong and what is wanted; a field that may have two types is named once."""
    wanted: dict[str, list[str]] = {}
    for problem in error.errors(include_url=False, include_context=False, include_input=False):
        field = ".".join(str(part) for part in problem["loc"] if isinstance(part, int) or part in KNOWN_FIELDS)
        sentence = _WANTED.get(problem["type"]) or lower_first(problem["msg"]).removeprefix("input should be ")
        wanted.setdefault(field or "the whole case", []).append(sentence)
    return [FieldError(field=field, wanted=", or ".join(dict.fromkeys(s))) for field, s in wanted.items()][
        :MAX_FIELD_ERRORS
    ]
