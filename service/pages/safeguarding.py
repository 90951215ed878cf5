"""Whom the safeguarding lead should talk to: names and times, because no words are kept."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from service.access.signed_in import LeadSignedIn
from service.pages.posted import SentFields
from service.pages.render import page
from service.state import StoreDatabase
from service.store.alerts import list_alerts, mark_seen

PATH = "/safeguarding"
router = APIRouter(include_in_schema=False)


@router.get(PATH)
def show_alerts(
    request: Request, me: LeadSignedIn, database: StoreDatabase, after: str | None = None
) -> HTMLResponse:  # fmt: skip
    """The alerts, latest first."""
    with database.read() as session:
        alerts = list_alerts(session, me.actor, after)
    return page(request, "safeguarding.html", me, alerts=alerts)


@router.post(PATH + "/{alert_id}/seen")
def see_alert(
    me: LeadSignedIn,
    sent: SentFields,  # noqa: ARG001 - checks the form's token
    alert_id: str,
    database: StoreDatabase,
) -> Response:
    """Say that the lead has looked at an alert."""
    with database.write() as session:
        mark_seen(session, me.actor, alert_id)
    return RedirectResponse(PATH, status_code=303)
