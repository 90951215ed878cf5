"""What was said and done about lists that were shown: the teacher's choices, a coach's review, looks at lessons."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import func, select

from recommender.catalogue.loader import load_catalogue
from recommender.learning.evidence import MAX_SHOWN, ChoiceMade, Outcome, SkillChange
from service.store.database import StoreSession
from service.store.tables.cases import Choice, Review, ReviewChange
from service.store.tables.cycles import Cycle, FollowUp


@dataclass(frozen=True)
class CoachSaid:
    """A review of a coach who agrees to pass it on; ``coach_id`` is the stored one."""

    coach_id: str
    reviewed_at: datetime
    changes: list[SkillChange]


@dataclass
class Said:
    """All about one list. ``reviews_left_out``: those of coaches who do not agree, or whose data were deleted."""

    choices: list[ChoiceMade] = field(default_factory=list)
    review: CoachSaid | None = None
    reviews_left_out: int = 0
    outcome: Outcome | None = None
    is_known: bool = True
    """Whether every skill named is in the catalogue; those that are not are left out here"""


def said_about(
    session: StoreSession, tenant_id: str, ranking_ids: Sequence[str], coaches: Collection[str]
) -> dict[str, Said]:
    """What was said about each list; reviews only of ``coaches``. The caller has checked that it may be passed on.

    Of several reviews the last counts, of several cycles of a list the last that ended with looks before and after.
    """
    said = {ranking_id: Said() for ranking_id in ranking_ids}
    _add_choices(session, tenant_id, said)
    _add_reviews(session, tenant_id, said, coaches)
    _add_outcomes(session, tenant_id, said)
    return said


def _add_choices(session: StoreSession, tenant_id: str, said: dict[str, Said]) -> None:
    query = select(Choice).where(Choice.tenant_id == tenant_id, Choice.ranking_id.in_(said))
    for choice in session.scalars(query.order_by(Choice.decided_at, Choice.id)):
        if _is_known(choice.skill_id, said[choice.ranking_id]):
            said[choice.ranking_id].choices.append(
                ChoiceMade(
                    skill_id=choice.skill_id,
                    decision=choice.decision,  # type: ignore[arg-type]
                    reason=choice.reason,  # type: ignore[arg-type]
                    rank=choice.rank,
                    decided_at=choice.decided_at,
                )
            )


def _add_reviews(session: StoreSession, tenant_id: str, said: dict[str, Said], coaches: Collection[str]) -> None:
    query = select(Review).where(Review.tenant_id == tenant_id, Review.ranking_id.in_(said))
    last: dict[str, Review] = {}
    for review in session.scalars(query.order_by(Review.reviewed_at, Review.id)):
        if review.coach_id in coaches:
            last[review.ranking_id] = review
        else:
            said[review.ranking_id].reviews_left_out += 1
    for ranking_id, review in last.items():
        said[ranking_id].review = CoachSaid(str(review.coach_id), review.reviewed_at, [])
    of_review = {review.id: ranking_id for ranking_id, review in last.items()}
    stored = select(ReviewChange).where(ReviewChange.tenant_id == tenant_id, ReviewChange.review_id.in_(of_review))
    for change in session.scalars(stored.order_by(ReviewChange.review_id, ReviewChange.position)):
        of_list = said[of_review[change.review_id]]
        if of_list.review is not None and _is_known(change.skill_id, of_list):
            # A place beyond the catalogue's end means its end.
            to_rank = None if change.to_rank is None else min(change.to_rank, MAX_SHOWN)
            of_list.review.changes.append(
                SkillChange(skill_id=change.skill_id, action=change.action, to_rank=to_rank)  # type: ignore[arg-type]
            )


def _add_outcomes(session: StoreSession, tenant_id: str, said: dict[str, Said]) -> None:
    looks = (
        select(FollowUp.cycle_id, FollowUp.phase, func.sum(FollowUp.seen), func.sum(FollowUp.looked_for))
        .where(FollowUp.tenant_id == tenant_id)
        .group_by(FollowUp.cycle_id, FollowUp.phase)
    )
    cycles = (
        select(Cycle, Choice.ranking_id)
        .join(Choice, (Choice.tenant_id == Cycle.tenant_id) & (Choice.id == Cycle.choice_id))
        .where(Cycle.tenant_id == tenant_id, Choice.ranking_id.in_(said), Cycle.state != "open")
        .order_by(Cycle.created_at, Cycle.id)
    )
    ended = session.execute(cycles).all()
    seen: dict[tuple[str, str], tuple[int, int]] = {
        (cycle_id, phase): (int(of_seen), int(of_looked_for))
        for cycle_id, phase, of_seen, of_looked_for in session.execute(
            looks.where(FollowUp.cycle_id.in_([cycle.id for cycle, _ in ended]))
        )
    }
    for cycle, ranking_id in ended:
        before, after = seen.get((cycle.id, "baseline")), seen.get((cycle.id, "follow_up"))
        if before is not None and after is not None and _is_known(cycle.skill_id, said[ranking_id]):
            said[ranking_id].outcome = Outcome(
                skill_id=cycle.skill_id,
                before_seen=before[0],
                before_looked_for=before[1],
                after_seen=after[0],
                after_looked_for=after[1],
            )


def _is_known(skill_id: str, said: Said) -> bool:
    is_known = skill_id in load_catalogue()
    said.is_known = said.is_known and is_known
    return is_known
