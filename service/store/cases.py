"""Cases: stored once, with the list that was shown; read by who may see them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select

from recommender.cases import MAX_STRUGGLE_CHARACTERS, Ranking, parse_case
from recommender.cases import Case as AskedCase
from recommender.catalogue.loader import load_catalogue
from service.store.actors import Actor
from service.store.database import StoreSession, utc_now
from service.store.errors import NotAllowedError, StoreError
from service.store.events import record
from service.store.idempotency import claim
from service.store.pages import Page, before, checked_limit, cursor_of, page_of
from service.store.people import person_with_external_id
from service.store.rankings import ShownRanking, rankings_of, store_ranking
from service.store.redaction import redact_together
from service.store.shares import case_changed
from service.store.tables.cases import Case, RankingShown
from service.store.text_vault import Place, read_many, write_texts
from service.store.visibility import may_see, own, visible
from service.ulid import new_ulid


@dataclass(frozen=True)
class StoredCase:
    """Ids of a stored case and of its first ranking; ``is_known`` when the same request had stored it before."""

    case_id: str
    ranking_id: str
    is_known: bool


@dataclass(frozen=True)
class CaseView:
    """A case as it may be seen. ``struggle`` is redacted, and None when there was none or it is deleted."""

    id: str
    case_ref: str
    teacher_id: str | None
    struggle: str | None
    observations: list[dict[str, Any]]
    context: dict[str, Any]
    declined: list[str]
    top: int
    created_at: datetime
    changed_at: datetime
    texts_deleted_at: datetime | None
    rankings: list[ShownRanking]


@dataclass(frozen=True)
class CaseLine:
    """A case in a list."""

    id: str
    case_ref: str
    teacher_id: str | None
    created_at: datetime
    changed_at: datetime


def store_case(
    session: StoreSession,
    actor: Actor,
    case: AskedCase,
    ranking: Ranking,
    *,
    features: Mapping[str, Any] | None = None,
    propensities: Sequence[float] = (),
    idempotency_key: str | None = None,
    now: datetime | None = None,
) -> StoredCase:
    """Store a case with the ranking that was shown for it: of the teacher who asks, or sent by an app.

    An app's ``teacher_id`` is a person's ``external_id``; a case of somebody who is not in the tenant stays the app's
    alone. Struggle, notes and quotes are redacted together first. The same ``idempotency_key`` stores nothing twice.
    Raises NotAllowedError for anybody else, ConflictError for a key used for another case.
    """
    moment = now or utc_now()
    teacher_id, app = _owner(session, actor, case)
    claimed = claim(session, actor, idempotency_key, case.model_dump(mode="json"), new_ulid(), moment)
    if claimed.is_known:
        return _known(session, actor, claimed.id)
    notes = [observation.note or "" for observation in case.observations]
    struggle, *clean_notes = redact_together([case.struggle, *notes])
    row = Case(
        tenant_id=actor.tenant_id,
        id=claimed.id,
        teacher_id=teacher_id,
        app=app,
        case_ref=case.case_id,
        context=case.context.model_dump(mode="json"),
        observations=[o.model_dump(mode="json", exclude={"note"}) for o in case.observations],
        declined=list(case.declined),
        top=case.top,
        created_at=moment,
        changed_at=moment,
    )
    session.add(row)
    session.flush()
    write_texts(session, Place(actor.tenant_id, "case", row.id, "struggle"), [struggle], moment)
    write_texts(session, Place(actor.tenant_id, "case", row.id, "notes"), clean_notes, moment)
    ranking_id = store_ranking(
        session,
        row,
        ranking,
        [struggle, *clean_notes],
        typed=[case.struggle, *notes],
        features=frozen_features(row, struggle) | dict(features or {}),
        propensities=propensities,
        now=moment,
    )
    record(
        session, actor, "case.created", row.id, person_id=teacher_id, now=moment,
        ranking=ranking_id, status=ranking.status, model=ranking.model_version,
    )  # fmt: skip
    return StoredCase(row.id, ranking_id, is_known=False)


def add_ranking(
    session: StoreSession,
    actor: Actor,
    case_id: str,
    ranking: Ranking,
    *,
    declined: Sequence[str] = (),
    features: Mapping[str, Any] | None = None,
    propensities: Sequence[float] = (),
    now: datetime | None = None,
) -> str:
    """Store a further ranking of a case, after something was declined; its id. ``declined`` replaces the case's list.

    Rank the case as it is stored (``asked_again``): a quote that is not in the stored text is not kept.
    """
    moment, case = now or utc_now(), own(session, actor, Case, case_id)
    case.declined = list(declined)
    texts = read_many(session, case.tenant_id, "case", [case.id])
    struggle = texts.get((case.id, "struggle"), [""])[0]
    ranking_id = store_ranking(
        session,
        case,
        ranking,
        [text for stored in texts.values() for text in stored],
        features=frozen_features(case, struggle) | dict(features or {}),
        propensities=propensities,
        now=moment,
    )
    case_changed(session, case, moment)
    record(
        session, actor, "case.ranked", case.id, person_id=case.teacher_id, now=moment,
        ranking=ranking_id, status=ranking.status, model=ranking.model_version,
    )  # fmt: skip
    return ranking_id


def get_case(session: StoreSession, actor: Actor, case_id: str) -> CaseView:
    """A case with everything shown for it. Raises NotFoundError when the actor does not see it."""
    case = visible(session, actor, Case, case_id)
    texts = read_many(session, actor.tenant_id, "case", [case_id])
    notes = texts.get((case_id, "notes"), [])
    return CaseView(
        id=case.id,
        case_ref=case.case_ref,
        teacher_id=case.teacher_id,
        struggle=texts.get((case_id, "struggle"), [None])[0],
        observations=[
            score | ({"note": note} if note else {})
            for score, note in zip(case.observations, notes or [""] * len(case.observations), strict=True)
        ],
        context=case.context,
        declined=case.declined,
        top=case.top,
        created_at=case.created_at,
        changed_at=case.changed_at,
        texts_deleted_at=case.texts_deleted_at,
        rankings=rankings_of(session, actor, case_id),
    )


def list_cases(session: StoreSession, actor: Actor, *, after: str | None = None, limit: int = 20) -> Page[CaseLine]:
    """The cases the actor owns or sent, or was shown by a teacher; latest first."""
    query = (
        select(Case)
        .where(may_see(actor, Case), *before(after, Case.created_at, Case.id))
        .order_by(Case.created_at.desc(), Case.id.desc())
        .limit(checked_limit(limit) + 1)
    )
    lines = [CaseLine(c.id, c.case_ref, c.teacher_id, c.created_at, c.changed_at) for c in session.scalars(query)]
    return page_of(lines, limit, lambda line: cursor_of(line.created_at, line.id))


def asked_again(view: CaseView) -> AskedCase:
    """A stored case as it may be ranked again. Skills that left the catalogue are left out."""
    catalogue = load_catalogue()
    return parse_case(
        json.dumps(
            {
                "case_id": view.case_ref,
                # Marks can make a text of the greatest length a little longer.
                "struggle": (view.struggle or "")[:MAX_STRUGGLE_CHARACTERS],
                "observations": [
                    score | ({"note": score["note"][:MAX_STRUGGLE_CHARACTERS]} if "note" in score else {})
                    for score in view.observations
                ],
                "context": view.context,
                "declined": [skill_id for skill_id in view.declined if skill_id in catalogue],
                "top": view.top,
            }
        )
    )


def frozen_features(case: Case, struggle: str) -> dict[str, Any]:
    """What the model was told, as far as it is no text: kept with each list, since a case can change."""
    return {
        "context": dict(case.context),
        "declined": list(case.declined),
        "observations": len(case.observations),
        "struggle_characters": len(struggle),
    }


def _owner(session: StoreSession, actor: Actor, case: AskedCase) -> tuple[str | None, str | None]:
    if actor.kind == "person" and "teacher" in actor.roles:
        return actor.id, None
    if actor.kind == "app" and "write" in actor.scopes:
        known = case.teacher_id and person_with_external_id(session, actor.tenant_id, case.teacher_id)
        return known or None, actor.id
    raise NotAllowedError("somebody else", wanted="a teacher, or an app whose key may write")


def _known(session: StoreSession, actor: Actor, case_id: str) -> StoredCase:
    visible(session, actor, Case, case_id)
    first = session.scalar(
        select(RankingShown.id)
        .where(RankingShown.tenant_id == actor.tenant_id, RankingShown.case_id == case_id)
        .order_by(RankingShown.shown_at, RankingShown.id)
        .limit(1)
    )
    if first is None:
        raise StoreError("a case without a ranking", wanted="both, as they are stored together")
    return StoredCase(case_id, first, is_known=True)
