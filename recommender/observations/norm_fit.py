"""Fits a tenant's norms from its own scores: item distributions, rater totals and, with enough raters, components."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from recommender.catalogue.instrument import Instrument
from recommender.observations.norms import Distributions, Norms, TenantNorms, rater_items, score_counts
from recommender.observations.ratings import Ratings


def fit_norms(ratings: Ratings, instruments: Mapping[str, Instrument]) -> Norms:
    """Norms of every tenant of the ratings, with the shipped variance components."""
    counts = score_counts(ratings)
    distributions = Norms(tenants={tenant: TenantNorms(items=items) for tenant, items in counts.items()})
    latent = Distributions(distributions, instruments).read(ratings).latent
    raters = rater_items(ratings, np.asarray(latent))
    return Norms(
        tenants={tenant: TenantNorms(items=counts[tenant], raters=raters[tenant]) for tenant in ratings.tenants}
    )
