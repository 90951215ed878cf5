"""What happens in the demo school: each teacher's weeks, told step by step, at the times they would happen."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import TypeVar

import numpy as np

from recommender.cases import Case, Context
from recommender.catalogue.loader import load_catalogue
from recommender.training.simulate.demo_district import DemoTeacher
from service.casework import Casework
from service.demo_texts import DemoGroup, DemoTexts, Ending
from service.store.actors import Actor
from service.store.cases import get_case
from service.store.contests import answer_contest, raise_contest
from service.store.cycles import end_cycle
from service.store.practice import add_check_in, add_follow_up
from service.store.reviews import SkillChange, record_review
from service.store.shares import share_case, share_cycle
from service.store.tables.cases import ReviewAction
from service.store.tables.cycles import Phase

Steps = Generator[datetime, None, None]
Taken = TypeVar("Taken")

# People write before, between and after lessons of a weekday.
FIRST_HOUR, LAST_HOUR = 8, 16
FRIDAY = 4
CHECK_IN_DAYS = 7
# A safeguarding text in this week, so that the lead finds it unseen.
ALERT_DAYS = 4


@dataclass(frozen=True)
class Player:
    """A teacher of the demo, their coach, and what they do. ``place`` tells where in the lists of texts they begin."""

    place: int
    actor: Actor
    coach: Actor
    teacher: DemoTeacher
    group: DemoGroup


@dataclass(frozen=True)
class _Shown:
    """The list that stands: its id, and the skills on it in order."""

    ranking_id: str
    skills: tuple[str, ...]


class Story:
    """The steps of one teacher. Each is yielded as the time it happens at, and done when the generator goes on."""

    def __init__(self, desk: Casework, texts: DemoTexts, player: Player, seed: int, now: datetime) -> None:
        self.desk, self.texts, self.player, self.group, self.now = desk, texts, player, player.group, now
        self.me, self.coach = player.actor, player.coach
        self._rng = np.random.default_rng([seed, player.place])
        self._clock = now - timedelta(weeks=52)
        self._taken = player.place

    def steps(self) -> Steps:
        """Every step, in the order of time."""
        group = self.group
        yield self._days_ago(self._drawn(group.days))
        if group.too_short:
            self._open(self._next_of(self.texts.too_short), with_scores=False)
            yield self._after(minutes=7)
        yield from self._decide(self._open(self.player.teacher.struggle), group.ending)
        if group.next_days is not None:
            yield self._days_ago(self._drawn(group.next_days))
            yield from self._decide(self._open(self._next_of(self.texts.later_moments)), group.next_ending)
        if group.alert:
            yield self._days_ago(ALERT_DAYS)
            self._open(self.texts.safeguarding)

    def _open(self, struggle: str, *, with_scores: bool = True) -> str:
        teacher = self.player.teacher
        case = Case(
            case_id=f"{teacher.teacher_id}-{self._clock:%Y%m%d%H%M}",
            struggle=struggle,
            context=Context(
                grade_band=teacher.grade_band, subject=teacher.subject, career_stage=teacher.career_stage
            ),
        )  # fmt: skip
        return self.desk.open_case(self.me, case, with_scores=with_scores, now=self._clock).case_id

    def _decide(self, case_id: str, ending: Ending) -> Steps:
        # Should a model say nothing to a text, the story of that moment ends there.
        if ending == "alone" or not self._shown(case_id).skills:
            return
        yield self._after(minutes=12)
        with self.desk.database.write() as session:
            share_case(session, self.me, case_id, self.coach.id, now=self._clock)
        if self.group.is_reviewed:
            yield self._later(int(self._rng.integers(1, 3)))
            yield from self._review(case_id)
        if self.group.contest == "open":
            yield self._after(minutes=40)
            self._contest_suggestion(case_id)
        if self.group.declines:
            yield self._after(minutes=30)
            self._decline(case_id)
        if ending != "waiting":
            yield self._after(minutes=25)
            yield from self._practise(case_id, ending)

    def _review(self, case_id: str) -> Steps:
        shown = self._shown(case_id)
        with self.desk.database.write() as session:
            changes = self._changes(shown.skills)
            review_id = record_review(session, self.coach, case_id, shown.ranking_id, changes, now=self._clock)
        if self.group.contest != "answered":
            return
        contests = self.texts.contests
        yield self._later(1)
        with self.desk.database.write() as session:
            contest_id = raise_contest(
                session, self.me, case_id, about="review", about_id=review_id, why=contests.answered, now=self._clock
            )
        yield self._later(1)
        with self.desk.database.write() as session:
            answer_contest(session, self.coach, contest_id, contests.answer, self._clock)

    def _changes(self, shown: Sequence[str]) -> list[SkillChange]:
        """Coaches keep the first skill; in turn they add one, move one, take one off, or leave it at that."""
        action = ("add", "move", "remove", "keep")[self.player.place % 4]
        if action == "move" and len(shown) > 1:
            return [self._change(shown[-1], "move", 1)]
        changes = [self._change(shown[0], "keep")]
        if action == "remove" and len(shown) > 1:
            changes.append(self._change(shown[-1], "remove"))
        if action == "add":
            near = [neighbour.skill for neighbour in load_catalogue()[shown[0]].neighbours]
            changes += [self._change(skill_id, "add", 2) for skill_id in near if skill_id not in shown][:1]
        return changes

    def _change(self, skill_id: str, action: ReviewAction, to_rank: int | None = None) -> SkillChange:
        return SkillChange(skill_id, action, to_rank, self._next_of(self.texts.reviews[action]))

    def _contest_suggestion(self, case_id: str) -> None:
        shown = self._shown(case_id)
        with self.desk.database.write() as session:
            raise_contest(
                session, self.me, case_id, about="suggestion", about_id=shown.ranking_id, skill_id=shown.skills[-1],
                why=self.texts.contests.open, now=self._clock,
            )  # fmt: skip

    def _decline(self, case_id: str) -> None:
        shown, decline = self._shown(case_id), self._next_of(self.texts.declines)
        self.desk.decline(
            self.me, case_id, shown.ranking_id, shown.skills[-1],
            reason=decline.reason, why=decline.why, now=self._clock,
        )  # fmt: skip

    def _practise(self, case_id: str, ending: Ending) -> Steps:
        shown, weeks, gain = self._shown(case_id), self._drawn((4, 6)), self._drawn(self.group.gain)
        catalogue = load_catalogue()
        of_focus = [skill for skill in shown.skills if catalogue[skill].domain in self.texts.focus_domains]
        skill_id = (of_focus or shown.skills)[0]
        cycle_id = self.desk.choose(
            self.me, case_id, shown.ranking_id, skill_id, weeks=weeks, now=self._clock
        ).cycle_id  # fmt: skip
        yield self._after(minutes=3)
        with self.desk.database.write() as session:
            share_cycle(session, self.me, cycle_id, self.coach.id, now=self._clock)
        looked_for = len(catalogue[skill_id].look_fors)
        # Room for a gain above, for a loss below.
        seen = self._drawn((max(0, -gain), looked_for - max(0, gain)))
        yield self._later(2)
        self._look(cycle_id, "baseline", seen, looked_for)
        for _ in range(2 if ending == "stopped" else weeks):
            if self._clock + timedelta(days=CHECK_IN_DAYS + 1) > self.now:
                return
            yield self._later(CHECK_IN_DAYS)
            self._check_in(cycle_id)
        if ending == "finished":
            yield self._later(1)
            self._look(cycle_id, "follow_up", seen + gain, looked_for)
        if ending == "finished" or ending == "stopped":
            yield self._after(minutes=50)
            with self.desk.database.write() as session:
                end_cycle(session, self.me, cycle_id, ending, self._clock.date(), self._clock)

    def _look(self, cycle_id: str, phase: Phase, seen: int, looked_for: int) -> None:
        with self.desk.database.write() as session:
            add_follow_up(
                session, self.coach, cycle_id, phase, self._clock.date(), seen, looked_for,
                note=self._next_of(self.texts.looks[phase]), now=self._clock,
            )  # fmt: skip

    def _check_in(self, cycle_id: str) -> None:
        who = self.coach if self._drawn((1, 3)) == 1 else self.me
        with self.desk.database.write() as session:
            add_check_in(
                session, who, cycle_id, self._clock.date(), self._drawn((1, 6)),
                note=self._next_of(self.texts.check_ins), now=self._clock,
            )  # fmt: skip

    def _shown(self, case_id: str) -> _Shown:
        with self.desk.database.read() as session:
            ranking = get_case(session, self.me, case_id).rankings[-1].ranking
        return _Shown(str(ranking.ranking_id), tuple(suggestion.skill_id for suggestion in ranking.suggestions))

    def _next_of(self, texts: Sequence[Taken]) -> Taken:
        """The lists in turn, so that neighbours in a list of people say different things."""
        self._taken += 1
        return texts[self._taken % len(texts)]

    def _drawn(self, ends: tuple[int, int]) -> int:
        return int(self._rng.integers(*ends, endpoint=True))

    def _days_ago(self, days: int) -> datetime:
        return self._move(self.now - timedelta(days=days))

    def _later(self, days: int) -> datetime:
        return self._move(self._clock + timedelta(days=days))

    def _after(self, *, minutes: int) -> datetime:
        self._clock += timedelta(minutes=minutes)
        return self._clock

    def _move(self, day: datetime) -> datetime:
        """Go on to an hour of school on a day, or on the Friday before it, and never back."""
        day -= timedelta(days=max(0, day.weekday() - FRIDAY))
        hour, minute = self._drawn((FIRST_HOUR, LAST_HOUR)), self._drawn((0, 59))
        at = datetime.combine(day.date(), time(hour, minute), tzinfo=day.tzinfo)
        self._clock = max(at, self._clock + timedelta(minutes=20))
        return self._clock
