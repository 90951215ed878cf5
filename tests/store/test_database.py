"""Faults: a killed process, a locked file, a full disk, a server that restarts. Nothing acknowledged is lost."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest
from postgres_server import Postgres, running_postgres
from sqlalchemy import URL, func, select, text
from store_rows import KEY, NOW, School, a_case, a_ranking, make_school, stored, wait_for

from recommender.errors import SettingsError
from service.settings import Settings
from service.store.cases import get_case, list_cases, store_case
from service.store.database import Database, StoreSession, database_url, engine_for, open_database
from service.store.errors import ConflictError, StoreError, StoreUnavailableError
from service.store.schema_version import upgrade
from service.store.tables.cases import Case, RankingShown, SuggestionShown
from service.store.tables.events import Event
from service.store.tables.texts import StoredText

WRITES = 500
# Writes cases one after the other and says each id once it is kept.
CHILD = """
import sys
sys.path.insert(0, sys.argv[3])
from sqlalchemy import make_url
from store_rows import NOW, a_case, a_ranking
from service.store.actors import person_actor
from service.store.cases import store_case
from service.store.database import Database, engine_for

tenant_id, teacher_id = sys.argv[2].split(":")
database = Database(engine_for(make_url(sys.argv[1])))
with database.read() as session:
    teacher = person_actor(session, tenant_id, teacher_id)
for number in range(int(sys.argv[4])):
    with database.write() as session:
        made = store_case(session, teacher, a_case(), a_ranking(), idempotency_key=str(number), now=NOW)
    print(made.case_id, flush=True)
"""


def counts(session) -> dict[str, int]:
    tables = {"cases": Case, "rankings": RankingShown, "suggestions": SuggestionShown, "texts": StoredText}
    return {name: session.scalar(select(func.count()).select_from(table)) for name, table in tables.items()}


def test_a_process_killed_while_it_writes_loses_nothing_it_said_was_kept(database: Database, school: School) -> None:
    command = [
        sys.executable, "-c", CHILD, database.engine.url.render_as_string(hide_password=False),
        f"{school.tenant_id}:{school.teacher.id}", str(Path(__file__).parent), str(WRITES),
    ]  # fmt: skip
    child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={**os.environ, "OMP_NUM_THREADS": "1"})
    assert child.stdout is not None
    said: list[str] = []
    # Killed in the middle of some write, well before the last.
    for line in child.stdout:
        said.append(line.strip())
        if len(said) == 60:
            os.kill(child.pid, signal.SIGKILL)
            break
    said += [line.strip() for line in child.stdout if len(line.strip()) == 26]
    assert child.wait() == -signal.SIGKILL
    assert 60 <= len(said) < WRITES
    reopened = Database(engine_for(database.engine.url), KEY)
    with reopened.read() as session:
        kept = set(session.scalars(select(Case.id)))
        assert set(said) <= kept
        assert len(kept) <= len(said) + 1
        # None is half there.
        each = {"cases": 1, "rankings": 1, "suggestions": 3, "texts": 2}
        assert counts(session) == {name: number * len(kept) for name, number in each.items()}
        assert session.scalar(select(func.count()).where(Event.action == "case.created")) == len(kept)
        assert get_case(session, school.teacher, said[-1]).struggle
    # The client does not know of the last ones and sends all again: what is kept is not made twice.
    with reopened.write() as session:
        for number in range(len(kept)):
            assert store_case(session, school.teacher, a_case(), a_ranking(), idempotency_key=str(number)).is_known
    reopened.close()


def test_five_hundred_writes_by_several_writers_are_all_kept(database: Database, school: School) -> None:
    """Every tenth key comes from all four writers: it makes one case."""
    kept: list[set[str]] = [set() for _ in range(4)]

    def write(place: int) -> None:
        for number in range(WRITES // 4):
            key = f"shared-{number}" if number % 10 == 0 else f"{place}-{number}"
            with database.write() as session:
                made = store_case(session, school.teacher, a_case(), a_ranking(), idempotency_key=key, now=NOW)
            kept[place].add(made.case_id)

    writers = [threading.Thread(target=write, args=(place,)) for place in range(4)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    shared = len(range(0, WRITES // 4, 10))
    with database.read() as session:
        ids = set(session.scalars(select(Case.id)))
    assert ids == set().union(*kept)
    assert [len(of_writer) for of_writer in kept] == [WRITES // 4] * 4
    assert len(ids) == WRITES // 4 * 4 - 3 * shared


def test_a_locked_file_is_said_and_keeps_nothing_and_reading_goes_on(lite: Database, lite_school: School) -> None:
    impatient = Database(engine_for(lite.engine.url), KEY)
    with impatient.engine.connect() as connection:
        connection.exec_driver_sql("ROLLBACK")
        connection.exec_driver_sql("PRAGMA busy_timeout = 50")
    with closing(sqlite3.connect(str(lite.engine.url.database), isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreUnavailableError, match="Ask again"), impatient.write() as session:
            stored(session, lite_school.teacher)
        with impatient.read() as session:
            assert list_cases(session, lite_school.teacher).items == []
        other.execute("ROLLBACK")
    with impatient.write() as session:
        stored(session, lite_school.teacher)
    impatient.close()


def test_a_full_disk_is_said_and_what_was_kept_stays(lite: Database, lite_school: School) -> None:
    """SQLite's own limit of pages stands in for the disk: it fails with the same code."""
    with lite.write() as session:
        kept = stored(session, lite_school.teacher)
        pages = session.execute(text("PRAGMA page_count")).scalar_one()
    lite.close()
    full = Database(engine_for(lite.engine.url), KEY)
    with full.engine.connect() as connection:
        connection.exec_driver_sql("ROLLBACK")
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages + 2}")
    with pytest.raises(StoreUnavailableError), full.write() as session:
        stored(session, lite_school.teacher, "The rest wait until somebody else has answered. " * 80)
    with full.read() as session:
        assert [line.id for line in list_cases(session, lite_school.teacher).items] == [kept.case_id]
    full.close()


def test_an_error_within_a_transaction_undoes_all_of_it(database: Database, school: School) -> None:
    def half_way(session: StoreSession) -> None:
        stored(session, school.teacher)
        make_school(session, "North")

    with pytest.raises(ConflictError), database.write() as session:
        half_way(session)
    with database.read() as session:
        assert counts(session)["cases"] == 0


def test_a_read_keeps_nothing(database: Database, school: School) -> None:
    # PostgreSQL refuses it, SQLite undoes it.
    with suppress(StoreError), database.read() as session:
        stored(session, school.teacher)
    with database.read() as session:
        assert counts(session)["cases"] == 0


def test_a_read_sees_one_moment(database: Database, school: School) -> None:
    with database.read() as session:
        assert counts(session)["cases"] == 0
        with database.write() as other:
            stored(other, school.teacher)
        assert counts(session)["cases"] == 0


@pytest.fixture
def own_server() -> Iterator[Postgres]:
    """A server that no other test uses, to be stopped in the middle."""
    with running_postgres() as running:
        yield running


def test_postgresql_restarted_under_load_loses_nothing_that_was_acknowledged(own_server: Postgres) -> None:
    database = Database(engine_for(own_server.create()), KEY)
    upgrade(database)
    with database.write() as session:
        school = make_school(session)
    said: list[str] = []
    stop = threading.Event()

    def write(place: int) -> None:
        number = 0
        while not stop.is_set():
            try:
                with database.write() as session:
                    key = f"{place}-{number}"
                    made = store_case(session, school.teacher, a_case(), a_ranking(), idempotency_key=key, now=NOW)
            except StoreUnavailableError:
                stop.wait(0.05)
                continue
            said.append(made.case_id)
            number += 1

    writers = [threading.Thread(target=write, args=(place,)) for place in range(3)]
    for writer in writers:
        writer.start()
    try:
        for mode in ("fast", "immediate"):
            before = len(said)
            wait_for(lambda before=before: len(said) >= before + 10)
            own_server.stop(mode)
            own_server.start()
        before = len(said)
        wait_for(lambda: len(said) >= before + 10)
    finally:
        stop.set()
        for writer in writers:
            writer.join()
    with database.read() as session:
        kept = list(session.scalars(select(Case.id)))
        assert set(said) <= set(kept)
        assert len(said) == len(set(said))
        # A commit whose answer was lost is found again by its key: nothing is there twice.
        assert len(kept) <= len(said) + 3
        assert counts(session)["suggestions"] == 3 * len(kept)
    database.close()


def test_a_server_that_is_not_there_is_said_without_its_address() -> None:
    url = URL.create("postgresql+psycopg", "growth", "hunter2", "127.0.0.1", 1, "growth")
    with pytest.raises(StoreUnavailableError) as caught, Database(engine_for(url)).read() as session:
        session.execute(text("SELECT 1"))
    assert "hunter2" not in str(caught.value)
    assert "127.0.0.1" not in str(caught.value)


def test_without_a_setting_the_database_is_a_private_file_in_the_data_folder(tmp_path: Path) -> None:
    database = open_database(Settings(data=tmp_path / "new" / "folder"))
    upgrade(database)
    database.close()
    file = tmp_path / "new" / "folder" / "growth.sqlite3"
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.parent.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize(
    "url", ["hunter2", "mysql://root:hunter2@db/x", "sqlite://", "sqlite:///:memory:", "://hunter2"]
)
def test_a_database_url_that_cannot_be_used_is_refused_and_not_quoted(url: str) -> None:
    with pytest.raises(SettingsError, match="GROWTH_DATABASE") as caught:
        database_url(Settings(database=url))
    assert "hunter2" not in str(caught.value)


def test_any_postgresql_url_is_driven_by_psycopg() -> None:
    url = database_url(Settings(database="postgresql://u:p@db:5433/growth"))
    assert (url.drivername, url.host, url.port) == ("postgresql+psycopg", "db", 5433)


def test_the_embedded_database_survives_a_power_cut_and_keeps_its_rules(lite: Database) -> None:
    with lite.read() as session:
        found = {name: session.execute(text(f"PRAGMA {name}")).scalar() for name in (
            "journal_mode", "synchronous", "foreign_keys", "secure_delete")}  # fmt: skip
    assert found == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "secure_delete": 1}
