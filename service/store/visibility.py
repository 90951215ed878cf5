"""The one rule of who sees a case or a cycle. Every query goes through ``may_see``.

The teacher sees their own. A coach sees what the teacher shared with them, as long as it is shared and the two are
linked. An app sees the cases it sent. An administrator and the operator see none: they have counts and commands.
"""

from __future__ import annotations

from typing import TypeVar

from sqlalchemy import ColumnElement, and_, exists, false, or_, select
from sqlalchemy.orm import aliased

from service.store.actors import Actor
from service.store.database import StoreSession
from service.store.errors import NotAllowedError, NotFoundError
from service.store.tables.cases import Case, CaseShare
from service.store.tables.cycles import Cycle, CycleShare
from service.store.tables.people import Link

Seen = TypeVar("Seen", Case, Cycle)


def may_see(actor: Actor, owned: type[Case] | type[Cycle]) -> ColumnElement[bool]:
    """Condition on rows of ``owned``: in the actor's tenant, and visible to the actor."""
    in_tenant = owned.tenant_id == actor.tenant_id
    if actor.kind == "app":
        return and_(in_tenant, _sent_by(actor, owned))
    if actor.kind != "person":
        return false()
    if "coach" in actor.roles:
        return and_(in_tenant, or_(owned.teacher_id == actor.id, _is_shared(actor, owned)))
    return and_(in_tenant, owned.teacher_id == actor.id)


def _is_shared(actor: Actor, owned: type[Case] | type[Cycle]) -> ColumnElement[bool]:
    # Aliases, so that a query that has these tables itself does not lend its rows to the condition.
    link, of_case, of_cycle = aliased(Link), aliased(CaseShare), aliased(CycleShare)
    share = of_case if owned is Case else of_cycle
    return exists().where(
        share.tenant_id == owned.tenant_id,
        of_case.case_id == owned.id if owned is Case else of_cycle.cycle_id == owned.id,
        share.coach_id == actor.id,
        share.revoked_at.is_(None),
        link.tenant_id == share.tenant_id,
        link.id == share.link_id,
        link.ended_at.is_(None),
    )


def _sent_by(actor: Actor, owned: type[Case] | type[Cycle]) -> ColumnElement[bool]:
    if owned is Case:
        return Case.app == actor.id
    case = aliased(Case)
    return exists().where(case.tenant_id == Cycle.tenant_id, case.id == Cycle.case_id, case.app == actor.id)


def visible(session: StoreSession, actor: Actor, owned: type[Seen], owned_id: str) -> Seen:
    """The case or cycle, if the actor sees it. Raises NotFoundError otherwise."""
    found = session.scalar(select(owned).where(may_see(actor, owned), owned.id == owned_id))
    if found is None:
        raise NotFoundError(owned.__name__.lower())
    return found


def own(session: StoreSession, actor: Actor, owned: type[Seen], owned_id: str) -> Seen:
    """The case or cycle, if what happens to it is for this actor to say: its teacher, or the app that sent it for them.

    Raises NotFoundError when the actor does not see it, NotAllowedError when it is somebody else's.
    """
    found = visible(session, actor, owned, owned_id)
    if actor.kind == "person" and found.teacher_id == actor.id:
        return found
    if actor.kind == "app" and "write" in actor.scopes:
        return found
    raise NotAllowedError(f"another person's {owned.__name__.lower()}", wanted="your own")
