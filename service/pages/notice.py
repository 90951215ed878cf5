"""What everybody is told before they use the service, and help; both can be read without signing in."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from service.access.signed_in import MaybeSignedIn, SignedIn
from service.pages.render import page
from service.settings import Settings
from service.state import ServiceSettings, StoreDatabase
from service.store.database import Database
from service.store.people import TenantView, get_tenant

router = APIRouter(include_in_schema=False)


@router.get("/notice")
def show_notice(
    request: Request, me: MaybeSignedIn, database: StoreDatabase, settings: ServiceSettings
) -> HTMLResponse:
    """What the service is for and not for, what is kept, who sees what, how to object.

    Signed in, it says the school's own contact and time; an administrator also gets a text to adapt for the staff.
    """
    tenant = _tenant(me, database)
    own_months = tenant.retention_months if tenant is not None else None
    return page(
        request, "notice.html", me,
        months=own_months or settings.retention_months, contact=_contact(tenant, settings),
        administers=me is not None and me.may_be("administrator"),
    )  # fmt: skip


@router.get("/help")
def show_help(request: Request, me: MaybeSignedIn, database: StoreDatabase, settings: ServiceSettings) -> HTMLResponse:
    """How to sign in, whom to ask, and, signed in, whom to talk to about somebody's safety."""
    tenant = _tenant(me, database)
    return page(request, "help.html", me, contact=_contact(tenant, settings) if me is not None else None)


def _tenant(me: SignedIn | None, database: Database) -> TenantView | None:
    if me is None:
        return None
    with database.read() as session:
        return get_tenant(session, me.actor)


def _contact(tenant: TenantView | None, settings: Settings) -> str:
    return (tenant.safeguarding_contact if tenant is not None else None) or settings.safeguarding_contact
