"""The numbers learning uses: read from learning.yaml, validated, each with its source or reason."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, model_validator

from recommender.catalogue.yaml_files import read_validated
from recommender.training.simulate.sourced import (
    AtLeastOne,
    Positive,
    Share,
    Sourced,
    StrictModel,
    Value,
)

LEARNING_FILE = Path(__file__).parent / "learning.yaml"

Weight = Annotated[float, Field(ge=0, le=1)]
Examination = Annotated[float, Field(gt=0, le=1)]
AtLeastOneTime = Annotated[float, Field(ge=1)]
Slip = Annotated[float, Field(gt=0, lt=0.5)]


class SignalWeight(Sourced):
    """How much one signal of a kind counts; 1 is a coach's word about a skill in sight."""

    weight: Weight


class SignalTarget(SignalWeight):
    """As ``SignalWeight``, with how far the signal says that the skill is relevant, 0 to 1."""

    target: Share


class SignalParameters(StrictModel):
    """What each kind of signal says. ``leading_places``: moved to one of these, a skill is one to start with."""

    leading_places: Value[AtLeastOne]
    kept: SignalTarget
    moved_up: SignalTarget
    moved_down: SignalTarget
    removed: SignalWeight
    added: SignalWeight
    chosen: SignalWeight
    declined: SignalWeight


class AssumedCurve(Sourced):
    """Examination by place, from the first on; places beyond the last are looked at as it is."""

    value: Annotated[list[Examination], Field(min_length=1)]

    @model_validator(mode="after")
    def _falls(self) -> Self:
        if self.value[0] != 1 or self.value != sorted(self.value, reverse=True):
            raise ValueError("an examination curve starts at 1 and does not rise")
        return self


class ExaminationParameters(StrictModel):
    """How far down a list people look, and how much of that must be seen before it is estimated."""

    assumed: AssumedCurve
    least: Value[Examination]
    enough_events: Value[AtLeastOne]
    ratio_sd: Value[Positive]


class OutcomeParameters(StrictModel):
    """What practice says of a choice: how many times it counts at most, and the share of looks that leaves no room."""

    confirmed: Value[AtLeastOneTime]
    nearly_always: Value[Examination]


class WeightParameters(StrictModel):
    """Up to where signals of one person, or of one burst, count in full; beyond it by the square root."""

    coach_reviews: Value[AtLeastOne]
    teacher_choices: Value[AtLeastOne]
    burst_signals: Value[AtLeastOne]
    burst_minutes: Value[AtLeastOne]


class PriorSd(Sourced):
    """SD of a group of offsets: where its learning starts, and its bounds."""

    start: Positive
    least: Positive
    most: Positive

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if not self.least <= self.start <= self.most:
            raise ValueError("an SD starts outside its bounds")
        return self


class UpdateParameters(StrictModel):
    """Priors of the update, in log-odds around the shipped model."""

    intercept_sd: Value[Positive]
    factor_sd: Value[Positive]
    skill_sd: PriorSd
    tenant_sd: PriorSd
    rounds: Value[AtLeastOne]


class TextParameters(StrictModel):
    """How often a coach misjudges a skill in sight, and what a reviewed text weighs; a written one weighs 1."""

    slip: Value[Slip]
    weight: Value[Positive]


class GuardParameters(StrictModel):
    """From where a pattern in the evidence is a finding; see ``guards``."""

    coach_share: Value[Share]
    least_coaches: Value[AtLeastOne]
    least_reviews: Value[AtLeastOne]
    coach_distance: Value[Positive]
    honest_sd: Value[Positive]
    keep_chance: Value[Share]
    burst_signals: Value[AtLeastOne]
    duplicate_share: Value[Share]


class LearningParameters(StrictModel):
    """All numbers of the learning room."""

    signals: SignalParameters
    outcomes: OutcomeParameters
    examination: ExaminationParameters
    weights: WeightParameters
    update: UpdateParameters
    texts: TextParameters
    guards: GuardParameters


@lru_cache(maxsize=4)
def load_learning_parameters(file: Path = LEARNING_FILE) -> LearningParameters:
    """Read and validate the file. Raises DataFileError with the group and field of the first broken rule."""
    return read_validated(file, LearningParameters)
