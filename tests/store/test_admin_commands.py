from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import create_engine, text
from store_rows import NOW, make_school, stored
from typer.testing import CliRunner

from recommender.errors import DataFileError, SettingsError
from service.store import backup
from service.store.backup import back_up, restore
from service.store.cases import list_cases
from service.store.database import Database, engine_for
from service.store.errors import StoreUnavailableError
from service.store.keys import authenticate

RUNNER = CliRunner()


@pytest.fixture
def run(database: Database, monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """`growth admin` on a database of either kind."""
    from service.store.admin_commands import admin_app

    monkeypatch.setenv("GROWTH_DATABASE", database.engine.url.render_as_string(hide_password=False))
    monkeypatch.setenv("GROWTH_DATA", str(tmp_path))

    def call(*words: str, ends: int = 0):
        done = RUNNER.invoke(admin_app, list(words))
        assert done.exit_code == ends, done.output
        return done

    return call


def test_a_school_is_set_up_by_commands_alone(database: Database, run) -> None:
    tenant = run("tenant", "create", "North", "--contact", "Ms. Duty").stdout.strip()
    coach = run("person", "create", "Bo", "--tenant", "North", "--role", "coach").stdout.strip()
    teacher = run(
        "person", "create", "Al", "--tenant", tenant, "--role", "teacher", "--email", "al@n.org"
    ).stdout.strip()
    assert len(run("link", "create", coach, teacher, "--tenant", "North").stdout.strip()) == 26
    made = run("key", "create", "sis", "--tenant", "North", "--scope", "write", "--scope", "score")
    secret = made.stdout.strip()
    assert secret not in made.stderr
    listed = run("key", "list", "--tenant", "North").stdout
    assert "sis" in listed
    assert secret not in listed.replace("\n", "")
    with database.read() as session:
        app = authenticate(session, secret)
    assert app is not None
    assert (app.tenant_id, app.id, app.scopes) == (tenant, "sis", {"score", "write"})


def test_a_key_is_rotated_and_revoked_by_command(database: Database, run) -> None:
    run("tenant", "create", "North")
    made = run("key", "create", "sis", "--tenant", "North", "--scope", "write")
    first_id = made.stderr.split()[1].rstrip(",")
    second = run("key", "rotate", first_id, "--tenant", "North", "--overlap-days", "0")
    with database.read() as session:
        assert authenticate(session, made.stdout.strip()) is None
        assert authenticate(session, second.stdout.strip()) is not None
    run("key", "revoke", second.stderr.split()[1].rstrip(","), "--tenant", "North")
    with database.read() as session:
        assert authenticate(session, second.stdout.strip()) is None


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["person", "create", "Al", "--tenant", "Nowhere", "--role", "teacher"], "no tenant"),
        (["key", "create", "sis", "--tenant", "North", "--scope", "everything"], "unknown scope"),
        (["person", "create", "Al", "--tenant", "North", "--role", "inspector"], "unknown role"),
        (["key", "revoke", "X", "--tenant", "North"], "no key"),
        (["migrate", "--to", "9999"], "no migration leads to"),
    ],
)
def test_a_refusal_is_a_sentence_and_exit_code_2(run, words, said) -> None:
    run("tenant", "create", "North")
    refused = run(*words, ends=2)
    assert said in " ".join(refused.stderr.split())
    assert "Traceback" not in refused.output


def test_migrate_goes_up_and_down_and_old_tables_are_not_used(run) -> None:
    assert "0003_cycles" in run("migrate", "--to", "0003_cycles", "--down").stderr
    assert "growth admin migrate" in " ".join(run("tenant", "create", "North", ends=2).stderr.split())
    run("migrate")
    run("tenant", "create", "North")


def test_a_backup_taken_in_use_is_restored_over_what_came_later(database: Database, run, tmp_path: Path) -> None:
    with database.write() as session:
        school = make_school(session)
        kept = stored(session, school.teacher)
    file = tmp_path / "growth.backup"
    with database.read() as session:
        list_cases(session, school.teacher)
        run("backup", str(file))
    assert file.stat().st_mode & 0o777 == 0o600
    with database.write() as session:
        stored(session, school.teacher)
    database.close()
    run("restore", str(file), "--yes")
    with database.read() as session:
        assert [line.id for line in list_cases(session, school.teacher).items] == [kept.case_id]
    with database.write() as session:
        stored(session, school.teacher)
    assert "there already" in " ".join(run("backup", str(file), ends=2).stderr.split())


def test_restore_asks_before_it_replaces_everything(run, tmp_path: Path) -> None:
    run("restore", str(tmp_path / "x"), ends=1)
    run("restore", str(tmp_path / "x"), "--yes", ends=2)


@pytest.mark.parametrize("content", [b"", b"not a database at all", b"SQLite format 3\x00" + b"\x00" * 2_000, b"PGDMP"])
def test_what_is_no_backup_is_refused_and_the_database_stays(database: Database, school, tmp_path, content) -> None:
    file = tmp_path / "bad.backup"
    file.write_bytes(content)
    with pytest.raises((DataFileError, StoreUnavailableError)):
        restore(database, file)
    with database.read() as session:
        assert list_cases(session, school.teacher).items == []


def test_a_backup_of_a_newer_program_is_refused(lite: Database, tmp_path: Path) -> None:
    file = tmp_path / "newer.sqlite3"
    back_up(lite, file)
    with create_engine(f"sqlite:///{file}").begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999_future'"))
    with pytest.raises(DataFileError, match="newer"):
        restore(lite, file)


def test_without_pg_dump_the_backup_says_so_and_leaves_no_file(postgres, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(backup.shutil, "which", lambda _: None)
    file = tmp_path / "growth.backup"
    with pytest.raises(SettingsError, match="postgresql-client"):
        back_up(Database(engine_for(postgres.url("postgres"))), file)
    assert not file.exists()


def test_text_keys_are_made_and_rotated_by_command(run, monkeypatch) -> None:
    old, new = (run("text-key", "new").stdout.strip() for _ in "ab")
    assert old != new
    monkeypatch.setenv("GROWTH_TEXT_KEY", f"{new},{old}")
    assert "0 texts" in run("text-key", "rotate").stderr
    monkeypatch.setenv("GROWTH_TEXT_KEY", "hunter2")
    refused = run("text-key", "rotate", ends=2)
    assert "hunter2" not in refused.output


def test_retention_runs_by_command(lite: Database, monkeypatch) -> None:
    from service.store.admin_commands import admin_app

    with lite.write() as session:
        stored(session, make_school(session).teacher, now=NOW.replace(year=2020))
    monkeypatch.setenv("GROWTH_DATABASE", f"sqlite:///{lite.engine.url.database}")
    assert "2 texts of 1 cases deleted" in RUNNER.invoke(admin_app, ["retention", "run"]).stderr
    assert "0 texts of 0 cases deleted" in RUNNER.invoke(admin_app, ["retention", "run"]).stderr
