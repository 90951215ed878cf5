"""How drift is judged and said: read from drift.yaml, validated, each number with its reason."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, model_validator

from recommender.catalogue.yaml_files import read_validated
from recommender.learning.watched import CATEGORIES, LEFT_OUT, NUMBERS
from recommender.training.simulate.sourced import AtLeastOne, Share, StrictModel, Value

DRIFT_FILE = Path(__file__).parent / "drift.yaml"

NOT_RANKED = "not_ranked"
CALIBRATION = "calibration"
CHECKED = (*NUMBERS, *CATEGORIES, NOT_RANKED, CALIBRATION)


class DriftSentences(StrictModel):
    """What a check says, with places for figures: the figures first, then what they mean."""

    numbers: str
    names: str
    not_ranked: str
    calibration: str
    quiet: str
    drifted: str
    too_few: str


class DriftParameters(StrictModel):
    """How surely, from how much, and in which words drift is told."""

    quantile: Value[Annotated[float, Field(gt=0.5, lt=1)]]
    draws: Value[AtLeastOne]
    resamples: Value[AtLeastOne]
    least_lists: Value[AtLeastOne]
    least_judgements: Value[AtLeastOne]
    least_share: Value[Share]
    labels: dict[str, str]
    sentences: DriftSentences
    left_out: dict[str, str]

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if set(self.labels) != set(CHECKED) or set(self.left_out) != set(LEFT_OUT):
            raise ValueError("each check has its label, and each reason to leave a list out its words")
        return self


@lru_cache(maxsize=4)
def load_drift_parameters(file: Path = DRIFT_FILE) -> DriftParameters:
    """Read and validate the file. Raises DataFileError with the group and field of the first broken rule."""
    return read_validated(file, DriftParameters)
