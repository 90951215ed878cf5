"""The way in and out: by a link that is used once, or through the school's identity provider."""

from __future__ import annotations

import time
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from service.access.cookies import (
    STATE_NAME,
    clear_cookie,
    sent_state,
    session_secret,
    set_session_cookie,
    set_state_cookie,
)
from service.access.form_tokens import FORM_TOKEN_FIELD, is_form_token
from service.access.provider import ANSWER_PATH, Provider, ProviderError, ProviderUnavailableError
from service.access.provider_state import STATE_SECONDS, ProviderState, seal, unseal
from service.access.rates import ServiceRates, client_address
from service.access.signed_in import SIGN_IN_PATH, MaybeSignedIn
from service.pages.posted import OpenFields
from service.pages.render import page
from service.problems import Problem
from service.settings import Settings
from service.state import ServiceSettings, StoreDatabase
from service.store.database import Database
from service.store.errors import NotFoundError
from service.store.people import find_tenant
from service.store.provider_sign_in import person_of_provider
from service.store.sign_in import NewPageSession, begin_session, end_session
from service.store.sign_in_links import LINK_PATH, use_link

MOST_CODE_CHARACTERS = 2_000
router = APIRouter(include_in_schema=False)
QueryText = Annotated[str, Query(max_length=MOST_CODE_CHARACTERS)]


async def _provider(request: Request) -> Provider:
    found: Provider | None = request.app.state.provider
    if found is None:
        raise Problem("not-found")
    return found


ConfiguredProvider = Annotated[Provider, Depends(_provider)]


@router.get(SIGN_IN_PATH)
async def show_ways_in(request: Request, me: MaybeSignedIn) -> Response:
    """How to sign in; whoever is signed in goes on."""
    if me is not None:
        return RedirectResponse("/", status_code=303)
    return _ways_in(request)


@router.get(LINK_PATH)
async def show_link(request: Request, token: QueryText = "") -> HTMLResponse:
    """The button that uses a link up. Looking does not, because mail programs look by themselves."""
    return page(request, "sign_in_link.html", None, token=token, error=not token)


@router.post(LINK_PATH)
def sign_in_by_link(
    request: Request, settings: ServiceSettings, database: StoreDatabase, rates: ServiceRates, posted: OpenFields
) -> Response:
    """Sign in by a link, once. Ten failures from one address in ten minutes are enough."""
    address = client_address(request)
    rates.require_open("sign_in_failures", address)
    with database.write() as session:
        begun = use_link(session, posted.get("token"))
    if begun is None:
        rates.note_failure("sign_in_failures", address)
        return page(request, "sign_in_link.html", None, 403, token="", error=True)
    return _go_on(request, settings, database, begun)


@router.get(f"{SIGN_IN_PATH}/provider")
def go_to_provider(request: Request, settings: ServiceSettings, provider: ConfiguredProvider) -> Response:
    """Send the browser to the provider, with what it has to come back with."""
    state = ProviderState(int(time.time()))
    try:
        answer = RedirectResponse(provider.address(state), status_code=303)
    except ProviderUnavailableError:
        return _ways_in(request, 503, "provider_away")
    set_state_cookie(answer, settings, seal(state, provider.client_secret), STATE_SECONDS)
    return answer


@router.get(ANSWER_PATH)
def sign_in_by_provider(
    request: Request,
    settings: ServiceSettings,
    database: StoreDatabase,
    rates: ServiceRates,
    provider: ConfiguredProvider,
    code: QueryText = "",
    state: QueryText = "",
) -> Response:
    """Sign in the person the provider vouches for, if the tenant knows them."""
    address = client_address(request)
    rates.require_open("sign_in_failures", address)
    begun = unseal(sent_state(request, settings) or "", provider.client_secret, time.time())
    try:
        if begun is None:
            raise ProviderError("an answer to no sign-in", wanted="the answer to one begun in this browser")
        person = provider.person(begun, state, code)
        signed_in = _known_person(settings, database, person.subject, person.verified_email)
        answer = _go_on(request, settings, database, signed_in) if signed_in else _ways_in(request, 403, "unknown")
    except ProviderUnavailableError:
        answer = _ways_in(request, 503, "provider_away")
    except ProviderError:
        answer = _ways_in(request, 403, "provider_failed")
    if answer.status_code == 403:
        rates.note_failure("sign_in_failures", address)
    clear_cookie(answer, settings, STATE_NAME)
    return answer


@router.post("/sign-out")
def sign_out(
    request: Request, settings: ServiceSettings, database: StoreDatabase, me: MaybeSignedIn, posted: OpenFields
) -> Response:
    """End the session, here and in the browser."""
    if me is not None:
        if not is_form_token(posted.get(FORM_TOKEN_FIELD), me.form_token):
            raise Problem("cross-site")
        _end_old_session(request, settings, database)
    answer = RedirectResponse(SIGN_IN_PATH, status_code=303)
    clear_cookie(answer, settings)
    return answer


def _known_person(
    settings: Settings, database: Database, subject: str, verified_email: str | None
) -> NewPageSession | None:
    with database.write() as session:
        try:
            tenant_id = find_tenant(session, settings.oidc_tenant or "")
        except NotFoundError:
            return None
        person_id = person_of_provider(session, tenant_id, subject, verified_email)
        return None if person_id is None else begin_session(session, tenant_id, person_id, "provider")


def _go_on(request: Request, settings: Settings, database: Database, begun: NewPageSession) -> Response:
    """To the first page, with the new secret; whoever was signed in on this browser before is not any more."""
    _end_old_session(request, settings, database)
    answer = RedirectResponse("/", status_code=303)
    set_session_cookie(answer, settings, begun.secret, begun.expires_at)
    return answer


def _end_old_session(request: Request, settings: Settings, database: Database) -> None:
    secret = session_secret(request, settings)
    if secret is not None:
        with database.write() as session:
            end_session(session, secret)


def _ways_in(request: Request, status: int = 200, error: str = "") -> HTMLResponse:
    has_provider = request.app.state.provider is not None
    return page(request, "sign_in.html", None, status, error=error, has_provider=has_provider)
