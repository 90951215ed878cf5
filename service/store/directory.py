"""The people of a tenant for those who keep them: by name, by role, and who works with whom."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, or_, select, tuple_
from sqlalchemy.orm import aliased

from recommender.errors import CaseError
from service.store.actors import Actor, require_administrator
from service.store.database import StoreSession
from service.store.pages import Page, checked_limit, page_of
from service.store.people import PersonView
from service.store.tables.people import Link, Person, PersonRole, Role


@dataclass(frozen=True)
class NamedPerson:
    """A person to choose from a list."""

    id: str
    name: str


@dataclass(frozen=True)
class Pairing:
    """An active link with the names of the two."""

    link_id: str
    coach: NamedPerson
    teacher: NamedPerson
    since: datetime


def people_by_name(
    session: StoreSession, actor: Actor, *, after: str | None = None, limit: int = 50
) -> Page[PersonView]:
    """The people of the tenant by name, those who left too; for administrators. ``after``: the last person's id.

    Raises NotAllowedError for anybody else, CaseError for a cursor no list gave out.
    """
    require_administrator(actor)
    query = (
        select(Person)
        .where(Person.tenant_id == actor.tenant_id, *_behind(session, actor, after))
        .order_by(Person.name, Person.id)
        .limit(checked_limit(limit) + 1)
    )
    rows = session.scalars(query).all()
    roles = _roles_of(session, actor, [row.id for row in rows])
    views = [
        PersonView(row.id, row.name, row.email, row.external_id, roles.get(row.id, ()), row.left_at is not None)
        for row in rows
    ]
    return page_of(views, limit, lambda person: person.id)


def people_as(session: StoreSession, actor: Actor, role: Role) -> list[NamedPerson]:
    """Everybody who has a role and has not left, by name; for administrators."""
    require_administrator(actor)
    query = (
        select(Person.id, Person.name)
        .join(PersonRole, (PersonRole.tenant_id == Person.tenant_id) & (PersonRole.person_id == Person.id))
        .where(Person.tenant_id == actor.tenant_id, PersonRole.role == role, Person.left_at.is_(None))
        .order_by(Person.name, Person.id)
    )
    return [NamedPerson(person_id, name) for person_id, name in session.execute(query)]


def pairings_of(session: StoreSession, actor: Actor, person_id: str) -> list[Pairing]:
    """The active links of a person, as coach and as teacher, by the names of the two; for administrators."""
    require_administrator(actor)
    return _pairings(session, actor, or_(Link.coach_id == person_id, Link.teacher_id == person_id))


def find_pairing(session: StoreSession, actor: Actor, link_id: str) -> Pairing | None:
    """An active link by its id, if the tenant has it; for administrators."""
    require_administrator(actor)
    return next(iter(_pairings(session, actor, Link.id == link_id)), None)


def _pairings(session: StoreSession, actor: Actor, which: ColumnElement[bool]) -> list[Pairing]:
    coach, teacher = aliased(Person), aliased(Person)
    query = (
        select(Link, coach.name, teacher.name)
        .join(coach, (coach.tenant_id == Link.tenant_id) & (coach.id == Link.coach_id))
        .join(teacher, (teacher.tenant_id == Link.tenant_id) & (teacher.id == Link.teacher_id))
        .where(Link.tenant_id == actor.tenant_id, Link.ended_at.is_(None), which)
        .order_by(coach.name, teacher.name, Link.id)
    )
    return [
        Pairing(
            link.id, NamedPerson(link.coach_id, coach_name), NamedPerson(link.teacher_id, teacher_name), link.created_at
        )
        for link, coach_name, teacher_name in session.execute(query)
    ]


def _behind(session: StoreSession, actor: Actor, after: str | None) -> list[ColumnElement[bool]]:
    if after is None:
        return []
    last = session.get(Person, (actor.tenant_id, after))
    if last is None:
        raise CaseError("a cursor no list gave out", wanted="the `next` of the part before")
    return [tuple_(Person.name, Person.id) > tuple_(last.name, last.id)]


def _roles_of(session: StoreSession, actor: Actor, people: Sequence[str]) -> dict[str, tuple[Role, ...]]:
    query = (
        select(PersonRole.person_id, PersonRole.role)
        .where(PersonRole.tenant_id == actor.tenant_id, PersonRole.person_id.in_(people))
        .order_by(PersonRole.role)
    )
    found: dict[str, tuple[Role, ...]] = {}
    for person_id, role in session.execute(query):
        found[person_id] = (*found.get(person_id, ()), role)  # type: ignore[arg-type]
    return found
