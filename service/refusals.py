"""Every refusal as an answer: a page for a person, problem+json for a program, and no word of what was sent."""

from __future__ import annotations

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import iter_route_contexts
from starlette.exceptions import HTTPException
from starlette.routing import Match

from recommender.cases import lower_first
from recommender.errors import CaseError, GrowthError
from service.access.signed_in import SignInNeededError, sign_in_first
from service.observability import request_id_of
from service.pages.render import problem_page
from service.problems import FieldError, Problem, as_problem, problem_response
from service.store.errors import ConflictError, NotAllowedError, NotFoundError, StoreUnavailableError

# Programs speak to these; everything else is a page.
PROGRAM_PATHS = ("/v1/", "/health/", "/metrics", "/openapi.json")
RETRY = {"Retry-After": "5"}


def add_refusals(app: FastAPI) -> None:
    """Let the application answer everything it refuses in these shapes."""
    app.add_exception_handler(HTTPException, _answer_problem)
    app.add_exception_handler(SignInNeededError, sign_in_first)
    app.add_exception_handler(RequestValidationError, _answer_bad_parameter)
    app.add_exception_handler(GrowthError, _answer_refusal)


def as_refusal(error: GrowthError) -> Problem:
    """What the store or the engine refuses, as a problem."""
    if isinstance(error, NotFoundError):
        return Problem("not-found")
    if isinstance(error, NotAllowedError):
        return Problem("forbidden")
    if isinstance(error, ConflictError):
        return Problem("conflict")
    if isinstance(error, StoreUnavailableError):
        return Problem("store-unavailable", headers=RETRY)
    if isinstance(error, CaseError):
        return Problem("invalid-request", errors=[FieldError(field=error.where or "body", wanted=error.wanted)])
    return Problem("internal")


async def _answer_refusal(request: Request, error: Exception) -> Response:
    if not isinstance(error, GrowthError):
        raise error
    problem = as_refusal(error)
    if problem.name == "internal":
        # Logged with the lines it came through, and answered, as any other failure.
        raise error
    return await _answer_problem(request, problem)


async def _answer_problem(request: Request, error: Exception) -> Response:
    problem = as_problem(error) if isinstance(error, HTTPException) else Problem("internal")
    if problem.status_code == 405:
        problem.headers = {"Allow": _methods_at(request)}
    if problem.status_code in {400, 413, 415, 422}:
        request.app.state.metrics.rejected.labels(problem.name).inc()
    if is_for_a_person(request):
        return problem_page(request, problem, getattr(request.state, "signed_in", None))
    return problem_response(problem, request_id_of(request))


def _methods_at(request: Request) -> str:
    """Every method that is taken at this address: the framework itself names those of one route only."""
    routes = [context.original_route for context in iter_route_contexts(request.app.routes)]
    here = [route for route in routes if route.matches(request.scope)[0] is not Match.NONE]
    methods = {method for route in here for method in getattr(route, "methods", None) or ("GET", "HEAD")}
    return ", ".join(sorted(methods))


def is_for_a_person(request: Request) -> bool:
    """Whether a browser asked for a page."""
    if request.url.path.startswith(PROGRAM_PATHS):
        return False
    return "text/html" in request.headers.get("accept", "") or "hx-request" in request.headers


async def _answer_bad_parameter(request: Request, error: Exception) -> Response:
    found = error.errors() if isinstance(error, RequestValidationError) else []
    errors = [FieldError(field=str(e["loc"][-1]), wanted=lower_first(e["msg"])) for e in found]
    return await _answer_problem(request, Problem("invalid-parameter", errors=errors))
