"""Links between a coach and a teacher: without one nothing can be shared, and ending it hides at once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import or_, select

from service.store.actors import Actor, require_administrator
from service.store.database import StoreSession, utc_now
from service.store.errors import ConflictError, NotAllowedError, NotFoundError
from service.store.events import record
from service.store.tables.people import Link, PersonRole, Role
from service.ulid import new_ulid


@dataclass(frozen=True)
class LinkView:
    """An active link."""

    id: str
    coach_id: str
    teacher_id: str
    created_at: datetime


def create_link(
    session: StoreSession, actor: Actor, coach_id: str, teacher_id: str, now: datetime | None = None
) -> str:
    """Link a coach and a teacher of the actor's tenant; the link's id. It shares nothing by itself.

    Raises NotAllowedError for anybody but an administrator, NotFoundError when either is not there in that role,
    ConflictError when they are linked already.
    """
    require_administrator(actor)
    _require_role(session, actor, coach_id, "coach")
    _require_role(session, actor, teacher_id, "teacher")
    if active_link(session, actor, coach_id, teacher_id) is not None:
        raise ConflictError("a coach and a teacher who are linked already", wanted="one link for two people")
    moment, link_id = now or utc_now(), new_ulid()
    session.add(
        Link(tenant_id=actor.tenant_id, id=link_id, coach_id=coach_id, teacher_id=teacher_id, created_at=moment)
    )
    record(session, actor, "link.created", link_id, person_id=teacher_id, now=moment, coach=coach_id)
    session.flush()
    return link_id


def end_link(session: StoreSession, actor: Actor, link_id: str, now: datetime | None = None) -> None:
    """End a link: either of the two or an administrator may. What was shared over it is hidden from then on."""
    link = session.get(Link, (actor.tenant_id, link_id))
    is_one_of_them = link is not None and actor.kind == "person" and actor.id in (link.coach_id, link.teacher_id)
    if link is None or not (is_one_of_them or actor.administers):
        raise NotFoundError("link")
    if link.ended_at is None:
        link.ended_at = now or utc_now()
        record(session, actor, "link.ended", link_id, person_id=link.teacher_id, now=link.ended_at)


def list_links(session: StoreSession, actor: Actor) -> list[LinkView]:
    """Active links: one's own, or all of the tenant for an administrator. In the order they were made."""
    query = select(Link).where(Link.tenant_id == actor.tenant_id, Link.ended_at.is_(None)).order_by(Link.id)
    if not actor.administers:
        query = query.where(or_(Link.coach_id == actor.id, Link.teacher_id == actor.id))
    return [LinkView(link.id, link.coach_id, link.teacher_id, link.created_at) for link in session.scalars(query)]


def active_link(session: StoreSession, actor: Actor, coach_id: str, teacher_id: str) -> Link | None:
    """The link of two people of the actor's tenant, if it is active; for one of them or an administrator."""
    if not actor.administers and actor.kind == "person" and actor.id not in (coach_id, teacher_id):
        raise NotAllowedError("a link of other people", wanted="your own")
    return session.scalar(
        select(Link).where(
            Link.tenant_id == actor.tenant_id,
            Link.coach_id == coach_id,
            Link.teacher_id == teacher_id,
            Link.ended_at.is_(None),
        )
    )


def _require_role(session: StoreSession, actor: Actor, person_id: str, role: Role) -> None:
    if session.get(PersonRole, (actor.tenant_id, person_id, role)) is None:
        raise NotFoundError(role)
