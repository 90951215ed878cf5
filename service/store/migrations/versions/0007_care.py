"""Contests, safeguarding alerts and drafts, the texts of them, and events by time."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0007_care"
down_revision: str | None = "0006_sign_in"
JSON_VALUE = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")

KIND_CHECK, FIELD_CHECK = "ck_texts_subject_kind", "ck_texts_field"
KINDS_BEFORE = "subject_kind IN ('case', 'ranking', 'choice', 'review', 'check_in', 'follow_up', 'score')"
KINDS_NOW = (
    "subject_kind IN ('case', 'ranking', 'choice', 'review', 'check_in', 'follow_up', 'score', 'contest', 'draft')"
)
FIELDS_BEFORE = "field IN ('struggle', 'notes', 'quotes', 'why', 'note')"
FIELDS_NOW = "field IN ('struggle', 'notes', 'quotes', 'why', 'note', 'answer')"
TEXT_COLUMNS = "subject_kind, subject_id, field, key_id, content, written_at, tenant_id, id"


def upgrade() -> None:
    """Create them."""
    _allow_texts(KINDS_NOW, FIELDS_NOW)
    op.create_index(op.f("ix_events_tenant_id_at"), "events", ["tenant_id", "at"])
    _create_contests()
    op.create_table(
        "alerts",
        sa.Column("person_id", sa.String(length=26), nullable=False),
        sa.Column("case_id", sa.String(length=26), nullable=True),
        sa.Column("raised_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("seen_by", sa.String(length=26), nullable=True),
        sa.Column("tenant_id", sa.String(length=26), nullable=False),
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.CheckConstraint("seen_by IS NULL OR seen_at IS NOT NULL", name=op.f("ck_alerts_seen")),
        _key("alerts", "person_id", "people", owned=True),
        _key("alerts", "case_id", "cases", owned=True),
        _key("alerts", "seen_by", "people"),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_alerts_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_alerts")),
    )
    _index("alerts", "raised_at", "id")
    for column in ("person_id", "case_id", "seen_by"):
        _index("alerts", column)
    op.create_table(
        "drafts",
        sa.Column("tenant_id", sa.String(length=26), nullable=False),
        sa.Column("person_id", sa.String(length=26), nullable=False),
        sa.Column("context", JSON_VALUE, nullable=False),
        sa.Column("saved_at", sa.DateTime(timezone=True), nullable=False),
        _key("drafts", "person_id", "people", owned=True),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_drafts_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "person_id", name=op.f("pk_drafts")),
    )
    _index("drafts", "saved_at")


def downgrade() -> None:
    """Drop them with what they hold."""
    op.drop_table("drafts")
    op.drop_table("alerts")
    op.drop_table("contests")
    op.drop_index(op.f("ix_events_tenant_id_at"), "events")
    op.execute("DELETE FROM texts WHERE subject_kind IN ('contest', 'draft')")
    _allow_texts(KINDS_BEFORE, FIELDS_BEFORE)


def _create_contests() -> None:
    op.create_table(
        "contests",
        sa.Column("case_id", sa.String(length=26), nullable=False),
        sa.Column("about", sa.String(length=10), nullable=False),
        sa.Column("ranking_id", sa.String(length=26), nullable=True),
        sa.Column("review_id", sa.String(length=26), nullable=True),
        sa.Column("skill_id", sa.String(length=60), nullable=True),
        sa.Column("raised_by", sa.String(length=26), nullable=False),
        sa.Column("raised_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("answered_by", sa.String(length=26), nullable=True),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("tenant_id", sa.String(length=26), nullable=False),
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.CheckConstraint("about IN ('suggestion', 'review')", name=op.f("ck_contests_about")),
        sa.CheckConstraint("state IN ('open', 'answered')", name=op.f("ck_contests_state")),
        sa.CheckConstraint("(about = 'suggestion') = (ranking_id IS NOT NULL)", name=op.f("ck_contests_of_suggestion")),
        sa.CheckConstraint("(about = 'review') = (review_id IS NOT NULL)", name=op.f("ck_contests_of_review")),
        sa.CheckConstraint("(state = 'open') = (answered_at IS NULL)", name=op.f("ck_contests_answered")),
        _key("contests", "case_id", "cases", owned=True),
        _key("contests", "ranking_id", "rankings", owned=True),
        _key("contests", "review_id", "reviews", owned=True),
        _key("contests", "raised_by", "people", owned=True),
        _key("contests", "answered_by", "people"),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_contests_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_contests")),
    )
    _index("contests", "case_id", "raised_at")
    _index("contests", "state", "raised_at", "id")
    for column in ("ranking_id", "review_id", "raised_by", "answered_by"):
        _index("contests", column)


def _key(table: str, column: str, of: str, *, owned: bool = False) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["tenant_id", column],
        [f"{of}.tenant_id", f"{of}.id"],
        name=op.f(f"fk_{table}_tenant_id_{column}"),
        ondelete="CASCADE" if owned else None,
    )


def _index(table: str, *columns: str) -> None:
    op.create_index(op.f(f"ix_{table}_tenant_id_{'_'.join(columns)}"), table, ["tenant_id", *columns])


def _allow_texts(kinds: str, fields: str) -> None:
    if op.get_bind().dialect.name == "postgresql":
        for name, check in ((KIND_CHECK, kinds), (FIELD_CHECK, fields)):
            op.drop_constraint(op.f(name), "texts", type_="check")
            op.create_check_constraint(op.f(name), "texts", check)
        return
    # SQLite changes no constraint: the rows move to a new table. Nothing refers to this one.
    op.drop_index(op.f("ix_texts_tenant_id_subject_kind_written_at"), "texts")
    op.rename_table("texts", "texts_before")
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
        sa.CheckConstraint(fields, name=op.f(FIELD_CHECK)),
        sa.CheckConstraint(kinds, name=op.f(KIND_CHECK)),
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
    op.execute(f"INSERT INTO texts ({TEXT_COLUMNS}) SELECT {TEXT_COLUMNS} FROM texts_before")
    op.drop_table("texts_before")
    _index("texts", "subject_kind", "written_at")
