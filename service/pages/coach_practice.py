"""A teacher's weeks of practice as their coach sees them, with the coach's own check-ins and looks at a lesson."""

from __future__ import annotations

from dataclasses import dataclass

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from service.access.signed_in import CoachSignedIn, SignedIn
from service.pages.posted import SentFields
from service.pages.practice_forms import CheckInForm, LookForm, empty_forms
from service.pages.practice_view import Practice, read_practice
from service.pages.render import page
from service.state import StoreDatabase
from service.store.actors import Actor
from service.store.cases import get_case
from service.store.database import Database, StoreSession, utc_now
from service.store.errors import NotFoundError
from service.store.people import get_person

PATH = "/coach/practice/{cycle_id}"
# What was just saved, as the address says it after a form was sent.
DONE = ("check_in", "follow_up")
router = APIRouter(include_in_schema=False)


@dataclass(frozen=True)
class SharedPractice:
    """A practice with whose it is; ``case_id``: the moment behind it, where that is shared too."""

    practice: Practice
    teacher_name: str
    case_id: str | None


@router.get(PATH)
def show_practice(
    request: Request, me: CoachSignedIn, database: StoreDatabase, cycle_id: str, done: str = ""
) -> HTMLResponse:
    """A practice its teacher shares."""
    shared = _read(database, me, cycle_id)
    return _page(request, me, shared, *empty_forms(shared.practice), done=done if done in DONE else None)


@router.post(PATH + "/check-ins")
def send_check_in(
    request: Request, me: CoachSignedIn, database: StoreDatabase, sent: SentFields, cycle_id: str
) -> Response:
    """Add a check-in of the coach's, or show the form again with what to change."""
    shared = _read(database, me, cycle_id)
    form = CheckInForm.of(sent, shared.practice)
    if form.errors:
        return _page(request, me, shared, form, empty_forms(shared.practice)[1], status=422)
    with database.write() as session:
        form.keep(session, me.actor, cycle_id, sent)
    return _done(cycle_id, "check_in")


@router.post(PATH + "/follow-ups")
def send_look(
    request: Request, me: CoachSignedIn, database: StoreDatabase, sent: SentFields, cycle_id: str
) -> Response:
    """Add a look at a lesson, or show the form again with what to change."""
    shared = _read(database, me, cycle_id)
    form = LookForm.of(sent, shared.practice)
    if form.errors:
        return _page(request, me, shared, empty_forms(shared.practice)[0], form, status=422)
    with database.write() as session:
        form.keep(session, me.actor, cycle_id, sent)
    return _done(cycle_id, "follow_up")


def _read(database: Database, me: SignedIn, cycle_id: str) -> SharedPractice:
    """Raises NotFoundError for a practice that is not shared with the coach, also for their own."""
    with database.read() as session:
        practice = read_practice(session, me.actor, cycle_id, utc_now().date())
        if practice.cycle.teacher_id == me.actor.id:
            raise NotFoundError("cycle")
        teacher = get_person(session, me.actor, practice.cycle.teacher_id)
        return SharedPractice(practice, teacher.name, _shared_case(session, me.actor, practice.cycle.case_id))


def _shared_case(session: StoreSession, actor: Actor, case_id: str) -> str | None:
    """Sharing a practice does not share the moment behind it."""
    try:
        return get_case(session, actor, case_id).id
    except NotFoundError:
        return None


def _done(cycle_id: str, what: str) -> RedirectResponse:
    return RedirectResponse(f"{PATH.format(cycle_id=cycle_id)}?done={what}", status_code=303)


def _page(
    request: Request,
    me: SignedIn,
    shared: SharedPractice,
    check_in: CheckInForm,
    look: LookForm,
    *,
    done: str | None = None,
    status: int = 200,
) -> HTMLResponse:
    return page(
        request, "coach_practice.html", me, status,
        shared=shared, practice=shared.practice, base=PATH.format(cycle_id=shared.practice.cycle.id),
        check_in=check_in, look=look, done=done,
    )  # fmt: skip
