"""Routes for whoever keeps the service running: alive, ready, metrics."""

from __future__ import annotations

from typing import Any, Literal

import anyio
import anyio.to_thread
from fastapi import APIRouter, Response
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from pydantic import BaseModel, ConfigDict

from service.api.contract import problem_responses
from service.problems import Problem
from service.refusals import RETRY
from service.state import Model, ServiceMetrics, StoreDatabase
from service.store.errors import StoreError
from service.store.schema_version import current_version
from service.version import service_version

health = APIRouter(prefix="/health", tags=["health"])
metrics_route = APIRouter(tags=["health"])
METRICS_RESPONSE: dict[int | str, dict[str, Any]] = {
    200: {"description": "All series", "content": {"text/plain": {"schema": {"type": "string"}}}}
}
# A database that takes longer than this serves nobody, and whoever asks here waits no longer.
DATABASE_SECONDS = 3.0
# A thread of its own: requests that rank must not make a service look dead, nor a dead database take their threads.
_ASKING = anyio.CapacityLimiter(1)


class Live(BaseModel):
    """The process answers."""

    status: Literal["live"] = "live"
    service_version: str


class Ready(BaseModel):
    """A model is loaded and passed its self-test, and the database answers. ``tables_version`` None: no tables."""

    model_config = ConfigDict(protected_namespaces=())

    status: Literal["ready"] = "ready"
    service_version: str
    model_version: str
    catalogue_version: str
    tables_version: str | None


@health.get("/live", operation_id="is_live", summary="Is the process alive", responses=problem_responses(500))
async def is_live() -> Live:
    """Answer as long as the process can."""
    return Live(service_version=service_version())


@health.get("/ready", operation_id="is_ready", summary="Can it rank and keep", responses=problem_responses(500, 503))
async def is_ready(model: Model, database: StoreDatabase) -> Ready:
    """Answer with the versions once a model is loaded and passed its self-test, as long as the database answers."""
    recommender = model.recommender
    try:
        with anyio.fail_after(DATABASE_SECONDS):
            tables_version = await anyio.to_thread.run_sync(
                current_version, database, limiter=_ASKING, abandon_on_cancel=True
            )
    except (StoreError, TimeoutError):
        raise Problem("store-unavailable", headers=RETRY) from None
    return Ready(
        service_version=service_version(),
        model_version=recommender.model_version,
        catalogue_version=recommender.catalogue.version,
        tables_version=tables_version,
    )


@metrics_route.get(
    "/metrics",
    operation_id="get_metrics",
    summary="Prometheus metrics",
    response_class=Response,
    responses=METRICS_RESPONSE | problem_responses(500),
)
async def get_metrics(metrics: ServiceMetrics) -> Response:
    """Answer with every series in the Prometheus text format."""
    return Response(metrics.page(), headers={"Content-Type": CONTENT_TYPE_LATEST})
