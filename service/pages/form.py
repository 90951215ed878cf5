"""The page's form: where it came from, and what a teacher wrote and tapped."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import parse_qs, urlsplit

from fastapi import Depends, Request

from recommender.cases import MAX_STRUGGLE_CHARACTERS, Case, parse_case
from service.api.state import ServiceSettings
from service.limits import read_body
from service.pages.strings import page_strings
from service.problems import Problem

MAX_FORM_FIELDS = 10
MINUTES = (15, 30, 45, 60)


@dataclass(frozen=True)
class Form:
    """What a teacher sent; an untapped choice is empty."""

    struggle: str = ""
    grade_band: str = ""
    subject: str = ""
    minutes: int | None = None

    @property
    def error(self) -> str | None:
        """Key of the text that says what to change, if anything."""
        if not self.struggle.strip():
            return "empty"
        return "too_long" if len(self.struggle) > MAX_STRUGGLE_CHARACTERS else None

    def case(self) -> Case:
        """The case to rank. Skills that need more minutes than were tapped are left out."""
        context = {
            "grade_band": self.grade_band or "unknown",
            "subject": self.subject or "unknown",
            "minutes_per_week": self.minutes,
            "fit_minutes": self.minutes is not None,
        }
        return parse_case({"case_id": "page", "struggle": self.struggle, "context": context})


async def read_form(request: Request, settings: ServiceSettings) -> Form:
    """The form in a request. Raises Problem for one sent from another site or in another shape."""
    if not is_same_origin(request):
        raise Problem("cross-site")
    if request.headers.get("content-type", "").split(";")[0].strip().lower() != "application/x-www-form-urlencoded":
        raise Problem("unsupported-media-type")
    return parse_form(await read_body(request, settings.request_timeout_seconds))


SentForm = Annotated[Form, Depends(read_form)]


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


def parse_form(content: bytes) -> Form:
    """A form from URL-encoded bytes; a choice that is not on the page counts as skipped."""
    try:
        fields = parse_qs(content.decode("ascii"), keep_blank_values=True, max_num_fields=MAX_FORM_FIELDS)
    except ValueError:
        raise Problem("bad-request") from None
    text = page_strings()
    minutes = _first(fields, "minutes")
    return Form(
        struggle=clean_text(_first(fields, "struggle")),
        grade_band=_one_of(_first(fields, "grade_band"), text["grade_bands"]),
        subject=_one_of(_first(fields, "subject"), text["subjects"]),
        minutes=next((choice for choice in MINUTES if str(choice) == minutes), None),
    )


def clean_text(text: str) -> str:
    """Text as pasted from anywhere, with line ends of one kind and no control characters."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return "".join(c if c in "\n\t" or unicodedata.category(c) != "Cc" else " " for c in text)


def _first(fields: dict[str, list[str]], name: str) -> str:
    return fields.get(name, [""])[0]


def _one_of(value: str, choices: dict[str, str]) -> str:
    return value if value in choices else ""
