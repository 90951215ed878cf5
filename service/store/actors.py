"""Who asks: a person of a tenant, an app by its key, or the operator at the command line. Never without a tenant."""

from __future__ import annotations

from dataclasses import dataclass, field

from sqlalchemy import select

from service.store.database import StoreSession
from service.store.errors import NotAllowedError, NotFoundError
from service.store.tables.events import ActorKind
from service.store.tables.people import Person, PersonRole, Role, Scope, Tenant

OPERATOR_ID = "operator"


@dataclass(frozen=True)
class Actor:
    """Who asks. ``id``: of the person, or the name of the app; roles are a person's, scopes are an app's."""

    tenant_id: str
    kind: ActorKind
    id: str
    roles: frozenset[Role] = field(default=frozenset())
    scopes: frozenset[Scope] = field(default=frozenset())

    @property
    def administers(self) -> bool:
        """Whether people, links and keys of the tenant may be changed."""
        return self.kind == "operator" or "administrator" in self.roles or "admin" in self.scopes


def person_actor(session: StoreSession, tenant_id: str, person_id: str) -> Actor:
    """The actor of a signed-in person, with the roles of this moment.

    Raises NotFoundError for somebody who is not in the tenant or has left.
    """
    is_there = select(Person.id).where(Person.tenant_id == tenant_id, Person.id == person_id, Person.left_at.is_(None))
    if session.scalar(is_there) is None:
        raise NotFoundError("person")
    roles = session.scalars(
        select(PersonRole.role).where(PersonRole.tenant_id == tenant_id, PersonRole.person_id == person_id)
    )
    return Actor(tenant_id, "person", person_id, roles=frozenset(roles.all()))  # type: ignore[arg-type]


def operator(session: StoreSession, tenant_id: str) -> Actor:
    """The actor of the command line. Raises NotFoundError when there is no such tenant."""
    if session.get(Tenant, tenant_id) is None:
        raise NotFoundError("tenant")
    return Actor(tenant_id, "operator", OPERATOR_ID)


def require_administrator(actor: Actor) -> None:
    """Raises NotAllowedError for anybody who may not change people, links and keys."""
    if not actor.administers:
        raise NotAllowedError("somebody else", wanted="an administrator of the tenant")


def require_coach(actor: Actor) -> None:
    """Raises NotAllowedError for anybody but a coach."""
    if actor.kind != "person" or "coach" not in actor.roles:
        raise NotAllowedError("somebody else", wanted="a coach")
