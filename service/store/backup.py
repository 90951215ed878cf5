"""Copies of the whole database while it is in use, and the way back."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

from recommender.errors import DataFileError, SettingsError
from service.store.database import Database
from service.store.errors import StoreUnavailableError
from service.store.schema_version import newest_version

SQLITE_MAGIC = b"SQLite format 3\x00"
POSTGRES_MAGIC = b"PGDMP"
_SECONDS = 3_600


def back_up(database: Database, file: Path) -> None:
    """Write a copy of the database as it is at one moment. SQLite: a database file; PostgreSQL: pg_dump's own format.

    Texts in it are sealed as they are in the database. Raises DataFileError when the file is there already or cannot
    be written, SettingsError when pg_dump is not installed, StoreUnavailableError when the database does not answer.
    """
    if file.exists():
        raise DataFileError("a file that is there already", wanted="a new name", where=str(file))
    # Made first, so that nobody else can ever read it.
    try:
        os.close(os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    except OSError as error:
        raise DataFileError(
            f"a file that cannot be written ({error.strerror})",
            wanted="a folder this account can write",
            where=str(file),
        ) from None
    try:
        if database.engine.dialect.name == "sqlite":
            with closing(sqlite3.connect(_sqlite_file(database))) as source, closing(sqlite3.connect(file)) as copy:
                source.backup(copy)
        else:
            _run_tool(database, "pg_dump", "--format=custom", "--no-owner", f"--file={file}")
    except BaseException:
        file.unlink(missing_ok=True)
        raise


def restore(database: Database, file: Path) -> None:
    """Put a copy in the place of all that is in the database. Stop the service first.

    Raises DataFileError for a file that is no sound backup of this kind of database, of a version this program knows.
    """
    try:
        with file.open("rb") as stream:
            start = stream.read(16)
    except OSError as error:
        raise DataFileError(f"no readable file ({error.strerror})", wanted="a backup", where=str(file)) from None
    if database.engine.dialect.name == "sqlite":
        _restore_sqlite(database, file, start)
    elif not start.startswith(POSTGRES_MAGIC):
        raise DataFileError(
            "no backup of PostgreSQL", wanted="a file that `growth admin backup` wrote", where=str(file)
        )
    else:
        _run_tool(database, "pg_restore", "--clean", "--if-exists", "--no-owner", "--single-transaction", str(file))


def _restore_sqlite(database: Database, file: Path, start: bytes) -> None:
    if start != SQLITE_MAGIC:
        raise DataFileError("no backup of SQLite", wanted="a file that `growth admin backup` wrote", where=str(file))
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as copy:
        try:
            sound = copy.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
            version = copy.execute("SELECT version_num FROM alembic_version").fetchone()[0]
        except sqlite3.DatabaseError:
            sound, version = False, ""
        if not sound or version > newest_version():
            raise DataFileError(
                "a damaged backup or one of a newer program", wanted="a sound one of this version", where=str(file)
            )
        database.close()
        try:
            with closing(sqlite3.connect(_sqlite_file(database), timeout=1)) as target:
                copy.backup(target)
        except sqlite3.OperationalError:
            raise StoreUnavailableError(
                "a database in use", wanted="one nobody writes to", way_out="Stop the service first."
            ) from None


def _sqlite_file(database: Database) -> str:
    return str(database.engine.url.database)


def _run_tool(database: Database, tool: str, *arguments: str) -> None:
    """Run one of PostgreSQL's tools; the password goes by the environment, where other people cannot read it."""
    program = shutil.which(tool)
    if program is None:
        raise SettingsError(
            f"no {tool} on this machine", wanted="PostgreSQL's client tools", way_out="Install postgresql-client."
        )
    url = database.engine.url
    host = url.host or url.query.get("host") or "localhost"
    port = url.port or url.query.get("port") or 5432
    environment = {**os.environ, "PGHOST": str(host), "PGPORT": str(port), "PGUSER": url.username or "",
                   "PGPASSWORD": url.password or "", "PGDATABASE": url.database or ""}  # fmt: skip
    target = [f"--dbname={url.database}"] if tool == "pg_restore" else []
    done = subprocess.run(
        [program, *target, *arguments], env=environment, capture_output=True, check=False, timeout=_SECONDS
    )
    if done.returncode != 0:
        # What the tool says can quote a row.
        raise StoreUnavailableError(f"{tool} ending with code {done.returncode}", wanted="0")
