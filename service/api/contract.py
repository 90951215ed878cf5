"""The API's description: request bodies, problems and examples that run, as OpenAPI components."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel

from recommender.cases import Case
from recommender.catalogue.instrument import Instrument
from recommender.catalogue.instruments import Instruments
from recommender.catalogue.loader import load_catalogue
from recommender.catalogue.subjects import MAX_SUBJECT_CHARACTERS
from recommender.observations import scores as table
from service.api.bodies import CSV, JSON
from service.api.sent import SENT_BODIES, STORABLE
from service.problems import MEDIA_TYPE, ProblemBody, problem_kinds
from service.served_model import example_cases, examples, own_instruments

COMPONENT = "#/components/schemas/{model}"
TEXT_FIELDS = ("case_id", "teacher_id", "struggle", "instrument", "item", "value", "observer", "visit", "note")
FRAMEWORK_SCHEMAS = ("HTTPValidationError", "ValidationError")
REQUEST_ID = {
    "X-Request-ID": {"description": "Id of this request: the one sent, or a new one.", "schema": {"type": "string"}}
}


def problem_responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """OpenAPI responses for the problems a route may answer with."""
    titles: dict[int, list[str]] = {}
    for kind in problem_kinds().values():
        titles.setdefault(kind.status, []).append(kind.title)
    schema = {"$ref": COMPONENT.format(model="ProblemBody")}
    return {
        status: {"description": "; ".join(titles[status]), "content": {MEDIA_TYPE: {"schema": schema}}}
        for status in statuses
    }


# What routes over stored rows may answer with: making one, reading one, the app's whole list, a list of one case.
MAKE_PROBLEMS = problem_responses(400, 401, 403, 404, 408, 409, 413, 415, 422, 429, 500, 503)
ONE_PROBLEMS = problem_responses(401, 403, 404, 429, 500, 503)
LIST_PROBLEMS = problem_responses(401, 403, 422, 429, 500, 503)
LIST_OF_CASE_PROBLEMS = problem_responses(401, 403, 404, 422, 429, 500, 503)


def json_request(schema: dict[str, Any], examples: dict[str, Any]) -> dict[str, Any]:
    """OpenAPI request body that is read by ``service.api.bodies``."""
    named = {name: {"value": value} for name, value in examples.items()}
    return {"requestBody": {"required": True, "content": {JSON: {"schema": schema, "examples": named}}}}


def sent_request(model: type[BaseModel], kind: str) -> dict[str, Any]:
    """Request body that is read as a model of ``service.api.sent``; its examples are of that kind."""
    return json_request({"$ref": COMPONENT.format(model=model.__name__)}, examples()[kind])


def scores_request(max_rows: int) -> dict[str, Any]:
    """Request body of observation scores, CSV or JSON. A row may be anything: a bad one is answered, not refused."""
    required, optional = ", ".join(table.REQUIRED_COLUMNS), ", ".join(table.OPTIONAL_COLUMNS)
    further = "".join(f"(,{column})?" for column in table.OPTIONAL_COLUMNS)
    row = {"description": f"An object with {required}; optional: {optional}. Any other is answered in `refused`."}
    rows = {"type": "array", "items": row, "minItems": 1, "maxItems": max_rows}
    schema = {"type": "object", "properties": {"scores": rows}, "required": ["scores"], "additionalProperties": False}
    request = json_request(schema, examples()["scores"])
    request["requestBody"]["content"][CSV] = {
        "schema": {
            "type": "string",
            "description": "A first line that names the columns, then one score a line.",
            "pattern": rf"^{required.replace(' ', '')}{further}\r?\n[A-Za-z0-9]",
        },
        "examples": {name: {"value": value} for name, value in examples()["score_tables"].items()},
    }
    return request


def made_response(description: str, headers: Mapping[str, Any], links: Mapping[str, Any]) -> dict[str, Any]:
    """OpenAPI response of a route that makes something, and what can be asked about it next."""
    return {"description": description, "headers": dict(headers), "links": dict(links)}


def case_request() -> dict[str, Any]:
    """Request body of one case."""
    return json_request({"$ref": COMPONENT.format(model="Case")}, example_cases())


def batch_request(max_batch: int) -> dict[str, Any]:
    """Request body of a batch. An element may be anything: a bad one is answered, not refused."""
    element = {"description": "A case as POST /v1/score takes it; one that is not is answered in `errors`."}
    cases = {"type": "array", "items": element, "minItems": 1, "maxItems": max_batch}
    schema = {"type": "object", "properties": {"cases": cases}, "required": ["cases"], "additionalProperties": False}
    return json_request(schema, {"batch": {"cases": list(example_cases().values())}})


def case_schemas(instruments: Instruments) -> dict[str, Any]:
    """JSON Schemas of ``Case`` and its parts, with the closed lists the engine checks by hand."""
    schema = Case.model_json_schema(ref_template=COMPONENT)
    schemas: dict[str, Any] = {**schema.pop("$defs"), "Case": schema}
    catalogue = load_catalogue()
    schema["properties"]["declined"]["items"] = {"type": "string", "enum": list(catalogue.ids)}
    context = schemas["Context"]["properties"]
    context["interests"]["items"] = {"type": "string", "enum": list(catalogue.domains)}
    context["subject"] = {
        "description": "Free text, folded to a closed list.",
        "type": ["string", "null"],
        "maxLength": MAX_SUBJECT_CHARACTERS,
        "default": "unknown",
    }
    for part in ("Case", "Observation"):
        _add_pattern(schemas[part]["properties"])
    schemas["Observation"]["anyOf"] = [each for one in instruments.values() for each in _known_scores(one)]
    return schemas


def _known_scores(instrument: Instrument) -> Iterator[dict[str, Any]]:
    """What an observation of an instrument may hold: its items, and the numbers and labels of their scales."""
    by_scale: dict[str, list[str]] = {}
    for code in instrument.by_code:
        by_scale.setdefault(instrument.scale_of(code).model_dump_json(), []).append(code)
    for codes in by_scale.values():
        scale, labels = instrument.scale_of(codes[0]), instrument.labels_of(codes[0])
        values: list[dict[str, Any]] = [{"type": "number", "minimum": scale.min, "maximum": scale.max}]
        if labels:
            values.append({"type": "string", "enum": list(labels)})
        yield {
            "properties": {
                "instrument": {"enum": [instrument.id]},
                "item": {"enum": codes},
                "value": {"anyOf": values},
            }
        }


def _add_pattern(properties: dict[str, Any]) -> None:
    for name in TEXT_FIELDS:
        field = properties.get(name, {})
        for choice in field.get("anyOf", [field]):
            if choice.get("type") == "string":
                choice["pattern"] = STORABLE


def describe(app: FastAPI) -> Callable[[], dict[str, Any]]:
    """The application's ``openapi`` method: the framework's description with our components added, made once."""

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            document = get_openapi(
                title=app.title,
                version=app.version,
                summary=app.summary,
                description=app.description,
                routes=app.routes,
            )
            schemas = document.setdefault("components", {}).setdefault("schemas", {})
            instruments = own_instruments(app.state.settings.instruments)
            schemas |= case_schemas(instruments) | _schemas_of(ProblemBody, *SENT_BODIES)
            for operation in (op for path in document["paths"].values() for op in path.values()):
                _finish(operation["responses"])
            for name in FRAMEWORK_SCHEMAS:
                schemas.pop(name, None)
            app.openapi_schema = document
        return app.openapi_schema

    return openapi


def _schemas_of(*models: type[BaseModel]) -> dict[str, Any]:
    schemas: dict[str, Any] = {}
    for model in models:
        schema = model.model_json_schema(ref_template=COMPONENT)
        schemas |= {**schema.pop("$defs", {}), model.__name__: schema}
    return schemas


def _finish(responses: dict[str, Any]) -> None:
    """Take out the 422 the framework adds to any route with a parameter, and name the header all answers have."""
    if "application/json" in responses.get("422", {}).get("content", {}):
        del responses["422"]
    for response in responses.values():
        response["headers"] = response.get("headers", {}) | REQUEST_ID
