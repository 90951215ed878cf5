"""Routes of stored cases: an app sends one, asks for it again, deletes it. It sees what it sent, and nothing else."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response

from service.access.apps import WritingApp
from service.api import answers
from service.api.bodies import JSON, JsonBody, parse_json, read_case
from service.api.choices import answered_choices
from service.api.contract import LIST_PROBLEMS, ONE_PROBLEMS, case_request, made_response, problem_responses
from service.api.parameters import (
    NOT_CHANGED,
    TAG_HEADER,
    AskedPart,
    IdempotencyKey,
    IdInPath,
    KnownTags,
    tagged,
)
from service.api.reviews import answered_reviews
from service.observability import add_facts
from service.state import CaseDesk, StoreDatabase
from service.store.actors import Actor
from service.store.cases import CaseView, get_case, list_cases
from service.store.database import StoreSession
from service.store.deletion import delete_case
from service.store.people import external_ids
from service.store.rankings import rankings_of

router = APIRouter(prefix="/v1/cases", tags=["cases"])
OPEN_PROBLEMS = problem_responses(400, 401, 403, 408, 409, 413, 415, 422, 429, 500, 503)
LOCATION = {"Location": {"description": "Where the case is.", "schema": {"type": "string"}}}
_FIRST_SKILL = {
    "case": "$response.body#/id",
    "ranking": "$response.body#/ranking/ranking_id",
    "skill": "$response.body#/ranking/suggestions/0/skill_id",
}
NEXT: dict[str, Any] = {
    "this": {"operationId": "get_case", "parameters": {"id": "$response.body#/id"}},
    "its_choices": {"operationId": "list_choices", "parameters": {"case": "$response.body#/id"}},
    "take_the_first": {"operationId": "make_choice", "requestBody": {"decision": "chosen", "weeks": 6} | _FIRST_SKILL},
    "decline_the_first": {"operationId": "make_choice", "requestBody": {"decision": "declined"} | _FIRST_SKILL},
    "delete": {"operationId": "delete_case", "parameters": {"id": "$response.body#/id"}},
}
MADE: dict[int | str, dict[str, Any]] = {
    200: {"description": "The same request had made it before", "model": answers.CaseMade, "headers": LOCATION},
    201: made_response("Stored and ranked", LOCATION, NEXT),
}


@router.post(
    "",
    status_code=201,
    operation_id="open_case",
    summary="Store a case and rank skills for it",
    response_model=answers.CaseMade,
    responses=MADE | OPEN_PROBLEMS,
    openapi_extra=case_request(),
)
def open_case(app: WritingApp, body: JsonBody, desk: CaseDesk, key: IdempotencyKey, request: Request) -> Response:
    """Rank a case and keep it with the ranking that was shown.

    What could name a person is taken out before anything is ranked or kept. `teacher_id` is what observation files call
    the teacher; without a person of the tenant by that name nobody can choose. Scores the tenant has stored are not
    added: send with the case what is to count.
    """
    case = read_case(parse_json(body))
    stored = desk.open_case(app, case, idempotency_key=key)
    with desk.database.read() as session:
        ranking = rankings_of(session, app, stored.case_id)[0].ranking
    add_facts(request, struggle_length=len(case.struggle), ranking_status=ranking.status)
    made = answers.CaseMade(id=stored.case_id, ranking=ranking)
    headers = {"Location": f"{router.prefix}/{stored.case_id}"}
    return Response(made.model_dump_json(), 200 if stored.is_known else 201, headers, JSON)


@router.get("", operation_id="list_cases", summary="List the cases the app sent", responses=LIST_PROBLEMS)
def get_cases(app: WritingApp, part: AskedPart, database: StoreDatabase) -> answers.CaseList:
    """Answer with the cases the app sent, latest first, in parts."""
    with database.read() as session:
        page = list_cases(session, app, after=part.after, limit=part.limit)
        names = external_ids(session, app.tenant_id, [line.teacher_id for line in page.items if line.teacher_id])
    lines = [
        answers.CaseLine(
            id=line.id,
            case_id=line.case_ref,
            teacher_id=names.get(line.teacher_id or ""),
            created_at=line.created_at,
            changed_at=line.changed_at,
        )
        for line in page.items
    ]
    return answers.CaseList(items=lines, next=page.next)


@router.get(
    "/{id}",
    operation_id="get_case",
    summary="Show a case with its rankings, choices and reviews",
    response_model=answers.StoredCase,
    responses={200: {"headers": TAG_HEADER}} | NOT_CHANGED | ONE_PROBLEMS,
)
def get_one_case(app: WritingApp, case_id: IdInPath, known: KnownTags, database: StoreDatabase) -> Response:
    """Answer with a case the app sent and all that became of it, or with 304 when the app has this state."""
    with database.read() as session:
        return tagged(_answered(session, app, get_case(session, app, case_id)).model_dump_json(), known)


@router.delete(
    "/{id}",
    status_code=204,
    operation_id="delete_case",
    summary="Delete a case and all that belongs to it",
    response_class=Response,
    responses=ONE_PROBLEMS,
)
def delete_one_case(app: WritingApp, case_id: IdInPath, database: StoreDatabase) -> Response:
    """Delete a case the app sent, with its rankings, choices, reviews, cycles and every text of them."""
    with database.write() as session:
        delete_case(session, app, case_id)
    return Response(status_code=204)


def _answered(session: StoreSession, app: Actor, view: CaseView) -> answers.StoredCase:
    names = external_ids(session, app.tenant_id, [view.teacher_id]) if view.teacher_id else {}
    return answers.StoredCase(
        id=view.id,
        case_id=view.case_ref,
        teacher_id=names.get(view.teacher_id or ""),
        struggle=view.struggle,
        observations=view.observations,
        context=view.context,
        declined=view.declined,
        top=view.top,
        created_at=view.created_at,
        changed_at=view.changed_at,
        texts_deleted_at=view.texts_deleted_at,
        rankings=[answers.RankingShown(shown_at=shown.shown_at, ranking=shown.ranking) for shown in view.rankings],
        choices=answered_choices(session, app, view.id),
        reviews=answered_reviews(session, app, view.id),
    )
