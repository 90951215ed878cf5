"""Parameters of what surrounds the scores: self-report, talk counts, simulated districts and the demo district."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, model_validator

from recommender.cases import CareerStage, KnownDomain
from recommender.training.simulate.sourced import (
    AtLeastOne,
    Count,
    Finite,
    Positive,
    Share,
    Sourced,
    StrictModel,
    Value,
)


class SelfReportParameters(StrictModel):
    """Correlation with the truth, general positivity (of the noise variance), stability, domains named."""

    r_true: Value[Share]
    general_share: Value[Share]
    retest: Value[Share]
    interests_named: Value[Count]

    @model_validator(mode="after")
    def _stable_part_holds(self) -> Self:
        truth = self.r_true.value**2
        if not truth + self.general_share.value * (1 - truth) <= self.retest.value:
            raise ValueError("retest is below what truth and general positivity alone give")
        return self


class Sentences(Sourced):
    """Teacher sentences in a lesson: log-normal around the median, at least ``minimum``."""

    median: Positive
    minimum: AtLeastOne
    log_sd: Positive


class MoveRate(Sourced):
    """A talk move's share of teacher sentences: mean and SD between lessons, net of sampling."""

    mean: Annotated[float, Field(gt=0, lt=1)]
    sd: Positive

    @model_validator(mode="after")
    def _beta_exists(self) -> Self:
        if self.sd**2 >= self.mean * (1 - self.mean):
            raise ValueError("no beta distribution has this mean and SD")
        return self


class TalkCountParameters(StrictModel):
    """Sentences and talk moves of a lesson."""

    sentences: Sentences
    moves: dict[str, MoveRate]


class TruthParameters(Sourced):
    """The coach who reads the words and knows the class, and the steps that turn their value into grades."""

    epsilon: Annotated[float, Field(gt=0, lt=1)]
    need_weight: Annotated[float, Field(ge=0)]
    second_within: Annotated[float, Field(ge=0)]
    second_most: Count
    third_within: Annotated[float, Field(ge=0)]
    third_most: Count


class DistrictParameters(StrictModel):
    """How needs, words, notes and truth hang together in a simulated district."""

    instrument: str
    teachers_per_rater: Value[AtLeastOne]
    visible_share: Value[Share]
    kappa: Value[Annotated[float, Field(ge=0)]]
    kappa_note_factor: Value[Annotated[float, Field(ge=0)]]
    note_share: Value[Share]
    truth: TruthParameters


class StruggleArea(Sourced):
    """A concern teachers name in a survey: its share among all, early-career and veteran teachers."""

    name: str
    domains: list[KnownDomain]
    all: Share
    early: Share | None = None
    veteran: Share | None = None

    def share(self, stage: CareerStage) -> float:
        """Share of teachers of a career stage who name it; the share of all where the stage was not reported."""
        special = {"early": self.early, "student": self.early, "veteran": self.veteran}.get(stage)
        return self.all if special is None else special


class Stages(Sourced):
    """Teachers of each career stage in the demo district, as proportions."""

    student: Count
    early: Count
    mid: Count
    veteran: Count


class EarlyCareer(Sourced):
    """True scores of teachers in their first three years against the others, in SD of true scores."""

    overall: Finite
    management: Finite


class DemoParameters(StrictModel):
    """The demo district: who teaches there and what they struggle with."""

    fitting_skills: Value[AtLeastOne]
    stages: Stages
    early_career: EarlyCareer
    struggle_areas: list[StruggleArea]
    other_areas: Value[Share]
