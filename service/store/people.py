"""Tenants, the people in them and what they may be."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import exists, or_, select

from recommender.errors import CaseError
from service.store.actors import OPERATOR_ID, Actor, require_administrator
from service.store.database import StoreSession, utc_now
from service.store.errors import NotFoundError
from service.store.events import record
from service.store.pages import Page, checked_limit
from service.store.tables.base import MAX_NAME_CHARACTERS
from service.store.tables.people import ROLES, Link, Person, PersonRole, Role, Tenant
from service.ulid import new_ulid

MAX_CONTACT_CHARACTERS = 300
MAX_RETENTION_MONTHS = 120


@dataclass(frozen=True)
class TenantView:
    """A tenant as its own people may see it."""

    id: str
    name: str
    safeguarding_contact: str | None
    retention_months: int | None


@dataclass(frozen=True)
class PersonView:
    """A person as somebody who works with them may see them."""

    id: str
    name: str
    email: str | None
    external_id: str | None
    roles: tuple[Role, ...]
    has_left: bool


def create_tenant(
    session: StoreSession,
    name: str,
    *,
    safeguarding_contact: str | None = None,
    retention_months: int | None = None,
    is_demo: bool = False,
    now: datetime | None = None,
) -> str:
    """Create a tenant; its id. ``retention_months`` None leaves the setting in charge; a demo's people are made up.

    Raises CaseError for an empty or overlong name, ConflictError for a name that is taken.
    """
    moment, tenant_id = now or utc_now(), new_ulid()
    session.add(
        Tenant(
            id=tenant_id,
            name=_checked_name(name),
            created_at=moment,
            safeguarding_contact=safeguarding_contact,
            retention_months=retention_months,
            is_demo=is_demo,
        )
    )
    session.flush()
    record(session, Actor(tenant_id, "operator", OPERATOR_ID), "tenant.created", tenant_id, now=moment)
    return tenant_id


def find_tenant(session: StoreSession, name: str) -> str:
    """A tenant's id by its name or id, for the operator. Raises NotFoundError."""
    found = session.scalar(select(Tenant.id).where(or_(Tenant.name == name, Tenant.id == name)))
    if found is None:
        raise NotFoundError("tenant")
    return found


def get_tenant(session: StoreSession, actor: Actor) -> TenantView:
    """The actor's own tenant."""
    tenant = session.get_one(Tenant, actor.tenant_id)
    return TenantView(tenant.id, tenant.name, tenant.safeguarding_contact, tenant.retention_months)


def change_contact(session: StoreSession, actor: Actor, contact: str | None, now: datetime | None = None) -> None:
    """Say whom a safeguarding message names; None or nothing leaves the setting in charge.

    Raises NotAllowedError for anybody but an administrator, CaseError for a contact that cannot be used.
    """
    require_administrator(actor)
    contact = " ".join((contact or "").split()) or None
    if contact is not None and not (3 <= len(contact) <= MAX_CONTACT_CHARACTERS and contact.isprintable()):
        raise CaseError(
            f"a contact of {len(contact)} characters",
            wanted=f"3 to {MAX_CONTACT_CHARACTERS} printable ones",
            where="safeguarding_contact",
        )
    tenant = session.get_one(Tenant, actor.tenant_id)
    if tenant.safeguarding_contact != contact:
        tenant.safeguarding_contact = contact
        record(session, actor, "tenant.contact_changed", tenant.id, now=now or utc_now())


def change_retention(session: StoreSession, actor: Actor, months: int | None, now: datetime | None = None) -> None:
    """Say how many months texts are kept after the end of their cycle; None leaves the setting in charge.

    Raises NotAllowedError for anybody but an administrator, CaseError for what is not 1 to 120.
    """
    require_administrator(actor)
    if months is not None and not 1 <= months <= MAX_RETENTION_MONTHS:
        raise CaseError(f"{months} months", wanted=f"1 to {MAX_RETENTION_MONTHS}", where="retention_months")
    tenant = session.get_one(Tenant, actor.tenant_id)
    if tenant.retention_months != months:
        tenant.retention_months = months
        record(session, actor, "tenant.retention_changed", tenant.id, now=now or utc_now(), months=months)


def create_person(
    session: StoreSession,
    actor: Actor,
    name: str,
    roles: Collection[Role],
    *,
    email: str | None = None,
    external_id: str | None = None,
    now: datetime | None = None,
) -> str:
    """Create a person of the actor's tenant; their id. ``external_id`` joins observation files and apps.

    Raises NotAllowedError for anybody but an administrator, CaseError for no role or an unknown one, ConflictError for
    an e-mail or external id that is taken.
    """
    require_administrator(actor)
    if not roles or not set(roles) <= set(ROLES):
        raise CaseError("no role or an unknown one", wanted=f"one of {', '.join(ROLES)}", where="roles")
    moment, person_id = now or utc_now(), new_ulid()
    session.add(
        Person(
            tenant_id=actor.tenant_id,
            id=person_id,
            name=_checked_name(name),
            email=None if email is None else _checked_email(email),
            external_id=None if external_id is None else _checked_name(external_id, "external_id"),
            created_at=moment,
        )
    )
    session.flush()
    for role in sorted(set(roles)):
        session.add(PersonRole(tenant_id=actor.tenant_id, person_id=person_id, role=role))
    record(session, actor, "person.created", person_id, person_id=person_id, now=moment)
    session.flush()
    return person_id


def mark_left(session: StoreSession, actor: Actor, person_id: str, now: datetime | None = None) -> None:
    """Let a person act no more and end their links; what is theirs stays until retention or deletion."""
    require_administrator(actor)
    moment, person = now or utc_now(), _row(session, actor, person_id)
    person.left_at = person.left_at or moment
    links = select(Link).where(
        Link.tenant_id == actor.tenant_id,
        or_(Link.coach_id == person_id, Link.teacher_id == person_id),
        Link.ended_at.is_(None),
    )
    for link in session.scalars(links):
        link.ended_at = moment
    record(session, actor, "person.left", person_id, person_id=person_id, now=moment)


def get_person(session: StoreSession, actor: Actor, person_id: str) -> PersonView:
    """A person: oneself, somebody one is linked with, anybody of the tenant for an administrator.

    Raises NotFoundError otherwise.
    """
    if not actor.administers and person_id != actor.id and not _are_linked(session, actor, person_id):
        raise NotFoundError("person")
    return _view(session, _row(session, actor, person_id))


def list_people(session: StoreSession, actor: Actor, *, after: str | None = None, limit: int = 50) -> Page[PersonView]:
    """The people of the tenant by id, which is by the time they came; for administrators."""
    require_administrator(actor)
    query = select(Person).where(Person.tenant_id == actor.tenant_id, Person.id > (after or "")).order_by(Person.id)
    rows = session.scalars(query.limit(checked_limit(limit) + 1)).all()
    items = [_view(session, row) for row in rows[:limit]]
    return Page(items, items[-1].id if len(rows) > limit else None)


def person_with_external_id(session: StoreSession, tenant_id: str, external_id: str) -> str | None:
    """Id of the person an app or a file names, if there is one in the tenant."""
    return session.scalar(
        select(Person.id).where(
            Person.tenant_id == tenant_id, Person.external_id == external_id, Person.left_at.is_(None)
        )
    )


def external_ids(session: StoreSession, tenant_id: str, person_ids: Collection[str]) -> dict[str, str]:
    """What apps and files call people, by id; people without such a name are left out. The caller may see them."""
    query = select(Person.id, Person.external_id).where(
        Person.tenant_id == tenant_id, Person.id.in_(person_ids), Person.external_id.is_not(None)
    )
    return {row.id: row.external_id for row in session.execute(query)}


def _row(session: StoreSession, actor: Actor, person_id: str) -> Person:
    person = session.get(Person, (actor.tenant_id, person_id))
    if person is None:
        raise NotFoundError("person")
    return person


def _view(session: StoreSession, person: Person) -> PersonView:
    roles = session.scalars(
        select(PersonRole.role)
        .where(PersonRole.tenant_id == person.tenant_id, PersonRole.person_id == person.id)
        .order_by(PersonRole.role)
    )
    known: tuple[Role, ...] = tuple(roles.all())  # type: ignore[arg-type]
    return PersonView(person.id, person.name, person.email, person.external_id, known, person.left_at is not None)


def _are_linked(session: StoreSession, actor: Actor, person_id: str) -> bool:
    pair = or_(
        (Link.coach_id == actor.id) & (Link.teacher_id == person_id),
        (Link.teacher_id == actor.id) & (Link.coach_id == person_id),
    )
    linked = exists().where(Link.tenant_id == actor.tenant_id, Link.ended_at.is_(None), pair)
    return actor.kind == "person" and bool(session.scalar(select(linked)))


def _checked_name(name: str, field: str = "name") -> str:
    name = " ".join(name.split())
    if not 1 <= len(name) <= MAX_NAME_CHARACTERS or not name.isprintable():
        raise CaseError(
            f"a name of {len(name)} characters", wanted=f"1 to {MAX_NAME_CHARACTERS} printable ones", where=field
        )
    return name


def _checked_email(email: str) -> str:
    local, _, domain = email.strip().partition("@")
    if not local or "." not in domain or len(email) > 254 or not email.strip().isprintable() or " " in email.strip():
        raise CaseError("something that is no e-mail address", wanted="name@school.example", where="email")
    return email.strip().lower()
