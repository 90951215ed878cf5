"""What is made ready before the port is opened: the tables, and the demo school when it is asked for."""

from __future__ import annotations

import logging
from itertools import count
from pathlib import Path

from service.logs import FIELDS, LOGGER_NAME
from service.served_model import ServedModel
from service.store.backup import back_up
from service.store.database import Database
from service.store.errors import StoreError
from service.store.schema_version import all_versions, current_version, newest_version, require_newest, upgrade
from service.store.statistics import refresh_statistics

logger = logging.getLogger(LOGGER_NAME)
# Its lines tell each step of what is said here in one.
logging.getLogger("alembic").setLevel(logging.WARNING)


def prepare_tables(database: Database) -> None:
    """Bring the embedded database's tables up to date, after a copy of older ones was put beside it.

    A database server is looked at only: several services may share it, and one step for all of them migrates it.
    Raises StoreError for its tables of another version, and for embedded tables of a newer program.
    """
    if database.engine.dialect.name != "sqlite":
        require_newest(database)
        return
    found, wanted = current_version(database), newest_version()
    if found == wanted:
        refresh_statistics(database)
        return
    if found is not None and found not in all_versions():
        raise StoreError(
            f"tables of version {found}, made by a newer program",
            wanted=wanted,
            way_out="Install the newer program again, or `growth admin restore` a copy from before it.",
        )
    if found is not None:
        copy = _free_name(Path(str(database.engine.url.database)).parent, wanted)
        back_up(database, copy)
        logger.info("tables copied before they change", extra={FIELDS: {"file": copy.name, "version": found}})
    upgrade(database)
    refresh_statistics(database)
    logger.info("tables brought up to date", extra={FIELDS: {"version": wanted}})


def seed_if_empty(database: Database, served_model: ServedModel) -> None:
    """Make the demo school where there is no tenant."""
    # Only here: who serves a real school never loads the simulator.
    from service.demo import seed_demo

    logger.info("making the demo school")
    made = seed_demo(database, served_model)
    logger.info("demo school", extra={FIELDS: {"is_new": made is not None}})


def _free_name(folder: Path, version: str) -> Path:
    """growth-before-<version>.sqlite3, with a number where there is one already."""
    names = (f"growth-before-{version}{'' if number == 1 else f'-{number}'}.sqlite3" for number in count(1))
    return next(folder / name for name in names if not (folder / name).exists())
