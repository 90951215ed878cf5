"""Everything about one person as JSON, for the person."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import date, datetime
from typing import Any

from sqlalchemy import select

from recommender.cases import INTENDED_USE
from recommender.observations import scores as table
from service.store.actors import Actor, person_actor
from service.store.alerts import own_alerts
from service.store.cases import get_case
from service.store.choices import choices_of
from service.store.consents import consents_of
from service.store.contests import contests_of
from service.store.cycles import get_cycle
from service.store.database import StoreSession, utc_now
from service.store.drafts import read_draft
from service.store.errors import NotFoundError
from service.store.events import events_about
from service.store.links import list_links
from service.store.observations import scores_of_teacher
from service.store.people import get_person
from service.store.practice import check_ins_of, follow_ups_of
from service.store.reviews import reviews_of
from service.store.sign_in import sign_ins_of
from service.store.tables.care import Contest
from service.store.tables.cases import Case, CaseShare, Review
from service.store.tables.cycles import Cycle, CycleShare

EXPORT_FORMAT = 1
_EVENTS_A_STEP = 500


def export_person(session: StoreSession, actor: Actor, person_id: str, now: datetime | None = None) -> dict[str, Any]:
    """All that is stored about a person, for themselves and the operator; dates and times as ISO 8601 text.

    What a coach can see of a teacher is all in that teacher's export. Of other teachers it holds only which cases the
    person reviewed and which contests they answered. Raises NotFoundError for anybody else.
    """
    is_theirs = actor.kind == "operator" or (actor.kind == "person" and actor.id == person_id)
    if not is_theirs:
        raise NotFoundError("person")
    person = get_person(session, actor, person_id)
    themselves = Actor(actor.tenant_id, "person", person_id) if person.has_left else person_actor(
        session, actor.tenant_id, person_id
    )  # fmt: skip
    document = {
        "format": EXPORT_FORMAT,
        "exported_at": now or utc_now(),
        "intended_use": INTENDED_USE,
        "person": asdict(person),
        "sign_ins": [asdict(sign_in) for sign_in in sign_ins_of(session, themselves, person_id)],
        "links": [asdict(link) for link in list_links(session, themselves)],
        "cases": [_case(session, themselves, case_id) for case_id in _own_ids(session, themselves, Case)],
        "cycles": [_cycle(session, themselves, cycle_id) for cycle_id in _own_ids(session, themselves, Cycle)],
        "draft": None if (draft := read_draft(session, themselves)) is None else asdict(draft),
        "consents": [asdict(consent) for consent in consents_of(session, themselves)],
        "alerts": [asdict(alert) for alert in own_alerts(session, themselves)],
        "reviews_made": _reviews_made(session, themselves),
        "contests_answered": _contests_answered(session, themselves),
        "scores": scores_of_teacher(session, themselves).drop(columns=table.TENANT).to_dict("records"),
        "events": _events(session, themselves),
    }
    plain: dict[str, Any] = json.loads(json.dumps(document, default=_written, ensure_ascii=False))
    return plain


def _own_ids(session: StoreSession, actor: Actor, owned: type[Case] | type[Cycle]) -> list[str]:
    query = select(owned.id).where(owned.tenant_id == actor.tenant_id, owned.teacher_id == actor.id)
    return list(session.scalars(query.order_by(owned.created_at, owned.id)))


def _case(session: StoreSession, actor: Actor, case_id: str) -> dict[str, Any]:
    view = get_case(session, actor, case_id)
    # Features too: a coach's page draws what observers saw from them.
    rankings = [
        {"shown_at": shown.shown_at, **shown.ranking.model_dump(mode="json"), "features": dict(shown.features)}
        for shown in view.rankings
    ]
    shares = session.scalars(
        select(CaseShare).where(CaseShare.tenant_id == actor.tenant_id, CaseShare.case_id == case_id)
    )
    return asdict(view) | {
        "rankings": rankings,
        "choices": [asdict(choice) for choice in choices_of(session, actor, case_id)],
        "reviews": [asdict(review) for review in reviews_of(session, actor, case_id)],
        "contests": [asdict(contest) for contest in contests_of(session, actor, case_id)],
        "shares": [_share(share) for share in shares],
    }


def _cycle(session: StoreSession, actor: Actor, cycle_id: str) -> dict[str, Any]:
    shares = session.scalars(
        select(CycleShare).where(CycleShare.tenant_id == actor.tenant_id, CycleShare.cycle_id == cycle_id)
    )
    return asdict(get_cycle(session, actor, cycle_id)) | {
        "check_ins": [asdict(check_in) for check_in in check_ins_of(session, actor, cycle_id)],
        "follow_ups": [asdict(follow_up) for follow_up in follow_ups_of(session, actor, cycle_id)],
        "shares": [_share(share) for share in shares],
    }


def _share(share: CaseShare | CycleShare) -> dict[str, Any]:
    return {"coach_id": share.coach_id, "shared_at": share.shared_at, "revoked_at": share.revoked_at}


def _reviews_made(session: StoreSession, actor: Actor) -> list[dict[str, Any]]:
    rows = session.execute(
        select(Review.id, Review.case_id, Review.reviewed_at)
        .where(Review.tenant_id == actor.tenant_id, Review.coach_id == actor.id)
        .order_by(Review.reviewed_at, Review.id)
    )
    return [{"id": row.id, "case_id": row.case_id, "reviewed_at": row.reviewed_at} for row in rows]


def _contests_answered(session: StoreSession, actor: Actor) -> list[dict[str, Any]]:
    rows = session.execute(
        select(Contest.id, Contest.answered_at)
        .where(Contest.tenant_id == actor.tenant_id, Contest.answered_by == actor.id)
        .order_by(Contest.answered_at, Contest.id)
    )
    return [{"id": row.id, "answered_at": row.answered_at} for row in rows]


def _events(session: StoreSession, actor: Actor) -> list[dict[str, Any]]:
    events: list[dict[str, Any]] = []
    while step := events_about(
        session, actor, actor.id, after=events[-1]["id"] if events else "", limit=_EVENTS_A_STEP
    ):
        events += [asdict(event) for event in step]
    return events


def _written(value: object) -> str:
    if isinstance(value, date | datetime):
        return value.isoformat()
    raise TypeError(f"no JSON for a {type(value).__name__}")
