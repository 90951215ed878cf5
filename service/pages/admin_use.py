"""How the service is used: people a week by what was done, and what administration itself did."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from service.access.signed_in import AdministratorSignedIn
from service.pages.render import page
from service.state import StoreDatabase
from service.store.use import WeekOfUse, administrative_events, use_by_week

PATH = "/admin/use"
WEEKS = 6
router = APIRouter(include_in_schema=False)


@dataclass(frozen=True)
class UseRow:
    """One kind of thing, with how many people it concerned in each week; None is not shown."""

    action: str
    people: list[int | None]


@router.get(PATH)
def show_use(
    request: Request, me: AdministratorSignedIn, database: StoreDatabase, after: str | None = None
) -> HTMLResponse:
    """The last six weeks, and the log of administration, latest first."""
    with database.read() as session:
        weeks = use_by_week(session, me.actor, WEEKS)
        events = administrative_events(session, me.actor, after)
    return page(
        request, "admin_use.html", me, weeks=[week.begins_on for week in weeks], rows=use_rows(weeks), events=events
    )


def use_rows(weeks: Sequence[WeekOfUse]) -> list[UseRow]:
    """The weeks by kind of thing; a kind that concerned nobody in any of them is left out."""
    actions = weeks[0].people if weeks else ()
    rows = [UseRow(action, [week.people[action] for week in weeks]) for action in actions]
    return [row for row in rows if any(number != 0 for number in row.people)]
