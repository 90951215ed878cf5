"""Fits a tenant's norms from its own scores: item distributions, rater totals and, with enough raters, components."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from recommender.catalogue.instrument import Instrument
from recommender.observations.component_fit import fit_components
from recommender.observations.components import shipped_components
from recommender.observations.domains import domains_of
from recommender.observations.norms import Distributions, Norms, TenantNorms, rater_items, score_counts
from recommender.observations.ratings import Ratings


def fit_norms(ratings: Ratings, instruments: Mapping[str, Instrument], *, components: bool = True) -> Norms:
    """Norms of every tenant of the ratings; ``components`` False keeps the shipped variance components for all."""
    counts = score_counts(ratings)
    alone = Norms(tenants={tenant: TenantNorms(items=items) for tenant, items in counts.items()})
    readings = Distributions(alone, instruments).read(ratings)
    raters = rater_items(ratings, readings.latent)
    domains = domains_of(ratings.items, instruments)
    tenants = {}
    for position, tenant in enumerate(ratings.tenants):
        rows = np.flatnonzero(ratings.tenant == position)
        own = fit_components(ratings, readings, rows, domains, shipped_components()) if components else None
        tenants[tenant] = TenantNorms(items=counts[tenant], raters=raters[tenant], components=own)
    return Norms(tenants=tenants)
