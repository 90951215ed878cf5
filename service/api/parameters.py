"""What a request carries beside its body: ids in its address, parts of lists, idempotency keys, entity tags."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends, Header, Path, Query, Response

from service.api.answers import Made
from service.api.bodies import JSON
from service.api.sent import ULID_PATTERN
from service.problems import Problem
from service.store.idempotency import MAX_KEY_CHARACTERS
from service.store.pages import CURSOR_PATTERN, MAX_LIMIT
from service.store.tables.base import ID_CHARACTERS

DEFAULT_LIMIT = 20
CURSOR_CHARACTERS = 42
_ULID = re.compile(ULID_PATTERN)
_TAG = re.compile(r'(?:W/)?"([^"]*)"')
_ID_SCHEMA = {"pattern": ULID_PATTERN, "minLength": ID_CHARACTERS, "maxLength": ID_CHARACTERS}

NOT_CHANGED: dict[int | str, dict[str, Any]] = {304: {"description": "Nothing has changed since"}}
TAG_HEADER = {"ETag": {"description": "Tag of this state, for If-None-Match.", "schema": {"type": "string"}}}


def _row_id(row_id: str) -> str:
    """An id, if it can be one; what cannot is unknown like any other. Raises Problem ``not-found``."""
    if len(row_id) != ID_CHARACTERS or not _ULID.match(row_id):
        raise Problem("not-found")
    return row_id


def _id_in_path(row_id: Annotated[str, Path(alias="id", json_schema_extra=_ID_SCHEMA)]) -> str:
    return _row_id(row_id)


def _case_in_query(
    case_id: Annotated[str, Query(alias="case", description="Id of the case.", json_schema_extra=_ID_SCHEMA)],
) -> str:
    return _row_id(case_id)


@dataclass(frozen=True)
class ListPart:
    """Which part of a list is asked for."""

    after: str | None
    limit: int


def _list_part(
    after: Annotated[
        str | None,
        Query(
            pattern=CURSOR_PATTERN,
            min_length=CURSOR_CHARACTERS,
            max_length=CURSOR_CHARACTERS,
            description="`next` of the part before.",
        ),
    ] = None,
    limit: Annotated[int, Query(ge=1, le=MAX_LIMIT, description="Most items in this part.")] = DEFAULT_LIMIT,
) -> ListPart:
    return ListPart(after, limit)


def _idempotency_key(
    key: Annotated[
        str | None,
        Header(
            alias="Idempotency-Key",
            min_length=1,
            max_length=MAX_KEY_CHARACTERS,
            pattern="^[!-~]+$",
            description="A text of the app's own: sent again within a week, the request is the same and makes nothing.",
        ),
    ] = None,
) -> str | None:
    return key


def _if_none_match(
    tags: Annotated[
        str | None, Header(alias="If-None-Match", description="ETags the app has; 304 when one still holds.")
    ] = None,
) -> str:
    return tags or ""


IdInPath = Annotated[str, Depends(_id_in_path)]
CaseInQuery = Annotated[str, Depends(_case_in_query)]
AskedPart = Annotated[ListPart, Depends(_list_part)]
IdempotencyKey = Annotated[str | None, Depends(_idempotency_key)]
KnownTags = Annotated[str, Depends(_if_none_match)]


def made(made_id: str, address: str | None = None) -> Response:
    """201 with the id of what was made, and its address where it has one of its own."""
    headers = None if address is None else {"Location": address}
    return Response(Made(id=made_id).model_dump_json(), 201, headers, JSON)


def tagged(content: str, known: str, version: str | None = None) -> Response:
    """JSON with an ETag, or 304 without content when ``known``, an If-None-Match header, holds the tag.

    The tag is made of the content; of ``version``, weak, when what is asked for changes only with it.
    """
    value = version or hashlib.sha256(content.encode()).hexdigest()[:32]
    tag = f'W/"{value}"' if version else f'"{value}"'
    headers = {"ETag": tag}
    if known.strip() == "*" or value in _TAG.findall(known):
        return Response(status_code=304, headers=headers)
    return Response(content, media_type=JSON, headers=headers)
