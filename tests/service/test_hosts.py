from __future__ import annotations

import pytest
from starlette.testclient import TestClient

NETWORK = {"host": "0.0.0.0", "api_keys": ("00" * 32,)}


@pytest.mark.parametrize(
    "host", ["localhost", "localhost:8000", "127.0.0.1:8000", "127.3.2.1", "[::1]:8000", "testserver", "laptop", ""]
)
def test_the_names_of_this_machine_are_answered(client, host):
    assert client.get("/health/live", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "host",
    ["evil.example", "evil.example:8000", "127.0.0.1.evil.example", "localhost.evil.example", "evil.example.",
     "192.168.1.4", "8.8.8.8:8000", "user@evil.example", "127.0.0.1@evil.example", "[::1].evil.example", "[",
     "0x7f.1"],
)  # fmt: skip
def test_a_name_that_could_be_somebody_elses_gets_no_answer(client, host):
    for path in ("/health/live", "/v1/model", "/", "/nowhere"):
        refused = client.get(path, headers={"Host": host})
        assert refused.status_code == 421
        assert refused.json()["type"] == "urn:growth:problem:wrong-host"
        assert refused.json()["instance"] == refused.headers["x-request-id"]
        assert "evil" not in refused.text


def test_the_public_name_is_answered_on_this_machine(app_of):
    with TestClient(app_of(public_url="http://127.0.0.1:9000")) as client:
        assert client.get("/health/live", headers={"Host": "127.0.0.1:9000"}).status_code == 200


def test_on_a_network_any_name_is_answered_because_a_key_is_asked_for(app_of):
    with TestClient(app_of(**NETWORK)) as client:
        assert client.get("/health/live", headers={"Host": "growth.example"}).status_code == 200
        assert client.get("/v1/model", headers={"Host": "growth.example"}).status_code == 401
