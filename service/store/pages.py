"""Long lists in parts: each part names where the next one begins, so that no part costs more than the first."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Generic, TypeVar

from sqlalchemy import ColumnElement, literal, tuple_

from recommender.errors import CaseError

MAX_LIMIT = 200
# Microseconds since 1970 and a ULID: every such text is a cursor, and none needs escaping in an address.
CURSOR_PATTERN = r"^[0-9]{16}[0-9A-HJKMNP-TV-Z]{26}$"
_CURSOR = re.compile(r"([0-9]{16})([0-9A-HJKMNP-TV-Z]{26})")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
Item = TypeVar("Item")


@dataclass(frozen=True)
class Page(Generic[Item]):
    """A part of a list; ``next`` goes into the ``after`` of the next call and is None at the end."""

    items: list[Item]
    next: str | None


def checked_limit(limit: int) -> int:
    """Raises CaseError for a part larger than may be asked for."""
    if not 1 <= limit <= MAX_LIMIT:
        raise CaseError(f"a limit of {limit}", wanted=f"1 to {MAX_LIMIT}")
    return limit


def cursor_of(moment: datetime, row_id: str) -> str:
    """Where a list ordered by time and id goes on."""
    return f"{(moment - _EPOCH) // timedelta(microseconds=1):016d}{row_id}"


def behind(cursor: str | None, moment: Any, row_id: Any) -> list[ColumnElement[bool]]:
    """Condition for rows later than a cursor. Raises CaseError for one that no list gave out."""
    if cursor is None:
        return []
    return [tuple_(moment, row_id) > tuple_(*_read(cursor, moment, row_id))]


def before(cursor: str | None, moment: Any, row_id: Any) -> list[ColumnElement[bool]]:
    """Condition for rows earlier than a cursor, for lists that begin with the latest."""
    if cursor is None:
        return []
    return [tuple_(moment, row_id) < tuple_(*_read(cursor, moment, row_id))]


def _read(cursor: str, moment: Any, row_id: Any) -> tuple[Any, Any]:
    found = _CURSOR.fullmatch(cursor)
    if found is None:
        raise CaseError("a cursor no list gave out", wanted="the `next` of the part before", where="after")
    at = _EPOCH + timedelta(microseconds=int(found[1]))
    return literal(at, moment.type), literal(found[2], row_id.type)


def page_of(rows: list[Item], limit: int, cursor: Any) -> Page[Item]:
    """A page of rows that were asked for with one more than ``limit``; ``cursor`` makes one of an item."""
    items = rows[:limit]
    return Page(items, cursor(items[-1]) if len(rows) > limit else None)
