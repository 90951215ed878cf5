from __future__ import annotations

import re
from pathlib import Path

import pytest
from starlette.testclient import TestClient

import service
from service.app import create_app
from service.problems import Problem, problem_kinds
from service.served_model import ServedModel

JSON = {"Content-Type": "application/json"}
REFUSED = {
    "malformed-json": ("POST", "/v1/score", b"{", JSON),
    "unsupported-media-type": ("POST", "/v1/score", b"{}", {"Content-Type": "text/plain"}),
    "invalid-case": ("POST", "/v1/score", b"{}", JSON),
    "invalid-batch": ("POST", "/v1/score/batch", b'{"cases": []}', JSON),
    "invalid-parameter": ("GET", "/v1/skills?domain=nowhere", b"", {}),
    "too-large": ("POST", "/v1/score", b" " * 2_000_000, JSON),
    "not-found": ("GET", "/nowhere", b"", {}),
    "unknown-skill": ("GET", "/v1/skills/nothing", b"", {}),
    "method-not-allowed": ("PUT", "/v1/score", b"{}", JSON),
    "cross-site": ("POST", "/", b"", {"Sec-Fetch-Site": "cross-site"}),
}


@pytest.mark.parametrize(("name", "request_"), REFUSED.items(), ids=REFUSED.keys())
def test_every_refusal_is_a_problem_of_one_shape(client, name, request_):
    method, path, content, headers = request_
    answer = client.request(method, path, content=content, headers={"X-Request-ID": "r-1", **headers})
    body = answer.json()
    assert answer.status_code == problem_kinds()[name].status == body["status"]
    assert answer.headers["content-type"] == "application/problem+json"
    assert body["type"] == f"urn:growth:problem:{name}"
    assert body["title"] == problem_kinds()[name].title
    assert body["detail"]
    assert body["instance"] == answer.headers["x-request-id"] == "r-1"
    assert ("errors" in body) == (body["status"] == 422)


def test_a_fault_of_ours_is_a_problem_too_and_its_message_stays_inside(settings, log_lines, example):
    class Broken(ServedModel):
        def rank(self, case):
            raise RuntimeError(case.struggle)

    app = create_app(settings, Broken(settings))
    answer = TestClient(app).post("/v1/score", json=example)
    assert answer.status_code == 500
    assert answer.json()["type"] == "urn:growth:problem:internal"
    assert "three hands" not in answer.text + log_lines.getvalue()
    assert '"error": "RuntimeError"' in log_lines.getvalue()
    assert "test_problems.py" in log_lines.getvalue()


def test_without_a_model_the_service_says_so(settings, example):
    client = TestClient(create_app(settings, ServedModel(settings)))
    for answer in (
        client.get("/health/ready"),
        client.get("/v1/model"),
        client.post("/v1/score", json=example),
        client.post("/v1/score/batch", json={"cases": [example]}),
    ):
        assert answer.status_code == 503
        assert answer.json()["type"] == "urn:growth:problem:not-ready"
        assert answer.headers["retry-after"]
    assert client.get("/health/live").status_code == 200
    assert client.get("/v1/skills").status_code == 200


def test_a_refused_method_names_those_that_are_taken(client):
    assert client.put("/v1/score").headers["allow"] == "POST"


def test_every_problem_in_the_code_is_in_the_file_and_the_other_way_round():
    code = "".join(file.read_text() for file in Path(service.__file__).parent.rglob("*.py"))
    named = set(re.findall(r'Problem\("([a-z-]+)"', code)) | {"not-found", "method-not-allowed"}
    assert named == set(problem_kinds())


def test_a_problem_without_errors_has_no_such_field():
    assert Problem("not-found").body().errors is None
