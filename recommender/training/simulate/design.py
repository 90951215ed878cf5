"""The design of a simulated study: how many teachers, how often seen, by whom, with which instrument."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from recommender.training.simulate.parameters import PresetName
from recommender.training.simulate.rubrics import GTI
from recommender.training.simulate.sourced import AtLeastOne, Share

RaterMode = Literal["different", "same", "shared", "pool", "mixed"]


class Design(BaseModel):
    """Who is seen, when and by whom.

    ``visits``: lessons of every teacher; None draws each teacher's number from the parameters. ``raters``:

    - ``different``: every visit of a teacher by other raters;
    - ``same``: one rater for all visits of a teacher, whose teachers come from any school;
    - ``shared``: one rater for all visits of all teachers of a school (``school_size`` colleagues);
    - ``pool``: raters of each visit drawn anew, so one may return, as in studies with few raters;
    - ``mixed``: ``same`` for the share ``one_rater`` of the parameters, else ``different``.

    ``raters_per_visit`` score the same lesson independently. ``teachers_per_rater`` sets the size of the pool: how many
    teachers one rater sees (``pool``: how many lessons). ``missing_share``: items left out at random, beside those the
    instrument says are often missing. ``walkthrough_share``: visits that score a few items only; default as in the
    parameters for the operational preset, else none. ``vary_top_share``: operational margins of one district, its top
    share drawn, instead of the average district's. Visits fall on weekdays of the ``school_days`` (parameters) from
    ``first_day`` on. ``prefix`` starts every id.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    teachers: AtLeastOne
    visits: AtLeastOne | None = 2
    raters: RaterMode = "different"
    raters_per_visit: AtLeastOne = 1
    teachers_per_rater: AtLeastOne = 10
    school_size: AtLeastOne = 10
    instrument: str = GTI
    preset: PresetName = "research"
    missing_share: Annotated[float, Field(ge=0, lt=1)] = 0
    walkthrough_share: Share | None = None
    vary_top_share: bool = False
    first_day: date = date(2025, 9, 1)
    prefix: Annotated[str, Field(min_length=1, max_length=40)] = "sim"

    @model_validator(mode="after")
    def _one_rater_has_one_voice(self) -> Self:
        if self.raters_per_visit > 1 and self.raters in ("same", "shared", "mixed"):
            raise ValueError("raters_per_visit above 1 needs raters 'different' or 'pool'")
        return self
