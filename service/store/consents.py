"""Whether use may teach the model: each school and each person says so, and can take it back. Off until then."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Select, select

from recommender.errors import CaseError
from service.store.actors import Actor
from service.store.database import StoreSession, utc_now
from service.store.errors import ConflictError, NotAllowedError
from service.store.events import Action, record
from service.store.tables.consents import CONSENT_SCOPES, Consent, ConsentScope
from service.store.tables.people import Person, Role
from service.ulid import new_ulid

# Whose consent a scope can be. A coach's decisions are their reviews; only teachers write struggles.
_MAY_GIVE: dict[ConsentScope, frozenset[Role]] = {
    "decisions": frozenset({"teacher", "coach"}),
    "words": frozenset({"teacher"}),
}


@dataclass(frozen=True)
class ConsentView:
    """One consent, in force while ``withdrawn_at`` is None."""

    id: str
    scope: ConsentScope
    given_at: datetime
    withdrawn_at: datetime | None


def give_consent(
    session: StoreSession, actor: Actor, scope: ConsentScope, *, of_tenant: bool = False, now: datetime | None = None
) -> None:
    """Agree to a scope: a teacher or coach for themselves, an administrator for the tenant. Again changes nothing.

    Nothing is used unless the tenant and the person have both agreed. ``words`` stands on ``decisions``. Raises
    NotAllowedError for an app, the operator and a role whose consent it cannot be, CaseError for an unknown scope,
    ConflictError for words where there is no consent to decisions.
    """
    moment, person_id = now or utc_now(), _whose(actor, scope, of_tenant=of_tenant)
    if not of_tenant and scope not in scopes_open_to(actor):
        raise NotAllowedError("another role", wanted=" or ".join(sorted(_MAY_GIVE[scope])))
    in_force = scopes_in_force(consents_of(session, actor, of_tenant=of_tenant))
    if scope in in_force:
        return
    if scope == "words" and "decisions" not in in_force:
        raise ConflictError("words without decisions", wanted="consent to decisions first")
    consent = Consent(
        tenant_id=actor.tenant_id,
        id=new_ulid(),
        person_id=person_id,
        scope=scope,
        given_at=moment,
        given_by=actor.id,
    )
    session.add(consent)
    session.flush()
    action: Action = "tenant.consent_given" if of_tenant else "consent.given"
    record(session, actor, action, consent.id, person_id=person_id, now=moment, scope=scope)


def withdraw_consent(
    session: StoreSession, actor: Actor, scope: ConsentScope, *, of_tenant: bool = False, now: datetime | None = None
) -> None:
    """Take a consent back, from now on; without one nothing changes. Words go with decisions.

    Raises NotAllowedError for an app, the operator and, of the tenant's, anybody but an administrator, CaseError for an
    unknown scope.
    """
    moment, person_id = now or utc_now(), _whose(actor, scope, of_tenant=of_tenant)
    ending = CONSENT_SCOPES if scope == "decisions" else (scope,)
    query = select(Consent).where(*_of(actor, person_id), Consent.withdrawn_at.is_(None), Consent.scope.in_(ending))
    action: Action = "tenant.consent_withdrawn" if of_tenant else "consent.withdrawn"
    for consent in session.scalars(query.order_by(Consent.scope)):
        consent.withdrawn_at = max(moment, consent.given_at)
        record(session, actor, action, consent.id, person_id=person_id, now=moment, scope=consent.scope)
    session.flush()


def consents_of(session: StoreSession, actor: Actor, *, of_tenant: bool = False) -> list[ConsentView]:
    """Every consent the person who asks gave for themselves, oldest first; empty for an app.

    ``of_tenant``: the tenant's own instead, which all its people may know.
    """
    if not of_tenant and actor.kind != "person":
        return []
    query = select(Consent).where(*_of(actor, None if of_tenant else actor.id))
    return [
        ConsentView(row.id, row.scope, row.given_at, row.withdrawn_at)  # type: ignore[arg-type]
        for row in session.scalars(query.order_by(Consent.given_at, Consent.scope, Consent.id))
    ]


def scopes_open_to(actor: Actor) -> tuple[ConsentScope, ...]:
    """What a person of these roles can agree to for themselves."""
    return tuple(scope for scope in CONSENT_SCOPES if actor.roles & _MAY_GIVE[scope])


def scopes_in_force(consents: Sequence[ConsentView]) -> frozenset[ConsentScope]:
    """The scopes agreed to at this moment."""
    return frozenset(consent.scope for consent in consents if consent.withdrawn_at is None)


def people_agreeing(tenant_id: str, scope: ConsentScope) -> Select[str | None]:
    """Query for ids of the people of a tenant who agree to a scope now; for the operator's export of evidence.

    Whoever has left is not among them: they have no page any more to take it back on.
    """
    return (
        select(Consent.person_id)
        .join(Person, (Person.tenant_id == Consent.tenant_id) & (Person.id == Consent.person_id))
        .where(
            Consent.tenant_id == tenant_id,
            Consent.scope == scope,
            Consent.withdrawn_at.is_(None),
            Person.left_at.is_(None),
        )
    )


def _whose(actor: Actor, scope: ConsentScope, *, of_tenant: bool) -> str | None:
    if scope not in CONSENT_SCOPES:
        raise CaseError("an unknown scope", wanted=" or ".join(CONSENT_SCOPES), where="scope")
    if actor.kind != "person":
        raise NotAllowedError("an app or the operator", wanted="a person: consent is nobody else's to give")
    if of_tenant and "administrator" not in actor.roles:
        raise NotAllowedError("somebody else", wanted="an administrator of the tenant")
    return None if of_tenant else actor.id


def _of(actor: Actor, person_id: str | None) -> tuple[ColumnElement[bool], ...]:
    is_theirs = Consent.person_id.is_(None) if person_id is None else Consent.person_id == person_id
    return Consent.tenant_id == actor.tenant_id, is_theirs
