"""The page of one moment, and the part of it that changes when a skill is put aside."""

from __future__ import annotations

from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse

from recommender.catalogue.loader import load_catalogue
from service.access.signed_in import SignedIn
from service.pages.box import form_of_context, kept_box
from service.pages.moment import Moment, as_teacher, read_moment
from service.pages.once import fresh_once
from service.pages.render import fragment, page
from service.pages.strings import page_strings
from service.store.database import Database

MAX_CONTEST_CHARACTERS = 1_000
MAX_WHY_CHARACTERS = 300


def moment_page(
    request: Request,
    me: SignedIn,
    database: Database,
    case_id: str,
    *,
    status: int = 200,
    done: str = "",
    refused: bool = False,
    contest: dict[str, str] | None = None,
) -> HTMLResponse:
    """The page of a teacher's moment. Raises NotFoundError for anything else.

    ``done`` says what was just done, ``refused`` that a second skill was not begun; ``contest``: what was typed into
    the contest's form, as ``about`` and ``why``, with the ``error`` in it.
    """
    actor = as_teacher(me)
    with database.read() as session:
        moment = read_moment(session, actor, case_id, load_catalogue())
        box = None
        if moment.ranking.status != "ranked":
            form = form_of_context(moment.case.struggle or "", moment.case.context)
            box = kept_box(session, actor, form, again=True)
    return page(
        request, "moment.html", me, status,
        moment=moment, box=box, once=fresh_once(), is_part=False, refused=refused, contest=contest,
        done=page_strings()["moments"]["done"].get(done), max_why=MAX_WHY_CHARACTERS,
        max_contest=MAX_CONTEST_CHARACTERS,
    )  # fmt: skip


def suggestions_part(me: SignedIn, database: Database, case_id: str) -> HTMLResponse:
    """The list anew, for a script that puts it in place, with a sentence for who does not see it change."""
    with database.read() as session:
        moment = read_moment(session, as_teacher(me), case_id, load_catalogue())
    return fragment(
        "suggestions_part.html", me,
        moment=moment, once=fresh_once(), is_part=True, said=_new_list(moment), max_why=MAX_WHY_CHARACTERS,
    )  # fmt: skip


def _new_list(moment: Moment) -> str:
    text: dict[str, Any] = page_strings()["moments"]
    names = ", ".join(card.skill.name for card in moment.cards)
    return str(text["new_list"].format(skills=names) if names else text["empty_list"])
