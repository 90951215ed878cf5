"""What every page asks of whoever opens it; a page that asks nothing is named here, with the reason."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal, get_args

from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute, iter_route_contexts
from starlette.routing import BaseRoute

from service.access import signed_in
from service.store.tables.people import Role

Wanted = Role | Literal["anyone"]

PUBLIC_ROUTES: Mapping[tuple[str, str], str] = {
    ("GET", "/"): "sends people on to their first page; signed out it is the try-out form or the way to sign in",
    ("POST", "/"): "the try-out form, which stores nothing",
    ("GET", "/sign-in"): "the way in",
    ("GET", "/sign-in/link"): "asks before it uses the link up, because mail programs open links by themselves",
    ("POST", "/sign-in/link"): "the link is the proof",
    ("GET", "/sign-in/provider"): "sends the browser to the identity provider",
    ("GET", "/sign-in/provider/answer"): "the provider's signed answer is the proof",
    ("POST", "/sign-out"): "signing out twice is no mistake",
    ("GET", "/skills"): "the catalogue; outside this machine only where the page is open",
    ("GET", "/skills/{skill_id}"): "the catalogue; outside this machine only where the page is open",
    ("GET", "/notice"): "what people are told about the service before they use it",
    ("GET", "/help"): "whom to ask, for people who cannot sign in",
}
"""Pages, by method and path, that can be asked for by somebody who is not signed in; and why."""

_DEPENDENCIES: Mapping[Any, Wanted] = {
    signed_in.anyone_signed_in: "anyone",
    signed_in.teacher_signed_in: "teacher",
    signed_in.coach_signed_in: "coach",
    signed_in.administrator_signed_in: "administrator",
    signed_in.lead_signed_in: "safeguarding",
}


def page_routes(routes: Sequence[BaseRoute]) -> Iterator[tuple[str, APIRoute]]:
    """Every page of an application, as method and route: all that is not in the API's description."""
    for context in iter_route_contexts(routes):
        route = context.original_route
        if isinstance(route, APIRoute) and not route.include_in_schema:
            for method in sorted(route.methods or ()):
                yield method, route


def wanted_of(route: APIRoute) -> Wanted | None:
    """What a route asks of the person: a role, "anyone" who is signed in, or None when it asks nothing."""
    found = set(_wanted(route.dependant))
    roles = [role for role in get_args(Role) if role in found]
    return roles[0] if roles else "anyone" if "anyone" in found else None


def _wanted(dependant: Dependant) -> Iterator[Wanted]:
    for dependency in dependant.dependencies:
        if dependency.call in _DEPENDENCIES:
            yield _DEPENDENCIES[dependency.call]
        yield from _wanted(dependency)
