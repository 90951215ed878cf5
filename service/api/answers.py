"""Bodies the API answers with about what is stored. Ids are the service's; people are called as files and apps do."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, Literal

from recommender.cases import INTENDED_USE, Contract, Ranking
from service.store.tables.cases import Decision, DeclineReason, ReviewAction
from service.store.tables.cycles import CycleState, Phase


class CaseMade(Contract):
    """A stored case and its first ranking."""

    id: str
    ranking: Ranking


class CaseLine(Contract):
    """A case in a list. ``case_id`` is the app's own; ``teacher_id`` null: nobody of the tenant by that name."""

    id: str
    case_id: str
    teacher_id: str | None
    created_at: datetime
    changed_at: datetime


class CaseList(Contract):
    """Cases the app sent, latest first; ``next`` goes into ``after`` for the next part and is null at the end."""

    items: list[CaseLine]
    next: str | None
    intended_use: str = INTENDED_USE


class RankingShown(Contract):
    """A ranking and when it was shown."""

    shown_at: datetime
    ranking: Ranking


class Choice(Contract):
    """One decision of the teacher; ``rank`` null: the skill was not on the list; ``why`` without names."""

    id: str
    ranking: str
    skill: str
    decision: Decision
    rank: int | None
    reason: DeclineReason | None
    why: str | None
    decided_at: datetime


class ChoiceList(Contract):
    """Every decision on a case, oldest first. The latest word on a skill counts."""

    items: list[Choice]


class Change(Contract):
    """What a coach says about one skill."""

    skill: str
    action: ReviewAction
    to_rank: int | None = None
    why: str = ""


class Review(Contract):
    """A coach's answer to a ranking; ``coach`` null: no external id, or a coach whose data were deleted."""

    id: str
    coach: str | None
    ranking: str
    reviewed_at: datetime
    changes: list[Change]


class ReviewList(Contract):
    """Every review of a case, oldest first."""

    items: list[Review]


class StoredCase(Contract):
    """A case with all that became of it. ``struggle`` is without names; null: there is none, or it was deleted."""

    id: str
    case_id: str
    teacher_id: str | None
    struggle: str | None
    observations: list[dict[str, Any]]
    context: dict[str, Any]
    declined: list[str]
    top: int
    created_at: datetime
    changed_at: datetime
    texts_deleted_at: datetime | None
    rankings: list[RankingShown]
    choices: list[Choice]
    reviews: list[Review]
    intended_use: str = INTENDED_USE


class ChosenMade(Contract):
    """A skill the teacher took, and the cycle that began with it; null when it is to begin later."""

    id: str
    cycle: str | None


class DeclinedMade(Contract):
    """A skill the teacher declined, and the ranking without it."""

    id: str
    ranking: Ranking


class Made(Contract):
    """The id of what was made."""

    id: str


class Cycle(Contract):
    """Weeks of practice of one skill."""

    id: str
    case: str
    skill: str
    state: CycleState
    started_on: date
    weeks: int
    planned_end: date
    ended_on: date | None
    created_at: datetime


class CycleList(Contract):
    """Cycles of the cases the app sent, latest first; ``next`` as for cases."""

    items: list[Cycle]
    next: str | None


Who = Literal["teacher", "coach"]


class CheckIn(Contract):
    """A look back at some days; ``by`` null: somebody whose data were deleted."""

    id: str
    by: Who | None
    happened_on: date
    times_tried: int
    note: str | None


class FollowUp(Contract):
    """A look at one lesson; ``by`` null: somebody whose data were deleted."""

    id: str
    by: Who | None
    phase: Phase
    observed_on: date
    seen: int
    looked_for: int
    note: str | None


class CycleDetail(Cycle):
    """A cycle with its check-ins and its looks at lessons, by day."""

    check_ins: list[CheckIn]
    follow_ups: list[FollowUp]


class RefusedRow(Contract):
    """A row that was not taken. ``row``: of CSV the line, the header is 1; of JSON the place in the list, from 1."""

    row: int
    field: str
    wanted: str


class ScoresTaken(Contract):
    """What became of the rows.

    ``known`` were there already, ``corrected`` have another value now, ``not_scored`` hold no score and are no mistake,
    ``formal`` are formal evaluations that were left out, ``refused`` cannot be used.
    """

    new: int
    known: int
    corrected: int
    not_scored: int
    formal: int
    refused: list[RefusedRow]


class NormsFitted(Contract):
    """How much the tenant's norms were fitted to: scores, and the items and observers that have some."""

    scores: int
    items: int
    observers: int
