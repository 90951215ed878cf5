"""Observation scores and norms."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004_observations"
down_revision: str | None = "0003_cycles"
JSON_VALUE = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def upgrade() -> None:
    """Create them."""
    op.create_table(
        "observation_scores",
        sa.Column("tenant_id", sa.String(length=26), nullable=False),
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("source_row_hash", sa.String(length=64), nullable=False),
        sa.Column("teacher_id", sa.String(length=200), nullable=False),
        sa.Column("visit", sa.String(length=200), nullable=False),
        sa.Column("observed_on", sa.Date(), nullable=False),
        sa.Column("observer", sa.String(length=200), nullable=False),
        sa.Column("instrument", sa.String(length=200), nullable=False),
        sa.Column("item", sa.String(length=200), nullable=False),
        sa.Column("value", sa.Double(), nullable=False),
        sa.Column("school", sa.String(length=200), nullable=False),
        sa.Column("segment", sa.Integer(), nullable=False),
        sa.Column("observation_type", sa.String(length=20), nullable=False),
        sa.Column("observer_role", sa.String(length=20), nullable=False),
        sa.Column("source_system", sa.String(length=200), nullable=False),
        sa.Column("imported_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_observation_scores_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_observation_scores")),
        sa.UniqueConstraint(
            "tenant_id", "source_row_hash", name=op.f("uq_observation_scores_tenant_id_source_row_hash")
        ),
    )
    op.create_index(
        op.f("ix_observation_scores_tenant_id_teacher_id_observed_on"),
        "observation_scores",
        ["tenant_id", "teacher_id", "observed_on"],
    )
    op.create_table(
        "norms",
        sa.Column("fitted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("scores", sa.Integer(), nullable=False),
        sa.Column("document", JSON_VALUE, nullable=False),
        sa.Column("tenant_id", sa.String(length=26), nullable=False),
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_norms_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_norms")),
    )
    op.create_index(op.f("ix_norms_tenant_id_fitted_at"), "norms", ["tenant_id", "fitted_at"])


def downgrade() -> None:
    """Drop them with what they hold."""
    op.drop_table("norms")
    op.drop_table("observation_scores")
