"""Construct families: what rubrics of all makers score in common, with the norm an item borrows when it has none."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from recommender.catalogue.yaml_files import read_validated
from recommender.errors import DataFileError

FAMILIES_FILE = Path(__file__).parent / "families.yaml"

FamilyDomain = Literal[
    "management", "social-emotional", "discourse", "subject-matter", "cognitive-engagement", "assessment", "other"
]


class Family(BaseModel):
    """A construct family and its borrowed norm.

    ``position_mean`` and ``position_sd`` are fractions of a scale's range: on a scale from 1 to 5 a position mean of
    0.5 is a score of 3. ``source`` says where they come from.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    title: Annotated[str, StringConstraints(min_length=4, max_length=80)]
    domain: FamilyDomain
    position_mean: Annotated[float, Field(ge=0, le=1)]
    position_sd: Annotated[float, Field(gt=0, le=0.5)]
    source: Annotated[str, StringConstraints(min_length=8, max_length=300)]


@lru_cache(maxsize=2)
def load_families(file: Path = FAMILIES_FILE) -> Mapping[str, Family]:
    """Family id -> family, in the file's order. Raises DataFileError with family and field."""
    return read_validated(file, dict[str, Family])


def check_family(family: str, where: str) -> None:
    """Refuse a family that is not on the closed list; ``where`` names file, item and field."""
    if family not in load_families():
        raise DataFileError(repr(family), wanted="one of " + ", ".join(load_families()), where=where)
