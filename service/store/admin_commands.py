"""`growth admin`: tenants, keys, and the care of the database; ``people_commands`` has the people."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from recommender.console import out
from recommender.errors import CaseError
from service.store.admin_session import TenantOption, give, opened_database, say, writing
from service.store.people_commands import link_app, person_app

admin_app = typer.Typer(help="Tenants, people, links, keys, and the care of the database.", no_args_is_help=True)
tenant_app = typer.Typer(help="Schools and districts.", no_args_is_help=True)
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


@tenant_app.command("create")
def create_tenant_command(
    name: Annotated[str, typer.Argument(help="Name of the school or district.")],
    contact: Annotated[str | None, typer.Option("--contact", help="Whom a safeguarding message names.")] = None,
    retention_months: Annotated[int | None, typer.Option(min=1, max=120, help="Default: the setting.")] = None,
) -> None:
    """Create a tenant and print its id."""
    from service.store.people import create_tenant

    with opened_database() as database, database.write() as session:
        give(create_tenant(session, name, safeguarding_contact=contact, retention_months=retention_months))


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

    with writing(tenant) as (session, actor):
        scopes = [known for known in SCOPES if known in scope]
        if len(scopes) != len(set(scope)):
            raise CaseError("an unknown scope", wanted=", ".join(SCOPES))
        key = create_key(session, actor, app, scopes, days=days)
    give(key.secret)
    say(f"Key {key.id}, until {key.expires_at:%Y-%m-%d}. It cannot be shown again.")


@key_app.command("list")
def list_keys_command(tenant: TenantOption) -> None:
    """List the keys of a tenant, ended ones too."""
    from service.store.keys import list_keys

    with writing(tenant) as (session, actor):
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

    with writing(tenant) as (session, actor):
        new = rotate_key(session, actor, key, overlap_days=overlap_days)
    give(new.secret)
    say(f"Key {new.id}, until {new.expires_at:%Y-%m-%d}. The old key ends in {overlap_days} days.")


@key_app.command("revoke")
def revoke_key_command(key: Annotated[str, typer.Argument(help="Id of the key.")], tenant: TenantOption) -> None:
    """End a key at once."""
    from service.store.keys import revoke_key

    with writing(tenant) as (session, actor):
        revoke_key(session, actor, key)
    say("Revoked.")


@text_key_app.command("new")
def new_text_key_command() -> None:
    """Print a fresh key for GROWTH_TEXT_KEY. Put it in front of the old one, then rotate."""
    from service.store.text_keys import new_text_key

    give(new_text_key())


@text_key_app.command("rotate")
def rotate_text_key_command() -> None:
    """Encrypt every stored text anew with the first key of GROWTH_TEXT_KEY."""
    from service.store.text_vault import rotate_texts

    with opened_database() as database:
        with database.write() as session:
            count = rotate_texts(session)
        say(f"{count} texts encrypted anew with key {database.text_keys.current or 'none: they are readable'}.")


@admin_app.command()
def migrate(
    to: Annotated[str, typer.Option("--to", help="Version, base for none; default: the newest.")] = "head",
    down: Annotated[bool, typer.Option("--down", help="Go back: what newer tables hold is lost.")] = False,
) -> None:
    """Bring the tables to a version. Back up first."""
    from service.store.schema_version import current_version, downgrade, upgrade

    with opened_database(migrated=False) as database:
        (downgrade if down else upgrade)(database, to)
        say(f"Tables of version {current_version(database) or 'none'}.")


@admin_app.command()
def backup(file: Annotated[Path, typer.Argument(help="A new file.")]) -> None:
    """Write a copy of the whole database, also while it is in use."""
    from service.store.backup import back_up

    with opened_database(migrated=False) as database:
        back_up(database, file)
        say(f"Wrote {file.name}.")


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
    with opened_database(migrated=False) as database:
        restore_database(database, file)
        say(f"Restored; tables of version {current_version(database) or 'none'}.")


@admin_app.command()
def evidence(
    output: Annotated[Path, typer.Argument(help="File to write, JSON Lines; an older one is replaced.")],
    tenant: Annotated[
        str | None, typer.Option("--tenant", help="Name or id of one tenant; default: all but a demo.")
    ] = None,
) -> None:
    """Write what schools and people agreed to pass on, for `growth retrain`. Ids become pseudonyms."""
    from service.settings import read_settings
    from service.store.evidence_file import read_pseudonym_key, write_evidence

    with opened_database() as database:
        key = read_pseudonym_key(read_settings().data.expanduser())
        told = write_evidence(database, output, key, None if tenant is None else [tenant])
    say(f"{told.rows} rows, {told.without_words} of them without the teacher's words.")
    say(
        f"Left out for want of consent: {told.without_tenant} lists of schools, {told.without_teacher} lists of "
        f"teachers, {told.without_coach} reviews of coaches."
    )
    if told.unknown_skills:
        say(f"Left out for skills that this catalogue does not hold: {told.unknown_skills} lists.")


@retention_app.command("run")
def run_retention_command(
    trust_clock: Annotated[
        bool, typer.Option("--trust-clock", help="Run also when nothing happened for more than 400 days.")
    ] = False,
) -> None:
    """Delete the texts whose time is over. Run it every day."""
    from service.settings import read_settings
    from service.store.retention import run_retention

    with opened_database() as database:
        expired = run_retention(database, read_settings().retention_months, trust_clock=trust_clock)
        say(f"{sum(e.texts for e in expired)} texts of {sum(e.cases for e in expired)} cases deleted.")
