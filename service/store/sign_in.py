"""Sessions on the pages: begun, used, ended, and who the person behind a session's secret is now.

A secret is known to the person's browser alone; the tables keep its SHA-256. The functions without an actor are the
way to become one: the secret says which person of which tenant asks.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Row, and_, delete, func, or_, select, update

from service.store.actors import Actor, person_actor
from service.store.database import Database, StoreSession, utc_now
from service.store.errors import NotFoundError, StoreUnavailableError
from service.store.events import record
from service.store.keys import key_hash
from service.store.tables.people import Person, Tenant
from service.store.tables.sign_in import PageSession, SignInLink, SignInMethod
from service.ulid import new_ulid

SECRET_BYTES = 32
# A school day and its evening: a computer in a staff room that nobody used over night is signed out.
IDLE = timedelta(hours=12)
# A working week, however much it is used: a stolen cookie does not live on.
LONGEST = timedelta(days=7)
# Two machines' clocks may differ by this much. What was made later than that from now was made under a wrong clock.
CLOCK_SKEW = timedelta(minutes=5)
# Each page would be a write otherwise.
SEEN_EVERY = timedelta(minutes=1)
KEPT_AFTER_END = timedelta(days=30)


@dataclass(frozen=True)
class NewPageSession:
    """A session at the only moment its secret is known. The secret is left out of its text."""

    id: str
    secret: str
    tenant_id: str
    person_id: str
    expires_at: datetime

    def __repr__(self) -> str:
        return f"NewPageSession(id={self.id!r}, secret='***')"


@dataclass(frozen=True)
class ResumedSession:
    """Who is behind a session's secret at this moment. ``expires_at``: when it ends if it is not used before."""

    id: str
    actor: Actor
    name: str
    tenant_name: str
    is_demo: bool
    seen_at: datetime
    expires_at: datetime


@dataclass(frozen=True)
class SignInView:
    """A time a person signed in, as they may see it."""

    how: str
    created_at: datetime
    seen_at: datetime
    expires_at: datetime
    ended_at: datetime | None


def begin_session(
    session: StoreSession, tenant_id: str, person_id: str, how: SignInMethod, now: datetime | None = None
) -> NewPageSession:
    """Begin a session of a person who proved who they are; always with a new secret.

    Raises NotFoundError for somebody who is not in the tenant or has left.
    """
    moment, secret, session_id = now or utc_now(), secrets.token_urlsafe(SECRET_BYTES), new_ulid()
    person = person_actor(session, tenant_id, person_id)
    session.add(
        PageSession(
            tenant_id=tenant_id,
            id=session_id,
            person_id=person_id,
            token_hash=key_hash(secret),
            how=how,
            created_at=moment,
            seen_at=moment,
            expires_at=moment + LONGEST,
        )
    )
    record(session, person, "sign_in.begun", session_id, person_id=person_id, now=moment, how=how)
    session.flush()
    return NewPageSession(session_id, secret, tenant_id, person_id, moment + LONGEST)


def resume(session: StoreSession, secret: str, now: datetime | None = None) -> ResumedSession | None:
    """Who is behind a session's secret, with the roles of this moment; None when it is unknown, over or ended.

    A session is over 12 hours after it was last used and 7 days after it began. One that began more than 5 minutes from
    now was made under a wrong clock and is not valid either.
    """
    moment = now or utc_now()
    found = session.execute(
        select(PageSession, Person.name, Tenant.name.label("tenant_name"), Tenant.is_demo)
        .join(Person, and_(Person.tenant_id == PageSession.tenant_id, Person.id == PageSession.person_id))
        .join(Tenant, Tenant.id == PageSession.tenant_id)
        .where(PageSession.token_hash == key_hash(secret), *_is_valid(moment))
    ).one_or_none()
    if found is None:
        return None
    row: PageSession = found[0]
    try:
        actor = person_actor(session, row.tenant_id, row.person_id)
    except NotFoundError:
        return None
    ends = min(row.seen_at + IDLE, row.expires_at)
    return ResumedSession(row.id, actor, found.name, found.tenant_name, found.is_demo, row.seen_at, ends)


def touch(database: Database, resumed: ResumedSession, now: datetime | None = None) -> None:
    """Note that a session is in use, at most once a minute. A busy database is no reason to fail: it is left out.

    What was noted under a clock that was ahead is set right.
    """
    moment = now or utc_now()
    if abs(moment - resumed.seen_at) < SEEN_EVERY:
        return
    with suppress(StoreUnavailableError), database.write() as session:
        session.execute(
            update(PageSession)
            .where(
                PageSession.tenant_id == resumed.actor.tenant_id,
                PageSession.id == resumed.id,
                or_(PageSession.seen_at < moment, PageSession.seen_at > moment + CLOCK_SKEW),
                *_is_valid(moment),
            )
            .values(seen_at=moment)
            .execution_options(synchronize_session=False)
        )


def end_session(session: StoreSession, secret: str, now: datetime | None = None) -> bool:
    """Sign out: end the session of a secret at once. False when there is no such session or it ended before."""
    moment = now or utc_now()
    ended = _end(session, PageSession.token_hash == key_hash(secret), moment)
    for row in ended:
        person = Actor(row.tenant_id, "person", row.person_id)
        record(session, person, "sign_in.ended", row.id, person_id=row.person_id, now=moment)
    return bool(ended)


def end_sessions_of(session: StoreSession, actor: Actor, person_id: str, now: datetime | None = None) -> int:
    """Sign a person out everywhere and end their unused links; how many sessions. For themselves and administrators.

    Raises NotFoundError for anybody else, and for somebody who is not in the tenant.
    """
    is_theirs = actor.administers or (actor.kind == "person" and actor.id == person_id)
    if not is_theirs or session.get(Person, (actor.tenant_id, person_id)) is None:
        raise NotFoundError("person")
    moment = now or utc_now()
    end_unused_links(session, actor.tenant_id, person_id)
    of_person = and_(PageSession.tenant_id == actor.tenant_id, PageSession.person_id == person_id)
    ended = _end(session, of_person, moment)
    for row in ended:
        record(session, actor, "sign_in.ended", row.id, person_id=person_id, now=moment)
    return len(ended)


def end_unused_links(session: StoreSession, tenant_id: str, person_id: str) -> None:
    """Delete the links of a person that nobody used yet: whatever the clock says later, they are no use."""
    session.execute(
        delete(SignInLink).where(
            SignInLink.tenant_id == tenant_id, SignInLink.person_id == person_id, SignInLink.used_at.is_(None)
        )
    )


def sign_ins_of(session: StoreSession, actor: Actor, person_id: str) -> list[SignInView]:
    """When and how a person signed in, newest first; for the person and the operator, empty for anybody else."""
    if actor.kind != "operator" and (actor.kind != "person" or actor.id != person_id):
        return []
    rows = session.scalars(
        select(PageSession)
        .where(PageSession.tenant_id == actor.tenant_id, PageSession.person_id == person_id)
        .order_by(PageSession.created_at.desc(), PageSession.id.desc())
    )
    return [SignInView(row.how, row.created_at, row.seen_at, row.expires_at, row.ended_at) for row in rows]


def forget_old_sign_ins(session: StoreSession, tenant_id: str, now: datetime) -> None:
    """Delete what ended or was over 30 days ago, and what was made under a clock that was ahead: its day would come."""
    cutoff, ahead = now - KEPT_AFTER_END, now + CLOCK_SKEW
    for table, over in (
        (PageSession, func.coalesce(PageSession.ended_at, PageSession.expires_at)),
        (SignInLink, func.coalesce(SignInLink.used_at, SignInLink.expires_at)),
    ):
        session.execute(delete(table).where(table.tenant_id == tenant_id, or_(over < cutoff, table.created_at > ahead)))


def _is_valid(now: datetime) -> tuple[ColumnElement[bool], ...]:
    return (
        PageSession.ended_at.is_(None),
        PageSession.expires_at > now,
        PageSession.seen_at > now - IDLE,
        PageSession.created_at > now - LONGEST,
        PageSession.created_at <= now + CLOCK_SKEW,
    )


def _end(session: StoreSession, which: ColumnElement[bool], now: datetime) -> Sequence[Row[str, str, str]]:
    return session.execute(
        update(PageSession)
        .where(which, PageSession.ended_at.is_(None))
        .values(ended_at=now)
        .returning(PageSession.id, PageSession.tenant_id, PageSession.person_id)
        .execution_options(synchronize_session=False)
    ).all()
