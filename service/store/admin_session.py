"""What every `growth admin` command begins and ends with: the database, the tenant, and two ways to speak."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from recommender.console import err, out, stop
from recommender.errors import GrowthError

if TYPE_CHECKING:
    from service.store.actors import Actor
    from service.store.database import Database, StoreSession

TenantOption = Annotated[str, typer.Option("--tenant", help="Name or id of the tenant.")]


@contextmanager
def opened_database(*, migrated: bool = True) -> Iterator[Database]:
    """The configured database; a refusal becomes a sentence and exit code 2."""
    from service.settings import read_settings
    from service.store.database import open_database
    from service.store.schema_version import require_newest

    try:
        database = open_database(read_settings())
        try:
            if migrated:
                require_newest(database)
            yield database
        finally:
            database.close()
    except GrowthError as error:
        stop(error)


@contextmanager
def writing(tenant: str) -> Iterator[tuple[StoreSession, Actor]]:
    """A transaction in a tenant, as the operator."""
    from service.store.actors import operator
    from service.store.people import find_tenant

    with opened_database() as database, database.write() as session:
        yield session, operator(session, find_tenant(session, tenant))


def give(value: str) -> None:
    """An id or a secret, to standard output for a program to take."""
    out.print(value, highlight=False, markup=False, soft_wrap=True)


def say(sentence: str) -> None:
    """What is said to a person, to standard error."""
    err.print(sentence, highlight=False, markup=False, soft_wrap=True)
