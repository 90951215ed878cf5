"""`growth admin`: tenants, people, links, keys, and the care of the database."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from recommender.errors import CaseError, GrowthError

if TYPE_CHECKING:
    from service.store.actors import Actor
    from service.store.database import Database, StoreSession

admin_app = typer.Typer(help="Tenants, people, links, keys, and the care of the database.", no_args_is_help=True)
tenant_app = typer.Typer(help="Schools and districts.", no_args_is_help=True)
person_app = typer.Typer(help="Teachers, coaches and administrators.", no_args_is_help=True)
link_app = typer.Typer(help="Which coach works with which teacher.", no_args_is_help=True)
key_app = typer.Typer(help="Keys of apps.", no_args_is_help=True)
text_key_app = typer.Typer(help="Keys that stored texts are encrypted with.", no_args_is_help=True)
retention_app = typer.Typer(help="Deleting what has been kept long enough.", no_args_is_help=True)
for name, group in (
    ("tenant", tenant_app),
    ("person", person_app),
    ("link", link_app),
    ("key", key_app),
    ("text-key", text_key_app),
    ("retention", retention_app),
):
    admin_app.add_typer(group, name=name)
# Ids and secrets go to standard output for a program to take, everything said to a person to standard error.
out = Console()
err = Console(stderr=True)

EXIT_REFUSED = 2
TenantOption = Annotated[str, typer.Option("--tenant", help="Name or id of the tenant.")]


@contextmanager
def _database(*, migrated: bool = True) -> Iterator[Database]:
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
        err.print("[bold red]Stopped.[/]", escape(str(error)), highlight=False)
        raise typer.Exit(EXIT_REFUSED) from None


@contextmanager
def _writing(tenant: str) -> Iterator[tuple[StoreSession, Actor]]:
    from service.store.actors import operator
    from service.store.people import find_tenant

    with _database() as database, database.write() as session:
        yield session, operator(session, find_tenant(session, tenant))


def _print(value: str) -> None:
    out.print(value, highlight=False, markup=False, soft_wrap=True)


def _say(sentence: str) -> None:
    err.print(sentence, highlight=False, markup=False, soft_wrap=True)


@tenant_app.command("create")
def create_tenant_command(
    name: Annotated[str, typer.Argument(help="Name of the school or district.")],
    contact: Annotated[str | None, typer.Option("--contact", help="Whom a safeguarding message names.")] = None,
    retention_months: Annotated[int | None, typer.Option(min=1, max=120, help="Default: the setting.")] = None,
) -> None:
    """Create a tenant and print its id."""
    from service.store.people import create_tenant

    with _database() as database, database.write() as session:
        _print(create_tenant(session, name, safeguarding_contact=contact, retention_months=retention_months))


@person_app.command("create")
def create_person_command(
    name: Annotated[str, typer.Argument(help="The person's name.")],
    tenant: TenantOption,
    role: Annotated[list[str], typer.Option("--role", help="teacher, coach or administrator; may be repeated.")],
    email: Annotated[str | None, typer.Option(help="For signing in.")] = None,
    external_id: Annotated[str | None, typer.Option(help="The teacher_id of observation files and apps.")] = None,
) -> None:
    """Create a person and print their id."""
    from service.store.people import create_person
    from service.store.tables.people import ROLES

    with _writing(tenant) as (session, actor):
        roles = [known for known in ROLES if known in role]
        if len(roles) != len(set(role)):
            raise CaseError("an unknown role", wanted=", ".join(ROLES))
        _print(create_person(session, actor, name, roles, email=email, external_id=external_id))


@link_app.command("create")
def create_link_command(
    coach: Annotated[str, typer.Argument(help="Id of the coach.")],
    teacher: Annotated[str, typer.Argument(help="Id of the teacher.")],
    tenant: TenantOption,
) -> None:
    """Link a coach and a teacher, and print the link's id. It shares nothing by itself."""
    from service.store.links import create_link

    with _writing(tenant) as (session, actor):
        _print(create_link(session, actor, coach, teacher))


@key_app.command("create")
def create_key_command(
    app: Annotated[str, typer.Argument(help="Short name of the app.")],
    tenant: TenantOption,
    scope: Annotated[list[str], typer.Option("--scope", help="score, write or admin; may be repeated.")],
    days: Annotated[int, typer.Option(min=1, help="Days until it ends.")] = 365,
) -> None:
    """Create a key and print it. It is shown this once."""
    from service.store.keys import create_key
    from service.store.tables.people import SCOPES

    with _writing(tenant) as (session, actor):
        scopes = [known for known in SCOPES if known in scope]
        if len(scopes) != len(set(scope)):
            raise CaseError("an unknown scope", wanted=", ".join(SCOPES))
        key = create_key(session, actor, app, scopes, days=days)
    _print(key.secret)
    _say(f"Key {key.id}, until {key.expires_at:%Y-%m-%d}. It cannot be shown again.")


@key_app.command("list")
def list_keys_command(tenant: TenantOption) -> None:
    """List the keys of a tenant, ended ones too."""
    from service.store.keys import list_keys

    with _writing(tenant) as (session, actor):
        table = Table("key", "app", "begins with", "scopes", "until", "revoked", "replaced by")
        for key in list_keys(session, actor):
            revoked = "" if key.revoked_at is None else f"{key.revoked_at:%Y-%m-%d}"
            cells = (key.id, key.app, key.shown_prefix, " ".join(key.scopes), f"{key.expires_at:%Y-%m-%d}", revoked)
            table.add_row(*map(escape, cells), key.replaced_by or "")
    out.print(table)


@key_app.command("rotate")
def rotate_key_command(
    key: Annotated[str, typer.Argument(help="Id of the key.")],
    tenant: TenantOption,
    overlap_days: Annotated[int, typer.Option(min=0, help="Days the old key still works.")] = 7,
) -> None:
    """Give an app a new key with the same scopes and print it. The old one works on for some days."""
    from service.store.keys import rotate_key

    with _writing(tenant) as (session, actor):
        new = rotate_key(session, actor, key, overlap_days=overlap_days)
    _print(new.secret)
    _say(f"Key {new.id}, until {new.expires_at:%Y-%m-%d}. The old key ends in {overlap_days} days.")


@key_app.command("revoke")
def revoke_key_command(key: Annotated[str, typer.Argument(help="Id of the key.")], tenant: TenantOption) -> None:
    """End a key at once."""
    from service.store.keys import revoke_key

    with _writing(tenant) as (session, actor):
        revoke_key(session, actor, key)
    _say("Revoked.")


@text_key_app.command("new")
def new_text_key_command() -> None:
    """Print a fresh key for GROWTH_TEXT_KEY. Put it in front of the old one, then rotate."""
    from service.store.text_keys import new_text_key

    _print(new_text_key())


@text_key_app.command("rotate")
def rotate_text_key_command() -> None:
    """Encrypt every stored text anew with the first key of GROWTH_TEXT_KEY."""
    from service.store.text_vault import rotate_texts

    with _database() as database:
        with database.write() as session:
            count = rotate_texts(session)
        _say(f"{count} texts encrypted anew with key {database.text_keys.current or 'none: they are readable'}.")


@admin_app.command()
def migrate(
    to: Annotated[str, typer.Option("--to", help="Version, base for none; default: the newest.")] = "head",
    down: Annotated[bool, typer.Option("--down", help="Go back: what newer tables hold is lost.")] = False,
) -> None:
    """Bring the tables to a version. Back up first."""
    from service.store.schema_version import current_version, downgrade, upgrade

    with _database(migrated=False) as database:
        (downgrade if down else upgrade)(database, to)
        _say(f"Tables of version {current_version(database) or 'none'}.")


@admin_app.command()
def backup(file: Annotated[Path, typer.Argument(help="A new file.")]) -> None:
    """Write a copy of the whole database, also while it is in use."""
    from service.store.backup import back_up

    with _database(migrated=False) as database:
        back_up(database, file)
        _say(f"Wrote {file.name}.")


@admin_app.command()
def restore(
    file: Annotated[Path, typer.Argument(help="A file that backup wrote.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Put a copy in the place of all that is in the database. Stop the service first."""
    from service.store.backup import restore as restore_database
    from service.store.schema_version import current_version

    if not yes:
        typer.confirm("This replaces everything in the database. Go on?", abort=True, err=True)
    with _database(migrated=False) as database:
        restore_database(database, file)
        _say(f"Restored; tables of version {current_version(database) or 'none'}.")


@retention_app.command("run")
def run_retention_command() -> None:
    """Delete the texts whose time is over. Run it every day."""
    from service.settings import read_settings
    from service.store.retention import run_retention

    with _database() as database:
        expired = run_retention(database, read_settings().retention_months)
        _say(f"{sum(e.texts for e in expired)} texts of {sum(e.cases for e in expired)} cases deleted.")
