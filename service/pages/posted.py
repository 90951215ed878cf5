"""Forms as they arrive: read once, bounded, from our own page, with the token of the person's session."""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Mapping
from datetime import date
from typing import Annotated
from urllib.parse import parse_qs, urlsplit

from fastapi import Depends, Request

from service.access.form_tokens import FORM_TOKEN_FIELD, is_form_token
from service.access.signed_in import AnyoneSignedIn
from service.limits import read_body
from service.problems import Problem
from service.state import ServiceSettings

MAX_FIELDS = 64
FORM_TYPE = "application/x-www-form-urlencoded"


class Posted:
    """The fields of a form. What is missing or is none of the choices reads as not given."""

    def __init__(self, fields: Mapping[str, list[str]]) -> None:
        self._fields = fields

    def get(self, name: str, default: str = "") -> str:
        """A field as it was sent."""
        return self._fields.get(name, [default])[0]

    def all(self, name: str) -> list[str]:
        """All values of a field that can be there several times."""
        return self._fields.get(name, [])

    def text(self, name: str) -> str:
        """What a person typed, with line ends of one kind and no control characters."""
        return clean_text(self.get(name))

    def one_of(self, name: str, choices: Collection[str]) -> str:
        """A field if it is one of the choices, else the empty text."""
        value = self.get(name)
        return value if value in choices else ""

    def whole_number(self, name: str, low: int, high: int) -> int | None:
        """A whole number from ``low`` to ``high``, None for anything else."""
        value = self.get(name).strip()
        if not (value.isascii() and value.isdigit() and len(value) <= 9):
            return None
        return int(value) if low <= int(value) <= high else None

    def day(self, name: str) -> date | None:
        """A day as a browser's date field sends it, None for anything else."""
        try:
            return date.fromisoformat(self.get(name).strip())
        except ValueError:
            return None


async def read_posted(request: Request, settings: ServiceSettings) -> Posted:
    """The form in a request. Raises Problem for one sent from another site or in another shape."""
    if not is_same_origin(request):
        raise Problem("cross-site")
    if request.headers.get("content-type", "").split(";")[0].strip().lower() != FORM_TYPE:
        raise Problem("unsupported-media-type")
    return parse_posted(await read_body(request, settings.request_timeout_seconds))


OpenFields = Annotated[Posted, Depends(read_posted)]
"""Fields of a form that anybody may send: same origin, but no session to belong to."""


async def _sent_in_session(me: AnyoneSignedIn, posted: OpenFields) -> Posted:
    if not is_form_token(posted.get(FORM_TOKEN_FIELD), me.form_token):
        raise Problem("cross-site")
    return posted


SentFields = Annotated[Posted, Depends(_sent_in_session)]
"""Fields of a form that the signed-in person's own page sent."""


def parse_posted(content: bytes) -> Posted:
    """Fields from URL-encoded bytes. Raises Problem for more than 64 of them and for what is no form."""
    try:
        return Posted(parse_qs(content.decode("ascii"), keep_blank_values=True, max_num_fields=MAX_FIELDS))
    except ValueError:
        raise Problem("bad-request") from None


def is_same_origin(request: Request) -> bool:
    """Whether the page itself sent the form; another site must not make a browser send it.

    Browsers say so in Sec-Fetch-Site, older ones and plain http in Origin. A program that sends neither is no browser
    and so nobody's unwitting messenger.
    """
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site in {"same-origin", "none"}
    origin = request.headers.get("origin")
    return origin is None or urlsplit(origin).netloc == request.headers.get("host")


def clean_text(text: str) -> str:
    """Text as pasted from anywhere, with line ends of one kind and no control characters."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return "".join(c if c in "\n\t" or unicodedata.category(c) not in ("Cc", "Cs") else " " for c in text)
