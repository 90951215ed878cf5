"""What a teacher shares at this moment, and with whom: each consent that is in force."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from sqlalchemy import and_, select

from service.store.actors import Actor
from service.store.database import StoreSession
from service.store.tables.cases import Case, CaseShare
from service.store.tables.cycles import Cycle, CycleShare
from service.store.tables.people import Link, Person

SharedKind = Literal["case", "cycle"]


@dataclass(frozen=True)
class ActiveShare:
    """One coach sees one case or one cycle. ``began_on`` is its first day, ``skill_id`` a cycle's."""

    kind: SharedKind
    owned_id: str
    began_on: date
    skill_id: str | None
    coach_id: str
    coach_name: str
    shared_at: datetime


@dataclass(frozen=True)
class LinkedCoach:
    """A coach the teacher is linked with."""

    id: str
    name: str


def active_shares(session: StoreSession, actor: Actor) -> list[ActiveShare]:
    """All that is shared of the person who asks, latest first; empty for an app."""
    if actor.kind != "person":
        return []
    return sorted(
        [*_shared_cases(session, actor), *_shared_cycles(session, actor)],
        key=lambda share: (share.shared_at, share.owned_id, share.coach_id),
        reverse=True,
    )


def linked_coaches(session: StoreSession, actor: Actor) -> list[LinkedCoach]:
    """The coaches of the person who asks, by name."""
    if actor.kind != "person":
        return []
    rows = session.execute(
        select(Person.id, Person.name)
        .join(Link, and_(Link.tenant_id == Person.tenant_id, Link.coach_id == Person.id))
        .where(Link.tenant_id == actor.tenant_id, Link.teacher_id == actor.id, Link.ended_at.is_(None))
        .order_by(Person.name, Person.id)
    )
    return [LinkedCoach(row.id, row.name) for row in rows]


def _shared_cases(session: StoreSession, actor: Actor) -> list[ActiveShare]:
    rows = session.execute(
        select(Case.id, Case.created_at, CaseShare.coach_id, Person.name, CaseShare.shared_at)
        .join(CaseShare, and_(CaseShare.tenant_id == Case.tenant_id, CaseShare.case_id == Case.id))
        .join(Link, and_(Link.tenant_id == CaseShare.tenant_id, Link.id == CaseShare.link_id))
        .join(Person, and_(Person.tenant_id == CaseShare.tenant_id, Person.id == CaseShare.coach_id))
        .where(
            Case.tenant_id == actor.tenant_id,
            Case.teacher_id == actor.id,
            CaseShare.revoked_at.is_(None),
            Link.ended_at.is_(None),
        )
    )
    return [
        ActiveShare("case", row.id, row.created_at.date(), None, row.coach_id, row.name, row.shared_at) for row in rows
    ]


def _shared_cycles(session: StoreSession, actor: Actor) -> list[ActiveShare]:
    rows = session.execute(
        select(Cycle.id, Cycle.started_on, Cycle.skill_id, CycleShare.coach_id, Person.name, CycleShare.shared_at)
        .join(CycleShare, and_(CycleShare.tenant_id == Cycle.tenant_id, CycleShare.cycle_id == Cycle.id))
        .join(Link, and_(Link.tenant_id == CycleShare.tenant_id, Link.id == CycleShare.link_id))
        .join(Person, and_(Person.tenant_id == CycleShare.tenant_id, Person.id == CycleShare.coach_id))
        .where(
            Cycle.tenant_id == actor.tenant_id,
            Cycle.teacher_id == actor.id,
            CycleShare.revoked_at.is_(None),
            Link.ended_at.is_(None),
        )
    )
    return [
        ActiveShare("cycle", row.id, row.started_on, row.skill_id, row.coach_id, row.name, row.shared_at)
        for row in rows
    ]
