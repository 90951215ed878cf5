"""The question with its box, as a page shows it: to try, or at the head of a teacher's own page."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, ClassVar

from recommender.cases import MAX_STRUGGLE_CHARACTERS
from service.pages.form import MINUTES, Form
from service.pages.once import fresh_once
from service.pages.strings import page_strings
from service.store.actors import Actor
from service.store.database import StoreSession
from service.store.observations import kept_scores

KEPT_PATH = "/moments"


@dataclass(frozen=True)
class Keeping:
    """What a box has beside its fields where the answer is kept.

    ``once`` tells a form that is sent twice from a second one; ``last_look``: day of the newest stored score, None
    without scores; ``begun_on``: when the draft in the box was saved, None without a draft.
    """

    once: str
    last_look: date | None = None
    with_scores: bool = True
    begun_on: datetime | None = None


@dataclass(frozen=True)
class Box:
    """Where the form goes, what is in it and what is wrong with it; ``again``: it stands under an answer."""

    form: Form
    action: str
    error: str | None = None
    again: bool = False
    keeping: Keeping | None = None
    minutes: ClassVar[tuple[int, ...]] = MINUTES
    max_characters: ClassVar[int] = MAX_STRUGGLE_CHARACTERS


def kept_box(
    session: StoreSession,
    actor: Actor,
    form: Form,
    *,
    error: str | None = None,
    again: bool = False,
    with_scores: bool = True,
    begun_on: datetime | None = None,
) -> Box:
    """The box of a teacher who is signed in; it offers to use their scores where there are any."""
    keeping = Keeping(fresh_once(), kept_scores(session, actor).last_look, with_scores, begun_on)
    return Box(form, KEPT_PATH, error, again, keeping)


def form_error(form: Form) -> str | None:
    """What to change about a form, in words; None when it can be used."""
    return None if form.error is None else str(page_strings()["form"][form.error])


def form_of_context(struggle: str, context: dict[str, Any]) -> Form:
    """The form with what a draft or an earlier moment holds; what is not on the page counts as skipped."""
    band, subject = context.get("grade_band", ""), context.get("subject", "")
    text, minutes = page_strings(), context.get("minutes_per_week")
    return Form(
        struggle,
        band if band in text["grade_bands"] else "",
        subject if subject in text["subjects"] else "",
        minutes if minutes in MINUTES else None,
    )
