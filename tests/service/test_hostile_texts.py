"""Whatever is written anywhere stays a text: no fault, no tag, no header, no query, and it comes back as it was."""

from __future__ import annotations

import csv
import io
import json
import re
import sys
from pathlib import Path
from urllib.parse import quote

import pytest
from app_caller import CASE
from asked_routes import ASKED, FORMS, WORDS, Asked
from busy_school import BusySchool
from fastapi.routing import iter_route_contexts
from guarded_school import UNKNOWN_ID, forget_rates, school_in
from page_markup import CANARY, COMPUTED, Markup, alien
from school_app import STRUGGLE, make_school_app

from recommender.cases import MAX_STRUGGLE_CHARACTERS
from service.app import create_app
from service.pages.moment_page import MAX_WHY_CHARACTERS
from service.pages.posted import clean_text
from service.pages.skill_pages import MAX_SEARCH_CHARACTERS
from service.settings import Settings
from service.store.actors import operator, person_actor
from service.store.alerts import raise_alert
from service.store.contests import raise_contest
from service.store.database import Database, engine_for
from service.store.links import create_link
from service.store.people import create_person, create_tenant
from service.store.redaction import redact
from service.store.schema_version import upgrade
from service.store.shares import share_case
from service.store.tables.people import ROLES

sys.path.insert(0, str(Path(__file__).parents[1] / "store"))
from postgres_server import running_postgres

MARKUP = {
    "tags": f"<script>{CANARY}()</script><img src=x onerror={CANARY}()><svg/onload={CANARY}()><{CANARY} a=b><{CANARY} ",
    "out of an attribute": f'"><{CANARY}>\'><{CANARY}>" {CANARY}="1" onfocus="{CANARY}()" x=\' {CANARY}=\'1\' y=\'',
    "out of an element": f"</textarea></title></head></q><{CANARY}>--><{CANARY}><!-- {CANARY} ]]><![CDATA[",
    "entities": f"&lt;{CANARY}&gt; &#60;{CANARY}&#62; &amp;lt;{CANARY}&amp;gt; &quot;{CANARY} &amp;amp;",
}
OTHERS = {
    "templates": f"{{{{7919*7919}}}} ${{7919*7919}} #{{7919*7919}} <%= 7919*7919 %> {{% include 'base.html' %}} "
    f"{{# {CANARY} #}} {{{{ me.form_token }}}} {{0}} {{skill}} {{teacher.__class__}} %s %(name)s %n {CANARY}",
    "queries": f"x'; DROP TABLE people; -- ' OR '1'='1' UNION SELECT name FROM people -- javascript:{CANARY}() "
    f"//{CANARY}.example data:text/html,{CANARY} ../../../../etc/passwd",
    "headers": f"{CANARY}\r\nX-Evil: 1\r\nSet-Cookie: {CANARY}=1\r\n\r\n<{CANARY}>",
    "control characters": f"{CANARY}\x00\x01\x1b[31m\x7f\x85 {CANARY} and more",
    "directions and marks": f"\u202e{CANARY} \u2066desrever\u2069 \u200f \ufffe\uffff\ufffd Z" + "\u0301" * 200,
    "emoji": "\U0001f600" * MAX_STRUGGLE_CHARACTERS,
    "one long word": CANARY * 500,
}
HOSTILE = MARKUP | OTHERS
# For fields that nobody writes in: ids, choices, numbers, days.
SHORT = {
    "nothing": "",
    "far too long": "x" * 20_000,
    "a huge number": "9" * 400,
    "other digits": "\u0661\u00b2",
    "out of an attribute": MARKUP["out of an attribute"],
    **{kind: OTHERS[kind] for kind in ("templates", "queries", "headers", "control characters")},
}
REQUEST_HEADERS = (
    "X-Request-ID", "Cookie", "If-None-Match", "Idempotency-Key", "Accept", "HX-Request", "HX-Target", "Authorization",
    "Content-Type", "Content-Encoding", "Origin", "Referer", "Sec-Fetch-Site", "X-Forwarded-For", "Accept-Language",
    "Content-Length",
)  # fmt: skip
CASE_FIELDS = ("case_id", "teacher_id", "observer", "visit", "note", "instrument", "item", "value", "subject",
               "grade_band", "interests", "declined", "observed_on", "a name")  # fmt: skip
READ_BACK = {
    "teacher": ("/moments", "/moments/{moment}", "/practice", "/practice/{cycle}", "/my-data"),
    "coach": ("/coach", "/coach/caseload", "/coach/moments/{moment}", "/coach/practice/{cycle}"),
    "administrator": ("/admin", "/admin/people", "/admin/people/{teacher}", "/admin/keys", "/admin/contests",
                      "/admin/use", "/notice", "/help"),
    "safeguarding": ("/safeguarding",),
}  # fmt: skip


@pytest.fixture(scope="module")
def busy(school_template, served_model, tmp_path_factory):
    with school_in(tmp_path_factory.mktemp("texts"), school_template, served_model) as school:
        yield BusySchool(school)


def asked_as(route: str) -> Asked:
    return next(asked for asked in ASKED if asked.route == route)


def as_kept(text: str) -> str:
    """A text of a form as it is stored, with single spaces."""
    return " ".join(redact(clean_text(text)).split())


def as_typed(text: str) -> str:
    return " ".join(clean_text(text).split())


def assert_harmless(answer, *about) -> None:
    assert answer.status_code < 500, about
    assert alien(answer) == [], about


def new_contest(busy) -> str:
    with busy.school.database.write() as session:
        return raise_contest(
            session, busy.school.people["teacher"], busy.ids["moment"], about="suggestion",
            about_id=busy.ids["moment_ranking"], why="That is not so.",
        )  # fmt: skip


def text_fields():
    return [(asked, name) for asked in FORMS for name in asked.text]


@pytest.mark.parametrize("asked", FORMS, ids=lambda asked: asked.route)
def test_nothing_in_any_other_field_of_a_form_is_a_fault(busy, asked):
    content = asked.content(busy)
    for kind, sent in _spoilt(busy, asked, content):
        # Nothing is to be ended or deleted by this; the rest of the module wants it.
        if asked.template.endswith(("/end", "/delete", "/leave", "/revoke", "/sign-out")):
            sent["sure"] = "no"
            if "sure" not in content:
                continue
        assert_harmless(asked.send(busy, asked.who, asked.path(busy), sent), kind)


def _spoilt(busy, asked, content):
    """The form with every kind of text in all its fields at once, and with some kinds in each."""
    names = {*content, "once", "done"} - {busy.filled(name) for name in asked.text}
    for kind in ("nothing", "far too long", "other digits", "out of an attribute", "headers"):
        yield f"all: {kind}", {**content, **dict.fromkeys(names, SHORT[kind])}
    for name in names:
        yield name, {**content, name: SHORT["control characters"]}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
def test_a_text_in_any_form_comes_back_as_a_text_and_nothing_else(busy, text):
    kept: dict[tuple[str, str], list[tuple[str, str]]] = {}
    for number, (asked, name) in enumerate(text_fields()):
        if asked.fields == "review":
            busy.read_review_form()
        ids = {}
        if "contest_id" in asked.ids:
            busy.ids["contest_now"], ids = new_contest(busy), {"contest_id": "contest_now"}
        # A letter tells the fields apart on a page that shows several of them.
        sent = f"{chr(97 + number)} {text}"
        answer = asked.send(busy, asked.who, asked.path(busy, ids), asked.content(busy) | {busy.filled(name): sent})
        assert_harmless(answer, asked.route, name)
        if answer.status_code == 303:
            location = answer.headers["location"]
            assert re.fullmatch(r"/[a-z/-]*(/[0-9A-Z]{26})?([?#].*)?", location) and CANARY not in location
            shown = sent[:MAX_WHY_CHARACTERS] if asked.template.endswith("/choices") else sent
            kept.setdefault(where_shown(busy, asked, location), []).append((asked.route, as_kept(shown)))
        else:
            # What cannot be kept is in its field again, to be changed.
            assert answer.status_code == 422, (asked.route, name)
            assert as_typed(sent) in Markup(answer.text).text, (asked.route, name)
    for (who, path), texts in kept.items():
        page = busy.browser(who).get(path)
        assert_harmless(page, who, path)
        words = Markup(page.text).text
        assert [route for route, shown in texts if shown not in words] == [], (who, path)


def where_shown(busy, asked, location):
    """Who sees what was sent, and on which page: an administrator's answer is on the teacher's page alone."""
    if asked.template == "/admin/contests/{contest_id}/answer":
        return "teacher", busy.filled("/moments/{moment}")
    return asked.who, location.partition("?")[0].partition("#")[0]


def test_every_page_that_shows_any_of_it_is_harmless(busy):
    """All that the forms above left behind, on one page each."""
    for who, paths in READ_BACK.items():
        for path in paths:
            assert_harmless(busy.browser(who).get(busy.filled(path)), who, path)
    assert CANARY in busy.browser("coach").get(busy.filled("/coach/moments/{moment}")).text


def test_a_name_is_a_text_wherever_it_stands(busy):
    """Names stand in sentences, headings, titles, options and lists: of a teacher, a coach, a lead, a school."""
    name = f"<{CANARY}>\"'{{{{7919*7919}}}}{{teacher}}%s&lt;"
    school = busy.school
    with school.database.write() as session:
        tenant_id = create_tenant(session, name, safeguarding_contact=name)
        root = operator(session, tenant_id)
        for who, roles in (("named", ROLES), ("named_too", ROLES)):
            person = create_person(session, root, name, roles, external_id=f"{name}{who}")
            school.people[who] = person_actor(session, tenant_id, person)
        link = create_link(session, root, school.people["named_too"].id, school.people["named"].id)
        raise_alert(session, school.people["named"], school.people["named"].id)
    browser, coach = busy.browser("named"), busy.browser("named_too")
    moment = browser.submit("/moments", {"struggle": STRUGGLE}).headers["location"]
    case_id = moment.rpartition("/")[2]
    with school.database.write() as session:
        share_case(session, school.people["named"], case_id, school.people["named_too"].id)
    page = coach.get(f"/coach/moments/{case_id}")
    assert_harmless(page)
    assert name in Markup(page.text).text
    person = f"/admin/people/{school.people['named'].id}"
    shown = {
        browser: ("/moments", moment, "/my-data", "/admin", "/admin/people", person, f"{person}/leave",
                  f"/admin/coaching/{link}/end", "/safeguarding", "/notice", "/help"),
        coach: ("/coach", "/coach/caseload"),
    }  # fmt: skip
    for who, paths in shown.items():
        for path in paths:
            answer = who.get(path)
            assert_harmless(answer, path)
            assert name in Markup(answer.text).text, path
    safety = "A student told me that her uncle hits her and that she is scared to go home."
    answer = browser.get(browser.submit("/moments", {"struggle": safety}).headers["location"])
    assert_harmless(answer)
    assert name in Markup(answer.text).text


def with_parameters(app):
    """Every route that takes something in its address: method, template, names in the path, names in the query."""
    for context in iter_route_contexts(app.routes):
        dependant = getattr(context.original_route, "dependant", None)
        if dependant is not None:
            path, query = [p.alias for p in dependant.path_params], list(_query_names(dependant))
            for method in sorted(context.original_route.methods):
                yield method, context.path, re.findall(r"\{(\w+)\}", context.path) or path, query


def _query_names(dependant):
    for parameter in dependant.query_params:
        yield parameter.alias
    for dependency in dependant.dependencies:
        yield from _query_names(dependency)


def whoever_may(busy, template):
    if template.startswith(("/v1/", "/metrics", "/health")):
        return busy.apps["gradebook"]
    for start, who in (("/coach", "coach"), ("/admin", "administrator"), ("/safeguarding", "safeguarding")):
        if template.startswith(start):
            return busy.browser(who)
    return busy.browser("teacher")


def ask(busy, client, method, path, template):
    forget_rates(busy.school.app)
    if method == "POST" and not template.startswith("/v1/"):
        return client.submit(path, {"sure": "no"})
    return client.request(method, path)


def test_nothing_in_an_address_is_a_fault(busy):
    asked = 0
    for method, template, in_path, in_query in with_parameters(busy.school.app):
        client = whoever_may(busy, template)
        for kind in ("out of an attribute", "headers", "control characters", "far too long", "other digits"):
            text = SHORT[kind]
            if in_path:
                path = re.sub(r"\{\w+\}", quote(text, safe=""), template)
                answer = ask(busy, client, method, path, template)
                assert_harmless(answer, method, template, kind)
                assert answer.status_code in {400, 404, 405, 409, 415, 422}, (method, template, kind)
                asked += 1
            elif method == "GET":
                for name in in_query:
                    answer = client.get(f"{template}?{quote(name)}={quote(text, safe='')}")
                    assert_harmless(answer, template, name, kind)
                    asked += 1
    assert asked > 300


@pytest.mark.parametrize("text", [*MARKUP.values(), OTHERS["templates"]], ids=[*MARKUP, "templates"])
def test_a_search_is_a_text_on_the_page_of_what_it_found(busy, text):
    answer = busy.browser("teacher").get("/skills", params={"q": text, "domain": text, "moment": ""})
    assert_harmless(answer)
    assert as_typed(text[:MAX_SEARCH_CHARACTERS]) in Markup(answer.text).text


@pytest.mark.parametrize("name", REQUEST_HEADERS)
def test_nothing_in_a_header_is_a_fault_or_comes_back(busy, name):
    texts = [SHORT[kind].encode("utf-8", "replace") for kind in ("out of an attribute", "templates", "other digits")]
    texts += [b"\xff\xfe" + CANARY.encode(), b'growth_session="<' + CANARY.encode() + b'>"; growth_session=;;=']
    for text in texts:
        forget_rates(busy.school.app)
        for client, method, path in (
            (busy.browser("teacher"), "GET", "/moments"), (busy.browser("teacher"), "POST", "/draft"),
            (busy.apps["gradebook"], "POST", "/v1/cases"), (busy.apps["gradebook"], "GET", "/v1/model"),
        ):  # fmt: skip
            answer = client.request(method, path, headers={name: text})
            assert_harmless(answer, name, method, path)
            assert CANARY not in str(answer.headers), (name, text)
            if answer.headers.get("content-type", "").startswith("application/problem+json"):
                assert CANARY not in answer.text


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
def test_a_text_an_app_sends_comes_back_as_it_was_or_is_refused_without_a_word_of_it(busy, text):
    gradebook = busy.apps["gradebook"]
    storable = not re.search(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]", text)
    made = gradebook.open(struggle=text)
    assert_harmless(made)
    assert made.status_code == (201 if storable else 422)
    if storable:
        assert gradebook.get(made.headers["location"]).json()["struggle"] == redact(text)
    else:
        assert CANARY not in made.text
    cycle = busy.filled("/v1/cycles/{sent_cycle}")
    for route, name in (("POST /v1/cycles/{id}/check-ins", "note"), ("POST /v1/cycles/{id}/follow-ups", "note"),
                        ("POST /v1/choices", "why")):  # fmt: skip
        asked = asked_as(route)
        answer = asked.send(busy, "gradebook", asked.path(busy), asked.content(busy) | {name: text})
        assert_harmless(answer, route)
        assert answer.status_code == (201 if storable else 422), route
        assert storable or CANARY not in answer.text
    if storable:
        shown = gradebook.get(cycle).json()
        assert shown["check_ins"][-1]["note"] == shown["follow_ups"][-1]["note"] == redact(text)


@pytest.mark.parametrize("field", CASE_FIELDS)
def test_nothing_in_any_field_of_a_case_is_a_fault(busy, field):
    gradebook = busy.apps["gradebook"]
    score = {"instrument": "danielson-2022", "item": "3b", "value": 2, "observed_on": "2026-10-02", "observer": "o1",
             "visit": "v1", "note": WORDS}  # fmt: skip
    for kind, text in {**SHORT, "emoji": OTHERS["emoji"]}.items():
        if field in score:
            case = CASE | {"observations": [score | {field: text}]}
        elif field in ("subject", "grade_band"):
            case = CASE | {"context": {field: text}}
        elif field == "interests":
            case = CASE | {"context": {field: [text]}}
        else:
            case = CASE | {"declined": [text]} if field == "declined" else CASE | {field: text}
        if field == "a name":
            case = CASE | {text: text}
        for path in ("/v1/score", "/v1/cases"):
            # Words are not needed to see what becomes of the rest, and none makes it quick.
            answer = gradebook.send(path, case | ({} if field == "note" else {"struggle": ""}))
            assert_harmless(answer, path, kind)
            if answer.status_code >= 400:
                assert CANARY not in answer.text and COMPUTED not in answer.text, (path, kind)
            elif path == "/v1/cases":
                view = gradebook.get(answer.headers["location"])
                assert_harmless(view, kind)
                if field == "case_id":
                    assert view.json()["case_id"] == text
    assert_harmless(gradebook.get("/v1/cases"))


SCORE_ROW = {"teacher_id": "t-teacher", "visit": "v1", "observed_on": "2026-10-02", "observer": "o17",
             "instrument": "danielson-2022", "item": "3b", "value": "2", "school": "s1", "segment": "0",
             "observation_type": "walkthrough", "observer_role": "coach", "note": WORDS}  # fmt: skip


@pytest.mark.parametrize("column", [*SCORE_ROW, "another"])
def test_nothing_in_any_column_of_scores_is_a_fault_or_repeated_in_a_refusal(busy, column):
    gradebook = busy.apps["gradebook"]
    texts = [text[:2_000] for text in HOSTILE.values()]
    rows = [SCORE_ROW | {column: text} for text in texts]
    as_json = gradebook.send("/v1/observations", {"scores": rows})
    assert_harmless(as_json)
    assert CANARY not in as_json.text
    table = io.StringIO()
    writer = csv.DictWriter(table, fieldnames=rows[0])
    writer.writeheader()
    writer.writerows(rows)
    # The second is no table any more: what stands in a cell goes on in the lines below.
    for content in (table.getvalue(), table.getvalue().replace('"', "")):
        answer = gradebook.post("/v1/observations", content=content.encode(), headers={"Content-Type": "text/csv"})
        assert_harmless(answer, column)
        assert CANARY not in answer.text
    assert_harmless(busy.browser("teacher").get("/observations"))


def test_half_a_pair_of_surrogates_is_no_text(busy):
    gradebook = busy.apps["gradebook"]
    for name in ("case_id", "struggle", "teacher_id"):
        body = json.dumps(CASE | {name: "?"}).replace('"?"', '"a\\ud800b"').encode()
        answer = gradebook.post("/v1/cases", content=body, headers={"Content-Type": "application/json"})
        assert answer.status_code == 400
    for raw in (b"%ED%A0%80", b"%FF%FE", b"%C3", b"%00%01"):
        for name in (b"struggle", b"subject", b"once"):
            content = b"form_token=" + busy.browser("teacher").form_token.encode() + b"&" + name + b"=" + raw
            answer = busy.browser("teacher").post(
                "/moments", content=content, headers={"Content-Type": "application/x-www-form-urlencoded"}
            )
            assert_harmless(answer, raw, name)


def test_on_a_database_server_too_what_can_be_no_id_is_an_unknown_one(served_model, tmp_path):
    """PostgreSQL holds no NUL in a text. That is no outage, and nothing that a client could be told apart by."""
    with running_postgres() as server:
        database = Database(engine_for(server.create()))
        upgrade(database)
        school = make_school_app(create_app(Settings(data=tmp_path), served_model, database), database)
        people, ids = {role: school.client_as(role) for role in ("teacher", "coach", "administrator")}, ("%00", "x%00y")
        for who, path in (
            ("teacher", "/moments/{id}"), ("teacher", "/practice/{id}"), ("teacher", "/skills?moment={id}"),
            ("coach", "/coach/moments/{id}"), ("coach", "/coach/practice/{id}"),
            ("coach", "/coach/caseload?after={id}"), ("administrator", "/admin/people/{id}"),
            ("administrator", "/admin/people?after={id}"), ("administrator", "/admin/coaching/{id}/end"),
            ("administrator", "/admin/keys/{id}/revoke"),
        ):  # fmt: skip
            answers = [people[who].get(path.format(id=sent), headers={"X-Request-ID": "r"}) for sent in ids]
            assert {answer.status_code for answer in answers} <= {404, 422}, path
            if "?" not in path:
                unknown = people[who].get(path.format(id=UNKNOWN_ID), headers={"X-Request-ID": "r"})
                assert {answer.text for answer in answers} == {unknown.text}
        sent = {"coach_id": "x\x00y", "teacher_id": "x\x00y", "person_id": "x\x00y"}
        assert people["administrator"].submit("/admin/coaching", sent).status_code == 404
        database.close()
