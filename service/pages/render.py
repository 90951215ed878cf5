"""Pages from templates: one environment, the strings, and who is signed in."""

from __future__ import annotations

from datetime import date, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from recommender.cases import INTENDED_USE
from service.access.signed_in import SignedIn
from service.pages.strings import page_strings
from service.problems import Problem

TEMPLATES_FOLDER = Path(__file__).parent / "templates"


def page(
    request: Request, template: str, signed_in: SignedIn | None = None, status: int = 200, **values: Any
) -> HTMLResponse:
    """A whole page. A template gets ``t`` (strings), ``me`` (who is signed in, or None), ``path`` and ``values``."""
    return HTMLResponse(_render(template, me=signed_in, path=request.url.path, **values), status)


def fragment(template: str, signed_in: SignedIn | None = None, **values: Any) -> HTMLResponse:
    """A part of a page, for a script that puts it in place."""
    return HTMLResponse(_render(template, me=signed_in, path="", **values))


def problem_page(request: Request, problem: Problem, signed_in: SignedIn | None = None) -> HTMLResponse:
    """A problem in a person's words; for a script only the words, to be put on the page that is there."""
    texts = page_strings()["problems"]
    message = texts.get(problem.name, texts["other"])
    if "hx-request" in request.headers:
        words = _render("problem_words.html", me=signed_in, path="", message=message)
        answer = HTMLResponse(words, problem.status_code)
    else:
        answer = page(request, "problem.html", signed_in, problem.status_code, message=message)
    answer.headers.update(problem.headers or {})
    return answer


def _render(template: str, **values: Any) -> str:
    return _environment().get_template(template).render(t=page_strings(), intended_use=INTENDED_USE, **values)


def day(moment: date | datetime) -> str:
    """A day as it is read: 3 December 2026."""
    return f"{moment.day} {page_strings()['months'][moment.month - 1]} {moment.year}"


@lru_cache(maxsize=1)
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES_FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["day"] = day
    return environment
