"""What is known of a tenant beforehand: item distributions, rater severities, variance components."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Self

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from recommender.catalogue.instrument import Instrument
from recommender.errors import DataFileError
from recommender.observations.components import VarianceComponents, shipped_components
from recommender.observations.counts import read_counts
from recommender.observations.item_distributions import ItemDistribution, prior_of
from recommender.observations.ratings import Ratings
from recommender.observations.severity import rater_totals

NORMS_FORMAT = 1
# Between an instrument's id and an item's code in the keys of a norms file.
SEPARATOR = "/"

Item = tuple[str, str]
Count = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class RaterItem(BaseModel):
    """One rater's scores of one item: how many, of how many teachers, and the sum of their normal scores."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    n: Count
    teachers: Count
    total: Annotated[float, Field(allow_inf_nan=False)]


class ItemScores(BaseModel):
    """How often each (directed) score of an item was given."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    values: list[Annotated[float, Field(allow_inf_nan=False)]]
    counts: list[Count]

    @model_validator(mode="after")
    def _is_a_distribution(self) -> Self:
        ascending = all(low < high for low, high in pairwise(self.values))
        if len(self.values) != len(self.counts) or not ascending or (self.values and not any(self.counts)):
            raise ValueError("values ascend and each has a count, not all of them 0")
        return self


class TenantNorms(BaseModel):
    """One tenant's item distributions and raters, and its own variance components where they could be fitted."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    items: dict[str, ItemScores] = {}
    raters: dict[str, dict[str, RaterItem]] = {}
    components: VarianceComponents | None = None

    def variance_components(self) -> VarianceComponents:
        """The tenant's own components, else the shipped ones."""
        return self.components or shipped_components()


class Norms(BaseModel):
    """Norms of every tenant met; a tenant that is not named gets the shipped priors alone."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    format: int = NORMS_FORMAT
    tenants: dict[str, TenantNorms] = {}

    def of(self, tenant: str) -> TenantNorms:
        """The tenant's norms, empty when it is unknown; scores that name no tenant are the only tenant's, if one is."""
        if tenant == "" and len(self.tenants) == 1:
            return next(iter(self.tenants.values()))
        return self.tenants.get(tenant, TenantNorms())

    def to_json(self) -> str:
        """One line of JSON with sorted keys."""
        return json.dumps(self.model_dump(mode="json"), sort_keys=True) + "\n"

    @classmethod
    def load(cls, path: Path) -> Norms:
        """Read a norms file. Raises DataFileError when it is none."""
        try:
            norms = cls.model_validate_json(path.read_bytes())
        except OSError as error:
            raise DataFileError("no readable file", wanted="a norms file", where=str(path)) from error
        except ValidationError as error:
            field_name = ".".join(str(part) for part in error.errors()[0]["loc"][:4])
            raise DataFileError(
                f"a broken norms file at {field_name or 'its start'}",
                wanted="a file written by `growth norms fit`",
                where=str(path),
            ) from error
        if norms.format != NORMS_FORMAT:
            raise DataFileError(f"format {norms.format}", wanted=f"format {NORMS_FORMAT}", where=str(path))
        return norms


def item_key(item: Item) -> str:
    """An item's key in a norms file."""
    return SEPARATOR.join(item)


@dataclass
class Distributions:
    """Item distributions of tenants, made once each."""

    norms: Norms
    instruments: Mapping[str, Instrument]
    _made: dict[tuple[str, Item], ItemDistribution] = field(default_factory=dict)

    def of(self, tenant: str, item: Item) -> ItemDistribution:
        """The blended distribution of an item in a tenant."""
        known = self._made.get((tenant, item))
        if known is None:
            known = self._made[(tenant, item)] = self._make(tenant, item)
        return known

    def _make(self, tenant: str, item: Item) -> ItemDistribution:
        scores = self.norms.of(tenant).items.get(item_key(item))
        values = np.array(scores.values if scores else [], dtype=float)
        counts = np.array(scores.counts if scores else [], dtype=float)
        return ItemDistribution(values, counts, prior_of(self.instruments[item[0]], item[1]))

    def read(self, ratings: Ratings) -> Readings:
        """Every rating as a reading of the latent score within its tenant and item."""
        latent, noise, uncertainty = (np.zeros(len(ratings)) for _ in range(3))
        for tenant, item, rows in _cells(ratings):
            name, code = ratings.items[item]
            scored = self.instruments[name].by_code[code]
            # A count without a norm is read as any other score, by its rate's place among the tenant's own.
            if scored.per is not None and scored.norm is not None:
                reading, noise[rows] = read_counts(ratings.raw[rows], ratings.exposure[rows], scored.norm)
                latent[rows] = scored.direction * reading
                continue
            distribution = self.of(ratings.tenants[tenant], (name, code))
            information = distribution.information
            latent[rows] = distribution.normal_scores(ratings.value[rows]) / information
            noise[rows] = (1 - information) / information
            uncertainty[rows] = distribution.uncertainty
        return Readings(latent, noise, uncertainty)


@dataclass(frozen=True)
class Readings:
    """Ratings as unbiased readings of a latent score of unit variance.

    A coarse score keeps only a share (its information) of the latent one; its normal score divided by that share is an
    unbiased reading with further variance (1 - information) / information (grouping error, Sheppard 1898).
    """

    latent: npt.NDArray[np.float64]
    """(ratings,)"""
    noise: npt.NDArray[np.float64]
    """(ratings,) variance that coarseness or counting adds"""
    uncertainty: npt.NDArray[np.float64]
    """(ratings,) variance of the middle of the item's distribution"""


def _cells(ratings: Ratings) -> Iterable[tuple[int, int, npt.NDArray[np.int64]]]:
    """(tenant, item, rows) of every tenant and item met."""
    key = ratings.tenant * max(len(ratings.items), 1) + ratings.item
    order = np.argsort(key, kind="stable")
    bounds = np.flatnonzero(np.diff(key[order], prepend=-1))
    for rows in np.split(order, bounds[1:]) if len(order) else []:
        yield int(ratings.tenant[rows[0]]), int(ratings.item[rows[0]]), rows


def score_counts(ratings: Ratings) -> dict[str, dict[str, ItemScores]]:
    """Tenant -> item key -> how often each directed score was given."""
    found: dict[str, dict[str, ItemScores]] = {tenant: {} for tenant in ratings.tenants}
    for tenant, item, rows in _cells(ratings):
        values, counts = np.unique(ratings.value[rows], return_counts=True)
        scores = ItemScores(values=values.tolist(), counts=counts.tolist())
        found[ratings.tenants[tenant]][item_key(ratings.items[item])] = scores
    return found


def rater_items(ratings: Ratings, latent: npt.NDArray[np.float64]) -> dict[str, dict[str, dict[str, RaterItem]]]:
    """Tenant -> observer -> item key -> totals of the latent scores given."""
    totals = rater_totals(ratings.rater, ratings.item, ratings.teacher, latent, len(ratings.raters), len(ratings.items))
    known = {tenant: {} for tenant in ratings.tenants}  # type: dict[str, dict[str, dict[str, RaterItem]]]
    seen = set(ratings.rater[ratings.known_rater()].tolist())
    for rater in sorted(seen):
        tenant, observer = ratings.raters[rater]
        known[tenant][observer] = {
            item_key(ratings.items[item]): RaterItem(
                n=totals.n[rater, item], teachers=totals.teachers[rater, item], total=totals.total[rater, item]
            )
            for item in np.flatnonzero(totals.n[rater]).tolist()
        }
    return known
