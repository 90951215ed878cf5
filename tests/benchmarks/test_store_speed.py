"""A coach's queue and its page over 1,000 and 100,000 cases, on a quiet machine: `make bench`. Not in the suite."""

from __future__ import annotations

import os
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import URL, insert
from starlette.testclient import TestClient

from service.access.cookies import LOCAL_NAME
from service.app import create_app
from service.served_model import ServedModel
from service.settings import Settings
from service.store.actors import Actor, operator, person_actor
from service.store.database import Database, StoreSession, engine_for, utc_now
from service.store.links import create_link
from service.store.people import create_person, create_tenant
from service.store.queue import coach_queue
from service.store.schema_version import upgrade
from service.store.sign_in import begin_session
from service.store.statistics import refresh_statistics
from service.store.tables.cases import Case, CaseShare
from service.ulid import new_ulid

sys.path.insert(0, str(Path(__file__).parents[1] / "store"))
from postgres_server import Postgres, running_postgres

SIZES = (1_000, int(os.environ.get("BENCH_CASES", "100000")))
MOST_RATIO = 2.0
ROUNDS, PAGES = 30, 5
# How many of the cases are shared with this coach: a school's only one, and one of a large district's.
CASELOADS = {"every case is this coach's": None, "200 of them are": 200}
TEACHERS = 20


def fill(session: StoreSession, cases: int, caseload: int | None) -> Actor:
    """A coach with a caseload, and other people's cases around it."""
    tenant_id = create_tenant(session, "District")
    root, now = operator(session, tenant_id), utc_now()
    people = {name: create_person(session, root, name, ["coach"]) for name in ("coach", "other")}
    pupils = [create_person(session, root, f"T{number}", ["teacher"]) for number in range(TEACHERS)]
    links = {
        (coach, teacher): create_link(session, root, people[coach], teacher) for coach in people for teacher in pupils
    }
    every = cases // (caseload or cases)
    rows, shares = [], []
    for number in range(cases):
        teacher, coach = pupils[number % TEACHERS], "coach" if number % every == 0 else "other"
        row = {"tenant_id": tenant_id, "id": new_ulid(), "teacher_id": teacher, "case_ref": "c", "context": {},
               "top": 3, "observations": [], "declined": [], "created_at": now, "changed_at": now}  # fmt: skip
        rows.append(row)
        shares.append(
            {"tenant_id": tenant_id, "case_id": row["id"], "coach_id": people[coach], "link_id": links[coach, teacher],
             "shared_at": now, "state": ("new", "changed", "waiting")[number % 3], "queued_at": utc_now()}
        )  # fmt: skip
    for start in range(0, cases, 5_000):
        session.execute(insert(Case), rows[start : start + 5_000])
        session.execute(insert(CaseShare), shares[start : start + 5_000])
    return person_actor(session, tenant_id, people["coach"])


def seconds_by_page(database: Database, coach: Actor) -> list[float]:
    """Seconds for each of the first pages, with and without a state."""
    times, after = [], None
    for _ in range(PAGES):
        started = time.perf_counter()
        with database.read() as session:
            after = coach_queue(session, coach, after=after).next
            coach_queue(session, coach, state="changed")
        times.append(time.perf_counter() - started)
    return times


def page_of(database: Database, coach: Actor) -> Callable[[], float]:
    """A look at the coach's page; it answers with its seconds."""
    with database.write() as session:
        secret = begin_session(session, coach.tenant_id, coach.id, "link").secret
    app = create_app(Settings(), ServedModel(Settings()), database)
    browser = TestClient(app, cookies={LOCAL_NAME: secret}, headers={"accept": "text/html"})

    def look() -> float:
        started = time.perf_counter()
        assert browser.get("/coach").status_code == 200
        return time.perf_counter() - started

    look()
    return look


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    with running_postgres() as running:
        yield running


@pytest.mark.parametrize("caseload", CASELOADS)
@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_the_queue_takes_at_most_twice_as_long_with_a_hundred_times_the_cases(
    kind: str, caseload: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    stores: list[tuple[Database, Actor]] = []
    for cases in SIZES:
        url = (
            URL.create("sqlite", database=str(tmp_path / f"{cases}.sqlite3"))
            if kind == "sqlite"
            else request.getfixturevalue("server").create()
        )
        database = Database(engine_for(url))
        upgrade(database)
        with database.write() as session:
            stores.append((database, fill(session, cases, CASELOADS[caseload])))
        refresh_statistics(database)
        if kind == "postgresql":
            with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                connection.exec_driver_sql("ANALYZE")
        database.engine.dispose()
    pages = [page_of(*store) for store in stores]
    # In turn, so that whatever else the machine does meets both alike.
    rounds = [[seconds_by_page(*store) for store in stores] for _ in range(ROUNDS)]
    shown = [[page() for page in pages] for _ in range(ROUNDS)]
    small, large = (max(map(statistics.median, zip(*(r[size] for r in rounds), strict=True))) for size in (0, 1))
    small_page, large_page = (statistics.median(of_size) for of_size in zip(*shown, strict=True))
    for database, _ in stores:
        database.close()
    print(f"\n{kind}, {caseload}: {small * 1e3:.2f} ms, {large * 1e3:.2f} ms, ratio {large / small:.2f}")
    print(f"page: {small_page * 1e3:.2f} ms, {large_page * 1e3:.2f} ms, ratio {large_page / small_page:.2f}")
    assert large / small <= MOST_RATIO
    assert large_page / small_page <= MOST_RATIO
