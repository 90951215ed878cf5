"""A coach's answer to a ranking: kept, moved, added, removed, each change with a why the teacher sees."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import get_args

from sqlalchemy import select

from recommender.cases import MAX_STRUGGLE_CHARACTERS
from recommender.catalogue.loader import load_catalogue
from recommender.errors import CaseError
from service.store.actors import Actor, require_coach
from service.store.database import StoreSession, utc_now
from service.store.errors import NotAllowedError
from service.store.events import record
from service.store.idempotency import claim
from service.store.rankings import ranks_shown
from service.store.shares import case_reviewed
from service.store.tables.cases import Case, Review, ReviewAction, ReviewChange
from service.store.text_vault import Place, read_many, write_texts
from service.store.visibility import visible
from service.ulid import new_ulid

MAX_CHANGES = 20


@dataclass(frozen=True)
class SkillChange:
    """What a coach says about one skill. Every change but ``keep`` needs a ``why``; move and add need ``to_rank``."""

    skill_id: str
    action: ReviewAction
    to_rank: int | None = None
    why: str = ""


@dataclass(frozen=True)
class ReviewView:
    """A review as the teacher and the coach see it. ``coach_id`` None: a coach whose data were deleted."""

    id: str
    coach_id: str | None
    ranking_id: str
    reviewed_at: datetime
    changes: list[SkillChange]


def record_review(
    session: StoreSession,
    actor: Actor,
    case_id: str,
    ranking_id: str,
    changes: Sequence[SkillChange],
    *,
    by_app: Actor | None = None,
    idempotency_key: str | None = None,
    now: datetime | None = None,
) -> str:
    """Record a coach's review of a ranking of a case that is shared with them; its id.

    ``by_app``: the app that passes the coach's word on, in the same tenant; the key is its own, and the event names it.
    Raises NotAllowedError for anybody else (a coach cannot review their own case), NotFoundError when they do not see
    the case, CaseError for changes that do not fit the list or lack a why.
    """
    require_coach(actor)
    moment, case = now or utc_now(), visible(session, actor, Case, case_id)
    if case.teacher_id == actor.id:
        raise NotAllowedError("a coach's own case", wanted="a case another teacher shared")
    ranks = ranks_shown(session, case, ranking_id)
    _check(changes, ranks)
    content = [case_id, ranking_id, [asdict(change) for change in changes], *([actor.id] if by_app else [])]
    claimed = claim(session, by_app or actor, idempotency_key, content, new_ulid(), moment)
    if claimed.is_known:
        return claimed.id
    session.add(
        Review(
            tenant_id=actor.tenant_id,
            id=claimed.id,
            case_id=case_id,
            ranking_id=ranking_id,
            coach_id=actor.id,
            reviewed_at=moment,
        )
    )
    session.flush()
    for position, change in enumerate(changes):
        session.add(
            ReviewChange(
                tenant_id=actor.tenant_id,
                review_id=claimed.id,
                position=position,
                skill_id=change.skill_id,
                action=change.action,
                from_rank=ranks.get(change.skill_id),
                to_rank=change.to_rank,
            )
        )
    write_texts(session, Place(actor.tenant_id, "review", claimed.id, "why"), [c.why for c in changes], moment)
    case_reviewed(session, case, actor.id, moment)
    record(
        session, actor, "review.made", claimed.id, person_id=case.teacher_id, now=moment,
        case=case_id, ranking=ranking_id, changes=sum(change.action != "keep" for change in changes),
        **({"app": by_app.id} if by_app else {}),
    )  # fmt: skip
    return claimed.id


def reviews_of(session: StoreSession, actor: Actor, case_id: str) -> list[ReviewView]:
    """Every review of a case, oldest first. Raises NotFoundError when the actor does not see the case."""
    visible(session, actor, Case, case_id)
    rows = session.scalars(
        select(Review)
        .where(Review.tenant_id == actor.tenant_id, Review.case_id == case_id)
        .order_by(Review.reviewed_at, Review.id)
    ).all()
    ids = [row.id for row in rows]
    whys = read_many(session, actor.tenant_id, "review", ids)
    changes: dict[str, list[SkillChange]] = {review_id: [] for review_id in ids}
    for change in session.scalars(
        select(ReviewChange)
        .where(ReviewChange.tenant_id == actor.tenant_id, ReviewChange.review_id.in_(ids))
        .order_by(ReviewChange.review_id, ReviewChange.position)
    ):
        texts = whys.get((change.review_id, "why"))
        why = texts[change.position] if texts else ""
        action: ReviewAction = change.action  # type: ignore[assignment]
        changes[change.review_id].append(SkillChange(change.skill_id, action, change.to_rank, why))
    return [ReviewView(row.id, row.coach_id, row.ranking_id, row.reviewed_at, changes[row.id]) for row in rows]


def _check(changes: Sequence[SkillChange], ranks: dict[str, int]) -> None:
    if not 1 <= len(changes) <= MAX_CHANGES:
        raise CaseError(f"{len(changes)} changes", wanted=f"1 to {MAX_CHANGES}")
    if len({change.skill_id for change in changes}) < len(changes):
        raise CaseError("a skill changed twice", wanted="one change for a skill")
    for position, change in enumerate(changes):
        problem = _problem(change, ranks)
        if problem:
            raise CaseError(problem, wanted="a change that fits the list", where=f"change {position + 1}")


def _problem(change: SkillChange, ranks: dict[str, int]) -> str:
    if change.action not in get_args(ReviewAction):
        return "an unknown action"
    if change.action != "keep" and not change.why.strip():
        return "no why, which the teacher is to read"
    if len(change.why) > MAX_STRUGGLE_CHARACTERS:
        return f"a why of {len(change.why)} characters"
    if change.action == "add":
        if change.skill_id not in load_catalogue():
            return "a skill that is not in the catalogue"
        if change.skill_id in ranks:
            return "an added skill that is on the list"
    elif change.skill_id not in ranks:
        return "a skill that is not on the list"
    if (change.action in ("move", "add")) != (change.to_rank is not None):
        return "a rank where none is wanted, or none where one is"
    if change.to_rank is not None and change.to_rank < 1:
        return "a rank below 1"
    return ""
