"""Who is signed in on the pages, as arguments of routes: ``me: TeacherSignedIn`` and the route is a teacher's."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Annotated

from fastapi import BackgroundTasks, Depends, Request
from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response

from service.access.cookies import session_secret
from service.access.form_tokens import form_token
from service.access.rates import ServiceRates
from service.problems import Problem
from service.state import ServiceSettings, StoreDatabase
from service.store.actors import Actor
from service.store.sign_in import resume, touch
from service.store.tables.people import Role

SIGN_IN_PATH = "/sign-in"
READING_METHODS = {"GET", "HEAD"}


@dataclass(frozen=True)
class SignedIn:
    """A person with a session. ``form_token`` goes into every form of theirs; it is left out of the object's text."""

    actor: Actor
    name: str
    session_id: str
    form_token: str = field(repr=False)
    tenant_name: str
    is_demo: bool

    def may_be(self, role: Role) -> bool:
        """Whether the person has a role."""
        return role in self.actor.roles


class SignInNeededError(HTTPException):
    """Nobody is signed in on a page that needs it; ``sign_in_first`` is the answer."""

    def __init__(self, *, in_part_of_a_page: bool) -> None:
        self.in_part_of_a_page = in_part_of_a_page
        super().__init__(401 if in_part_of_a_page else 303, "sign in first")


async def sign_in_first(request: Request, error: Exception) -> Response:  # noqa: ARG001 - a handler's signature
    """Answer a ``SignInNeededError``: send the browser to the sign-in page.

    htmx puts the answer of a redirect into the part of the page it asked for, so it is told in a header instead.
    """
    if isinstance(error, SignInNeededError) and error.in_part_of_a_page:
        return Response(status_code=401, headers={"HX-Redirect": SIGN_IN_PATH})
    return RedirectResponse(SIGN_IN_PATH, status_code=303)


def maybe_signed_in(
    request: Request, settings: ServiceSettings, database: StoreDatabase, after: BackgroundTasks
) -> SignedIn | None:
    """The person behind the request's cookie, with the roles of this moment; None when nobody is."""
    secret = session_secret(request, settings)
    if secret is None:
        return None
    with database.read() as session:
        resumed = resume(session, secret)
    if resumed is None:
        return None
    # After the answer: noting it waits for the database's writer, which the person need not.
    after.add_task(touch, database, resumed)
    found = SignedIn(
        resumed.actor, resumed.name, resumed.id, form_token(secret), resumed.tenant_name, resumed.is_demo
    )  # fmt: skip
    # For the page of a refusal, which no route's arguments reach.
    request.state.signed_in = found
    return found


MaybeSignedIn = Annotated[SignedIn | None, Depends(maybe_signed_in)]


async def anyone_signed_in(request: Request, found: MaybeSignedIn, rates: ServiceRates) -> SignedIn:
    """The person signed in, whatever their roles. What they send is counted.

    Raises SignInNeededError for a page that is looked at, Problem ``unauthorized`` for a form that is sent, Problem
    ``too-many-requests`` for more than 120 forms in a minute.
    """
    if found is not None:
        if request.method not in READING_METHODS:
            rates.count("forms", found.session_id)
        return found
    in_part_of_a_page = request.headers.get("hx-request", "").lower() == "true"
    if request.method in READING_METHODS or in_part_of_a_page:
        raise SignInNeededError(in_part_of_a_page=in_part_of_a_page)
    raise Problem("unauthorized")


AnyoneSignedIn = Annotated[SignedIn, Depends(anyone_signed_in)]


def requires(role: Role) -> Callable[[SignedIn], Awaitable[SignedIn]]:
    """A dependency: the person signed in, who has ``role``. It raises Problem ``forbidden`` for anybody else."""

    async def person_with_role(me: AnyoneSignedIn) -> SignedIn:
        if not me.may_be(role):
            raise Problem("forbidden")
        return me

    return person_with_role


async def reader(
    request: Request, settings: ServiceSettings, found: MaybeSignedIn, rates: ServiceRates
) -> SignedIn | None:
    """Anybody where the page is open or only this machine can reach it, else whoever is signed in."""
    if found is None and (settings.is_local or settings.open_page):
        return None
    return await anyone_signed_in(request, found, rates)


teacher_signed_in = requires("teacher")
coach_signed_in = requires("coach")
administrator_signed_in = requires("administrator")
lead_signed_in = requires("safeguarding")
TeacherSignedIn = Annotated[SignedIn, Depends(teacher_signed_in)]
CoachSignedIn = Annotated[SignedIn, Depends(coach_signed_in)]
AdministratorSignedIn = Annotated[SignedIn, Depends(administrator_signed_in)]
LeadSignedIn = Annotated[SignedIn, Depends(lead_signed_in)]
Reader = Annotated[SignedIn | None, Depends(reader)]
