"""Cases, rankings shown, choices and reviews."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002_cases"
down_revision: str | None = "0001_people"
JSON_VALUE = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def upgrade() -> None:
    """Create them."""
    op.create_table(
        "cases",
        sa.Column("teacher_id", sa.String(length=26), nullable=True),
        sa.Column("app", sa.String(length=60), nullable=True),
        sa.Column("case_ref", sa.String(length=200), nullable=False),
        sa.Column("context", JSON_VALUE, nullable=False),
        sa.Column("observations", JSON_VALUE, nullable=False),
        sa.Column("declined", JSON_VALUE, nullable=False),
        sa.Column("top", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("texts_deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("tenant_id", sa.String(length=26), nullable=False),
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.CheckConstraint("teacher_id IS NOT NULL OR app IS NOT NULL", name=op.f("ck_cases_owner")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "teacher_id"],
            ["people.tenant_id", "people.id"],
            name=op.f("fk_cases_tenant_id_teacher_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_cases_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_cases")),
    )
    op.create_index(op.f("ix_cases_tenant_id_app_created_at_id"), "cases", ["tenant_id", "app", "created_at", "id"])
    op.create_index(op.f("ix_cases_tenant_id_created_at"), "cases", ["tenant_id", "created_at"])
    op.create_index(
        op.f("ix_cases_tenant_id_teacher_id_created_at_id"), "cases", ["tenant_id", "teacher_id", "created_at", "id"]
    )
    op.create_table(
        "case_shares",
        sa.Column("tenant_id", sa.String(length=26), nullable=False),
        sa.Column("case_id", sa.String(length=26), nullable=False),
        sa.Column("coach_id", sa.String(length=26), nullable=False),
        sa.Column("link_id", sa.String(length=26), nullable=False),
        sa.Column("shared_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("queued_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("state IN ('new', 'changed', 'waiting', 'done')", name=op.f("ck_case_shares_state")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "case_id"],
            ["cases.tenant_id", "cases.id"],
            name=op.f("fk_case_shares_tenant_id_case_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "coach_id"],
            ["people.tenant_id", "people.id"],
            name=op.f("fk_case_shares_tenant_id_coach_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "link_id"],
            ["links.tenant_id", "links.id"],
            name=op.f("fk_case_shares_tenant_id_link_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_case_shares_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "case_id", "coach_id", name=op.f("pk_case_shares")),
    )
    op.create_index(
        "ix_case_shares_queue",
        "case_shares",
        ["tenant_id", "coach_id", "queued_at", "case_id"],
        sqlite_where=sa.text("revoked_at IS NULL AND state <> 'done'"),
        postgresql_where=sa.text("revoked_at IS NULL AND state <> 'done'"),
    )
    op.create_index(
        "ix_case_shares_state",
        "case_shares",
        ["tenant_id", "coach_id", "state", "queued_at", "case_id"],
        sqlite_where=sa.text("revoked_at IS NULL AND state <> 'done'"),
        postgresql_where=sa.text("revoked_at IS NULL AND state <> 'done'"),
    )
    op.create_table(
        "rankings",
        sa.Column("case_id", sa.String(length=26), nullable=False),
        sa.Column("shown_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("message", sa.String(length=2000), nullable=True),
        sa.Column("ask_next", sa.String(length=2000), nullable=True),
        sa.Column("notices", JSON_VALUE, nullable=False),
        sa.Column("evidence_grade", sa.String(length=1), nullable=True),
        sa.Column("model_version", sa.String(length=100), nullable=False),
        sa.Column("catalogue_version", sa.String(length=100), nullable=False),
        sa.Column("input_hash", sa.String(length=80), nullable=True),
        sa.Column("features", JSON_VALUE, nullable=False),
        sa.Column("tenant_id", sa.String(length=26), nullable=False),
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.CheckConstraint(
            "status IN ('ranked', 'not_enough', 'out_of_scope', 'safeguarding')", name=op.f("ck_rankings_status")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "case_id"],
            ["cases.tenant_id", "cases.id"],
            name=op.f("fk_rankings_tenant_id_case_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_rankings_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_rankings")),
    )
    op.create_index(op.f("ix_rankings_tenant_id_case_id_shown_at"), "rankings", ["tenant_id", "case_id", "shown_at"])
    op.create_index(op.f("ix_rankings_tenant_id_shown_at"), "rankings", ["tenant_id", "shown_at"])
    op.create_table(
        "suggestions",
        sa.Column("tenant_id", sa.String(length=26), nullable=False),
        sa.Column("ranking_id", sa.String(length=26), nullable=False),
        sa.Column("rank", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("skill_id", sa.String(length=60), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("probability", sa.Double(), nullable=False),
        sa.Column("confidence", sa.String(length=10), nullable=False),
        sa.Column("score", sa.Double(), nullable=False),
        sa.Column("propensity", sa.Double(), nullable=False),
        sa.Column("reasons", JSON_VALUE, nullable=False),
        sa.CheckConstraint("confidence IN ('strong', 'likely', 'possible')", name=op.f("ck_suggestions_confidence")),
        sa.CheckConstraint("probability BETWEEN 0 AND 1", name=op.f("ck_suggestions_probability")),
        sa.CheckConstraint("propensity > 0 AND propensity <= 1", name=op.f("ck_suggestions_propensity")),
        sa.CheckConstraint("rank >= 1", name=op.f("ck_suggestions_rank")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "ranking_id"],
            ["rankings.tenant_id", "rankings.id"],
            name=op.f("fk_suggestions_tenant_id_ranking_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_suggestions_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "ranking_id", "rank", name=op.f("pk_suggestions")),
        sa.UniqueConstraint(
            "tenant_id", "ranking_id", "skill_id", name=op.f("uq_suggestions_tenant_id_ranking_id_skill_id")
        ),
    )
    op.create_table(
        "choices",
        sa.Column("case_id", sa.String(length=26), nullable=False),
        sa.Column("ranking_id", sa.String(length=26), nullable=False),
        sa.Column("teacher_id", sa.String(length=26), nullable=False),
        sa.Column("skill_id", sa.String(length=60), nullable=False),
        sa.Column("decision", sa.String(length=10), nullable=False),
        sa.Column("rank", sa.Integer(), nullable=True),
        sa.Column("reason", sa.String(length=20), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("tenant_id", sa.String(length=26), nullable=False),
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.CheckConstraint("decision = 'declined' OR reason IS NULL", name=op.f("ck_choices_reason_of_decline")),
        sa.CheckConstraint("decision IN ('chosen', 'declined')", name=op.f("ck_choices_decision")),
        sa.CheckConstraint(
            "reason IN ('not_my_need', 'already_do_this', 'not_now', 'not_enough_time', 'does_not_fit_class', 'other')",
            name=op.f("ck_choices_reason"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "case_id"],
            ["cases.tenant_id", "cases.id"],
            name=op.f("fk_choices_tenant_id_case_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "ranking_id"],
            ["rankings.tenant_id", "rankings.id"],
            name=op.f("fk_choices_tenant_id_ranking_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "teacher_id"],
            ["people.tenant_id", "people.id"],
            name=op.f("fk_choices_tenant_id_teacher_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_choices_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_choices")),
    )
    op.create_index(op.f("ix_choices_tenant_id_case_id_decided_at"), "choices", ["tenant_id", "case_id", "decided_at"])
    op.create_index(op.f("ix_choices_tenant_id_decided_at"), "choices", ["tenant_id", "decided_at"])
    op.create_index(op.f("ix_choices_tenant_id_ranking_id"), "choices", ["tenant_id", "ranking_id"])
    op.create_table(
        "reviews",
        sa.Column("case_id", sa.String(length=26), nullable=False),
        sa.Column("ranking_id", sa.String(length=26), nullable=False),
        sa.Column("coach_id", sa.String(length=26), nullable=True),
        sa.Column("reviewed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("tenant_id", sa.String(length=26), nullable=False),
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "case_id"],
            ["cases.tenant_id", "cases.id"],
            name=op.f("fk_reviews_tenant_id_case_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "coach_id"], ["people.tenant_id", "people.id"], name=op.f("fk_reviews_tenant_id_coach_id")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "ranking_id"],
            ["rankings.tenant_id", "rankings.id"],
            name=op.f("fk_reviews_tenant_id_ranking_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_reviews_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_reviews")),
    )
    op.create_index(
        op.f("ix_reviews_tenant_id_case_id_reviewed_at"), "reviews", ["tenant_id", "case_id", "reviewed_at"]
    )
    op.create_index(
        op.f("ix_reviews_tenant_id_coach_id_reviewed_at"), "reviews", ["tenant_id", "coach_id", "reviewed_at"]
    )
    op.create_index(op.f("ix_reviews_tenant_id_ranking_id"), "reviews", ["tenant_id", "ranking_id"])
    op.create_table(
        "review_changes",
        sa.Column("tenant_id", sa.String(length=26), nullable=False),
        sa.Column("review_id", sa.String(length=26), nullable=False),
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("skill_id", sa.String(length=60), nullable=False),
        sa.Column("action", sa.String(length=10), nullable=False),
        sa.Column("from_rank", sa.Integer(), nullable=True),
        sa.Column("to_rank", sa.Integer(), nullable=True),
        sa.CheckConstraint("action IN ('keep', 'move', 'add', 'remove')", name=op.f("ck_review_changes_action")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "review_id"],
            ["reviews.tenant_id", "reviews.id"],
            name=op.f("fk_review_changes_tenant_id_review_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_review_changes_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "review_id", "position", name=op.f("pk_review_changes")),
        sa.UniqueConstraint(
            "tenant_id", "review_id", "skill_id", name=op.f("uq_review_changes_tenant_id_review_id_skill_id")
        ),
    )


def downgrade() -> None:
    """Drop them with what they hold."""
    op.drop_table("review_changes")
    op.drop_table("reviews")
    op.drop_table("choices")
    op.drop_table("suggestions")
    op.drop_table("rankings")
    op.drop_table("case_shares")
    op.drop_table("cases")
