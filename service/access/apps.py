"""Which app asks, as arguments of API routes: ``app: WritingApp`` and the route wants a stored key with that scope."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from service.access.rates import Rates, ServiceRates, client_address
from service.problems import Problem
from service.state import StoreDatabase
from service.store.actors import Actor
from service.store.database import Database
from service.store.keys import authenticate
from service.store.tables.people import Scope

BEARER = HTTPBearer(auto_error=False, scheme_name="key", description="A key of an app: `growth admin key create`.")
SentKey = Annotated[HTTPAuthorizationCredentials | None, Depends(BEARER)]
CHALLENGE = 'Bearer realm="growth"'


def refuse_key(rates: Rates, request: Request, sent: HTTPAuthorizationCredentials | None) -> Problem:
    """Problem ``unauthorized`` for a missing or a wrong key; a wrong one is counted for the address it came from."""
    if sent is not None:
        rates.note_failure("key_failures", client_address(request))
    return Problem("unauthorized", headers={"WWW-Authenticate": CHALLENGE})


def app_of_key(database: Database, secret: str, scope: Scope) -> Actor | None:
    """The app behind a stored key, None for no valid one. Raises Problem ``forbidden`` when it lacks the scope."""
    with database.read() as session:
        app = authenticate(session, secret)
    if app is not None and scope not in app.scopes:
        raise Problem("forbidden", headers={"WWW-Authenticate": f'{CHALLENGE}, error="insufficient_scope"'})
    return app


def requires_scope(scope: Scope) -> Callable[[Request, Database, Rates, HTTPAuthorizationCredentials | None], Actor]:
    """A dependency: the app that asks, which has ``scope``.

    It raises Problem ``unauthorized`` without a valid key, ``forbidden`` for one without the scope, and
    ``too-many-requests`` after 30 wrong keys from one address in 10 minutes or too many requests of the app in one.
    """

    def app_with_scope(request: Request, database: StoreDatabase, rates: ServiceRates, sent: SentKey) -> Actor:
        rates.require_open("key_failures", client_address(request))
        app = None if sent is None else app_of_key(database, sent.credentials, scope)
        if app is None:
            raise refuse_key(rates, request, sent)
        rates.count("app_requests", f"{app.tenant_id}/{app.id}")
        return app

    return app_with_scope


ScoringApp = Annotated[Actor, Depends(requires_scope("score"))]
WritingApp = Annotated[Actor, Depends(requires_scope("write"))]
AdminApp = Annotated[Actor, Depends(requires_scope("admin"))]
