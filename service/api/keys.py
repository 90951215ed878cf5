"""Keys for scoring and reading: those of the settings, and stored keys of apps that may score."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable

from fastapi import Request
from starlette.concurrency import run_in_threadpool

from service.access.apps import SentKey, app_of_key, refuse_key
from service.access.rates import ServiceRates, client_address
from service.state import ServiceSettings, StoreDatabase
from service.store.keys import PREFIX


def is_known_key(key: str, hashes: Iterable[str]) -> bool:
    """Whether the SHA-256 of ``key`` is among ``hashes``; takes the same time wherever it is."""
    digest = hashlib.sha256(key.encode()).hexdigest()
    matches = [hmac.compare_digest(digest, known) for known in hashes]
    return any(matches)


async def require_key(
    request: Request, settings: ServiceSettings, database: StoreDatabase, rates: ServiceRates, sent: SentKey
) -> None:
    """Let a request pass that has a key of the settings, or a stored one with the scope ``score``.

    Raises Problem ``unauthorized`` for any other, ``forbidden`` for a stored key without the scope, and
    ``too-many-requests`` as ``access.apps`` says.
    """
    rates.require_open("key_failures", client_address(request))
    if sent is not None and is_known_key(sent.credentials, settings.api_keys):
        rates.count("app_requests", hashlib.sha256(sent.credentials.encode()).hexdigest())
        return
    app = None
    if sent is not None and sent.credentials.startswith(PREFIX):
        app = await run_in_threadpool(app_of_key, database, sent.credentials, "score")
    if app is None:
        raise refuse_key(rates, request, sent)
    rates.count("app_requests", f"{app.tenant_id}/{app.id}")


async def require_settings_key(request: Request, settings: ServiceSettings, rates: ServiceRates, sent: SentKey) -> None:
    """Let a request pass that has a key of the settings: what it asks for is of the whole service, not of one tenant.

    Raises Problem ``unauthorized`` for any other.
    """
    rates.require_open("key_failures", client_address(request))
    if sent is None or not is_known_key(sent.credentials, settings.api_keys):
        raise refuse_key(rates, request, sent)
