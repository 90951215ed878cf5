"""A tenant's own norms: fitted on its stored scores, kept with the time, the latest used."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import pandas as pd
from sqlalchemy import select

from recommender.catalogue.instrument import Instrument
from recommender.errors import DataFileError
from recommender.observations.norm_fit import fit_norms
from recommender.observations.norms import Norms, TenantNorms
from recommender.observations.ratings import observed_ratings
from service.store.actors import Actor
from service.store.database import StoreSession, utc_now
from service.store.events import record
from service.store.observations import require_all_scores, scores_of_tenant
from service.store.tables.observations import FittedNorms
from service.ulid import new_ulid


def refit_norms(
    session: StoreSession, actor: Actor, instruments: Mapping[str, Instrument], now: datetime | None = None
) -> Norms:
    """Fit the norms of a tenant on all its scores and store them, in one transaction; for the operator's commands.

    Raises NotAllowedError for anybody who may not read the scores, and what ``fit_to`` raises.
    """
    scores = scores_of_tenant(session, actor)
    norms = fit_to(scores, instruments)
    store_norms(session, actor, norms, len(scores), now)
    return norms


def fit_to(scores: pd.DataFrame, instruments: Mapping[str, Instrument]) -> Norms:
    """Norms of stored scores; it takes seconds, and no database.

    Raises DataFileError without a score or with one of an unknown instrument.
    """
    if scores.empty:
        raise DataFileError("no stored score", wanted="at least one", way_out="Import observation scores first.")
    return fit_norms(observed_ratings(scores, instruments), instruments)


def store_norms(
    session: StoreSession, actor: Actor, norms: Norms, fitted_scores: int, now: datetime | None = None
) -> None:
    """Keep norms that were fitted to so many scores of the actor's tenant: they count from now on.

    Raises NotAllowedError for anybody who may not read all of its scores.
    """
    require_all_scores(actor)
    moment, norms_id = now or utc_now(), new_ulid()
    session.add(
        FittedNorms(
            tenant_id=actor.tenant_id,
            id=norms_id,
            fitted_at=moment,
            scores=fitted_scores,
            document=norms.of(actor.tenant_id).model_dump(mode="json"),
        )
    )
    session.flush()
    record(session, actor, "norms.fitted", norms_id, now=moment, scores=fitted_scores)


def latest_norms_id(session: StoreSession, actor: Actor) -> str | None:
    """Id of the norms that count now for the actor's tenant; None where none were fitted."""
    return session.scalar(
        select(FittedNorms.id)
        .where(FittedNorms.tenant_id == actor.tenant_id)
        .order_by(FittedNorms.fitted_at.desc(), FittedNorms.id.desc())
        .limit(1)
    )


def current_norms(session: StoreSession, actor: Actor) -> Norms:
    """The latest norms of the actor's tenant, under its id; without any the shipped priors count alone."""
    norms_id = latest_norms_id(session, actor)
    if norms_id is None:
        return Norms()
    document = session.get_one(FittedNorms, (actor.tenant_id, norms_id)).document
    return Norms(tenants={actor.tenant_id: TenantNorms.model_validate(document)})
