"""The address itself: whoever is signed in goes to their first page; others may try the box where that is allowed."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from recommender.cases import Ranking
from service.access.signed_in import MaybeSignedIn, SignedIn
from service.api.score import rank_case
from service.observability import add_facts
from service.pages.box import Box, form_error
from service.pages.cards import cards
from service.pages.form import Form, SentForm
from service.pages.render import page
from service.pages.strings import page_strings
from service.problems import Problem
from service.served_model import ServedModel
from service.settings import Settings
from service.state import Model, ServiceMetrics, ServiceSettings

PATH = "/"
SIGN_IN = "/sign-in"
# A person with several roles begins where they are waited for.
FIRST_PAGES = {"teacher": "/moments", "coach": "/coach", "safeguarding": "/safeguarding", "administrator": "/admin"}
router = APIRouter(include_in_schema=False)


@router.get(PATH)
async def show_first_page(request: Request, me: MaybeSignedIn, settings: ServiceSettings) -> Response:
    """The first page of whoever is signed in; else the box to try, or the way to sign in."""
    if me is not None:
        return RedirectResponse(first_page(me), status_code=303)
    if not may_try(settings):
        return RedirectResponse(SIGN_IN, status_code=303)
    return _page(request, Form())


@router.post(PATH)
def show_skills(
    form: SentForm, model: Model, metrics: ServiceMetrics, settings: ServiceSettings, request: Request
) -> HTMLResponse:
    """The form as it was sent, under the skills to try or a kind message. Nothing is stored."""
    if not may_try(settings):
        raise Problem("unauthorized")
    if form.error is not None:
        return _page(request, form, status=422)
    ranking = rank_case(model, metrics, form.case())
    add_facts(request, struggle_length=len(form.struggle), ranking_status=ranking.status)
    return _page(request, form, result=_result(ranking, form, model))


def may_try(settings: Settings) -> bool:
    """Whether the box at / answers without signing in."""
    return settings.is_local or settings.open_page


def first_page(me: SignedIn) -> str:
    """Where a person begins."""
    return next((path for role, path in FIRST_PAGES.items() if role in me.actor.roles), "/notice")


def _result(ranking: Ranking, form: Form, model: ServedModel) -> dict[str, Any]:
    shown = cards(ranking, form.struggle, model.recommender.catalogue)
    return {
        "heading": page_strings()["result"][
            "nothing_left" if ranking.status == "ranked" and not shown else ranking.status
        ],
        "ranking": ranking,
        "cards": shown,
        "unsure": all(card.confidence == "possible" for card in shown),
    }


def _page(request: Request, form: Form, *, result: dict[str, Any] | None = None, status: int = 200) -> HTMLResponse:
    return page(
        request, "home.html", None, status,
        form=form, result=result,
        box=Box(form, PATH, error=form_error(form) if status != 200 else None, again=result is not None),
    )  # fmt: skip
