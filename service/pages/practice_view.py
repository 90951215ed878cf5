"""Weeks of practice as a person reads them: where they stand, what comes next, and what has changed."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from typing import Literal

from recommender.catalogue.loader import load_catalogue
from recommender.catalogue.skill import Skill
from service.interval_plot import Interval, IntervalPlot, interval_plot
from service.pages.cards import skill_name
from service.pages.strings import page_strings
from service.store.actors import Actor
from service.store.cycles import CycleView, get_cycle
from service.store.database import StoreSession
from service.store.names import known_names
from service.store.outcomes import Change, Share, cycle_change
from service.store.practice import CheckInView, FollowUpView, check_ins_of, follow_ups_of
from service.store.tables.cycles import Phase

NextStep = Literal["first_look", "try_it", "check_in", "later_look", "decide", "ended"]
Verdict = Literal["more", "fewer", "too_early"]
# Feedback that comes within a week still meets the lesson it is about.
CHECK_IN_EVERY = timedelta(days=7)


@dataclass(frozen=True)
class PracticeChange:
    """Signs seen before and after. ``verdict`` is ``too_early`` while the interval of the difference holds 0."""

    before: Share
    after: Share
    verdict: Verdict

    @classmethod
    def of(cls, change: Change) -> PracticeChange:
        """The change of a cycle in words."""
        verdict: Verdict = "more" if change.low > 0 else "fewer" if change.high < 0 else "too_early"
        return cls(change.before, change.after, verdict)

    @property
    def rows(self) -> list[tuple[Phase, Share, int, int]]:
        """Each phase with its share and the ends of its interval in tenths."""
        phases: list[tuple[Phase, Share]] = [("baseline", self.before), ("follow_up", self.after)]
        return [(phase, share, *in_ten(share)) for phase, share in phases]

    @cached_property
    def plot(self) -> IntervalPlot:
        """Both shares on one axis from no sign to all signs."""
        names = page_strings()["practice"]["phases"]
        intervals = [Interval(names[phase], share.low, share.share, share.high) for phase, share, *_ in self.rows]
        return interval_plot(intervals, 0.0, 1.0, marks=[0.0, 0.5, 1.0])


@dataclass(frozen=True)
class Practice:
    """One cycle with all that belongs to it, check-ins and looks latest first.

    ``skill`` is None when it has left the catalogue. ``names``: who made a check-in or a look, by person id; somebody
    who is not in it has left or is linked no more.
    """

    cycle: CycleView
    skill: Skill | None
    check_ins: list[CheckInView]
    looks: list[FollowUpView]
    change: PracticeChange | None
    names: Mapping[str, str]
    today: date

    @property
    def name(self) -> str:
        """The skill's name."""
        return skill_name(self.cycle.skill_id, load_catalogue())

    @property
    def is_open(self) -> bool:
        """Whether the practice goes on."""
        return self.cycle.state == "open"

    @property
    def week(self) -> int:
        """The week it is in, from 1 to the planned number."""
        return min(max((self.today - self.cycle.started_on).days // 7 + 1, 1), self.cycle.weeks)

    @property
    def is_over_time(self) -> bool:
        """Whether the planned weeks are over and the practice is still open."""
        return self.is_open and self.today >= self.cycle.planned_end

    @property
    def week_text(self) -> str | None:
        """What this week is for; None after the catalogue's four weeks."""
        weeks = self.skill.practice_cycle if self.skill is not None else []
        return weeks[self.week - 1] if self.week <= len(weeks) else None

    @property
    def lessons_tried(self) -> int:
        """Lessons in all check-ins together."""
        return sum(check_in.times_tried for check_in in self.check_ins)

    @property
    def next_step(self) -> NextStep:
        """The one thing to do now."""
        phases = {look.phase for look in self.looks}
        if not self.is_open:
            return "ended"
        if self.is_over_time:
            return "decide" if "follow_up" in phases else "later_look"
        # After a first week of practice a look would not show what was there before.
        if "baseline" not in phases and not self.check_ins:
            return "first_look"
        last = self.check_ins[0].happened_on if self.check_ins else self.cycle.started_on
        return "check_in" if self.today - last >= CHECK_IN_EVERY else "try_it"


def read_practice(session: StoreSession, actor: Actor, cycle_id: str, today: date) -> Practice:
    """A cycle as the actor may see it. Raises NotFoundError when they do not see it."""
    cycle = get_cycle(session, actor, cycle_id)
    check_ins = check_ins_of(session, actor, cycle_id)
    looks = follow_ups_of(session, actor, cycle_id)
    change = cycle_change(looks)
    makers = [*(check_in.person_id for check_in in check_ins), *(look.observer_id for look in looks)]
    return Practice(
        cycle,
        skill_of(cycle.skill_id),
        check_ins[::-1],
        looks[::-1],
        PracticeChange.of(change) if change is not None else None,
        names_of(session, actor, makers),
        today,
    )


def skill_of(skill_id: str) -> Skill | None:
    """A skill, None when it has left the catalogue since it was chosen."""
    return next((skill for skill in load_catalogue() if skill.id == skill_id), None)


def names_of(session: StoreSession, actor: Actor, person_ids: Iterable[str | None]) -> dict[str, str]:
    """Names of those among the people whom the actor may know; the actor is ``you``."""
    names = known_names(session, actor, set(person_ids) - {actor.id})
    return names | {actor.id: str(page_strings()["practice"]["you"])}


def in_ten(share: Share) -> tuple[int, int]:
    """The interval of a share in whole tenths, rounded outwards: 0.19 to 0.73 is 1 to 8 in 10."""
    # Rounding first keeps 0.3 from becoming 4 in 10 by the last bit.
    return math.floor(round(share.low * 10, 6)), math.ceil(round(share.high * 10, 6))
