"""Brings the tables of a database to a version and back, and says which one they have."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util.exc import CommandError
from sqlalchemy import Connection, text

from recommender.errors import SettingsError
from service.store.database import Database, refusals_in_plain_words
from service.store.errors import StoreError

MIGRATIONS = Path(__file__).parent / "migrations"
# Any number: workers that start together wait for the one that migrates.
_LOCK = 7_204_117


def upgrade(database: Database, version: str = "head") -> None:
    """Bring the tables up to a version, by default the newest, in one transaction. Done before, it changes nothing."""
    _run(database, lambda config: command.upgrade(config, version))


def downgrade(database: Database, version: str) -> None:
    """Bring the tables back to an older version, "base" for none. What the newer tables held is gone."""
    _run(database, lambda config: command.downgrade(config, version))


def current_version(database: Database) -> str | None:
    """The version the tables have; None for an empty database. Raises StoreUnavailableError when nobody answers."""
    with database.read() as session:
        return MigrationContext.configure(session.connection()).get_current_revision()


def newest_version() -> str:
    """The version this program wants."""
    return str(ScriptDirectory.from_config(_config()).get_current_head())


def require_newest(database: Database) -> None:
    """Raises StoreError when the tables are not of the version this program wants."""
    found, wanted = current_version(database), newest_version()
    if found != wanted:
        raise StoreError(
            f"tables of version {found or 'none'}",
            wanted=wanted,
            way_out="`growth admin migrate` brings them up to date.",
        )


def _config(connection: Connection | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


def _run(database: Database, step: Callable[[Config], None]) -> None:
    with refusals_in_plain_words(), database.writing.begin() as connection:
        if connection.dialect.name == "postgresql":
            # However long the other takes.
            connection.execute(text("SET LOCAL lock_timeout = 0"))
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
        try:
            step(_config(connection))
        except CommandError:
            raise SettingsError(
                "a version no migration leads to", wanted=", ".join(["base", *all_versions()])
            ) from None


def all_versions() -> list[str]:
    """Every version there is, oldest first."""
    return [str(script.revision) for script in ScriptDirectory.from_config(_config()).walk_revisions()][::-1]
