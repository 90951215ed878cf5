"""Routes for a tenant's observation scores, in CSV or JSON, where a bad row never costs a good one; and its norms."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request

from recommender.catalogue.instruments import Instruments
from recommender.errors import DataFileError
from recommender.exchange.observation_files import ObservationFile, read_observation_csv, read_observation_rows
from recommender.exchange.rejects import Reject
from recommender.observations import scores as table
from service.access.apps import AdminApp
from service.api import answers
from service.api.bodies import CSV, JSON, media_type_of, parse_json
from service.api.contract import problem_responses, scores_request
from service.limits import read_body
from service.observability import add_facts
from service.problems import FieldError, Problem
from service.state import Model, ServiceSettings, StoreDatabase
from service.store.observations import scores_of_tenant, store_scores
from service.store.tenant_norms import fit_to, store_norms

router = APIRouter(prefix="/v1", tags=["observations"])
# Storing them holds the database's one writer for some seconds.
MAX_ROWS = 5_000
TAKE_PROBLEMS = problem_responses(400, 401, 403, 408, 409, 413, 415, 422, 429, 500, 503)
FIT_PROBLEMS = problem_responses(401, 403, 409, 429, 500, 503)
FORMAL = "formal"


@dataclass(frozen=True)
class ScoresBody:
    """A body of scores and whether it is CSV."""

    content: bytes
    is_csv: bool


async def _scores_body(request: Request, settings: ServiceSettings) -> ScoresBody:
    media_type = media_type_of(request)
    if media_type not in (JSON, CSV):
        raise Problem("unsupported-scores")
    return ScoresBody(await read_body(request, settings.request_timeout_seconds), media_type == CSV)


SentScores = Annotated[ScoresBody, Depends(_scores_body)]
WithFormal = Annotated[
    bool, Query(description="Also take formal evaluations; they are left out by default: the ranking is for growth.")
]


@router.post(
    "/observations",
    operation_id="take_observations",
    summary="Store observation scores",
    responses=TAKE_PROBLEMS,
    openapi_extra=scores_request(MAX_ROWS),
)
def take_observations(
    app: AdminApp,
    body: SentScores,
    model: Model,
    database: StoreDatabase,
    request: Request,
    include_formal: WithFormal = False,
) -> answers.ScoresTaken:
    """Store up to 5,000 scores of the app's tenant: a table in CSV, or rows in JSON with the same columns.

    A score is told by teacher, visit, day, observer, instrument, item and segment: sent again it is known, with another
    value it is corrected. Ids that look like a person's name are refused; names in notes are taken out.
    """
    read = _read(body, model.recommender.instruments)
    if read.rows > MAX_ROWS:
        raise _unusable(f"at most {MAX_ROWS:,} rows")
    is_formal = read.scores[table.OBSERVATION_TYPE] == FORMAL
    wanted = read.scores if include_formal else read.scores[~is_formal]
    with database.write() as session:
        done = store_scores(session, app, wanted)
    add_facts(request, rows=read.rows, rows_refused=len(read.rejects))
    return answers.ScoresTaken(
        new=done.new,
        known=done.known,
        corrected=done.corrected,
        not_scored=read.not_scored,
        formal=len(read.scores) - len(wanted),
        refused=[_refused(reject) for reject in read.rejects],
    )


@router.post("/norms", operation_id="fit_norms", summary="Fit the tenant's norms anew", responses=FIT_PROBLEMS)
def fit_norms(app: AdminApp, model: Model, database: StoreDatabase) -> answers.NormsFitted:
    """Fit norms on all stored scores of the app's tenant; every later ranking with scores uses them.

    Without a stored score it is refused (409). Do it when enough has come in, once a term, say: it takes seconds.
    """
    with database.read() as session:
        scores = scores_of_tenant(session, app)
    try:
        norms = fit_to(scores, model.recommender.instruments)
    except DataFileError:
        raise Problem("no-scores") from None
    with database.write() as session:
        store_norms(session, app, norms, len(scores))
    fitted = norms.of(app.tenant_id)
    return answers.NormsFitted(scores=len(scores), items=len(fitted.items), observers=len(fitted.raters))


def _read(body: ScoresBody, instruments: Instruments) -> ObservationFile:
    try:
        if body.is_csv:
            return read_observation_csv(io.BytesIO(body.content), instruments)
        return read_observation_rows(_rows(parse_json(body.content)), instruments)
    except DataFileError as error:
        raise _unusable(error.wanted, "the whole body") from None


def _rows(value: Any) -> list[Any]:
    rows = value.get("scores") if isinstance(value, dict) and len(value) == 1 else None
    if not isinstance(rows, list) or not 1 <= len(rows) <= MAX_ROWS:
        raise _unusable(f"a list of 1 to {MAX_ROWS:,} rows")
    return rows


def _unusable(wanted: str, field: str = "scores") -> Problem:
    return Problem("invalid-request", errors=[FieldError(field=field, wanted=wanted)])


def _refused(reject: Reject) -> answers.RefusedRow:
    return answers.RefusedRow(row=reject.line, field=reject.field, wanted=reject.wanted)
