"""What practice changed: look-fors seen before and after, for one cycle, and over the teachers of a tenant."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from math import sqrt
from statistics import fmean, stdev

from scipy.stats import t
from sqlalchemy import func, select

from recommender.catalogue.loader import load_catalogue
from service.store.actors import Actor, require_administrator
from service.store.counts import last_monday
from service.store.database import StoreSession, utc_now
from service.store.errors import NotAllowedError
from service.store.practice import FollowUpView
from service.store.suppression import MIN_CELL, suppress, suppress_sum
from service.store.tables.cycles import Cycle, FollowUp, Phase

# 97.5% point of the normal distribution.
Z_95 = 1.959963984540054
# Hundredths: finer ones of two weeks, one teacher apart, would tell that teacher's own.
DECIMALS = 2


@dataclass(frozen=True)
class Share:
    """Look-fors seen out of those looked for, with Wilson's 95% interval; all of it in 0 to 1."""

    seen: int
    looked_for: int
    share: float
    low: float
    high: float


@dataclass(frozen=True)
class Change:
    """One cycle: the shares before and after, and after less before with its 95% interval, in -1 to 1."""

    before: Share
    after: Share
    difference: float
    low: float
    high: float


@dataclass(frozen=True)
class OutcomeCell:
    """Teachers with looks before and after, and means over them; all None where there are too few to tell.

    ``before`` and ``after``: mean share of look-fors, 0 to 1. ``change``: mean of after less before, ``low`` to
    ``high`` its 95% interval. Rounded to hundredths.
    """

    teachers: int | None
    before: float | None = None
    after: float | None = None
    change: float | None = None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class TenantOutcomes:
    """Outcomes of a tenant's ended cycles up to ``until``. A teacher counts once in every domain they practised in."""

    until: datetime
    all_teachers: OutcomeCell
    by_domain: Mapping[str, OutcomeCell]


# Shares before and after of one teacher.
_Pair = tuple[float, float]


def tenant_outcomes(session: StoreSession, actor: Actor, now: datetime | None = None) -> TenantOutcomes:
    """Look-fors before and after over ended cycles that have both, for administrators and the operator.

    A cycle's share is of all its look-fors of a phase, a teacher's the mean of their cycles', a cell's the mean of its
    teachers'. The interval is Student's (1908) for paired differences: mean +- t(0.975, n - 1) * sd / sqrt(n). Cells
    hold ten teachers or more, as ``suppression`` has it, and end with the last Monday, 0:00 UTC. Raises NotAllowedError
    for anybody else.
    """
    require_administrator(actor)
    if actor.kind == "app":
        raise NotAllowedError("an app", wanted="an administrator")
    until = last_monday(now or utc_now())
    catalogue = load_catalogue()
    everywhere: dict[str, list[_Pair]] = {}
    of_domain: dict[str, dict[str, list[_Pair]]] = {domain: {} for domain in catalogue.domains}
    for teacher_id, skill_id, pair in _ended_cycles(session, actor, until):
        everywhere.setdefault(teacher_id, []).append(pair)
        if skill_id in catalogue:
            of_domain[catalogue[skill_id].domain].setdefault(teacher_id, []).append(pair)
    told = _told({domain: len(teachers) for domain, teachers in of_domain.items()}, len(everywhere))
    return TenantOutcomes(
        until,
        _cell(everywhere, suppress_sum(len(everywhere))),
        {domain: _cell(teachers, told[domain]) for domain, teachers in of_domain.items()},
    )


def cycle_change(follow_ups: Sequence[FollowUpView]) -> Change | None:
    """What the looks at lessons of one cycle say about before and after; None unless there are both.

    The difference has Newcombe's interval (Newcombe 1998, Statistics in Medicine 17: 873-890, method 10), made of the
    two Wilson intervals. It takes look-fors for independent, which those of one lesson are not quite: it is rather too
    narrow than too wide.
    """
    before, after = (_share_of(follow_ups, phase) for phase in ("baseline", "follow_up"))
    if before is None or after is None:
        return None
    difference = after.share - before.share
    low = difference - sqrt((after.share - after.low) ** 2 + (before.high - before.share) ** 2)
    high = difference + sqrt((after.high - after.share) ** 2 + (before.share - before.low) ** 2)
    return Change(before, after, difference, max(low, -1.0), min(high, 1.0))


def share_seen(seen: int, looked_for: int) -> Share:
    """A share with Wilson's 95% score interval (Wilson 1927). ``looked_for`` is 1 or more, ``seen`` at most as many."""
    share = seen / looked_for
    spread = Z_95**2 / looked_for
    middle = (share + spread / 2) / (1 + spread)
    half = Z_95 / (1 + spread) * sqrt(share * (1 - share) / looked_for + spread / (4 * looked_for))
    # At none and all the formula reaches the end exactly but for rounding.
    low = 0.0 if seen == 0 else middle - half
    high = 1.0 if seen == looked_for else middle + half
    return Share(seen, looked_for, share, low, high)


def _share_of(follow_ups: Iterable[FollowUpView], phase: Phase) -> Share | None:
    looks = [look for look in follow_ups if look.phase == phase]
    return share_seen(sum(look.seen for look in looks), sum(look.looked_for for look in looks)) if looks else None


def _ended_cycles(session: StoreSession, actor: Actor, until: datetime) -> list[tuple[str, str, _Pair]]:
    """Teacher, skill and shares of each ended cycle that was looked at before and after."""
    query = (
        select(
            Cycle.id, Cycle.teacher_id, Cycle.skill_id, FollowUp.phase, func.sum(FollowUp.seen),
            func.sum(FollowUp.looked_for),
        )
        .join(FollowUp, (FollowUp.tenant_id == Cycle.tenant_id) & (FollowUp.cycle_id == Cycle.id))
        .where(
            Cycle.tenant_id == actor.tenant_id,
            Cycle.state != "open",
            Cycle.ended_on < until.date(),
            FollowUp.created_at < until,
        )
        .group_by(Cycle.id, Cycle.teacher_id, Cycle.skill_id, FollowUp.phase)
        .order_by(Cycle.id)
    )  # fmt: skip
    shares: dict[tuple[str, str, str], dict[str, float]] = {}
    for cycle_id, teacher_id, skill_id, phase, seen, looked_for in session.execute(query):
        shares.setdefault((cycle_id, teacher_id, skill_id), {})[phase] = int(seen) / int(looked_for)
    return [
        (teacher_id, skill_id, (share["baseline"], share["follow_up"]))
        for (_, teacher_id, skill_id), share in shares.items()
        if {"baseline", "follow_up"} <= share.keys()
    ]


def _told(teachers: Mapping[str, int], total: int) -> dict[str, int | None]:
    """Numbers of teachers by domain that may be told beside the total.

    Where fewer than ten teachers are outside a domain, the total less that domain would be theirs alone.
    """
    return {
        domain: None if count and 0 < total - count < MIN_CELL else count
        for domain, count in suppress(teachers).items()
    }


def _cell(teachers: Mapping[str, Sequence[_Pair]], told: int | None) -> OutcomeCell:
    if not told:
        return OutcomeCell(told)
    pairs = [(fmean(pair[0] for pair in cycles), fmean(pair[1] for pair in cycles)) for cycles in teachers.values()]
    differences = [after - before for before, after in pairs]
    change = fmean(differences)
    half = float(t.ppf(0.975, len(pairs) - 1)) * stdev(differences) / sqrt(len(pairs))
    return OutcomeCell(
        told,
        before=round(fmean(before for before, _ in pairs), DECIMALS),
        after=round(fmean(after for _, after in pairs), DECIMALS),
        change=round(change, DECIMALS),
        low=round(max(change - half, -1.0), DECIMALS),
        high=round(min(change + half, 1.0), DECIMALS),
    )
