"""A district of any size with a term of work in it, written by SQL in seconds and not by ranking."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import insert

from recommender.catalogue.loader import load_catalogue
from service.store.actors import Actor, operator, person_actor
from service.store.database import StoreSession, utc_now
from service.store.people import create_person, create_tenant
from service.store.tables.cases import Case, CaseShare, Choice, RankingShown, SuggestionShown
from service.store.tables.cycles import CheckIn, Cycle, CycleShare, FollowUp
from service.store.tables.events import Event
from service.store.tables.people import Link, Person, PersonRole
from service.store.tables.texts import StoredText
from service.ulid import new_ulid

STRUGGLE = "The same three students answer every question I ask and the rest wait for them to do it."
CASES_A_TEACHER, TEACHERS_A_COACH = 50, 20
# What is chosen begins practice; every fifth case, as a cycle takes six weeks.
CHOSEN_EVERY = 5
# The work of a year and some weeks.
SPAN = timedelta(weeks=60)
ROWS_A_STEP = 5_000
SKILLS = [skill.id for skill in load_catalogue()]
QUEUED = ("new", "changed", "waiting")

Rows = dict[Any, list[dict[str, Any]]]


@dataclass(frozen=True)
class District:
    """A tenant with one of its coaches, a teacher of theirs, an administrator and the lead.

    ``case_id`` and ``cycle_id``: of that teacher, shared with that coach.
    """

    tenant_id: str
    coach: Actor
    teacher: Actor
    administrator: Actor
    lead: Actor
    case_id: str
    cycle_id: str


def fill(session: StoreSession, cases: int, *, now: datetime | None = None) -> District:
    """A tenant with so many cases, 50 of each teacher, 20 teachers of each coach, all shared; the first pair's."""
    moment = now or utc_now()
    tenant_id = create_tenant(session, "District", now=moment - SPAN)
    root = operator(session, tenant_id)
    keepers = [create_person(session, root, role, [role]) for role in ("administrator", "safeguarding")]
    pairs = _add_people(session, tenant_id, cases, moment - SPAN)
    shown: dict[str, str] = {}
    for start in range(0, cases, ROWS_A_STEP):
        rows: Rows = {}
        for number in range(start, min(start + ROWS_A_STEP, cases)):
            pair = pairs[number % len(pairs)]
            at = moment - SPAN + SPAN * (number + 1) / (cases + 1)
            # The open cycle of a teacher is their last one.
            is_last = number + CHOSEN_EVERY * len(pairs) >= cases
            ids = _add_case(
                rows, tenant_id, pair, number, at, is_chosen=_is_chosen(number, len(pairs)), is_open=is_last
            )
            if pair == pairs[0]:
                shown |= ids
        for table, of_table in rows.items():
            session.execute(insert(table), of_table)
    administrator, lead, coach, teacher = (
        person_actor(session, tenant_id, person) for person in (*keepers, pairs[0]["coach"], pairs[0]["teacher"])
    )
    return District(tenant_id, coach, teacher, administrator, lead, shown["case"], shown["cycle"])


def _is_chosen(number: int, teachers: int) -> bool:
    return number // teachers % CHOSEN_EVERY == 0


def _add_people(session: StoreSession, tenant_id: str, cases: int, at: datetime) -> list[dict[str, str]]:
    """Teachers, each with a coach and a link."""
    teachers = max(1, cases // CASES_A_TEACHER)
    coaches = [new_ulid() for _ in range(max(1, teachers // TEACHERS_A_COACH))]
    pairs = [
        {"teacher": new_ulid(), "coach": coaches[number % len(coaches)], "link": new_ulid()}
        for number in range(teachers)
    ]
    people = [(person, "coach") for person in coaches] + [(pair["teacher"], "teacher") for pair in pairs]
    _insert(
        session, Person,
        ({"tenant_id": tenant_id, "id": person, "name": f"{role} {n:05}", "external_id": f"x-{n}", "created_at": at}
         for n, (person, role) in enumerate(people)),
    )  # fmt: skip
    _insert(session, PersonRole, ({"tenant_id": tenant_id, "person_id": p, "role": role} for p, role in people))
    _insert(
        session, Link,
        ({"tenant_id": tenant_id, "id": pair["link"], "coach_id": pair["coach"], "teacher_id": pair["teacher"],
          "created_at": at} for pair in pairs),
    )  # fmt: skip
    return pairs


def _insert(session: StoreSession, table: Any, rows: Iterator[dict[str, Any]]) -> None:
    session.execute(insert(table), list(rows))


def _add_case(
    rows: Rows, tenant_id: str, pair: Mapping[str, str], number: int, at: datetime, *, is_chosen: bool, is_open: bool
) -> dict[str, str]:
    """The rows of one case, and of its practice where a skill was chosen; its ids."""
    case, ranking = new_ulid(), new_ulid()

    def add(table: Any, **row: Any) -> None:
        rows.setdefault(table, []).append({"tenant_id": tenant_id} | row)

    def happened(action: str, subject: str, actor: str = pair["teacher"]) -> None:
        add(Event, id=new_ulid(), at=at, actor_kind="person", actor_id=actor, action=action,
            subject_kind=action.partition(".")[0], subject_id=subject, person_id=pair["teacher"], facts={})  # fmt: skip

    add(Case, id=case, teacher_id=pair["teacher"], case_ref="page", context={"grade_band": "middle"}, top=3,
        observations=[], declined=[], created_at=at, changed_at=at)  # fmt: skip
    add(StoredText, id=new_ulid(), subject_kind="case", subject_id=case, field="struggle", key_id=None,
        content=json.dumps([STRUGGLE]).encode(), written_at=at)  # fmt: skip
    add(RankingShown, id=ranking, case_id=case, shown_at=at, status="ranked", notices=[], model_version="bench",
        catalogue_version="bench", features={})  # fmt: skip
    for rank, skill in enumerate(_skills(number), start=1):
        add(SuggestionShown, ranking_id=ranking, rank=rank, skill_id=skill, name=skill, probability=0.5 / rank,
            confidence="likely", score=1.0 / rank, propensity=1.0,
            reasons=[{"source": "prior", "text": "Where every skill starts.", "effect": 1.0 / rank}])  # fmt: skip
    state = "done" if is_chosen else QUEUED[number % len(QUEUED)]
    add(CaseShare, case_id=case, coach_id=pair["coach"], link_id=pair["link"], shared_at=at, state=state, queued_at=at)
    happened("case.created", case)
    happened("case.shared", case)
    if not is_chosen:
        return {"case": case}
    choice, cycle, began = new_ulid(), new_ulid(), at.date()
    ended = None if is_open else began + timedelta(weeks=6)
    add(Choice, id=choice, case_id=case, ranking_id=ranking, teacher_id=pair["teacher"], skill_id=_skills(number)[0],
        decision="chosen", rank=1, decided_at=at)  # fmt: skip
    add(Cycle, id=cycle, teacher_id=pair["teacher"], case_id=case, choice_id=choice, skill_id=_skills(number)[0],
        state="open" if is_open else "finished", started_on=began, weeks=6, planned_end=began + timedelta(weeks=6),
        ended_on=ended, created_at=at)  # fmt: skip
    add(CycleShare, cycle_id=cycle, coach_id=pair["coach"], link_id=pair["link"], shared_at=at)
    for week in range(2):
        add(CheckIn, id=new_ulid(), cycle_id=cycle, person_id=pair["teacher"], times_tried=2, created_at=at,
            happened_on=began + timedelta(weeks=week))  # fmt: skip
    for phase, seen in (("baseline", 1), ("follow_up", 3)):
        add(FollowUp, id=new_ulid(), cycle_id=cycle, observer_id=pair["coach"], phase=phase, observed_on=began,
            seen=seen, looked_for=4, created_at=at)  # fmt: skip
    for action, subject in (("choice.made", choice), ("cycle.started", cycle), ("cycle.shared", cycle)):
        happened(action, subject)
    return {"case": case, "cycle": cycle}


def _skills(number: int) -> Sequence[str]:
    return [SKILLS[(number + place) % len(SKILLS)] for place in range(3)]
