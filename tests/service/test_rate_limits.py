from __future__ import annotations

import time

import pytest
from starlette.requests import Request
from starlette.testclient import TestClient

from service.access.rates import Rates, client_address, count_case
from service.app import create_app
from service.problems import Problem
from service.settings import Settings
from service.store.actors import Actor

KEY = "growth_0f4b1a9e6c"
KEY_HASH = "e9a6431e522d654320bbdf527780936ec7d79f2757a498da544f911a04d7972c"
NETWORK = {"host": "0.0.0.0", "api_keys": (KEY_HASH,)}


@pytest.fixture
def rates():
    return Rates(Settings(app_requests_per_minute=5))


@pytest.mark.parametrize(
    ("name", "most", "seconds"),
    [("sign_in_failures", 10, 600), ("key_failures", 30, 600), ("forms", 120, 60), ("cases", 30, 3_600),
     ("app_requests", 5, 60)],
)  # fmt: skip
def test_one_too_many_is_refused_until_the_window_has_moved_on(rates, monkeypatch, name, most, seconds):
    start = time.time()
    monkeypatch.setattr(time, "time", lambda: start)
    for _ in range(most):
        rates.require_open(name, "somebody")
        rates.count(name, "somebody")
    for refused in (rates.count, rates.require_open):
        with pytest.raises(Problem) as caught:
            refused(name, "somebody")
        assert caught.value.name == "too-many-requests"
        assert abs(int(caught.value.headers["Retry-After"]) - seconds) <= 1
    rates.count(name, "somebody else")
    monkeypatch.setattr(time, "time", lambda: start + seconds - 2)
    with pytest.raises(Problem) as caught:
        rates.count(name, "somebody")
    assert 1 <= int(caught.value.headers["Retry-After"]) <= 3
    monkeypatch.setattr(time, "time", lambda: start + seconds + 1)
    rates.count(name, "somebody")


def test_a_person_is_counted_by_their_cases_and_an_app_is_not(rates):
    person, app = Actor("T", "person", "P"), Actor("T", "app", "sis")
    for _ in range(30):
        count_case(rates, person)
        count_case(rates, app)
    count_case(rates, app)
    count_case(rates, Actor("T2", "person", "P"))
    with pytest.raises(Problem):
        count_case(rates, person)


@pytest.mark.parametrize(
    ("peer", "found"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        ("2001:db8:1:2:ffff::1", "2001:db8:1:2::"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("testclient", "testclient"),
        (None, ""),
    ],
)
def test_an_address_is_the_peers_and_an_ipv6_network_is_one_address(peer, found):
    scope = {"type": "http", "client": peer and (peer, 1), "headers": [(b"x-forwarded-for", b"203.0.113.9")]}
    assert client_address(Request(scope)) == found


def test_thirty_wrong_keys_from_an_address_shut_it_out_and_no_other(app_of):
    app = app_of(**NETWORK)
    client, elsewhere = TestClient(app, client=("192.0.2.7", 1)), TestClient(app, client=("192.0.2.8", 1))
    right, wrong = ({"Authorization": f"Bearer {key}"} for key in (KEY, "wrong"))
    assert [client.get("/v1/model").status_code for _ in range(3)] == [401] * 3
    assert [client.get("/v1/model", headers=wrong).status_code for _ in range(30)] == [401] * 30
    for headers in (wrong, right):
        refused = client.get("/v1/model", headers=headers)
        assert refused.status_code == 429
        assert 1 <= int(refused.headers["retry-after"]) <= 600
        assert refused.json()["type"] == "urn:growth:problem:too-many-requests"
    assert client.get("/metrics", headers=right).status_code == 429
    assert elsewhere.get("/v1/model", headers=right).status_code == 200


def test_an_app_has_its_requests_a_minute_with_whatever_key(school_app, served_model):
    app = create_app(Settings(**NETWORK, app_requests_per_minute=3), served_model, school_app.database)
    client = TestClient(app)
    keys = [school_app.key("score", app="sis"), school_app.key("score", app="sis"), school_app.key("score", app="lms")]
    statuses = [
        client.get("/v1/model", headers={"Authorization": f"Bearer {key}"}).status_code
        for key in (keys[0], keys[1], keys[0], keys[1], keys[2])
    ]
    assert statuses == [200, 200, 200, 429, 200]
    assert [client.get("/v1/model", headers={"Authorization": f"Bearer {KEY}"}).status_code for _ in range(4)] == [
        200,
        200,
        200,
        429,
    ]


def test_on_this_machine_nothing_is_counted_without_a_key(app_of):
    client = TestClient(app_of(app_requests_per_minute=1))
    assert [client.get("/v1/model").status_code for _ in range(3)] == [200, 200, 200]
