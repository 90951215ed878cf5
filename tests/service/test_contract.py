from __future__ import annotations

import copy
import hashlib
import os
import shutil

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, seed, settings
from school_app import make_school_app
from sqlalchemy import URL

from service.access.rates import Rates
from service.app import create_app
from service.served_model import example_cases, examples
from service.settings import Settings
from service.store.database import Database, engine_for

EXAMPLES = int(os.environ.get("GROWTH_TEST_EXAMPLES", "15"))
STORED_EXAMPLES = int(os.environ.get("GROWTH_TEST_EXAMPLES", "5"))
STATEFUL_EXAMPLES = int(os.environ.get("GROWTH_TEST_EXAMPLES", "7"))
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
STORED_OPERATIONS = {
    "open_case",
    "list_cases",
    "get_case",
    "delete_case",
    "make_choice",
    "list_choices",
    "make_review",
    "list_reviews",
    "begin_cycle",
    "list_cycles",
    "get_cycle",
    "make_check_in",
    "make_follow_up",
    "end_cycle",
    "take_observations",
    "fit_norms",
}


# Schemathesis makes a test of every operation when tests are collected, so the applications are
# described before any fixture; the model comes with the first one.
KEY = "growth_d41c7e02aa"
LOCAL = create_app(Settings())
NETWORK = create_app(Settings(host="0.0.0.0", api_keys=(hashlib.sha256(KEY.encode()).hexdigest(),)))
SCHOOL = create_app(Settings())
SENT: dict[str, str] = {}


def described(app):
    schema = schemathesis.openapi.from_dict(app.openapi())
    schema.app = app
    return schema


STORED = ["cases", "choices", "reviews", "cycles", "observations"]
local = described(LOCAL).exclude(tag=STORED)
network = described(NETWORK).exclude(tag=STORED)
school = described(SCHOOL).include(tag=STORED)


class Uncounted(Rates):
    """Hundreds of wrong keys in a second are the point here."""

    def count(self, name, who): ...

    def note_failure(self, name, who): ...


@pytest.fixture(scope="module", autouse=True)
def _a_model_answers(served_model):
    for app in (LOCAL, NETWORK, SCHOOL):
        app.state.model = served_model
        app.state.rates = Uncounted(app.state.settings)


@pytest.fixture(scope="module", autouse=True)
def _a_school_is_there(school_template, tmp_path_factory):
    file = shutil.copy(school_template, tmp_path_factory.mktemp("contract") / "growth.sqlite3")
    database = Database(engine_for(URL.create("sqlite", database=str(file))))
    SCHOOL.state.database = database
    key = make_school_app(SCHOOL, database).key("score", "write", "admin")
    SENT["Authorization"] = f"Bearer {key}"
    yield
    database.close()


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


@school.parametrize()
@seed(20261126)
@settings(max_examples=STORED_EXAMPLES, deadline=None, database=None, suppress_health_check=list(HealthCheck))
def test_what_is_stored_keeps_to_its_description(case):
    case.call_and_validate(headers=SENT)


def test_whatever_the_answers_lead_to_keeps_to_its_description():
    document = copy.deepcopy(SCHOOL.openapi())
    case_schema = document["components"]["schemas"]["Case"]
    # A field that ends in "_id" passes for a reference nobody makes, and the walk would not begin with a case.
    case_schema["properties"].pop("teacher_id")
    case_schema["patternProperties"] = {"^teacher_id$": {"const": "t-teacher"}}
    schema = schemathesis.openapi.from_dict(document)
    schema.app = SCHOOL
    answered = set()

    class Practice(schema.include(tag=STORED).as_state_machine()):
        """From a case to its choices, to cycles and what happens in them, in any order; of a teacher of the school."""

        def before_call(self, case):
            is_sound = case.meta is not None and case.meta.generation.mode.is_positive
            if is_sound and operation_id(case) == "open_case":
                case.body = case.body | {"teacher_id": "t-teacher", "struggle": example_cases()["struggle"]["struggle"]}

        def get_call_kwargs(self, case):
            return {"headers": SENT}

        def after_call(self, response, case):
            super().after_call(response, case)
            answered.add((operation_id(case), response.status_code))

    Practice.run(
        settings=settings(
            max_examples=STATEFUL_EXAMPLES,
            stateful_step_count=15,
            derandomize=True,
            deadline=None,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
    )
    # The walk is worth something only where it got beyond the first steps.
    assert {("open_case", 201), ("get_case", 200), ("delete_case", 204), ("make_choice", 201)} <= answered
    assert {("get_cycle", 200), ("make_check_in", 201), ("make_follow_up", 201)} & answered


def operation_id(case):
    return case.operation.definition.raw["operationId"]


@pytest.fixture
def document():
    return LOCAL.openapi()


def test_the_description_is_served(client, document):
    assert client.get("/openapi.json").json() == document


def operations(document):
    return [operation for path in document["paths"].values() for operation in path.values()]


def test_operation_ids_are_stable(document):
    assert {operation["operationId"] for operation in operations(document)} == OPERATIONS | STORED_OPERATIONS


def test_every_operation_documents_its_faults_as_problems(document):
    for operation in operations(document):
        assert "500" in operation["responses"]
        for status, response in operation["responses"].items():
            if status >= "400":
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


@pytest.mark.parametrize(
    ("path", "media_type", "kind"),
    [
        ("/v1/score", "application/json", "cases"),
        ("/v1/cases", "application/json", "cases"),
        ("/v1/choices", "application/json", "choices"),
        ("/v1/reviews", "application/json", "reviews"),
        ("/v1/cycles", "application/json", "cycles"),
        ("/v1/cycles/{id}/check-ins", "application/json", "check_ins"),
        ("/v1/cycles/{id}/follow-ups", "application/json", "follow_ups"),
        ("/v1/cycles/{id}/end", "application/json", "ends"),
        ("/v1/observations", "application/json", "scores"),
        ("/v1/observations", "text/csv", "score_tables"),
    ],
)
def test_the_documented_examples_are_the_ones_that_run(document, path, media_type, kind):
    body = document["paths"][path]["post"]["requestBody"]["content"][media_type]
    assert {name: example["value"] for name, example in body["examples"].items()} == examples()[kind]


def test_every_link_of_an_answer_leads_to_an_operation(document):
    links = [
        link["operationId"]
        for operation in operations(document)
        for response in operation["responses"].values()
        for link in response.get("links", {}).values()
    ]
    assert len(links) >= 10
    assert set(links) <= STORED_OPERATIONS


def test_what_is_stored_says_that_it_wants_a_key_and_how_it_refuses(document):
    for operation in operations(document):
        if operation["operationId"] in STORED_OPERATIONS:
            assert operation["security"] == [{"key": []}]
            assert {"401", "403", "429", "503"} <= set(operation["responses"])


def test_the_description_says_what_the_answers_are_for(document):
    assert "Not for evaluation" in document["info"]["description"]
