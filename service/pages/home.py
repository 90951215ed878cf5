"""The page at /: one box, three taps, up to three skills to try."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

from recommender.cases import INTENDED_USE, MAX_STRUGGLE_CHARACTERS, Ranking
from service.api.score import rank_case
from service.api.state import Model, ServiceMetrics
from service.observability import add_facts
from service.pages.cards import cards
from service.pages.form import MINUTES, Form, SentForm
from service.pages.strings import page_strings
from service.problems import Problem
from service.served_model import ServedModel

PATH = "/"
TEMPLATES_FOLDER = Path(__file__).parent / "templates"
router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)


@router.get(PATH)
async def show_form() -> HTMLResponse:
    """The empty form."""
    return _page(Form())


@router.post(PATH)
def show_skills(form: SentForm, model: Model, metrics: ServiceMetrics, request: Request) -> HTMLResponse:
    """The form as it was sent, under the skills to try or a kind message. Nothing is stored."""
    if form.error is not None:
        return _page(form, status=422)
    ranking = rank_case(model, metrics, form.case())
    add_facts(request, struggle_length=len(form.struggle), ranking_status=ranking.status)
    return _page(form, result=_result(ranking, form, model))


def answer_problem_on_page(problem: Problem) -> HTMLResponse:
    """A problem in a teacher's words."""
    texts = page_strings()["problems"]
    return _render("problem.html", problem.status_code, message=texts.get(problem.name, texts["other"]))


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


def _page(form: Form, *, result: dict[str, Any] | None = None, status: int = 200) -> HTMLResponse:
    error = form.error if status != 200 else None
    return _render("home.html", status, form=form, error=error, result=result, minutes=MINUTES)


def _render(template: str, status: int, **values: Any) -> HTMLResponse:
    page = _template(template).render(
        t=page_strings(), intended_use=INTENDED_USE, max_characters=MAX_STRUGGLE_CHARACTERS, **values
    )
    return HTMLResponse(page, status)


@lru_cache(maxsize=8)
def _template(name: str) -> Template:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES_FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(name)
