"""A coach's review as its teacher reads it: who changed what and why, and the coach's order beside ours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from recommender.catalogue.loader import Catalogue
from service.pages.cards import skill_name
from service.pages.strings import page_strings
from service.store.reviews import ReviewView, SkillChange


@dataclass(frozen=True)
class SaidChange:
    """One change in a sentence, and the coach's own words for it, None where there are none."""

    sentence: str
    why: str | None


@dataclass(frozen=True)
class Placed:
    """A skill in an order."""

    skill_id: str
    name: str


@dataclass(frozen=True)
class SaidReview:
    """A review in plain words. ``ours`` is the list as it was suggested, ``theirs`` as the coach would have it."""

    id: str
    coach: str
    reviewed_at: datetime
    changes: list[SaidChange]
    ours: list[Placed]
    theirs: list[Placed]

    @property
    def agrees(self) -> bool:
        """Whether the coach would leave the list as it is."""
        return self.ours == self.theirs


def said_review(
    review: ReviewView, coach: str, suggested: Mapping[str, Sequence[str]], catalogue: Catalogue
) -> SaidReview:
    """A review in words; ``suggested`` are the skills of each list that was shown, by the list's id."""
    ours = suggested.get(review.ranking_id, [])
    return SaidReview(
        id=review.id,
        coach=coach,
        reviewed_at=review.reviewed_at,
        changes=[_said(change, coach, catalogue) for change in review.changes],
        ours=_placed(ours, catalogue),
        theirs=_placed(coach_order(ours, review.changes), catalogue),
    )


def coach_order(suggested: Sequence[str], changes: Sequence[SkillChange]) -> list[str]:
    """The list as a coach would have it: every moved or added skill at its place, the others in their order.

    A place behind the end of the list is its end; of two skills for one place the one said first comes first.
    """
    placed = [change for change in changes if change.action in ("move", "add")]
    gone = {change.skill_id for change in changes if change.action in ("move", "add", "remove")}
    order = [skill_id for skill_id in suggested if skill_id not in gone]
    free = 0
    for change in sorted(placed, key=lambda change: change.to_rank or 1):
        place = max(free, (change.to_rank or 1) - 1)
        order.insert(place, change.skill_id)
        free = place + 1
    return order


def _said(change: SkillChange, coach: str, catalogue: Catalogue) -> SaidChange:
    text = page_strings()["moments"]["changes"]
    key = f"{change.action}_top" if change.to_rank == 1 else change.action
    sentence = text[key].format(coach=coach, skill=skill_name(change.skill_id, catalogue), place=change.to_rank)
    return SaidChange(sentence, change.why or None)


def _placed(skill_ids: Sequence[str], catalogue: Catalogue) -> list[Placed]:
    return [Placed(skill_id, skill_name(skill_id, catalogue)) for skill_id in skill_ids]
