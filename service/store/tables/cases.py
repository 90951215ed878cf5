"""Cases, the rankings shown for them (the exposure log), choices and reviews. No text a person wrote is in here."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal, get_args

from sqlalchemy import CheckConstraint, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from recommender.cases import Confidence, Status
from service.store.tables.base import (
    MAX_NAME_CHARACTERS,
    Base,
    OfTenant,
    id_column,
    one_of,
    tenant_column,
    within_tenant,
)

Decision = Literal["chosen", "declined"]
DeclineReason = Literal["not_my_need", "already_do_this", "not_now", "not_enough_time", "does_not_fit_class", "other"]
ReviewAction = Literal["keep", "move", "add", "remove"]
QueueState = Literal["new", "changed", "waiting", "done"]
MAX_SKILL_CHARACTERS = 60
OPEN = text("revoked_at IS NULL AND state <> 'done'")
DONE = text("revoked_at IS NULL AND state = 'done'")


class Case(OfTenant, Base):
    """One case as it was asked; its struggle and notes are in ``texts``.

    ``case_ref`` is the caller's own ``case_id``; ``observations`` are the scores that came with the case, without
    notes; ``app`` names the app that sent it, if one did; ``changed_at`` is the last time anything about it changed.
    """

    __tablename__ = "cases"
    __table_args__ = (
        within_tenant("teacher_id", "people", owned=True),
        CheckConstraint("teacher_id IS NOT NULL OR app IS NOT NULL", name="owner"),
        Index(None, "tenant_id", "teacher_id", "created_at", "id"),
        Index(None, "tenant_id", "app", "created_at", "id"),
        Index(None, "tenant_id", "created_at"),
    )

    teacher_id: Mapped[str | None] = id_column()
    app: Mapped[str | None] = mapped_column(String(60))
    case_ref: Mapped[str] = mapped_column(String(MAX_NAME_CHARACTERS))
    context: Mapped[dict[str, Any]]
    observations: Mapped[list[Any]]
    declined: Mapped[list[Any]]
    top: Mapped[int]
    created_at: Mapped[datetime]
    changed_at: Mapped[datetime]
    texts_deleted_at: Mapped[datetime | None]


class CaseShare(Base):
    """A teacher's consent that one coach sees one case, and the case's place in that coach's queue."""

    __tablename__ = "case_shares"
    __table_args__ = (
        within_tenant("case_id", "cases", owned=True),
        within_tenant("coach_id", "people", owned=True),
        within_tenant("link_id", "links", owned=True),
        one_of("state", get_args(QueueState)),
        Index("ix_case_shares_queue", "tenant_id", "coach_id", "queued_at", "case_id", sqlite_where=OPEN,
              postgresql_where=OPEN),
        Index("ix_case_shares_state", "tenant_id", "coach_id", "state", "queued_at", "case_id", sqlite_where=OPEN,
              postgresql_where=OPEN),
        Index("ix_case_shares_done", "tenant_id", "coach_id", "queued_at", "case_id", sqlite_where=DONE,
              postgresql_where=DONE),
    )  # fmt: skip

    tenant_id: Mapped[str] = tenant_column()
    case_id: Mapped[str] = id_column(primary_key=True)
    coach_id: Mapped[str] = id_column(primary_key=True)
    link_id: Mapped[str] = id_column()
    shared_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
    state: Mapped[str] = mapped_column(String(10))
    queued_at: Mapped[datetime]


class RankingShown(OfTenant, Base):
    """A list that was shown, or the message instead of one; ``features`` are the values the model saw, frozen."""

    __tablename__ = "rankings"
    __table_args__ = (
        within_tenant("case_id", "cases", owned=True),
        one_of("status", get_args(Status)),
        Index(None, "tenant_id", "case_id", "shown_at"),
        Index(None, "tenant_id", "shown_at"),
    )

    case_id: Mapped[str] = id_column()
    shown_at: Mapped[datetime]
    status: Mapped[str] = mapped_column(String(20))
    message: Mapped[str | None] = mapped_column(String(2_000))
    ask_next: Mapped[str | None] = mapped_column(String(2_000))
    notices: Mapped[list[Any]]
    evidence_grade: Mapped[str | None] = mapped_column(String(1))
    model_version: Mapped[str] = mapped_column(String(100))
    catalogue_version: Mapped[str] = mapped_column(String(100))
    # Empty once the text is deleted: with it a guessed text could be confirmed.
    input_hash: Mapped[str | None] = mapped_column(String(80))
    features: Mapped[dict[str, Any]]


class SuggestionShown(Base):
    """One position of a list shown. ``propensity`` is the chance with which it was put there: 1 without exploration."""

    __tablename__ = "suggestions"
    __table_args__ = (
        within_tenant("ranking_id", "rankings", owned=True),
        one_of("confidence", get_args(Confidence)),
        UniqueConstraint("tenant_id", "ranking_id", "skill_id"),
        CheckConstraint("rank >= 1", name="rank"),
        CheckConstraint("probability BETWEEN 0 AND 1", name="probability"),
        CheckConstraint("propensity > 0 AND propensity <= 1", name="propensity"),
    )

    tenant_id: Mapped[str] = tenant_column()
    ranking_id: Mapped[str] = id_column(primary_key=True)
    rank: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    skill_id: Mapped[str] = mapped_column(String(MAX_SKILL_CHARACTERS))
    name: Mapped[str] = mapped_column(String(MAX_NAME_CHARACTERS))
    probability: Mapped[float]
    confidence: Mapped[str] = mapped_column(String(10))
    score: Mapped[float]
    propensity: Mapped[float]
    reasons: Mapped[list[Any]]


class Choice(OfTenant, Base):
    """A teacher takes or declines a skill; ``rank`` is its position in the list, empty when it was not on it."""

    __tablename__ = "choices"
    __table_args__ = (
        within_tenant("case_id", "cases", owned=True),
        within_tenant("ranking_id", "rankings", owned=True),
        within_tenant("teacher_id", "people", owned=True),
        one_of("decision", get_args(Decision)),
        one_of("reason", get_args(DeclineReason)),
        CheckConstraint("decision = 'declined' OR reason IS NULL", name="reason_of_decline"),
        Index(None, "tenant_id", "case_id", "decided_at"),
        Index(None, "tenant_id", "ranking_id"),
        Index(None, "tenant_id", "decided_at"),
    )

    case_id: Mapped[str] = id_column()
    ranking_id: Mapped[str] = id_column()
    teacher_id: Mapped[str] = id_column()
    skill_id: Mapped[str] = mapped_column(String(MAX_SKILL_CHARACTERS))
    decision: Mapped[str] = mapped_column(String(10))
    rank: Mapped[int | None]
    reason: Mapped[str | None] = mapped_column(String(20))
    decided_at: Mapped[datetime]


class Review(OfTenant, Base):
    """A coach's answer to a ranking. ``coach_id`` is empty once that coach's data are deleted."""

    __tablename__ = "reviews"
    __table_args__ = (
        within_tenant("case_id", "cases", owned=True),
        within_tenant("ranking_id", "rankings", owned=True),
        within_tenant("coach_id", "people"),
        Index(None, "tenant_id", "case_id", "reviewed_at"),
        Index(None, "tenant_id", "ranking_id"),
        Index(None, "tenant_id", "coach_id", "reviewed_at"),
    )

    case_id: Mapped[str] = id_column()
    ranking_id: Mapped[str] = id_column()
    coach_id: Mapped[str | None] = id_column()
    reviewed_at: Mapped[datetime]


class ReviewChange(Base):
    """One skill kept, moved, added or removed by a review; its why is in ``texts``, in the order of ``position``."""

    __tablename__ = "review_changes"
    __table_args__ = (
        within_tenant("review_id", "reviews", owned=True),
        one_of("action", get_args(ReviewAction)),
        UniqueConstraint("tenant_id", "review_id", "skill_id"),
    )

    tenant_id: Mapped[str] = tenant_column()
    review_id: Mapped[str] = id_column(primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    skill_id: Mapped[str] = mapped_column(String(MAX_SKILL_CHARACTERS))
    action: Mapped[str] = mapped_column(String(10))
    from_rank: Mapped[int | None]
    to_rank: Mapped[int | None]
