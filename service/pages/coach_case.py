"""One shared moment for its coach: read it, review its list, answer an objection."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from service.access.signed_in import CoachSignedIn, SignedIn
from service.pages.once import once_key
from service.pages.posted import SentFields
from service.pages.render import page
from service.pages.review_form import MAX_WHY_CHARACTERS, ReviewForm, read_review
from service.pages.shared_moment import SharedMoment, read_shared_moment
from service.problems import Problem
from service.served_model import ServedModel
from service.state import Model, ServiceMetrics, StoreDatabase
from service.store.contests import answer_contest
from service.store.database import Database
from service.store.errors import ConflictError, NotFoundError
from service.store.feedback import feedback_lag
from service.store.reviews import record_review

PATH = "/coach/moments/{case_id}"
ANSWER = "answer"
# What was just done, as the address says it after a form was sent.
DONE = ("review", ANSWER)
router = APIRouter(include_in_schema=False)


@router.get(PATH)
def show_moment(
    request: Request, me: CoachSignedIn, database: StoreDatabase, model: Model, case_id: str, done: str = ""
) -> HTMLResponse:
    """A moment as its teacher shared it, with the form for a review."""
    moment = _read(database, me, case_id, model)
    return _page(request, me, model, moment, done=done if done in DONE else None)


@router.post(PATH + "/reviews")
def send_review(
    request: Request,
    me: CoachSignedIn,
    database: StoreDatabase,
    model: Model,
    metrics: ServiceMetrics,
    sent: SentFields,
    case_id: str,
) -> Response:
    """Record a review of the list on screen; what cannot be recorded comes back with all that was typed."""
    moment = _read(database, me, case_id, model)
    if not moment.can_be_reviewed:
        raise Problem("conflict")
    ranking, catalogue = moment.ranking, model.recommender.catalogue
    form = ReviewForm.of(sent, str(ranking.ranking_id), moment.shown, catalogue)
    if sent.get("ranking") != form.ranking_id:
        return _page(request, me, model, moment, form=form, notice="list_changed", status=409)
    read = read_review(form, [suggestion.skill_id for suggestion in ranking.suggestions], catalogue)
    if read.errors:
        return _page(request, me, model, moment, form=form, errors=read.errors, status=422)
    key = once_key(sent, case_id, form.ranking_id, read.changes)
    with database.write() as session:
        lag = feedback_lag(session, me.actor, form.ranking_id, "review")
        record_review(session, me.actor, case_id, form.ranking_id, read.changes, idempotency_key=key)
    metrics.count_feedback("review", lag)
    return _done(case_id, "review")


@router.post(PATH + "/contests/{contest_id}/answer")
def send_answer(
    request: Request,
    me: CoachSignedIn,
    database: StoreDatabase,
    model: Model,
    sent: SentFields,
    case_id: str,
    contest_id: str,
) -> Response:
    """Answer a teacher's objection to a suggestion or to a review of this moment."""
    moment = _read(database, me, case_id, model)
    if contest_id not in [objection.contest.id for objection in moment.objections]:
        raise NotFoundError("contest")
    answer = sent.text(ANSWER).strip()
    error = "no_answer" if not answer else "too_long" if len(answer) > MAX_WHY_CHARACTERS else None
    if error is None:
        try:
            with database.write() as session:
                answer_contest(session, me.actor, contest_id, answer)
        except ConflictError:
            # Somebody else was faster: the page shows their answer, and what was typed here.
            moment, error = _read(database, me, case_id, model), "answered_before"
        else:
            return _done(case_id, ANSWER)
    return _page(
        request, me, model, moment,
        answers={contest_id: answer}, errors={answer_field(contest_id): error},
        status=409 if error == "answered_before" else 422,
    )  # fmt: skip


def answer_field(contest_id: str) -> str:
    """Id of the box of an answer on the page, where there can be several."""
    return f"answer-{contest_id}"


def _read(database: Database, me: SignedIn, case_id: str, model: ServedModel) -> SharedMoment:
    with database.read() as session:
        return read_shared_moment(session, me.actor, case_id, model)


def _done(case_id: str, what: str) -> RedirectResponse:
    return RedirectResponse(f"{PATH.format(case_id=case_id)}?done={what}", status_code=303)


def _page(
    request: Request, me: SignedIn, model: ServedModel, moment: SharedMoment, *, status: int = 200, **values: Any
) -> HTMLResponse:
    catalogue = model.recommender.catalogue
    skills = {
        skills[0].domain_title: skills
        for domain in catalogue.domains
        if (skills := [skill for skill in catalogue if skill.domain == domain])
    }
    form = values.pop("form", None) or ReviewForm.empty(str(moment.ranking.ranking_id), moment.shown)
    shown = {"done": None, "notice": None, "errors": {}, "answers": {}} | values
    return page(
        request, "coach_case.html", me, status,
        moment=moment, form=form, catalogue=catalogue, skills_by_domain=skills, answer_field=answer_field,
        max_why=MAX_WHY_CHARACTERS, **shown,
    )  # fmt: skip
