"""The only door to the texts people wrote: redacted on the way in, sealed where there is a key, deleted for good."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from sqlalchemy import ColumnElement, delete, literal, or_, select, tuple_

from service.store.database import StoreSession, utc_now
from service.store.redaction import redact
from service.store.tables.texts import StoredText, SubjectKind, TextField
from service.ulid import new_ulid

# Bounds the parameters of one statement and the memory of one step.
ROWS_A_STEP = 500


@dataclass(frozen=True)
class Place:
    """Where a text belongs: a field of a subject of a tenant."""

    tenant_id: str
    subject_kind: SubjectKind
    subject_id: str
    field: TextField

    def __str__(self) -> str:
        return f"{self.tenant_id}/{self.subject_kind}/{self.subject_id}/{self.field}"


def write_texts(session: StoreSession, place: Place, texts: Sequence[str], now: datetime | None = None) -> None:
    """Store the texts of a place, redacted; nothing is stored when all are empty."""
    if any(texts):
        session.add(_sealed(session, place, texts, now or utc_now()))


def _sealed(session: StoreSession, place: Place, texts: Sequence[str], now: datetime) -> StoredText:
    content = json.dumps([redact(text) for text in texts], ensure_ascii=False).encode()
    key_id, sealed = session.text_keys.seal(content, str(place))
    return StoredText(
        tenant_id=place.tenant_id,
        id=new_ulid(),
        subject_kind=place.subject_kind,
        subject_id=place.subject_id,
        field=place.field,
        key_id=key_id,
        content=sealed,
        written_at=now,
    )


def read_texts(session: StoreSession, place: Place) -> list[str] | None:
    """The texts of a place; None when there are none, or when they were deleted.

    Raises StoreError when the key they are sealed with is not here.
    """
    found = read_many(session, place.tenant_id, place.subject_kind, [place.subject_id])
    return found.get((place.subject_id, place.field))


def read_text(session: StoreSession, place: Place) -> str | None:
    """The one text of a place, as ``read_texts``."""
    texts = read_texts(session, place)
    return texts[0] if texts else None


def read_many(
    session: StoreSession, tenant_id: str, kind: SubjectKind, subject_ids: Iterable[str]
) -> dict[tuple[str, TextField], list[str]]:
    """Texts by (subject, field) of many subjects of a kind. The caller has checked that they may be seen."""
    found: dict[tuple[str, TextField], list[str]] = {}
    for ids in in_steps(subject_ids):
        rows = session.scalars(select(StoredText).where(*_of(tenant_id, kind, ids)))
        for row in rows:
            place = _place(row)
            content = session.text_keys.open(row.key_id, row.content, str(place))
            found[row.subject_id, place.field] = json.loads(content)
    return found


def delete_texts(
    session: StoreSession, tenant_id: str, kind: SubjectKind, subject_ids: Iterable[str], *, for_good: bool = True
) -> int:
    """Delete every text of the subjects; how many there were.

    ``for_good`` False is for texts that others take the place of at once: the database's log may hold them a while.
    """
    deleted = 0
    for ids in in_steps(subject_ids):
        gone = session.execute(delete(StoredText).where(*_of(tenant_id, kind, ids)).returning(StoredText.id))
        deleted += len(gone.all())
    session.has_deleted_texts |= for_good and deleted > 0
    return deleted


def rotate_texts(session: StoreSession) -> int:
    """Seal every text of every tenant with the current key; how many were sealed anew.

    Raises StoreError when a text's own key is not here; nothing is changed then.
    """
    current, changed, last = session.text_keys.current, 0, ("", "")
    other = StoredText.key_id.is_not(None) if current is None else _not_sealed_with(current)
    place_in_order = tuple_(StoredText.tenant_id, StoredText.id)
    while True:
        step = select(StoredText).where(other, place_in_order > tuple_(*map(literal, last)))
        rows = session.scalars(step.order_by(StoredText.tenant_id, StoredText.id).limit(ROWS_A_STEP)).all()
        if not rows:
            # What stood there before may have been readable.
            session.has_deleted_texts |= changed > 0
            return changed
        for row in rows:
            place = str(_place(row))
            content = session.text_keys.open(row.key_id, row.content, place)
            row.key_id, row.content = session.text_keys.seal(content, place)
        session.flush()
        changed, last = changed + len(rows), (rows[-1].tenant_id, rows[-1].id)


def _not_sealed_with(key_id: str) -> ColumnElement[bool]:
    return or_(StoredText.key_id.is_(None), StoredText.key_id != key_id)


def _place(row: StoredText) -> Place:
    return Place(row.tenant_id, row.subject_kind, row.subject_id, row.field)  # type: ignore[arg-type]


def _of(tenant_id: str, kind: SubjectKind, ids: Sequence[str]) -> tuple[ColumnElement[bool], ...]:
    return StoredText.tenant_id == tenant_id, StoredText.subject_kind == kind, StoredText.subject_id.in_(ids)


def in_steps(ids: Iterable[str]) -> Iterator[list[str]]:
    """Ids in lists of at most ``ROWS_A_STEP``."""
    waiting = iter(ids)
    while step := list(islice(waiting, ROWS_A_STEP)):
        yield step
