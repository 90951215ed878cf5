"""The append-only record of who did what, and the keys that make a repeated request the same request."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal, get_args

from sqlalchemy import Index, String
from sqlalchemy.orm import Mapped, mapped_column

from service.store.tables.base import Base, OfTenant, one_of, tenant_column

ActorKind = Literal["person", "app", "operator"]


class Event(OfTenant, Base):
    """One thing that happened. No foreign keys: an event outlives what it is about. The database refuses any change."""

    __tablename__ = "events"
    __table_args__ = (
        one_of("actor_kind", get_args(ActorKind)),
        Index(None, "tenant_id", "subject_id", "id"),
        Index(None, "tenant_id", "actor_id", "id"),
        Index(None, "tenant_id", "person_id", "id"),
        Index(None, "tenant_id", "at"),
    )

    at: Mapped[datetime]
    actor_kind: Mapped[str] = mapped_column(String(10))
    actor_id: Mapped[str] = mapped_column(String(60))
    action: Mapped[str] = mapped_column(String(40))
    subject_kind: Mapped[str] = mapped_column(String(20))
    subject_id: Mapped[str] = mapped_column(String(64))
    # The person it concerns, who may read it.
    person_id: Mapped[str | None] = mapped_column(String(26))
    facts: Mapped[dict[str, Any]]


class IdempotencyKey(Base):
    """What a request with a client's own key made, so that sending it again makes nothing new."""

    __tablename__ = "idempotency_keys"
    __table_args__ = (Index(None, "tenant_id", "used_at"),)

    tenant_id: Mapped[str] = tenant_column()
    actor: Mapped[str] = mapped_column(String(80), primary_key=True)
    key: Mapped[str] = mapped_column(String(100), primary_key=True)
    fingerprint: Mapped[str] = mapped_column(String(64))
    made_id: Mapped[str] = mapped_column(String(26))
    used_at: Mapped[datetime]
