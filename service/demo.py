"""The demo school: made-up teachers, coaches and months of work, ranked by the real model, to look around in."""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import numpy as np
from sqlalchemy import exists, select
from sqlalchemy.orm import aliased

from recommender.training.simulate.demo_district import PREFIX, DemoDistrict, demo_district
from service.casework import Casework
from service.demo_practice import Player, Steps, Story
from service.demo_texts import DemoPeople, DemoTexts, demo_texts
from service.metrics import Metrics
from service.served_model import ServedModel
from service.settings import Settings
from service.store.actors import Actor, operator, person_actor
from service.store.consents import give_consent
from service.store.database import Database, StoreSession, utc_now
from service.store.keys import create_key
from service.store.links import create_link
from service.store.observations import store_scores
from service.store.people import create_person, create_tenant
from service.store.sign_in_links import issue_link, link_address
from service.store.tables.cases import Review
from service.store.tables.consents import CONSENT_SCOPES
from service.store.tables.cycles import Cycle, CycleShare
from service.store.tables.people import Person, PersonRole, Role, Tenant
from service.store.tenant_norms import refit_norms

# The term before today; scores are of the school year before that.
TERM = timedelta(weeks=16)
SCHOOL_YEAR = timedelta(weeks=42)
ADMINISTRATOR, LEAD = f"{PREFIX}-administrator", f"{PREFIX}-lead"


@dataclass(frozen=True)
class DemoSchool:
    """What was made: the tenant, and how many teachers."""

    tenant_id: str
    teachers: int


@dataclass(frozen=True)
class DemoLink:
    """A fresh address that signs one of the made-up people in, once. The address is left out of its text."""

    name: str
    role: Role
    address: str = field(repr=False)


def seed_demo(
    database: Database,
    model: ServedModel,
    seed: int = 7,
    now: datetime | None = None,
    texts: DemoTexts | None = None,
) -> DemoSchool | None:
    """Fill an empty database with the demo school; None when there is a tenant already. ``texts`` None: the shipped.

    The same seed, ``now`` and model version give the same school but for its ids, which are never twice the same. All
    of it is kept or nothing. Takes seconds, in which nobody else can write: do it before anybody is served.
    """
    moment, texts = now or utc_now(), texts or demo_texts()
    with database.write() as session:
        if session.scalar(select(Tenant.id).limit(1)) is not None:
            return None
        district = demo_district(
            seed,
            teachers=len(texts.people.teachers),
            observers=len(texts.people.coaches),
            schools=1,
            first_day=(moment - TERM - SCHOOL_YEAR).date(),
        )
        tenant_id, players = _people(session, texts, district, seed, moment - TERM)
        _scores(session, model, tenant_id, district, moment - TERM)
        # Counted apart: nobody asked for these rankings.
        desk = Casework(_Within(database, session), model, Metrics())
        _tell([Story(desk, texts, player, seed, moment).steps() for player in players])
        return DemoSchool(tenant_id, len(players))


def demo_links(database: Database, settings: Settings) -> list[DemoLink]:
    """Fresh links for a teacher, their coach, the administrator and the safeguarding lead of the demo school.

    The teacher has practice going on that the coach follows, on a moment the coach has reviewed; of other teachers the
    coach has moments that nobody has looked at. Empty when there is no demo school; whoever has left or was deleted is
    left out.
    """
    with database.write() as session:
        tenant_id = session.scalar(select(Tenant.id).where(Tenant.is_demo).order_by(Tenant.created_at).limit(1))
        if tenant_id is None:
            return []
        root = operator(session, tenant_id)
        return [
            DemoLink(
                session.get_one(Person, (tenant_id, person_id)).name,
                role,
                link_address(settings, issue_link(session, root, person_id)),
            )
            for person_id, role in _to_show(session, tenant_id)
        ]


def _to_show(session: StoreSession, tenant_id: str) -> Iterator[tuple[str, Role]]:
    """Whom a visitor may be: person and role. A teacher who has ended practice before comes first."""
    before = aliased(Cycle)
    has_ended = exists().where(
        before.tenant_id == Cycle.tenant_id, before.teacher_id == Cycle.teacher_id, before.state == "finished"
    )
    pair = session.execute(
        select(Cycle.teacher_id, Review.coach_id)
        .join(CycleShare, (CycleShare.tenant_id == Cycle.tenant_id) & (CycleShare.cycle_id == Cycle.id))
        .join(
            Review,
            (Review.tenant_id == Cycle.tenant_id)
            & (Review.case_id == Cycle.case_id)
            & (Review.coach_id == CycleShare.coach_id),
        )
        .join(Person, (Person.tenant_id == Cycle.tenant_id) & (Person.id == Cycle.teacher_id))
        .where(
            Cycle.tenant_id == tenant_id,
            Cycle.state == "open",
            CycleShare.revoked_at.is_(None),
            Person.left_at.is_(None),
        )
        .order_by(has_ended.desc(), Cycle.teacher_id, Review.coach_id)
        .limit(1)
    ).one_or_none()
    roles: tuple[Role, ...] = ("administrator", "safeguarding")
    if pair is not None:
        yield pair.teacher_id, "teacher"
        if pair.coach_id is not None:
            yield pair.coach_id, "coach"
    else:
        roles = ("teacher", "coach", *roles)
    for role in roles:
        person_id = session.scalar(
            select(Person.id)
            .join(PersonRole, (PersonRole.tenant_id == Person.tenant_id) & (PersonRole.person_id == Person.id))
            .where(Person.tenant_id == tenant_id, PersonRole.role == role, Person.left_at.is_(None))
            .order_by(Person.id)
            .limit(1)
        )
        if person_id is not None:
            yield person_id, role


class _Within(Database):
    """A database whose every transaction is part of one that is open already."""

    def __init__(self, database: Database, session: StoreSession) -> None:
        super().__init__(database.engine, database.text_keys)
        self._session = session

    @contextmanager
    def write(self) -> Iterator[StoreSession]:
        """The open transaction; what was written is there for the next statement."""
        yield self._session
        self._session.flush()

    read = write


def _people(
    session: StoreSession, texts: DemoTexts, district: DemoDistrict, seed: int, now: datetime
) -> tuple[str, list[Player]]:
    """The tenant with everybody in it, each teacher linked with a coach; its id and the teachers."""
    tenant_id = create_tenant(
        session, texts.tenant, safeguarding_contact=texts.safeguarding_contact, is_demo=True, now=now
    )  # fmt: skip
    root, people = operator(session, tenant_id), texts.people
    actors = {
        external_id: person_actor(
            session, tenant_id, create_person(session, root, name, [role], external_id=external_id, now=now)
        )
        for external_id, name, role in _named(people, district)
    }
    create_key(session, root, texts.app, ["score", "write"], now=now)
    groups = [group for group in texts.groups for _ in range(group.teachers)]
    places = np.random.default_rng(seed).permutation(len(groups))
    players = []
    for place, (teacher, given) in enumerate(zip(district.teachers, places, strict=True)):
        # The teachers of a group go to the coaches in turn, so that every coach finds some of each larger group.
        coach = actors[_coach_id(given, people)]
        create_link(session, root, coach.id, actors[teacher.teacher_id].id, now=now)
        players.append(Player(place, actors[teacher.teacher_id], coach, teacher, groups[given]))
    _agree(session, actors, players, now)
    return tenant_id, players


def _agree(session: StoreSession, actors: Mapping[str, Actor], players: Sequence[Player], now: datetime) -> None:
    """The school agrees to learning from use; of its people some do, some to choices alone, some to nothing."""
    for scope in CONSENT_SCOPES:
        give_consent(session, actors[ADMINISTRATOR], scope, of_tenant=True, now=now)
    coaches = {player.coach.id: player.coach for player in players}
    for place, coach in enumerate(coaches.values()):
        if place % 3 != 2:
            give_consent(session, coach, "decisions", now=now)
    for player in players:
        for scope in CONSENT_SCOPES[: player.place % 3]:
            give_consent(session, player.actor, scope, now=now)


def _named(people: DemoPeople, district: DemoDistrict) -> Iterator[tuple[str, str, Role]]:
    """External id, name and role of everybody."""
    yield ADMINISTRATOR, people.administrator, "administrator"
    yield LEAD, people.safeguarding_lead, "safeguarding"
    for place, name in enumerate(people.coaches):
        yield _coach_id(place, people), name, "coach"
    for teacher, name in zip(district.teachers, people.teachers, strict=True):
        yield teacher.teacher_id, name, "teacher"


def _coach_id(place: int, people: DemoPeople) -> str:
    return f"{PREFIX}-coach-{place % len(people.coaches) + 1}"


def _scores(session: StoreSession, model: ServedModel, tenant_id: str, district: DemoDistrict, now: datetime) -> None:
    root = operator(session, tenant_id)
    store_scores(session, root, district.scores, now)
    refit_norms(session, root, model.recommender.instruments, now)


def _tell(stories: list[Steps]) -> None:
    """Take every story's steps in the order of time, so that the record of events reads as it happened."""
    waiting = [(next(story), place) for place, story in enumerate(stories)]
    heapq.heapify(waiting)
    while waiting:
        _, place = heapq.heappop(waiting)
        following = next(stories[place], None)
        if following is not None:
            heapq.heappush(waiting, (following, place))
