"""A form that is sent twice, by a quick hand or a broken line, does once what it does."""

from __future__ import annotations

import hashlib

from service.pages.posted import Posted
from service.ulid import new_ulid

ONCE_FIELD = "once"


def fresh_once() -> str:
    """A value for the hidden field of one form."""
    return new_ulid()


def once_key(sent: Posted, *content: object) -> str | None:
    """The idempotency key of a form: the same for the same form with the same ``content``, another for an edited one.

    None without the field: then each form counts.
    """
    once = sent.get(ONCE_FIELD)
    if not once:
        return None
    return hashlib.sha256(repr((once, *content)).encode()).hexdigest()
