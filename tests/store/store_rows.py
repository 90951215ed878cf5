"""A school with one of each, a case, and a ranking whose reasons add up."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from recommender.cases import Case, Ranking, Reason, Suggestion
from service.store.actors import Actor, operator, person_actor
from service.store.cases import StoredCase, store_case
from service.store.database import StoreSession
from service.store.links import create_link
from service.store.people import create_person, create_tenant
from service.store.text_keys import TextKeys

NOW = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
STRUGGLE = "Same three hands every time I ask anything. The rest wait until somebody else has answered."
KEY = TextKeys([bytes(range(32))])


@dataclass(frozen=True)
class School:
    """A tenant with one of each."""

    tenant_id: str
    operator: Actor
    administrator: Actor
    teacher: Actor
    coach: Actor
    link_id: str


def make_school(session: StoreSession, name: str = "North") -> School:
    tenant_id = create_tenant(session, name, now=NOW)
    root = operator(session, tenant_id)
    people = {
        role: create_person(session, root, f"{name} {role}", [role], external_id=f"t-{role}", now=NOW)
        for role in ("administrator", "teacher", "coach")
    }
    link_id = create_link(session, root, people["coach"], people["teacher"], NOW)
    actors = {role: person_actor(session, tenant_id, person_id) for role, person_id in people.items()}
    return School(tenant_id, root, actors["administrator"], actors["teacher"], actors["coach"], link_id)


def add_teacher(session: StoreSession, school: School, name: str) -> Actor:
    """One more teacher, linked with the coach."""
    teacher_id = create_person(session, school.operator, name, ["teacher"], now=NOW)
    create_link(session, school.operator, school.coach.id, teacher_id, NOW)
    return person_actor(session, school.tenant_id, teacher_id)


def a_case(struggle: str = STRUGGLE, **fields: object) -> Case:
    return Case.model_validate({"case_id": "c1", "struggle": struggle} | fields)


def a_ranking(
    quote: str = "Same three hands every time I ask anything.",
    skills: tuple[str, ...] = ("cold-calling", "wait-time", "hinge-questions"),
    ranking_id: str | None = None,
) -> Ranking:
    """A list with an exact sum: prior, the teacher's words, the rest of them, an item."""
    suggestions = []
    for rank, skill_id in enumerate(skills, start=1):
        effects = (-0.2, 1.6180339887 / rank, 1 / 3, 0.1)
        suggestions.append(
            Suggestion(
                rank=rank,
                skill_id=skill_id,
                name=skill_id.replace("-", " "),
                probability=0.7 / rank,
                confidence="likely",
                score=sum(effects),
                reasons=[
                    Reason(source="prior", text="The starting point", effect=effects[0]),
                    Reason(source="struggle", text=quote, effect=effects[1]),
                    Reason(source="struggle", text="The rest of what you wrote", effect=effects[2]),
                    Reason(
                        source="observation", text="Questioning: more room to grow", effect=effects[3],
                        instrument="danielson-2022", item="3b",
                    ),
                ],
            )
        )  # fmt: skip
    return Ranking(
        ranking_id=ranking_id,
        case_id="c1",
        status="ranked",
        suggestions=suggestions,
        evidence_grade="C",
        model_version="2026.11",
        catalogue_version="abc",
        input_hash="sha256:" + "0" * 64,
    )


def wait_for(condition: Callable[[], object], seconds: float = 20) -> None:
    """Wait until a condition holds."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.05)


def stored(session: StoreSession, actor: Actor, struggle: str = STRUGGLE, now: datetime = NOW) -> StoredCase:
    """A case of a teacher with the list of ``a_ranking``."""
    return store_case(session, actor, a_case(struggle), a_ranking(struggle.split(".")[0] + "."), now=now)
