"""A coach's teachers by name, with what each of them shares now. Nothing is in it that puts them in an order."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, func, select, tuple_

from recommender.errors import CaseError
from service.store.actors import Actor, require_coach
from service.store.database import StoreSession, utc_now
from service.store.pages import Page, checked_limit, page_of
from service.store.tables.cases import Case, CaseShare
from service.store.tables.cycles import CheckIn, Cycle, CycleShare, FollowUp
from service.store.tables.people import Link, Person
from service.store.visibility import may_see


@dataclass(frozen=True)
class SharedFocus:
    """The open cycle a teacher shares. ``week`` is 1 from the first day on and may pass ``weeks``."""

    cycle_id: str
    skill_id: str
    started_on: date
    week: int
    weeks: int
    last_check_in_on: date | None


@dataclass(frozen=True)
class CaseloadLine:
    """A teacher linked with the coach. All but names and the link's date is of shared items alone.

    ``last_activity_on`` (UTC): the latest change of a shared case, or of a shared cycle; None: nothing is shared.
    ``open_case_ids``: shared cases without a choice yet, latest change first.
    """

    link_id: str
    teacher_id: str
    teacher_name: str
    linked_at: datetime
    last_activity_on: date | None
    open_case_ids: tuple[str, ...]
    focus: SharedFocus | None


def caseload(
    session: StoreSession, actor: Actor, after: str | None = None, limit: int = 50, now: datetime | None = None
) -> Page[CaseloadLine]:
    """The teachers a coach is linked with, by name, each with what they share.

    ``now`` says which week of practice it is. Raises NotAllowedError for anybody but a coach, CaseError for a cursor
    or limit that cannot be used.
    """
    require_coach(actor)
    query = (
        select(Link, Person.name)
        .join(Person, (Person.tenant_id == Link.tenant_id) & (Person.id == Link.teacher_id))
        .where(
            Link.tenant_id == actor.tenant_id,
            Link.coach_id == actor.id,
            Link.ended_at.is_(None),
            *_behind(session, actor, after),
        )
        .order_by(Person.name, Link.id)
        .limit(checked_limit(limit) + 1)
    )
    rows = session.execute(query).all()
    teachers = [link.teacher_id for link, _ in rows]
    days: dict[str, list[date]] = {teacher_id: [] for teacher_id in teachers}
    open_cases: dict[str, list[str]] = {teacher_id: [] for teacher_id in teachers}
    for case in _shared_cases(session, actor, teachers):
        days[case.teacher_id] += [_day(case.changed_at), _day(case.shared_at)]
        if case.state != "done":
            open_cases[case.teacher_id].append(case.id)
    today, focus = _day(now or utc_now()), {}
    for cycle, moments, checked_in_on in _shared_cycles(session, actor, teachers):
        days[cycle.teacher_id] += [_day(moment) for moment in moments]
        if cycle.state == "open":
            focus[cycle.teacher_id] = _focus(cycle, today, checked_in_on)
    lines = [
        CaseloadLine(
            link.id,
            link.teacher_id,
            name,
            link.created_at,
            max(days[link.teacher_id], default=None),
            tuple(open_cases[link.teacher_id]),
            focus.get(link.teacher_id),
        )
        for link, name in rows
    ]
    return page_of(lines, limit, lambda line: line.link_id)


def _behind(session: StoreSession, actor: Actor, after: str | None) -> list[ColumnElement[bool]]:
    """Condition for teachers behind the link a cursor names, which may have ended since."""
    if after is None:
        return []
    last = session.scalar(
        select(Person.name)
        .join(Link, (Link.tenant_id == Person.tenant_id) & (Link.teacher_id == Person.id))
        .where(Link.tenant_id == actor.tenant_id, Link.coach_id == actor.id, Link.id == after)
    )
    if last is None:
        raise CaseError("a cursor no list gave out", wanted="the `next` of the part before")
    return [tuple_(Person.name, Link.id) > tuple_(last, after)]


def _shared_cases(
    session: StoreSession, actor: Actor, teachers: Sequence[str]
) -> Sequence[Row[str, str | None, datetime, datetime, str]]:
    """Of every case that was ever shared and still is: whole rows of a year would take longer than all the rest."""
    query = (
        select(Case.id, Case.teacher_id, Case.changed_at, CaseShare.shared_at, CaseShare.state)
        .join(CaseShare, (CaseShare.tenant_id == Case.tenant_id) & (CaseShare.case_id == Case.id))
        .where(
            may_see(actor, Case),
            Case.teacher_id.in_(teachers),
            CaseShare.coach_id == actor.id,
            CaseShare.revoked_at.is_(None),
        )
        .order_by(Case.changed_at.desc(), Case.id.desc())
    )
    return session.execute(query).all()


def _shared_cycles(
    session: StoreSession, actor: Actor, teachers: Sequence[str]
) -> Iterator[tuple[Cycle, list[datetime], date | None]]:
    """Shared cycles with when something happened in them, and the day of the latest check-in."""
    query = (
        select(
            Cycle,
            CycleShare.shared_at,
            _latest(CheckIn, CheckIn.created_at),
            _latest(FollowUp, FollowUp.created_at),
            _latest(CheckIn, CheckIn.happened_on),
        )
        .join(CycleShare, (CycleShare.tenant_id == Cycle.tenant_id) & (CycleShare.cycle_id == Cycle.id))
        .where(
            may_see(actor, Cycle),
            Cycle.teacher_id.in_(teachers),
            CycleShare.coach_id == actor.id,
            CycleShare.revoked_at.is_(None),
        )
        .order_by(Cycle.created_at, Cycle.id)
    )
    for cycle, *moments, checked_in_on in session.execute(query):
        yield cycle, [cycle.created_at, *(moment for moment in moments if moment is not None)], checked_in_on


def _latest(table: type[CheckIn] | type[FollowUp], column: Any) -> Any:
    latest = select(func.max(column)).where(table.tenant_id == Cycle.tenant_id, table.cycle_id == Cycle.id)
    return latest.correlate(Cycle).scalar_subquery()


def _focus(cycle: Cycle, today: date, checked_in_on: date | None) -> SharedFocus:
    week = max((today - cycle.started_on).days, 0) // 7 + 1
    return SharedFocus(cycle.id, cycle.skill_id, cycle.started_on, week, cycle.weeks, checked_in_on)


def _day(moment: datetime) -> date:
    return moment.astimezone(UTC).date()
