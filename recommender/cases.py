"""The data that flows: a case in, a ranking out. Strict and bounded, so that nothing behind the edge checks again."""

from __future__ import annotations

import hashlib
import json
import re
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    FiniteFloat,
    PlainSerializer,
    StringConstraints,
    ValidationError,
)

from recommender.catalogue.loader import load_catalogue
from recommender.catalogue.subjects import Subject, fold_subject
from recommender.errors import CaseError

MAX_STRUGGLE_CHARACTERS = 4_000
MAX_OBSERVATIONS = 2_000
INTENDED_USE = "For a teacher's own growth. Not for evaluation, pay or renewal."

Status = Literal["ranked", "not_enough", "out_of_scope", "safeguarding"]
Confidence = Literal["strong", "likely", "possible"]
EvidenceGrade = Literal["A", "B", "C", "D"]
ReasonSource = Literal["prior", "struggle", "note", "observation", "context", "constraint"]
GradeBandAnswer = Literal["elementary", "middle", "high", "unknown"]
CareerStage = Literal["student", "early", "mid", "veteran", "unknown"]

_ISO_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
# C0 and C1 controls but for tab, line feed and carriage return.
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")


def _storable(text: str) -> str:
    """Refuse what no database, log or file can hold: lone surrogates and control characters."""
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:
            raise ValueError("text holds a lone surrogate; send well-formed Unicode") from None
    if _CONTROL.search(text):
        raise ValueError("text holds a control character; send printable text")
    return text


def _parse_date(value: object) -> object:
    if isinstance(value, str):
        if not _ISO_DATE.fullmatch(value):
            raise ValueError("a date is written YYYY-MM-DD")
        return date.fromisoformat(value)
    return value


def _known_skill(skill_id: str) -> str:
    if skill_id not in load_catalogue():
        raise ValueError("no such skill in the catalogue; `growth skills` lists them")
    return skill_id


def _known_domain(slug: str) -> str:
    if slug not in load_catalogue().domains:
        raise ValueError("no such domain in the catalogue; `growth skills` lists them")
    return slug


def _rounded(value: float) -> float:
    return round(value, 4) + 0.0


LongText = Annotated[str, StringConstraints(max_length=MAX_STRUGGLE_CHARACTERS), AfterValidator(_storable)]
LevelLabel = Annotated[str, StringConstraints(min_length=1, max_length=100), AfterValidator(_storable)]
Identifier = Annotated[str, StringConstraints(min_length=1, max_length=200), AfterValidator(_storable)]
IsoDate = Annotated[date, BeforeValidator(_parse_date)]
KnownSkill = Annotated[str, StringConstraints(max_length=60), AfterValidator(_known_skill)]
KnownDomain = Annotated[str, StringConstraints(max_length=60), AfterValidator(_known_domain)]
# Printed to four decimals; the value in memory stays exact, so that effects add up to the score.
Effect = Annotated[FiniteFloat, PlainSerializer(_rounded, when_used="json")]


class Contract(BaseModel):
    """Base of everything that crosses the edge: unknown fields refused, no silent conversion."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Observation(Contract):
    """One item score by one observer at one visit; ``value`` is a number or one of the instrument's level labels."""

    instrument: Identifier
    item: Identifier
    value: FiniteFloat | LevelLabel
    observed_on: IsoDate
    observer: Identifier | None = None
    visit: Identifier | None = None
    segment: Annotated[int, Field(ge=0, le=1_000)] = 0
    note: LongText | None = None


class Context(Contract):
    """What is known about the class and the teacher's wishes; nothing in it is required."""

    grade_band: GradeBandAnswer = "unknown"
    subject: Annotated[Subject, BeforeValidator(fold_subject)] = "unknown"
    career_stage: CareerStage = "unknown"
    minutes_per_week: Annotated[int, Field(ge=1, le=2_000)] | None = None
    interests: Annotated[list[KnownDomain], Field(max_length=12)] = []
    mix: Annotated[FiniteFloat, Field(ge=0, le=1)] = 0.5
    fit_minutes: bool = False


class Case(Contract):
    """Everything known when a ranking is asked for; only ``case_id`` is required."""

    case_id: Identifier
    teacher_id: Identifier | None = None
    struggle: LongText = ""
    observations: Annotated[list[Observation], Field(max_length=MAX_OBSERVATIONS)] = []
    context: Context = Context()
    declined: Annotated[list[KnownSkill], Field(max_length=115)] = []
    top: Annotated[int, Field(ge=1, le=115)] = 3

    def input_hash(self) -> str:
        """SHA-256 of the canonical JSON of the parsed case without ``case_id``, ``teacher_id`` and ``top``."""
        content = self.model_dump(mode="json", exclude={"case_id", "teacher_id", "top"})
        canonical = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return "sha256:" + hashlib.sha256(canonical.encode()).hexdigest()


class Reason(Contract):
    """One additive part of a suggestion's score, in log-odds, with the words or the score it came from."""

    source: ReasonSource
    text: str
    effect: Effect
    instrument: str | None = None
    item: str | None = None


class Suggestion(Contract):
    """A skill to try. ``score`` is the log-odds that a coach would start, or could well start, with this skill."""

    rank: Annotated[int, Field(ge=1)]
    skill_id: str
    name: str
    probability: Annotated[Effect, Field(ge=0, le=1)]
    confidence: Confidence
    score: Effect
    reasons: list[Reason]


class Ranking(Contract):
    """The ordered suggestions for one case, or a kind message instead of them."""

    ranking_id: str | None = None
    case_id: str
    status: Status
    message: str | None = None
    ask_next: str | None = None
    notices: list[str] = []
    evidence_grade: EvidenceGrade | None = None
    suggestions: list[Suggestion] = []
    intended_use: str = INTENDED_USE
    model_version: str
    catalogue_version: str
    input_hash: str

    def to_json(self) -> str:
        """The ranking as one line of JSON."""
        return self.model_dump_json()


def parse_case(content: bytes | str | dict[str, Any], *, where: str = "case") -> Case:
    """Parse one case from JSON or from a decoded mapping.

    Raises CaseError with ``where`` and the field; the refused value is named by its type only, never quoted, because
    it may be the struggle.
    """
    try:
        if isinstance(content, dict):
            return Case.model_validate(content)
        return Case.model_validate_json(content)
    except ValidationError as error:
        raise CaseError(**describe_problem(error), where=where) from None


def describe_problem(error: ValidationError) -> dict[str, str]:
    """The first problem of a refused case as ``found`` and ``wanted``, without the value itself."""
    first = error.errors(include_url=False, include_context=False)[0]
    field = ".".join(_named(part) for part in first["loc"][:MAX_FIELD_DEPTH]) or "the whole case"
    kind = "nothing" if first["type"] == "missing" else f"a value of type {type(first['input']).__name__}"
    return {"found": f"{kind} in {field}", "wanted": lower_first(first["msg"])}


# observations.0.value: what lies deeper is the validator's own inside.
MAX_FIELD_DEPTH = 3
_FIELD_NAME = re.compile(r"[a-z][a-z_]{0,39}")


def _named(part: int | str) -> str:
    """A part of a field's path; a key that is no field name may be misplaced text and is not repeated."""
    return str(part) if isinstance(part, int) or _FIELD_NAME.fullmatch(part) else "a field of another name"


def lower_first(message: str) -> str:
    """A validator's message as the second half of a sentence."""
    message = message.removeprefix("Value error, ").rstrip(".")
    return message[:1].lower() + message[1:]
