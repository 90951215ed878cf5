"""Tenants, people and their roles, links between coaches and teachers, keys of apps."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal, get_args

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, String, UniqueConstraint, false, text
from sqlalchemy.orm import Mapped, mapped_column

from service.store.tables.base import (
    ID_CHARACTERS,
    MAX_NAME_CHARACTERS,
    Base,
    OfTenant,
    id_column,
    one_of,
    tenant_column,
    within_tenant,
)

Role = Literal["teacher", "coach", "administrator", "safeguarding"]
Scope = Literal["score", "write", "admin"]
ROLES: tuple[Role, ...] = get_args(Role)
SCOPES: tuple[Scope, ...] = get_args(Scope)


class Tenant(Base):
    """A school or district: nothing of one is ever seen by another. All people of a demo are made up."""

    __tablename__ = "tenants"
    __table_args__ = (
        UniqueConstraint("name"),
        CheckConstraint("retention_months BETWEEN 1 AND 120", name="retention_months"),
    )

    id: Mapped[str] = mapped_column(String(ID_CHARACTERS), primary_key=True)
    name: Mapped[str] = mapped_column(String(MAX_NAME_CHARACTERS))
    created_at: Mapped[datetime]
    safeguarding_contact: Mapped[str | None] = mapped_column(String(300))
    retention_months: Mapped[int | None]
    is_demo: Mapped[bool] = mapped_column(server_default=false())


class Person(OfTenant, Base):
    """Somebody of a tenant; ``external_id`` is the pseudonym that observation files and apps use.

    ``provider_subject`` is what the identity provider calls them: it stays when their e-mail address changes.
    """

    __tablename__ = "people"
    __table_args__ = (
        UniqueConstraint("tenant_id", "external_id"),
        UniqueConstraint("tenant_id", "email"),
        Index(None, "tenant_id", "name", "id"),
        Index("uq_people_provider_subject", "tenant_id", "provider_subject", unique=True),
    )

    name: Mapped[str] = mapped_column(String(MAX_NAME_CHARACTERS))
    email: Mapped[str | None] = mapped_column(String(254))
    external_id: Mapped[str | None] = mapped_column(String(MAX_NAME_CHARACTERS))
    created_at: Mapped[datetime]
    left_at: Mapped[datetime | None]
    provider_subject: Mapped[str | None] = mapped_column(String(255))


class PersonRole(Base):
    """What a person may be; one person can have several roles.

    A teacher asks for rankings and chooses, a coach sees what is shared, an administrator keeps people, links and keys,
    safeguarding is the lead who sees the list of alerts.
    """

    __tablename__ = "person_roles"
    __table_args__ = (within_tenant("person_id", "people", owned=True), one_of("role", ROLES))

    tenant_id: Mapped[str] = tenant_column()
    person_id: Mapped[str] = id_column(primary_key=True)
    role: Mapped[str] = mapped_column(String(20), primary_key=True)


class Link(OfTenant, Base):
    """A coach and a teacher who work together, until it is ended."""

    __tablename__ = "links"
    __table_args__ = (
        within_tenant("coach_id", "people", owned=True),
        within_tenant("teacher_id", "people", owned=True),
        CheckConstraint("coach_id <> teacher_id", name="two_people"),
        Index(
            "uq_links_active",
            "tenant_id",
            "coach_id",
            "teacher_id",
            unique=True,
            sqlite_where=text("ended_at IS NULL"),
            postgresql_where=text("ended_at IS NULL"),
        ),
        Index(None, "tenant_id", "teacher_id"),
    )

    coach_id: Mapped[str] = id_column()
    teacher_id: Mapped[str] = id_column()
    created_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]


class ApiKey(OfTenant, Base):
    """A key of an app: its SHA-256, what it may do and until when. ``app`` stays the same when the key is rotated."""

    __tablename__ = "api_keys"
    __table_args__ = (
        UniqueConstraint("key_hash"),
        Index(None, "tenant_id", "app"),
        # Not a cascade: a rotated key names its follower as long as both are there.
        ForeignKeyConstraint(["tenant_id", "replaced_by"], ["api_keys.tenant_id", "api_keys.id"]),
    )

    app: Mapped[str] = mapped_column(String(60))
    shown_prefix: Mapped[str] = mapped_column(String(12))
    key_hash: Mapped[str] = mapped_column(String(64))
    scopes: Mapped[list[Any]]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
    replaced_by: Mapped[str | None] = id_column()
