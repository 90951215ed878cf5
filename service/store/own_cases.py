"""A teacher's own cases, latest first, each with how it stands: what their list of moments says of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select

from recommender.cases import Status
from service.store.actors import Actor
from service.store.database import StoreSession
from service.store.pages import Page, before, checked_limit, cursor_of, page_of
from service.store.tables.cases import Case, Choice, RankingShown
from service.store.text_vault import read_many


@dataclass(frozen=True)
class OwnCaseLine:
    """A case of the person who asks. ``status`` of its latest ranking; ``chosen``: the skill taken last, if one was.

    ``struggle`` is redacted, and None when there was none or it is deleted.
    """

    id: str
    struggle: str | None
    context: dict[str, Any]
    status: Status | None
    chosen: str | None
    created_at: datetime
    texts_deleted_at: datetime | None


def own_cases(session: StoreSession, actor: Actor, *, after: str | None = None, limit: int = 20) -> Page[OwnCaseLine]:
    """The cases of the person who asks, latest first, and nobody else's; none for an app."""
    if actor.kind != "person":
        return Page([], None)
    query = (
        select(Case)
        .where(
            Case.tenant_id == actor.tenant_id,
            Case.teacher_id == actor.id,
            *before(after, Case.created_at, Case.id),
        )
        .order_by(Case.created_at.desc(), Case.id.desc())
        .limit(checked_limit(limit) + 1)
    )
    cases = session.scalars(query).all()
    ids = [case.id for case in cases]
    texts = read_many(session, actor.tenant_id, "case", ids)
    statuses, chosen = _statuses(session, actor, ids), _chosen(session, actor, ids)
    lines = [
        OwnCaseLine(
            case.id,
            texts.get((case.id, "struggle"), [None])[0],
            case.context,
            statuses.get(case.id),
            chosen.get(case.id),
            case.created_at,
            case.texts_deleted_at,
        )
        for case in cases
    ]
    return page_of(lines, limit, lambda line: cursor_of(line.created_at, line.id))


def _statuses(session: StoreSession, actor: Actor, case_ids: Sequence[str]) -> dict[str, Status]:
    rows = session.execute(
        select(RankingShown.case_id, RankingShown.status)
        .where(RankingShown.tenant_id == actor.tenant_id, RankingShown.case_id.in_(case_ids))
        .order_by(RankingShown.shown_at, RankingShown.id)
    )
    # The latest comes last and stays.
    return {row.case_id: row.status for row in rows}


def _chosen(session: StoreSession, actor: Actor, case_ids: Sequence[str]) -> dict[str, str]:
    rows = session.execute(
        select(Choice.case_id, Choice.skill_id)
        .where(Choice.tenant_id == actor.tenant_id, Choice.case_id.in_(case_ids), Choice.decision == "chosen")
        .order_by(Choice.decided_at, Choice.id)
    )
    return {row.case_id: row.skill_id for row in rows}
