"""`growth admin person` and `growth admin link`: people, how they sign in, and which coach works with which teacher."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from recommender.console import out
from recommender.errors import CaseError
from service.store.admin_session import TenantOption, give, say, writing

person_app = typer.Typer(help="Teachers, coaches, administrators and safeguarding leads.", no_args_is_help=True)
link_app = typer.Typer(help="Which coach works with which teacher.", no_args_is_help=True)
PersonArgument = Annotated[str, typer.Argument(metavar="PERSON", help="Id of the person.")]


@person_app.command("create")
def create_person_command(
    name: Annotated[str, typer.Argument(help="The person's name.")],
    tenant: TenantOption,
    role: Annotated[
        list[str], typer.Option("--role", help="teacher, coach, administrator or safeguarding; may be repeated.")
    ],
    email: Annotated[str | None, typer.Option(help="For signing in through an identity provider.")] = None,
    external_id: Annotated[str | None, typer.Option(help="The teacher_id of observation files and apps.")] = None,
) -> None:
    """Create a person and print their id."""
    from service.store.people import create_person
    from service.store.tables.people import ROLES

    with writing(tenant) as (session, actor):
        roles = [known for known in ROLES if known in role]
        if len(roles) != len(set(role)):
            raise CaseError("an unknown role", wanted=", ".join(ROLES))
        give(create_person(session, actor, name, roles, email=email, external_id=external_id))


@person_app.command("list")
def list_people_command(tenant: TenantOption) -> None:
    """List the people of a tenant, in the order they came."""
    from service.store.people import list_people

    table = Table("person", "name", "roles", "e-mail", "external id", "left")
    with writing(tenant) as (session, actor):
        after: str | None = None
        while True:
            people = list_people(session, actor, after=after)
            for one in people.items:
                cells = (one.id, one.name, " ".join(one.roles), one.email or "", one.external_id or "")
                table.add_row(*map(escape, cells), "left" if one.has_left else "")
            after = people.next
            if after is None:
                break
    out.print(table)


@person_app.command("link")
def sign_in_link_command(
    person: PersonArgument,
    tenant: TenantOption,
    minutes: Annotated[int | None, typer.Option(min=1, help="Minutes it works; default: a day.")] = None,
) -> None:
    """Print an address that signs a person in once. Earlier ones of theirs end. Whoever opens it is that person."""
    from service.settings import read_settings
    from service.store.sign_in_links import LINK_MINUTES, issue_link, link_address

    with writing(tenant) as (session, actor):
        link = issue_link(session, actor, person, minutes=minutes or LINK_MINUTES)
        address = link_address(read_settings(), link)
    give(address)
    say(f"Works once, until {link.expires_at:%Y-%m-%d %H:%M} UTC. It cannot be shown again.")


@person_app.command("sign-out")
def sign_out_command(person: PersonArgument, tenant: TenantOption) -> None:
    """Sign a person out on every device and end their unused links."""
    from service.store.sign_in import end_sessions_of

    with writing(tenant) as (session, actor):
        ended = end_sessions_of(session, actor, person)
    say(f"{ended} sessions ended.")


@link_app.command("create")
def create_link_command(
    coach: Annotated[str, typer.Argument(help="Id of the coach.")],
    teacher: Annotated[str, typer.Argument(help="Id of the teacher.")],
    tenant: TenantOption,
) -> None:
    """Link a coach and a teacher, and print the link's id. It shares nothing by itself."""
    from service.store.links import create_link

    with writing(tenant) as (session, actor):
        give(create_link(session, actor, coach, teacher))
