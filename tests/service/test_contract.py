from __future__ import annotations

import os

import pytest
import schemathesis
from hypothesis import HealthCheck, seed, settings

from service.served_model import example_cases

EXAMPLES = int(os.environ.get("GROWTH_TEST_EXAMPLES", "15"))
OPERATIONS = {
    "score",
    "score_batch",
    "list_skills",
    "get_skill",
    "get_model",
    "get_model_card",
    "is_live",
    "is_ready",
    "get_metrics",
}


@pytest.fixture(scope="module")
def schema(app_of):
    return schemathesis.openapi.from_asgi("/openapi.json", app_of())


api = schemathesis.pytest.from_fixture("schema")


@api.parametrize()
@seed(20261126)
@settings(max_examples=EXAMPLES, deadline=None, database=None, suppress_health_check=list(HealthCheck))
def test_the_application_keeps_to_its_own_description(case):
    case.call_and_validate()


@pytest.fixture
def document(client):
    return client.get("/openapi.json").json()


def operations(document):
    return [operation for path in document["paths"].values() for operation in path.values()]


def test_operation_ids_are_stable(document):
    assert {operation["operationId"] for operation in operations(document)} == OPERATIONS


def test_every_operation_documents_its_faults_as_problems(document):
    for operation in operations(document):
        assert "500" in operation["responses"]
        for status, response in operation["responses"].items():
            if status != "200":
                assert list(response["content"]) == ["application/problem+json"]


def test_every_reference_leads_somewhere(document):
    schemas = document["components"]["schemas"]

    def references(value):
        if isinstance(value, dict):
            yield from [value["$ref"]] if "$ref" in value else []
            value = list(value.values())
        if isinstance(value, list):
            for part in value:
                yield from references(part)

    assert {reference.rsplit("/", 1)[1] for reference in references(document)} <= set(schemas)


def test_the_documented_examples_are_the_ones_that_run(document):
    body = document["paths"]["/v1/score"]["post"]["requestBody"]["content"]["application/json"]
    assert {name: example["value"] for name, example in body["examples"].items()} == example_cases()


def test_the_description_says_what_the_answers_are_for(document):
    assert "Not for evaluation" in document["info"]["description"]
