"""Cycles of practice around a chosen skill: check-ins and follow-up observations. Notes are in ``texts``."""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal, get_args

from sqlalchemy import CheckConstraint, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from service.store.tables.base import Base, OfTenant, id_column, one_of, tenant_column, within_tenant
from service.store.tables.cases import MAX_SKILL_CHARACTERS

CycleState = Literal["open", "finished", "stopped"]
Phase = Literal["baseline", "follow_up"]


class Cycle(OfTenant, Base):
    """Weeks of practice of one skill. It cannot exist without the teacher's choice; a teacher has one open at a time.

    ``planned_end`` is ``started_on`` and ``weeks``, kept so that retention can ask for it.
    """

    __tablename__ = "cycles"
    __table_args__ = (
        within_tenant("teacher_id", "people", owned=True),
        within_tenant("case_id", "cases", owned=True),
        within_tenant("choice_id", "choices", owned=True),
        one_of("state", get_args(CycleState)),
        CheckConstraint("weeks BETWEEN 1 AND 26", name="weeks"),
        CheckConstraint("(state = 'open') = (ended_on IS NULL)", name="ended"),
        Index("uq_cycles_open", "tenant_id", "teacher_id", unique=True, sqlite_where=text("state = 'open'"),
              postgresql_where=text("state = 'open'")),
        Index(None, "tenant_id", "teacher_id", "created_at", "id"),
        Index(None, "tenant_id", "case_id"),
        Index(None, "tenant_id", "choice_id"),
        Index(None, "tenant_id", "created_at"),
    )  # fmt: skip

    teacher_id: Mapped[str] = id_column()
    case_id: Mapped[str] = id_column()
    choice_id: Mapped[str] = id_column()
    skill_id: Mapped[str] = mapped_column(String(MAX_SKILL_CHARACTERS))
    state: Mapped[str] = mapped_column(String(10))
    started_on: Mapped[date]
    weeks: Mapped[int]
    planned_end: Mapped[date]
    ended_on: Mapped[date | None]
    created_at: Mapped[datetime]


class CycleShare(Base):
    """A teacher's consent that one coach sees one cycle."""

    __tablename__ = "cycle_shares"
    __table_args__ = (
        within_tenant("cycle_id", "cycles", owned=True),
        within_tenant("coach_id", "people", owned=True),
        within_tenant("link_id", "links", owned=True),
        Index(None, "tenant_id", "coach_id", "shared_at", "cycle_id"),
    )

    tenant_id: Mapped[str] = tenant_column()
    cycle_id: Mapped[str] = id_column(primary_key=True)
    coach_id: Mapped[str] = id_column(primary_key=True)
    link_id: Mapped[str] = id_column()
    shared_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]


class CheckIn(OfTenant, Base):
    """A look back at some days of practice; ``times_tried`` in lessons. ``person_id`` empty: deleted since."""

    __tablename__ = "check_ins"
    __table_args__ = (
        within_tenant("cycle_id", "cycles", owned=True),
        within_tenant("person_id", "people"),
        CheckConstraint("times_tried BETWEEN 0 AND 100", name="times_tried"),
        Index(None, "tenant_id", "cycle_id", "happened_on"),
        Index(None, "tenant_id", "person_id"),
    )

    cycle_id: Mapped[str] = id_column()
    person_id: Mapped[str | None] = id_column()
    happened_on: Mapped[date]
    times_tried: Mapped[int]
    created_at: Mapped[datetime]


class FollowUp(OfTenant, Base):
    """A look at a lesson before or after: how many of the skill's look-fors were seen, out of how many looked for."""

    __tablename__ = "follow_ups"
    __table_args__ = (
        within_tenant("cycle_id", "cycles", owned=True),
        within_tenant("observer_id", "people"),
        one_of("phase", get_args(Phase)),
        CheckConstraint("looked_for >= 1 AND seen BETWEEN 0 AND looked_for", name="look_fors"),
        Index(None, "tenant_id", "cycle_id", "observed_on"),
        Index(None, "tenant_id", "observer_id"),
    )

    cycle_id: Mapped[str] = id_column()
    observer_id: Mapped[str | None] = id_column()
    phase: Mapped[str] = mapped_column(String(10))
    observed_on: Mapped[date]
    seen: Mapped[int]
    looked_for: Mapped[int]
    created_at: Mapped[datetime]
