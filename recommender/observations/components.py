"""How much of an item score is the teacher, the lesson, the rater or chance, and how far items share each part."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Annotated

import numpy as np
import numpy.typing as npt
import yaml
from pydantic import BaseModel, ConfigDict, Field, model_validator

from recommender.catalogue.loader import _SAFE_LOADER

COMPONENTS_FILE = Path(__file__).with_name("components.yaml")

Array = npt.NDArray[np.float64]
Share = Annotated[float, Field(ge=0, le=1)]


class Component(BaseModel):
    """One source of variance: its size in normal-score units and the share that items have in common."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    variance: Annotated[float, Field(gt=0, le=1)]
    general: Share
    """Share common to all items."""
    same_domain: Share = 0.0
    """Further share common to the items of one construct domain."""

    @model_validator(mode="after")
    def _leaves_something_specific(self) -> Component:
        if self.general + self.same_domain >= 1:
            raise ValueError("general and same_domain must leave a share that is the item's own")
        return self

    def covariance(self, domains: Sequence[str]) -> Array:
        """(items, items) covariance for items of the given construct domains."""
        named = np.asarray(domains)
        same = (named[:, None] == named[None, :]).astype(float)
        specific = 1 - self.general - self.same_domain
        shares = self.general + self.same_domain * same + specific * np.eye(len(named))
        covariance: Array = self.variance * shares
        return covariance


class VarianceComponents(BaseModel):
    """The four sources of an item score's variance.

    Shipped values: Global Teaching InSights (observation.md of the research notes, section 6). One component score of
    one lesson by one rater is about 12% teacher.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    source: str
    teacher: Component
    lesson: Component
    rater: Component
    residual: Component
    annual_stability: Annotated[float, Field(gt=0, le=1)]

    @property
    def between_scores(self) -> float:
        """Variance of a rater's scores on one item about the rater's own severity, one score a lesson."""
        return self.lesson.variance + self.residual.variance


@lru_cache(maxsize=1)
def shipped_components() -> VarianceComponents:
    """The components every tenant starts from."""
    content = yaml.load(COMPONENTS_FILE.read_bytes(), Loader=_SAFE_LOADER)
    return VarianceComponents.model_validate(content)
