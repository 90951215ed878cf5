"""The numbers and the edits of the fairness audit: read from audit.yaml and audit_edits.yaml, validated."""

from __future__ import annotations

import re
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, field_validator, model_validator

from recommender.catalogue.yaml_files import read_validated
from recommender.training.simulate.sourced import AtLeastOne, Positive, Share, StrictModel, Value

AUDIT_FILE = Path(__file__).parent / "audit.yaml"
EDITS_FILE = Path(__file__).parent / "audit_edits.yaml"

Text = Annotated[str, StringConstraints(min_length=1)]
Texts = Annotated[list[Text], Field(min_length=1)]
Gender = Literal["girls", "boys"]


class SampleSizes(StrictModel):
    """How much is looked at."""

    training_texts: Value[Annotated[int, Field(ge=0)]]
    names_each: Value[Annotated[int, Field(ge=2)]]
    sentences_each: Value[AtLeastOne]
    stressed_texts: Value[AtLeastOne]
    teachers: Value[AtLeastOne]


class SwapMargins(StrictModel):
    """What a swap may change beyond its control."""

    top_1_changed: Value[Share]
    first_3_lost: Value[Share]
    rbo_lost: Value[Share]
    log_odds: Value[Positive]
    status_changed: Value[Share]
    ndcg_5_lost: Value[Share]
    domain_shift: Value[Share]


class StressMargins(StrictModel):
    """What another way to write, or another level of all scores, may change."""

    top_1_changed: Value[Share]
    first_3_lost: Value[Share]
    status_changed: Value[Share]
    ndcg_5_lost: Value[Share]
    moved_beyond_ties: Value[Share]
    ranked_when_flat: Value[Share]


class GroupMargins(StrictModel):
    """From where groups of teachers are treated differently; ``smallest``: teachers a group needs to be shown."""

    smallest: Value[AtLeastOne]
    ratio: Value[Share]
    exposure: Value[Share]
    skill_exposure: Value[Share]
    removed: Value[Share]
    declined_for: Value[Share]
    calibration: Value[Share]
    not_answered: Value[Share]
    screened: Value[AtLeastOne]


class AuditParameters(StrictModel):
    """All numbers of the audit."""

    sample: SampleSizes
    swaps: SwapMargins
    stress: StressMargins
    near_tie: Value[Positive]
    groups: GroupMargins


class EditRule(StrictModel):
    """One rewriting: every ``every``-th place where ``find`` (a regular expression) fits becomes ``to``."""

    about: Text
    find: Text
    to: str
    every: AtLeastOne = 1

    @field_validator("find")
    @classmethod
    def _compiles(cls, find: str) -> str:
        try:
            re.compile(find)
        except re.error as error:
            raise ValueError(f"no regular expression: {error}") from None
        return find

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """The expression, in either case and with either apostrophe."""
        return re.compile(self.find.replace("'", "['\u2019]"), re.IGNORECASE)


class NameEdits(StrictModel):
    """First names by perceived group and gender, and the sentence with ``{name}`` that brings one into a text."""

    sentence: Text
    source: Text
    reference: Text
    groups: dict[Text, dict[Gender, Texts]]

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.sentence.count("{name}") != 1:
            raise ValueError("the sentence needs one {name}")
        if self.reference not in self.groups:
            raise ValueError("the reference is none of the groups")
        names = [name for group in self.groups.values() for each in group.values() for name in each]
        if len(set(names)) < len(names):
            raise ValueError("a name stands in two groups, or twice in one")
        if any(set(group) != {"girls", "boys"} for group in self.groups.values()):
            raise ValueError("a group has names of girls and of boys")
        return self


class ObjectOrOwner(StrictModel):
    """The two readings of "her"."""

    object: Text
    possessive: Text


class PronounEdits(StrictModel):
    """Words of either gender, and the sentence with ``{pronoun}`` and ``{day}`` that brings a pronoun into a text."""

    sentence: Text
    pronouns: Texts
    days: Texts
    male: dict[Text, Text]
    female: dict[Text, Text]
    her: ObjectOrOwner
    object_before: Texts
    fixed: Texts


class SchoolSentences(StrictModel):
    """Sentences about a school's families, and two as long about its building for each; lists in one order."""

    poor: Texts
    well_off: Texts
    neutral: Texts

    @model_validator(mode="after")
    def _in_one_order(self) -> Self:
        if not len(self.poor) == len(self.well_off) == len(self.neutral) / 2:
            raise ValueError("each sentence on poor families has one on well-off ones and two neutral ones")
        return self


class Dialect(StrictModel):
    """Rules that together imitate one way of speaking."""

    source: Text
    rules: Annotated[list[EditRule], Field(min_length=1)]


class AuditEdits(StrictModel):
    """All edits of the audit."""

    names: NameEdits
    pronouns: PronounEdits
    schools: SchoolSentences
    dialects: dict[Text, Dialect]
    neutral: Annotated[list[EditRule], Field(min_length=1)]
    padding: Text


@lru_cache(maxsize=4)
def load_audit_parameters(file: Path = AUDIT_FILE) -> AuditParameters:
    """Read and validate the numbers. Raises DataFileError with the group and field of the first broken rule."""
    return read_validated(file, AuditParameters)


@lru_cache(maxsize=4)
def load_audit_edits(file: Path = EDITS_FILE) -> AuditEdits:
    """Read and validate the edits. Raises DataFileError as ``load_audit_parameters`` does."""
    return read_validated(file, AuditEdits)
