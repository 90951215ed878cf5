"""Routes that rank: one case, or a batch in which a bad case never costs the rest."""

from __future__ import annotations

import json
import logging
import time
from typing import Any

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict

from recommender.cases import Case, Ranking
from service.api.bodies import JsonBody, parse_json, read_case
from service.api.contract import batch_request, case_request, problem_responses
from service.logs import FIELDS, LOGGER_NAME, describe_exception
from service.metrics import Metrics
from service.observability import add_facts, request_id_of
from service.problems import FieldError, Problem, ProblemBody
from service.served_model import ServedModel
from service.state import Model, ServiceMetrics, ServiceSettings

SCORE_PROBLEMS = (400, 408, 413, 415, 422, 500, 503)
logger = logging.getLogger(LOGGER_NAME)


class BatchError(BaseModel):
    """A case of a batch that was not ranked, by its place in the request, from 0."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    index: int
    problem: ProblemBody


class BatchAnswer(BaseModel):
    """Rankings in the order of the cases that could be ranked, and a problem for each that could not."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    rankings: list[Ranking]
    errors: list[BatchError]


def score_routes(max_batch: int) -> APIRouter:
    """The scoring routes; they run in the thread pool, so that the event loop stays free."""
    router = APIRouter(prefix="/v1", tags=["score"], responses=problem_responses(*SCORE_PROBLEMS))
    router.post(
        "/score",
        operation_id="score",
        summary="Rank skills for one case",
        response_model=Ranking,
        openapi_extra=case_request(),
    )(score)
    router.post(
        "/score/batch",
        operation_id="score_batch",
        summary="Rank skills for up to 1,000 cases",
        response_model=BatchAnswer,
        openapi_extra=batch_request(max_batch),
    )(score_batch)
    return router


def score(body: JsonBody, model: Model, metrics: ServiceMetrics, request: Request) -> Response:
    """Answer with a ranking, or with a kind message where nothing honest can be suggested (status 200 as well)."""
    case = read_case(parse_json(body))
    ranking = rank_case(model, metrics, case)
    add_facts(request, struggle_length=len(case.struggle), ranking_status=ranking.status)
    return Response(ranking.to_json(), media_type="application/json")


def score_batch(
    body: JsonBody, model: Model, metrics: ServiceMetrics, settings: ServiceSettings, request: Request
) -> Response:
    """Rank every case on its own; each that cannot be ranked is answered with its place and its problem."""
    model.recommender  # noqa: B018  (refused as a whole while no model is ready)
    deadline = time.monotonic() + settings.request_timeout_seconds
    rankings: list[str] = []
    errors: list[BatchError] = []
    for index, value in enumerate(read_batch(parse_json(body), settings.max_batch)):
        try:
            if time.monotonic() > min(deadline, request.app.state.answers_until):
                raise Problem("out-of-time")
            rankings.append(rank_case(model, metrics, read_case(value)).to_json())
        except Exception as error:
            problem = _problem_of(error, request)
            metrics.rejected.labels(problem.name).inc()
            errors.append(BatchError(index=index, problem=problem.body(request_id_of(request))))
    add_facts(request, cases_ranked=len(rankings), cases_refused=len(errors))
    refused = json.dumps([error.model_dump(exclude_none=True) for error in errors])
    return Response(f'{{"rankings":[{",".join(rankings)}],"errors":{refused}}}', media_type="application/json")


def read_batch(value: Any, max_batch: int) -> list[Any]:
    """The elements of a batch, still unread. Raises Problem ``invalid-batch``."""
    cases = value.get("cases") if isinstance(value, dict) and len(value) == 1 else None
    if not isinstance(cases, list) or not 1 <= len(cases) <= max_batch:
        wanted = f"a list of 1 to {max_batch} cases"
        raise Problem("invalid-batch", errors=[FieldError(field="cases", wanted=wanted)])
    return cases


def rank_case(model: ServedModel, metrics: Metrics, case: Case) -> Ranking:
    """Rank and count one case that is not stored. Raises Problem as ``ServedModel.rank``."""
    ranking = model.rank(case)
    metrics.count_ranking(case, ranking)
    return ranking


def _problem_of(error: Exception, request: Request) -> Problem:
    if isinstance(error, Problem):
        return error
    fields = {"request_id": request_id_of(request), **describe_exception(error)}
    logger.error("case failed", extra={FIELDS: fields})
    return Problem("internal")
