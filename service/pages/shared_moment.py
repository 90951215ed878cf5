"""A moment as its coach reads it: what the teacher shared, what was suggested and why, and what was said since."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from recommender.cases import Ranking
from recommender.catalogue.loader import Catalogue
from service.observed_needs import ObservedNeeds, frozen_needs
from service.pages.cards import Card, cards, skill_name
from service.pages.coach_queue import next_moment
from service.pages.strings import page_strings
from service.served_model import ServedModel
from service.store.actors import Actor
from service.store.cases import CaseView, get_case
from service.store.choices import ChoiceView, choices_of
from service.store.contests import ContestView, contests_of
from service.store.cycles import cycle_of_choice, get_cycle
from service.store.database import StoreSession
from service.store.errors import NotFoundError
from service.store.people import get_person
from service.store.reviews import ReviewView, reviews_of


@dataclass(frozen=True)
class Said:
    """Something that was said about one skill: a sentence, and the words of whoever said it."""

    sentence: str
    why: str | None


@dataclass(frozen=True)
class Decision:
    """What the teacher took or put aside, and when."""

    decided_at: datetime
    said: Said


@dataclass(frozen=True)
class GivenReview:
    """A review; ``is_mine`` tells the reader's own from another coach's."""

    reviewed_at: datetime
    is_mine: bool
    changes: list[Said]


@dataclass(frozen=True)
class Objection:
    """A contest with the name of the skill it is about, if it is about one."""

    contest: ContestView
    skill_name: str | None


@dataclass(frozen=True)
class SharedMoment:
    """All of a moment that its coach sees; every part of it is in the teacher's own pages and export too.

    ``ranking`` is the list that stands, ``cards`` what is on screen of it. ``cycle_id``: the practice that came of it,
    where the teacher shares that too. ``next_case_id``: the moment to look at after this one.
    """

    case: CaseView
    teacher_name: str
    context: list[str]
    ranking: Ranking
    cards: list[Card]
    needs: ObservedNeeds
    decisions: list[Decision]
    reviews: list[GivenReview]
    objections: list[Objection]
    cycle_id: str | None
    next_case_id: str | None

    @property
    def shown(self) -> list[str]:
        """Skills on screen, in their order."""
        return [card.skill.id for card in self.cards]

    @property
    def can_be_reviewed(self) -> bool:
        """Whether there is something to say: a text about somebody's safety is no matter of skills."""
        return self.ranking.status != "safeguarding"


def read_shared_moment(session: StoreSession, actor: Actor, case_id: str, model: ServedModel) -> SharedMoment:
    """A moment that a teacher shared with the coach who asks. Raises NotFoundError for any other, also their own."""
    case = get_case(session, actor, case_id)
    if case.teacher_id is None or case.teacher_id == actor.id:
        raise NotFoundError("case")
    latest, catalogue = case.rankings[-1], model.recommender.catalogue
    choices = choices_of(session, actor, case_id)
    return SharedMoment(
        case=case,
        teacher_name=get_person(session, actor, case.teacher_id).name,
        context=context_in_words(case),
        ranking=latest.ranking,
        cards=cards(latest.ranking, case.struggle or "", catalogue),
        needs=frozen_needs(latest.features, model.recommender.instruments),
        decisions=[_decision(choice, catalogue) for choice in choices],
        reviews=[_given(review, actor, catalogue) for review in reviews_of(session, actor, case_id)],
        objections=[
            Objection(contest, skill_name(contest.skill_id, catalogue) if contest.skill_id else None)
            for contest in contests_of(session, actor, case_id)
        ],
        cycle_id=_shared_cycle(session, actor, choices),
        next_case_id=next_moment(session, actor, case_id),
    )


def context_in_words(case: CaseView) -> list[str]:
    """Grades, subject, minutes and years of teaching, as far as they were told."""
    text, told = page_strings(), case.context
    minutes = told.get("minutes_per_week")
    words = [
        text["grade_bands"].get(told.get("grade_band")),
        text["subjects"].get(told.get("subject")),
        text["coach"]["minutes"].format(minutes=minutes) if minutes is not None else None,
        text["coach"]["career_stages"].get(told.get("career_stage")),
    ]
    return [word for word in words if word]


def _decision(choice: ChoiceView, catalogue: Catalogue) -> Decision:
    text = page_strings()["coach"]
    name = skill_name(choice.skill_id, catalogue)
    if choice.decision == "chosen":
        sentence = text["chose"].format(skill=name)
    elif choice.reason is None:
        sentence = text["put_aside"].format(skill=name)
    else:
        sentence = text["put_aside_because"].format(skill=name, reason=text["decline_reasons"][choice.reason])
    return Decision(choice.decided_at, Said(sentence, choice.why or None))


def _given(review: ReviewView, actor: Actor, catalogue: Catalogue) -> GivenReview:
    text = page_strings()["coach"]["changes"]
    changes = [
        Said(
            text[change.action].format(skill=skill_name(change.skill_id, catalogue), place=change.to_rank),
            change.why or None,
        )
        for change in review.changes
    ]
    return GivenReview(review.reviewed_at, review.coach_id == actor.id, changes)


def _shared_cycle(session: StoreSession, actor: Actor, choices: Sequence[ChoiceView]) -> str | None:
    """The latest practice that began with one of the choices, if the coach sees it."""
    for choice in reversed(choices):
        cycle_id = cycle_of_choice(session, actor, choice.id) if choice.decision == "chosen" else None
        if cycle_id is not None:
            try:
                return get_cycle(session, actor, cycle_id).id
            except NotFoundError:
                return None
    return None
