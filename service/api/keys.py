"""Keys: long random strings, of which the service knows only the SHA-256."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable
from typing import Annotated

from fastapi import Depends
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from service.api.state import ServiceSettings
from service.problems import Problem

BEARER = HTTPBearer(auto_error=False, scheme_name="key", description="A key this service was given the SHA-256 of.")


def is_known_key(key: str, hashes: Iterable[str]) -> bool:
    """Whether the SHA-256 of ``key`` is among ``hashes``; takes the same time wherever it is."""
    digest = hashlib.sha256(key.encode()).hexdigest()
    matches = [hmac.compare_digest(digest, known) for known in hashes]
    return any(matches)


async def require_key(
    settings: ServiceSettings, sent: Annotated[HTTPAuthorizationCredentials | None, Depends(BEARER)]
) -> None:
    """Let a request with a valid key pass. Raises Problem ``unauthorized`` for any other."""
    if sent is None or not is_known_key(sent.credentials, settings.api_keys):
        raise Problem("unauthorized", headers={"WWW-Authenticate": 'Bearer realm="growth"'})
