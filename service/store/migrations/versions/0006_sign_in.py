"""Sign-in links, page sessions, the provider's name for a person, the safeguarding role, and which tenant is a demo."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006_sign_in"
down_revision: str | None = "0005_texts_and_events"

ROLES_BEFORE = "role IN ('teacher', 'coach', 'administrator')"
ROLES_NOW = "role IN ('teacher', 'coach', 'administrator', 'safeguarding')"
CHECK = "ck_person_roles_role"


def upgrade() -> None:
    """Create and add them."""
    op.add_column("tenants", sa.Column("is_demo", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.add_column("people", sa.Column("provider_subject", sa.String(length=255), nullable=True))
    # An index and no constraint: SQLite cannot add a constraint to a table other tables refer to.
    op.create_index("uq_people_provider_subject", "people", ["tenant_id", "provider_subject"], unique=True)
    _allow_roles(ROLES_NOW)
    op.create_table(
        "sign_in_links",
        sa.Column("person_id", sa.String(length=26), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("issued_by", sa.String(length=60), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("tenant_id", sa.String(length=26), nullable=False),
        sa.Column("id", sa.String(length=26), nullable=False),
        *_of_a_person("sign_in_links"),
    )
    op.create_index(op.f("ix_sign_in_links_tenant_id_person_id"), "sign_in_links", ["tenant_id", "person_id"])
    op.create_table(
        "page_sessions",
        sa.Column("person_id", sa.String(length=26), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("how", sa.String(length=10), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("tenant_id", sa.String(length=26), nullable=False),
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.CheckConstraint("how IN ('link', 'provider')", name=op.f("ck_page_sessions_how")),
        *_of_a_person("page_sessions"),
    )
    op.create_index(op.f("ix_page_sessions_tenant_id_person_id"), "page_sessions", ["tenant_id", "person_id"])
    op.create_index(op.f("ix_page_sessions_tenant_id_expires_at"), "page_sessions", ["tenant_id", "expires_at"])


def downgrade() -> None:
    """Drop them with what they hold; the role of safeguarding leads is taken from them."""
    op.drop_table("page_sessions")
    op.drop_table("sign_in_links")
    op.execute("DELETE FROM person_roles WHERE role = 'safeguarding'")
    _allow_roles(ROLES_BEFORE)
    op.drop_index("uq_people_provider_subject", "people")
    op.drop_column("people", "provider_subject")
    op.drop_column("tenants", "is_demo")


def _of_a_person(table: str) -> list[sa.Constraint]:
    return [
        sa.ForeignKeyConstraint(
            ["tenant_id", "person_id"],
            ["people.tenant_id", "people.id"],
            name=op.f(f"fk_{table}_tenant_id_person_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f(f"fk_{table}_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f(f"pk_{table}")),
        sa.UniqueConstraint("token_hash", name=op.f(f"uq_{table}_token_hash")),
    ]


def _allow_roles(check: str) -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.drop_constraint(op.f(CHECK), "person_roles", type_="check")
        op.create_check_constraint(op.f(CHECK), "person_roles", check)
        return
    # SQLite changes no constraint: the rows move to a new table. Nothing refers to this one.
    op.rename_table("person_roles", "person_roles_before")
    op.create_table(
        "person_roles",
        sa.Column("tenant_id", sa.String(length=26), nullable=False),
        sa.Column("person_id", sa.String(length=26), nullable=False),
        sa.Column("role", sa.String(length=20), nullable=False),
        sa.CheckConstraint(check, name=op.f(CHECK)),
        sa.ForeignKeyConstraint(
            ["tenant_id", "person_id"],
            ["people.tenant_id", "people.id"],
            name=op.f("fk_person_roles_tenant_id_person_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_person_roles_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "person_id", "role", name=op.f("pk_person_roles")),
    )
    columns = "tenant_id, person_id, role"
    op.execute(f"INSERT INTO person_roles ({columns}) SELECT {columns} FROM person_roles_before")
    op.drop_table("person_roles_before")
