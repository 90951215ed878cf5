"""What a sign-in at the provider has to come back with, sealed in a cookie so that any worker can open it."""

from __future__ import annotations

import base64
import binascii
import json
import secrets
from dataclasses import asdict, dataclass, field

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

STATE_SECONDS = 600
_NONCE_BYTES = 12
_RANDOM_BYTES = 32
_PURPOSE = b"growth sign-in state 1"


@dataclass(frozen=True)
class ProviderState:
    """One sign-in under way: ``state`` comes back in the address, ``nonce`` in the token, ``verifier`` proves (PKCE)
    that the same party asks for the token. ``began`` is in seconds since 1970.
    """

    began: int
    state: str = field(default_factory=lambda: secrets.token_urlsafe(_RANDOM_BYTES), repr=False)
    nonce: str = field(default_factory=lambda: secrets.token_urlsafe(_RANDOM_BYTES), repr=False)
    verifier: str = field(default_factory=lambda: secrets.token_urlsafe(_RANDOM_BYTES), repr=False)


def seal(state: ProviderState, client_secret: str) -> str:
    """The state as a cookie holds it: AES-GCM under a key derived from the client's secret by HKDF-SHA256."""
    nonce = secrets.token_bytes(_NONCE_BYTES)
    sealed = _cipher(client_secret).encrypt(nonce, json.dumps(asdict(state)).encode(), _PURPOSE)
    return base64.urlsafe_b64encode(nonce + sealed).decode()


def unseal(cookie: str, client_secret: str, now: float) -> ProviderState | None:
    """The state in a cookie; None for one that was not sealed here or is older than 10 minutes."""
    try:
        content = base64.urlsafe_b64decode(cookie.encode("ascii"))
        opened = _cipher(client_secret).decrypt(content[:_NONCE_BYTES], content[_NONCE_BYTES:], _PURPOSE)
    except (InvalidTag, ValueError, binascii.Error):
        return None
    state = ProviderState(**json.loads(opened))
    return state if 0 <= now - state.began <= STATE_SECONDS else None


def _cipher(client_secret: str) -> AESGCM:
    return AESGCM(HKDF(SHA256(), 32, salt=None, info=_PURPOSE).derive(client_secret.encode()))
