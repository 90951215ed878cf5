"""Names of people, for whoever may know them: many at once, because a page asks for all it shows."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import exists, or_, select, true

from service.store.actors import Actor
from service.store.database import StoreSession
from service.store.tables.people import Link, Person
from service.store.text_vault import in_steps


def known_names(session: StoreSession, actor: Actor, person_ids: Iterable[str | None]) -> dict[str, str]:
    """Names by id of those among the people whom the actor may know: themselves, whoever they are linked with now, and
    everybody of the tenant for an administrator. The others are left out; so is None.
    """
    wanted = sorted({person_id for person_id in person_ids if person_id is not None})
    linked = exists().where(
        Link.tenant_id == Person.tenant_id,
        Link.ended_at.is_(None),
        or_(
            (Link.coach_id == actor.id) & (Link.teacher_id == Person.id),
            (Link.teacher_id == actor.id) & (Link.coach_id == Person.id),
        ),
    )
    may_know = true() if actor.administers else or_(Person.id == actor.id, linked)
    names: dict[str, str] = {}
    for ids in in_steps(wanted):
        query = select(Person.id, Person.name).where(Person.tenant_id == actor.tenant_id, Person.id.in_(ids), may_know)
        names |= {row.id: row.name for row in session.execute(query)}
    return names
