"""The record of who did what: added to, never changed, and without a word anybody wrote."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import ColumnElement, UnaryExpression, select, true, union

from service.store.actors import Actor
from service.store.database import StoreSession, utc_now
from service.store.errors import StoreError
from service.store.tables.events import Event
from service.ulid import new_ulid

Action = Literal[
    "tenant.created", "tenant.contact_changed", "tenant.retention_changed",
    "tenant.consent_given", "tenant.consent_withdrawn",
    "person.created", "person.left", "person.deleted", "person.exported",
    "link.created", "link.ended", "key.created", "key.rotated", "key.revoked",
    "case.created", "case.ranked", "case.shared", "case.revoked", "case.deleted",
    "choice.made", "review.made", "cycle.started", "cycle.ended", "cycle.shared", "cycle.revoked",
    "check_in.made", "follow_up.made", "scores.imported", "norms.fitted", "texts.expired",
    "contest.raised", "contest.answered", "alert.raised", "alert.seen",
    "consent.given", "consent.withdrawn",
    "sign_in.link_issued", "sign_in.begun", "sign_in.ended",
]  # fmt: skip
# Ids, slugs, versions and dates. A space would be the beginning of a sentence.
_FACT = re.compile(r"[A-Za-z0-9_.:+-]{0,80}")


@dataclass(frozen=True)
class EventView:
    """One event as it may be read."""

    id: str
    at: datetime
    actor_kind: str
    actor_id: str
    action: str
    subject_kind: str
    subject_id: str
    facts: Mapping[str, Any]


def record(
    session: StoreSession,
    actor: Actor,
    action: Action,
    subject_id: str,
    *,
    person_id: str | None = None,
    now: datetime | None = None,
    **facts: str | float | bool | None,
) -> None:
    """Add an event in the transaction of what it is about. ``person_id`` is the person it concerns.

    Raises StoreError for a fact that could be a text.
    """
    refuse_text(facts)
    session.add(
        Event(
            tenant_id=actor.tenant_id,
            id=new_ulid(),
            at=now or utc_now(),
            actor_kind=actor.kind,
            actor_id=actor.id,
            action=action,
            subject_kind=action.partition(".")[0],
            subject_id=subject_id,
            person_id=person_id,
            facts=dict(facts),
        )
    )


def refuse_text(value: Any) -> None:
    """Raises StoreError when a value, or a part of it, could be something a person wrote."""
    if isinstance(value, Mapping):
        refuse_text([*value.keys(), *value.values()])
    elif isinstance(value, Sequence) and not isinstance(value, str):
        for part in value:
            refuse_text(part)
    elif not (value is None or isinstance(value, int | float) or (isinstance(value, str) and _FACT.fullmatch(value))):
        raise StoreError("a text among facts", wanted="ids, slugs and numbers")


def events_about(
    session: StoreSession, actor: Actor, person_id: str, *, after: str = "", limit: int = 100
) -> list[EventView]:
    """What a person did and what concerns them, oldest first, from behind the event ``after``.

    Only the person and the operator may read it: for anybody else it is empty.
    """
    if not _may_read(actor, person_id):
        return []
    return _about(session, actor, person_id, Event.id > after, Event.id.asc(), limit)


def latest_events_about(session: StoreSession, actor: Actor, person_id: str, limit: int = 100) -> list[EventView]:
    """The latest of what ``events_about`` tells, newest first; empty for anybody who may not read it."""
    if not _may_read(actor, person_id):
        return []
    return _about(session, actor, person_id, true(), Event.id.desc(), limit)


def _may_read(actor: Actor, person_id: str) -> bool:
    return actor.kind == "operator" or (actor.kind == "person" and actor.id == person_id)


def _about(
    session: StoreSession,
    actor: Actor,
    person_id: str,
    which: ColumnElement[bool],
    order: UnaryExpression[str],
    limit: int,
) -> list[EventView]:
    # Either part is read along its own index and ends at the limit; one condition for both would sort all of them.
    parts = [
        select(Event.id).where(Event.tenant_id == actor.tenant_id, concerns, which).order_by(order).limit(limit)
        for concerns in (Event.person_id == person_id, Event.actor_id == person_id)
    ]
    ids = union(*(select(part.subquery().c.id) for part in parts))
    query = select(Event).where(Event.tenant_id == actor.tenant_id, Event.id.in_(ids)).order_by(order).limit(limit)
    return [
        EventView(e.id, e.at, e.actor_kind, e.actor_id, e.action, e.subject_kind, e.subject_id, e.facts)
        for e in session.scalars(query)
    ]
