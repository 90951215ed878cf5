"""Safeguarding alerts: that a text may have been about someone's safety, told to the lead without a word of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import aliased

from service.store.actors import Actor
from service.store.database import StoreSession, utc_now
from service.store.errors import NotAllowedError, NotFoundError
from service.store.events import record
from service.store.pages import Page, before, checked_limit, cursor_of, page_of
from service.store.tables.care import Alert
from service.store.tables.cases import Case
from service.store.tables.people import Person
from service.store.visibility import own
from service.ulid import new_ulid


@dataclass(frozen=True)
class AlertLine:
    """An alert as the lead sees it: whom to talk to. ``seen_at`` None: nobody has looked; the case stays closed."""

    id: str
    person_id: str
    person_name: str
    raised_at: datetime
    seen_at: datetime | None
    seen_by_name: str | None


@dataclass(frozen=True)
class AlertView:
    """An alert as the person it is about may read it."""

    id: str
    case_id: str | None
    raised_at: datetime
    seen_at: datetime | None


def raise_alert(
    session: StoreSession, actor: Actor, person_id: str, case_id: str | None = None, now: datetime | None = None
) -> str:
    """Tell the safeguarding lead that a text of a person may be about someone's safety; the alert's id.

    For the person themself, or the app that sent their case. Raises NotFoundError for another person or a case that is
    not theirs, NotAllowedError for an app whose key may not write.
    """
    moment = now or utc_now()
    _require_theirs(session, actor, person_id, case_id)
    alert = Alert(
        tenant_id=actor.tenant_id, id=new_ulid(), person_id=person_id, case_id=case_id, raised_at=moment
    )  # fmt: skip
    session.add(alert)
    session.flush()
    record(session, actor, "alert.raised", alert.id, person_id=person_id, now=moment, case=case_id)
    return alert.id


def list_alerts(session: StoreSession, actor: Actor, after: str | None = None, limit: int = 20) -> Page[AlertLine]:
    """All alerts of the tenant, latest first, for a safeguarding lead. Raises NotAllowedError for anybody else."""
    _require_lead(actor)
    teacher, lead = aliased(Person), aliased(Person)
    query = (
        select(Alert, teacher.name, lead.name)
        .join(teacher, (teacher.tenant_id == Alert.tenant_id) & (teacher.id == Alert.person_id))
        .outerjoin(lead, (lead.tenant_id == Alert.tenant_id) & (lead.id == Alert.seen_by))
        .where(Alert.tenant_id == actor.tenant_id, *before(after, Alert.raised_at, Alert.id))
        .order_by(Alert.raised_at.desc(), Alert.id.desc())
        .limit(checked_limit(limit) + 1)
    )
    lines = [
        AlertLine(alert.id, alert.person_id, name, alert.raised_at, alert.seen_at, seen_by)
        for alert, name, seen_by in session.execute(query)
    ]
    return page_of(lines, limit, lambda line: cursor_of(line.raised_at, line.id))


def mark_seen(session: StoreSession, actor: Actor, alert_id: str, now: datetime | None = None) -> None:
    """Say that a safeguarding lead has looked at an alert; who did it first stays.

    Raises NotAllowedError for anybody else, NotFoundError for an alert of another tenant.
    """
    _require_lead(actor)
    # Two leads at once: the second waits and finds it seen. SQLite lets one in at a time anyway.
    alert = session.get(Alert, (actor.tenant_id, alert_id), with_for_update=True)
    if alert is None:
        raise NotFoundError("alert")
    if alert.seen_at is None:
        alert.seen_at, alert.seen_by = now or utc_now(), actor.id
        session.flush()
        record(session, actor, "alert.seen", alert_id, person_id=alert.person_id, now=alert.seen_at)


def own_alerts(session: StoreSession, actor: Actor) -> list[AlertView]:
    """The alerts about the person who asks, oldest first; empty for anybody who is no person."""
    if actor.kind != "person":
        return []
    rows = session.scalars(
        select(Alert)
        .where(Alert.tenant_id == actor.tenant_id, Alert.person_id == actor.id)
        .order_by(Alert.raised_at, Alert.id)
    )
    return [AlertView(row.id, row.case_id, row.raised_at, row.seen_at) for row in rows]


def _require_theirs(session: StoreSession, actor: Actor, person_id: str, case_id: str | None) -> None:
    if case_id is not None:
        if own(session, actor, Case, case_id).teacher_id != person_id:
            raise NotFoundError("case")
    elif actor.kind != "person" or actor.id != person_id:
        raise NotFoundError("person")


def _require_lead(actor: Actor) -> None:
    if actor.kind != "person" or "safeguarding" not in actor.roles:
        raise NotAllowedError("somebody else", wanted="a safeguarding lead of the tenant")
