"""A coach's done cases by date."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009_done_cases"
down_revision: str | None = "0008_consents"

INDEX = "ix_case_shares_done"
DONE = sa.text("revoked_at IS NULL AND state = 'done'")


def upgrade() -> None:
    """Index what was in no index: open cases have theirs."""
    op.create_index(
        INDEX,
        "case_shares",
        ["tenant_id", "coach_id", "queued_at", "case_id"],
        sqlite_where=DONE,
        postgresql_where=DONE,
    )


def downgrade() -> None:
    """Drop it; no row changes."""
    op.drop_index(INDEX, "case_shares")
