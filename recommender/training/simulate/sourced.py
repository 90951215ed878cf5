"""Building blocks of the parameter file: strict models, shares, and numbers that name their source."""

from __future__ import annotations

from typing import Annotated, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

Share = Annotated[float, Field(ge=0, le=1)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Finite = Annotated[float, Field(allow_inf_nan=False)]
Count = Annotated[int, Field(ge=0)]
AtLeastOne = Annotated[int, Field(ge=1)]

# Published shares are rounded, so their sum may miss 1 by this much; they are then scaled to 1.
SHARES_TOLERANCE = 0.02

T = TypeVar("T")


class StrictModel(BaseModel):
    """A group of the file: unknown fields and silent conversions are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Sourced(StrictModel):
    """A group that says where its numbers come from: a study, a computation or an assumption with its reason."""

    source: Annotated[str, StringConstraints(min_length=3, max_length=300)]


class Value(Sourced, Generic[T]):
    """One number and where it comes from."""

    value: T


def check_shares(shares: list[float]) -> None:
    """Raise ValueError unless the shares sum to 1, but for rounding."""
    if abs(sum(shares) - 1) > SHARES_TOLERANCE:
        raise ValueError(f"shares sum to {sum(shares):g}, not to 1")
