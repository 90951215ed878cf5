"""A coach's lists: moments that were shared with them, by state and date, and the teachers they are linked with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from service.access.signed_in import CoachSignedIn
from service.pages.cards import shorten, skill_name
from service.pages.render import page
from service.state import Model, StoreDatabase
from service.store.actors import Actor
from service.store.caseload import caseload
from service.store.contests import open_contests
from service.store.database import StoreSession
from service.store.queue import QueueEntry, coach_queue, place_of, queue_entry
from service.store.tables.cases import QueueState
from service.store.text_vault import read_many

# As a coach works: what nobody has looked at, what came back, what waits for somebody else; then what is decided.
OPEN: tuple[QueueState, ...] = ("new", "changed", "waiting")
GROUPS: tuple[QueueState, ...] = (*OPEN, "done")
TO_ANSWER: tuple[QueueState, ...] = ("new", "changed")
LINES = 20
router = APIRouter(include_in_schema=False)


@dataclass(frozen=True)
class QueueLine:
    """A moment in the list; ``words`` are the first of what the teacher wrote, None when there are none any more."""

    case_id: str
    teacher_name: str
    queued_at: datetime
    words: str | None


@dataclass(frozen=True)
class QueueGroup:
    """The moments in one state, longest in it first, of decided ones the latest; ``next`` is where the rest begins."""

    state: QueueState
    lines: list[QueueLine]
    next: str | None


@router.get("/coach")
def show_queue(
    request: Request, me: CoachSignedIn, database: StoreDatabase, state: str = "", after: str | None = None
) -> HTMLResponse:
    """The queue: every state's first moments, or all of one state in parts. Nothing else orders or filters it."""
    only = next((known for known in GROUPS if known == state), None)
    with database.read() as session:
        groups = _groups(session, me.actor, [only] if only else GROUPS, after if only else None)
        objections = [line for line in open_contests(session, me.actor).items if line.case_id is not None]
    return page(
        request, "coach_queue.html", me,
        groups=groups, only=only, states=GROUPS, is_first_part=not (only and after), objections=objections,
        is_nothing_open=not any(group.lines for group in groups if group.state in OPEN),
    )  # fmt: skip


@router.get("/coach/caseload")
def show_caseload(
    request: Request, me: CoachSignedIn, database: StoreDatabase, model: Model, after: str | None = None
) -> HTMLResponse:
    """The teachers a coach is linked with, by name, each with what they share: dates and activity only."""
    with database.read() as session:
        teachers = caseload(session, me.actor, after)
    catalogue = model.recommender.catalogue
    names = {
        line.focus.skill_id: skill_name(line.focus.skill_id, catalogue)
        for line in teachers.items
        if line.focus is not None
    }
    return page(request, "coach_caseload.html", me, teachers=teachers, skill_names=names)


def next_moment(session: StoreSession, actor: Actor, case_id: str) -> str | None:
    """The moment to look at after this one: the next that wants an answer, from the top again behind the last."""
    top: list[tuple[QueueState, str | None]] = [(state, None) for state in TO_ANSWER]
    here, behind = queue_entry(session, actor, case_id), []
    if here is not None and here.state in TO_ANSWER:
        behind = [(here.state, place_of(here)), *top[TO_ANSWER.index(here.state) + 1 :]]
    for state, after in [*behind, *top]:
        # Two: the first from the top may be this one.
        for entry in coach_queue(session, actor, state=state, after=after, limit=2).items:
            if entry.case_id != case_id:
                return entry.case_id
    return None


def _groups(session: StoreSession, actor: Actor, states: Sequence[QueueState], after: str | None) -> list[QueueGroup]:
    parts = {state: coach_queue(session, actor, state=state, after=after, limit=LINES) for state in states}
    words = _first_words(session, actor, [entry for part in parts.values() for entry in part.items])
    return [
        QueueGroup(
            state,
            [
                QueueLine(entry.case_id, entry.teacher_name, entry.queued_at, words.get(entry.case_id))
                for entry in part.items
            ],
            part.next,
        )
        for state, part in parts.items()
    ]


def _first_words(session: StoreSession, actor: Actor, entries: Sequence[QueueEntry]) -> Mapping[str, str]:
    """The beginning of each struggle; the queue holds only what the coach may see."""
    texts = read_many(session, actor.tenant_id, "case", [entry.case_id for entry in entries])
    return {case_id: shorten(struggle[0]) for (case_id, field), struggle in texts.items() if field == "struggle"}
