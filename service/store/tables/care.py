"""Contests, safeguarding alerts and drafts. What people wrote in a contest or a draft is in ``texts``."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal, get_args

from sqlalchemy import CheckConstraint, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from service.store.tables.base import Base, OfTenant, id_column, one_of, tenant_column, within_tenant
from service.store.tables.cases import MAX_SKILL_CHARACTERS

ContestAbout = Literal["suggestion", "review"]
ContestState = Literal["open", "answered"]


class Contest(OfTenant, Base):
    """A teacher says that a suggestion or a coach's review is wrong, and a person answers.

    ``skill_id`` empty: the whole list or review. ``answered_by`` is empty while it is open, and again once that
    person's data are deleted.
    """

    __tablename__ = "contests"
    __table_args__ = (
        within_tenant("case_id", "cases", owned=True),
        within_tenant("ranking_id", "rankings", owned=True),
        within_tenant("review_id", "reviews", owned=True),
        within_tenant("raised_by", "people", owned=True),
        within_tenant("answered_by", "people"),
        one_of("about", get_args(ContestAbout)),
        one_of("state", get_args(ContestState)),
        CheckConstraint("(about = 'suggestion') = (ranking_id IS NOT NULL)", name="of_suggestion"),
        CheckConstraint("(about = 'review') = (review_id IS NOT NULL)", name="of_review"),
        CheckConstraint("(state = 'open') = (answered_at IS NULL)", name="answered"),
        Index(None, "tenant_id", "case_id", "raised_at"),
        Index(None, "tenant_id", "state", "raised_at", "id"),
        Index(None, "tenant_id", "ranking_id"),
        Index(None, "tenant_id", "review_id"),
        Index(None, "tenant_id", "raised_by"),
        Index(None, "tenant_id", "answered_by"),
    )

    case_id: Mapped[str] = id_column()
    about: Mapped[str] = mapped_column(String(10))
    ranking_id: Mapped[str | None] = id_column()
    review_id: Mapped[str | None] = id_column()
    skill_id: Mapped[str | None] = mapped_column(String(MAX_SKILL_CHARACTERS))
    raised_by: Mapped[str] = id_column()
    raised_at: Mapped[datetime]
    state: Mapped[str] = mapped_column(String(10))
    answered_by: Mapped[str | None] = id_column()
    answered_at: Mapped[datetime | None]


class Alert(OfTenant, Base):
    """A text may have been about someone's safety: whose it was and when, without a word of it."""

    __tablename__ = "alerts"
    __table_args__ = (
        within_tenant("person_id", "people", owned=True),
        within_tenant("case_id", "cases", owned=True),
        within_tenant("seen_by", "people"),
        CheckConstraint("seen_by IS NULL OR seen_at IS NOT NULL", name="seen"),
        Index(None, "tenant_id", "raised_at", "id"),
        Index(None, "tenant_id", "person_id"),
        Index(None, "tenant_id", "case_id"),
        Index(None, "tenant_id", "seen_by"),
    )

    person_id: Mapped[str] = id_column()
    case_id: Mapped[str | None] = id_column()
    raised_at: Mapped[datetime]
    seen_at: Mapped[datetime | None]
    seen_by: Mapped[str | None] = id_column()


class Draft(Base):
    """What a teacher has begun to write and not sent; one a person. ``context`` holds what they tapped beside it."""

    __tablename__ = "drafts"
    __table_args__ = (
        within_tenant("person_id", "people", owned=True),
        Index(None, "tenant_id", "saved_at"),
    )

    tenant_id: Mapped[str] = tenant_column()
    person_id: Mapped[str] = id_column(primary_key=True)
    context: Mapped[dict[str, Any]]
    saved_at: Mapped[datetime]
