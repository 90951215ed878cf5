"""Every public function of the store, called from another tenant with this tenant's ids: nothing comes back."""

from __future__ import annotations

import importlib
import inspect
import json
import logging
import pkgutil
import shutil
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, is_dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from sqlalchemy import URL, insert, select
from store_rows import KEY, NOW, School, a_case, a_ranking, make_school

import service.store
from recommender.catalogue.instruments import load_instruments
from recommender.errors import GrowthError
from recommender.observations.norms import Norms
from service.store.actors import Actor
from service.store.alerts import raise_alert
from service.store.cases import store_case
from service.store.choices import record_choice
from service.store.consents import give_consent
from service.store.contests import answer_contest, raise_contest
from service.store.cycles import start_cycle
from service.store.database import Database, StoreSession, engine_for
from service.store.drafts import save_draft
from service.store.keys import create_key
from service.store.observations import store_scores
from service.store.practice import add_check_in, add_follow_up
from service.store.reviews import SkillChange, record_review
from service.store.shares import share_case, share_cycle
from service.store.sign_in import begin_session
from service.store.sign_in_links import issue_link
from service.store.tables.base import Base
from service.store.tables.cases import Case
from service.store.tables.schema import METADATA
from service.store.tables.texts import StoredText

MARKER = "xylophonic"
STRUGGLE = f"The {MARKER} hands go up every time. The rest wait."
SCORE = {
    "teacher_id": "t-teacher", "visit": "v1", "observed_on": pd.Timestamp("2026-10-02"), "observer": "o1",
    "instrument": "danielson-2022", "item": "3b", "value": 2.0, "note": f"a {MARKER} note",
}  # fmt: skip


@dataclass(frozen=True)
class TwoSchools:
    """A school with one of everything, and a stranger."""

    database: Database
    north: School
    south: School
    ids: dict[str, Any]
    before: list[str]


def public_functions() -> dict[str, Callable[..., Any]]:
    """Every function of the store that is given an actor."""
    found = {}
    for module_info in pkgutil.iter_modules(service.store.__path__):
        module = importlib.import_module(f"service.store.{module_info.name}")
        for name, function in inspect.getmembers(module, inspect.isfunction):
            is_own = function.__module__ == module.__name__ and not name.startswith("_")
            if is_own and {"session", "actor"} <= set(inspect.signature(function).parameters):
                found[f"{module_info.name}.{name}"] = function
    return found


def fill(session: StoreSession, school: School) -> dict[str, Any]:
    """One of everything in a tenant, as arguments by parameter name."""
    case = a_case(STRUGGLE)
    made = store_case(
        session, school.teacher, case, a_ranking(f"The {MARKER} hands go up every time."), idempotency_key="k", now=NOW
    )
    ask = (session, school.teacher, made.case_id, made.ranking_id)
    share_case(session, school.teacher, made.case_id, school.coach.id)
    changes = [SkillChange("wait-time", "remove", None, f"a {MARKER} why")]
    record_review(session, school.coach, made.case_id, made.ranking_id, changes)
    record_choice(*ask, "wait-time", "declined", why=f"a {MARKER} decline")
    choice_id = record_choice(*ask, "cold-calling", "chosen")
    cycle_id = start_cycle(session, school.teacher, made.case_id, choice_id, date(2026, 11, 3))
    share_cycle(session, school.teacher, cycle_id, school.coach.id)
    add_check_in(session, school.coach, cycle_id, date(2026, 11, 9), 1, note=f"a {MARKER} check-in")
    add_follow_up(session, school.teacher, cycle_id, "baseline", date(2026, 11, 4), 1, 3, note=f"a {MARKER} look")
    store_scores(session, school.operator, pd.DataFrame([SCORE]))
    key = create_key(session, school.operator, "sis", ["write"])
    begin_session(session, school.tenant_id, school.teacher.id, "link")
    issue_link(session, school.administrator, school.teacher.id)
    contested = {"about": "suggestion", "about_id": made.ranking_id, "skill_id": "cold-calling"}
    answered, contest_id = (
        raise_contest(session, school.teacher, made.case_id, why=f"a {MARKER} contest", **contested) for _ in "ab"
    )
    answer_contest(session, school.administrator, answered, f"a {MARKER} answer")
    save_draft(session, school.teacher, STRUGGLE, {"subject": "science"})
    give_consent(session, school.administrator, "decisions", of_tenant=True)
    for agreeing in (school.teacher, school.coach):
        give_consent(session, agreeing, "decisions")
    alert_id = raise_alert(session, school.teacher, school.teacher.id, made.case_id)
    return {
        "contest_id": contest_id, "about_id": made.ranking_id, "alert_id": alert_id,
        "case_id": made.case_id, "ranking_id": made.ranking_id, "owned_id": made.case_id, "choice_id": choice_id,
        "cycle_id": cycle_id, "coach_id": school.coach.id, "teacher_id": school.teacher.id,
        "person_id": school.teacher.id, "link_id": school.link_id, "key_id": key.id,
    }  # fmt: skip


# What the strangers themselves send: nothing of it is this tenant's.
PLAIN = {
    "case": a_case(), "ranking": a_ranking(), "changes": [SkillChange("wait-time", "keep")], "name": "New",
    "roles": ["teacher"], "app": "lms", "scopes": ["score"], "skill_id": "cold-calling", "decision": "declined",
    "started_on": date(2026, 11, 3), "ended_on": date(2026, 12, 3), "state": "finished", "phase": "baseline",
    "happened_on": date(2026, 11, 9), "observed_on": date(2026, 11, 9), "times_tried": 1, "seen": 1, "looked_for": 2,
    "scores": pd.DataFrame([SCORE | {"teacher_id": "other"}]), "instruments": load_instruments(),
    "action": "norms.fitted", "subject_id": "x", "key": "k", "content": ["x"], "new_id": "N" * 26, "now": NOW,
    "about": "suggestion", "why": "Not so", "answer": "You are right", "struggle": "A text", "context": {},
    "norms": Norms(), "fitted_scores": 0, "owned": None, "contact": "Ms. Duty", "months": 6, "role": "teacher",
    "scope": "decisions", "pseudonym_key": bytes(32), "kind": "choice",
}  # fmt: skip


def arguments(function: Callable[..., Any], ids: dict[str, Any]) -> dict[str, Any]:
    """An argument for every parameter that wants one; a parameter nobody knows fails the test."""
    known = PLAIN | ids | {"owned": Case, "person_ids": [ids["person_id"]]}
    given = {}
    for name, parameter in inspect.signature(function).parameters.items():
        if name in ("session", "actor") or parameter.kind is parameter.VAR_KEYWORD:
            continue
        if name in known and (parameter.default is parameter.empty or name in ids):
            given[name] = known[name]
        else:
            assert parameter.default is not parameter.empty, f"{function.__qualname__} wants an unknown {name}"
    return given


def rows_of(session: StoreSession, tenant_id: str) -> list[str]:
    return sorted(
        str(tuple(row))
        for table in METADATA.sorted_tables
        if "tenant_id" in table.columns
        for row in session.execute(select(table).where(table.c.tenant_id == tenant_id))
    )


def as_text(value: Any) -> str:
    if isinstance(value, Base):
        return str({column.name: getattr(value, column.key) for column in value.__table__.columns})
    if is_dataclass(value) and not isinstance(value, type):
        return str(asdict(value))
    if isinstance(value, Iterator):
        return str([as_text(item) for item in value])
    return value.to_csv() if isinstance(value, pd.DataFrame) else str(value)


def strangers(other: School) -> list[Actor]:
    app = Actor(other.tenant_id, "app", "sis", scopes=frozenset({"score", "write", "admin"}))
    return [other.teacher, other.coach, other.administrator, other.operator, app]


@pytest.fixture(scope="module")
def two_schools(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TwoSchools]:
    file = tmp_path_factory.mktemp("two") / "growth.sqlite3"
    shutil.copy(sqlite_template, file)
    database = Database(engine_for(URL.create("sqlite", database=str(file))), KEY)
    with database.write() as session:
        north, south = make_school(session), make_school(session, "South")
        ids = fill(session, north)
        before = rows_of(session, north.tenant_id)
    yield TwoSchools(database, north, south, ids, before)
    database.close()


@pytest.mark.parametrize("name", sorted(public_functions()))
def test_another_tenant_gets_and_changes_nothing(two_schools: TwoSchools, name: str) -> None:
    function, ids = public_functions()[name], two_schools.ids
    secrets = {MARKER, two_schools.north.tenant_id, *ids.values()}
    for actor in strangers(two_schools.south):
        try:
            with two_schools.database.write() as session:
                answer = as_text(function(session, actor, **arguments(function, ids)))
                session.flush()
        except GrowthError as error:
            answer = str(error)
        assert not any(secret in answer for secret in secrets), f"{name} tells {actor.kind} of another tenant"
    with two_schools.database.read() as session:
        assert rows_of(session, two_schools.north.tenant_id) == two_schools.before


def test_the_walk_meets_the_functions_it_is_about() -> None:
    names = set(public_functions())
    assert {"cases.get_case", "queue.coach_queue", "counts.tenant_counts", "export.export_person"} <= names
    assert len(names) > 35


def test_a_planted_word_is_in_no_table_but_the_texts_and_in_no_log(database: Database, school: School) -> None:
    plain = Database(database.engine)
    lines: list[str] = []
    handler = logging.Handler(logging.DEBUG)
    handler.emit = lambda record: lines.append(record.getMessage() + json.dumps(str(record.args)))  # type: ignore[method-assign]
    root = logging.getLogger()
    root.addHandler(handler)
    level = root.level
    root.setLevel(logging.DEBUG)
    try:
        with plain.write() as session:
            fill(session, school)
    finally:
        root.removeHandler(handler)
        root.setLevel(level)
    with plain.read() as session:
        for table in METADATA.sorted_tables:
            rows = str(session.execute(select(table)).all())
            assert (MARKER in rows) == (table.name == "texts"), table.name
    assert MARKER not in "".join(lines)


@pytest.mark.parametrize("broken", ["check", "unique", "null"])
def test_an_error_of_the_database_never_quotes_a_row(database: Database, school: School, broken: str) -> None:
    good = {"tenant_id": school.tenant_id, "id": "1" * 26, "subject_kind": "case", "subject_id": "1",
            "field": "struggle", "content": MARKER.encode(), "written_at": NOW}  # fmt: skip
    bad = {"check": {"field": "x" + MARKER[:8]}, "unique": {}, "null": {"content": None}}
    rows = [good, good | {"id": "2" * 26} | bad[broken]]
    with pytest.raises(GrowthError) as caught, database.write() as session:
        session.execute(insert(StoredText), rows)
    assert MARKER[:8] not in str(caught.value)
    assert caught.value.__suppress_context__
