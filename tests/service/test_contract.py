from __future__ import annotations

import hashlib
import os

import pytest
import schemathesis
from hypothesis import HealthCheck, seed, settings

from service.access.rates import Rates
from service.app import create_app
from service.served_model import example_cases
from service.settings import Settings

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


# Schemathesis makes a test of every operation when tests are collected, so the applications are
# described before any fixture; the model comes with the first one.
KEY = "growth_d41c7e02aa"
LOCAL = create_app(Settings())
NETWORK = create_app(Settings(host="0.0.0.0", api_keys=(hashlib.sha256(KEY.encode()).hexdigest(),)))


def described(app):
    schema = schemathesis.openapi.from_dict(app.openapi())
    schema.app = app
    return schema


local = described(LOCAL)
network = described(NETWORK)


class Uncounted(Rates):
    """Hundreds of wrong keys in a second are the point here."""

    def count(self, name, who): ...

    def note_failure(self, name, who): ...


@pytest.fixture(scope="module", autouse=True)
def _a_model_answers(served_model):
    for app in (LOCAL, NETWORK):
        app.state.model = served_model
        app.state.rates = Uncounted(app.state.settings)


@local.parametrize()
@seed(20261126)
@settings(max_examples=EXAMPLES, deadline=None, database=None, suppress_health_check=list(HealthCheck))
def test_the_application_keeps_to_its_own_description(case):
    case.call_and_validate()


@network.parametrize()
@seed(20261126)
@settings(max_examples=3, deadline=None, database=None, suppress_health_check=list(HealthCheck))
def test_with_keys_it_keeps_to_its_description_too(case):
    """Among the checks: a call without the key, or with another one, is refused wherever one is asked for."""
    case.call_and_validate(headers={"Authorization": f"Bearer {KEY}"})


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
