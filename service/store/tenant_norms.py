"""A tenant's own norms: fitted on its stored scores, kept with the time, the latest used."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import select

from recommender.catalogue.instrument import Instrument
from recommender.errors import DataFileError
from recommender.observations.norm_fit import fit_norms
from recommender.observations.norms import Norms, TenantNorms
from recommender.observations.ratings import observed_ratings
from service.store.actors import Actor
from service.store.database import StoreSession, utc_now
from service.store.events import record
from service.store.observations import scores_of_tenant
from service.store.tables.observations import FittedNorms
from service.ulid import new_ulid


def refit_norms(
    session: StoreSession, actor: Actor, instruments: Mapping[str, Instrument], now: datetime | None = None
) -> Norms:
    """Fit the norms of the operator's tenant on all its scores and store them.

    Raises NotAllowedError for anybody else, DataFileError without a score or with one of an unknown instrument.
    """
    moment, scores = now or utc_now(), scores_of_tenant(session, actor)
    if scores.empty:
        raise DataFileError("no stored score", wanted="at least one", way_out="Import observation scores first.")
    norms = fit_norms(observed_ratings(scores, instruments), instruments)
    norms_id = new_ulid()
    session.add(
        FittedNorms(
            tenant_id=actor.tenant_id,
            id=norms_id,
            fitted_at=moment,
            scores=len(scores),
            document=norms.of(actor.tenant_id).model_dump(mode="json"),
        )
    )
    session.flush()
    record(session, actor, "norms.fitted", norms_id, now=moment, scores=len(scores))
    return norms


def current_norms(session: StoreSession, actor: Actor) -> Norms:
    """The latest norms of the actor's tenant, under its id; without any the shipped priors count alone."""
    document = session.scalar(
        select(FittedNorms.document)
        .where(FittedNorms.tenant_id == actor.tenant_id)
        .order_by(FittedNorms.fitted_at.desc(), FittedNorms.id.desc())
        .limit(1)
    )
    if document is None:
        return Norms()
    return Norms(tenants={actor.tenant_id: TenantNorms.model_validate(document)})
