"""Who sees a moment, and its end: shared with a coach, no longer shared, deleted."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from service.access.signed_in import TeacherSignedIn
from service.pages.moment import as_teacher
from service.pages.posted import SentFields
from service.pages.render import page
from service.problems import Problem
from service.state import StoreDatabase
from service.store.cases import get_case
from service.store.deletion import delete_case
from service.store.shares import revoke_case, share_case

router = APIRouter(include_in_schema=False)


@router.post("/moments/{case_id}/shares")
def change_share(me: TeacherSignedIn, sent: SentFields, database: StoreDatabase, case_id: str) -> Response:
    """Let a coach see the moment, or hide it at once. Fields: ``coach``, ``action`` (share or revoke)."""
    action = sent.one_of("action", ("share", "revoke"))
    if not action:
        raise Problem("invalid-request")
    with database.write() as session:
        change = share_case if action == "share" else revoke_case
        change(session, as_teacher(me), case_id, sent.get("coach"))
    done = "shared" if action == "share" else "revoked"
    return RedirectResponse(f"/moments/{case_id}?done={done}#sharing", status_code=303)


@router.post("/moments/{case_id}/delete")
def delete_moment(
    request: Request, me: TeacherSignedIn, sent: SentFields, database: StoreDatabase, case_id: str
) -> Response:
    """Ask once more, and delete the moment when the answer is yes (field ``sure``)."""
    actor = as_teacher(me)
    if sent.get("sure") != "yes":
        with database.read() as session:
            created_at = get_case(session, actor, case_id).created_at
        return page(request, "delete_moment.html", me, case_id=case_id, created_at=created_at)
    with database.write() as session:
        delete_case(session, actor, case_id)
    return RedirectResponse("/moments?done=deleted", status_code=303)
