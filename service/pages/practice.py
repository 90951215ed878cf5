"""A teacher's weeks of practice: the list, one practice, and what can be done with it."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from recommender.catalogue.loader import load_catalogue
from service.access.signed_in import SignedIn, TeacherSignedIn
from service.pages.cards import skill_name
from service.pages.moment import as_teacher
from service.pages.posted import SentFields
from service.pages.practice_forms import CheckInForm, LookForm, empty_forms
from service.pages.practice_view import Practice, read_practice
from service.pages.render import page
from service.problems import Problem
from service.state import StoreDatabase
from service.store.active_shares import active_shares, linked_coaches
from service.store.cycles import end_cycle, list_cycles
from service.store.database import Database, utc_now
from service.store.shares import revoke_cycle, share_cycle

PATH = "/practice"
DONE = ("check_in", "look", "share", "revoke", "end")
ENDS = ("finished", "stopped")
SHARING = {"share": share_cycle, "revoke": revoke_cycle}
router = APIRouter(include_in_schema=False)


@router.get(PATH)
def show_practices(
    request: Request, me: TeacherSignedIn, database: StoreDatabase, after: str | None = None
) -> HTMLResponse:
    """The practice a teacher is in, and earlier ones, latest first."""
    actor, today = as_teacher(me), utc_now().date()
    with database.read() as session:
        part = list_cycles(session, actor, after=after)
        # One is open at a time, and it is the latest.
        is_open = bool(part.items) and part.items[0].state == "open"
        current = read_practice(session, actor, part.items[0].id, today) if is_open else None
    earlier = [(cycle, skill_name(cycle.skill_id, load_catalogue())) for cycle in part.items if cycle.state != "open"]
    return page(request, "practices.html", me, current=current, earlier=earlier, next=part.next)


@router.get(PATH + "/{cycle_id}")
def show_practice(
    request: Request, me: TeacherSignedIn, database: StoreDatabase, cycle_id: str, done: str = ""
) -> HTMLResponse:
    """One practice of one's own."""
    practice = _read(database, me, cycle_id)
    check_in, look = empty_forms(practice)
    return _page(request, me, database, practice, check_in, look, done=done if done in DONE else "")


@router.post(PATH + "/{cycle_id}/check-ins")
def check_in(
    request: Request, me: TeacherSignedIn, sent: SentFields, database: StoreDatabase, cycle_id: str
) -> Response:
    """Add a check-in, or show the form again with what to change."""
    practice = _read(database, me, cycle_id)
    form = CheckInForm.of(sent, practice)
    if form.errors:
        return _page(request, me, database, practice, form, empty_forms(practice)[1], status=422)
    with database.write() as session:
        form.keep(session, as_teacher(me), cycle_id, sent)
    return _back(cycle_id, "check_in")


@router.post(PATH + "/{cycle_id}/follow-ups")
def look_at_lesson(
    request: Request, me: TeacherSignedIn, sent: SentFields, database: StoreDatabase, cycle_id: str
) -> Response:
    """Add a look at a lesson, or show the form again with what to change."""
    practice = _read(database, me, cycle_id)
    form = LookForm.of(sent, practice)
    if form.errors:
        return _page(request, me, database, practice, empty_forms(practice)[0], form, status=422)
    with database.write() as session:
        form.keep(session, as_teacher(me), cycle_id, sent)
    return _back(cycle_id, "look")


@router.post(PATH + "/{cycle_id}/end")
def end_practice(
    request: Request, me: TeacherSignedIn, sent: SentFields, database: StoreDatabase, cycle_id: str
) -> Response:
    """End a practice as finished or stopped, once the teacher has said so twice."""
    practice = _read(database, me, cycle_id)
    state = sent.one_of("state", ENDS)
    if not state:
        raise Problem("invalid-request")
    if sent.get("sure") != "yes":
        return page(request, "practice_end.html", me, practice=practice, state=state)
    with database.write() as session:
        end_cycle(
            session, as_teacher(me), cycle_id, "finished" if state == "finished" else "stopped",
            max(utc_now().date(), practice.cycle.started_on),
        )  # fmt: skip
    return _back(cycle_id, "end")


@router.post(PATH + "/{cycle_id}/shares")
def change_sharing(me: TeacherSignedIn, sent: SentFields, database: StoreDatabase, cycle_id: str) -> Response:
    """Let a linked coach see a practice, or stop it."""
    change = SHARING.get(sent.get("action"))
    if change is None:
        raise Problem("invalid-request")
    with database.write() as session:
        change(session, as_teacher(me), cycle_id, sent.get("coach"))
    return RedirectResponse(f"{PATH}/{cycle_id}?done={sent.get('action')}#sharing", status_code=303)


def _read(database: Database, me: SignedIn, cycle_id: str) -> Practice:
    with database.read() as session:
        return read_practice(session, as_teacher(me), cycle_id, utc_now().date())


def _back(cycle_id: str, done: str) -> RedirectResponse:
    return RedirectResponse(f"{PATH}/{cycle_id}?done={done}", status_code=303)


def _page(
    request: Request,
    me: SignedIn,
    database: Database,
    practice: Practice,
    check_in: CheckInForm,
    look: LookForm,
    *,
    done: str = "",
    status: int = 200,
) -> HTMLResponse:
    with database.read() as session:
        coaches = linked_coaches(session, me.actor)
        seen_by = {share.coach_id for share in active_shares(session, me.actor) if share.owned_id == practice.cycle.id}
    return page(
        request, "practice.html", me, status,
        practice=practice, base=f"{PATH}/{practice.cycle.id}", check_in=check_in, look=look, done=done,
        coaches=[(coach, coach.id in seen_by) for coach in coaches], ends=ENDS,
    )  # fmt: skip
