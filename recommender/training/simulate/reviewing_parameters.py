"""The numbers simulated reviews use: read from reviewing.yaml, validated, each with its source."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Annotated

from pydantic import Field

from recommender.catalogue.yaml_files import read_validated
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

REVIEWING_FILE = Path(__file__).parent / "reviewing.yaml"

Shares = Annotated[list[Share], Field(min_length=1)]


class CoachTruthParameters(StrictModel):
    """How coaches differ from the shipped model, in log-odds, and the step from one grade to the next."""

    touched_skills: Value[Count]
    skill_sd: Value[Positive]
    tenant_skills: Value[Count]
    tenant_sd: Value[Positive]
    words_factor: Value[Positive]
    strictness: Value[Finite]
    grade_step: Value[Positive]


class ListParameters(StrictModel):
    """Lists as they are shown."""

    places: Value[AtLeastOne]
    near_tie: Value[Positive]


class CoachHabits(StrictModel):
    """What a coach does with a list: chances."""

    examination: Value[Shares]
    slip: Value[Share]
    moves_later: Value[Share]
    adds: Value[Share]
    random_removal: Value[Share]


class TeacherHabits(StrictModel):
    """What a teacher does with a list: chances."""

    chooses: Value[Share]
    declines: Value[Share]


class Seen(Sourced):
    """Shares of looks in which a skill is seen, before practice and after."""

    before: Share
    after: Share


class PractiseHabits(StrictModel):
    """Weeks of practice: the share of choices they follow, looks before and after, and what is seen in them."""

    share: Value[Share]
    looks: Value[AtLeastOne]
    needed: Seen
    not_needed: Seen


class ReviewingDistricts(StrictModel):
    """People of each district, and how lists are spread over districts and time."""

    coaches: Value[AtLeastOne]
    teachers: Value[AtLeastOne]
    shares: Value[Shares]
    minutes_apart: Value[AtLeastOne]


class ReviewingParameters(StrictModel):
    """All numbers of simulated reviews.

    ``other_looks``: examination curves by what coaches then do; ``exploration``: swap rate of those lists.
    """

    truth: CoachTruthParameters
    lists: ListParameters
    coaches: CoachHabits
    teachers: TeacherHabits
    practise: PractiseHabits
    districts: ReviewingDistricts
    other_looks: dict[str, Value[Shares]]
    exploration: Value[Share]

    def looking(self, examination: list[float]) -> ReviewingParameters:
        """The same with another examination curve."""
        curve = self.coaches.examination.model_copy(update={"value": examination})
        return self.model_copy(update={"coaches": self.coaches.model_copy(update={"examination": curve})})


@lru_cache(maxsize=2)
def load_reviewing_parameters(file: Path = REVIEWING_FILE) -> ReviewingParameters:
    """Read and validate the file. Raises DataFileError with the group and field of the first broken rule."""
    return read_validated(file, ReviewingParameters)
