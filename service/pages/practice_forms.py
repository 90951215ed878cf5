"""Forms around weeks of practice: a check-in and a look at a lesson, as they were sent and as they are kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import get_args

from recommender.cases import MAX_STRUGGLE_CHARACTERS
from service.pages.once import ONCE_FIELD, fresh_once, once_key
from service.pages.posted import Posted
from service.pages.practice_view import Practice
from service.store.actors import Actor
from service.store.database import StoreSession, utc_now
from service.store.practice import MAX_TIMES_TRIED, add_check_in, add_follow_up
from service.store.tables.cycles import Phase

# Where the day begins first it is 14 hours ahead of UTC, where it begins last 12 behind.
FIRST_ZONE = timedelta(hours=14)
ONE_DAY = timedelta(days=1)
# A first look may be older than the practice, but not of another class and year.
BASELINE_BEFORE = timedelta(days=90)
SEEN_FIELD = "seen"


@dataclass(frozen=True)
class CheckInForm:
    """A check-in as typed. ``errors``: by field, the key of the text that says what to change."""

    day: str
    times: str = ""
    note: str = ""
    once: str = field(default_factory=fresh_once)
    errors: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, sent: Posted, practice: Practice) -> CheckInForm:
        """The form as it was sent, with what is wrong about it."""
        found = _checked_day(sent, practice.cycle.started_on - ONE_DAY, practice)
        if sent.whole_number("times", 0, MAX_TIMES_TRIED) is None:
            found["times"] = "bad_times"
        return cls(sent.get("day"), sent.get("times"), sent.text("note"), sent.get(ONCE_FIELD), found)

    def keep(self, session: StoreSession, actor: Actor, cycle_id: str, sent: Posted) -> None:
        """Store a form without errors; sent twice it is stored once. Raises as ``add_check_in``."""
        add_check_in(
            session, actor, cycle_id, date.fromisoformat(self.day.strip()), int(self.times),
            note=self.note, idempotency_key=once_key(sent, cycle_id, self.day, self.times, self.note),
        )  # fmt: skip


@dataclass(frozen=True)
class LookForm:
    """A look at a lesson as typed; ``seen`` holds the places of the look-fors that were ticked."""

    day: str
    phase: str = ""
    seen: frozenset[int] = frozenset()
    looked_for: int = 0
    note: str = ""
    once: str = field(default_factory=fresh_once)
    errors: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, sent: Posted, practice: Practice) -> LookForm:
        """The form as it was sent, with what is wrong about it."""
        phase = sent.one_of("phase", get_args(Phase))
        before = BASELINE_BEFORE if phase == "baseline" else ONE_DAY
        found = _checked_day(sent, practice.cycle.started_on - before, practice, until_end=False)
        if not phase:
            found["phase"] = "no_phase"
        signs = practice.skill.look_fors if practice.skill is not None else []
        ticked = frozenset(place for place in range(len(signs)) if str(place) in sent.all(SEEN_FIELD))
        return cls(sent.get("day"), phase, ticked, len(signs), sent.text("note"), sent.get(ONCE_FIELD), found)

    def keep(self, session: StoreSession, actor: Actor, cycle_id: str, sent: Posted) -> None:
        """Store a form without errors; sent twice it is stored once. Raises as ``add_follow_up``."""
        phase: Phase = "baseline" if self.phase == "baseline" else "follow_up"
        add_follow_up(
            session, actor, cycle_id, phase, date.fromisoformat(self.day.strip()), len(self.seen), self.looked_for,
            note=self.note,
            idempotency_key=once_key(sent, cycle_id, self.day, self.phase, sorted(self.seen), self.note),
        )  # fmt: skip


def empty_forms(practice: Practice) -> tuple[CheckInForm, LookForm]:
    """Both forms before anything is typed: the day is today, a look is what is missing next."""
    day = practice.today.isoformat()
    has_baseline = any(look.phase == "baseline" for look in practice.looks)
    is_first = not has_baseline and not practice.check_ins
    return CheckInForm(day), LookForm(day, "baseline" if is_first else "follow_up")


def latest_day(now: datetime | None = None) -> date:
    """The latest day it is anywhere: a teacher's own day can be one ahead of UTC's."""
    return ((now or utc_now()) + FIRST_ZONE).date()


def _checked_day(sent: Posted, first: date, practice: Practice, *, until_end: bool = True) -> dict[str, str]:
    found: dict[str, str] = {}
    day = sent.day("day")
    last = latest_day()
    if until_end and practice.cycle.ended_on is not None:
        last = min(last, practice.cycle.ended_on)
    if day is None:
        found["day"] = "no_day"
    elif day > last:
        found["day"] = "future_day" if day > latest_day() else "after_end"
    elif day < first:
        found["day"] = "early_day"
    if len(sent.text("note")) > MAX_STRUGGLE_CHARACTERS:
        found["note"] = "long_note"
    return found
