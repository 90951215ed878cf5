"""Parameters of simulated scores: variance parts, level distributions and visits."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from recommender.catalogue.families import FamilyDomain
from recommender.training.simulate.sourced import AtLeastOne, Positive, Share, Sourced, StrictModel, Value, check_shares

Margins = Literal["research", "operational"]

_SUM_TOLERANCE = 1e-9


class VarianceShares(Sourced):
    """What an item score's unit variance is made of."""

    teacher: Share
    lesson: Share
    rater: Share
    residual: Share

    @model_validator(mode="after")
    def _sum_to_one(self) -> Self:
        total = self.teacher + self.lesson + self.rater + self.residual
        if abs(total - 1) > _SUM_TOLERANCE:
            raise ValueError(f"the shares sum to {total:g}, not to 1")
        return self


class PartStructure(Sourced):
    """Of one part's variance: the share common to all items and the share common to the items of a domain."""

    general: Share
    same_domain: Share = 0

    @model_validator(mode="after")
    def _leave_the_rest_to_items(self) -> Self:
        if self.general + self.same_domain > 1:
            raise ValueError("general and same_domain together exceed 1")
        return self


class Structure(StrictModel):
    """How the items hang together in each part of a score."""

    teacher: PartStructure
    lesson: PartStructure
    rater: PartStructure
    residual: PartStructure


class Preset(Sourced):
    """A named choice of variance shares and of the level distributions scores are cut to."""

    shares: Literal["measured", "optimistic"]
    margins: Margins


class DomainMargin(Sourced):
    """Mean and SD of a domain's lesson scores, in points of the scale."""

    mean: Positive
    sd: Positive


class ItemMargin(Sourced):
    """What is known about an item's levels: all ``shares``, the ``share`` at one ``level``, or nothing."""

    domain: FamilyDomain
    shares: list[Share] | None = None
    level: int | None = None
    share: Share | None = None

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        if (self.level is None) != (self.share is None):
            raise ValueError("level and share stand together")
        if self.shares is not None:
            if self.level is not None:
                raise ValueError("an item has all shares or the share at one level")
            check_shares(self.shares)
        return self


class ResearchMargins(StrictModel):
    """Level distributions of research ratings (GTI components, 1-4); see margins.py for how gaps are completed."""

    component_sd_ratio: Value[Positive]
    mean_from_ends: Value[Share]
    domains: dict[FamilyDomain, DomainMargin]
    completed: str
    items: dict[str, ItemMargin]

    @model_validator(mode="after")
    def _domains_known(self) -> Self:
        for code, item in self.items.items():
            if item.domain not in self.domains:
                raise ValueError(f"{code}: no figures for the domain {item.domain}")
        return self


class OperationalMargins(Sourced):
    """Level distribution of district ratings, and the Beta distribution of the top share over districts."""

    shares: list[Share]
    top_share_alpha: Positive
    top_share_beta: Positive

    @model_validator(mode="after")
    def _shares_sum(self) -> Self:
        check_shares(self.shares)
        return self


class VisitGroup(StrictModel):
    """A share of the teachers whose number of visits is uniform from ``low`` to ``high``."""

    low: AtLeastOne
    high: AtLeastOne
    share: Share


class Visits(Sourced):
    """How often teachers are seen in a year, by how many observers, over how many school days."""

    groups: list[VisitGroup]
    one_rater: Share
    school_days: Annotated[int, Field(ge=20)]

    @model_validator(mode="after")
    def _groups_sum(self) -> Self:
        check_shares([group.share for group in self.groups])
        return self


class Walkthroughs(Sourced):
    """Short visits that score a few items only."""

    share: Share
    min_items: AtLeastOne
    max_items: AtLeastOne
