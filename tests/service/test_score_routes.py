from __future__ import annotations

import json
import re
from concurrent.futures import ThreadPoolExecutor

import pytest
from anyio.to_thread import current_default_thread_limiter
from starlette.testclient import TestClient

from recommender.cases import INTENDED_USE, Ranking, parse_case
from service.served_model import example_cases


def test_a_case_is_answered_with_the_models_own_ranking_under_a_fresh_id(client, served_model, example):
    answer = client.post("/v1/score", json=example)
    assert answer.status_code == 200
    ranking = answer.json()
    assert re.fullmatch(r"[0-9A-HJKMNP-TV-Z]{26}", ranking.pop("ranking_id"))
    expected = json.loads(served_model.recommender.rank(parse_case(example)).to_json())
    assert expected.pop("ranking_id") is None
    assert ranking == expected
    assert len(ranking["suggestions"]) == 3
    assert ranking["intended_use"] == INTENDED_USE


def test_two_rankings_of_one_case_differ_in_their_id_only(client, example):
    first, second = (client.post("/v1/score", json=example).json() for _ in range(2))
    assert first.pop("ranking_id") != second.pop("ranking_id")
    assert first == second


def test_an_answer_is_a_ranking_of_the_contract(client, example):
    Ranking.model_validate_json(client.post("/v1/score", json=example).content)


def test_reasons_add_up_to_the_score(client, example):
    for suggestion in client.post("/v1/score", json=example).json()["suggestions"]:
        total = sum(reason["effect"] for reason in suggestion["reasons"])
        assert total == pytest.approx(suggestion["score"], abs=5e-4)


def test_a_case_that_cannot_be_ranked_is_answered_kindly_with_status_200(client):
    answer = client.post("/v1/score", json={"case_id": "a"})
    assert answer.status_code == 200
    assert answer.json()["status"] == "not_enough"
    assert answer.json()["suggestions"] == []
    assert answer.json()["message"]


@pytest.mark.parametrize("name", example_cases().keys())
def test_every_documented_example_runs(client, name):
    assert client.post("/v1/score", json=example_cases()[name]).status_code == 200


def test_a_batch_is_answered_in_the_order_of_its_cases(client, example):
    cases = [{**example, "case_id": f"c{i}"} for i in range(5)]
    answer = client.post("/v1/score/batch", json={"cases": cases}).json()
    assert [ranking["case_id"] for ranking in answer["rankings"]] == ["c0", "c1", "c2", "c3", "c4"]
    assert answer["errors"] == []
    assert len({ranking["ranking_id"] for ranking in answer["rankings"]}) == 5


def test_a_bad_case_of_a_batch_does_not_cost_the_good_ones(client, example):
    cases = [example, {"case_id": "b", "top": 0}, "not a case", {**example, "case_id": "c"}]
    answer = client.post("/v1/score/batch", json={"cases": cases})
    assert answer.status_code == 200
    body = answer.json()
    assert [ranking["case_id"] for ranking in body["rankings"]] == [example["case_id"], "c"]
    assert [error["index"] for error in body["errors"]] == [1, 2]
    first = body["errors"][0]["problem"]
    assert (first["status"], first["type"]) == (422, "urn:growth:problem:invalid-case")
    assert first["errors"] == [{"field": "top", "wanted": "greater than or equal to 1"}]
    assert first["instance"] == answer.headers["x-request-id"]


def test_a_case_gets_the_same_ranking_alone_and_in_a_batch(client, example):
    alone = client.post("/v1/score", json=example).json()
    batch = client.post("/v1/score/batch", json={"cases": [{"case_id": "z"}, example]}).json()["rankings"][1]
    alone.pop("ranking_id")
    batch.pop("ranking_id")
    assert alone == batch


@pytest.mark.parametrize(
    "body",
    [[], {}, {"cases": {}}, {"cases": []}, {"cases": None}, {"cases": [{"case_id": "a"}], "more": 1}, {"rows": []}],
)
def test_a_batch_of_another_shape_is_refused_as_a_whole(client, body):
    answer = client.post("/v1/score/batch", json=body)
    assert answer.status_code == 422
    assert answer.json()["errors"] == [{"field": "cases", "wanted": "a list of 1 to 1000 cases"}]


def test_a_batch_over_the_limit_is_refused_and_one_at_the_limit_is_not(app_of):
    with TestClient(app_of(max_batch=3)) as client:
        assert client.post("/v1/score/batch", json={"cases": [{"case_id": "a"}] * 3}).status_code == 200
        assert client.post("/v1/score/batch", json={"cases": [{"case_id": "a"}] * 4}).status_code == 422


def test_a_batch_that_takes_too_long_answers_what_it_reached(app_of, example):
    with TestClient(app_of(request_timeout_seconds=0.3)) as client:
        answer = client.post("/v1/score/batch", json={"cases": [example] * 400}).json()
    assert 1 <= len(answer["rankings"]) < 400
    assert len(answer["rankings"]) + len(answer["errors"]) == 400
    assert {error["problem"]["type"] for error in answer["errors"]} == {"urn:growth:problem:out-of-time"}
    assert answer["errors"][0]["index"] == len(answer["rankings"])


def test_many_clients_at_once_get_the_same_ranking(client, example):
    def score(_):
        ranking = client.post("/v1/score", json=example).json()
        ranking.pop("ranking_id")
        return json.dumps(ranking)

    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(score, range(24)))) == 1


def test_no_more_requests_are_worked_on_at_once_than_the_setting_says(app_of):
    with TestClient(app_of(rank_threads=2)) as client:
        assert client.portal.call(lambda: current_default_thread_limiter().total_tokens) == 2


@pytest.mark.parametrize("media_type", ["application/json; charset=UTF-8", "Application/JSON"])
def test_json_in_utf_8_is_taken_however_it_is_named(client, media_type):
    answer = client.post("/v1/score", content=b'{"case_id": "a"}', headers={"Content-Type": media_type})
    assert answer.status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Content-Type": "text/json"},
        {"Content-Type": "application/json; charset=latin-1"},
        {"Content-Type": "application/json", "Content-Encoding": "gzip"},
        {"Content-Type": "multipart/form-data; boundary=x"},
    ],
)
def test_another_media_type_is_refused(client, headers):
    assert client.post("/v1/score", content=b'{"case_id": "a"}', headers=headers).status_code == 415
