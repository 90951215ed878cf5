"""Every list over 1,000 and 100,000 stored cases, on a quiet machine: `make bench`. Not part of the pass/fail suite."""

from __future__ import annotations

import os
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from large_district import District, fill
from sqlalchemy import URL
from starlette.testclient import TestClient

from service.access.cookies import LOCAL_NAME
from service.app import create_app
from service.served_model import ServedModel
from service.settings import Settings
from service.store.actors import Actor
from service.store.counts import tenant_counts
from service.store.database import Database, engine_for
from service.store.export import export_person
from service.store.queue import coach_queue
from service.store.retention import run_retention
from service.store.schema_version import upgrade
from service.store.sign_in import begin_session
from service.store.statistics import refresh_statistics
from service.store.use import use_by_week

sys.path.insert(0, str(Path(__file__).parents[1] / "store"))
from postgres_server import Postgres, running_postgres

SIZES = (1_000, int(os.environ.get("BENCH_CASES", "100000")))
MOST_RATIO = 2.0
ROUNDS = 15
# Months that leave nothing to delete: what is timed is the search.
KEPT = 120
# These look at the whole tenant, once a week or once a day; their time is told and not held to the ratio.
OF_THE_TENANT = ("counts", "use by week", "page /admin", "page /admin/use", "retention")
LEAST_MILLISECONDS = 1.0
Action = Callable[[], object]


@dataclass(frozen=True)
class Store:
    """A district in a database, with an application over it."""

    database: Database
    district: District
    app: object

    def actions(self) -> dict[str, Action]:
        """What is timed, by name: the pages, and what stands behind them."""
        d = self.district
        of = {
            "/coach": d.coach, "/coach/caseload": d.coach, "/coach/moments/{case_id}": d.coach,
            "/coach/practice/{cycle_id}": d.coach, "/moments": d.teacher, "/moments/{case_id}": d.teacher,
            "/practice": d.teacher, "/practice/{cycle_id}": d.teacher, "/observations": d.teacher,
            "/my-data": d.teacher, "/my-data/export": d.teacher, "/safeguarding": d.lead, "/admin": d.administrator,
            "/admin/people": d.administrator, "/admin/contests": d.administrator, "/admin/use": d.administrator,
        }  # fmt: skip
        ids = {"case_id": d.case_id, "cycle_id": d.cycle_id}
        found = {f"page {path}": self._page(path.format(**ids), actor) for path, actor in of.items()}
        return found | {
            "coach's queue": self._read(lambda session: coach_queue(session, d.coach)),
            "counts": self._read(lambda session: tenant_counts(session, d.administrator)),
            "use by week": self._read(lambda session: use_by_week(session, d.administrator)),
            "export": self._read(lambda session: export_person(session, d.teacher, d.teacher.id)),
            "retention": lambda: run_retention(self.database, KEPT),
        }

    def _page(self, path: str, actor: Actor) -> Action:
        with self.database.write() as session:
            secret = begin_session(session, actor.tenant_id, actor.id, "link").secret
        browser = TestClient(self.app, cookies={LOCAL_NAME: secret}, headers={"accept": "text/html"})

        def look() -> None:
            assert browser.get(path).status_code == 200, path

        return look

    def _read(self, query: Callable[..., object]) -> Action:
        def read() -> None:
            with self.database.read() as session:
                query(session)

        return read


@pytest.fixture(scope="module")
def model() -> ServedModel:
    served = ServedModel(Settings())
    served.load()
    return served


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    with running_postgres() as running:
        yield running


def store_of(url: URL, cases: int, model: ServedModel) -> Store:
    """A new database with so many cases, looked at as a service or a server would have looked at it."""
    database = Database(engine_for(url))
    upgrade(database)
    with database.write() as session:
        district = fill(session, cases)
    refresh_statistics(database)
    if database.engine.dialect.name == "postgresql":
        with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("VACUUM ANALYZE")
    database.engine.dispose()
    return Store(database, district, create_app(Settings(), model, database))


def seconds(action: Action) -> float:
    """How long it takes once."""
    started = time.perf_counter()
    action()
    return time.perf_counter() - started


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_no_list_takes_more_than_twice_as_long_with_a_hundred_times_the_cases(
    kind: str, tmp_path: Path, model: ServedModel, request: pytest.FixtureRequest
) -> None:
    urls = [
        URL.create("sqlite", database=str(tmp_path / f"{cases}.sqlite3"))
        if kind == "sqlite"
        else request.getfixturevalue("server").create()
        for cases in SIZES
    ]
    stores = [store_of(url, cases, model) for url, cases in zip(urls, SIZES, strict=True)]
    small_actions, large_actions = (store.actions() for store in stores)
    slow = {}
    for name, small in small_actions.items():
        large = large_actions[name]
        seconds(small), seconds(large)
        # In turn, so that whatever else the machine does meets both alike.
        rounds = [(seconds(small), seconds(large)) for _ in range(ROUNDS)]
        times = [1_000 * statistics.median(of_size) for of_size in zip(*rounds, strict=True)]
        ratio = times[1] / max(times[0], LEAST_MILLISECONDS)
        print(f"{kind:10} {name:32} {times[0]:8.2f} ms, {times[1]:8.2f} ms, ratio {ratio:5.2f}")
        if ratio > MOST_RATIO and name not in OF_THE_TENANT:
            slow[name] = ratio
    for store in stores:
        store.database.close()
    assert slow == {}
