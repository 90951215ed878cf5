"""A coach's queue: cases shared with them, by state and date. No score and no order of teachers is in it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, Select, select

from service.store.actors import Actor, require_coach
from service.store.database import StoreSession
from service.store.pages import Page, before, behind, checked_limit, cursor_of, page_of
from service.store.tables.cases import Case, CaseShare, QueueState
from service.store.tables.people import Person
from service.store.visibility import may_see


@dataclass(frozen=True)
class QueueEntry:
    """A case in a coach's queue.

    ``state``: new (not looked at), changed (the teacher did something since the coach answered), waiting (the coach
    has answered, the teacher has not chosen), done (the teacher has chosen, whether a coach has answered or not).
    ``queued_at`` is when it came into this state.
    """

    case_id: str
    teacher_id: str
    teacher_name: str
    state: QueueState
    queued_at: datetime


def coach_queue(
    session: StoreSession,
    actor: Actor,
    *,
    state: QueueState | None = None,
    after: str | None = None,
    limit: int = 20,
) -> Page[QueueEntry]:
    """The coach's open cases, longest in their state first; ``state`` leaves only those in it.

    Done cases are in no other list than their own, which begins with the latest. Raises NotAllowedError for anybody
    but a coach, CaseError for a cursor or limit that cannot be used.
    """
    require_coach(actor)
    place: list[Any] = [CaseShare.queued_at, CaseShare.case_id]
    is_done = state == "done"
    query = (
        _shared_cases(actor)
        .where(
            # An open case is said to be open as well, in the words of the indexes.
            *([] if is_done else [CaseShare.state != "done"]),
            *([CaseShare.state == state] if state is not None else []),
            *(before if is_done else behind)(after, *place),
        )
        .order_by(*(column.desc() if is_done else column for column in place))
        .limit(checked_limit(limit) + 1)
    )
    entries = [_entry(row) for row in session.execute(query)]
    return page_of(entries, limit, place_of)


def queue_entry(session: StoreSession, actor: Actor, case_id: str) -> QueueEntry | None:
    """A case where it stands in the coach's queue; None where it is not shared with them."""
    require_coach(actor)
    row = session.execute(_shared_cases(actor).where(CaseShare.case_id == case_id)).one_or_none()
    return None if row is None else _entry(row)


def place_of(entry: QueueEntry) -> str:
    """The ``after`` that goes on behind an entry."""
    return cursor_of(entry.queued_at, entry.case_id)


def _entry(row: Row[str, str, str, str, datetime]) -> QueueEntry:
    case_id, teacher_id, teacher_name, state, queued_at = row
    return QueueEntry(case_id, teacher_id, teacher_name, state, queued_at)  # type: ignore[arg-type]


def _shared_cases(actor: Actor) -> Select[str, str, str, str, datetime]:
    """Cases shared with the coach, in the columns of an entry: whole rows would take longer than all the rest."""
    return (
        select(CaseShare.case_id, Person.id, Person.name, CaseShare.state, CaseShare.queued_at)
        .join(Case, (Case.tenant_id == CaseShare.tenant_id) & (Case.id == CaseShare.case_id))
        .join(Person, (Person.tenant_id == Case.tenant_id) & (Person.id == Case.teacher_id))
        .where(
            CaseShare.tenant_id == actor.tenant_id,
            CaseShare.coach_id == actor.id,
            CaseShare.revoked_at.is_(None),
            may_see(actor, Case),
            # A coach who also teaches does not queue for themselves.
            Case.teacher_id != actor.id,
        )
    )
