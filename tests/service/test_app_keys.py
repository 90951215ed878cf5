from __future__ import annotations

from datetime import timedelta

import pytest
from fastapi import APIRouter
from starlette.testclient import TestClient

from service.access.apps import AdminApp, ScoringApp, WritingApp
from service.app import create_app
from service.settings import Settings
from service.store.actors import operator
from service.store.database import utc_now
from service.store.keys import create_key, list_keys, revoke_key

KEY = "growth_0f4b1a9e6c"
KEY_HASH = "e9a6431e522d654320bbdf527780936ec7d79f2757a498da544f911a04d7972c"
NETWORK = {"host": "0.0.0.0", "api_keys": (KEY_HASH,)}


def bearer(key):
    return {"Authorization": f"Bearer {key}"}


def a_router() -> APIRouter:
    router = APIRouter(prefix="/v1/of")

    @router.get("/score")
    def score(app: ScoringApp) -> str:
        return f"{app.tenant_id} {app.kind} {app.id}"

    @router.get("/write")
    def write(app: WritingApp) -> str:
        return app.id

    @router.get("/admin")
    def admin(app: AdminApp) -> str:
        return app.id

    return router


@pytest.fixture
def school(school_app):
    school_app.app.include_router(a_router())
    return school_app


@pytest.fixture
def client(school):
    return TestClient(school.app)


@pytest.fixture
def network(school_app, served_model):
    return TestClient(create_app(Settings(**NETWORK), served_model, school_app.database))


@pytest.mark.parametrize("scope", ["score", "write", "admin"])
def test_a_key_opens_the_routes_of_its_scopes_and_no_other(school, client, scope):
    key = school.key(scope)
    for wanted in ("score", "write", "admin"):
        answer = client.get(f"/v1/of/{wanted}", headers=bearer(key))
        assert answer.status_code == (200 if wanted == scope else 403)
        if wanted != scope:
            assert answer.json()["type"] == "urn:growth:problem:forbidden"
            assert "insufficient_scope" in answer.headers["www-authenticate"]


def test_a_key_says_which_app_of_which_tenant_asks(school, client):
    assert client.get("/v1/of/score", headers=bearer(school.key("score", app="sis"))).json() == (
        f"{school.tenant_id} app sis"
    )


def test_what_is_stored_needs_a_stored_key_on_this_machine_too(school, client):
    for headers in ({}, bearer("gr_wrong"), bearer(KEY), {"Authorization": f"Basic {school.key()}"}):
        refused = client.get("/v1/of/score", headers=headers)
        assert refused.status_code == 401
        assert refused.headers["www-authenticate"].startswith("Bearer")
        assert refused.json()["type"] == "urn:growth:problem:unauthorized"


def test_a_key_of_the_settings_is_no_key_to_what_is_stored(school, served_model):
    app = create_app(Settings(**NETWORK), served_model, school.database)
    app.include_router(a_router())
    assert TestClient(app).get("/v1/of/score", headers=bearer(KEY)).status_code == 401


def test_an_ended_and_a_revoked_key_open_nothing(school, client):
    with school.database.write() as session:
        root = operator(session, school.tenant_id)
        old = create_key(session, root, "old", ["score"], days=1, now=utc_now() - timedelta(days=2)).secret
    key = school.key("score", app="sis")
    assert client.get("/v1/of/score", headers=bearer(key)).status_code == 200
    with school.database.write() as session:
        root = operator(session, school.tenant_id)
        revoke_key(session, root, next(k.id for k in list_keys(session, root) if k.app == "sis"))
    for ended in (old, key):
        assert client.get("/v1/of/score", headers=bearer(ended)).status_code == 401


@pytest.mark.parametrize("path", ["/v1/skills", "/v1/model"])
def test_on_a_network_a_stored_key_that_may_score_reads_and_scores_too(school_app, network, example, path):
    key = school_app.key("score")
    assert network.get(path, headers=bearer(key)).status_code == 200
    assert network.post("/v1/score", json=example, headers=bearer(key)).status_code == 200
    assert network.get(path, headers=bearer(school_app.key("write", app="other"))).status_code == 403
    assert network.get(path, headers=bearer("gr_" + "x" * 43)).status_code == 401
    assert network.get(path, headers=bearer(KEY)).status_code == 200


def test_metrics_are_of_the_whole_service_and_not_for_a_tenants_app(school_app, network):
    assert network.get("/metrics", headers=bearer(school_app.key("score", "admin"))).status_code == 401
    assert network.get("/metrics", headers=bearer(KEY)).status_code == 200


def test_no_key_is_in_the_log_or_in_an_answer(school, client, network, log_lines):
    keys = [school.key("score"), "gr_" + "q" * 43]
    for key in keys:
        for browser in (client, network):
            for path in ("/v1/of/score", "/v1/of/admin", "/v1/model"):
                assert key not in browser.get(path, headers=bearer(key)).text
    assert not any(key in log_lines.getvalue() for key in keys)
