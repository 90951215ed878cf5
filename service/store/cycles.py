"""Cycles: weeks of practice of one skill, begun by the teacher's own choice and by nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import select

from recommender.errors import CaseError
from service.store.actors import Actor
from service.store.clock import after_all
from service.store.database import StoreSession, utc_now
from service.store.errors import ConflictError, NotFoundError
from service.store.events import record
from service.store.idempotency import claim
from service.store.pages import Page, before, checked_limit, cursor_of, page_of
from service.store.tables.cases import Case, Choice
from service.store.tables.cycles import Cycle, CycleState
from service.store.visibility import may_see, own, visible
from service.ulid import new_ulid

# A narrow skill takes three to six weeks.
DEFAULT_WEEKS = 6
MAX_WEEKS = 26


@dataclass(frozen=True)
class CycleView:
    """A cycle as it may be seen."""

    id: str
    teacher_id: str
    case_id: str
    skill_id: str
    state: CycleState
    started_on: date
    weeks: int
    planned_end: date
    ended_on: date | None
    created_at: datetime


def start_cycle(
    session: StoreSession,
    actor: Actor,
    case_id: str,
    choice_id: str,
    started_on: date,
    *,
    weeks: int = DEFAULT_WEEKS,
    idempotency_key: str | None = None,
    now: datetime | None = None,
) -> str:
    """Begin a cycle on a skill the teacher has chosen; its id.

    Raises NotAllowedError for another person's case, NotFoundError for a choice of another case, ConflictError for a
    skill that was declined or while another cycle is open, CaseError for a number of weeks that cannot be used.
    """
    moment, case = now or utc_now(), own(session, actor, Case, case_id)
    if not 1 <= weeks <= MAX_WEEKS:
        raise CaseError(f"{weeks} weeks", wanted=f"1 to {MAX_WEEKS}")
    choice = session.get(Choice, (actor.tenant_id, choice_id))
    if choice is None or choice.case_id != case.id:
        raise NotFoundError("choice")
    if choice.decision != "chosen":
        raise ConflictError("a skill that was declined", wanted="one the teacher has chosen")
    content = [choice_id, started_on.isoformat(), weeks]
    claimed = claim(session, actor, idempotency_key, content, new_ulid(), moment)
    if claimed.is_known:
        return claimed.id
    _refuse_second(session, actor, choice.teacher_id)
    session.add(
        Cycle(
            tenant_id=actor.tenant_id,
            id=claimed.id,
            teacher_id=choice.teacher_id,
            case_id=case.id,
            choice_id=choice_id,
            skill_id=choice.skill_id,
            state="open",
            started_on=started_on,
            weeks=weeks,
            planned_end=started_on + timedelta(weeks=weeks),
            created_at=after_all(
                session, moment, Cycle.created_at,
                Cycle.tenant_id == actor.tenant_id, Cycle.teacher_id == choice.teacher_id,
            ),
        )
    )  # fmt: skip
    session.flush()
    record(
        session, actor, "cycle.started", claimed.id, person_id=choice.teacher_id, now=moment,
        case=case.id, skill=choice.skill_id, weeks=weeks,
    )  # fmt: skip
    return claimed.id


def end_cycle(
    session: StoreSession,
    actor: Actor,
    cycle_id: str,
    state: CycleState,
    ended_on: date,
    now: datetime | None = None,
) -> None:
    """End a cycle as finished or stopped; ending it again changes nothing.

    Raises NotAllowedError for anybody but the teacher, CaseError for another state or a day before it began.
    """
    cycle = own(session, actor, Cycle, cycle_id)
    if state not in ("finished", "stopped") or ended_on < cycle.started_on:
        raise CaseError("an end that cannot be", wanted="finished or stopped, on or after the first day")
    if cycle.state == "open":
        cycle.state, cycle.ended_on = state, ended_on
        session.flush()
        record(session, actor, "cycle.ended", cycle_id, person_id=cycle.teacher_id, now=now, state=state)


def cycle_of_choice(session: StoreSession, actor: Actor, choice_id: str) -> str | None:
    """Id of the first cycle that began with a choice, if one did."""
    return session.scalar(
        select(Cycle.id)
        .where(Cycle.tenant_id == actor.tenant_id, Cycle.choice_id == choice_id)
        .order_by(Cycle.created_at, Cycle.id)
        .limit(1)
    )


def get_cycle(session: StoreSession, actor: Actor, cycle_id: str) -> CycleView:
    """A cycle. Raises NotFoundError when the actor does not see it."""
    return _view(visible(session, actor, Cycle, cycle_id))


def list_cycles(session: StoreSession, actor: Actor, *, after: str | None = None, limit: int = 20) -> Page[CycleView]:
    """The cycles the actor sees, latest first."""
    query = (
        select(Cycle)
        .where(may_see(actor, Cycle), *before(after, Cycle.created_at, Cycle.id))
        .order_by(Cycle.created_at.desc(), Cycle.id.desc())
        .limit(checked_limit(limit) + 1)
    )
    cycles = [_view(cycle) for cycle in session.scalars(query)]
    return page_of(cycles, limit, lambda cycle: cursor_of(cycle.created_at, cycle.id))


def _refuse_second(session: StoreSession, actor: Actor, teacher_id: str) -> None:
    is_open = select(Cycle.id).where(
        Cycle.tenant_id == actor.tenant_id, Cycle.teacher_id == teacher_id, Cycle.state == "open"
    )
    if session.scalar(is_open) is not None:
        raise ConflictError("a cycle that is open", wanted="one skill at a time", way_out="End the other cycle first.")


def _view(cycle: Cycle) -> CycleView:
    return CycleView(
        cycle.id,
        cycle.teacher_id,
        cycle.case_id,
        cycle.skill_id,
        cycle.state,  # type: ignore[arg-type]
        cycle.started_on,
        cycle.weeks,
        cycle.planned_end,
        cycle.ended_on,
        cycle.created_at,
    )
