"""The switches of consent to learning from use: one's own on "My data", the school's on the administrator's page."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from fastapi import APIRouter
from fastapi.responses import RedirectResponse, Response

from service.access.signed_in import AdministratorSignedIn, AnyoneSignedIn
from service.pages.posted import Posted, SentFields
from service.problems import Problem
from service.state import StoreDatabase
from service.store.actors import Actor
from service.store.consents import consents_of, give_consent, scopes_open_to, withdraw_consent
from service.store.database import Database, StoreSession
from service.store.tables.consents import CONSENT_SCOPES, ConsentScope

ACTIONS = ("give", "withdraw")
router = APIRouter(include_in_schema=False)


@dataclass(frozen=True)
class ConsentSwitch:
    """One thing to agree to; ``since`` None: not agreed to. ``waits``: another has to be agreed to first."""

    scope: ConsentScope
    since: datetime | None
    waits: bool


@router.post("/my-data/consent")
def set_own_consent(me: AnyoneSignedIn, sent: SentFields, database: StoreDatabase) -> Response:
    """Agree to one's own part, or take that back."""
    return _changed(database, me.actor, sent, "/my-data", of_tenant=False)


@router.post("/admin/consent")
def set_tenant_consent(me: AdministratorSignedIn, sent: SentFields, database: StoreDatabase) -> Response:
    """Agree for the school, or take that back."""
    return _changed(database, me.actor, sent, "/admin", of_tenant=True)


def own_switches(session: StoreSession, actor: Actor) -> list[ConsentSwitch]:
    """What the person who asks can agree to; empty for somebody with nothing to give."""
    return _switches(session, actor, scopes_open_to(actor), of_tenant=False)


def tenant_switches(session: StoreSession, actor: Actor) -> list[ConsentSwitch]:
    """What the school can agree to."""
    return _switches(session, actor, CONSENT_SCOPES, of_tenant=True)


def _switches(
    session: StoreSession, actor: Actor, scopes: Collection[ConsentScope], *, of_tenant: bool
) -> list[ConsentSwitch]:
    consents = consents_of(session, actor, of_tenant=of_tenant)
    since = {consent.scope: consent.given_at for consent in consents if consent.withdrawn_at is None}
    return [
        ConsentSwitch(scope, since.get(scope), waits=scope == "words" and "decisions" not in since) for scope in scopes
    ]


def _changed(database: Database, actor: Actor, sent: Posted, path: str, *, of_tenant: bool) -> Response:
    action, scope = sent.one_of("action", ACTIONS), sent.one_of("scope", CONSENT_SCOPES)
    if not action or not scope:
        raise Problem("bad-request")
    change = give_consent if action == "give" else withdraw_consent
    with database.write() as session:
        change(session, actor, scope, of_tenant=of_tenant)  # type: ignore[arg-type]
    return RedirectResponse(f"{path}?done=consent_{action}#consent", status_code=303)
