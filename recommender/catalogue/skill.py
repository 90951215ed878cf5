"""One skill of the catalogue and the closed lists its fields use."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

SkillId = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=60)]
Sentence = Annotated[str, StringConstraints(min_length=15, max_length=400, strip_whitespace=True)]

EvidenceLevel = Literal["strong", "moderate", "promising", "consensus"]
GradeBand = Literal["elementary", "middle", "high"]
SkillSubject = Literal[
    "any",
    "mathematics",
    "science",
    "english",
    "reading",
    "writing",
    "social-studies",
    "world-languages",
    "art",
    "music",
    "drama-dance",
    "pe-health",
    "computing",
    "career-technical",
]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Neighbour(_Strict):
    """A skill that is easily mistaken for this one, and the line between the two."""

    skill: SkillId
    line: Annotated[str, StringConstraints(min_length=10, max_length=200)]


class Evidence(_Strict):
    """Where the practice family's evidence comes from and how strong it is (it does not rate coaching on it)."""

    source: Annotated[str, StringConstraints(min_length=8, max_length=300)]
    level: EvidenceLevel


class Crosswalk(_Strict):
    """Codes of the same practice in public rubrics; a judgement, not an official mapping."""

    hlp: list[str]
    teach: list[str]
    danielson: list[str]
    class_: list[str] = Field(alias="class")


class Skill(_Strict):
    """One narrow teaching skill, practisable in three to six weeks and visible in one lesson.

    ``practice_cycle`` has one entry a week for four weeks; ``minutes_per_week`` counts preparation and practice
    outside the lesson, 10 to 120.
    """

    id: SkillId
    name: Annotated[str, StringConstraints(min_length=4, max_length=60)]
    definition: Sentence
    not_this: Sentence
    neighbours: Annotated[list[Neighbour], Field(min_length=1, max_length=6)]
    summary: Sentence
    look_fors: Annotated[list[Sentence], Field(min_length=2, max_length=4)]
    first_step: Sentence
    practice_cycle: Annotated[list[Sentence], Field(min_length=4, max_length=4)]
    minutes_per_week: Annotated[int, Field(ge=10, le=120)]
    prerequisites: Annotated[list[SkillId], Field(max_length=3)]
    grade_bands: Annotated[list[GradeBand], Field(min_length=1, max_length=3)]
    subjects: Annotated[list[SkillSubject], Field(min_length=1)]
    evidence: Evidence
    crosswalk: Crosswalk
    domain: str
    domain_title: str
