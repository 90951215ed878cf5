"""Routes of reviews: an app passes on a coach's answer to a ranking, on a case the teacher shared with that coach."""

from __future__ import annotations

from fastapi import APIRouter, Response

from service.access.apps import WritingApp
from service.api import answers
from service.api.bodies import JsonBody, read_body_as
from service.api.contract import LIST_OF_CASE_PROBLEMS, MAKE_PROBLEMS, sent_request
from service.api.parameters import CaseInQuery, IdempotencyKey, made
from service.api.sent import ChangeSent, KeepSent, RemoveSent, ReviewSent
from service.state import ServiceMetrics, StoreDatabase
from service.store.actors import Actor, person_actor
from service.store.database import StoreSession
from service.store.errors import NotFoundError
from service.store.feedback import feedback_lag
from service.store.people import external_ids, person_with_external_id
from service.store.reviews import SkillChange, record_review, reviews_of
from service.store.tables.cases import Case
from service.store.visibility import visible

router = APIRouter(prefix="/v1/reviews", tags=["reviews"])


@router.post(
    "",
    status_code=201,
    operation_id="make_review",
    summary="Pass on a coach's review of a ranking",
    response_model=answers.Made,
    responses=MAKE_PROBLEMS,
    openapi_extra=sent_request(ReviewSent, "reviews"),
)
def make_review(
    app: WritingApp, body: JsonBody, database: StoreDatabase, metrics: ServiceMetrics, key: IdempotencyKey
) -> Response:
    """Keep what a coach says about a ranking; the teacher sees each change with its why.

    Only for a case the app sent, and only when the teacher shares it with that coach now; otherwise it is not found.
    """
    sent = read_body_as(body, ReviewSent)
    changes = [_change(change) for change in sent.changes]
    with database.write() as session:
        visible(session, app, Case, sent.case)
        coach = _coach(session, app, sent.coach)
        lag = feedback_lag(session, app, sent.ranking, "review")
        review_id = record_review(
            session, coach, sent.case, sent.ranking, changes, by_app=app, idempotency_key=key
        )  # fmt: skip
    metrics.count_feedback("review", lag)
    return made(review_id)


@router.get("", operation_id="list_reviews", summary="List the reviews of a case", responses=LIST_OF_CASE_PROBLEMS)
def get_reviews(app: WritingApp, case_id: CaseInQuery, database: StoreDatabase) -> answers.ReviewList:
    """Answer with every review of a case the app sent, oldest first."""
    with database.read() as session:
        return answers.ReviewList(items=answered_reviews(session, app, case_id))


def answered_reviews(session: StoreSession, app: Actor, case_id: str) -> list[answers.Review]:
    """The reviews of a case. Raises NotFoundError when the app did not send it."""
    reviews = reviews_of(session, app, case_id)
    names = external_ids(session, app.tenant_id, {review.coach_id for review in reviews if review.coach_id})
    return [
        answers.Review(
            id=review.id,
            coach=names.get(review.coach_id or ""),
            ranking=review.ranking_id,
            reviewed_at=review.reviewed_at,
            changes=[
                answers.Change(skill=change.skill_id, action=change.action, to_rank=change.to_rank, why=change.why)
                for change in review.changes
            ],
        )
        for review in reviews
    ]


def _change(sent: ChangeSent) -> SkillChange:
    to_rank = None if isinstance(sent, KeepSent | RemoveSent) else sent.to_rank
    return SkillChange(sent.skill, sent.action, to_rank, sent.why)


def _coach(session: StoreSession, app: Actor, external_id: str) -> Actor:
    """The coach of a name. Raises NotFoundError for nobody, and for somebody who is no coach."""
    person_id = person_with_external_id(session, app.tenant_id, external_id)
    coach = person_actor(session, app.tenant_id, person_id) if person_id else None
    if coach is None or "coach" not in coach.roles:
        raise NotFoundError("coach")
    return coach
