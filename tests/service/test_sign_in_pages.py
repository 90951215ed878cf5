from __future__ import annotations

import re
from datetime import timedelta

import pytest
from sqlalchemy import func, select, update
from starlette.testclient import TestClient

from service.access.cookies import LOCAL_NAME, NETWORK_PREFIX
from service.access.form_tokens import FORM_TOKEN_FIELD, form_token, is_form_token
from service.app import create_app
from service.settings import Settings
from service.store.actors import operator
from service.store.database import utc_now
from service.store.people import mark_left
from service.store.sign_in_links import issue_link, link_address
from service.store.tables.people import PersonRole
from service.store.tables.sign_in import PageSession, SignInLink

NETWORK = {"host": "0.0.0.0", "api_keys": ("00" * 32,), "public_url": "https://growth.example"}
UNKNOWN = "x" * 43


def a_link(school, who="teacher", now=None):
    with school.database.write() as session:
        return issue_link(session, school.people["administrator"], school.people[who].id, now=now)


def open_sessions(school):
    with school.database.read() as session:
        return session.scalar(select(func.count()).select_from(PageSession).where(PageSession.ended_at.is_(None)))


def hidden_token(page):
    return re.search(r'name="token" value="([^"]*)"', page.text).group(1)


def test_a_link_is_opened_a_button_pressed_and_the_person_is_signed_in(school_app):
    link, browser = a_link(school_app), school_app.signed_out()
    address = link_address(Settings(), link).removeprefix("http://127.0.0.1:8000")
    shown = browser.get(address)
    assert shown.status_code == 200
    assert shown.headers["referrer-policy"] == "no-referrer"
    assert shown.headers["cache-control"] == "no-store"
    answer = browser.post("/sign-in/link", data={"token": hidden_token(shown)})
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    assert browser.get("/").headers["location"] == "/moments"


def test_looking_at_a_link_does_not_use_it_up(school_app):
    link = a_link(school_app)
    for _ in range(3):
        scanner = school_app.signed_out()
        assert scanner.get("/sign-in/link", params={"token": link.secret}).status_code == 200
        assert scanner.head("/sign-in/link", params={"token": link.secret}).status_code in {200, 405}
        assert LOCAL_NAME not in scanner.cookies
    assert school_app.signed_out().post("/sign-in/link", data={"token": link.secret}).status_code == 303


def test_a_used_an_unknown_and_an_old_link_get_the_same_answer(school_app):
    used, old = a_link(school_app), a_link(school_app, "coach", utc_now() - timedelta(days=2))
    assert school_app.signed_out().post("/sign-in/link", data={"token": used.secret}).status_code == 303
    answers = [
        school_app.signed_out().post("/sign-in/link", data={"token": secret})
        for secret in (used.secret, old.secret, UNKNOWN, "", "x" * 10_000)
    ]
    assert {answer.status_code for answer in answers} == {403}
    assert len({answer.text for answer in answers}) == 1
    assert 'role="alert"' in answers[0].text
    assert not any("set-cookie" in answer.headers for answer in answers)


def test_a_link_without_its_secret_says_that_it_does_not_work(school_app):
    assert "does not work any more" in school_app.signed_out().get("/sign-in/link").text


def test_another_site_cannot_sign_a_browser_in(school_app):
    link = a_link(school_app)
    for headers in ({"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}, {"Origin": "null"}):
        refused = school_app.signed_out().post("/sign-in/link", data={"token": link.secret}, headers=headers)
        assert refused.status_code == 403
        assert "set-cookie" not in refused.headers
    assert school_app.signed_out().post("/sign-in/link", data={"token": link.secret}).status_code == 303


def test_every_sign_in_has_a_new_secret_and_ends_the_session_before_it(school_app):
    browser = school_app.signed_out()
    browser.cookies.set(LOCAL_NAME, "a-secret-somebody-planted")
    secrets = []
    for who in ("teacher", "coach", "teacher"):
        answer = browser.post("/sign-in/link", data={"token": a_link(school_app, who).secret})
        secrets.append(answer.cookies[LOCAL_NAME])
        browser.cookies.clear()
        browser.cookies.set(LOCAL_NAME, secrets[-1])
        assert open_sessions(school_app) == 1
    assert len({*secrets, "a-secret-somebody-planted"}) == 4
    browser.cookies.set(LOCAL_NAME, secrets[0])
    assert browser.get("/moments").headers["location"] == "/sign-in"


def flags(answer):
    name, *rest = answer.headers["set-cookie"].split("; ")
    return name.split("=")[0], {part.split("=")[0].lower(): part.partition("=")[2].lower() for part in rest}


def test_on_this_machine_the_cookie_is_out_of_reach_of_scripts_and_other_sites(school_app):
    answer = school_app.signed_out().post("/sign-in/link", data={"token": a_link(school_app).secret})
    name, found = flags(answer)
    assert name == "growth_session"
    assert "httponly" in found and "secure" not in found and "domain" not in found
    assert (found["samesite"], found["path"]) == ("lax", "/")
    assert 6 * 86_400 < int(found["max-age"]) <= 7 * 86_400


def test_on_a_network_the_cookie_travels_over_https_only_and_belongs_to_one_host(school_app, served_model):
    app = create_app(Settings(**NETWORK), served_model, school_app.database)
    browser = TestClient(app, base_url="https://growth.example", follow_redirects=False)
    answer = browser.post("/sign-in/link", data={"token": a_link(school_app).secret})
    name, found = flags(answer)
    assert name == NETWORK_PREFIX + "growth_session"
    assert "httponly" in found and "secure" in found and "domain" not in found
    assert (found["samesite"], found["path"]) == ("lax", "/")
    assert browser.get("/").headers["location"] == "/moments"
    secret = answer.cookies[name]
    assert browser.post("/sign-out", data={FORM_TOKEN_FIELD: form_token(secret)}).status_code == 303
    assert browser.get("/").headers["location"] == "/sign-in"


def test_a_local_cookie_is_nothing_on_a_network(school_app, served_model):
    secret = school_app.client_as("teacher").cookies[LOCAL_NAME]
    app = create_app(Settings(**NETWORK), served_model, school_app.database)
    browser = TestClient(app, base_url="https://growth.example", follow_redirects=False, cookies={LOCAL_NAME: secret})
    assert browser.get("/").headers["location"] == "/sign-in"


def test_signing_out_ends_the_session_on_the_server_too(school_app):
    browser = school_app.client_as("teacher")
    secret = browser.cookies[LOCAL_NAME]
    answer = browser.submit("/sign-out")
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in")
    assert "max-age=0" in answer.headers["set-cookie"].lower()
    browser.cookies.clear()
    browser.cookies.set(LOCAL_NAME, secret)
    assert browser.get("/sign-in").status_code == 200
    assert browser.submit("/sign-out").status_code == 303


def test_a_form_with_the_token_of_another_session_is_refused_and_nothing_happens(school_app):
    teacher, coach = school_app.client_as("teacher"), school_app.client_as("coach")
    for token in (coach.form_token, "", "é", teacher.form_token.upper()):
        refused = teacher.post("/sign-out", data={FORM_TOKEN_FIELD: token})
        assert refused.status_code == 403
    assert open_sessions(school_app) == 2


def test_a_form_token_is_a_sessions_own_and_says_nothing_of_its_secret():
    # printf form | openssl dgst -sha256 -hmac secret
    assert form_token("secret") == "ff7b98419419ac35e9d6253bd11ceb83f15eac9727b4bd35d098e7e634a9d0d9"
    assert form_token("secret") != form_token("Secret")
    assert is_form_token(form_token("secret"), form_token("secret"))
    assert not is_form_token("", form_token("secret"))
    assert not is_form_token("\ud800", form_token("secret"))


def test_whoever_is_signed_in_has_no_need_of_the_way_in(school_app):
    assert school_app.client_as("coach").get("/sign-in").headers["location"] == "/"
    shown = school_app.signed_out().get("/sign-in")
    assert "sign-in link" in shown.text
    assert "/sign-in/provider" not in shown.text


@pytest.mark.parametrize("path", ["/sign-in/provider", "/sign-in/provider/answer?code=x&state=y"])
def test_without_a_provider_its_addresses_are_not_there(school_app, path):
    assert school_app.signed_out().get(path).status_code == 404


def test_ten_failed_links_from_an_address_are_enough_and_a_good_one_has_to_wait(school_app):
    browser = school_app.signed_out()
    for _ in range(10):
        assert browser.post("/sign-in/link", data={"token": UNKNOWN}).status_code == 403
    link = a_link(school_app)
    refused = browser.post("/sign-in/link", data={"token": link.secret})
    assert refused.status_code == 429
    assert 1 <= int(refused.headers["retry-after"]) <= 600
    with school_app.database.read() as session:
        assert session.scalar(select(SignInLink.used_at).where(SignInLink.id == link.id)) is None
    elsewhere = TestClient(school_app.app, client=("192.0.2.7", 1), follow_redirects=False)
    assert elsewhere.post("/sign-in/link", data={"token": link.secret}).status_code == 303


def test_many_good_sign_ins_from_one_address_are_a_school_on_a_monday(school_app):
    for _ in range(15):
        answer = school_app.signed_out().post("/sign-in/link", data={"token": a_link(school_app).secret})
        assert answer.status_code == 303


def test_a_role_that_is_taken_away_is_gone_at_the_next_request(school_app):
    browser = school_app.client_as("administrator")
    assert browser.get("/").headers["location"] == "/admin"
    with school_app.database.write() as session:
        of_person = PersonRole.person_id == school_app.people["administrator"].id
        session.execute(update(PersonRole).where(of_person).values(role="coach"))
    assert browser.get("/").headers["location"] == "/coach"


def test_who_has_left_is_signed_out_at_the_next_request(school_app):
    browser = school_app.client_as("teacher")
    with school_app.database.write() as session:
        mark_left(session, operator(session, school_app.tenant_id), school_app.people["teacher"].id)
    assert browser.get("/sign-in").status_code == 200


def test_no_secret_and_no_token_is_in_the_log(school_app, log_lines):
    link, browser = a_link(school_app), school_app.signed_out()
    browser.get("/sign-in/link", params={"token": link.secret})
    answer = browser.post("/sign-in/link", data={"token": link.secret})
    secret = answer.cookies[LOCAL_NAME]
    browser.get("/sign-in/link", params={"token": UNKNOWN})
    browser.post("/sign-in/link", data={"token": UNKNOWN})
    browser.post("/sign-out", data={FORM_TOKEN_FIELD: form_token(secret)})
    lines = log_lines.getvalue()
    assert '"/sign-in/link"' in lines
    for word in (link.secret, secret, UNKNOWN, form_token(secret), "token="):
        assert word not in lines
