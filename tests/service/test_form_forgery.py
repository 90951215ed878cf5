"""A form that another site, another session or a script made is refused, and nothing happens."""

from __future__ import annotations

import pytest
from asked_routes import ASKED, FORMS, Asked
from busy_school import BusySchool
from guarded_school import NETWORK, changed, forget_rates, routes_of, school_in, tables
from sqlalchemy import select
from starlette.testclient import TestClient

from service.access.cookies import LOCAL_NAME, NETWORK_PREFIX
from service.access.form_tokens import FORM_TOKEN_FIELD, form_token
from service.access.roles import PUBLIC_ROUTES
from service.app import create_app
from service.settings import Settings
from service.store.sign_in import begin_session, end_session
from service.store.sign_in_links import issue_link
from service.store.tables.sign_in import PageSession, SignInLink

# What a browser says of a page of another site that sends a form here.
ELSEWHERE = (
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Sec-Fetch-Site": "cross-site", "Origin": "http://testserver"},
    {"Origin": "https://evil.example"},
    {"Origin": "http://testserver.evil.example"},
    {"Origin": "http://testserver:8001"},
    {"Origin": "null"},
)
# What a form of another site can be sent as without the browser asking first.
SIMPLE_TYPES = ("text/plain", "multipart/form-data; boundary=x", "")
WITHOUT_SESSION = {"/", "/sign-in/link", "/sign-out"}


@pytest.fixture(scope="module")
def busy(school_template, served_model, tmp_path_factory):
    with school_in(tmp_path_factory.mktemp("forms"), school_template, served_model) as school:
        yield BusySchool(school)


@pytest.fixture(scope="module")
def other_sessions(busy):
    """Secrets of another session of each person and of one that was ended."""
    secrets = {}
    for who in {asked.who for asked in FORMS}:
        secrets[who] = new_session(busy, who), new_session(busy, who)
        with busy.school.database.write() as session:
            end_session(session, secrets[who][1])
    return secrets


def new_session(busy, who):
    person = busy.school.people[who]
    with busy.school.database.write() as session:
        return begin_session(session, person.tenant_id, person.id, "link").secret


def refused(busy, asked: Asked, content, **options):
    forget_rates(busy.school.app)
    # Without any field no form would be sent at all.
    answer = busy.browser(asked.who).post(asked.path(busy), data=content or {"nothing": ""}, **options)
    return answer.status_code


def test_every_form_is_tried(busy):
    posts = {name.partition(" ")[2] for name, kind in routes_of(busy.school.app).items()
             if kind == "pages" and name.startswith("POST ")}  # fmt: skip
    missing = posts - {asked.template for asked in FORMS} - WITHOUT_SESSION - {"/my-data/delete"}
    assert not missing, f"Add to tests/service/asked_routes.py what these take: {sorted(missing)}"
    assert {path for method, path in PUBLIC_ROUTES if method == "POST"} == WITHOUT_SESSION


@pytest.mark.parametrize("asked", FORMS, ids=lambda asked: asked.route)
def test_a_form_without_the_token_of_this_session_is_refused(busy, other_sessions, asked):
    content = asked.content(busy)
    other = "coach" if asked.who != "coach" else "teacher"
    second, ended = other_sessions[asked.who]
    own = busy.browser(asked.who).form_token
    tokens = {
        "none": None,
        "an empty one": "",
        "of another person": busy.browser(other).form_token,
        "of another session of the same person": form_token(second),
        "of a session that was ended": form_token(ended),
        "a part of it": own[:-1],
        "in other letters": own.upper(),
        "with more behind it": own + "0",
        "not of this alphabet": "\u00e9" * 64,
        "the secret itself": busy.browser(asked.who).cookies[LOCAL_NAME],
    }
    before = tables(busy.school.database)
    for name, token in tokens.items():
        sent = content if token is None else content | {FORM_TOKEN_FIELD: token}
        assert refused(busy, asked, sent) == 403, name
    # A token in the address, or behind a wrong one, is none.
    assert refused(busy, asked, content, params={FORM_TOKEN_FIELD: own}) == 403
    assert refused(busy, asked, content | {FORM_TOKEN_FIELD: ["0" * 64, own]}) == 403
    assert changed(before, tables(busy.school.database)) == []


@pytest.mark.parametrize("asked", FORMS, ids=lambda asked: asked.route)
def test_a_form_from_another_site_is_refused_even_with_the_token(busy, asked):
    content = asked.content(busy) | {FORM_TOKEN_FIELD: busy.browser(asked.who).form_token}
    before = tables(busy.school.database)
    for headers in ELSEWHERE:
        assert refused(busy, asked, content, headers=headers) == 403, headers
        assert refused(busy, asked, content, headers=headers | {"HX-Request": "true"}) == 403, headers
    for media_type in SIMPLE_TYPES:
        assert refused(busy, asked, content, headers={"Content-Type": media_type}) == 415, media_type
    assert changed(before, tables(busy.school.database)) == []


def test_deleting_ones_data_wants_the_token_and_to_be_said_twice(busy):
    browser, before = busy.browser("outside_coach"), tables(busy.school.database)
    for headers in (*ELSEWHERE, {}):
        token = {FORM_TOKEN_FIELD: browser.form_token} if headers else {}
        answer = browser.post("/my-data/delete", data={"sure": "yes"} | token, headers=headers)
        assert answer.status_code == 403
    assert browser.submit("/my-data/delete").status_code == 200
    assert changed(before, tables(busy.school.database)) == []


def test_another_site_can_neither_sign_a_browser_in_nor_out_nor_ask_the_box(busy):
    """Signing a teacher in as somebody else would bring what they write into another's hands."""
    database = busy.school.database
    with database.write() as session:
        link = issue_link(session, busy.school.people["administrator"], busy.ids["other_teacher"])
    signed_in = busy.browser("teacher")
    before = tables(database)
    for headers in ELSEWHERE:
        for browser in (busy.school.signed_out(), signed_in):
            answer = browser.post("/sign-in/link", data={"token": link.secret}, headers=headers)
            assert (answer.status_code, "set-cookie" in answer.headers) == (403, False)
        answer = signed_in.post("/sign-out", data={FORM_TOKEN_FIELD: signed_in.form_token}, headers=headers)
        assert (answer.status_code, "set-cookie" in answer.headers) == (403, False)
        assert signed_in.post("/", data={"struggle": "Nobody listens."}, headers=headers).status_code == 403
    for media_type in SIMPLE_TYPES:
        answer = busy.school.signed_out().post("/sign-in/link", content=f"token={link.secret}",
                                               headers={"Content-Type": media_type})  # fmt: skip
        assert (answer.status_code, "set-cookie" in answer.headers) == (415, False)
    # A link that is opened, prefetched or embedded is not used.
    for headers in ({}, {"Sec-Fetch-Site": "cross-site"}, {"Sec-Purpose": "prefetch"}):
        answer = busy.school.signed_out().get("/sign-in/link", params={"token": link.secret}, headers=headers)
        assert "set-cookie" not in answer.headers
    assert changed(before, tables(database)) == []
    with database.read() as session:
        assert session.scalar(select(SignInLink.used_at).where(SignInLink.id == link.id)) is None


def test_no_page_changes_anything_by_being_looked_at(busy):
    """A link or a picture of another site makes a browser ask with its cookie."""
    before = tables(busy.school.database)
    for asked in ASKED:
        if asked.method == "GET" and not asked.template.startswith("/v1/"):
            assert asked.send(busy, asked.who, asked.path(busy)).status_code == 200
    for asked in FORMS:
        content = asked.content(busy) | {FORM_TOKEN_FIELD: busy.browser(asked.who).form_token}
        assert busy.browser(asked.who).get(asked.path(busy), params=content).status_code in {200, 405, 422}
    assert changed(before, tables(busy.school.database)) == []


def test_every_answer_keeps_other_sites_out_of_frames_and_scripts(busy):
    answer = busy.browser("teacher").get("/my-data")
    assert answer.headers["content-security-policy"].count("'self'") == 2
    assert "unsafe" not in answer.headers["content-security-policy"]
    assert "access-control-allow-origin" not in answer.headers
    options = busy.browser("teacher").options(
        "/moments", headers={"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}
    )
    assert options.status_code == 405
    assert not [name for name in options.headers if name.startswith("access-control")]


def flags(answer):
    """Name and attributes of the one cookie of an answer."""
    name, *rest = answer.headers["set-cookie"].split("; ")
    return name.split("=")[0], {part.partition("=")[0].lower(): part.partition("=")[2].lower() for part in rest}


@pytest.mark.parametrize("mode", ["local", "network"])
def test_every_cookie_is_out_of_reach_of_scripts_other_sites_and_plain_lines(busy, served_model, mode):
    """The cookie of a sign-in, of a sign-out, and of the end of one's data."""
    place = {"local": "http://localhost", "network": "https://growth.example"}[mode]
    app = create_app(Settings(**(NETWORK if mode == "network" else {})), served_model, busy.school.database)
    with busy.school.database.write() as session:
        link = issue_link(session, busy.school.people["administrator"], busy.ids["parting"])
    browser = TestClient(app, base_url=place, follow_redirects=False)
    answers = [browser.post("/sign-in/link", data={"token": link.secret}, headers={"Origin": place})]
    name, _ = flags(answers[0])
    secret = browser.cookies[name]
    answers.append(browser.post("/sign-out", data={FORM_TOKEN_FIELD: form_token(secret)}))
    for answer in answers:
        assert answer.status_code == 303
        cookie, found = flags(answer)
        assert cookie == (NETWORK_PREFIX if mode == "network" else "") + LOCAL_NAME
        assert "httponly" in found and found["samesite"] == "lax" and found["path"] == "/" and "domain" not in found
        assert ("secure" in found) == (mode == "network")
    assert flags(answers[1])[1]["max-age"] == "0"


@pytest.mark.parametrize("asked", FORMS, ids=lambda asked: asked.route)
def test_the_same_form_from_our_own_page_is_taken(busy, asked):
    """Otherwise the refusals above would say nothing. In the order of the list."""
    content = asked.content(busy) | {FORM_TOKEN_FIELD: busy.browser(asked.who).form_token}
    ours = {"Origin": "http://testserver", "Sec-Fetch-Site": "same-origin"}
    assert refused(busy, asked, content, headers=ours) in {200, 303}


def test_the_secret_of_a_session_is_in_no_answer_and_in_no_row(busy):
    secret = busy.browser("teacher").cookies[LOCAL_NAME]
    for path in ("/moments", "/my-data", "/my-data/export", "/practice"):
        answer = busy.browser("teacher").get(path)
        assert secret not in answer.text and secret not in str(answer.headers)
    assert not [name for name, rows in tables(busy.school.database).items() if any(secret in row for row in rows)]
    with busy.school.database.read() as session:
        assert secret not in str(session.execute(select(PageSession.token_hash)).all())
