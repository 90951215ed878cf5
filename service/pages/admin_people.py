"""People of the school as an administrator keeps them: by name, added, given a link to sign in, marked as left."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from recommender.errors import CaseError
from service.access.signed_in import AdministratorSignedIn, SignedIn
from service.pages.posted import Posted, SentFields
from service.pages.render import page
from service.pages.strings import page_strings
from service.state import ServiceSettings, StoreDatabase
from service.store.database import Database
from service.store.directory import pairings_of, people_as, people_by_name
from service.store.errors import ConflictError
from service.store.people import create_person, get_person, mark_left
from service.store.sign_in import end_sessions_of
from service.store.sign_in_links import issue_link
from service.store.tables.people import ROLES, Role

PATH = "/admin/people"
LINK_PATH = "/sign-in/link"
# Who is linked with whom.
PARTNERS: Mapping[Role, Role] = {"coach": "teacher", "teacher": "coach"}
router = APIRouter(include_in_schema=False)


@dataclass(frozen=True)
class PersonForm:
    """Somebody to add, as typed; what is left empty is not given."""

    name: str = ""
    email: str = ""
    external_id: str = ""
    roles: tuple[Role, ...] = ()

    @classmethod
    def of(cls, sent: Posted) -> PersonForm:
        """The form in posted fields; a role that is none counts as not ticked."""
        ticked = sent.all("role")
        return cls(
            sent.text("name").strip(), sent.text("email").strip(), sent.text("external_id").strip(),
            tuple(role for role in ROLES if role in ticked),
        )  # fmt: skip


@router.get(PATH)
def show_people(
    request: Request, me: AdministratorSignedIn, database: StoreDatabase, after: str | None = None, done: str = ""
) -> HTMLResponse:
    """Everybody by name, and a form to add somebody."""
    return _list_page(request, me, database, PersonForm(), after=after, done=done)


@router.post(PATH)
def add_person(
    request: Request, me: AdministratorSignedIn, sent: SentFields, database: StoreDatabase
) -> Response:  # fmt: skip
    """Add somebody to the school."""
    form = PersonForm.of(sent)
    try:
        with database.write() as session:
            person_id = create_person(
                session, me.actor, form.name, form.roles,
                email=form.email or None, external_id=form.external_id or None,
            )  # fmt: skip
    except CaseError as error:
        known = page_strings()["admin"]["people"]["errors"]
        return _list_page(request, me, database, form, error=error.where if error.where in known else "name")
    except ConflictError:
        return _list_page(request, me, database, form, error="taken")
    return RedirectResponse(f"{PATH}/{person_id}?done=created", status_code=303)


@router.get(PATH + "/{person_id}")
def show_person(
    request: Request, me: AdministratorSignedIn, person_id: str, database: StoreDatabase, done: str = ""
) -> HTMLResponse:
    """One person: who they are here, how they sign in, who they work with."""
    return person_page(request, me, database, person_id, done=done)


@router.post(PATH + "/{person_id}/sign-in-links")
def make_sign_in_link(
    request: Request,
    me: AdministratorSignedIn,
    sent: SentFields,  # noqa: ARG001 - checks the form's token
    person_id: str,
    database: StoreDatabase,
    settings: ServiceSettings,
) -> HTMLResponse:
    """Make a link and show it in the answer itself, this once: its secret is in no address of this service's pages."""
    with database.write() as session:
        link = issue_link(session, me.actor, person_id)
        person = get_person(session, me.actor, person_id)
    address = f"{settings.base_url}{LINK_PATH}?token={link.secret}"
    return page(request, "admin_sign_in_link.html", me, person=person, address=address, until=link.expires_at)


@router.post(PATH + "/{person_id}/sign-out")
def sign_out_everywhere(
    me: AdministratorSignedIn,
    sent: SentFields,  # noqa: ARG001 - checks the form's token
    person_id: str,
    database: StoreDatabase,
) -> Response:
    """End every session of a person and the links they did not use."""
    with database.write() as session:
        end_sessions_of(session, me.actor, person_id)
    return RedirectResponse(f"{PATH}/{person_id}?done=signed_out", status_code=303)


@router.get(PATH + "/{person_id}/leave")
def ask_before_leaving(
    request: Request, me: AdministratorSignedIn, person_id: str, database: StoreDatabase
) -> HTMLResponse:
    """Ask once more: it cannot be undone here."""
    with database.read() as session:
        person = get_person(session, me.actor, person_id)
    words = page_strings()["admin"]["person"]
    return page(
        request, "admin_confirm.html", me,
        question=f"{words['leave_sure']} {person.name}", hint=words["leave_hint"], yes=words["leave_yes"],
        cancel=words["cancel"], action=f"{PATH}/{person_id}/leave", back=f"{PATH}/{person_id}",
    )  # fmt: skip


@router.post(PATH + "/{person_id}/leave")
def let_leave(
    request: Request,
    me: AdministratorSignedIn,
    sent: SentFields,  # noqa: ARG001 - checks the form's token
    person_id: str,
    database: StoreDatabase,
) -> Response:
    """Mark a person as left and sign them out. Administrators cannot lock themselves out."""
    if person_id == me.actor.id:
        return person_page(request, me, database, person_id, status=422, error="leave_self")
    with database.write() as session:
        mark_left(session, me.actor, person_id)
        end_sessions_of(session, me.actor, person_id)
    return RedirectResponse(f"{PATH}/{person_id}?done=left", status_code=303)


def person_page(
    request: Request,
    me: SignedIn,
    database: Database,
    person_id: str,
    *,
    status: int = 200,
    done: str = "",
    error: str | None = None,
) -> HTMLResponse:
    """The page of one person. Raises NotFoundError for somebody of another tenant."""
    with database.read() as session:
        person = get_person(session, me.actor, person_id)
        pairs = pairings_of(session, me.actor, person_id)
        linked = {pair.coach.id for pair in pairs} | {pair.teacher.id for pair in pairs}
        to_add = {
            other: [one for one in people_as(session, me.actor, other) if one.id not in linked | {person_id}]
            for role, other in PARTNERS.items()
            if role in person.roles and not person.has_left
        }
    return page(
        request, "admin_person.html", me, status,
        person=person, pairs=pairs, to_add=to_add, done=done, error=error,
    )  # fmt: skip


def _list_page(
    request: Request,
    me: SignedIn,
    database: Database,
    form: PersonForm,
    *,
    after: str | None = None,
    done: str = "",
    error: str | None = None,
) -> HTMLResponse:
    with database.read() as session:
        people = people_by_name(session, me.actor, after=after)
    return page(
        request, "admin_people.html", me, 422 if error else 200,
        people=people, form=form, error=error, done=done, roles=ROLES,
    )  # fmt: skip
