"""The one table that holds what people wrote."""

from __future__ import annotations

from datetime import datetime
from typing import Literal, get_args

from sqlalchemy import Index, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from service.store.tables.base import Base, OfTenant, one_of

SubjectKind = Literal["case", "ranking", "choice", "review", "check_in", "follow_up", "score", "contest", "draft"]
TextField = Literal["struggle", "notes", "quotes", "why", "note", "answer"]


class StoredText(OfTenant, Base):
    """Texts of one field of one subject, redacted. ``key_id`` names the key they are encrypted with, empty: readable.

    ``subject_id`` is the id of the subject's row. ``content`` is a JSON list of texts in UTF-8, behind
    a 12-byte nonce and AES-GCM when there is a key.
    """

    __tablename__ = "texts"
    __table_args__ = (
        UniqueConstraint("tenant_id", "subject_kind", "subject_id", "field"),
        one_of("subject_kind", get_args(SubjectKind)),
        one_of("field", get_args(TextField)),
        Index(None, "tenant_id", "subject_kind", "written_at"),
    )

    subject_kind: Mapped[str] = mapped_column(String(10))
    subject_id: Mapped[str] = mapped_column(String(64))
    field: Mapped[str] = mapped_column(String(10))
    key_id: Mapped[str | None] = mapped_column(String(8))
    content: Mapped[bytes] = mapped_column(LargeBinary)
    written_at: Mapped[datetime]
