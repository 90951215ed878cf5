"""The box and its three taps: what a teacher wrote, and the case it makes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends

from recommender.cases import MAX_STRUGGLE_CHARACTERS, Case, parse_case
from service.pages.posted import OpenFields, Posted
from service.pages.strings import page_strings

MINUTES = (15, 30, 45, 60)
PAGE_CASE = "page"


@dataclass(frozen=True)
class Form:
    """What a teacher sent; an untapped choice is empty."""

    struggle: str = ""
    grade_band: str = ""
    subject: str = ""
    minutes: int | None = None

    @classmethod
    def of(cls, posted: Posted) -> Form:
        """The form in posted fields; a choice that is not on the page counts as skipped."""
        text = page_strings()
        minutes = posted.get("minutes")
        return cls(
            struggle=posted.text("struggle"),
            grade_band=posted.one_of("grade_band", text["grade_bands"]),
            subject=posted.one_of("subject", text["subjects"]),
            minutes=next((choice for choice in MINUTES if str(choice) == minutes), None),
        )

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
        return parse_case({"case_id": PAGE_CASE, "struggle": self.struggle, "context": context})


async def _form(posted: OpenFields) -> Form:
    return Form.of(posted)


SentForm = Annotated[Form, Depends(_form)]
