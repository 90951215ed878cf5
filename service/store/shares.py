"""A teacher's consent, item by item and coach by coach: given, taken back, and what it does to a coach's queue."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, exists, select

from service.store.actors import Actor
from service.store.database import StoreSession, utc_now
from service.store.errors import NotAllowedError, NotFoundError
from service.store.events import Action, record
from service.store.links import active_link
from service.store.tables.cases import Case, CaseShare, Choice, QueueState, Review
from service.store.tables.cycles import Cycle, CycleShare
from service.store.tables.people import Link
from service.store.visibility import own


def share_case(session: StoreSession, actor: Actor, case_id: str, coach_id: str, now: datetime | None = None) -> None:
    """Let a linked coach see one case, with all that is and will be part of it. Sharing again changes nothing.

    Raises NotAllowedError for anybody but the teacher, NotFoundError for a case or coach they do not have.
    """
    moment, case = now or utc_now(), own(session, actor, Case, case_id)
    link = _own_link(session, actor, case.teacher_id, coach_id)
    known = session.get(CaseShare, (actor.tenant_id, case_id, coach_id))
    if known is not None and known.revoked_at is None and known.link_id == link.id:
        return
    state = _state(session, case, coach_id)
    share = known or CaseShare(tenant_id=actor.tenant_id, case_id=case_id, coach_id=coach_id)
    share.link_id, share.shared_at, share.revoked_at, share.state, share.queued_at = (
        link.id,
        moment,
        None,
        state,
        moment,
    )
    session.add(share)
    session.flush()
    record(session, actor, "case.shared", case_id, person_id=case.teacher_id, now=moment, coach=coach_id)


def revoke_case(session: StoreSession, actor: Actor, case_id: str, coach_id: str, now: datetime | None = None) -> None:
    """Hide a case from a coach at once. Raises as ``share_case``."""
    case = own(session, actor, Case, case_id)
    _revoke(session, actor, case, session.get(CaseShare, (actor.tenant_id, case_id, coach_id)), coach_id, now)


def share_cycle(session: StoreSession, actor: Actor, cycle_id: str, coach_id: str, now: datetime | None = None) -> None:
    """Let a linked coach see one cycle. It does not share the case behind it. Raises as ``share_case``."""
    moment, cycle = now or utc_now(), own(session, actor, Cycle, cycle_id)
    link = _own_link(session, actor, cycle.teacher_id, coach_id)
    known = session.get(CycleShare, (actor.tenant_id, cycle_id, coach_id))
    if known is not None and known.revoked_at is None and known.link_id == link.id:
        return
    share = known or CycleShare(tenant_id=actor.tenant_id, cycle_id=cycle_id, coach_id=coach_id)
    share.link_id, share.shared_at, share.revoked_at = link.id, moment, None
    session.add(share)
    session.flush()
    record(session, actor, "cycle.shared", cycle_id, person_id=cycle.teacher_id, now=moment, coach=coach_id)


def revoke_cycle(
    session: StoreSession, actor: Actor, cycle_id: str, coach_id: str, now: datetime | None = None
) -> None:
    """Hide a cycle from a coach at once. Raises as ``share_case``."""
    cycle = own(session, actor, Cycle, cycle_id)
    _revoke(session, actor, cycle, session.get(CycleShare, (actor.tenant_id, cycle_id, coach_id)), coach_id, now)


def shared_with(session: StoreSession, actor: Actor, case_id: str) -> list[str]:
    """Ids of the coaches who see a case of the actor's now."""
    own(session, actor, Case, case_id)
    query = select(CaseShare.coach_id).where(
        CaseShare.tenant_id == actor.tenant_id, CaseShare.case_id == case_id, *_is_active(CaseShare)
    )
    return list(session.scalars(query.order_by(CaseShare.coach_id)))


def case_changed(session: StoreSession, case: Case, now: datetime, state: QueueState = "changed") -> None:
    """Say that a case is another than before; coaches who had answered, or were done, find it in their queue again.

    ``state`` "done" takes it out of what is open in every queue.
    """
    case.changed_at = now
    shares = session.scalars(
        select(CaseShare).where(CaseShare.tenant_id == case.tenant_id, CaseShare.case_id == case.id)
    )
    for share in shares:
        # A case nobody has looked at stays new, and in its place.
        if share.state != "new" or state == "done":
            share.state, share.queued_at = state, now
    session.flush()


def case_reviewed(session: StoreSession, case: Case, coach_id: str, now: datetime) -> None:
    """Say that a coach has answered: in their queue the case now waits for the teacher."""
    case.changed_at = now
    share = session.get_one(CaseShare, (case.tenant_id, case.id, coach_id))
    if share.state != "done":
        share.state, share.queued_at = "waiting", now
    session.flush()


def _own_link(session: StoreSession, actor: Actor, teacher_id: str | None, coach_id: str) -> Link:
    if actor.kind != "person" or teacher_id is None:
        raise NotAllowedError("an app", wanted="the teacher: consent is a person's")
    link = active_link(session, actor, coach_id, teacher_id)
    if link is None:
        raise NotFoundError("coach")
    return link


def _revoke(
    session: StoreSession,
    actor: Actor,
    owned: Case | Cycle,
    share: CaseShare | CycleShare | None,
    coach_id: str,
    now: datetime | None,
) -> None:
    if actor.kind != "person":
        raise NotAllowedError("an app", wanted="the teacher: consent is a person's")
    if share is None:
        raise NotFoundError("share")
    if share.revoked_at is None:
        share.revoked_at = now or utc_now()
        action: Action = "case.revoked" if isinstance(owned, Case) else "cycle.revoked"
        record(
            session, actor, action, owned.id, person_id=owned.teacher_id, now=share.revoked_at, coach=coach_id
        )  # fmt: skip
        session.flush()


def _is_active(share: type[CaseShare] | type[CycleShare]) -> tuple[ColumnElement[bool], ...]:
    linked = exists().where(Link.tenant_id == share.tenant_id, Link.id == share.link_id, Link.ended_at.is_(None))
    return share.revoked_at.is_(None), linked


def _state(session: StoreSession, case: Case, coach_id: str) -> QueueState:
    """Where a case stands for a coach it is shared with now."""
    latest: Any = session.scalar(
        select(Choice.decision)
        .where(Choice.tenant_id == case.tenant_id, Choice.case_id == case.id)
        .order_by(Choice.decided_at.desc(), Choice.id.desc())
        .limit(1)
    )
    if latest == "chosen":
        return "done"
    reviewed = exists().where(
        Review.tenant_id == case.tenant_id, Review.case_id == case.id, Review.coach_id == coach_id
    )
    return "changed" if session.scalar(select(reviewed)) else "new"
