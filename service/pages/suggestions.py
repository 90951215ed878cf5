"""One moment and what to do with its skills: take one, put one aside and why, or bring one back."""

from __future__ import annotations

from typing import Annotated, get_args

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from recommender.catalogue.loader import load_catalogue
from service.access.signed_in import SignedIn, TeacherSignedIn
from service.casework import Casework
from service.pages.moment import as_teacher, open_practice
from service.pages.moment_page import MAX_WHY_CHARACTERS, moment_page, suggestions_part
from service.pages.once import once_key
from service.pages.posted import Posted, SentFields
from service.problems import Problem
from service.state import CaseDesk, StoreDatabase
from service.store.errors import ConflictError
from service.store.tables.cases import DeclineReason

DECISIONS = ("chosen", "declined", "something_else", "restored")
router = APIRouter(include_in_schema=False)


@router.get("/moments/{case_id}")
def show_moment(
    request: Request,
    me: TeacherSignedIn,
    database: StoreDatabase,
    case_id: str,
    done: Annotated[str, Query(max_length=20)] = "",
) -> HTMLResponse:
    """A moment with its skills to try, or the message in their place; ``done`` says what was just done."""
    return moment_page(request, me, database, case_id, done=done)


@router.post("/moments/{case_id}/choices")
def decide(request: Request, me: TeacherSignedIn, sent: SentFields, desk: CaseDesk, case_id: str) -> Response:
    """What the teacher says to one skill. Fields: ``ranking``, ``skill``, ``decision``, and for a decline ``reason``
    and ``why``. Taking one begins its practice; everything else answers with the list as it is then.
    """
    decision = sent.one_of("decision", DECISIONS)
    if not decision:
        raise Problem("invalid-request")
    if decision == "chosen":
        return _choose(request, me, sent, desk, case_id)
    _rank_anew(me, sent, desk, case_id, decision)
    if "hx-request" in request.headers:
        return suggestions_part(me, desk.database, case_id)
    return RedirectResponse(f"/moments/{case_id}#suggestions", status_code=303)


def _choose(request: Request, me: SignedIn, sent: Posted, desk: Casework, case_id: str) -> Response:
    ranking_id, skill_id, actor = sent.get("ranking"), sent.get("skill"), as_teacher(me)
    key = once_key(sent, case_id, ranking_id, skill_id, "chosen")
    try:
        begun = desk.choose(actor, case_id, ranking_id, skill_id, idempotency_key=key)
    except ConflictError:
        with desk.database.read() as session:
            practice = open_practice(session, actor, load_catalogue())
        if practice is None:
            raise
        return moment_page(request, me, desk.database, case_id, status=409, refused=True)
    return RedirectResponse(f"/practice/{begun.cycle_id}", status_code=303)


def _rank_anew(me: SignedIn, sent: Posted, desk: Casework, case_id: str, decision: str) -> None:
    actor, skill_id = as_teacher(me), sent.get("skill")
    if decision == "restored":
        desk.rank_again(actor, case_id, restoring=(skill_id,))
        return
    reason: DeclineReason | None = None
    why = ""
    if decision == "declined":
        reason = sent.one_of("reason", get_args(DeclineReason)) or None  # type: ignore[assignment]
        why = sent.text("why")[:MAX_WHY_CHARACTERS]
    ranking_id = sent.get("ranking")
    desk.decline(
        actor, case_id, ranking_id, skill_id, reason=reason, why=why,
        idempotency_key=once_key(sent, case_id, ranking_id, skill_id, decision, reason, why),
    )  # fmt: skip
