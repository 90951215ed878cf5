"""Consent to learning from use: a school's and each person's own, given, taken back, and on record."""

from __future__ import annotations

from datetime import datetime
from typing import Literal, get_args

from sqlalchemy import CheckConstraint, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from service.store.tables.base import Base, OfTenant, id_column, one_of, within_tenant

ConsentScope = Literal["decisions", "words"]
CONSENT_SCOPES: tuple[ConsentScope, ...] = get_args(ConsentScope)
OF_TENANT = text("person_id IS NULL AND withdrawn_at IS NULL")
OF_PERSON = text("person_id IS NOT NULL AND withdrawn_at IS NULL")


class Consent(OfTenant, Base):
    """One consent, in force until ``withdrawn_at``; given anew it is another row.

    ``person_id`` empty: the tenant's own. ``scope`` decisions: what was shown, chosen, declined, reviewed and
    practised; words: a teacher's own struggles beside that. ``given_by`` is empty once that person's data are deleted.
    """

    __tablename__ = "consents"
    __table_args__ = (
        within_tenant("person_id", "people", owned=True),
        within_tenant("given_by", "people"),
        one_of("scope", CONSENT_SCOPES),
        CheckConstraint("withdrawn_at IS NULL OR withdrawn_at >= given_at", name="withdrawn"),
        Index("uq_consents_tenant", "tenant_id", "scope", unique=True, sqlite_where=OF_TENANT,
              postgresql_where=OF_TENANT),
        Index("uq_consents_person", "tenant_id", "person_id", "scope", unique=True, sqlite_where=OF_PERSON,
              postgresql_where=OF_PERSON),
        Index(None, "tenant_id", "person_id", "given_at"),
        Index(None, "tenant_id", "given_by"),
    )  # fmt: skip

    person_id: Mapped[str | None] = id_column()
    scope: Mapped[str] = mapped_column(String(10))
    given_at: Mapped[datetime]
    given_by: Mapped[str | None] = id_column()
    withdrawn_at: Mapped[datetime | None]
