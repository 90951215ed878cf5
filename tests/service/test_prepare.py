from __future__ import annotations

import sqlite3

import pytest
from sqlalchemy import URL, select

from service.first_words import first_words
from service.prepare import prepare_tables
from service.settings import Settings
from service.store.database import Database, engine_for
from service.store.errors import StoreError
from service.store.people import create_tenant
from service.store.schema_version import all_versions, current_version, newest_version, upgrade
from service.store.tables.people import Tenant


@pytest.fixture
def database(tmp_path):
    database = Database(engine_for(URL.create("sqlite", database=str(tmp_path / "growth.sqlite3"))))
    yield database
    database.close()


def copies(folder):
    return sorted(file.name for file in folder.iterdir() if file.name.startswith("growth-before"))


def test_a_new_database_gets_its_tables_and_no_copy_of_nothing(database, tmp_path):
    prepare_tables(database)
    assert current_version(database) == newest_version()
    assert copies(tmp_path) == []


def test_older_tables_are_copied_before_they_are_brought_up_to_date_and_newest_are_left_alone(database, tmp_path):
    before = all_versions()[-2]
    upgrade(database, before)
    with database.write() as session:
        session.connection().exec_driver_sql(
            "INSERT INTO tenants (id, name, created_at) VALUES ('t', 'North', '2026-01-01')"
        )
    prepare_tables(database)
    prepare_tables(database)
    assert current_version(database) == newest_version()
    with database.read() as session:
        assert session.scalars(select(Tenant.name)).all() == ["North"]
    copy = tmp_path / f"growth-before-{newest_version()}.sqlite3"
    assert copies(tmp_path) == [copy.name]
    assert copy.stat().st_mode & 0o077 == 0
    with sqlite3.connect(copy) as connection:
        assert connection.execute("SELECT version_num FROM alembic_version").fetchone() == (before,)
        assert connection.execute("SELECT name FROM tenants").fetchone() == ("North",)


def test_an_earlier_copy_is_never_overwritten(database, tmp_path):
    upgrade(database, all_versions()[0])
    earlier = tmp_path / f"growth-before-{newest_version()}.sqlite3"
    earlier.write_text("kept")
    prepare_tables(database)
    assert earlier.read_text() == "kept"
    assert copies(tmp_path) == [f"growth-before-{newest_version()}-2.sqlite3", earlier.name]


def test_tables_of_a_newer_program_are_refused_and_left_as_they_are(database, tmp_path):
    upgrade(database)
    with database.write() as session:
        session.connection().exec_driver_sql("UPDATE alembic_version SET version_num = '9999_future'")
    with pytest.raises(StoreError, match="9999_future, made by a newer program"):
        prepare_tables(database)
    assert current_version(database) == "9999_future"
    assert copies(tmp_path) == []


def test_without_a_school_the_first_words_tell_how_to_make_one(database):
    upgrade(database)
    words = first_words(database, Settings(port=8123), demo=False)
    assert "http://127.0.0.1:8123" in words
    assert "growth admin tenant create" in words
    assert "growth serve --demo" in words


def test_a_real_school_is_never_mixed_with_the_demo_and_that_is_said(database):
    upgrade(database)
    with database.write() as session:
        create_tenant(session, "North School")
    words = first_words(database, Settings(), demo=True)
    assert "no demo school was added" in words
    assert "token=" not in words
    assert "tenant create" not in first_words(database, Settings(), demo=False)
