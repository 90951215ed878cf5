"""Consent to learning from use."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008_consents"
down_revision: str | None = "0007_care"

OF_TENANT = sa.text("person_id IS NULL AND withdrawn_at IS NULL")
OF_PERSON = sa.text("person_id IS NOT NULL AND withdrawn_at IS NULL")


def upgrade() -> None:
    """Create it; nobody has agreed to anything yet."""
    op.create_table(
        "consents",
        sa.Column("person_id", sa.String(length=26), nullable=True),
        sa.Column("scope", sa.String(length=10), nullable=False),
        sa.Column("given_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("given_by", sa.String(length=26), nullable=True),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("tenant_id", sa.String(length=26), nullable=False),
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.CheckConstraint("scope IN ('decisions', 'words')", name=op.f("ck_consents_scope")),
        sa.CheckConstraint("withdrawn_at IS NULL OR withdrawn_at >= given_at", name=op.f("ck_consents_withdrawn")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "person_id"],
            ["people.tenant_id", "people.id"],
            name=op.f("fk_consents_tenant_id_person_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "given_by"], ["people.tenant_id", "people.id"], name=op.f("fk_consents_tenant_id_given_by")
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_consents_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_consents")),
    )
    for name, columns, where in (
        ("uq_consents_tenant", ["tenant_id", "scope"], OF_TENANT),
        ("uq_consents_person", ["tenant_id", "person_id", "scope"], OF_PERSON),
    ):
        op.create_index(name, "consents", columns, unique=True, sqlite_where=where, postgresql_where=where)
    op.create_index(
        op.f("ix_consents_tenant_id_person_id_given_at"), "consents", ["tenant_id", "person_id", "given_at"]
    )
    op.create_index(op.f("ix_consents_tenant_id_given_by"), "consents", ["tenant_id", "given_by"])


def downgrade() -> None:
    """Drop it: whoever had agreed is asked again."""
    op.drop_table("consents")
