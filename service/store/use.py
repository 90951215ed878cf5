"""How the service is used, for administrators: people a week by what was done, and what administration did."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import get_args

from sqlalchemy import distinct, exists, func, or_, select
from sqlalchemy.orm import aliased

from recommender.errors import CaseError
from service.store.actors import Actor, require_administrator
from service.store.counts import Cells, last_monday
from service.store.database import StoreSession, utc_now
from service.store.errors import NotAllowedError
from service.store.events import Action
from service.store.pages import Page, before, checked_limit, cursor_of, page_of
from service.store.suppression import suppress_sum
from service.store.tables.events import ActorKind, Event
from service.store.tables.people import Person, PersonRole

# Administration's own matters; all else people do here is coaching and is only counted.
ADMINISTRATIVE_SUBJECTS = ("tenant", "person", "link", "key", "sign_in", "scores", "norms")
# What a person has of their own data is nobody else's business, whatever their role.
PRIVATE_ACTIONS = ("person.exported",)
# Alerts are for the safeguarding lead alone, and consent for whoever gives it: not even counted.
COUNTED_ACTIONS = tuple(action for action in get_args(Action) if not action.startswith(("alert.", "consent.")))
DEFAULT_WEEKS = 12
MAX_WEEKS = 104


@dataclass(frozen=True)
class WeekOfUse:
    """One ISO week, Monday to Sunday in UTC: by action, how many people it concerned; None: fewer than ten."""

    begins_on: date
    people: Cells


@dataclass(frozen=True)
class AdministrativeEvent:
    """Something administration did: who, what, when, and whom it concerned.

    ``actor_name`` None: the operator, an app, or somebody deleted; ``person_id`` None: nobody, or somebody deleted.
    """

    id: str
    at: datetime
    actor_kind: ActorKind
    actor_id: str
    actor_name: str | None
    action: str
    subject_id: str
    person_id: str | None
    person_name: str | None


def use_by_week(
    session: StoreSession, actor: Actor, weeks: int = DEFAULT_WEEKS, now: datetime | None = None
) -> list[WeekOfUse]:
    """The last whole weeks, latest first, for administrators and the operator.

    Counted are people, not events: ten events may be one person's. Each number stands alone, as no sum of a week is
    told. Raises NotAllowedError for anybody else, CaseError for more than 104 weeks.
    """
    _require_administrator(actor)
    if not 1 <= weeks <= MAX_WEEKS:
        raise CaseError(f"{weeks} weeks", wanted=f"1 to {MAX_WEEKS}")
    until = last_monday(now or utc_now())
    return [_week(session, actor, until - timedelta(weeks=number)) for number in range(1, weeks + 1)]


def administrative_events(
    session: StoreSession, actor: Actor, after: str | None = None, limit: int = 50
) -> Page[AdministrativeEvent]:
    """What administrators, apps that administer and the operator did with people, links, keys, scores, latest first.

    Nothing of coaching is in it. For administrators and the operator; raises NotAllowedError for anybody else.
    """
    _require_administrator(actor)
    doer, concerned = aliased(Person), aliased(Person)
    is_administrator = exists().where(
        PersonRole.tenant_id == Event.tenant_id, PersonRole.person_id == Event.actor_id,
        PersonRole.role == "administrator",
    )  # fmt: skip
    query = (
        select(Event, doer.name, concerned.id, concerned.name)
        .outerjoin(
            doer, (Event.actor_kind == "person") & (doer.tenant_id == Event.tenant_id) & (doer.id == Event.actor_id)
        )
        .outerjoin(concerned, (concerned.tenant_id == Event.tenant_id) & (concerned.id == Event.person_id))
        .where(
            Event.tenant_id == actor.tenant_id,
            Event.subject_kind.in_(ADMINISTRATIVE_SUBJECTS),
            Event.action.not_in(PRIVATE_ACTIONS),
            or_(Event.actor_kind != "person", is_administrator),
            *before(after, Event.at, Event.id),
        )
        .order_by(Event.at.desc(), Event.id.desc())
        .limit(checked_limit(limit) + 1)
    )
    events = [
        AdministrativeEvent(
            event.id,
            event.at,
            event.actor_kind,  # type: ignore[arg-type]
            event.actor_id,
            doer_name,
            event.action,
            event.subject_id,
            person_id,
            person_name,
        )
        for event, doer_name, person_id, person_name in session.execute(query)
    ]
    return page_of(events, limit, lambda event: cursor_of(event.at, event.id))


def _week(session: StoreSession, actor: Actor, begins: datetime) -> WeekOfUse:
    query = (
        select(Event.action, func.count(distinct(Event.person_id)))
        .where(
            Event.tenant_id == actor.tenant_id,
            Event.at >= begins,
            Event.at < begins + timedelta(weeks=1),
            Event.action.in_(COUNTED_ACTIONS),
        )
        .group_by(Event.action)
    )
    found = dict.fromkeys(COUNTED_ACTIONS, 0) | dict(session.execute(query).all())
    return WeekOfUse(begins.date(), {action: suppress_sum(people) for action, people in found.items()})


def _require_administrator(actor: Actor) -> None:
    require_administrator(actor)
    if actor.kind == "app":
        raise NotAllowedError("an app", wanted="an administrator")
