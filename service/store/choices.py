"""What a teacher takes and declines. The latest word counts; all of them are kept."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import get_args

from sqlalchemy import select

from recommender.cases import MAX_STRUGGLE_CHARACTERS
from recommender.catalogue.loader import load_catalogue
from recommender.errors import CaseError
from service.store.actors import Actor
from service.store.clock import after_all
from service.store.database import StoreSession, utc_now
from service.store.errors import NotAllowedError, NotFoundError
from service.store.events import record
from service.store.idempotency import claim
from service.store.rankings import ranks_shown
from service.store.shares import case_changed
from service.store.tables.cases import Case, Choice, Decision, DeclineReason
from service.store.text_vault import Place, read_many, write_texts
from service.store.visibility import may_see, own, visible
from service.ulid import new_ulid


@dataclass(frozen=True)
class ChoiceView:
    """One decision. ``rank`` is None for a skill that was not on the list; ``why`` is redacted."""

    id: str
    ranking_id: str
    skill_id: str
    decision: Decision
    rank: int | None
    reason: DeclineReason | None
    why: str | None
    decided_at: datetime


def record_choice(
    session: StoreSession,
    actor: Actor,
    case_id: str,
    ranking_id: str,
    skill_id: str,
    decision: Decision,
    *,
    reason: DeclineReason | None = None,
    why: str = "",
    weeks: int | None = None,
    idempotency_key: str | None = None,
    now: datetime | None = None,
) -> str:
    """Record that the teacher takes or declines a skill after seeing a list; the choice's id.

    Only the teacher decides, or the app that sent the case and passes their word on. A skill that was not on the list
    can be taken too. ``reason`` and ``why`` go with a decline; ``weeks`` of practice that are to begin with it are no
    part of the choice, but of what the key stands for. Raises CaseError for a skill that is not in the
    catalogue or a reason for taking one, NotFoundError for a list of another case.
    """
    moment, case = now or utc_now(), own(session, actor, Case, case_id)
    if case.teacher_id is None:
        raise NotAllowedError("a case without a teacher of this tenant", wanted="a teacher who can choose")
    if skill_id not in load_catalogue():
        raise CaseError("a skill that is not in the catalogue", wanted="the id of a skill; `growth skills` lists them")
    if decision not in get_args(Decision) or (reason is not None and reason not in get_args(DeclineReason)):
        raise CaseError("an unknown decision or reason", wanted="one of the closed lists")
    if decision == "chosen" and (reason is not None or why):
        raise CaseError("a reason for taking a skill", wanted="a reason for declining one only")
    if len(why) > MAX_STRUGGLE_CHARACTERS:
        raise CaseError(f"a why of {len(why)} characters", wanted=f"at most {MAX_STRUGGLE_CHARACTERS}")
    rank = ranks_shown(session, case, ranking_id).get(skill_id)
    content = [case_id, ranking_id, skill_id, decision, reason, why, *([] if weeks is None else [weeks])]
    claimed = claim(session, actor, idempotency_key, content, new_ulid(), moment)
    if claimed.is_known:
        return claimed.id
    session.add(
        Choice(
            tenant_id=actor.tenant_id,
            id=claimed.id,
            case_id=case_id,
            ranking_id=ranking_id,
            teacher_id=case.teacher_id,
            skill_id=skill_id,
            decision=decision,
            rank=rank,
            reason=reason,
            decided_at=after_all(
                session, moment, Choice.decided_at, Choice.tenant_id == actor.tenant_id, Choice.case_id == case_id
            ),
        )
    )
    session.flush()
    write_texts(session, Place(actor.tenant_id, "choice", claimed.id, "why"), [why], moment)
    case_changed(session, case, moment, "done" if decision == "chosen" else "changed")
    record(
        session, actor, "choice.made", claimed.id, person_id=case.teacher_id, now=moment,
        case=case_id, skill=skill_id, decision=decision, reason=reason, rank=rank,
    )  # fmt: skip
    return claimed.id


def case_of_choice(session: StoreSession, actor: Actor, choice_id: str) -> str:
    """Id of the case a choice is about. Raises NotFoundError when the actor does not see that case."""
    choice = session.get(Choice, (actor.tenant_id, choice_id))
    if choice is None or session.scalar(select(Case.id).where(may_see(actor, Case), Case.id == choice.case_id)) is None:
        raise NotFoundError("choice")
    return choice.case_id


def choices_of(session: StoreSession, actor: Actor, case_id: str) -> list[ChoiceView]:
    """Every decision on a case, oldest first. Raises NotFoundError when the actor does not see the case."""
    visible(session, actor, Case, case_id)
    rows = session.scalars(
        select(Choice)
        .where(Choice.tenant_id == actor.tenant_id, Choice.case_id == case_id)
        .order_by(Choice.decided_at, Choice.id)
    ).all()
    whys = read_many(session, actor.tenant_id, "choice", [row.id for row in rows])
    return [
        ChoiceView(
            row.id,
            row.ranking_id,
            row.skill_id,
            row.decision,  # type: ignore[arg-type]
            row.rank,
            row.reason,  # type: ignore[arg-type]
            whys.get((row.id, "why"), [None])[0],
            row.decided_at,
        )
        for row in rows
    ]
