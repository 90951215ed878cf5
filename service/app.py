"""The application: settings in, a FastAPI app out."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import anyio.to_thread
from fastapi import APIRouter, Depends, FastAPI
from fastapi.staticfiles import StaticFiles

from recommender.cases import INTENDED_USE
from service.access.hosts import HostCheck
from service.access.provider import provider_of
from service.access.rates import Rates
from service.api import cases, choices, cycles, health, model, observations, reviews, skills
from service.api.contract import describe, problem_responses
from service.api.keys import require_key, require_settings_key
from service.api.score import score_routes
from service.limits import BodyLimit
from service.metrics import Metrics
from service.observability import Observed
from service.pages import (
    admin_coaching,
    admin_counts,
    admin_keys,
    admin_model,
    admin_people,
    admin_use,
    coach_case,
    coach_practice,
    coach_queue,
    consents,
    contest_forms,
    contests,
    drafts,
    home,
    moments,
    my_data,
    notice,
    practice,
    safeguarding,
    sharing,
    sign_in,
    skill_pages,
    suggestions,
)
from service.pages import observations as observation_pages
from service.refusals import add_refusals
from service.served_model import ServedModel
from service.settings import Settings, read_settings
from service.shadow import Shadow
from service.store.database import Database, open_database
from service.store.statistics import refresh_statistics
from service.version import service_version

STATIC_FOLDER = Path(__file__).parent / "pages" / "static"
# FastAPI can send traces and the messages of exceptions to a collector; a struggle must not leave the machine that way.
NO_TELEMETRY: Any = {"tracing": False, "metrics": False, "logs": False, "auto_configure": False}
# Paths whose bodies hold many cases or scores.
BATCHES = ("/v1/score/batch", "/v1/observations")
# A promoted version is picked up within this time; looking costs reading two small files.
MODEL_LOOK_SECONDS = 5.0
# A school writes some hundred rows in an hour; an import at once may write more than there was.
STATISTICS_SECONDS = 3_600.0


def create_app(
    settings: Settings | None = None, served_model: ServedModel | None = None, database: Database | None = None
) -> FastAPI:
    """The service.

    ``settings`` None reads the environment, ``served_model`` None loads the model at start-up, ``database`` None opens
    the one of the settings; its tables are not touched. Raises SettingsError when the settings cannot be used.
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
    app.state.database = database or open_database(settings)
    app.state.rates = Rates(settings)
    app.state.shadow = Shadow(settings, app.state.metrics.registry)
    # Monotonic time by which answers must be out; it comes nearer when the server is told to stop.
    app.state.answers_until = math.inf
    app.state.provider = provider_of(settings)
    _add_routes(app, settings)
    add_refusals(app)
    batches = dict.fromkeys(BATCHES, settings.max_batch_bytes)
    app.add_middleware(BodyLimit, limit=settings.max_body_bytes, limits=batches)
    app.add_middleware(HostCheck, settings=settings)
    app.add_middleware(Observed, metrics=app.state.metrics)
    app.openapi = describe(app)  # type: ignore[method-assign]
    return app


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    anyio.to_thread.current_default_thread_limiter().total_tokens = app.state.settings.rank_threads
    served: ServedModel = app.state.model
    if not served.is_ready:
        await anyio.to_thread.run_sync(served.load)
    _name_model(app)
    duties = [asyncio.create_task(duty(app)) for duty in (_look_for_models, _keep_statistics)]
    yield
    for task in duties:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
    app.state.shadow.close()
    app.state.database.close()


async def _look_for_models(app: FastAPI) -> None:
    """Put a newer model version in the place of the old one when there is one."""
    # A thread of its own: requests must not wait for a model to load.
    alone = anyio.CapacityLimiter(1)
    while True:
        await asyncio.sleep(MODEL_LOOK_SECONDS)
        if await anyio.to_thread.run_sync(app.state.model.refresh, limiter=alone):
            _name_model(app)


async def _keep_statistics(app: FastAPI) -> None:
    """Let the embedded database know its tables as they have become."""
    alone = anyio.CapacityLimiter(1)
    while True:
        await asyncio.sleep(STATISTICS_SECONDS)
        await anyio.to_thread.run_sync(refresh_statistics, app.state.database, limiter=alone)


def _name_model(app: FastAPI) -> None:
    served: ServedModel = app.state.model
    if served.is_ready:
        recommender = served.recommender
        versions = {"version": recommender.model_version, "catalogue_version": recommender.catalogue.version}
        app.state.metrics.model.info(versions)


def _add_routes(app: FastAPI, settings: Settings) -> None:
    guarded: dict[str, Any] = {}
    of_service: dict[str, Any] = {}
    if not settings.is_local:
        guarded = {"dependencies": [Depends(require_key)], "responses": problem_responses(401, 403, 429)}
        of_service = {"dependencies": [Depends(require_settings_key)], "responses": problem_responses(401, 429)}
    app.include_router(score_routes(settings.max_batch), **guarded)
    app.include_router(skills.router, **guarded)
    app.include_router(model.router, **guarded)
    for resource in (cases, choices, reviews, cycles, observations):
        # What is stored is a tenant's: its routes want a stored key wherever the service runs.
        app.include_router(resource.router)
    app.include_router(health.health)
    app.include_router(health.metrics_route, **of_service)
    for router in _page_routers():
        app.include_router(router)
    app.mount("/static", StaticFiles(directory=STATIC_FOLDER), name="static")


def _page_routers() -> list[APIRouter]:
    return [
        home.router,
        sign_in.router,
        coach_queue.router,
        coach_case.router,
        coach_practice.router,
        moments.router,
        suggestions.router,
        sharing.router,
        contest_forms.router,
        drafts.router,
        admin_counts.router,
        admin_people.router,
        admin_coaching.router,
        admin_keys.router,
        admin_model.router,
        admin_use.router,
        contests.router,
        safeguarding.router,
        notice.router,
        skill_pages.router,
        practice.router,
        observation_pages.router,
        my_data.router,
        consents.router,
    ]
