"""Tenants, people, roles, links and keys."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001_people"
down_revision: str | None = None
JSON_VALUE = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def upgrade() -> None:
    """Create them."""
    op.create_table(
        "tenants",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("safeguarding_contact", sa.String(length=300), nullable=True),
        sa.Column("retention_months", sa.Integer(), nullable=True),
        sa.CheckConstraint("retention_months BETWEEN 1 AND 120", name=op.f("ck_tenants_retention_months")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tenants")),
        sa.UniqueConstraint("name", name=op.f("uq_tenants_name")),
    )
    op.create_table(
        "people",
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=True),
        sa.Column("external_id", sa.String(length=200), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("left_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("tenant_id", sa.String(length=26), nullable=False),
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_people_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_people")),
        sa.UniqueConstraint("tenant_id", "email", name=op.f("uq_people_tenant_id_email")),
        sa.UniqueConstraint("tenant_id", "external_id", name=op.f("uq_people_tenant_id_external_id")),
    )
    op.create_index(op.f("ix_people_tenant_id_name_id"), "people", ["tenant_id", "name", "id"])
    op.create_table(
        "person_roles",
        sa.Column("tenant_id", sa.String(length=26), nullable=False),
        sa.Column("person_id", sa.String(length=26), nullable=False),
        sa.Column("role", sa.String(length=20), nullable=False),
        sa.CheckConstraint("role IN ('teacher', 'coach', 'administrator')", name=op.f("ck_person_roles_role")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "person_id"],
            ["people.tenant_id", "people.id"],
            name=op.f("fk_person_roles_tenant_id_person_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_person_roles_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "person_id", "role", name=op.f("pk_person_roles")),
    )
    op.create_table(
        "links",
        sa.Column("coach_id", sa.String(length=26), nullable=False),
        sa.Column("teacher_id", sa.String(length=26), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("tenant_id", sa.String(length=26), nullable=False),
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.CheckConstraint("coach_id <> teacher_id", name=op.f("ck_links_two_people")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "coach_id"],
            ["people.tenant_id", "people.id"],
            name=op.f("fk_links_tenant_id_coach_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "teacher_id"],
            ["people.tenant_id", "people.id"],
            name=op.f("fk_links_tenant_id_teacher_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_links_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_links")),
    )
    op.create_index(op.f("ix_links_tenant_id_teacher_id"), "links", ["tenant_id", "teacher_id"])
    op.create_index(
        "uq_links_active",
        "links",
        ["tenant_id", "coach_id", "teacher_id"],
        unique=True,
        sqlite_where=sa.text("ended_at IS NULL"),
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_table(
        "api_keys",
        sa.Column("app", sa.String(length=60), nullable=False),
        sa.Column("shown_prefix", sa.String(length=12), nullable=False),
        sa.Column("key_hash", sa.String(length=64), nullable=False),
        sa.Column("scopes", JSON_VALUE, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("replaced_by", sa.String(length=26), nullable=True),
        sa.Column("tenant_id", sa.String(length=26), nullable=False),
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "replaced_by"],
            ["api_keys.tenant_id", "api_keys.id"],
            name=op.f("fk_api_keys_tenant_id_replaced_by"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_api_keys_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_api_keys")),
        sa.UniqueConstraint("key_hash", name=op.f("uq_api_keys_key_hash")),
    )
    op.create_index(op.f("ix_api_keys_tenant_id_app"), "api_keys", ["tenant_id", "app"])


def downgrade() -> None:
    """Drop them with what they hold."""
    op.drop_table("api_keys")
    op.drop_table("links")
    op.drop_table("person_roles")
    op.drop_table("people")
    op.drop_table("tenants")
