"""Both databases, real ones: SQLite files and a PostgreSQL server."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from postgres_server import Postgres, running_postgres
from sqlalchemy import URL
from store_rows import KEY, School, make_school

from service.store.database import Database, engine_for
from service.store.schema_version import upgrade


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    with running_postgres() as running:
        yield running


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("template") / "growth.sqlite3"
    database = Database(engine_for(URL.create("sqlite", database=str(file))))
    upgrade(database)
    database.close()
    return file


@pytest.fixture(scope="session")
def postgres_template(postgres: Postgres) -> str:
    url = postgres.create()
    database = Database(engine_for(url))
    upgrade(database)
    database.close()
    return str(url.database)


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """A database without tables."""
    if request.param == "sqlite":
        url = URL.create("sqlite", database=str(tmp_path / "growth.sqlite3"))
    else:
        url = request.getfixturevalue("postgres").create()
    database = Database(engine_for(url), KEY)
    yield database
    database.close()
    if request.param == "postgresql":
        request.getfixturevalue("postgres").drop(url)


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """A database with the newest tables and a text key."""
    if request.param == "sqlite":
        file = tmp_path / "growth.sqlite3"
        shutil.copy(request.getfixturevalue("sqlite_template"), file)
        url = URL.create("sqlite", database=str(file))
    else:
        url = request.getfixturevalue("postgres").create(request.getfixturevalue("postgres_template"))
    database = Database(engine_for(url), KEY)
    yield database
    database.close()
    if request.param == "postgresql":
        request.getfixturevalue("postgres").drop(url)


@pytest.fixture
def lite(sqlite_template: Path, tmp_path: Path) -> Iterator[Database]:
    """SQLite alone, for what does not depend on the database."""
    file = tmp_path / "growth.sqlite3"
    shutil.copy(sqlite_template, file)
    database = Database(engine_for(URL.create("sqlite", database=str(file))), KEY)
    yield database
    database.close()


@pytest.fixture
def school(database: Database) -> School:
    with database.write() as session:
        return make_school(session)


@pytest.fixture
def lite_school(lite: Database) -> School:
    with lite.write() as session:
        return make_school(session)
