"""Signing in: links that are used once, and sessions on the pages. Of a secret only its SHA-256 is kept."""

from __future__ import annotations

from datetime import datetime
from typing import Literal, get_args

from sqlalchemy import Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from service.store.tables.base import Base, OfTenant, id_column, one_of, within_tenant

SignInMethod = Literal["link", "provider"]


class SignInLink(OfTenant, Base):
    """A link that signs one person in once. ``issued_by``: the actor who asked for it; empty: deleted since."""

    __tablename__ = "sign_in_links"
    __table_args__ = (
        within_tenant("person_id", "people", owned=True),
        UniqueConstraint("token_hash"),
        Index(None, "tenant_id", "person_id"),
    )

    person_id: Mapped[str] = id_column()
    token_hash: Mapped[str] = mapped_column(String(64))
    issued_by: Mapped[str | None] = mapped_column(String(60))
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class PageSession(OfTenant, Base):
    """A person signed in on one browser. ``expires_at`` is its last moment however much it is used."""

    __tablename__ = "page_sessions"
    __table_args__ = (
        within_tenant("person_id", "people", owned=True),
        UniqueConstraint("token_hash"),
        one_of("how", get_args(SignInMethod)),
        Index(None, "tenant_id", "person_id"),
        Index(None, "tenant_id", "expires_at"),
    )

    person_id: Mapped[str] = id_column()
    token_hash: Mapped[str] = mapped_column(String(64))
    how: Mapped[str] = mapped_column(String(10))
    created_at: Mapped[datetime]
    seen_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
