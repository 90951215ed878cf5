"""Routes of cycles: weeks of practice of a chosen skill, with check-ins and looks at lessons an app passes on."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Response

from service.access.apps import WritingApp
from service.api import answers
from service.api.bodies import JSON, JsonBody, read_body_as
from service.api.contract import (
    LIST_PROBLEMS,
    MAKE_PROBLEMS,
    ONE_PROBLEMS,
    made_response,
    sent_request,
)
from service.api.parameters import (
    NOT_CHANGED,
    TAG_HEADER,
    AskedPart,
    IdempotencyKey,
    IdInPath,
    KnownTags,
    made,
    tagged,
)
from service.api.sent import CheckInSent, CycleSent, EndSent, FollowUpSent
from service.state import StoreDatabase
from service.store.choices import case_of_choice
from service.store.cycles import CycleView, end_cycle, get_cycle, list_cycles, start_cycle
from service.store.practice import add_check_in, add_follow_up, check_ins_of, follow_ups_of

router = APIRouter(prefix="/v1/cycles", tags=["cycles"])
LOCATION = {"Location": {"description": "Where the cycle is.", "schema": {"type": "string"}}}
NEXT: dict[str, Any] = {
    "this": {"operationId": "get_cycle", "parameters": {"id": "$response.body#/id"}},
    "check_in": {"operationId": "make_check_in", "parameters": {"id": "$response.body#/id"}},
}
BEGUN: dict[int | str, dict[str, Any]] = {201: made_response("Practice has begun", LOCATION, NEXT)}


@router.post(
    "",
    status_code=201,
    operation_id="begin_cycle",
    summary="Begin the weeks of practice of a chosen skill",
    response_model=answers.Made,
    responses=BEGUN | MAKE_PROBLEMS,
    openapi_extra=sent_request(CycleSent, "cycles"),
)
def begin_cycle(app: WritingApp, body: JsonBody, database: StoreDatabase, key: IdempotencyKey) -> Response:
    """Begin practice of a skill the teacher took without beginning, or take it up again after an earlier cycle.

    A teacher has one open cycle at a time: 409 while there is another.
    """
    sent = read_body_as(body, CycleSent)
    with database.write() as session:
        case_id = case_of_choice(session, app, sent.choice)
        cycle_id = start_cycle(
            session, app, case_id, sent.choice, sent.started_on, weeks=sent.weeks, idempotency_key=key
        )
    return made(cycle_id, f"{router.prefix}/{cycle_id}")


@router.get("", operation_id="list_cycles", summary="List the cycles of the app's cases", responses=LIST_PROBLEMS)
def get_cycles(app: WritingApp, part: AskedPart, database: StoreDatabase) -> answers.CycleList:
    """Answer with the cycles of the cases the app sent, latest first, in parts."""
    with database.read() as session:
        page = list_cycles(session, app, after=part.after, limit=part.limit)
    return answers.CycleList(items=[answers.Cycle(**_fields(view)) for view in page.items], next=page.next)


@router.get(
    "/{id}",
    operation_id="get_cycle",
    summary="Show a cycle with its check-ins and looks at lessons",
    response_model=answers.CycleDetail,
    responses={200: {"headers": TAG_HEADER}} | NOT_CHANGED | ONE_PROBLEMS,
)
def get_one_cycle(app: WritingApp, cycle_id: IdInPath, known: KnownTags, database: StoreDatabase) -> Response:
    """Answer with a cycle and all that happened in it, or with 304 when the app has this state."""
    with database.read() as session:
        view = get_cycle(session, app, cycle_id)
        check_ins = check_ins_of(session, app, cycle_id)
        follow_ups = follow_ups_of(session, app, cycle_id)
    detail = answers.CycleDetail(
        **_fields(view),
        check_ins=[
            answers.CheckIn(
                id=check_in.id,
                by=_who(view, check_in.person_id),
                happened_on=check_in.happened_on,
                times_tried=check_in.times_tried,
                note=check_in.note,
            )
            for check_in in check_ins
        ],
        follow_ups=[
            answers.FollowUp(
                id=look.id,
                by=_who(view, look.observer_id),
                phase=look.phase,
                observed_on=look.observed_on,
                seen=look.seen,
                looked_for=look.looked_for,
                note=look.note,
            )
            for look in follow_ups
        ],
    )
    return tagged(detail.model_dump_json(), known)


@router.post(
    "/{id}/check-ins",
    status_code=201,
    operation_id="make_check_in",
    summary="Pass on a teacher's check-in",
    response_model=answers.Made,
    responses=MAKE_PROBLEMS,
    openapi_extra=sent_request(CheckInSent, "check_ins"),
)
def make_check_in(
    app: WritingApp, cycle_id: IdInPath, body: JsonBody, database: StoreDatabase, key: IdempotencyKey
) -> Response:
    """Keep the teacher's own look back at some days of practice. Send what the teacher said, and only that."""
    sent = read_body_as(body, CheckInSent)
    with database.write() as session:
        check_in_id = add_check_in(
            session, app, cycle_id, sent.happened_on, sent.times_tried, note=sent.note, idempotency_key=key
        )
    return made(check_in_id)


@router.post(
    "/{id}/follow-ups",
    status_code=201,
    operation_id="make_follow_up",
    summary="Pass on a teacher's look at a lesson",
    response_model=answers.Made,
    responses=MAKE_PROBLEMS,
    openapi_extra=sent_request(FollowUpSent, "follow_ups"),
)
def make_follow_up(
    app: WritingApp, cycle_id: IdInPath, body: JsonBody, database: StoreDatabase, key: IdempotencyKey
) -> Response:
    """Keep the teacher's own look at one lesson, before or after. Send what the teacher said, and only that."""
    sent = read_body_as(body, FollowUpSent)
    with database.write() as session:
        follow_up_id = add_follow_up(
            session, app, cycle_id, sent.phase, sent.observed_on, sent.seen, sent.looked_for,
            note=sent.note, idempotency_key=key,
        )  # fmt: skip
    return made(follow_up_id)


@router.post(
    "/{id}/end",
    operation_id="end_cycle",
    summary="End a cycle",
    response_model=answers.Cycle,
    responses=MAKE_PROBLEMS,
    openapi_extra=sent_request(EndSent, "ends"),
)
def end_one_cycle(app: WritingApp, cycle_id: IdInPath, body: JsonBody, database: StoreDatabase) -> Response:
    """End a cycle as the teacher says, on its first day or later; ending it again changes nothing."""
    sent = read_body_as(body, EndSent)
    with database.write() as session:
        end_cycle(session, app, cycle_id, sent.state, sent.ended_on)
        view = get_cycle(session, app, cycle_id)
    return Response(answers.Cycle(**_fields(view)).model_dump_json(), media_type=JSON)


def _fields(view: CycleView) -> dict[str, Any]:
    return {
        "id": view.id,
        "case": view.case_id,
        "skill": view.skill_id,
        "state": view.state,
        "started_on": view.started_on,
        "weeks": view.weeks,
        "planned_end": view.planned_end,
        "ended_on": view.ended_on,
        "created_at": view.created_at,
    }


def _who(cycle: CycleView, person_id: str | None) -> answers.Who | None:
    if person_id is None:
        return None
    return "teacher" if person_id == cycle.teacher_id else "coach"
