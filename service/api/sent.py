"""Bodies that apps send: strict, bounded, and described so exactly that whatever fits the description is read."""

from __future__ import annotations

import re
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, RootModel, StringConstraints, WithJsonSchema

from recommender.cases import Contract, Identifier, KnownSkill, LongText
from recommender.catalogue.loader import load_catalogue
from service.store.cycles import DEFAULT_WEEKS, MAX_WEEKS
from service.store.practice import MAX_TIMES_TRIED
from service.store.reviews import MAX_CHANGES
from service.store.tables.base import ID_CHARACTERS
from service.store.tables.cases import DeclineReason
from service.store.tables.cycles import Phase

ULID_PATTERN = r"^[0-9A-HJKMNP-TV-Z]{26}$"
# No control characters but tab, line feed and carriage return, as `recommender.cases` has it.
STORABLE = r"^[^\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f]*$"
# The same, with at least one character that can be seen.
SAYING = STORABLE[:-1] + r"[^\s\u0000-\u001f\u007f-\u009f]" + STORABLE[1:]
# Days of this century, each month with its own length: a schema cannot say "a date between".
DAY_PATTERN = (
    r"^(?:20[0-9]{2}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12][0-9]|3[01])|(?:0[469]|11)-(?:0[1-9]|[12][0-9]|30)"
    r"|02-(?:0[1-9]|1[0-9]|2[0-8]))|20(?:[02468][048]|[13579][26])-02-29)$"
)
_DAY = re.compile(DAY_PATTERN)
# A skill has three to five look-fors; nobody counts more in one lesson.
MAX_LOOKED_FOR = 10
MAX_RANK = len(load_catalogue().ids)


def _parse_day(value: object) -> object:
    if isinstance(value, str):
        if len(value) != len("2026-11-02") or not _DAY.match(value):
            raise ValueError("a day of this century, written YYYY-MM-DD")
        return date.fromisoformat(value)
    return value


def _says_something(text: str) -> str:
    if not text.strip():
        raise ValueError("a sentence the teacher can read")
    return text


RowId = Annotated[str, StringConstraints(pattern=ULID_PATTERN, min_length=ID_CHARACTERS, max_length=ID_CHARACTERS)]
SkillId = Annotated[KnownSkill, WithJsonSchema({"type": "string", "enum": list(load_catalogue().ids)})]
Text = Annotated[LongText, Field(json_schema_extra={"pattern": STORABLE})]
Why = Annotated[LongText, AfterValidator(_says_something), Field(json_schema_extra={"pattern": SAYING, "minLength": 1})]
Day = Annotated[
    date, BeforeValidator(_parse_day), WithJsonSchema({"type": "string", "pattern": DAY_PATTERN, "maxLength": 10})
]
Rank = Annotated[int, Field(ge=1, le=MAX_RANK)]


class ChosenSent(Contract):
    """The teacher takes a skill. ``weeks`` of practice begin today; with 0 they begin later, by POST /v1/cycles."""

    decision: Literal["chosen"]
    case: RowId
    ranking: RowId
    skill: SkillId
    weeks: Annotated[int, Field(ge=0, le=MAX_WEEKS)] = DEFAULT_WEEKS


class DeclinedSent(Contract):
    """The teacher declines a skill, if they like with a reason and in their own words."""

    decision: Literal["declined"]
    case: RowId
    ranking: RowId
    skill: SkillId
    reason: DeclineReason | None = None
    why: Text = ""


class ChoiceSent(RootModel[Annotated[ChosenSent | DeclinedSent, Field(discriminator="decision")]]):
    """A teacher's decision about one skill."""


class KeepSent(Contract):
    """The coach would keep a skill where it is."""

    action: Literal["keep"]
    skill: SkillId
    why: Text = ""


class MoveSent(Contract):
    """The coach would put a skill of the list at another rank."""

    action: Literal["move"]
    skill: SkillId
    to_rank: Rank
    why: Why


class AddSent(Contract):
    """The coach would put a skill on the list that is not on it."""

    action: Literal["add"]
    skill: SkillId
    to_rank: Rank
    why: Why


class RemoveSent(Contract):
    """The coach would take a skill off the list."""

    action: Literal["remove"]
    skill: SkillId
    why: Why


ChangeSent = Annotated[KeepSent | MoveSent | AddSent | RemoveSent, Field(discriminator="action")]


class ReviewSent(Contract):
    """A coach's answer to a ranking; ``coach`` is what files and apps call them. One change for a skill."""

    case: RowId
    ranking: RowId
    coach: Annotated[Identifier, Field(json_schema_extra={"pattern": STORABLE})]
    changes: Annotated[list[ChangeSent], Field(min_length=1, max_length=MAX_CHANGES)]


class CycleSent(Contract):
    """Weeks of practice of a skill the teacher chose."""

    choice: RowId
    started_on: Day
    weeks: Annotated[int, Field(ge=1, le=MAX_WEEKS)] = DEFAULT_WEEKS


class CheckInSent(Contract):
    """The teacher's look back: in how many lessons the skill was tried."""

    happened_on: Day
    times_tried: Annotated[int, Field(ge=0, le=MAX_TIMES_TRIED)]
    note: Text = ""


def _seen_of_looked_for(schema: dict[str, Any]) -> None:
    """Say that ``seen`` is at most ``looked_for``, which a schema can only say case by case."""
    schema["anyOf"] = [
        {"properties": {"looked_for": {"const": count}, "seen": {"maximum": count}}}
        for count in range(1, MAX_LOOKED_FOR + 1)
    ]


class FollowUpSent(Contract, json_schema_extra=_seen_of_looked_for):
    """A look at one lesson: how many of the skill's look-fors were seen, out of how many that were looked for."""

    phase: Phase
    observed_on: Day
    seen: Annotated[int, Field(ge=0, le=MAX_LOOKED_FOR)]
    looked_for: Annotated[int, Field(ge=1, le=MAX_LOOKED_FOR)]
    note: Text = ""


class EndSent(Contract):
    """How a cycle ended, and on which day: not before it began."""

    state: Literal["finished", "stopped"]
    ended_on: Day


SENT_BODIES = (ChoiceSent, ReviewSent, CycleSent, CheckInSent, FollowUpSent, EndSent)
