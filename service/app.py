"""The application: settings in, a FastAPI app out."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio.to_thread
from fastapi import Depends, FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.staticfiles import StaticFiles
from starlette.exceptions import HTTPException

from recommender.cases import INTENDED_USE, lower_first
from service.api import health, model, skills
from service.api.contract import describe, problem_responses
from service.api.keys import require_key
from service.api.score import score_routes
from service.limits import BodyLimit
from service.metrics import Metrics
from service.observability import Observed, request_id_of
from service.pages import home
from service.pages.home import answer_problem_on_page
from service.problems import FieldError, Problem, as_problem, problem_response
from service.served_model import ServedModel
from service.settings import Settings, read_settings
from service.version import service_version

STATIC_FOLDER = Path(__file__).parent / "pages" / "static"
# FastAPI can send traces and the messages of exceptions to a collector; a struggle must not leave the machine that way.
NO_TELEMETRY: Any = {"tracing": False, "metrics": False, "logs": False, "auto_configure": False}


def create_app(settings: Settings | None = None, served_model: ServedModel | None = None) -> FastAPI:
    """The service. ``settings`` None reads the environment; ``served_model`` None loads the model at start-up.

    Raises SettingsError when the settings cannot be used.
    """
    settings = settings or read_settings()
    app = FastAPI(
        title="Growth recommender",
        version=service_version(),
        summary="From a teacher's own words to a short ranked list of narrow teaching skills, each with its reasons.",
        description=INTENDED_USE,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        lifespan=_lifespan,
        telemetry=NO_TELEMETRY,
    )
    app.state.settings = settings
    app.state.metrics = Metrics()
    app.state.model = served_model or ServedModel(settings)
    _add_routes(app, settings)
    _add_error_handlers(app)
    app.add_middleware(BodyLimit, limit=settings.max_body_bytes, limits={"/v1/score/batch": settings.max_batch_bytes})
    app.add_middleware(Observed, metrics=app.state.metrics)
    app.openapi = describe(app)  # type: ignore[method-assign]
    return app


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    anyio.to_thread.current_default_thread_limiter().total_tokens = app.state.settings.rank_threads
    served: ServedModel = app.state.model
    if not served.is_ready:
        await anyio.to_thread.run_sync(served.load)
    if served.is_ready:
        recommender = served.recommender
        versions = {"version": recommender.model_version, "catalogue_version": recommender.catalogue.version}
        app.state.metrics.model.info(versions)
    yield


def _add_routes(app: FastAPI, settings: Settings) -> None:
    guarded: dict[str, Any] = {}
    if not settings.is_local:
        guarded = {"dependencies": [Depends(require_key)], "responses": problem_responses(401)}
    app.include_router(score_routes(settings.max_batch), **guarded)
    app.include_router(skills.router, **guarded)
    app.include_router(model.router, **guarded)
    app.include_router(health.health)
    app.include_router(health.metrics_route, **guarded)
    app.include_router(home.router, **({} if settings.open_page else guarded))
    app.mount("/static", StaticFiles(directory=STATIC_FOLDER), name="static")


def _add_error_handlers(app: FastAPI) -> None:
    app.add_exception_handler(HTTPException, _answer_problem)
    app.add_exception_handler(RequestValidationError, _answer_bad_parameter)


async def _answer_problem(request: Request, error: Exception) -> Response:
    problem = as_problem(error) if isinstance(error, HTTPException) else Problem("internal")
    if problem.status_code in {400, 413, 415, 422}:
        request.app.state.metrics.rejected.labels(problem.name).inc()
    if request.url.path == home.PATH and "text/html" in request.headers.get("accept", ""):
        return answer_problem_on_page(problem)
    return problem_response(problem, request_id_of(request))


async def _answer_bad_parameter(request: Request, error: Exception) -> Response:
    found = error.errors() if isinstance(error, RequestValidationError) else []
    errors = [FieldError(field=str(e["loc"][-1]), wanted=lower_first(e["msg"])) for e in found]
    return await _answer_problem(request, Problem("invalid-parameter", errors=errors))
