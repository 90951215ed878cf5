from __future__ import annotations

from typing import get_args

import pytest
from fastapi import APIRouter
from starlette.testclient import TestClient

from service.access.cookies import LOCAL_NAME
from service.access.roles import PUBLIC_ROUTES, page_routes, wanted_of
from service.access.signed_in import (
    AdministratorSignedIn,
    AnyoneSignedIn,
    CoachSignedIn,
    LeadSignedIn,
    MaybeSignedIn,
    Reader,
    TeacherSignedIn,
)
from service.app import create_app
from service.settings import Settings
from service.store.database import utc_now
from service.store.tables.people import PersonRole, Role

ROLES = get_args(Role)
NETWORK = {"host": "0.0.0.0", "api_keys": ("00" * 32,)}


def a_router() -> APIRouter:
    router = APIRouter(include_in_schema=False)

    @router.get("/one/of/teacher")
    @router.post("/one/of/teacher")
    def of_teacher(me: TeacherSignedIn) -> str:
        return me.name

    @router.get("/one/of/coach")
    def of_coach(me: CoachSignedIn) -> str:
        return me.name

    @router.get("/one/of/administrator")
    def of_administrator(me: AdministratorSignedIn) -> str:
        return me.name

    @router.get("/one/of/safeguarding")
    def of_lead(me: LeadSignedIn) -> str:
        return me.name

    @router.get("/one/of/anyone")
    def of_anyone(me: AnyoneSignedIn) -> str:
        return me.name

    @router.get("/one/of/nobody")
    def of_nobody(me: MaybeSignedIn) -> str:
        return me.name if me else "nobody"

    @router.get("/one/of/reader")
    def of_reader(me: Reader) -> str:
        return me.name if me else "nobody"

    return router


@pytest.fixture
def school(school_app):
    school_app.app.include_router(a_router())
    return school_app


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("wanted", ROLES)
def test_a_route_of_a_role_is_for_that_role_alone(school, role, wanted):
    assert school.client_as(role).get(f"/one/of/{wanted}").status_code == (200 if role == wanted else 403)


def test_one_person_can_have_several_roles(school):
    coach = school.people["coach"]
    with school.database.write() as session:
        session.add(PersonRole(tenant_id=coach.tenant_id, person_id=coach.id, role="teacher"))
    browser = school.client_as("coach")
    assert [browser.get(f"/one/of/{role}").status_code for role in ROLES] == [200, 200, 403, 403]


def test_whoever_is_not_signed_in_is_sent_to_the_way_in(school):
    browser = school.signed_out()
    answer = browser.get("/one/of/anyone")
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in")
    in_part = browser.get("/one/of/anyone", headers={"HX-Request": "true"})
    assert (in_part.status_code, in_part.headers["hx-redirect"]) == (401, "/sign-in")
    sent = browser.post("/one/of/teacher")
    assert sent.status_code == 401
    assert "signed in" in sent.text
    assert browser.get("/one/of/nobody").json() == "nobody"


@pytest.mark.parametrize("cookie", ["", "x", "x" * 43, "x" * 5_000, "growth_session"])
def test_a_cookie_that_was_not_made_here_is_nobody(school, cookie):
    browser = school.signed_out()
    assert browser.get("/one/of/nobody", headers={"Cookie": f"{LOCAL_NAME}={cookie}"}).json() == "nobody"


def test_the_catalogue_is_read_by_anybody_on_this_machine_or_where_the_page_is_open(school, served_model):
    assert school.signed_out().get("/one/of/reader").json() == "nobody"
    for open_page, status in ((True, 200), (False, 303)):
        app = create_app(Settings(**NETWORK, open_page=open_page), served_model, school.database)
        app.include_router(a_router())
        assert TestClient(app, follow_redirects=False).get("/one/of/reader").status_code == status


def test_using_a_session_is_noted_after_the_answer(school, monkeypatch):
    from service.access import signed_in

    noted = []
    monkeypatch.setattr(signed_in, "touch", lambda database, resumed: noted.append((resumed.id, utc_now())))
    assert school.client_as("teacher").get("/one/of/teacher").status_code == 200
    assert len(noted) == 1


def test_the_121st_form_of_a_minute_is_one_too_many_and_pages_go_on(school):
    browser = school.client_as("teacher")
    statuses = [browser.post("/one/of/teacher").status_code for _ in range(121)]
    assert statuses == [200] * 120 + [429]
    assert browser.get("/one/of/teacher").status_code == 200


def test_the_token_of_a_form_is_not_in_the_text_of_who_is_signed_in(school):
    seen = []
    router = APIRouter(include_in_schema=False)

    @router.get("/one/more")
    def more(me: AnyoneSignedIn) -> None:
        seen.append(me)

    school.app.include_router(router)
    browser = school.client_as("teacher")
    browser.get("/one/more")
    assert seen[0].form_token == browser.form_token
    assert browser.form_token not in repr(seen[0])
    assert (seen[0].name, seen[0].tenant_name, seen[0].is_demo) == ("Tess Teacher", "North School", False)


def all_pages(app):
    return sorted({(method, route.path): wanted_of(route) for method, route in page_routes(app.routes)}.items())


def test_every_page_wants_somebody_or_is_public_for_a_reason(school_app):
    pages = dict(all_pages(school_app.app))
    assert len(pages) > 8
    for page, wanted in pages.items():
        assert (wanted is None) == (page in PUBLIC_ROUTES), page
    assert set(PUBLIC_ROUTES) <= set(pages)


def test_every_page_refuses_whoever_it_is_not_for(school_app):
    for (method, template), wanted in all_pages(school_app.app):
        if wanted is None:
            continue
        path = template.replace("{skill_id}", "wait-time")
        while "{" in path:
            path = path[: path.index("{")] + "0" * 26 + path[path.index("}") + 1 :]
        nobody = school_app.signed_out().request(method, path)
        assert nobody.status_code == (303 if method == "GET" else 401), (method, template)
        for role in ROLES:
            if wanted not in (role, "anyone"):
                browser = school_app.client_as(role)
                refused = browser.get(path) if method == "GET" else browser.submit(path)
                assert refused.status_code == 403, (method, template, role)
            elif method == "GET":
                assert school_app.client_as(role).get(path).status_code in {200, 303, 404, 422}, (template, role)
