"""What happens in a cycle: check-ins, and looks at a lesson before and after."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import get_args

from sqlalchemy import select

from recommender.cases import MAX_STRUGGLE_CHARACTERS
from recommender.errors import CaseError
from service.store.actors import Actor
from service.store.database import StoreSession, utc_now
from service.store.events import record
from service.store.idempotency import claim
from service.store.tables.cycles import CheckIn, Cycle, FollowUp, Phase
from service.store.text_vault import Place, read_many, write_texts
from service.store.visibility import own, visible
from service.ulid import new_ulid

MAX_TIMES_TRIED = 100


@dataclass(frozen=True)
class CheckInView:
    """A look back at some days: in how many lessons the skill was tried. ``person_id`` None: deleted since."""

    id: str
    person_id: str | None
    happened_on: date
    times_tried: int
    note: str | None


@dataclass(frozen=True)
class FollowUpView:
    """A look at one lesson: how many of the skill's look-fors were seen, out of how many that were looked for."""

    id: str
    observer_id: str | None
    phase: Phase
    observed_on: date
    seen: int
    looked_for: int
    note: str | None


def add_check_in(
    session: StoreSession,
    actor: Actor,
    cycle_id: str,
    happened_on: date,
    times_tried: int,
    *,
    note: str = "",
    idempotency_key: str | None = None,
    now: datetime | None = None,
) -> str:
    """Add a check-in to a cycle; its id. The teacher does, or a coach who sees the cycle; both see all of it. An app
    that sent the case passes the teacher's own word on: the check-in is the teacher's then.

    Raises NotFoundError when the actor does not see the cycle, CaseError for a number that cannot be.
    """
    moment, (cycle, person_id) = now or utc_now(), _whose_word(session, actor, cycle_id)
    if not 0 <= times_tried <= MAX_TIMES_TRIED or len(note) > MAX_STRUGGLE_CHARACTERS:
        raise CaseError(
            f"{times_tried} lessons and a note of {len(note)} characters",
            wanted=f"0 to {MAX_TIMES_TRIED} lessons, at most {MAX_STRUGGLE_CHARACTERS} characters",
        )
    content = [cycle_id, happened_on.isoformat(), times_tried, note]
    claimed = claim(session, actor, idempotency_key, content, new_ulid(), moment)
    if claimed.is_known:
        return claimed.id
    session.add(
        CheckIn(
            tenant_id=actor.tenant_id,
            id=claimed.id,
            cycle_id=cycle_id,
            person_id=person_id,
            happened_on=happened_on,
            times_tried=times_tried,
            created_at=moment,
        )
    )
    session.flush()
    write_texts(session, Place(actor.tenant_id, "check_in", claimed.id, "note"), [note], moment)
    record(session, actor, "check_in.made", claimed.id, person_id=cycle.teacher_id, now=moment, cycle=cycle_id)
    return claimed.id


def add_follow_up(
    session: StoreSession,
    actor: Actor,
    cycle_id: str,
    phase: Phase,
    observed_on: date,
    seen: int,
    looked_for: int,
    *,
    note: str = "",
    idempotency_key: str | None = None,
    now: datetime | None = None,
) -> str:
    """Add a look at a lesson to a cycle; its id. Who may, and what is raised: as ``add_check_in``."""
    moment, (cycle, person_id) = now or utc_now(), _whose_word(session, actor, cycle_id)
    if phase not in get_args(Phase) or not 0 <= seen <= looked_for or looked_for < 1:
        raise CaseError(f"{seen} of {looked_for} look-fors", wanted="baseline or follow_up, 0 to all of 1 or more")
    if len(note) > MAX_STRUGGLE_CHARACTERS:
        raise CaseError(f"a note of {len(note)} characters", wanted=f"at most {MAX_STRUGGLE_CHARACTERS}")
    content = [cycle_id, phase, observed_on.isoformat(), seen, looked_for, note]
    claimed = claim(session, actor, idempotency_key, content, new_ulid(), moment)
    if claimed.is_known:
        return claimed.id
    session.add(
        FollowUp(
            tenant_id=actor.tenant_id,
            id=claimed.id,
            cycle_id=cycle_id,
            observer_id=person_id,
            phase=phase,
            observed_on=observed_on,
            seen=seen,
            looked_for=looked_for,
            created_at=moment,
        )
    )
    session.flush()
    write_texts(session, Place(actor.tenant_id, "follow_up", claimed.id, "note"), [note], moment)
    record(
        session, actor, "follow_up.made", claimed.id, person_id=cycle.teacher_id, now=moment,
        cycle=cycle_id, phase=phase,
    )  # fmt: skip
    return claimed.id


def check_ins_of(session: StoreSession, actor: Actor, cycle_id: str) -> list[CheckInView]:
    """Check-ins of a cycle by day. Raises NotFoundError when the actor does not see it."""
    visible(session, actor, Cycle, cycle_id)
    rows = session.scalars(
        select(CheckIn)
        .where(CheckIn.tenant_id == actor.tenant_id, CheckIn.cycle_id == cycle_id)
        .order_by(CheckIn.happened_on, CheckIn.id)
    ).all()
    notes = read_many(session, actor.tenant_id, "check_in", [row.id for row in rows])
    return [
        CheckInView(row.id, row.person_id, row.happened_on, row.times_tried, _note(notes.get((row.id, "note"))))
        for row in rows
    ]


def follow_ups_of(session: StoreSession, actor: Actor, cycle_id: str) -> list[FollowUpView]:
    """Looks at lessons of a cycle by day. Raises NotFoundError when the actor does not see it."""
    visible(session, actor, Cycle, cycle_id)
    rows = session.scalars(
        select(FollowUp)
        .where(FollowUp.tenant_id == actor.tenant_id, FollowUp.cycle_id == cycle_id)
        .order_by(FollowUp.observed_on, FollowUp.id)
    ).all()
    notes = read_many(session, actor.tenant_id, "follow_up", [row.id for row in rows])
    return [
        FollowUpView(
            row.id,
            row.observer_id,
            row.phase,  # type: ignore[arg-type]
            row.observed_on,
            row.seen,
            row.looked_for,
            _note(notes.get((row.id, "note"))),
        )
        for row in rows
    ]


def _whose_word(session: StoreSession, actor: Actor, cycle_id: str) -> tuple[Cycle, str]:
    """The cycle, and the person whose word about it the actor brings."""
    if actor.kind == "app":
        cycle = own(session, actor, Cycle, cycle_id)
        return cycle, cycle.teacher_id
    return visible(session, actor, Cycle, cycle_id), actor.id


def _note(texts: list[str] | None) -> str | None:
    return texts[0] if texts else None
