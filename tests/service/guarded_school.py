"""The school of a whole test module, on a database file of its own, and its tables before and after a request."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from fastapi.routing import APIRoute, iter_route_contexts
from school_app import SchoolApp, make_school_app
from sqlalchemy import URL, select
from starlette.routing import Mount

from service.access.rates import Rates
from service.app import create_app
from service.served_model import ServedModel
from service.settings import Settings
from service.store.database import BUSY_SECONDS, Database, engine_for
from service.store.tables.schema import METADATA
from service.store.text_keys import TextKeys

NETWORK: dict[str, Any] = {"host": "0.0.0.0", "api_keys": ("00" * 32,), "public_url": "https://growth.example"}
UNKNOWN_ID = "01JZZZZZZZZZZZZZZZZZZZZZZZ"


@contextmanager
def school_in(
    folder: Path,
    template: Path,
    served_model: ServedModel,
    text_keys: TextKeys | None = None,
    busy_seconds: float = BUSY_SECONDS,
    **settings: Any,
) -> Iterator[SchoolApp]:
    """A school in a folder; ``template`` is a file with tables and nothing in them."""
    file = Path(shutil.copy(template, folder / "growth.sqlite3"))
    database = Database(engine_for(URL.create("sqlite", database=str(file)), busy_seconds), text_keys)
    app = create_app(Settings(**({"data": folder} | settings)), served_model, database)
    yield make_school_app(app, database)
    database.close()


def routes_of(app) -> dict[str, str]:
    """Every route there is, by method and path, and whether it is a page or for programs."""
    found = {}
    for context in iter_route_contexts(app.routes):
        route = context.original_route
        methods = {"GET"} if isinstance(route, Mount) else set(route.methods) - {"HEAD"}
        is_page = isinstance(route, APIRoute) and not route.include_in_schema
        found |= {f"{method} {context.path}": "pages" if is_page else "programs" for method in methods}
    return found


def forget_rates(app: Any) -> None:
    """Let everybody try as often as if nobody had tried before."""
    app.state.rates = Rates(app.state.settings)


def tables(database: Database) -> dict[str, list[str]]:
    """Every row of every table, for comparing."""
    with database.read() as session:
        return {
            table.name: sorted(repr(tuple(row)) for row in session.execute(select(table)))
            for table in METADATA.sorted_tables
        }


def changed(before: dict[str, list[str]], after: dict[str, list[str]]) -> list[str]:
    """Names of the tables that are not what they were."""
    return [name for name in after if before[name] != after[name]]
