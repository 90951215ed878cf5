from __future__ import annotations

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import URL, create_engine, insert, inspect, select, text
from store_rows import NOW

from recommender.errors import SettingsError
from service.store.database import Database, engine_for
from service.store.errors import StoreError
from service.store.schema_version import (
    all_versions,
    current_version,
    downgrade,
    newest_version,
    require_newest,
    upgrade,
)
from service.store.tables.cases import Case
from service.store.tables.people import Person, Tenant
from service.store.tables.schema import METADATA
from service.store.tables.texts import StoredText


def test_up_makes_the_tables_the_program_wants_and_doing_it_again_changes_nothing(empty_database: Database) -> None:
    assert current_version(empty_database) is None
    upgrade(empty_database)
    upgrade(empty_database)
    assert current_version(empty_database) == newest_version()
    with empty_database.engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), METADATA) == []


def test_sqlite_has_every_check_and_index_of_the_tables_and_no_other(tmp_path) -> None:
    migrated = Database(engine_for(URL.create("sqlite", database=str(tmp_path / "migrated"))))
    upgrade(migrated)
    made = create_engine(f"sqlite:///{tmp_path / 'made'}")
    METADATA.create_all(made)
    query = text("SELECT name, sql FROM sqlite_master WHERE type IN ('table', 'index')")

    def schema(engine):
        with engine.connect() as connection:
            # In whatever order the constraints of a table are written.
            words = {name: sorted((sql or "").replace(",", " ").split()) for name, sql in connection.execute(query)}
            return {name: sql for name, sql in words.items() if "alembic" not in name}

    assert schema(migrated.engine) == schema(made)


def test_data_of_older_tables_survive_the_way_up_and_the_way_back(empty_database: Database) -> None:
    upgrade(empty_database, "0001_people")
    with empty_database.write() as session:
        session.execute(insert(Tenant).values(id="T" * 26, name="North", created_at=NOW))
        session.execute(insert(Person).values(tenant_id="T" * 26, id="P" * 26, name="Ada", created_at=NOW))
    upgrade(empty_database, "0002_cases")
    case = {"tenant_id": "T" * 26, "id": "C" * 26, "teacher_id": "P" * 26, "case_ref": "c1", "context": {}, "top": 3,
            "observations": [], "declined": [], "created_at": NOW, "changed_at": NOW}  # fmt: skip
    with empty_database.write() as session:
        session.execute(insert(Case).values(case))
    upgrade(empty_database)
    for version in reversed(all_versions()[1:-1]):
        downgrade(empty_database, version)
        assert current_version(empty_database) == version
        with empty_database.read() as session:
            assert session.scalar(select(Case.case_ref)) == "c1"
    downgrade(empty_database, "0001_people")
    with empty_database.read() as session:
        assert session.scalar(select(Person.name)) == "Ada"
    assert "cases" not in inspect(empty_database.engine).get_table_names()
    upgrade(empty_database)
    with empty_database.read() as session:
        assert session.scalar(select(Person.name)) == "Ada"
        assert session.scalar(select(Case.id)) is None


def test_texts_survive_the_way_to_contests_and_drafts_and_only_theirs_go_on_the_way_back(empty_database) -> None:
    upgrade(empty_database, "0006_sign_in")
    row = {"tenant_id": "T" * 26, "field": "why", "key_id": None, "content": b"[]", "written_at": NOW}
    with empty_database.write() as session:
        session.execute(insert(Tenant).values(id="T" * 26, name="North", created_at=NOW))
        session.execute(insert(StoredText).values(row | {"id": "1" * 26, "subject_kind": "choice", "subject_id": "c"}))
    upgrade(empty_database)
    with empty_database.write() as session:
        session.execute(insert(StoredText).values(row | {"id": "2" * 26, "subject_kind": "contest", "subject_id": "x"}))
        session.execute(
            insert(StoredText).values(
                row | {"id": "3" * 26, "subject_kind": "contest", "subject_id": "x", "field": "answer"}
            )
        )
    downgrade(empty_database, "0006_sign_in")
    with empty_database.read() as session:
        kept = session.execute(select(StoredText.id, StoredText.content, StoredText.written_at)).all()
    assert kept == [("1" * 26, b"[]", NOW)]


def test_the_index_of_decided_cases_comes_on_the_way_up_and_goes_on_the_way_back(empty_database: Database) -> None:
    def indexes() -> set[str]:
        return {str(index["name"]) for index in inspect(empty_database.engine).get_indexes("case_shares")}

    upgrade(empty_database, "0008_consents")
    before = indexes()
    upgrade(empty_database, "0009_done_cases")
    assert indexes() == before | {"ix_case_shares_done"}
    downgrade(empty_database, "0008_consents")
    assert indexes() == before


def test_all_the_way_down_leaves_nothing_but_the_version_table(empty_database: Database) -> None:
    upgrade(empty_database)
    downgrade(empty_database, "base")
    assert inspect(empty_database.engine).get_table_names() == ["alembic_version"]
    assert current_version(empty_database) is None


def test_a_step_that_fails_leaves_the_version_before(empty_database: Database) -> None:
    upgrade(empty_database, "0003_cycles")
    with empty_database.writing.begin() as connection:
        connection.execute(text("CREATE TABLE norms (id INTEGER)"))
    with pytest.raises(StoreError):
        upgrade(empty_database)
    assert current_version(empty_database) == "0003_cycles"
    assert "observation_scores" not in inspect(empty_database.engine).get_table_names()


def test_an_old_or_empty_database_is_refused_with_the_way_out(lite: Database) -> None:
    require_newest(lite)
    downgrade(lite, "0003_cycles")
    with pytest.raises(StoreError, match=r"0003_cycles.*growth admin migrate"):
        require_newest(lite)


def test_a_version_nobody_made_is_refused_with_those_there_are(lite: Database) -> None:
    with pytest.raises(SettingsError, match="0001_people"):
        downgrade(lite, "0000_nothing")
