"""Engines for SQLite and PostgreSQL, and transactions that are kept whole or not at all."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, DataError, DBAPIError, IntegrityError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.orm import Session

from recommender.errors import SettingsError
from service.settings import Settings
from service.store.errors import ConflictError, NotFoundError, StoreError, StoreUnavailableError
from service.store.text_keys import TextKeys

FILE_NAME = "growth.sqlite3"
POSTGRES_DRIVER = "postgresql+psycopg"
# A write takes milliseconds, so a queue of some hundred writers fits in; who waits longer is told to ask again.
BUSY_SECONDS = 10.0
# A connection knows the statistics of the time it was opened.
RECYCLE_SECONDS = 3_600
SQLITE_PRAGMAS = (
    "PRAGMA journal_mode = WAL",
    # FULL: an acknowledged write survives a power cut, not only the end of the process.
    "PRAGMA synchronous = FULL",
    "PRAGMA foreign_keys = ON",
    # Deleted texts are overwritten, not left in free pages.
    "PRAGMA secure_delete = ON",
)
_WRITES = "growth_writes"
_READING = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}


class StoreSession(Session):
    """A transaction of the store, with the keys its texts are encrypted with."""

    def __init__(self, engine: Engine, text_keys: TextKeys) -> None:
        super().__init__(engine, expire_on_commit=False)
        self.text_keys = text_keys
        # Set by whoever takes a text away: see ``Database.write``.
        self.has_deleted_texts = False


class Database:
    """One database: ``read`` and ``write`` open a transaction each."""

    def __init__(self, engine: Engine, text_keys: TextKeys | None = None) -> None:
        self.engine = engine
        self.text_keys = text_keys or TextKeys()
        is_sqlite = engine.dialect.name == "sqlite"
        self._reading = engine if is_sqlite else engine.execution_options(**_READING)
        self.writing = engine.execution_options(**{_WRITES: True}) if is_sqlite else engine

    @contextmanager
    def write(self) -> Iterator[StoreSession]:
        """A transaction that is kept when the block ends and undone when it raises.

        Raises ConflictError when a rule of the tables is broken, StoreUnavailableError when the database is locked,
        gone or restarting: nothing was kept then, unless the connection broke during the commit itself, which an
        idempotency key makes safe to repeat.
        """
        with refusals_in_plain_words(), StoreSession(self.writing, self.text_keys) as session, session.begin():
            yield session
        if session.has_deleted_texts:
            # What was kept is kept: a pool that is used up leaves this to the next deletion.
            with suppress(PoolTimeoutError):
                self._empty_log()

    @contextmanager
    def read(self) -> Iterator[StoreSession]:
        """A transaction that sees one moment of the database and keeps nothing."""
        with refusals_in_plain_words(), StoreSession(self._reading, self.text_keys) as session:
            yield session

    def close(self) -> None:
        """Give all connections back."""
        self.engine.dispose()

    def _empty_log(self) -> None:
        """Leave no deleted text in SQLite's write-ahead log, where deleting does not reach.

        It waits for nobody: while another reads or writes, it is done after the next deletion.
        """
        if self.engine.dialect.name != "sqlite":
            return
        connection = self.engine.raw_connection()
        try:
            cursor = connection.cursor()
            (waits,) = cursor.execute("PRAGMA busy_timeout").fetchone()
            cursor.execute("PRAGMA busy_timeout = 0")
            with suppress(sqlite3.OperationalError):
                cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            cursor.execute(f"PRAGMA busy_timeout = {waits}")
        finally:
            connection.close()


def open_database(settings: Settings) -> Database:
    """The database of the settings; the embedded one and its folder are made when they are not there.

    The schema is not touched: see ``schema_version``. Raises SettingsError when the URL or a text key cannot be used.
    """
    return Database(engine_for(database_url(settings)), TextKeys.parse(settings.text_key))


def database_url(settings: Settings) -> URL:
    """The URL of ``GROWTH_DATABASE`` with the password of its own setting, or of the embedded file.

    Raises SettingsError; the URL is not quoted.
    """
    if settings.database is None:
        return URL.create("sqlite", database=str(settings.data.expanduser() / FILE_NAME))
    try:
        url = make_url(settings.database.get_secret_value())
    except (ArgumentError, ValueError):
        raise _bad_url("something that is no database URL") from None
    if url.get_backend_name() == "sqlite":
        if not url.database or url.database == ":memory:":
            raise _bad_url("SQLite without a file")
        return URL.create("sqlite", database=url.database)
    if url.get_backend_name() != "postgresql":
        raise _bad_url("a database of another kind")
    if url.password is None and settings.database_password is not None:
        url = url.set(password=settings.database_password.get_secret_value())
    return url.set(drivername=POSTGRES_DRIVER)


def _bad_url(found: str) -> SettingsError:
    return SettingsError(
        f"{found} in GROWTH_DATABASE",
        wanted="sqlite:///<file> or postgresql://<user>:<password>@<host>/<name>",
        way_out="Unset, it is a file in the data folder.",
    )


def engine_for(url: URL, busy_seconds: float = BUSY_SECONDS) -> Engine:
    """An engine whose errors never show a parameter; ``busy_seconds``: the longest wait for a lock another holds.

    Raises SettingsError when PostgreSQL's driver is missing.
    """
    if url.get_backend_name() == "sqlite":
        _make_private_file(Path(str(url.database)))
        engine = create_engine(
            url, hide_parameters=True, pool_recycle=RECYCLE_SECONDS, connect_args={"timeout": busy_seconds}
        )
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        return engine
    try:
        engine = create_engine(
            url, hide_parameters=True, pool_pre_ping=True, connect_args={"connect_timeout": int(BUSY_SECONDS)}
        )
    except ModuleNotFoundError:
        raise SettingsError(
            "a PostgreSQL URL and no driver",
            wanted="the psycopg package",
            way_out="pip install 'growth-recommender[postgres]'",
        ) from None
    event.listen(engine, "connect", lambda connection, _: _prepare_postgres(connection, busy_seconds))
    return engine


def _make_private_file(file: Path) -> None:
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        file.touch(mode=0o600, exist_ok=True)
    except OSError as error:
        raise SettingsError(
            f"a folder that cannot be written ({error.strerror})",
            wanted="a folder this account owns",
            way_out="Set GROWTH_DATA.",
            where=str(file.parent),
        ) from None


def _prepare_sqlite(connection: sqlite3.Connection, _: Any) -> None:
    # The driver's own transactions begin too late; ``_begin_sqlite`` says when.
    connection.isolation_level = None
    for pragma in SQLITE_PRAGMAS:
        connection.execute(pragma)


def _prepare_postgres(connection: Any, busy_seconds: float) -> None:
    # It would wait for a lock for ever, and a thread of the service with it.
    connection.execute(f"SET lock_timeout = {round(busy_seconds * 1_000)}")
    connection.commit()


def _begin_sqlite(connection: Connection) -> None:
    # IMMEDIATE takes the writer's place at once, so that no transaction fails half-way for want of it.
    writes = connection.get_execution_options().get(_WRITES, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


@contextmanager
def refusals_in_plain_words() -> Iterator[None]:
    """Errors of the database as ours: their own messages may hold values of a row."""
    try:
        yield
    except IntegrityError:
        raise ConflictError(
            "a row that breaks a rule of the tables", wanted="one that fits what is stored already"
        ) from None
    except (DBAPIError, PoolTimeoutError) as error:
        if isinstance(error, DataError) and getattr(error.orig, "sqlstate", None) is None:
            # PostgreSQL's driver itself refuses a text with a NUL: what no row can hold is in none.
            raise NotFoundError("row") from None
        if isinstance(error, PoolTimeoutError) or _is_passing(error):
            raise StoreUnavailableError(
                "a database that does not answer now", wanted="one that does", way_out="Ask again in some seconds."
            ) from None
        raise StoreError(
            f"a database that refuses ({type(error).__name__})",
            wanted="tables of this version",
            way_out="`growth admin migrate` brings them up to date.",
        ) from None
    except SQLAlchemyError as error:
        raise StoreError(f"a query that fails ({type(error).__name__})", wanted="one that can be run") from None


# PostgreSQL's classes of what passes: no connection, rolled back for another, too many, starting or stopping; and its
# code for a lock that another holds.
_PASSING_CLASSES = ("08", "40", "53", "57", "55P03")


def _is_passing(error: DBAPIError) -> bool:
    if isinstance(error.orig, sqlite3.OperationalError):
        code = getattr(error.orig, "sqlite_errorcode", 0) & 0xFF
        return code in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR}
    state = getattr(error.orig, "sqlstate", None)
    # Without a state the server was never reached, or the connection broke.
    return error.connection_invalidated or state is None or str(state).startswith(_PASSING_CLASSES)


def utc_now() -> datetime:
    """The time, in UTC."""
    return datetime.now(UTC)
