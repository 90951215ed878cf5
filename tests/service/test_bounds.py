"""Too large, too slow, too many, too deep, too old, too often: refused by every route that takes anything."""

from __future__ import annotations

import asyncio
import html
import json
import re
from datetime import timedelta

import pytest
from app_caller import CASE
from guarded_school import UNKNOWN_ID, forget_rates, routes_of, school_in
from live_server import send_raw, serving
from page_reading import form
from school_app import STRUGGLE
from starlette.testclient import TestClient

from service.access.cookies import LOCAL_NAME
from service.access.form_tokens import FORM_TOKEN_FIELD
from service.pages.posted import MAX_FIELDS
from service.store import keys as stored_keys
from service.store import sign_in, sign_in_links
from service.store.actors import operator
from service.store.database import utc_now
from service.store.keys import create_key, rotate_key
from service.store.sign_in_links import issue_link
from service.store.tables.people import SCOPES

# Of these no body is read, so none can be too large or too slow.
NO_BODY = {"POST /v1/norms": "fits on what is stored"}
MOST_BYTES = 4_096
WAIT_SECONDS = 1.0
# Whoever signs out is nobody afterwards.
WHO = {
    "/coach": "coach",
    "/admin": "administrator",
    "/safeguarding": "safeguarding",
    "/sign-out": "other_teacher",
}
BATCHES = ("/v1/score/batch", "/v1/observations")


@pytest.fixture(scope="module")
def school(school_template, served_model, tmp_path_factory):
    bounds = {"max_body_bytes": MOST_BYTES, "max_batch_bytes": 2 * MOST_BYTES, "request_timeout_seconds": WAIT_SECONDS}
    with school_in(tmp_path_factory.mktemp("bounds"), school_template, served_model, **bounds) as school:
        school.app_key = school.key(*SCOPES)
        yield school


def posts(school) -> list[str]:
    """Paths of every route that something can be sent to."""
    names = [name for name in routes_of(school.app) if name.startswith("POST ") and name not in NO_BODY]
    return [re.sub(r"\{\w+\}", UNKNOWN_ID, name.partition(" ")[2]) for name in sorted(names)]


def sender(school, path):
    """Who may send there: the client, and the headers of a body of the right kind."""
    forget_rates(school.app)
    if path.startswith("/v1/"):
        return school.signed_out(), {"Authorization": f"Bearer {school.app_key}", "Content-Type": "application/json",
                                     "Accept": "*/*"}  # fmt: skip
    who = next((who for start, who in WHO.items() if path.startswith(start)), "teacher")
    return school.client_as(who), {"Content-Type": "application/x-www-form-urlencoded"}


def start_of(client, path) -> bytes:
    return b'{"struggle": "' if path.startswith("/v1/") else f"{FORM_TOKEN_FIELD}={client.form_token}&why=".encode()


def test_a_body_over_the_limit_is_refused_by_every_route_whether_it_says_its_length_or_not(school):
    found = posts(school)
    assert len(found) > 30
    for path in found:
        limit = 2 * MOST_BYTES if path in BATCHES else MOST_BYTES
        client, headers = sender(school, path)
        start = start_of(client, path)
        body = start + b"a" * (limit + 1 - len(start))
        pieces = (body[place : place + 1_000] for place in range(0, len(body), 1_000))
        for content in (body, pieces):
            answer = client.post(path, content=content, headers=headers)
            assert (answer.status_code, answer.headers.get("connection")) == (413, "close"), path
        # Said, and not sent: nothing is waited for.
        answer = client.post(path, content=b"a", headers=headers | {"Content-Length": str(limit + 1)})
        assert answer.status_code == 413, path
        within = client.post(path, content=body[:-1], headers=headers)
        assert within.status_code not in {408, 413, 500}, path


@pytest.mark.parametrize("kind", ["a byte now and then", "nothing more", "chunks of one byte"])
def test_a_body_that_does_not_come_to_an_end_is_given_up_by_every_route(school, kind):
    heads = {}
    for path in posts(school):
        client, headers = sender(school, path)
        lines = {"Host": "localhost", "Accept": "*/*"} | headers
        if client.cookies:
            lines["Cookie"] = f"{LOCAL_NAME}={client.cookies[LOCAL_NAME]}"
        length = "Transfer-Encoding: chunked" if kind == "chunks of one byte" else "Content-Length: 900"
        head = [f"POST {path} HTTP/1.1", *(f"{name}: {value}" for name, value in lines.items()), length, "", ""]
        heads[path] = "\r\n".join(head)
    with serving(school.app) as place:
        statuses = asyncio.run(trickle_all(place, heads, kind))
        alive = send_raw(place, b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    assert statuses == dict.fromkeys(heads, 408)
    assert b"growth_http_requests_in_flight 1.0" in alive


async def trickle_all(place, heads, kind):
    answers = await asyncio.gather(*(trickle(place, head, kind) for head in heads.values()))
    return dict(zip(heads, answers, strict=True))


async def trickle(place, head, kind) -> int:
    """The status of a request whose body comes byte by byte; 0 when none comes within 20 seconds."""
    reader, writer = await asyncio.open_connection(*place)
    writer.write(head.encode())

    async def go_on():
        while kind != "nothing more":
            writer.write(b"1\r\na\r\n" if kind == "chunks of one byte" else b"a")
            await asyncio.sleep(WAIT_SECONDS / 8)

    sending = asyncio.create_task(go_on())
    try:
        async with asyncio.timeout(20):
            line = await reader.readline()
    except TimeoutError:
        return 0
    finally:
        sending.cancel()
        writer.close()
    return int(line.split(b" ")[1])


def test_a_form_of_too_many_fields_is_refused_by_every_page(school):
    for path in posts(school):
        client, headers = sender(school, path)
        if not path.startswith("/v1/"):
            many = "&".join(f"f{n}=" for n in range(MAX_FIELDS))
            content = f"{FORM_TOKEN_FIELD}={client.form_token}&{many}"
            assert client.post(path, content=content, headers=headers).status_code == 400, path


DEEP = {
    "deep lists": b"[" * 2_000,
    "deep objects": b'{"a":' * 700,
    "a deep value": b'{"struggle": ' + b"[" * 1_500 + b"]" * 1_500 + b"}",
    "a long number": b'{"top": ' + b"9" * 4_000 + b"}",
    "a large exponent": b'{"top": 1e999999}',
    "many names": b"{" + b",".join(b'"%d":1' % n for n in range(400)) + b"}",
    "one name many times": b"{" + b",".join([b'"a":1'] * 500) + b"}",
    "no JSON": b"\x00\xff" * 500,
}


@pytest.mark.parametrize("content", DEEP.values(), ids=DEEP.keys())
def test_json_that_is_made_to_be_hard_to_read_is_refused_by_every_route(school, content):
    for path in posts(school):
        if path.startswith("/v1/"):
            client, headers = sender(school, path)
            assert client.post(path, content=content, headers=headers).status_code in {400, 422}, path


def test_headers_and_addresses_without_end_do_not_stop_the_server(school):
    line = b"Host: localhost\r\nConnection: close\r\n"
    long = b"x" * 60_000
    with serving(school.app) as place:
        endless = send_raw(place, b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Long: ", *[long] * 20)
        many = send_raw(place, b"GET / HTTP/1.1\r\n" + line, *[b"X-%d: y\r\n" % n * 100 for n in range(200)], b"\r\n")
        address = send_raw(place, b"GET /skills?q=", *[long] * 20, b" HTTP/1.1\r\n" + line + b"\r\n")
        cookies = send_raw(place, b"GET /moments HTTP/1.1\r\n" + line + b"Cookie: growth_session=" + long + b"\r\n\r\n")
        alive = send_raw(place, b"GET /health/live HTTP/1.1\r\n" + line + b"\r\n")
    # Closed in the middle, an answer may not come through.
    for answer in (endless, many, address):
        assert not answer or answer.startswith(b"HTTP/1.1 400 "), answer[:100]
    assert b" 303 " in cookies[:20] or cookies.startswith(b"HTTP/1.1 400 ")
    assert alive.startswith(b"HTTP/1.1 200 ")


@pytest.fixture
def at(monkeypatch):
    """Moves the clock of the service by a time from now."""
    began = utc_now()

    def move(**later):
        for module in (sign_in, sign_in_links, stored_keys):
            monkeypatch.setattr(module, "utc_now", lambda: began + timedelta(**later))

    return move


def test_a_session_ends_12_hours_after_its_last_use(school_app, at):
    browser = school_app.client_as("teacher")
    for hours in (0, 11, 22, 33):
        at(hours=hours)
        assert browser.get("/moments").status_code == 200
    at(hours=33 + 12, minutes=1)
    assert browser.get("/moments").headers["location"] == "/sign-in"
    at(hours=33)
    # Nothing about it is over but the time: it is not resumed by being asked for.
    assert browser.get("/moments").status_code == 200


def test_a_session_ends_after_7_days_however_much_it_is_used(school_app, at):
    browser = school_app.client_as("teacher")
    for hours in range(0, 7 * 24, 6):
        at(hours=hours)
        assert browser.get("/help").status_code == 200
    at(hours=7 * 24, minutes=-1)
    assert browser.submit("/moments", {"struggle": ""}).status_code == 422
    at(hours=7 * 24, minutes=1)
    assert browser.get("/moments").headers["location"] == "/sign-in"
    # A form that was open on the screen is refused, and so is its token.
    assert browser.submit("/moments", {"struggle": STRUGGLE}).status_code == 401
    assert browser.submit("/sign-out").status_code == 303


def test_a_link_works_for_a_day_and_once(school_app, at):
    with school_app.database.write() as session:
        first, second = (
            issue_link(session, school_app.people["administrator"], school_app.people[who].id)
            for who in ("teacher", "coach")
        )
    at(hours=23, minutes=59)
    statuses = [school_app.signed_out().post("/sign-in/link", data={"token": first.secret}).status_code for _ in "ab"]
    assert statuses == [303, 403]
    at(hours=24, minutes=1)
    assert school_app.signed_out().post("/sign-in/link", data={"token": second.secret}).status_code == 403


def asks(school_app, key) -> int:
    return school_app.signed_out().get("/v1/cases", headers={"Authorization": f"Bearer {key}"}).status_code


def test_a_key_ends_on_its_day_and_a_replaced_one_after_7_days(school_app, at):
    with school_app.database.write() as session:
        root = operator(session, school_app.tenant_id)
        old = create_key(session, root, "lms", ["write"], days=30)
        new = rotate_key(session, root, old.id, days=30)
        short = create_key(session, root, "sis", ["write"], days=1)
    assert [asks(school_app, key.secret) for key in (old, new, short)] == [200, 200, 200]
    at(days=1, minutes=1)
    assert [asks(school_app, key.secret) for key in (old, new, short)] == [200, 200, 401]
    at(days=7, minutes=1)
    assert [asks(school_app, key.secret) for key in (old, new)] == [401, 200]
    at(days=30, minutes=1)
    assert asks(school_app, new.secret) == 401


def too_many(answer) -> None:
    assert answer.status_code == 429
    assert 1 <= int(answer.headers["retry-after"]) <= 3_600


def test_whoever_asks_too_often_is_told_when_to_come_back(school_app):
    rates, teacher = school_app.app.state.rates, school_app.people["teacher"]
    browser, path = school_app.client_as("teacher"), "/v1/cases"
    for _ in range(30):
        rates.note_failure("cases", f"{teacher.tenant_id}/{teacher.id}")
    answer = browser.submit("/moments", {"struggle": STRUGGLE, "subject": "science"})
    too_many(answer)
    # What was written is not lost with it.
    fields = form(answer.text, "/moments").fields
    assert html.unescape(fields["struggle"]) == STRUGGLE and fields["subject"] == "science"
    statuses = [browser.submit("/draft", {"struggle": ""}).status_code for _ in range(119)]
    assert set(statuses) == {303}
    too_many(browser.submit("/draft", {"struggle": ""}))
    assert browser.get("/moments").status_code == 200
    stranger = school_app.signed_out()
    for _ in range(30):
        assert stranger.get(path, headers={"Authorization": "Bearer gr_wrong"}).status_code == 401
    too_many(stranger.get(path, headers={"Authorization": "Bearer gr_wrong"}))
    too_many(stranger.get(path, headers={"Authorization": f"Bearer {school_app.key('write')}"}))
    for _ in range(10):
        assert stranger.post("/sign-in/link", data={"token": "x"}).status_code == 403
    too_many(stranger.post("/sign-in/link", data={"token": "x"}))


def test_an_app_that_asks_too_often_is_told_so_on_every_route_it_may_ask(school_app):
    app, key = school_app.app, school_app.key(*SCOPES)
    client = TestClient(app, headers={"Authorization": f"Bearer {key}"})
    assert client.post("/v1/cases", json=CASE).status_code == 201
    for _ in range(600):
        app.state.rates.note_failure("app_requests", f"{school_app.tenant_id}/gradebook")
    for name in sorted(routes_of(app)):
        method, path = name.split(" ")
        if path.startswith("/v1/") and path.split("/")[2] in ("cases", "choices", "reviews", "cycles", "norms"):
            answer = client.request(method, re.sub(r"\{\w+\}", UNKNOWN_ID, path), content=json.dumps({}))
            too_many(answer)
            assert answer.json()["type"] == "urn:growth:problem:too-many-requests"
