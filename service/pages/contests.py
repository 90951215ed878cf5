"""Objections of teachers that wait for an answer, for administrators: the why, never the moment."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from recommender.cases import MAX_STRUGGLE_CHARACTERS
from recommender.errors import CaseError
from service.access.signed_in import AdministratorSignedIn, SignedIn
from service.pages.posted import SentFields
from service.pages.render import page
from service.state import StoreDatabase
from service.store.contests import answer_contest, open_contests
from service.store.database import Database

PATH = "/admin/contests"
router = APIRouter(include_in_schema=False)


@router.get(PATH)
def show_contests(
    request: Request, me: AdministratorSignedIn, database: StoreDatabase, after: str | None = None, done: str = ""
) -> HTMLResponse:
    """Open objections, longest waiting first, each with a box to answer in."""
    return _page(request, me, database, after=after, done=done)


@router.post(PATH + "/{contest_id}/answer")
def answer(
    request: Request, me: AdministratorSignedIn, sent: SentFields, contest_id: str, database: StoreDatabase
) -> Response:
    """Answer an objection; the teacher reads it."""
    text = sent.text("answer")
    try:
        with database.write() as session:
            answer_contest(session, me.actor, contest_id, text)
    except CaseError:
        return _page(request, me, database, status=422, refused=contest_id, typed=text)
    return RedirectResponse(f"{PATH}?done=answered", status_code=303)


def _page(
    request: Request,
    me: SignedIn,
    database: Database,
    *,
    status: int = 200,
    after: str | None = None,
    done: str = "",
    refused: str | None = None,
    typed: str = "",
) -> HTMLResponse:
    with database.read() as session:
        contests = open_contests(session, me.actor, after=after)
    return page(
        request, "contests.html", me, status,
        contests=contests, done=done, refused=refused, typed=typed, max_characters=MAX_STRUGGLE_CHARACTERS,
    )  # fmt: skip
