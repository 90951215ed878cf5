from __future__ import annotations

import os
import shutil
import signal
import sys
import time
from pathlib import Path

import pytest
from acknowledged import TABLES, acknowledged, all_there, at_work, make_app, make_writers, refusals
from running_service import answering, serving, wait_for, wait_until_ready
from sqlalchemy import URL, text

from service.app import create_app
from service.client import GrowthClient
from service.settings import Settings
from service.store.database import Database, database_url, engine_for
from service.store.schema_version import upgrade

sys.path.insert(0, str(Path(__file__).parents[1] / "store"))
from postgres_server import Postgres, running_postgres

WRITERS = 4
# SQLite's file is the service's own; a database server does not notice that a client is killed, and gets fewer.
SQLITE_EACH, SERVER_EACH = 125, 40
MANY = {"app_requests_per_minute": 100_000}
QUIET = {"GROWTH_APP_REQUESTS_PER_MINUTE": "100000", "GROWTH_LOG_LEVEL": "warning"}


@pytest.fixture(scope="module")
def postgres():
    with running_postgres() as running:
        yield running


@pytest.fixture
def server_database(postgres: Postgres):
    """A database of the server with the newest tables."""
    database = Database(engine_for(postgres.create()))
    upgrade(database)
    yield database
    database.close()


def killed_in_the_middle(folder: Path, key: str, each: int, **variables: str):
    """A service that is killed with half of the writes acknowledged; the writers."""
    with serving(folder, **QUIET, **variables) as (address, process):
        wait_until_ready(address)
        writers = make_writers(address, key, WRITERS)
        with at_work(writers, address, key, each) as finish:
            wait_for(lambda: acknowledged(writers) >= WRITERS * each // 2)
            os.kill(process.pid, signal.SIGKILL)
            finish()
        assert process.wait() == -signal.SIGKILL
    assert refusals(writers) == {(0, "no-answer")}
    assert all(writer.number < each for writer in writers)
    return writers


def gone_on(address: str, key: str, writers, each: int) -> None:
    """What was not acknowledged is sent again with its key, then all the rest; the app can read every part of it."""
    with at_work(writers, address, key, each) as finish:
        finish()
    assert all(writer.number == each for writer in writers)
    with GrowthClient(address, key) as client:
        kept = {case.id for case in client.all_cases()}
        assert kept == {case_id for writer in writers for case_id in writer.said["case"]}
        ranked = [client.case(writer.said["case"][place]) for writer in writers for place in (0, 1)]
        assert all(case.struggle and case.rankings for case in ranked)
        said = {check_in for writer in writers for check_in in writer.said["check_in"]}
        assert {check_in.id for check_in in client.cycle(writers[0].cycle_id).check_ins} == said


def test_sqlite_has_all_that_was_acknowledged_when_the_service_is_killed_and_what_is_sent_again_once(
    school_template, tmp_path
):
    file = tmp_path / "growth.sqlite3"
    shutil.copy(school_template, file)
    database = Database(engine_for(URL.create("sqlite", database=str(file))))
    key = make_app(database)
    database.close()
    writers = killed_in_the_middle(tmp_path, key, SQLITE_EACH)
    all_there(database, writers, in_doubt=WRITERS)
    database.close()
    with serving(tmp_path, **QUIET) as (address, _):
        wait_until_ready(address)
        gone_on(address, key, writers, SQLITE_EACH)
    all_there(database, writers)
    database.close()


def test_postgresql_has_all_that_was_acknowledged_when_the_service_is_killed_and_what_is_sent_again_once(
    server_database, served_model, tmp_path
):
    key = make_app(server_database)
    url = server_database.engine.url.render_as_string(hide_password=False)
    writers = killed_in_the_middle(tmp_path, key, SERVER_EACH, GROWTH_DATABASE=url)
    all_there(server_database, writers, in_doubt=WRITERS)
    again = Database(engine_for(database_url(Settings(database=url))))
    with answering(create_app(Settings(database=url, **MANY), served_model, again)) as address:
        gone_on(address, key, writers, SERVER_EACH)
    all_there(server_database, writers)


def test_connections_that_postgresql_ends_in_the_middle_of_writes_cost_503s_and_no_write(
    server_database, postgres, served_model
):
    key = make_app(server_database)
    watching = Database(engine_for(server_database.engine.url))
    end_all = text(
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    with answering(create_app(Settings(**MANY), served_model, server_database)) as address:
        writers = make_writers(address, key, WRITERS)
        ended = 0
        with at_work(writers, address, key, SERVER_EACH, asks_again=True) as finish, watching.read() as session:
            while any(writer.number < SERVER_EACH for writer in writers):
                ended += session.scalar(end_all)
                time.sleep(0.2)
            finish()
    watching.close()
    assert ended >= 10
    assert refusals(writers) <= {(503, "store-unavailable")}
    assert sum(len(writer.said[kind]) for writer in writers for kind in TABLES) == WRITERS * SERVER_EACH + 2
    all_there(server_database, writers)
