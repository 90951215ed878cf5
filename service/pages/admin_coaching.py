"""Which coach works with which teacher, as an administrator sets it. A link shares nothing by itself."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from service.access.signed_in import AdministratorSignedIn
from service.pages.admin_people import PATH as PEOPLE_PATH
from service.pages.admin_people import person_page
from service.pages.posted import SentFields
from service.pages.render import page
from service.pages.strings import page_strings
from service.state import StoreDatabase
from service.store.directory import find_pairing
from service.store.errors import ConflictError, NotFoundError
from service.store.links import create_link, end_link

PATH = "/admin/coaching"
router = APIRouter(include_in_schema=False)


@router.post(PATH)
def link_two(request: Request, me: AdministratorSignedIn, sent: SentFields, database: StoreDatabase) -> Response:
    """Link a coach and a teacher; ``person_id`` is the one of the two whose page the form was on."""
    coach_id, teacher_id, person_id = (sent.get(name) for name in ("coach_id", "teacher_id", "person_id"))
    if person_id not in (coach_id, teacher_id):
        raise NotFoundError("person")
    if not (coach_id and teacher_id):
        return person_page(request, me, database, person_id, status=422, error="missing")
    try:
        with database.write() as session:
            create_link(session, me.actor, coach_id, teacher_id)
    except ConflictError:
        return person_page(request, me, database, person_id, status=422, error="taken")
    return RedirectResponse(f"{PEOPLE_PATH}/{person_id}?done=paired", status_code=303)


@router.get(PATH + "/{link_id}/end")
def ask_before_ending(
    request: Request, me: AdministratorSignedIn, link_id: str, database: StoreDatabase
) -> HTMLResponse:
    """Ask once more: what was shared over a link does not come back with a new one."""
    with database.read() as session:
        pair = find_pairing(session, me.actor, link_id)
    if pair is None:
        raise NotFoundError("link")
    words = page_strings()["admin"]["pairs"]
    return page(
        request, "admin_confirm.html", me,
        question=f"{words['end_sure']} {pair.coach.name} {words['and']} {pair.teacher.name}",
        hint=words["end_hint"], yes=words["end_yes"], cancel=page_strings()["admin"]["person"]["cancel"],
        action=f"{PATH}/{link_id}/end", back=f"{PEOPLE_PATH}/{pair.teacher.id}",
    )  # fmt: skip


@router.post(PATH + "/{link_id}/end")
def end_the_link(
    me: AdministratorSignedIn,
    sent: SentFields,  # noqa: ARG001 - checks the form's token
    link_id: str,
    database: StoreDatabase,
) -> Response:
    """End a link."""
    with database.write() as session:
        pair = find_pairing(session, me.actor, link_id)
        if pair is None:
            raise NotFoundError("link")
        end_link(session, me.actor, link_id)
    return RedirectResponse(f"{PEOPLE_PATH}/{pair.teacher.id}?done=unpaired", status_code=303)
