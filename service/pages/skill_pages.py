"""The catalogue to read: all skills by domain with a search, and a page for each."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from recommender.catalogue.loader import load_catalogue
from recommender.catalogue.skill import Skill
from service.access.signed_in import Reader, SignedIn
from service.pages.moment import Practice, as_teacher, open_practice
from service.pages.once import fresh_once
from service.pages.posted import clean_text
from service.pages.render import page
from service.problems import Problem
from service.state import Model, StoreDatabase
from service.store.cases import get_case
from service.store.database import Database, StoreSession
from service.store.errors import NotFoundError

MAX_SEARCH_CHARACTERS = 100
router = APIRouter(include_in_schema=False)


@dataclass(frozen=True)
class DomainSkills:
    """The skills of one domain that a search found."""

    slug: str
    title: str
    skills: list[Skill]


@dataclass(frozen=True)
class Moment:
    """A teacher's own moment that a skill can be chosen for.

    ``ranking_id``: of the list that stands, None where nothing may be chosen; ``practising``: the practice
    that has to end first.
    """

    case_id: str
    began_at: datetime
    ranking_id: str | None
    practising: Practice | None


@router.get("/skills")
def show_skills(
    request: Request, me: Reader, database: StoreDatabase, model: Model, q: str = "", domain: str = "", moment: str = ""
) -> HTMLResponse:
    """All skills, or those that hold every word of ``q``, by domain; ``moment``: the moment one is looked for."""
    catalogue = model.recommender.catalogue
    words = clean_text(q)[:MAX_SEARCH_CHARACTERS].strip()
    only = domain if domain in catalogue.domains else ""
    found = [skill for skill in catalogue if (not only or skill.domain == only) and holds_words(skill, words)]
    return page(
        request, "skills.html", me,
        q=words, only=only, moment=_moment(database, me, moment), found=by_domain(found),
        count=len(found), domains=[(group.slug, group.title) for group in by_domain(catalogue)],
        is_all=not (words or only),
    )  # fmt: skip


@router.get("/skills/{skill_id}")
def show_skill(
    request: Request, me: Reader, database: StoreDatabase, model: Model, skill_id: str, moment: str = ""
) -> HTMLResponse:
    """One skill; with one's own ``moment`` it can be chosen for it."""
    catalogue = model.recommender.catalogue
    if skill_id not in catalogue:
        raise Problem("not-found")
    skill = catalogue[skill_id]
    return page(
        request, "skill.html", me,
        skill=skill,
        neighbours=[(catalogue[neighbour.skill], neighbour.line) for neighbour in skill.neighbours],
        prerequisites=[catalogue[earlier] for earlier in skill.prerequisites],
        moment=_moment(database, me, moment),
        once=fresh_once(),
    )  # fmt: skip


def holds_words(skill: Skill, words: str) -> bool:
    """Whether each word is somewhere in the skill's name, summary or definition, as a whole word or part of one."""
    text = f"{skill.name} {skill.summary} {skill.definition}".casefold()
    return all(word in text for word in words.casefold().split())


def by_domain(skills: Iterable[Skill]) -> list[DomainSkills]:
    """Skills under their domains, in the order they come."""
    groups: dict[str, DomainSkills] = {}
    for skill in skills:
        groups.setdefault(skill.domain, DomainSkills(skill.domain, skill.domain_title, [])).skills.append(skill)
    return list(groups.values())


def _moment(database: Database, me: SignedIn | None, case_id: str) -> Moment | None:
    """The moment a teacher came from. Raises NotFoundError for one that is not theirs; others have none."""
    if not case_id or me is None or not me.may_be("teacher"):
        return None
    with database.read() as session:
        return _own_moment(session, me, case_id)


def _own_moment(session: StoreSession, me: SignedIn, case_id: str) -> Moment:
    actor = as_teacher(me)
    view = get_case(session, actor, case_id)
    if not view.rankings:
        raise NotFoundError("case")
    latest = view.rankings[-1].ranking
    # Somebody's safety comes before any skill.
    ranking_id = None if latest.status == "safeguarding" else latest.ranking_id
    return Moment(case_id, view.created_at, ranking_id, open_practice(session, actor, load_catalogue()))
