from __future__ import annotations

import time

import pytest
from starlette.testclient import TestClient

from recommender.cases import parse_case
from recommender.errors import ModelVersionError
from service.app import create_app
from service.served_model import ServedModel, passes_self_test
from service.settings import Settings


def test_the_model_route_shows_versions_figures_and_manifest(client, served_model):
    body = client.get("/v1/model").json()
    recommender = served_model.recommender
    assert body["model_version"] == recommender.model_version
    assert body["catalogue_version"] == recommender.catalogue.version
    assert body["manifest"] == recommender.manifest.model_dump(mode="json")
    assert body["figures"] == body["manifest"]["figures"]


def test_the_card_is_where_the_model_route_says(client, served_model):
    answer = client.get(client.get("/v1/model").json()["card"])
    assert answer.text == served_model.recommender.card()
    assert answer.headers["content-type"] == "text/markdown; charset=utf-8"


def test_ready_names_the_versions(client, served_model):
    body = client.get("/health/ready").json()
    assert body["status"] == "ready"
    assert body["model_version"] == served_model.recommender.model_version


def test_the_service_loads_the_shipped_model_by_itself_in_under_three_seconds():
    started = time.monotonic()
    with TestClient(create_app()) as client:
        assert client.get("/health/ready").status_code == 200
    assert time.monotonic() - started < 3


def test_a_folder_without_a_model_stops_the_start(tmp_path):
    app = create_app(Settings(models=tmp_path))
    with pytest.raises(ModelVersionError, match="GROWTH_MODELS"), TestClient(app):
        pass


def test_a_model_that_answers_nonsense_does_not_pass_the_self_test(served_model, example):
    ranking = served_model.recommender.rank(parse_case(example))
    assert passes_self_test(ranking)
    first, *rest = ranking.suggestions
    wrong_sum = first.model_copy(update={"score": first.score + 0.01})
    not_finite = first.model_copy(update={"score": float("nan")})
    assert not passes_self_test(ranking.model_copy(update={"suggestions": [wrong_sum, *rest]}))
    assert not passes_self_test(ranking.model_copy(update={"suggestions": [not_finite, *rest]}))
    assert not passes_self_test(ranking.model_copy(update={"suggestions": []}))
    assert not passes_self_test(ranking.model_copy(update={"status": "not_enough"}))


def test_the_safeguarding_contact_of_the_settings_reaches_the_teacher(served_model, settings):
    contact = "Ms. Rivera in room 12"
    model = ServedModel(Settings(safeguarding_contact=contact))
    model.load()
    case = {"case_id": "a", "struggle": "A girl told me her uncle hits her at home and she is scared to go back."}
    ranking = model.rank(parse_case(case))
    assert ranking.status == "safeguarding"
    assert contact in (ranking.message or "")
