"""Cycles, check-ins and follow-up observations."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003_cycles"
down_revision: str | None = "0002_cases"


def upgrade() -> None:
    """Create them."""
    op.create_table(
        "cycles",
        sa.Column("teacher_id", sa.String(length=26), nullable=False),
        sa.Column("case_id", sa.String(length=26), nullable=False),
        sa.Column("choice_id", sa.String(length=26), nullable=False),
        sa.Column("skill_id", sa.String(length=60), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("started_on", sa.Date(), nullable=False),
        sa.Column("weeks", sa.Integer(), nullable=False),
        sa.Column("planned_end", sa.Date(), nullable=False),
        sa.Column("ended_on", sa.Date(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("tenant_id", sa.String(length=26), nullable=False),
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.CheckConstraint("(state = 'open') = (ended_on IS NULL)", name=op.f("ck_cycles_ended")),
        sa.CheckConstraint("state IN ('open', 'finished', 'stopped')", name=op.f("ck_cycles_state")),
        sa.CheckConstraint("weeks BETWEEN 1 AND 26", name=op.f("ck_cycles_weeks")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "case_id"],
            ["cases.tenant_id", "cases.id"],
            name=op.f("fk_cycles_tenant_id_case_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "choice_id"],
            ["choices.tenant_id", "choices.id"],
            name=op.f("fk_cycles_tenant_id_choice_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "teacher_id"],
            ["people.tenant_id", "people.id"],
            name=op.f("fk_cycles_tenant_id_teacher_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_cycles_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_cycles")),
    )
    op.create_index(op.f("ix_cycles_tenant_id_case_id"), "cycles", ["tenant_id", "case_id"])
    op.create_index(op.f("ix_cycles_tenant_id_choice_id"), "cycles", ["tenant_id", "choice_id"])
    op.create_index(op.f("ix_cycles_tenant_id_created_at"), "cycles", ["tenant_id", "created_at"])
    op.create_index(
        op.f("ix_cycles_tenant_id_teacher_id_created_at_id"), "cycles", ["tenant_id", "teacher_id", "created_at", "id"]
    )
    op.create_index(
        "uq_cycles_open",
        "cycles",
        ["tenant_id", "teacher_id"],
        unique=True,
        sqlite_where=sa.text("state = 'open'"),
        postgresql_where=sa.text("state = 'open'"),
    )
    op.create_table(
        "cycle_shares",
        sa.Column("tenant_id", sa.String(length=26), nullable=False),
        sa.Column("cycle_id", sa.String(length=26), nullable=False),
        sa.Column("coach_id", sa.String(length=26), nullable=False),
        sa.Column("link_id", sa.String(length=26), nullable=False),
        sa.Column("shared_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["tenant_id", "coach_id"],
            ["people.tenant_id", "people.id"],
            name=op.f("fk_cycle_shares_tenant_id_coach_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "cycle_id"],
            ["cycles.tenant_id", "cycles.id"],
            name=op.f("fk_cycle_shares_tenant_id_cycle_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "link_id"],
            ["links.tenant_id", "links.id"],
            name=op.f("fk_cycle_shares_tenant_id_link_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_cycle_shares_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "cycle_id", "coach_id", name=op.f("pk_cycle_shares")),
    )
    op.create_index(
        op.f("ix_cycle_shares_tenant_id_coach_id_shared_at_cycle_id"),
        "cycle_shares",
        ["tenant_id", "coach_id", "shared_at", "cycle_id"],
    )
    op.create_table(
        "check_ins",
        sa.Column("cycle_id", sa.String(length=26), nullable=False),
        sa.Column("person_id", sa.String(length=26), nullable=True),
        sa.Column("happened_on", sa.Date(), nullable=False),
        sa.Column("times_tried", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("tenant_id", sa.String(length=26), nullable=False),
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.CheckConstraint("times_tried BETWEEN 0 AND 100", name=op.f("ck_check_ins_times_tried")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "cycle_id"],
            ["cycles.tenant_id", "cycles.id"],
            name=op.f("fk_check_ins_tenant_id_cycle_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "person_id"], ["people.tenant_id", "people.id"], name=op.f("fk_check_ins_tenant_id_person_id")
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_check_ins_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_check_ins")),
    )
    op.create_index(
        op.f("ix_check_ins_tenant_id_cycle_id_happened_on"), "check_ins", ["tenant_id", "cycle_id", "happened_on"]
    )
    op.create_index(op.f("ix_check_ins_tenant_id_person_id"), "check_ins", ["tenant_id", "person_id"])
    op.create_table(
        "follow_ups",
        sa.Column("cycle_id", sa.String(length=26), nullable=False),
        sa.Column("observer_id", sa.String(length=26), nullable=True),
        sa.Column("phase", sa.String(length=10), nullable=False),
        sa.Column("observed_on", sa.Date(), nullable=False),
        sa.Column("seen", sa.Integer(), nullable=False),
        sa.Column("looked_for", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("tenant_id", sa.String(length=26), nullable=False),
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.CheckConstraint("phase IN ('baseline', 'follow_up')", name=op.f("ck_follow_ups_phase")),
        sa.CheckConstraint("looked_for >= 1 AND seen BETWEEN 0 AND looked_for", name=op.f("ck_follow_ups_look_fors")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "cycle_id"],
            ["cycles.tenant_id", "cycles.id"],
            name=op.f("fk_follow_ups_tenant_id_cycle_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "observer_id"],
            ["people.tenant_id", "people.id"],
            name=op.f("fk_follow_ups_tenant_id_observer_id"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_follow_ups_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_follow_ups")),
    )
    op.create_index(
        op.f("ix_follow_ups_tenant_id_cycle_id_observed_on"), "follow_ups", ["tenant_id", "cycle_id", "observed_on"]
    )
    op.create_index(op.f("ix_follow_ups_tenant_id_observer_id"), "follow_ups", ["tenant_id", "observer_id"])


def downgrade() -> None:
    """Drop them with what they hold."""
    op.drop_table("follow_ups")
    op.drop_table("check_ins")
    op.drop_table("cycle_shares")
    op.drop_table("cycles")
