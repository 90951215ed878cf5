"""Imported observation scores of a tenant, and the norms fitted on them."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from recommender.observations import scores as table
from service.store.tables.base import MAX_NAME_CHARACTERS, Base, OfTenant, tenant_column

IDENTITY = (
    table.TEACHER,
    table.VISIT,
    table.OBSERVED_ON,
    table.OBSERVER,
    table.INSTRUMENT,
    table.ITEM,
    table.SEGMENT,
)
"""Columns that say, within a tenant, which score a row is."""


class ScoreRow(Base):
    """One item score; columns are those of ``recommender.observations.scores``, the note is in ``texts``.

    ``id`` is the SHA-256 of the row's identity, so that a corrected value stays the same row; ``teacher_id`` and
    ``observer`` are the pseudonyms of the file, not ids of people: a person's ``external_id`` joins.
    """

    __tablename__ = "observation_scores"
    __table_args__ = (
        UniqueConstraint("tenant_id", table.SOURCE_ROW_HASH),
        Index(None, "tenant_id", table.TEACHER, table.OBSERVED_ON),
    )

    tenant_id: Mapped[str] = tenant_column()
    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    source_row_hash: Mapped[str] = mapped_column(String(64))
    teacher_id: Mapped[str] = mapped_column(String(MAX_NAME_CHARACTERS))
    visit: Mapped[str] = mapped_column(String(MAX_NAME_CHARACTERS))
    observed_on: Mapped[date]
    observer: Mapped[str] = mapped_column(String(MAX_NAME_CHARACTERS))
    instrument: Mapped[str] = mapped_column(String(MAX_NAME_CHARACTERS))
    item: Mapped[str] = mapped_column(String(MAX_NAME_CHARACTERS))
    value: Mapped[float]
    school: Mapped[str] = mapped_column(String(MAX_NAME_CHARACTERS))
    segment: Mapped[int]
    observation_type: Mapped[str] = mapped_column(String(20))
    observer_role: Mapped[str] = mapped_column(String(20))
    source_system: Mapped[str] = mapped_column(String(MAX_NAME_CHARACTERS))
    imported_at: Mapped[datetime]


class FittedNorms(OfTenant, Base):
    """Norms fitted on a tenant's scores at one time; ``document`` is a ``TenantNorms``. The latest row counts."""

    __tablename__ = "norms"
    __table_args__ = (Index(None, "tenant_id", "fitted_at"),)

    fitted_at: Mapped[datetime]
    scores: Mapped[int]
    document: Mapped[dict[str, Any]]
