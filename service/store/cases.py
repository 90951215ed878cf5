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
from service.store.deletion import delete_case_texts
from service.store.drafts import drop_draft
from service.store.errors import ConflictError, NotAllowedError, StoreError
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
    beside: Sequence[str] = (),
    features: Mapping[str, Any] | None = None,
    propensities: Sequence[float] = (),
    idempotency_key: str | None = None,
    now: datetime | None = None,
) -> StoredCase:
    """Store a case with the ranking that was shown for it: of the teacher who asks, or sent by an app.

    An app's ``teacher_id`` is a person's ``external_id``; a case of somebody who is not in the tenant stays the app's
    alone. Struggle, notes and quotes are redacted together first, and none of them is kept where the answer is a
    safeguarding message: neither the words nor the teacher's draft of them. ``beside`` are stored texts that were read
    as well, such as notes beside imported scores, which a reason may quote. The same ``idempotency_key`` stores nothing
    twice. Raises NotAllowedError for anybody else, ConflictError for a key used for another case.
    """
    moment = now or utc_now()
    teacher_id, app = _owner(session, actor, case)
    if ranking.status == "safeguarding":
        case, ranking = _without_words(case), _unquoted(ranking)
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
        texts_deleted_at=moment if ranking.status == "safeguarding" else None,
    )
    session.add(row)
    session.flush()
    if ranking.status == "safeguarding" and actor.kind == "person":
        drop_draft(session, actor)
    write_texts(session, Place(actor.tenant_id, "case", row.id, "struggle"), [struggle], moment)
    write_texts(session, Place(actor.tenant_id, "case", row.id, "notes"), clean_notes, moment)
    ranking_id = store_ranking(
        session,
        row,
        ranking,
        [struggle, *clean_notes, *beside],
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
    was_declined: Sequence[str] | None = None,
    beside: Sequence[str] = (),
    features: Mapping[str, Any] | None = None,
    propensities: Sequence[float] = (),
    now: datetime | None = None,
) -> str:
    """Store a further ranking of a case, after something was declined; its id. ``declined`` replaces the case's list;
    ``beside``: see ``store_case``.

    Rank the case as it is stored (``asked_again``): a quote that is not in the stored text is not kept. A safeguarding
    answer deletes the case's texts. ``was_declined`` is the case's list when it was ranked: raises ConflictError when
    it is another by now.
    """
    moment, case = now or utc_now(), own(session, actor, Case, case_id)
    if was_declined is not None:
        # Locked, so that of two who decline at once the second sees what the first left.
        session.refresh(case, with_for_update=True)
        if case.declined != list(was_declined):
            raise ConflictError("a case that has changed since it was ranked", wanted="the case ranked again")
    case.declined = list(declined)
    if ranking.status == "safeguarding":
        ranking = _unquoted(ranking)
        delete_case_texts(session, case.tenant_id, [case.id])
        case.texts_deleted_at = moment
    texts = read_many(session, case.tenant_id, "case", [case.id])
    struggle = texts.get((case.id, "struggle"), [""])[0]
    ranking_id = store_ranking(
        session,
        case,
        ranking,
        [*(text for stored in texts.values() for text in stored), *beside],
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


def _without_words(case: AskedCase) -> AskedCase:
    """The case as it is kept where its words must not be: not even as a hash of them."""
    observations = [observation.model_copy(update={"note": None}) for observation in case.observations]
    return case.model_copy(update={"struggle": "", "observations": observations})


def _unquoted(ranking: Ranking) -> Ranking:
    """A message as it is kept: no suggestion that could quote, no hash by which a guessed text could be confirmed."""
    return ranking.model_copy(update={"suggestions": [], "input_hash": ""})


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
