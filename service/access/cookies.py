"""Two cookies: the secret of a session on the pages, and what a sign-in at the provider has to come back with."""

from __future__ import annotations

from datetime import datetime

from starlette.requests import Request
from starlette.responses import Response

from service.settings import Settings
from service.store.database import utc_now

LOCAL_NAME = "growth_session"
STATE_NAME = "growth_sign_in"
# Browsers take a name with this prefix only with Secure and Path=/, and from no other host of the domain.
NETWORK_PREFIX = "__Host-"
# A secret is 43 characters; anything longer was not made here.
MOST_SECRET_CHARACTERS = 100
MOST_STATE_CHARACTERS = 1_000


def cookie_name(settings: Settings, name: str = LOCAL_NAME) -> str:
    """Name of a cookie. On this machine alone it travels over plain http, which the prefix forbids."""
    return name if settings.is_local else NETWORK_PREFIX + name


def session_secret(request: Request, settings: Settings) -> str | None:
    """The session's secret the browser sent, if it can be one."""
    sent = request.cookies.get(cookie_name(settings))
    return sent if sent and len(sent) <= MOST_SECRET_CHARACTERS else None


def sent_state(request: Request, settings: Settings) -> str | None:
    """What a sign-in at the provider left with the browser, if it can be that."""
    sent = request.cookies.get(cookie_name(settings, STATE_NAME))
    return sent if sent and len(sent) <= MOST_STATE_CHARACTERS else None


def set_session_cookie(response: Response, settings: Settings, secret: str, expires_at: datetime) -> None:
    """Give the browser a session's secret until it ends."""
    _set(response, settings, LOCAL_NAME, secret, int((expires_at - utc_now()).total_seconds()))


def set_state_cookie(response: Response, settings: Settings, state: str, seconds: int) -> None:
    """Give the browser what it has to come back with from the provider."""
    _set(response, settings, STATE_NAME, state, seconds)


def clear_cookie(response: Response, settings: Settings, name: str = LOCAL_NAME) -> None:
    """Take a cookie back."""
    _set(response, settings, name, "", 0)


def _set(response: Response, settings: Settings, name: str, value: str, seconds: int) -> None:
    # Out of reach of scripts. Lax: it comes along when somebody follows a link here, not with a form of another site.
    response.set_cookie(
        cookie_name(settings, name),
        value,
        max_age=max(0, seconds),
        path="/",
        secure=not settings.is_local,
        httponly=True,
        samesite="lax",
    )
