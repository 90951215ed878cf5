"""Evidence: lists that were shown and what coaches and teachers said about them, in one row format."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, FiniteFloat, ValidationError, model_validator

from recommender.cases import (
    CareerStage,
    Contract,
    GradeBandAnswer,
    Identifier,
    KnownSkill,
    LongText,
    describe_problem,
)
from recommender.catalogue.loader import load_catalogue
from recommender.catalogue.subjects import Subject, fold_subject
from recommender.errors import CaseError, DataFileError
from recommender.exchange.file_formats import check_readable
from recommender.exchange.json_lines import json_rows
from recommender.exchange.rejects import WHOLE_ROW, Reject

ReviewAction = Literal["keep", "move", "add", "remove"]
Decision = Literal["chosen", "declined"]
DeclineReason = Literal["not_my_need", "already_do_this", "not_now", "not_enough_time", "does_not_fit_class", "other"]

MAX_SHOWN = 115
MAX_CHANGES = 115
MAX_CHOICES = 500
# Parts are rounded where they are stored; what differs by more is another list's parts.
SCORE_TOLERANCE = 0.01


def _parse_time(value: object) -> object:
    if isinstance(value, str):
        try:
            return datetime.fromisoformat(value)
        except ValueError:
            raise ValueError("a time is written in ISO 8601 with its zone") from None
    return value


def _as_utc(value: datetime) -> datetime:
    if value.tzinfo is None:
        raise ValueError("a time needs its zone")
    return value.astimezone(UTC)


UtcTime = Annotated[datetime, BeforeValidator(_parse_time), AfterValidator(_as_utc)]
Rank = Annotated[int, Field(ge=1, le=MAX_SHOWN)]


class EvidenceContext(Contract):
    """What the case said about the class; nothing in it names a person or a place."""

    grade_band: GradeBandAnswer = "unknown"
    subject: Annotated[Subject, BeforeValidator(fold_subject)] = "unknown"
    career_stage: CareerStage = "unknown"


class ScoreParts(Contract):
    """Log-odds of one suggestion by the source of its reasons; they sum to its score."""

    prior: FiniteFloat = 0.0
    struggle: FiniteFloat = 0.0
    note: FiniteFloat = 0.0
    observation: FiniteFloat = 0.0
    context: FiniteFloat = 0.0
    constraint: FiniteFloat = 0.0

    @property
    def total(self) -> float:
        """The sum of all parts."""
        return self.prior + self.struggle + self.note + self.observation + self.context + self.constraint


class ShownSkill(Contract):
    """One place of a list as it was shown. ``propensity``: the chance with which the skill was put there."""

    skill_id: KnownSkill
    rank: Rank
    propensity: Annotated[FiniteFloat, Field(gt=0, le=1)] = 1.0
    score: FiniteFloat
    parts: ScoreParts

    @model_validator(mode="after")
    def _adds_up(self) -> Self:
        if abs(self.parts.total - self.score) > SCORE_TOLERANCE:
            raise ValueError("parts do not sum to the score")
        return self


class SkillChange(Contract):
    """What a coach said about one skill; ``to_rank`` belongs to move and add."""

    skill_id: KnownSkill
    action: ReviewAction
    to_rank: Rank | None = None

    @model_validator(mode="after")
    def _rank_fits(self) -> Self:
        if (self.action in ("move", "add")) != (self.to_rank is not None):
            raise ValueError("to_rank belongs to move and add, and to them only")
        return self


class ReviewGiven(Contract):
    """A coach's last review of the list."""

    reviewed_at: UtcTime
    changes: Annotated[list[SkillChange], Field(max_length=MAX_CHANGES)]


class ChoiceMade(Contract):
    """One decision of the teacher; ``rank`` None: the skill was not on the list."""

    skill_id: KnownSkill
    decision: Decision
    reason: DeclineReason | None = None
    rank: Rank | None = None
    decided_at: UtcTime

    @model_validator(mode="after")
    def _reason_of_decline(self) -> Self:
        if self.decision == "chosen" and self.reason is not None:
            raise ValueError("a reason belongs to declining")
        return self


class Outcome(Contract):
    """How often the chosen skill was looked for, and seen, in lessons before and after the weeks of practice."""

    skill_id: KnownSkill
    before_seen: Annotated[int, Field(ge=0)]
    before_looked_for: Annotated[int, Field(ge=0)]
    after_seen: Annotated[int, Field(ge=0)]
    after_looked_for: Annotated[int, Field(ge=0)]

    @model_validator(mode="after")
    def _seen_where_looked(self) -> Self:
        if self.before_seen > self.before_looked_for or self.after_seen > self.after_looked_for:
            raise ValueError("seen more often than looked for")
        return self


class EvidenceRow(Contract):
    """One list that was shown and all that was said about it.

    ``tenant``, ``teacher``, ``coach`` and ``case`` are pseudonyms; ``coach`` is None without a review, and where that
    coach's data were deleted. ``shown`` has one entry a place, from rank 1 on, and is empty where a message was shown
    instead of a list. ``struggle`` is there only by consent to the use of words. ``scores``: log-odds before
    constraints of all skills, in the order of the catalogue that ``catalogue_version`` names.
    """

    id: Identifier
    tenant: Identifier
    teacher: Identifier
    coach: Identifier | None = None
    case: Identifier
    shown_at: UtcTime
    model_version: Identifier
    catalogue_version: Identifier
    context: EvidenceContext = EvidenceContext()
    struggle: LongText | None = None
    shown: Annotated[list[ShownSkill], Field(max_length=MAX_SHOWN)]
    scores: Annotated[list[FiniteFloat], Field(max_length=1_000)] | None = None
    review: ReviewGiven | None = None
    choices: list[ChoiceMade] = Field(default=[], max_length=MAX_CHOICES)
    outcome: Outcome | None = None

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        problem = next(self._problems(), None)
        if problem is not None:
            raise ValueError(problem)
        return self

    def _problems(self) -> Iterator[str]:
        ids = [place.skill_id for place in self.shown]
        if [place.rank for place in self.shown] != list(range(1, len(ids) + 1)):
            yield "shown: ranks do not run from 1 without a gap"
        if len(set(ids)) < len(ids):
            yield "shown: a skill stands there twice"
        if self.review is None and self.coach is not None:
            yield "coach: there is no review"
        n_skills, n_scores = len(load_catalogue()), len(self.scores or ())
        if self.scores is not None and self.catalogue_version == load_catalogue().version and n_scores != n_skills:
            yield f"scores: {n_scores} values for {n_skills} skills"
        changed = [change.skill_id for change in self.review.changes] if self.review else []
        if len(set(changed)) < len(changed):
            yield "review: a skill is changed twice"
        for change in self.review.changes if self.review else ():
            if (change.action == "add") == (change.skill_id in ids):
                yield "review: only what is not on the list can be added, and only what is on it kept, moved or removed"
        for choice in self.choices:
            if choice.rank is not None and (choice.rank > len(ids) or ids[choice.rank - 1] != choice.skill_id):
                yield "choices: another skill stands at that rank"

    def to_json(self) -> str:
        """The row as one line of JSON."""
        return self.model_dump_json()


@dataclass(frozen=True)
class EvidenceCounts:
    """What was read: ``lines`` that are not blank, ``rows`` used, ``duplicates`` replaced, ``refused``.

    ``without_scores``: rows of another catalogue version, whose scores of all skills are in another order and were
    left out.
    """

    lines: int = 0
    rows: int = 0
    duplicates: int = 0
    refused: int = 0
    without_scores: int = 0


@dataclass(frozen=True)
class Evidence:
    """Rows sorted by (shown_at, id), each id once, with what was refused and how much was read."""

    rows: tuple[EvidenceRow, ...]
    rejects: tuple[Reject, ...] = ()
    counts: EvidenceCounts = field(default_factory=EvidenceCounts)

    @classmethod
    def of(cls, rows: Iterable[EvidenceRow], rejects: Iterable[Reject] = ()) -> Evidence:
        """Evidence from rows in any order; of rows with one id the last wins.

        Scores of another catalogue version are left out: they are in another order.
        """
        version = load_catalogue().version
        given, refused = list(rows), tuple(rejects)
        last = {row.id: row for row in given}
        foreign = {row.id for row in last.values() if row.scores is not None and row.catalogue_version != version}
        kept = [row.model_copy(update={"scores": None}) if row.id in foreign else row for row in last.values()]
        kept.sort(key=lambda row: (row.shown_at, row.id))
        counts = EvidenceCounts(
            lines=len(given) + len(refused),
            rows=len(kept),
            duplicates=len(given) - len(kept),
            refused=len(refused),
            without_scores=len(foreign),
        )
        return cls(tuple(kept), refused, counts)


def read_evidence(path: Path) -> Evidence:
    """Read evidence from a JSON Lines file, one row a line.

    A broken row is refused with its line and field and costs no other; a row that names a skill this catalogue does
    not hold is one of them. Refused values are never repeated. Raises DataFileError when the file is missing, a folder
    or empty.
    """
    check_readable(path)
    rows: list[EvidenceRow] = []
    rejects: list[Reject] = []
    with path.open("rb") as stream:
        for line in json_rows(stream):
            if isinstance(line, Reject):
                rejects.append(line)
                continue
            try:
                rows.append(_row(line.content))
            except CaseError as error:
                rejects.append(Reject(line.line, error.where or WHOLE_ROW, error.found, error.wanted))
    if not rows and not rejects:
        raise DataFileError("no row", wanted="one row of evidence a line", where=str(path))
    return Evidence.of(rows, rejects)


def _row(content: dict[str, Any]) -> EvidenceRow:
    try:
        return EvidenceRow.model_validate(content)
    except ValidationError as error:
        problem = describe_problem(error)
        found, _, place = problem["found"].partition(" in ")
        if place in ("", "the whole case"):
            # A rule about the row as a whole names its field first: "shown: ...".
            place, _, wanted = problem["wanted"].rpartition(": ")
            raise CaseError("fields that do not fit together", wanted=wanted, where=place) from None
        raise CaseError(found, wanted=problem["wanted"], where=place) from None
