"""Routes that tell which model answers and how well it was measured."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Response
from pydantic import BaseModel, ConfigDict

from service.api.contract import problem_responses
from service.api.parameters import NOT_CHANGED, TAG_HEADER, KnownTags, tagged
from service.state import Model

router = APIRouter(prefix="/v1/model", tags=["model"])
CARD_PATH = "/v1/model/card"


class ModelFacts(BaseModel):
    """The model version that answers, its measured figures and where its card is."""

    # Pydantic keeps names with "model_" for itself unless told otherwise.
    model_config = ConfigDict(extra="forbid", frozen=True, protected_namespaces=())

    model_version: str
    catalogue_version: str
    card: str
    figures: dict[str, Any]
    manifest: dict[str, Any]


@router.get(
    "",
    operation_id="get_model",
    summary="Show the model version",
    response_model=ModelFacts,
    responses={200: {"headers": TAG_HEADER}} | NOT_CHANGED | problem_responses(500, 503),
)
async def get_model(model: Model, known: KnownTags) -> Response:
    """Answer with the manifest: version, figures, and SHA-256 of every file and every training set."""
    recommender = model.recommender
    manifest = recommender.manifest.model_dump(mode="json")
    facts = ModelFacts(
        model_version=recommender.model_version,
        catalogue_version=recommender.catalogue.version,
        card=CARD_PATH,
        figures=manifest["figures"],
        manifest=manifest,
    )
    # By content: a version can be trained again under its name.
    return tagged(facts.model_dump_json(), known)


CARD_RESPONSE: dict[int | str, dict[str, Any]] = {
    200: {"description": "The card, Markdown", "content": {"text/markdown": {"schema": {"type": "string"}}}}
}


@router.get(
    "/card",
    operation_id="get_model_card",
    summary="Read the model card",
    response_class=Response,
    responses=CARD_RESPONSE | problem_responses(500, 503),
)
async def get_card(model: Model) -> Response:
    """Answer with the version's model card."""
    return Response(model.recommender.card(), media_type="text/markdown; charset=utf-8")
