from __future__ import annotations

import json
import re
from concurrent.futures import ThreadPoolExecutor

import pytest
from app_caller import CASE, Caller, problem
from school_app import STRUGGLE

from recommender.cases import INTENDED_USE, Ranking
from service.served_model import examples
from service.store.database import utc_now
from service.store.keys import create_key, list_keys, revoke_key
from service.store.shares import share_case

ULID = re.compile(r"[0-9A-HJKMNP-TV-Z]{26}")


@pytest.fixture
def caller(school_app):
    return Caller(school_app)


def test_a_case_is_ranked_kept_and_found_where_the_answer_says(caller):
    made = caller.open()
    assert made.status_code == 201
    ranking = Ranking.model_validate_json(json.dumps(made.json()["ranking"]))
    assert ranking.status == "ranked" and len(ranking.suggestions) == 3
    assert ranking.intended_use == INTENDED_USE
    assert ULID.fullmatch(made.json()["id"])
    found = caller.get(made.headers["location"])
    body = found.json()
    assert (body["id"], body["case_id"], body["teacher_id"]) == (made.json()["id"], "c1", "t-teacher")
    assert body["struggle"] == STRUGGLE
    assert body["context"]["subject"] == "science"
    assert [shown["ranking"] for shown in body["rankings"]] == [made.json()["ranking"]]
    assert (body["choices"], body["reviews"]) == ([], [])
    assert body["intended_use"] == INTENDED_USE


@pytest.mark.parametrize("name", examples()["cases"].keys())
def test_every_documented_case_can_be_stored(caller, name):
    assert caller.post("/v1/cases", json=examples()["cases"][name]).status_code == 201


def test_names_are_out_of_what_is_kept_and_of_what_is_answered(caller):
    made = caller.open(struggle="Mr. Marcus Bellweather and the same three hands every time I ask anything at all.")
    text = caller.get(made.headers["location"]).text
    assert "Bellweather" not in text + made.text
    assert "[name]" in text


def test_a_case_about_somebodys_safety_is_answered_with_the_contact_and_its_words_are_not_kept(caller):
    words = "A student told me that her stepfather hits her at home and that she is afraid to go back tonight."
    made = caller.open(struggle=words)
    assert made.json()["ranking"]["status"] == "safeguarding"
    assert "Sal Safe" in made.json()["ranking"]["message"]
    assert caller.get(made.headers["location"]).json()["struggle"] is None
    first, again = caller.open("k", struggle=words), caller.open("k", struggle=words)
    assert (again.status_code, again.json()) == (200, first.json())


def test_a_teacher_nobody_knows_is_not_named_again(caller):
    made = caller.open(teacher_id="t-nobody")
    assert caller.get(made.headers["location"]).json()["teacher_id"] is None


def test_the_same_request_again_is_answered_the_same_and_stores_nothing(caller):
    first, second = caller.open("k1"), caller.open("k1")
    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json() == second.json()
    assert first.headers["location"] == second.headers["location"]
    assert len(caller.get("/v1/cases").json()["items"]) == 1
    assert problem(caller.open("k1", top=4)) == (409, "conflict")
    assert caller.open().status_code == 201


def test_the_same_request_many_times_at_once_stores_one_case(caller):
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda _: caller.open("at-once"), range(6)))
    assert sorted(answer.status_code for answer in answers) == [200] * 5 + [201]
    assert len({json.dumps(answer.json(), sort_keys=True) for answer in answers}) == 1
    assert len(caller.get("/v1/cases").json()["items"]) == 1


@pytest.mark.parametrize("key", ["x" * 101, "two words", ""])
def test_a_key_that_cannot_be_one_is_refused_by_name(caller, key):
    answer = caller.post("/v1/cases", json=CASE, headers={"Idempotency-Key": key})
    assert problem(answer) == (422, "invalid-parameter")
    assert answer.json()["errors"][0]["field"] == "Idempotency-Key"


def test_another_app_of_the_school_sees_nothing_of_it(caller, school_app):
    made = caller.open("k1")
    other = Caller(school_app, app="planner")
    assert problem(other.get(made.headers["location"])) == (404, "not-found")
    assert problem(other.delete(made.headers["location"])) == (404, "not-found")
    assert other.get("/v1/cases").json()["items"] == []
    assert other.open("k1").status_code == 201
    assert Caller(school_app, app="gradebook").get(made.headers["location"]).status_code == 200


@pytest.mark.parametrize("wrong", ["01K9ZQ3V7M4T8XN2B6C5D0EFGH", "x", "%00", "01K9ZQ3V7M4T8XN2B6C5D0EFGH%0A"])
def test_an_id_of_nothing_is_not_found_whatever_it_looks_like(caller, wrong):
    expected = {**caller.get("/v1/cases/01K9ZQ3V7M4T8XN2B6C5D0EFGJ").json(), "instance": None}
    for answer in (caller.get(f"/v1/cases/{wrong}"), caller.delete(f"/v1/cases/{wrong}")):
        assert {**answer.json(), "instance": None} == expected


def test_a_deleted_case_is_gone(caller):
    made = caller.open()
    assert caller.delete(made.headers["location"]).status_code == 204
    assert problem(caller.get(made.headers["location"])) == (404, "not-found")
    assert problem(caller.delete(made.headers["location"])) == (404, "not-found")


def test_a_list_goes_on_to_its_end_without_a_case_twice(caller):
    made = [caller.open(case_id=f"c{number}").json()["id"] for number in range(5)]
    seen, after = [], {}
    while True:
        part = caller.get("/v1/cases", params={"limit": 2} | after).json()
        assert part["intended_use"] == INTENDED_USE
        seen += [line["id"] for line in part["items"]]
        if part["next"] is None:
            break
        # Pasted into an address as it is.
        assert re.fullmatch("[0-9A-Z]+", part["next"])
        after = {"after": part["next"]}
    assert seen == made[::-1]


@pytest.mark.parametrize("query", ["limit=0", "limit=201", "limit=x", "after=x", "after=" + "0" * 41])
def test_a_part_of_a_list_nobody_can_have_is_refused_by_parameter(caller, query):
    answer = caller.get(f"/v1/cases?{query}")
    assert problem(answer) == (422, "invalid-parameter")
    assert answer.json()["errors"][0]["field"] == query.split("=")[0]


def test_a_state_the_app_has_is_not_sent_again_until_something_changes(caller, school_app):
    made = caller.open()
    place, case_id = made.headers["location"], made.json()["id"]
    first = caller.get(place)
    tag = first.headers["etag"]
    for sent in (tag, f'"other", W/{tag}', "*"):
        again = caller.get(place, headers={"If-None-Match": sent})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    assert caller.get(place, headers={"If-None-Match": '"other"'}).status_code == 200
    ranking = made.json()["ranking"]
    choice = {"decision": "declined", "case": case_id, "ranking": ranking["ranking_id"]}
    caller.post("/v1/choices", json=choice | {"skill": ranking["suggestions"][0]["skill_id"]})
    changed = caller.get(place, headers={"If-None-Match": tag})
    assert changed.status_code == 200 and changed.headers["etag"] != tag


@pytest.mark.parametrize(
    "path", ["/v1/skills", "/v1/skills?domain=checking-feedback", "/v1/skills/cold-calling", "/v1/model"]
)
def test_catalogue_and_model_are_sent_once_a_version(client, path):
    first = client.get(path)
    assert client.get(path, headers={"If-None-Match": first.headers["etag"]}).status_code == 304
    assert client.get(path, headers={"If-None-Match": '"x"'}).json() == first.json()


def test_a_stored_case_wants_a_stored_key_on_this_machine_too(school_app, caller):
    anybody = school_app.signed_out()
    anybody.headers["accept"] = "*/*"
    for answer in (anybody.get("/v1/cases"), anybody.post("/v1/cases", json=CASE)):
        assert problem(answer) == (401, "unauthorized")
        assert answer.headers["www-authenticate"].startswith("Bearer")
    assert problem(anybody.get("/v1/cases", headers={"authorization": "Bearer gr_x"})) == (401, "unauthorized")


@pytest.mark.parametrize("scopes", [("score",), ("admin",), ("score", "admin")])
def test_a_key_without_the_scope_is_told_so(school_app, scopes):
    assert problem(Caller(school_app, *scopes).open()) == (403, "forbidden")


def test_a_key_that_has_ended_opens_nothing(school_app):
    database, administrator = school_app.database, school_app.people["administrator"]
    past = utc_now().replace(year=utc_now().year - 2)
    with database.write() as session:
        old = create_key(session, administrator, "gradebook", ["write"], days=1, now=past)
        new = create_key(session, administrator, "gradebook", ["write"])
    assert problem(Caller(school_app, key=old.secret).open()) == (401, "unauthorized")
    caller = Caller(school_app, key=new.secret)
    assert caller.open().status_code == 201
    with database.write() as session:
        revoke_key(session, administrator, list_keys(session, administrator)[-1].id)
    assert problem(caller.open()) == (401, "unauthorized")


def test_a_refused_case_names_the_field_and_repeats_no_word(caller, log_lines):
    answer = caller.open(struggle="Marker words", diary="Marker words", top=0)
    assert problem(answer) == (422, "invalid-case")
    assert [error["field"] for error in answer.json()["errors"]] == ["top", "the whole case"]
    assert problem(caller.post("/v1/cases", content=b"{"))[0] in (400, 415)
    caller.open(struggle="Marker words of a case that is stored and of no other.")
    assert "Marker" not in answer.text + log_lines.getvalue()


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PUT", "/v1/cases", "GET, POST"),
        ("POST", "/v1/cases/01K9ZQ3V7M4T8XN2B6C5D0EFGH", "DELETE, GET"),
        ("DELETE", "/v1/skills", "GET"),
    ],
)
def test_a_method_that_is_not_taken_is_answered_with_all_that_are(caller, method, path, allowed):
    answer = caller.request(method, path)
    assert problem(answer) == (405, "method-not-allowed")
    assert answer.headers["allow"] == allowed


def test_what_a_teacher_shares_of_an_apps_case_is_the_teachers_to_say(caller, school_app):
    case_id = caller.open().json()["id"]
    teacher, coach = school_app.people["teacher"], school_app.people["coach"]
    with school_app.database.write() as session:
        share_case(session, teacher, case_id, coach.id)
    assert caller.get(f"/v1/cases/{case_id}").status_code == 200
    assert caller.post(f"/v1/cases/{case_id}/shares", json={}).status_code == 404
