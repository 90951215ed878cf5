"""What an administrator sees: how many teachers, in groups of at least ten, up to the last Monday."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, get_args

from sqlalchemy import distinct, func, select

from recommender.cases import Status
from recommender.catalogue.loader import load_catalogue
from service.store.actors import Actor, require_administrator
from service.store.database import StoreSession, utc_now
from service.store.errors import NotAllowedError
from service.store.suppression import suppress, suppress_sum
from service.store.tables.cases import Case, Choice, Decision, RankingShown, Review
from service.store.tables.cycles import Cycle, CycleState, FollowUp

Cells = dict[str, int | None]
OUTCOMES = ("more seen after", "as much seen", "less seen after")


@dataclass(frozen=True)
class TenantCounts:
    """Numbers of teachers, never of one teacher; None: fewer than ten, or telling that by subtraction.

    A teacher counts once in every group they are in, so groups may add up to more than the sum.
    """

    until: datetime
    teachers_with_a_case: int | None
    teachers_reviewed: int | None
    by_status: Cells
    by_decision: Cells
    by_focus_domain: Cells
    by_cycle_state: Cells
    by_outcome: Cells


def tenant_counts(session: StoreSession, actor: Actor, now: datetime | None = None) -> TenantCounts:
    """Counts of the actor's tenant, for its administrators and the operator.

    They end with the last Monday, 0:00 UTC: two looks on one day show nothing of what a single teacher did between.
    Raises NotAllowedError for anybody else.
    """
    require_administrator(actor)
    if actor.kind == "app":
        raise NotAllowedError("an app", wanted="an administrator")
    until = last_monday(now or utc_now())
    with_case = _teachers(session, actor, Case.teacher_id, Case, Case.created_at < until)
    reviewed = _teachers(session, actor, Case.teacher_id, Case, Review.reviewed_at < until, join=(Review,))
    return TenantCounts(
        until=until,
        teachers_with_a_case=suppress_sum(with_case),
        teachers_reviewed=suppress_sum(reviewed),
        by_status=_by_status(session, actor, until),
        by_decision=_by(session, actor, Choice.decision, Choice, Choice.decided_at < until, get_args(Decision)),
        by_focus_domain=_by_domain(session, actor, until),
        by_cycle_state=_by(session, actor, Cycle.state, Cycle, Cycle.created_at < until, get_args(CycleState)),
        by_outcome=_by_outcome(session, actor, until),
    )


def last_monday(now: datetime) -> datetime:
    """The last Monday, 0:00 UTC, at or before a time."""
    day = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return day - timedelta(days=day.weekday())


def _teachers(
    session: StoreSession, actor: Actor, teacher: Any, table: Any, *conditions: Any, join: tuple[Any, ...] = ()
) -> int:
    query = select(func.count(distinct(teacher))).select_from(table).where(table.tenant_id == actor.tenant_id)
    for other in join:
        query = query.join(other, (other.tenant_id == Case.tenant_id) & (other.case_id == Case.id))
    return session.scalar(query.where(*conditions)) or 0


def _by(session: StoreSession, actor: Actor, group: Any, table: Any, condition: Any, groups: Iterable[str]) -> Cells:
    query = (
        select(group, func.count(distinct(table.teacher_id)))
        .where(table.tenant_id == actor.tenant_id, condition)
        .group_by(group)
    )
    return suppress(dict.fromkeys(groups, 0) | dict(session.execute(query).all()))


def _by_status(session: StoreSession, actor: Actor, until: datetime) -> Cells:
    query = (
        select(RankingShown.status, func.count(distinct(Case.teacher_id)))
        .join(Case, (Case.tenant_id == RankingShown.tenant_id) & (Case.id == RankingShown.case_id))
        .where(RankingShown.tenant_id == actor.tenant_id, RankingShown.shown_at < until)
        .group_by(RankingShown.status)
    )
    return suppress(dict.fromkeys(get_args(Status), 0) | dict(session.execute(query).all()))


def _by_domain(session: StoreSession, actor: Actor, until: datetime) -> Cells:
    """Single skills would nearly all be groups of fewer than ten; domains are what a plan is made for anyway."""
    catalogue = load_catalogue()
    query = select(Cycle.teacher_id, Cycle.skill_id).where(Cycle.tenant_id == actor.tenant_id, Cycle.created_at < until)
    pairs = {
        (catalogue[skill_id].domain, teacher_id)
        for teacher_id, skill_id in session.execute(query.distinct())
        if skill_id in catalogue
    }
    return suppress(dict.fromkeys(catalogue.domains, 0) | Counter(domain for domain, _ in pairs))


def _by_outcome(session: StoreSession, actor: Actor, until: datetime) -> Cells:
    """Teachers by what was seen of the skill's look-fors after, against before, over all their ended cycles."""
    query = (
        select(Cycle.teacher_id, FollowUp.phase, func.sum(FollowUp.seen), func.sum(FollowUp.looked_for))
        .join(Cycle, (Cycle.tenant_id == FollowUp.tenant_id) & (Cycle.id == FollowUp.cycle_id))
        .where(FollowUp.tenant_id == actor.tenant_id, FollowUp.created_at < until, Cycle.state != "open")
        .group_by(Cycle.teacher_id, FollowUp.phase)
    )
    shares: dict[str, dict[str, float]] = {}
    for teacher_id, phase, seen, looked_for in session.execute(query):
        shares.setdefault(teacher_id, {})[phase] = float(seen) / float(looked_for)
    outcomes = Counter(
        OUTCOMES[0 if share["follow_up"] > share["baseline"] else 1 if share["follow_up"] == share["baseline"] else 2]
        for share in shares.values()
        if len(share) == len(("baseline", "follow_up"))
    )
    return suppress(dict.fromkeys(OUTCOMES, 0) | outcomes)
