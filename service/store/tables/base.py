"""What all tables share: naming of constraints, ids, times in UTC, and keys that stay inside a tenant."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import JSON, CheckConstraint, DateTime, Dialect, ForeignKey, ForeignKeyConstraint, MetaData, String
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import TypeDecorator

from recommender.errors import GrowthError

ID_CHARACTERS = 26
MAX_NAME_CHARACTERS = 200

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


class UtcTime(TypeDecorator[datetime]):
    """A moment with its time zone, kept and given back in UTC by both databases. A naive time is refused."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """The moment as the driver takes it."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise GrowthError("a time without a time zone", wanted="an aware datetime")
        moment = value.astimezone(UTC)
        return moment.replace(tzinfo=None) if dialect.name == "sqlite" else moment

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """The moment in UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


JsonValue = JSON().with_variant(JSONB(), "postgresql")


class Base(DeclarativeBase):
    """Base of every table."""

    metadata = MetaData(naming_convention=NAMING)
    type_annotation_map = {  # noqa: RUF012 - SQLAlchemy reads it as a plain class attribute
        datetime: UtcTime,
        dict[str, Any]: JsonValue,
        list[Any]: JsonValue,
    }


class OfTenant:
    """Columns of a row that belongs to a tenant and is named by a ULID."""

    tenant_id: Mapped[str] = mapped_column(String(ID_CHARACTERS), ForeignKey("tenants.id"), primary_key=True)
    id: Mapped[str] = mapped_column(String(ID_CHARACTERS), primary_key=True)


def tenant_column() -> Mapped[str]:
    """First part of the key of a row that has no ULID of its own."""
    return mapped_column(String(ID_CHARACTERS), ForeignKey("tenants.id"), primary_key=True)


def id_column(*, primary_key: bool = False) -> Mapped[Any]:
    """A ULID of another row; nullable where its annotation says so."""
    return mapped_column(String(ID_CHARACTERS), primary_key=primary_key)


def within_tenant(column: str, table: str, *, owned: bool = False) -> ForeignKeyConstraint:
    """Foreign key of ``column`` to ``table`` in the same tenant; ``owned`` rows go when their owner goes."""
    return ForeignKeyConstraint(
        ["tenant_id", column], [f"{table}.tenant_id", f"{table}.id"], ondelete="CASCADE" if owned else None
    )


def one_of(column: str, values: Iterable[str]) -> CheckConstraint:
    """A column that holds one of a closed list."""
    listed = ", ".join(f"'{value}'" for value in values)
    return CheckConstraint(f"{column} IN ({listed})", name=column)
