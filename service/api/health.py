"""Routes for whoever keeps the service running: alive, ready, metrics."""

from __future__ import annotations

from typing import Any, Literal

from fastapi import APIRouter, Response
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from pydantic import BaseModel, ConfigDict

from service.api.contract import problem_responses
from service.api.state import Model, ServiceMetrics
from service.version import service_version

health = APIRouter(prefix="/health", tags=["health"])
metrics_route = APIRouter(tags=["health"])
METRICS_RESPONSE: dict[int | str, dict[str, Any]] = {
    200: {"description": "All series", "content": {"text/plain": {"schema": {"type": "string"}}}}
}


class Live(BaseModel):
    """The process answers."""

    status: Literal["live"] = "live"
    service_version: str


class Ready(BaseModel):
    """A model is loaded and passed its self-test."""

    model_config = ConfigDict(protected_namespaces=())

    status: Literal["ready"] = "ready"
    service_version: str
    model_version: str
    catalogue_version: str


@health.get("/live", operation_id="is_live", summary="Is the process alive", responses=problem_responses(500))
async def is_live() -> Live:
    """Answer as long as the process can."""
    return Live(service_version=service_version())


@health.get("/ready", operation_id="is_ready", summary="Can it rank", responses=problem_responses(500, 503))
async def is_ready(model: Model) -> Ready:
    """Answer with the versions once a model is loaded and passed its self-test."""
    recommender = model.recommender
    return Ready(
        service_version=service_version(),
        model_version=recommender.model_version,
        catalogue_version=recommender.catalogue.version,
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
