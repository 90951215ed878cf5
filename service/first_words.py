"""What is said to whoever started the service: where it is, and how to get in."""

from __future__ import annotations

from sqlalchemy import select

from service.settings import Settings
from service.store.database import Database
from service.store.tables.people import Tenant

NO_TENANT = """There is no school in the database yet. Make one, with an administrator and a link for them to sign in:
  growth admin tenant create "North School"
  growth admin person create "Your Name" --tenant "North School" --role administrator
  growth admin person link PERSON --tenant "North School"
To look around in a made-up school first: growth serve --demo"""
ONCE = "Open one of these once; new ones are printed at each start. Everybody in the demo school is made up."
NO_DEMO = "The database holds a school already, so no demo school was added."


def first_words(database: Database, settings: Settings, *, demo: bool) -> str:
    """The address, and with ``demo`` fresh links into the demo school; without a tenant how to make one."""
    parts = [f"The service answers at {settings.base_url}"]
    with database.read() as session:
        has_tenant = session.scalar(select(Tenant.id).limit(1)) is not None
    if not has_tenant:
        parts.append(NO_TENANT)
    elif demo:
        # Only here: who serves a real school never loads the simulator.
        from service.demo import demo_links

        links = [f"  {link.role:<14}{link.name:<18}{link.address}" for link in demo_links(database, settings)]
        parts.append("\n".join([ONCE, *links]) if links else NO_DEMO)
    return "\n" + "\n\n".join(parts) + "\n"
