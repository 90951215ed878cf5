"""How long the first word on a list took: a choice of the teacher, a review of the coach."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy import exists, select

from service.store.actors import Actor
from service.store.database import StoreSession, utc_now
from service.store.tables.cases import Choice, RankingShown, Review

Feedback = Literal["choice", "review"]


def feedback_lag(
    session: StoreSession, actor: Actor, ranking_id: str, kind: Feedback, now: datetime | None = None
) -> timedelta | None:
    """Time since a list of the actor's tenant was shown; None where a word of this kind on it is recorded already.

    Asked for before the word is recorded: one that is sent twice is then counted once.
    """
    said = Choice if kind == "choice" else Review
    shown_at = session.scalar(
        select(RankingShown.shown_at).where(
            RankingShown.tenant_id == actor.tenant_id,
            RankingShown.id == ranking_id,
            ~exists().where(said.tenant_id == RankingShown.tenant_id, said.ranking_id == RankingShown.id),
        )
    )
    return None if shown_at is None else (now or utc_now()) - shown_at
