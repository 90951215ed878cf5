"""A teacher's first page: the box, the draft in it, what is practised now, and earlier moments."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from recommender.catalogue.loader import Catalogue, load_catalogue
from service.access.rates import ServiceRates, count_case
from service.access.signed_in import SignedIn, TeacherSignedIn
from service.observability import add_facts
from service.pages.box import KEPT_PATH, form_error, form_of_context, kept_box
from service.pages.cards import shorten, skill_name
from service.pages.form import Form
from service.pages.moment import as_teacher, open_practice
from service.pages.once import once_key
from service.pages.posted import Posted, SentFields
from service.pages.render import page
from service.pages.strings import page_strings
from service.problems import Problem
from service.refusals import as_refusal
from service.state import CaseDesk, StoreDatabase
from service.store.database import Database
from service.store.drafts import Draft, drop_draft, read_draft
from service.store.errors import StoreUnavailableError
from service.store.own_cases import OwnCaseLine, own_cases

PATH = KEPT_PATH
LINES = 10
WITH_SCORES_FIELD = "with_scores"
router = APIRouter(include_in_schema=False)


@dataclass(frozen=True)
class MomentLine:
    """An earlier moment: its first words and how it stands."""

    id: str
    created_at: datetime
    words: str
    state: str


@router.get(PATH)
def show_moments(
    request: Request,
    me: TeacherSignedIn,
    database: StoreDatabase,
    after: Annotated[str | None, Query(max_length=100)] = None,
    done: Annotated[str, Query(max_length=20)] = "",
) -> HTMLResponse:
    """The page, with the draft in the box; ``after`` goes on with earlier moments, ``done`` says what was just done."""
    return moments_page(request, me, database, after=after, done=done)


@router.post(PATH)
def open_moment(
    request: Request, me: TeacherSignedIn, sent: SentFields, desk: CaseDesk, rates: ServiceRates
) -> Response:
    """Keep a moment and suggest skills for it; the draft has become it."""
    form, actor = Form.of(sent), as_teacher(me)
    with_scores = wants_scores(sent)
    if form.error is not None:
        return moments_page(request, me, desk.database, form, with_scores, error=form_error(form), status=422)
    try:
        count_case(rates, actor)
        stored = desk.open_case(
            actor, form.case(), with_scores=with_scores, idempotency_key=once_key(sent, form, with_scores)
        )
        with desk.database.write() as session:
            drop_draft(session, actor)
    except (Problem, StoreUnavailableError) as error:
        # What was typed must not be lost with an answer that says: later.
        problem = error if isinstance(error, Problem) else as_refusal(error)
        texts = page_strings()["problems"]
        said = texts.get(problem.name, texts["other"])
        answer = moments_page(request, me, desk.database, form, with_scores, error=said, status=problem.status_code)
        answer.headers.update(problem.headers or {})
        return answer
    add_facts(request, struggle_length=len(form.struggle))
    return RedirectResponse(f"{PATH}/{stored.case_id}", status_code=303)


def wants_scores(sent: Posted) -> bool:
    """Whether the box to use stored scores is ticked."""
    return sent.get(WITH_SCORES_FIELD) == "yes"


def moments_page(
    request: Request,
    me: SignedIn,
    database: Database,
    sent: Form | None = None,
    with_scores: bool = True,
    *,
    error: str | None = None,
    after: str | None = None,
    done: str = "",
    status: int = 200,
) -> HTMLResponse:
    """A teacher's first page; ``sent`` is what they typed, where it goes back to them, None for what they began."""
    actor, catalogue = as_teacher(me), load_catalogue()
    with database.read() as session:
        earlier = own_cases(session, actor, after=after, limit=LINES)
        draft = read_draft(session, actor) if sent is None else None
        box = kept_box(
            session, actor, sent or _form_to_begin(draft, earlier.items),
            error=error, with_scores=with_scores, begun_on=draft.saved_at if draft else None,
        )  # fmt: skip
        practice = open_practice(session, actor, catalogue)
    return page(
        request, "moments.html", me, status,
        box=box, practice=practice, lines=[_line(line, catalogue) for line in earlier.items], next=earlier.next,
        is_first=after is None, done=page_strings()["moments"]["done"].get(done),
    )  # fmt: skip


def _form_to_begin(draft: Draft | None, earlier: list[OwnCaseLine]) -> Form:
    """The draft; without one an empty box, with grades and subject as they were tapped the last time."""
    if draft is not None:
        return form_of_context(draft.struggle, draft.context)
    last = dict(earlier[0].context) if earlier else {}
    return form_of_context("", last | {"minutes_per_week": None})


def _line(line: OwnCaseLine, catalogue: Catalogue) -> MomentLine:
    text = page_strings()["moments"]
    if line.chosen is not None:
        state = text["states"]["chosen"].format(skill=skill_name(line.chosen, catalogue))
    else:
        state = text["states"]["waiting" if line.status == "ranked" else "nothing"]
    gone = text["no_words" if line.texts_deleted_at is not None else "no_words_sent"]
    return MomentLine(line.id, line.created_at, shorten(line.struggle) if line.struggle else gone, state)
