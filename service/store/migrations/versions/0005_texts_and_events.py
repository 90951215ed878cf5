"""Texts, idempotency keys and events that nothing can change."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005_texts_and_events"
down_revision: str | None = "0004_observations"
JSON_VALUE = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")

# The record of what happened is only ever added to, whoever asks.
SQLITE_APPEND_ONLY = (
    "CREATE TRIGGER events_no_update BEFORE UPDATE ON events "
    "BEGIN SELECT RAISE(ABORT, 'events are only added to'); END",
    "CREATE TRIGGER events_no_delete BEFORE DELETE ON events "
    "BEGIN SELECT RAISE(ABORT, 'events are only added to'); END",
)
POSTGRES_APPEND_ONLY = (
    "CREATE FUNCTION refuse_change_of_events() RETURNS trigger LANGUAGE plpgsql AS "
    "$$ BEGIN RAISE EXCEPTION 'events are only added to'; END $$",
    "CREATE TRIGGER events_append_only BEFORE UPDATE OR DELETE ON events "
    "FOR EACH ROW EXECUTE FUNCTION refuse_change_of_events()",
    "CREATE TRIGGER events_never_emptied BEFORE TRUNCATE ON events "
    "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change_of_events()",
)


def upgrade() -> None:
    """Create them."""
    op.create_table(
        "texts",
        sa.Column("subject_kind", sa.String(length=10), nullable=False),
        sa.Column("subject_id", sa.String(length=64), nullable=False),
        sa.Column("field", sa.String(length=10), nullable=False),
        sa.Column("key_id", sa.String(length=8), nullable=True),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("written_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("tenant_id", sa.String(length=26), nullable=False),
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.CheckConstraint("field IN ('struggle', 'notes', 'quotes', 'why', 'note')", name=op.f("ck_texts_field")),
        sa.CheckConstraint(
            "subject_kind IN ('case', 'ranking', 'choice', 'review', 'check_in', 'follow_up', 'score')",
            name=op.f("ck_texts_subject_kind"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_texts_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_texts")),
        sa.UniqueConstraint(
            "tenant_id",
            "subject_kind",
            "subject_id",
            "field",
            name=op.f("uq_texts_tenant_id_subject_kind_subject_id_field"),
        ),
    )
    op.create_index(
        op.f("ix_texts_tenant_id_subject_kind_written_at"), "texts", ["tenant_id", "subject_kind", "written_at"]
    )
    op.create_table(
        "events",
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor_kind", sa.String(length=10), nullable=False),
        sa.Column("actor_id", sa.String(length=60), nullable=False),
        sa.Column("action", sa.String(length=40), nullable=False),
        sa.Column("subject_kind", sa.String(length=20), nullable=False),
        sa.Column("subject_id", sa.String(length=64), nullable=False),
        sa.Column("person_id", sa.String(length=26), nullable=True),
        sa.Column("facts", JSON_VALUE, nullable=False),
        sa.Column("tenant_id", sa.String(length=26), nullable=False),
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.CheckConstraint("actor_kind IN ('person', 'app', 'operator')", name=op.f("ck_events_actor_kind")),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_events_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_events")),
    )
    op.create_index(op.f("ix_events_tenant_id_actor_id_id"), "events", ["tenant_id", "actor_id", "id"])
    op.create_index(op.f("ix_events_tenant_id_person_id_id"), "events", ["tenant_id", "person_id", "id"])
    op.create_index(op.f("ix_events_tenant_id_subject_id_id"), "events", ["tenant_id", "subject_id", "id"])
    op.create_table(
        "idempotency_keys",
        sa.Column("tenant_id", sa.String(length=26), nullable=False),
        sa.Column("actor", sa.String(length=80), nullable=False),
        sa.Column("key", sa.String(length=100), nullable=False),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("made_id", sa.String(length=26), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_idempotency_keys_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "actor", "key", name=op.f("pk_idempotency_keys")),
    )
    op.create_index(op.f("ix_idempotency_keys_tenant_id_used_at"), "idempotency_keys", ["tenant_id", "used_at"])
    statements = POSTGRES_APPEND_ONLY if op.get_bind().dialect.name == "postgresql" else SQLITE_APPEND_ONLY
    for statement in statements:
        op.execute(statement)


def downgrade() -> None:
    """Drop them with what they hold."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP TRIGGER events_append_only ON events")
        op.execute("DROP TRIGGER events_never_emptied ON events")
        op.execute("DROP FUNCTION refuse_change_of_events")
    op.drop_table("idempotency_keys")
    op.drop_table("events")
    op.drop_table("texts")
