"""One moment as its teacher sees it: everything about it, read at one point in time and put into words."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from recommender.cases import Ranking
from recommender.catalogue.loader import Catalogue
from service.access.signed_in import SignedIn
from service.pages.cards import Card, cards, skill_name
from service.pages.coach_words import SaidReview, said_review
from service.pages.strings import page_strings
from service.store.actors import Actor
from service.store.cases import CaseView, get_case
from service.store.choices import ChoiceView, choices_of
from service.store.contests import ContestView, contests_of
from service.store.cycles import CycleView, cycle_of_choice, list_cycles
from service.store.database import StoreSession
from service.store.links import list_links
from service.store.names import known_names
from service.store.redaction import SHORT_MARK
from service.store.reviews import reviews_of
from service.store.shares import shared_with

# What stands in a text in place of what could name a person.
_MARK = re.compile(r"\[(?:name|email|phone|address|id|link)\]|" + re.escape(SHORT_MARK))


@dataclass(frozen=True)
class Coach:
    """A coach the teacher is linked with; ``sees``: whether this moment is shared with them."""

    id: str
    name: str
    sees: bool


@dataclass(frozen=True)
class PutAside:
    """A skill that stays off the list until it is brought back."""

    skill_id: str
    name: str
    reason: str | None
    why: str | None


@dataclass(frozen=True)
class Chosen:
    """The skill taken last for this moment; ``cycle_id`` is the practice that began with it, None without one."""

    name: str
    decided_at: datetime
    cycle_id: str | None


@dataclass(frozen=True)
class Practice:
    """The practice that is open now, of this moment or another."""

    cycle_id: str
    skill: str


@dataclass(frozen=True)
class Objection:
    """What the teacher said is wrong, and the answer if there is one."""

    about: str
    contest: ContestView


@dataclass(frozen=True)
class Moment:
    """A moment and all that was said about it. ``ranking`` is the list that stands, ``cards`` what is shown of it."""

    case: CaseView
    ranking: Ranking
    cards: list[Card]
    put_aside: list[PutAside]
    chosen: Chosen | None
    practice: Practice | None
    reviews: list[SaidReview]
    objections: list[Objection]
    coaches: list[Coach]

    @property
    def heading(self) -> str:
        """What the list, or the message in its place, is called."""
        nothing_left = self.ranking.status == "ranked" and not self.cards
        return str(page_strings()["result"]["nothing_left" if nothing_left else self.ranking.status])

    @property
    def unsure(self) -> bool:
        """Whether no skill is more than a possible match."""
        return all(card.confidence == "possible" for card in self.cards)

    @property
    def has_marks(self) -> bool:
        """Whether something was taken out of what the teacher wrote."""
        return _MARK.search(self.case.struggle or "") is not None

    @property
    def context(self) -> list[str]:
        """What was tapped, in words."""
        text, told = page_strings(), self.case.context
        minutes = told.get("minutes_per_week")
        words = [
            text["grade_bands"].get(told.get("grade_band")),
            text["subjects"].get(told.get("subject")),
            None if minutes is None else text["moments"]["minutes"].format(minutes=minutes),
        ]
        return [word for word in words if word]


def as_teacher(me: SignedIn) -> Actor:
    """The person as a teacher alone: what others share with them as a coach is not among their moments."""
    return replace(me.actor, roles=frozenset({"teacher"}))


def read_moment(session: StoreSession, actor: Actor, case_id: str, catalogue: Catalogue) -> Moment:
    """A moment of the teacher who asks. Raises NotFoundError for anything else."""
    case = get_case(session, actor, case_id)
    ranking = case.rankings[-1].ranking
    choices = choices_of(session, actor, case_id)
    reviews = _reviews(session, actor, case, catalogue)
    return Moment(
        case=case,
        ranking=ranking,
        cards=cards(ranking, case.struggle or "", catalogue),
        put_aside=_put_aside(case, choices, catalogue),
        chosen=_chosen(session, actor, choices, catalogue),
        practice=open_practice(session, actor, catalogue),
        reviews=reviews,
        objections=[
            Objection(_about(contest, reviews, catalogue), contest) for contest in contests_of(session, actor, case_id)
        ],
        coaches=_coaches(session, actor, case_id),
    )


def open_practice(session: StoreSession, actor: Actor, catalogue: Catalogue) -> Practice | None:
    """The practice of a teacher that is open now. One is open at a time, and it is the latest."""
    latest: Sequence[CycleView] = list_cycles(session, actor, limit=1).items
    if not latest or latest[0].state != "open":
        return None
    return Practice(latest[0].id, skill_name(latest[0].skill_id, catalogue))


def _put_aside(case: CaseView, choices: Sequence[ChoiceView], catalogue: Catalogue) -> list[PutAside]:
    latest = {choice.skill_id: choice for choice in choices if choice.decision == "declined"}
    reasons = page_strings()["moments"]["decline_reasons"]
    return [
        PutAside(
            skill_id,
            skill_name(skill_id, catalogue),
            reasons[latest[skill_id].reason] if skill_id in latest and latest[skill_id].reason else None,
            latest[skill_id].why or None if skill_id in latest else None,
        )
        for skill_id in case.declined
    ]


def _chosen(session: StoreSession, actor: Actor, choices: Sequence[ChoiceView], catalogue: Catalogue) -> Chosen | None:
    taken = [choice for choice in choices if choice.decision == "chosen"]
    if not taken:
        return None
    cycle_id = cycle_of_choice(session, actor, taken[-1].id)
    return Chosen(skill_name(taken[-1].skill_id, catalogue), taken[-1].decided_at, cycle_id)


def _reviews(session: StoreSession, actor: Actor, case: CaseView, catalogue: Catalogue) -> list[SaidReview]:
    suggested: Mapping[str, Sequence[str]] = {
        str(shown.ranking.ranking_id): [suggestion.skill_id for suggestion in shown.ranking.suggestions]
        for shown in case.rankings
    }
    found = reviews_of(session, actor, case.id)
    names = known_names(session, actor, [review.coach_id for review in found])
    return [said_review(review, _name(names, review.coach_id), suggested, catalogue) for review in found]


def _about(contest: ContestView, reviews: Sequence[SaidReview], catalogue: Catalogue) -> str:
    text: dict[str, Any] = page_strings()["moments"]["about"]
    if contest.about == "review":
        coach = next((review.coach for review in reviews if review.id == contest.about_id), "")
        return str(text["review"].format(coach=coach or page_strings()["moments"]["a_coach"]))
    if contest.skill_id is None:
        return str(text["list"])
    return str(text["skill"].format(skill=skill_name(contest.skill_id, catalogue)))


def _coaches(session: StoreSession, actor: Actor, case_id: str) -> list[Coach]:
    seen_by = set(shared_with(session, actor, case_id))
    linked = [link.coach_id for link in list_links(session, actor) if link.teacher_id == actor.id]
    names = known_names(session, actor, linked)
    found = [Coach(coach_id, _name(names, coach_id), coach_id in seen_by) for coach_id in linked]
    return sorted(found, key=lambda coach: (coach.name, coach.id))


def _name(names: Mapping[str, str], coach_id: str | None) -> str:
    """A coach's name; after the link has ended, or with the coach's data gone, what they are."""
    return names.get(coach_id or "") or str(page_strings()["moments"]["a_coach"])
