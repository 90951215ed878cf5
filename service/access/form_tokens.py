"""Tokens in forms: a form is taken only from the session it was shown to."""

from __future__ import annotations

import hashlib
import hmac

FORM_TOKEN_FIELD = "form_token"


def form_token(secret: str) -> str:
    """The token of a session's forms: HMAC-SHA256 of a fixed word under the session's secret, in hex.

    It says nothing about the secret, needs no storage, and ends with the session.
    """
    return hmac.new(secret.encode(), b"form", hashlib.sha256).hexdigest()


def is_form_token(sent: str, expected: str) -> bool:
    """Whether a form's token is the session's; takes the same time whatever was sent."""
    return hmac.compare_digest(sent.encode(errors="replace"), expected.encode())
