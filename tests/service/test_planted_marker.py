"""A word goes in wherever people write, in requests that succeed and in those that fail: where is it afterwards?"""

from __future__ import annotations

import io
import json
import re
import sqlite3
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from app_caller import CASE
from asked_routes import ASKED, TODAY
from busy_school import BusySchool
from guarded_school import UNKNOWN_ID, changed, forget_rates, school_in, tables
from live_server import send_raw, serving
from log_capture import logged
from school_app import make_school_app

from service.app import create_app
from service.settings import Settings
from service.store.backup import back_up
from service.store.database import Database, engine_for
from service.store.schema_version import upgrade
from service.store.text_keys import TextKeys

sys.path.insert(0, str(Path(__file__).parents[1] / "store"))
from postgres_server import running_postgres

MARKER = "quagmirish"
# Stands only in texts of requests that fail, and so must be in no row either.
LOST = "flumptious"
# Stands where no text is wanted: in ids, choices, names of fields, addresses and headers.
JUNK = "snollygoster"
# Stands only in texts about somebody's safety, of which no word is kept.
SAFETY = "zanzibaric"
STRUGGLE = f"The {MARKER} table talks over me in every lesson and the rest of the class just waits."
NOTE = f"The {MARKER} table went quiet and two others spoke."
LOST_STRUGGLE, LOST_NOTE = STRUGGLE.replace(MARKER, LOST), NOTE.replace(MARKER, LOST)
DANGER = f"A {SAFETY} student told me that her uncle hits her and that she is scared to go home."
WORDS = (MARKER, LOST, JUNK, SAFETY)
KEYS = TextKeys([bytes(range(32))])
MOST_BYTES = 100_000
# Fields of forms and bodies whose words are kept in the one table of texts.
KEPT_TEXTS = ("struggle", "why", "note", "answer", "why-{skill_1}")
SCORE = {"instrument": "danielson-2022", "item": "3b", "value": 2, "observed_on": "2026-10-02", "observer": "o17",
         "visit": "v1", "note": NOTE}  # fmt: skip
SCORE_ROW = SCORE | {"teacher_id": "t-teacher"}
LOST_SCORE, LOST_ROW = SCORE | {"note": LOST_NOTE}, SCORE_ROW | {"note": LOST_NOTE}


class Broken:
    """A model that fails with the words it was given in its message, as any library's error might hold them."""

    is_ready = True

    def __init__(self, model):
        self._model = model

    def __getattr__(self, name):
        return getattr(self._model, name)

    def rank(self, case):
        raise ValueError(case.struggle)

    def rank_with_evidence(self, case, *others):
        raise ValueError(f"cannot rank {case!r}")


@dataclass
class Planted:
    """A school after everything was sent, with all that came back and all that was logged."""

    busy: BusySchool
    log: io.StringIO
    answers: list[Any] = field(default_factory=list)
    statuses: set[int] = field(default_factory=set)
    shown: str = ""
    metrics: str = ""
    is_sealed: bool = False

    def watch(self, client) -> Any:
        if self.answers.append not in client.event_hooks["response"]:
            client.event_hooks = {"response": [self.answers.append]}
        return client

    def web(self, who: str) -> Any:
        forget_rates(self.busy.school.app)
        return self.watch(self.busy.browser(who))

    @property
    def app(self) -> Any:
        forget_rates(self.busy.school.app)
        return self.watch(self.busy.apps["gradebook"].client)

    def expect(self, status: int, answer: Any) -> Any:
        assert answer.status_code == status, (answer.request.method, answer.request.url.path, answer.text[-2_000:])
        self.statuses.add(status)
        return answer


def put_in(planted: Planted) -> None:
    """Every kind of text, by pages and by API, as it is meant to be sent."""
    busy = planted.busy
    for asked in ASKED:
        names = [name for name in asked.text if name in KEPT_TEXTS]
        if names:
            planted.watch(busy.apps[asked.who].client if asked.who in busy.apps else busy.browser(asked.who))
            if asked.fields == "review":
                busy.read_review_form()
            words = {busy.filled(name): STRUGGLE if name == "struggle" else NOTE for name in names}
            answer = asked.send(busy, asked.who, asked.path(busy), asked.content(busy) | words)
            assert answer.status_code in {201, 303}, (asked.route, answer.text[-2_000:])
        if asked.route == "POST /moments":
            busy.ids["planted"] = answer.headers["location"].rpartition("/")[2]
    planted.expect(303, planted.web("teacher").submit("/draft", {"struggle": STRUGGLE}))
    app = planted.app
    noted = planted.expect(201, app.post("/v1/cases", json=CASE | {"struggle": STRUGGLE, "observations": [SCORE]}))
    busy.ids["noted"] = noted.json()["id"]
    change = {"action": "remove", "skill": busy.ids["skill_1"], "why": NOTE}
    review = {"case": busy.ids["sent"], "ranking": busy.ids["sent_ranking"], "coach": "t-coach", "changes": [change]}
    planted.expect(201, app.post("/v1/reviews", json=review))
    planted.expect(200, app.post("/v1/observations", json={"scores": [SCORE_ROW]}))
    head, row = ",".join(SCORE_ROW), ",".join(str(value) for value in (SCORE_ROW | {"item": "3c"}).values())
    planted.expect(200, app.post("/v1/observations", content=f"{head}\n{row}\n", headers={"Content-Type": "text/csv"}))
    for path, body in (("/v1/score", CASE | {"struggle": STRUGGLE}), ("/v1/score/batch", {"cases": [CASE, 1]})):
        planted.expect(200, app.post(path, json=body))
    planted.expect(200, planted.watch(busy.school.signed_out()).post("/", data={"struggle": STRUGGLE}))
    # With the notes of the scores beside it, which a reason may quote.
    planted.expect(303, planted.web("teacher").submit("/moments", {"struggle": STRUGGLE, "with_scores": "yes"}))


def look_at_it(planted: Planted) -> str:
    """Every page and answer that shows it again; all their words."""
    busy = planted.busy
    shown = ""
    for who, paths in {
        "teacher": ("/moments", "/moments/{moment}", "/moments/{planted}", "/practice/{cycle}", "/observations",
                    "/my-data", "/my-data/export"),
        "coach": ("/coach", "/coach/moments/{moment}", "/coach/practice/{cycle}", "/coach/caseload", "/my-data/export"),
        "administrator": ("/admin", "/admin/contests", "/admin/people", "/admin/use"),
        "safeguarding": ("/safeguarding",),
    }.items():  # fmt: skip
        for path in paths:
            shown += planted.expect(200, planted.web(who).get(busy.filled(path))).text
    for path in ("/v1/cases", "/v1/cases/{noted}", "/v1/cases/{sent}", "/v1/cycles/{sent_cycle}",
                 "/v1/choices?case={sent}", "/v1/reviews?case={sent}"):  # fmt: skip
        shown += planted.expect(200, planted.app.get(busy.filled(path))).text
    return shown


def fail_with_it(planted: Planted) -> None:
    """Every way a form with the word in it is turned down."""
    busy, web, ids = planted.busy, planted.web, planted.busy.ids
    too_long = f"{LOST} " * 1_000
    moment, cycle = f"/moments/{ids['moment']}", f"/practice/{ids['cycle']}"
    shared, practised = f"/coach/moments/{ids['moment']}", f"/coach/practice/{ids['cycle']}"
    declined = {"decision": "declined", "skill": ids["skill_2"], "ranking": ids["moment_ranking"], "why": LOST_NOTE}
    busy.read_review_form()
    review = busy.review_fields | {"why-" + ids["skill_1"]: LOST_NOTE}
    for who, path, fields, status in (
        ("teacher", "/moments", {"struggle": too_long}, 422),
        ("teacher", "/draft", {"struggle": too_long}, 422),
        ("teacher", f"{moment}/contests", {"about": "list", "ranking": ids["moment_ranking"], "why": too_long}, 422),
        ("teacher", f"{moment}/contests", {"about": JUNK, "why": LOST_NOTE}, 422),
        ("teacher", f"{moment}/choices", declined | {"decision": JUNK}, 422),
        ("teacher", f"{moment}/choices", declined | {"skill": JUNK}, 422),
        ("teacher", f"{moment}/choices", declined | {"ranking": UNKNOWN_ID}, 404),
        ("teacher", f"{moment}/choices", declined | {"decision": "chosen", "skill": ids["skill_1"]}, 409),
        ("teacher", f"/moments/{UNKNOWN_ID}/choices", declined, 404),
        ("teacher", f"/moments/{JUNK}/contests", {"about": "list", "why": LOST_NOTE}, 404),
        ("teacher", f"{cycle}/check-ins", {"day": TODAY, "times": JUNK, "note": LOST_NOTE}, 422),
        ("teacher", f"{cycle}/check-ins", {"day": JUNK, "times": "1", "note": too_long}, 422),
        ("teacher", f"{cycle}/follow-ups", {"day": TODAY, "phase": JUNK, "note": LOST_NOTE}, 422),
        ("coach", f"{practised}/check-ins", {"day": TODAY, "times": "", "note": LOST_NOTE}, 422),
        ("coach", f"{shared}/reviews", review | {"why-" + ids["skill_1"]: too_long}, 422),
        ("coach", f"{shared}/reviews", review | {"ranking": UNKNOWN_ID}, 409),
        ("coach", f"{shared}/contests/{ids['contest']}/answer", {"answer": LOST_NOTE}, 409),
        ("coach", f"{shared}/contests/{UNKNOWN_ID}/answer", {"answer": LOST_NOTE}, 404),
        ("coach", "/moments", {"struggle": LOST_STRUGGLE}, 403),
        ("administrator", f"/admin/contests/{ids['second_contest']}/answer", {"answer": LOST_NOTE}, 409),
        ("administrator", f"/admin/contests/{ids['unshared_contest']}/answer", {"answer": too_long}, 422),
    ):  # fmt: skip
        planted.expect(status, web(who).submit(path, fields))
        # As a script would send it.
        web(who).submit(path, fields, headers={"HX-Request": "true"})
    teacher = web("teacher")
    planted.expect(403, teacher.post("/moments", data={"struggle": LOST_STRUGGLE}))
    elsewhere = {"Origin": f"https://{JUNK}.example"}
    planted.expect(403, teacher.submit("/moments", {"struggle": LOST_STRUGGLE}, headers=elsewhere))
    planted.expect(413, teacher.submit("/moments", {"struggle": f"{LOST} " * 12_000}))
    planted.expect(415, teacher.post("/moments", json={"struggle": LOST_STRUGGLE}))
    planted.expect(400, teacher.submit("/moments", {"struggle": LOST_STRUGGLE} | {f"{JUNK}{n}": "" for n in range(64)}))
    planted.expect(401, planted.watch(busy.school.signed_out()).post("/moments", data={"struggle": LOST_STRUGGLE}))
    planted.expect(404, teacher.get(f"/{JUNK}/{JUNK}?{JUNK}={JUNK}"))
    planted.expect(404, teacher.get(f"/moments/{JUNK}"))
    planted.expect(422, teacher.get("/moments", params={"done": JUNK * 20}))
    planted.expect(422, teacher.get("/moments", params={"after": JUNK}))
    planted.expect(405, teacher.put("/moments", data={"struggle": LOST_STRUGGLE}))
    planted.expect(403, teacher.post("/sign-in/link", data={"token": JUNK}))
    for _ in range(130):
        busy.school.app.state.rates.note_failure("cases", f"{busy.school.tenant_id}/{ids['teacher']}")
    planted.expect(429, teacher.submit("/moments", {"struggle": LOST_STRUGGLE}))


def fail_by_api_with_it(planted: Planted) -> None:
    """The same for apps."""
    app, ids = planted.app, planted.busy.ids
    case = CASE | {"struggle": LOST_STRUGGLE}
    declined = {"decision": "declined", "skill": ids["skill_2"], "case": ids["sent"], "ranking": ids["sent_ranking"],
                "why": LOST_NOTE}  # fmt: skip
    once = {"Idempotency-Key": "once"}
    planted.expect(201, app.post("/v1/cases", json=CASE | {"struggle": STRUGGLE}, headers=once))
    planted.expect(409, app.post("/v1/cases", json=case, headers=once))
    for path, body, status in (
        ("/v1/cases", case | {"struggle": f"{LOST} " * 1_000}, 422),
        ("/v1/cases", case | {JUNK: JUNK}, 422),
        ("/v1/cases", case | {"struggle": [JUNK]}, 422),
        ("/v1/cases", case | {"top": JUNK}, 422),
        ("/v1/cases", case | {"declined": [JUNK]}, 422),
        ("/v1/cases", case | {"context": {"grade_band": JUNK, JUNK: 1}}, 422),
        ("/v1/cases", case | {"observations": [LOST_SCORE | {"item": JUNK, "value": JUNK}]}, 422),
        ("/v1/choices", declined | {"decision": JUNK}, 422),
        ("/v1/choices", declined | {"reason": JUNK}, 422),
        ("/v1/choices", declined | {"ranking": UNKNOWN_ID}, 404),
        ("/v1/choices", declined | {"why": f"{LOST} " * 1_000}, 422),
        ("/v1/reviews", {"case": ids["sent"], "ranking": ids["sent_ranking"], "coach": JUNK, "changes": [
            {"action": "remove", "skill": ids["skill_1"], "why": LOST_NOTE}]}, 404),
        ("/v1/reviews", {"case": ids["sent"], "ranking": ids["sent_ranking"], "coach": "t-coach", "changes": [
            {"action": JUNK, "skill": JUNK, "why": LOST_NOTE}]}, 422),
        (f"/v1/cycles/{ids['sent_cycle']}/check-ins", {"happened_on": JUNK, "times_tried": 1, "note": LOST_NOTE}, 422),
        (f"/v1/cycles/{UNKNOWN_ID}/check-ins", {"happened_on": TODAY, "times_tried": 1, "note": LOST_NOTE}, 404),
        (f"/v1/cycles/{JUNK}/end", {"state": JUNK}, 404),
        ("/v1/observations", {"scores": [LOST_ROW | {"value": JUNK}, {JUNK: JUNK}]}, 200),
        ("/v1/observations", {JUNK: [JUNK]}, 422),
        ("/v1/score", case | {"struggle": f"{LOST} " * 1_000}, 422),
        ("/v1/score/batch", {"cases": [case | {JUNK: 1}, JUNK]}, 200),
        (f"/v1/{JUNK}", case, 404),
    ):  # fmt: skip
        planted.expect(status, app.post(path, json=body))
    body = json.dumps(case).encode()
    json_type = {"Content-Type": "application/json"}
    planted.expect(400, app.post("/v1/cases", content=body[:-1], headers=json_type))
    twice = b'{"%s": 1, "%s": 2}' % ((LOST.encode(),) * 2)
    planted.expect(400, app.post("/v1/cases", content=twice, headers=json_type))
    planted.expect(413, app.post("/v1/cases", json=case | {"struggle": f"{LOST} " * 12_000}))
    planted.expect(415, app.post("/v1/cases", content=body, headers={"Content-Type": f"text/{JUNK}"}))
    no_table = f"{JUNK},{JUNK}\n1,2\n"
    planted.expect(422, app.post("/v1/observations", content=no_table, headers={"Content-Type": "text/csv"}))
    planted.expect(422, app.post("/v1/cases", json=case, headers={"Idempotency-Key": f"{JUNK} {JUNK}"}))
    odd_id = {"X-Request-ID": f"{JUNK} {JUNK}"}
    planted.expect(201, app.post("/v1/cases", json=CASE | {"struggle": STRUGGLE}, headers=odd_id))
    planted.expect(401, app.post("/v1/cases", json=case, headers={"Authorization": f"Bearer {JUNK}"}))
    planted.expect(404, app.get(f"/v1/skills/{JUNK}"))
    planted.expect(422, app.get("/v1/skills", params={"domain": JUNK}))
    planted.expect(422, app.get("/v1/cases", params={"after": JUNK, "limit": JUNK}))


def break_with_it(planted: Planted) -> None:
    """Faults of ours while the word is in hand: a model that breaks, a database that is busy, a table that is gone."""
    busy = planted.busy
    state, moment = busy.school.app.state, f"/moments/{busy.ids['planted']}"
    case = CASE | {"struggle": LOST_STRUGGLE, "observations": [LOST_SCORE]}

    def send_all(status: int, *, ranks: bool) -> None:
        for path, fields in (("/moments", {"struggle": LOST_STRUGGLE}), ("/draft", {"struggle": LOST_STRUGGLE})):
            planted.expect(status, planted.web("teacher").submit(path, fields))
        planted.expect(status, planted.app.post("/v1/cases", json=case))
        if ranks:
            planted.expect(status, planted.app.post("/v1/score", json=case))
            answer = planted.expect(200, planted.app.post("/v1/score/batch", json={"cases": [case]}))
            assert answer.json()["errors"][0]["problem"]["status"] == status
        else:
            for who, path, fields in (
                ("teacher", f"{moment}/contests", {"about": "list", "ranking": "x", "why": LOST_NOTE}),
                (
                    "teacher",
                    f"/practice/{busy.ids['cycle']}/check-ins",
                    {"day": TODAY, "times": "1", "note": LOST_NOTE},
                ),
            ):
                assert planted.web(who).submit(path, fields).status_code in {status, 404}

    state.model, sound = Broken(state.model), state.model
    send_all(500, ranks=True)
    state.model = sound
    file = str(busy.school.database.engine.url.database)
    other = sqlite3.connect(file, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    send_all(503, ranks=False)
    other.execute("ROLLBACK")
    other.execute("ALTER TABLE texts RENAME TO hidden")
    send_all(500, ranks=False)
    other.execute("ALTER TABLE hidden RENAME TO texts")
    other.close()


def tell_of_danger(planted: Planted) -> None:
    """Texts about somebody's safety: in the box, as a draft, in an app's case and in its notes."""
    teacher, app = planted.web("teacher"), planted.app
    planted.expect(303, teacher.submit("/draft", {"struggle": f"My {SAFETY} class never settles after lunch."}))
    moment = planted.expect(303, teacher.submit("/moments", {"struggle": DANGER}))
    page = planted.expect(200, teacher.get(moment.headers["location"]))
    assert "Sal Safe, room 12" in page.text
    planted.expect(422, teacher.submit("/draft", {"struggle": DANGER}))
    noted = SCORE | {"note": f"{SAFETY} and {DANGER}"}
    for body in (CASE | {"struggle": DANGER}, CASE | {"struggle": DANGER, "observations": [noted]}):
        made = planted.expect(201, app.post("/v1/cases", json=body, headers={"Idempotency-Key": str(len(str(body)))}))
        assert made.json()["ranking"]["status"] == "safeguarding"
        planted.expect(200, app.get(made.headers["location"]))
        planted.expect(200, app.post("/v1/score", json=body))
    planted.expect(200, planted.web("safeguarding").get("/safeguarding"))
    planted.expect(200, planted.web("teacher").get("/my-data/export"))


@pytest.fixture(scope="module", params=["readable", "sealed"])
def planted(request, school_template, served_model, tmp_path_factory):
    keys = KEYS if request.param == "sealed" else None
    folder = tmp_path_factory.mktemp(request.param)
    # Where another holds the database, nobody waits ten seconds.
    busy = {"busy_seconds": 0.05, "max_body_bytes": MOST_BYTES}
    with logged() as log, school_in(folder, school_template, served_model, keys, **busy) as school:
        made = Planted(BusySchool(school), log)
        put_in(made)
        made.shown = look_at_it(made)
        fail_with_it(made)
        fail_by_api_with_it(made)
        break_with_it(made)
        tell_of_danger(made)
        made.metrics = made.watch(school.signed_out()).get("/metrics").text
        made.is_sealed = request.param == "sealed"
        yield made


def files_of(database: Database) -> bytes:
    """Every byte of the database: the file, what is still in its log, and what is shared about it."""
    file = Path(str(database.engine.url.database))
    return b"".join(path.read_bytes() for path in file.parent.glob(file.name + "*"))


def test_it_was_kept_and_is_shown_to_whom_it_is_for(planted):
    """Otherwise not finding it would say nothing."""
    assert planted.shown.count(MARKER) > 40
    assert {200, 201, 303, 400, 401, 403, 404, 405, 409, 413, 415, 422, 429, 500, 503} <= planted.statuses
    kept = tables(planted.busy.school.database)["texts"]
    assert len(kept) > 20
    assert any(MARKER in row for row in kept) != planted.is_sealed


def test_no_line_of_any_log_holds_it(planted):
    lines = planted.log.getvalue().lower()
    assert len([line for line in lines.splitlines() if '"event": "request"' in line]) > 150
    assert lines.count('"level": "error"') >= 8
    assert '"error": "valueerror"' in lines
    assert words_in(lines) == []


def test_no_metric_holds_it(planted):
    assert "growth_http_requests_total" in planted.metrics
    assert words_in(planted.metrics) == []


def test_no_header_and_no_address_holds_it(planted):
    assert len(planted.answers) > 150
    for answer in planted.answers:
        where = answer.request.method, answer.request.url.path, answer.status_code
        assert words_in(str(answer.headers)) == [], where
        if answer.headers.get("content-type", "").startswith("text/html"):
            links = re.findall(r'(?:href|action|src|formaction|hx-\w+)="([^"]*)"', answer.text)
            assert words_in(" ".join(links)) == [], where


def test_an_error_says_no_word_of_what_was_sent_but_in_the_field_to_be_changed(planted):
    errors = [answer for answer in planted.answers if answer.status_code >= 400]
    given_back = 0
    for answer in errors:
        text, of_others = answer.text, set()
        if answer.headers.get("content-type", "").startswith("text/html"):
            given_back += LOST in text
            # Under the form there can be what was kept before.
            text, of_others = without_fields(text), {MARKER}
        found = set(words_in(text)) - of_others
        assert not found, (answer.request.method, answer.request.url.path, answer.status_code, text)
    assert len(errors) > 90
    assert given_back >= 10


def words_in(text: str) -> list[str]:
    return [word for word in WORDS if word in text.lower()]


def without_fields(page: str) -> str:
    """A page without what stands in the fields of its forms."""
    page = re.sub(r"(?s)(<textarea[^>]*>).*?</textarea>", r"\1", page)
    return re.sub(r'(<input[^>]*?) value="[^"]*"', r"\1", page)


def test_no_table_but_the_one_of_texts_holds_it(planted):
    rows = tables(planted.busy.school.database)
    assert set(rows) > {"texts", "events", "idempotency_keys", "rankings", "suggestions"}
    for name, found in rows.items():
        readable = {MARKER} if name == "texts" and not planted.is_sealed else set()
        assert set(words_in(" ".join(found))) == readable, name


def test_with_a_text_key_no_byte_of_the_database_holds_it_and_of_danger_there_never_is_one(planted, tmp_path):
    database = planted.busy.school.database
    copy = tmp_path / "backup.sqlite3"
    back_up(database, copy)
    for content in (files_of(database).lower(), copy.read_bytes().lower()):
        readable = set() if planted.is_sealed else {MARKER}
        assert {word for word in WORDS if word.encode() in content} == readable
        assert not [word for word in WORDS if word.encode().hex().encode() in content]


def test_after_the_teacher_deleted_their_data_none_of_theirs_is_in_a_copy(planted, tmp_path):
    """Last in this file: it takes the teacher away. What a coach wrote for others stays theirs."""
    busy, database = planted.busy, planted.busy.school.database
    for who in ("teacher", "other_teacher", "coach_and_teacher"):
        assert planted.web(who).submit("/my-data/delete", {"sure": "yes"}).status_code == 200
    for case in busy.apps["gradebook"].get("/v1/cases", params={"limit": 200}).json()["items"]:
        assert busy.apps["gradebook"].delete(f"/v1/cases/{case['id']}").status_code == 204
    copy = tmp_path / "backup.sqlite3"
    back_up(database, copy)
    assert MARKER.encode() not in copy.read_bytes().lower()
    assert not [name for name, rows in tables(database).items() if any(MARKER in row for row in rows)]


def test_the_server_itself_logs_no_word_of_a_request_however_odd_it_is(served_model, school_template, tmp_path):
    with (
        logged() as log,
        school_in(tmp_path, school_template, served_model, max_body_bytes=5_000, request_timeout_seconds=0.5) as school,
    ):
        word = MARKER.encode()
        assert len(word) == 10
        head = b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\n"
        close = b"Connection: close\r\n"
        web_socket = (
            b"Host: localhost\r\nConnection: Upgrade, close\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
            b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
        )
        with serving(school.app) as place:
            said = [
                send_raw(place, b"GET /%s?q=%s HTTP/1.1\r\nHost: localhost\r\n%s\r\n" % (word, word, close)),
                send_raw(place, b"GET /moments/%s?token=%s HTTP/1.1\r\n%s\r\n" % (word, word, web_socket)),
                send_raw(place, b"%s %s %s\r\n\r\n" % (word, word, word)),
                send_raw(place, b"GET /%s HTTP/9.9\r\nHost: localhost\r\n%s\r\n" % (word, close)),
                send_raw(place, b"GET / HTTP/1.1\r\nHost: localhost\r\n%s\r\n\r\n" % word),
                send_raw(place, b"GET / HTTP/1.1\r\nHost: localhost\r\n%s%s: %s\r\n\r\n" % (close, word, word * 9_000)),
                send_raw(place, head + b"Content-Length: 90\r\n\r\nstruggle=%s" % word),
                send_raw(place, head + b"Content-Length: 9000\r\n\r\nstruggle=%s" % word),
                send_raw(place, head + b"Transfer-Encoding: chunked\r\n\r\na\r\n%s\r\nzz%s\r\n" % (word, word)),
                send_raw(place, head + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\n%s" % word),
                send_raw(place, head + b"Content-Length: %s\r\n\r\n%s" % (word, word)),
            ]
            school.app.state.model = Broken(school.app.state.model)
            body = b"struggle=" + STRUGGLE.replace(" ", "+").encode()
            said.append(send_raw(place, head + close + b"Content-Length: %d\r\n\r\n%s" % (len(body), body)))
    statuses = [int(answer.split(b" ")[1]) if answer else 0 for answer in said]
    assert statuses[0] == 404 and statuses[6:8] == [408, 413] and statuses[-1] == 500, statuses
    assert not [status for status in statuses[:-1] if status >= 500], statuses
    assert not [answer for answer in said if word in answer.lower()]
    lines = log.getvalue()
    assert '"event": "request failed"' in lines
    assert "Invalid HTTP request received." in lines
    assert words_in(lines) == []


def test_a_database_server_that_writes_down_every_statement_learns_no_word_of_it(served_model, tmp_path):
    """With a text key, what the server is told is sealed already: in statements, parameters, rows, logs and dumps."""
    with running_postgres() as server:
        database = Database(engine_for(server.create()), KEYS)
        name = database.engine.url.database
        for setting in ("log_statement = 'all'", "log_error_verbosity = 'verbose'", "log_min_duration_statement = 0",
                        "log_parameter_max_length_on_error = -1"):  # fmt: skip
            server._execute(f"ALTER DATABASE {name} SET {setting}")
        upgrade(database)
        app = create_app(Settings(data=tmp_path, max_body_bytes=MOST_BYTES), served_model, database)
        planted = Planted(BusySchool(make_school_app(app, database)), io.StringIO())
        put_in(planted)
        assert look_at_it(planted).count(MARKER) > 40
        fail_with_it(planted)
        fail_by_api_with_it(planted)
        tell_of_danger(planted)
        before = tables(database)
        dump = tmp_path / "backup.dump"
        back_up(database, dump)
        assert changed(before, tables(database)) == []
        database.close()
        server._execute("CHECKPOINT")
        log = (server.folder / "log").read_bytes()
        assert log.count(b"INSERT INTO texts") > 20 and b"parameters" in log.lower()
        kept = [path for path in server.data.rglob("*") if path.is_file()]
        for path in (server.folder / "log", dump, *kept):
            content = path.read_bytes().lower()
            # What stands in the place of an id is asked for, and so is in the server's log; a text never is.
            for word in (MARKER, LOST, SAFETY):
                assert word.encode() not in content, path.name
                assert word.encode().hex().encode() not in content, path.name
