"""A teacher says that a suggestion or a coach's review is wrong, with a why; a person reads it and answers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import get_args

from sqlalchemy import ColumnElement, and_, select

from recommender.cases import MAX_STRUGGLE_CHARACTERS
from recommender.catalogue.loader import load_catalogue
from recommender.errors import CaseError
from service.store.actors import Actor
from service.store.database import StoreSession, utc_now
from service.store.errors import ConflictError, NotAllowedError, NotFoundError
from service.store.events import record
from service.store.idempotency import claim
from service.store.pages import Page, behind, checked_limit, cursor_of, page_of
from service.store.rankings import ranks_shown
from service.store.tables.care import Contest, ContestAbout, ContestState
from service.store.tables.cases import Case, Review, ReviewChange
from service.store.tables.people import Person
from service.store.text_vault import Place, read_many, write_texts
from service.store.visibility import may_see, own, visible
from service.ulid import new_ulid


@dataclass(frozen=True)
class ContestView:
    """A contest as everybody sees it who sees the case. Texts are redacted, and None once they are deleted.

    ``about_id`` is the ranking or the review; ``skill_id`` None: all of it. ``answered_by_name`` None: nobody yet, or
    somebody whose data were deleted.
    """

    id: str
    case_id: str
    about: ContestAbout
    about_id: str
    skill_id: str | None
    raised_at: datetime
    state: ContestState
    why: str | None
    answer: str | None
    answered_by_name: str | None
    answered_at: datetime | None


@dataclass(frozen=True)
class ContestLine:
    """An open contest in the list of who may answer it. ``case_id`` only for a coach who sees the case."""

    id: str
    about: ContestAbout
    skill_id: str | None
    skill_name: str | None
    teacher_id: str
    teacher_name: str
    why: str | None
    raised_at: datetime
    case_id: str | None


def raise_contest(
    session: StoreSession,
    actor: Actor,
    case_id: str,
    *,
    about: ContestAbout,
    about_id: str,
    why: str,
    skill_id: str | None = None,
    idempotency_key: str | None = None,
    now: datetime | None = None,
) -> str:
    """Record that the teacher of a case holds a suggestion or a review of it to be wrong; the contest's id.

    ``about_id`` is the ranking or the review, ``skill_id`` one skill of it. Coaches who see the case and
    administrators read the ``why``. Raises NotAllowedError for anybody but the teacher, NotFoundError for a ranking or
    review of another case, CaseError for a skill that is not in it or a missing why.
    """
    moment, case = now or utc_now(), own(session, actor, Case, case_id)
    if actor.kind != "person":
        raise NotAllowedError("an app", wanted="the teacher: a contest is a person's")
    if about not in get_args(ContestAbout):
        raise CaseError("a contest about something else", wanted=" or ".join(get_args(ContestAbout)))
    _check_text(why, "why")
    skills = _skills(session, case, about, about_id)
    if skill_id is not None and skill_id not in skills:
        raise CaseError("a skill that is not in what is contested", wanted="one of its skills, or none for all of it")
    claimed = claim(session, actor, idempotency_key, [case_id, about, about_id, skill_id, why], new_ulid(), moment)
    if claimed.is_known:
        return claimed.id
    session.add(
        Contest(
            tenant_id=actor.tenant_id,
            id=claimed.id,
            case_id=case_id,
            about=about,
            ranking_id=about_id if about == "suggestion" else None,
            review_id=about_id if about == "review" else None,
            skill_id=skill_id,
            raised_by=actor.id,
            raised_at=moment,
            state="open",
        )
    )
    case.changed_at = moment
    session.flush()
    write_texts(session, Place(actor.tenant_id, "contest", claimed.id, "why"), [why], moment)
    record(
        session, actor, "contest.raised", claimed.id, person_id=actor.id, now=moment,
        case=case_id, about=about, skill=skill_id,
    )  # fmt: skip
    session.flush()
    return claimed.id


def answer_contest(
    session: StoreSession, actor: Actor, contest_id: str, answer: str, now: datetime | None = None
) -> None:
    """Answer a contest; the teacher and the coaches who see the case read it.

    An administrator may, or a coach who sees the case. Raises NotFoundError for anybody who does not see the contest,
    NotAllowedError for the teacher who raised it, ConflictError when it is answered, CaseError for an empty answer.
    """
    # Two at once: the second waits and finds it answered. SQLite lets one in at a time anyway.
    query = select(Contest).where(Contest.tenant_id == actor.tenant_id, Contest.id == contest_id, _is_seen(actor))
    contest = session.scalar(query.with_for_update())
    if contest is None:
        raise NotFoundError("contest")
    if contest.raised_by == actor.id or not _may_answer(actor):
        raise NotAllowedError("the one who asks", wanted="an administrator, or a coach who sees the case")
    if contest.state != "open":
        raise ConflictError("a contest that is answered", wanted="an open one")
    _check_text(answer, "answer")
    moment = now or utc_now()
    contest.state, contest.answered_by, contest.answered_at = "answered", actor.id, moment
    session.get_one(Case, (actor.tenant_id, contest.case_id)).changed_at = moment
    session.flush()
    write_texts(session, Place(actor.tenant_id, "contest", contest_id, "answer"), [answer], moment)
    record(
        session, actor, "contest.answered", contest_id, person_id=contest.raised_by, now=moment, case=contest.case_id
    )  # fmt: skip
    session.flush()


def contests_of(session: StoreSession, actor: Actor, case_id: str) -> list[ContestView]:
    """Every contest of a case, oldest first. Raises NotFoundError when the actor does not see the case."""
    visible(session, actor, Case, case_id)
    rows = session.execute(
        select(Contest, Person.name)
        .outerjoin(Person, (Person.tenant_id == Contest.tenant_id) & (Person.id == Contest.answered_by))
        .where(Contest.tenant_id == actor.tenant_id, Contest.case_id == case_id)
        .order_by(Contest.raised_at, Contest.id)
    ).all()
    texts = read_many(session, actor.tenant_id, "contest", [contest.id for contest, _ in rows])
    return [
        ContestView(
            contest.id,
            contest.case_id,
            contest.about,  # type: ignore[arg-type]
            contest.ranking_id or contest.review_id or "",
            contest.skill_id,
            contest.raised_at,
            contest.state,  # type: ignore[arg-type]
            texts.get((contest.id, "why"), [None])[0],
            texts.get((contest.id, "answer"), [None])[0],
            name,
            contest.answered_at,
        )
        for contest, name in rows
    ]


def open_contests(
    session: StoreSession, actor: Actor, *, after: str | None = None, limit: int = 20
) -> Page[ContestLine]:
    """Contests that wait for an answer of the actor, longest first: of the tenant for an administrator, else of the
    cases a coach sees. Never the struggle. Raises NotAllowedError for anybody else.
    """
    if not _may_answer(actor):
        raise NotAllowedError("somebody else", wanted="an administrator or a coach")
    query = (
        select(Contest, Person.name, may_see(actor, Case))
        .join(Case, (Case.tenant_id == Contest.tenant_id) & (Case.id == Contest.case_id))
        .join(Person, (Person.tenant_id == Contest.tenant_id) & (Person.id == Contest.raised_by))
        .where(
            Contest.tenant_id == actor.tenant_id,
            Contest.state == "open",
            Contest.raised_by != actor.id,
            _is_seen(actor),
            *behind(after, Contest.raised_at, Contest.id),
        )
        .order_by(Contest.raised_at, Contest.id)
        .limit(checked_limit(limit) + 1)
    )
    rows = session.execute(query).all()
    whys = read_many(session, actor.tenant_id, "contest", [contest.id for contest, _, _ in rows])
    lines = [
        ContestLine(
            contest.id,
            contest.about,  # type: ignore[arg-type]
            contest.skill_id,
            _name_of(contest.skill_id),
            contest.raised_by,
            teacher_name,
            whys.get((contest.id, "why"), [None])[0],
            contest.raised_at,
            contest.case_id if sees_case else None,
        )
        for contest, teacher_name, sees_case in rows
    ]
    return page_of(lines, limit, lambda line: cursor_of(line.raised_at, line.id))


def _may_answer(actor: Actor) -> bool:
    return actor.kind == "person" and not actor.roles.isdisjoint({"administrator", "coach"})


def _is_seen(actor: Actor) -> ColumnElement[bool]:
    """Condition on contests of the actor's tenant: all for an administrator, else those of the cases they see."""
    in_tenant = Contest.tenant_id == actor.tenant_id
    if actor.kind == "person" and "administrator" in actor.roles:
        return in_tenant
    return and_(in_tenant, Contest.case_id.in_(select(Case.id).where(may_see(actor, Case))))


def _skills(session: StoreSession, case: Case, about: ContestAbout, about_id: str) -> set[str]:
    if about == "suggestion":
        return set(ranks_shown(session, case, about_id))
    review = session.get(Review, (case.tenant_id, about_id))
    if review is None or review.case_id != case.id:
        raise NotFoundError("review")
    changed = select(ReviewChange.skill_id).where(
        ReviewChange.tenant_id == case.tenant_id, ReviewChange.review_id == about_id
    )
    return set(session.scalars(changed))


def _check_text(text: str, what: str) -> None:
    if not text.strip():
        raise CaseError(f"no {what}", wanted="some words, which somebody is to read")
    if len(text) > MAX_STRUGGLE_CHARACTERS:
        raise CaseError(f"a text of {len(text)} characters", wanted=f"at most {MAX_STRUGGLE_CHARACTERS}", where=what)


def _name_of(skill_id: str | None) -> str | None:
    catalogue = load_catalogue()
    return catalogue[skill_id].name if skill_id is not None and skill_id in catalogue else skill_id
