from __future__ import annotations

import json
import re

import pytest
from starlette.testclient import TestClient

from service.app import create_app
from service.served_model import ServedModel

MARKER = "zebrafinch7731"
JSON = {"Content-Type": "application/json"}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def marked_case(**fields):
    observation = {
        "instrument": "danielson-2022",
        "item": "3b",
        "value": 2,
        "observed_on": "2026-10-02",
        "note": f"The {MARKER} students answered, nobody else.",
    }
    return {
        "case_id": MARKER,
        "teacher_id": MARKER,
        "struggle": f"My {MARKER} class never settles after lunch and I end up shouting over them.",
        "observations": [observation | {"observer": MARKER, "visit": MARKER}],
        "context": {"subject": MARKER},
        **fields,
    }


def marked_requests():
    case = json.dumps(marked_case()).encode()
    yield "POST", "/v1/score", case, JSON
    yield "POST", f"/v1/score?{MARKER}={MARKER}", case, JSON
    yield "POST", "/v1/score", case[:-1], JSON
    yield "POST", "/v1/score", case, {"Content-Type": f"text/{MARKER}"}
    yield "POST", "/v1/score", case, {**JSON, "X-Request-ID": f"{MARKER} {MARKER}"}
    yield "POST", "/v1/score", case, {**JSON, "Authorization": f"Bearer {MARKER}"}
    for fields in (
        {MARKER: 1},
        {"top": MARKER},
        {"struggle": [MARKER]},
        {"declined": [MARKER]},
        {"context": {MARKER: 1}},
    ):
        yield "POST", "/v1/score", json.dumps(marked_case(**fields)).encode(), JSON
    yield "POST", "/v1/score", json.dumps(marked_case(struggle=MARKER * 1_000)).encode(), JSON
    yield "POST", "/v1/score", json.dumps(marked_case(context={"interests": [MARKER]})).encode(), JSON
    for field in ("instrument", "item", "value"):
        observation = marked_case()["observations"][0] | {field: MARKER}
        yield "POST", "/v1/score", json.dumps(marked_case(observations=[observation])).encode(), JSON
    yield "POST", "/v1/score/batch", b'{"cases": [%s, 1, {"%s": 1}]}' % (case, MARKER.encode()), JSON
    yield "POST", "/v1/score/batch", json.dumps({MARKER: [MARKER]}).encode(), JSON
    yield "GET", f"/v1/skills/{MARKER}", b"", {}
    yield "GET", f"/v1/skills?domain={MARKER}", b"", {}
    yield "GET", f"/{MARKER}?q={MARKER}", b"", {}
    yield MARKER.upper(), "/v1/score", b"", {}
    yield "POST", "/", f"struggle={MARKER}+talks+over+me+in+every+lesson&subject={MARKER}".encode(), FORM
    yield "POST", "/", f"{MARKER}={MARKER}&struggle=".encode(), FORM
    yield "POST", "/", b"", {**FORM, "Origin": f"https://{MARKER}.example"}


def test_no_word_of_a_request_reaches_a_log_a_metric_or_an_error(client, log_lines):
    refused = 0
    for method, path, content, headers in marked_requests():
        answer = client.request(method, path, content=content, headers=headers)
        assert answer.status_code < 500, (method, path)
        if answer.status_code >= 400:
            refused += 1
            assert MARKER not in answer.text.lower()
        assert MARKER not in str(answer.headers).lower()
    assert refused >= 15
    assert MARKER not in client.get("/metrics").text.lower()
    lines = log_lines.getvalue().lower()
    assert lines.count('"event": "request"') >= 20
    assert MARKER not in lines


def test_a_ranking_is_the_only_place_where_the_words_come_back(client):
    ranking = client.post("/v1/score", json=marked_case()).json()
    assert ranking["case_id"] == MARKER
    assert MARKER in json.dumps(ranking["suggestions"])


def last_request(log_lines):
    lines = [json.loads(line) for line in log_lines.getvalue().splitlines()]
    return [line for line in lines if line["event"] == "request"][-1]


def test_the_log_line_of_a_ranking_tells_its_length_status_and_time(client, log_lines, example):
    client.post("/v1/score", json=example, headers={"X-Request-ID": "r-42"})
    line = last_request(log_lines)
    assert line["ms"] > 0
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00", line["time"])
    assert {name: line[name] for name in line if name not in {"ms", "time"}} == {
        "level": "info",
        "event": "request",
        "request_id": "r-42",
        "method": "POST",
        "route": "/v1/score",
        "status": 200,
        "struggle_length": len(example["struggle"]),
        "ranking_status": "ranked",
    }


def test_a_batch_is_logged_as_two_counts(client, log_lines, example):
    client.post("/v1/score/batch", json={"cases": [example, 1]})
    line = last_request(log_lines)
    assert (line["cases_ranked"], line["cases_refused"]) == (1, 1)


@pytest.mark.parametrize("sent", ["a", "A-b_c.9", "x" * 64])
def test_a_sane_request_id_is_kept(client, sent):
    assert client.get("/health/live", headers={"X-Request-ID": sent}).headers["x-request-id"] == sent


@pytest.mark.parametrize("sent", ["", "a b", "x" * 65, "a\tb", "<script>", "ä".encode()])
def test_any_other_request_id_is_replaced(client, sent):
    made = client.get("/health/live", headers={"X-Request-ID": sent}).headers["x-request-id"]
    assert re.fullmatch(r"[0-9A-HJKMNP-TV-Z]{26}", made)


@pytest.mark.parametrize(
    "path", ["/", "/v1/skills", "/health/live", "/metrics", "/nowhere", "/static/style.css", "/openapi.json"]
)
def test_every_answer_has_the_security_headers(client, path):
    headers = client.get(path).headers
    assert "default-src 'self'" in headers["content-security-policy"]
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cache-control"] == ("no-cache" if path.startswith("/static/") else "no-store")


def test_a_fault_of_ours_has_the_security_headers_too(settings, example):
    class Broken(ServedModel):
        def rank(self, case):
            raise RuntimeError

    answer = TestClient(create_app(settings, Broken(settings))).post("/v1/score", json=example)
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["x-request-id"] == answer.json()["instance"]


def series(client):
    lines = [line for line in client.get("/metrics").text.splitlines() if not line.startswith("#")]
    return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in lines)}


def test_requests_are_counted_by_route_template_method_and_status(client):
    client.get("/v1/skills/cold-calling")
    client.get("/v1/skills/wait-time")
    client.get("/nowhere")
    client.request("BREW", "/v1/skills")
    found = series(client)
    assert found['growth_http_requests_total{method="GET",route="/v1/skills/{skill_id}",status="200"}'] == 2
    assert found['growth_http_requests_total{method="GET",route="unmatched",status="404"}'] == 1
    assert found['growth_http_requests_total{method="other",route="/v1/skills",status="405"}'] == 1
    assert found['growth_http_request_seconds_count{method="GET",route="/v1/skills/{skill_id}"}'] == 2


def test_rankings_and_refused_bodies_are_counted(client, example):
    client.post("/v1/score", json=example)
    client.post("/v1/score/batch", json={"cases": [example, {"case_id": "b"}, 1]})
    client.post("/v1/score", content=b"{", headers=JSON)
    found = series(client)
    assert found['growth_rankings_total{status="ranked"}'] == 2
    assert found['growth_rankings_total{status="not_enough"}'] == 1
    assert found['growth_rejected_bodies_total{problem="invalid-case"}'] == 1
    assert found['growth_rejected_bodies_total{problem="malformed-json"}'] == 1


def test_the_metrics_name_the_model_and_the_requests_in_flight(client, served_model):
    found = series(client)
    version = served_model.recommender.model_version
    catalogue = served_model.recommender.catalogue.version
    assert found[f'growth_model_info{{catalogue_version="{catalogue}",version="{version}"}}'] == 1
    assert found["growth_http_requests_in_flight"] == 1
