"""Routes of choices: an app passes on what the teacher takes and declines. It decides nothing itself."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Response

from recommender.cases import Ranking
from service.access.apps import WritingApp
from service.api import answers
from service.api.bodies import JSON, JsonBody, read_body_as
from service.api.contract import LIST_OF_CASE_PROBLEMS, MAKE_PROBLEMS, made_response, sent_request
from service.api.parameters import CaseInQuery, IdempotencyKey
from service.api.sent import ChoiceSent, ChosenSent, DeclinedSent
from service.casework import Casework
from service.state import CaseDesk, StoreDatabase
from service.store.actors import Actor
from service.store.choices import choices_of, record_choice
from service.store.database import StoreSession
from service.store.feedback import feedback_lag
from service.store.rankings import rankings_of

router = APIRouter(prefix="/v1/choices", tags=["choices"])
NEXT: dict[str, Any] = {
    "its_cycle": {"operationId": "get_cycle", "parameters": {"id": "$response.body#/cycle"}},
    "check_in": {"operationId": "make_check_in", "parameters": {"id": "$response.body#/cycle"}},
    "look_at_a_lesson": {"operationId": "make_follow_up", "parameters": {"id": "$response.body#/cycle"}},
    "begin_later": {"operationId": "begin_cycle", "requestBody": {"choice": "$response.body#/id"}},
}
MADE: dict[int | str, dict[str, Any]] = {201: made_response("The teacher's word is kept", {}, NEXT)}


@router.post(
    "",
    status_code=201,
    operation_id="make_choice",
    summary="Pass on that the teacher takes or declines a skill",
    response_model=answers.ChosenMade | answers.DeclinedMade,
    responses=MADE | MAKE_PROBLEMS,
    openapi_extra=sent_request(ChoiceSent, "choices"),
)
def make_choice(app: WritingApp, body: JsonBody, desk: CaseDesk, key: IdempotencyKey) -> Response:
    """Keep the teacher's own decision on a case the app sent for them.

    Send what the teacher said, and only that: nothing is assigned, by an app as little as by this service. A skill that
    was taken begins its weeks of practice, unless another cycle of the teacher is open (409). A skill that was declined
    is answered with a new ranking without it.
    """
    sent = read_body_as(body, ChoiceSent).root
    made = _take(desk, app, sent, key) if isinstance(sent, ChosenSent) else _decline(desk, app, sent, key)
    return Response(made.model_dump_json(), 201, media_type=JSON)


@router.get("", operation_id="list_choices", summary="List the choices on a case", responses=LIST_OF_CASE_PROBLEMS)
def get_choices(app: WritingApp, case_id: CaseInQuery, database: StoreDatabase) -> answers.ChoiceList:
    """Answer with every decision on a case the app sent, oldest first."""
    with database.read() as session:
        return answers.ChoiceList(items=answered_choices(session, app, case_id))


def answered_choices(session: StoreSession, app: Actor, case_id: str) -> list[answers.Choice]:
    """The decisions on a case. Raises NotFoundError when the app did not send it."""
    return [
        answers.Choice(
            id=choice.id,
            ranking=choice.ranking_id,
            skill=choice.skill_id,
            decision=choice.decision,
            rank=choice.rank,
            reason=choice.reason,
            why=choice.why,
            decided_at=choice.decided_at,
        )
        for choice in choices_of(session, app, case_id)
    ]


def _take(desk: Casework, app: Actor, sent: ChosenSent, key: str | None) -> answers.ChosenMade:
    if sent.weeks:
        focus = desk.choose(app, sent.case, sent.ranking, sent.skill, weeks=sent.weeks, idempotency_key=key)
        return answers.ChosenMade(id=focus.choice_id, cycle=focus.cycle_id)
    with desk.database.write() as session:
        lag = feedback_lag(session, app, sent.ranking, "choice")
        choice_id = record_choice(
            session, app, sent.case, sent.ranking, sent.skill, "chosen", weeks=0, idempotency_key=key
        )
    desk.metrics.count_feedback("choice", lag)
    return answers.ChosenMade(id=choice_id, cycle=None)


def _decline(desk: Casework, app: Actor, sent: DeclinedSent, key: str | None) -> answers.DeclinedMade:
    with desk.database.write() as session:
        lag = feedback_lag(session, app, sent.ranking, "choice")
        choice_id = record_choice(
            session, app, sent.case, sent.ranking, sent.skill, "declined",
            reason=sent.reason, why=sent.why, idempotency_key=key,
        )  # fmt: skip
    desk.metrics.count_feedback("choice", lag)
    latest = desk.rank_again(app, sent.case, declining=(sent.skill,))
    with desk.database.read() as session:
        return answers.DeclinedMade(id=choice_id, ranking=_shown_for(session, app, sent, choice_id, latest))


def _shown_for(session: StoreSession, app: Actor, sent: DeclinedSent, choice_id: str, latest: str) -> Ranking:
    """The first ranking after the choice that is without the skill: the same, however often it is asked for."""
    decided_at = next(c.decided_at for c in choices_of(session, app, sent.case) if c.id == choice_id)
    shown = rankings_of(session, app, sent.case)
    after = [s for s in shown if s.shown_at >= decided_at and sent.skill in s.features.get("declined", ())]
    return (after or [s for s in shown if s.ranking.ranking_id == latest])[0].ranking
