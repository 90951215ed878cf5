"""An administrator's first page: the school in numbers of teachers, what practice changed, and two things to set."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from recommender.catalogue.loader import load_catalogue
from recommender.errors import CaseError
from service.access.signed_in import AdministratorSignedIn, SignedIn
from service.pages.consents import tenant_switches
from service.pages.outcome_rows import outcome_plot, outcome_rows
from service.pages.posted import SentFields
from service.pages.render import page
from service.pages.strings import page_strings
from service.settings import Settings
from service.state import ServiceSettings, StoreDatabase
from service.store.counts import Cells, TenantCounts, tenant_counts
from service.store.database import Database
from service.store.outcomes import tenant_outcomes
from service.store.people import (
    MAX_CONTACT_CHARACTERS,
    MAX_RETENTION_MONTHS,
    change_contact,
    change_retention,
    get_tenant,
)

PATH = "/admin"
router = APIRouter(include_in_schema=False)


@dataclass(frozen=True)
class CountTable:
    """Numbers of teachers by group; a count of None is not shown."""

    heading: str
    rows: list[tuple[str, int | None]]


@router.get(PATH)
def show_counts(
    request: Request, me: AdministratorSignedIn, database: StoreDatabase, settings: ServiceSettings, done: str = ""
) -> HTMLResponse:
    """Counts, outcomes, the safeguarding contact and how long texts are kept."""
    return _page(request, me, database, settings, done=done)


@router.post(PATH + "/contact")
def set_contact(
    request: Request, me: AdministratorSignedIn, sent: SentFields, database: StoreDatabase, settings: ServiceSettings
) -> Response:
    """Set whom a safeguarding message names; empty leaves it to the service."""
    contact = sent.text("contact")
    try:
        with database.write() as session:
            change_contact(session, me.actor, contact)
    except CaseError:
        return _page(request, me, database, settings, status=422, error="contact", typed={"contact": contact})
    return RedirectResponse(f"{PATH}?done=contact", status_code=303)


@router.post(PATH + "/retention")
def set_retention(
    request: Request, me: AdministratorSignedIn, sent: SentFields, database: StoreDatabase, settings: ServiceSettings
) -> Response:
    """Set for how many months texts are kept; empty leaves it to the service."""
    typed = sent.text("months").strip()
    months = sent.whole_number("months", 1, MAX_RETENTION_MONTHS)
    if typed and months is None:
        return _page(request, me, database, settings, status=422, error="retention", typed={"months": typed})
    with database.write() as session:
        change_retention(session, me.actor, months)
    return RedirectResponse(f"{PATH}?done=retention", status_code=303)


def count_tables(counts: TenantCounts) -> list[CountTable]:
    """The counts as they are read. Safeguarding answers are left out: they are for the lead alone, even as a number."""
    words = page_strings()["admin"]["counts"]
    labels: Mapping[str, Mapping[str, str]] = {
        "by_status": words["by_status"],
        "by_decision": words["by_decision"],
        "by_focus_domain": domain_titles(),
        "by_cycle_state": words["by_cycle_state"],
        "by_outcome": words["by_outcome"],
    }
    return [CountTable(words["tables"][name], _rows(getattr(counts, name), labels[name])) for name in labels]


def domain_titles() -> dict[str, str]:
    """Title of every domain of the catalogue, by its slug."""
    return {skill.domain: skill.domain_title for skill in load_catalogue()}


def _rows(cells: Cells, labels: Mapping[str, str]) -> list[tuple[str, int | None]]:
    return [(label, cells[group]) for group, label in labels.items() if group in cells]


def _page(
    request: Request,
    me: SignedIn,
    database: Database,
    settings: Settings,
    *,
    status: int = 200,
    done: str = "",
    error: str | None = None,
    typed: Mapping[str, Any] | None = None,
) -> HTMLResponse:
    with database.read() as session:
        counts = tenant_counts(session, me.actor)
        outcomes = tenant_outcomes(session, me.actor)
        tenant = get_tenant(session, me.actor)
        consents = tenant_switches(session, me.actor)
    now_set = {"contact": tenant.safeguarding_contact or "", "months": tenant.retention_months or ""}
    return page(
        request, "admin_counts.html", me, status,
        counts=counts, tables=count_tables(counts),
        outcome_rows=outcome_rows(outcomes, domain_titles()), outcome_plot=outcome_plot(outcomes, domain_titles()),
        consents=consents, done=done, error=error, form=now_set | dict(typed or {}),
        default_contact=None if tenant.safeguarding_contact else settings.safeguarding_contact,
        default_months=None if tenant.retention_months else settings.retention_months,
        max_contact=MAX_CONTACT_CHARACTERS, max_months=MAX_RETENTION_MONTHS,
    )  # fmt: skip
