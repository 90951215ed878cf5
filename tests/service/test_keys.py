from __future__ import annotations

import pytest
from starlette.testclient import TestClient

from service.api.keys import is_known_key

KEY = "growth_0f4b1a9e6c"
KEY_HASH = "e9a6431e522d654320bbdf527780936ec7d79f2757a498da544f911a04d7972c"
NETWORK = {"host": "0.0.0.0", "api_keys": ("00" * 32, KEY_HASH)}
GUARDED = ["/v1/skills", "/v1/skills/cold-calling", "/v1/model", "/v1/model/card", "/metrics"]


@pytest.fixture
def network(app_of):
    with TestClient(app_of(**NETWORK)) as client:
        yield client


def test_only_the_key_behind_a_hash_is_known():
    assert is_known_key(KEY, ["00" * 32, KEY_HASH])
    assert not is_known_key(KEY_HASH, [KEY_HASH])
    assert not is_known_key("", [KEY_HASH])
    assert not is_known_key(KEY, [])


@pytest.mark.parametrize("path", GUARDED)
def test_on_a_network_every_api_route_but_health_needs_a_key(network, path):
    refused = network.get(path, headers={"Accept": "application/json"})
    assert refused.status_code == 401
    assert refused.headers["www-authenticate"].startswith("Bearer")
    assert refused.headers["content-type"] == "application/problem+json"
    assert network.get(path, headers={"Authorization": f"Bearer {KEY}"}).status_code == 200


@pytest.mark.parametrize("path", ["/health/live", "/health/ready"])
def test_health_needs_no_key(network, path):
    assert network.get(path).status_code == 200


@pytest.mark.parametrize(
    "sent", ["Bearer", "Bearer ", "Bearer wrong", f"Basic {KEY}", KEY, f"Bearer {KEY_HASH}", "Bearer \xe9"]
)
def test_anything_but_the_key_is_refused_and_not_repeated(network, log_lines, example, sent):
    answer = network.post("/v1/score", json=example, headers={"Authorization": sent.encode("latin-1")})
    assert answer.status_code == 401
    assert "wrong" not in answer.text + log_lines.getvalue()


def test_a_body_is_not_read_before_the_key(network):
    assert network.post("/v1/score", content=b"{", headers={"Content-Type": "application/json"}).status_code == 401


def test_the_page_can_be_opened_on_a_network_but_the_api_stays_closed(app_of):
    with TestClient(app_of(**NETWORK, open_page=True)) as client:
        assert client.get("/").status_code == 200
        assert client.get("/v1/model").status_code == 401


def test_on_a_network_a_page_leads_whoever_is_not_signed_in_to_the_way_in(network):
    answer = network.get("/", headers={"Accept": "text/html,*/*"}, follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in")


def test_the_description_asks_for_a_key_only_where_one_is_needed(network, client):
    assert network.get("/openapi.json").json()["paths"]["/v1/score"]["post"]["security"] == [{"key": []}]
    assert "security" not in client.get("/openapi.json").json()["paths"]["/v1/score"]["post"]
