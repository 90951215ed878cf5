"""A teacher says that a suggestion or a coach's review is wrong, and why; a person answers."""

from __future__ import annotations

from typing import NamedTuple

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from service.access.signed_in import TeacherSignedIn
from service.pages.moment import as_teacher
from service.pages.moment_page import MAX_CONTEST_CHARACTERS, moment_page
from service.pages.once import once_key
from service.pages.posted import SentFields
from service.pages.strings import page_strings
from service.problems import Problem
from service.state import StoreDatabase
from service.store.contests import raise_contest
from service.store.tables.care import ContestAbout

router = APIRouter(include_in_schema=False)


class About(NamedTuple):
    """What a contest is about: a list or one skill of it, or a review."""

    kind: ContestAbout
    about_id: str
    skill_id: str | None


def read_about(value: str, ranking_id: str) -> About | None:
    """What the form's choice names: ``list``, ``skill:<skill>`` or ``review:<review>``; None for anything else."""
    if value == "list":
        return About("suggestion", ranking_id, None)
    kind, _, named = value.partition(":")
    if kind == "skill" and named:
        return About("suggestion", ranking_id, named)
    return About("review", named, None) if kind == "review" and named else None


@router.post("/moments/{case_id}/contests")
def contest(request: Request, me: TeacherSignedIn, sent: SentFields, database: StoreDatabase, case_id: str) -> Response:
    """Take up what is wrong. Fields: ``about``, ``ranking`` (the list on the page), ``why``."""
    chosen, why = sent.get("about"), sent.text("why")
    about = read_about(chosen, sent.get("ranking"))
    if about is None:
        raise Problem("invalid-request")
    error = why_error(why)
    if error is not None:
        typed = {"about": chosen, "why": why, "error": error}
        return moment_page(request, me, database, case_id, status=422, contest=typed)
    with database.write() as session:
        raise_contest(
            session, as_teacher(me), case_id,
            about=about.kind, about_id=about.about_id, skill_id=about.skill_id, why=why,
            idempotency_key=once_key(sent, case_id, *about, why),
        )  # fmt: skip
    return RedirectResponse(f"/moments/{case_id}?done=contested#contests", status_code=303)


def why_error(why: str) -> str | None:
    """What to change about the words, if anything."""
    text = page_strings()["moments"]
    if not why.strip():
        return str(text["contest_empty"])
    if len(why) > MAX_CONTEST_CHARACTERS:
        return str(text["contest_long"].format(limit=f"{MAX_CONTEST_CHARACTERS:,}"))
    return None
