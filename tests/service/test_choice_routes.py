from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor

import pytest
from app_caller import Caller, problem

from service.served_model import examples
from service.store.events import events_about


@pytest.fixture
def caller(school_app):
    return Caller(school_app)


@pytest.fixture
def opened(caller):
    return caller.opened()


def choose(caller, opened, decision="chosen", key=None, **fields):
    return caller.send("/v1/choices", {"decision": decision} | opened | fields, key)


def test_a_skill_that_is_taken_begins_its_weeks_of_practice(caller, opened):
    made = choose(caller, opened, weeks=4)
    assert made.status_code == 201
    assert set(made.json()) == {"id", "cycle"}
    cycle = caller.get(f"/v1/cycles/{made.json()['cycle']}").json()
    assert (cycle["case"], cycle["skill"], cycle["weeks"], cycle["state"]) == (
        opened["case"], opened["skill"], 4, "open",
    )  # fmt: skip
    [choice] = caller.get("/v1/choices", params={"case": opened["case"]}).json()["items"]
    assert (choice["id"], choice["decision"], choice["rank"]) == (made.json()["id"], "chosen", 1)
    assert (choice["skill"], choice["ranking"]) == (opened["skill"], opened["ranking"])


def test_a_skill_that_is_declined_is_answered_with_a_ranking_without_it(caller, opened):
    made = choose(caller, opened, "declined", reason="already_do_this", why="Mr. Bellweather does it with us daily.")
    assert made.status_code == 201
    assert set(made.json()) == {"id", "ranking"}
    ranking = made.json()["ranking"]
    assert opened["skill"] not in [suggestion["skill_id"] for suggestion in ranking["suggestions"]]
    assert len(ranking["suggestions"]) == 3
    case = caller.get(f"/v1/cases/{opened['case']}").json()
    assert [shown["ranking"]["ranking_id"] for shown in case["rankings"]] == [opened["ranking"], ranking["ranking_id"]]
    assert case["declined"] == [opened["skill"]]
    assert case["choices"][0]["reason"] == "already_do_this"
    assert "Bellweather" not in json.dumps(case)
    assert case["choices"] == caller.get("/v1/choices", params={"case": opened["case"]}).json()["items"]


def test_a_decline_sent_again_is_answered_with_the_same_ranking_whatever_came_between(caller, opened):
    first = choose(caller, opened, "declined", "d1")
    second_skill = first.json()["ranking"]["suggestions"][0]["skill_id"]
    later = choose(caller, opened | {"skill": second_skill}, "declined", "d2").json()
    assert later["ranking"]["ranking_id"] != first.json()["ranking"]["ranking_id"]
    assert choose(caller, opened, "declined", "d1").json() == first.json()
    assert len(caller.get(f"/v1/cases/{opened['case']}").json()["rankings"]) == 3


def test_the_same_decline_many_times_at_once_shows_one_ranking(caller, opened):
    with ThreadPoolExecutor(5) as pool:
        answers = list(pool.map(lambda _: choose(caller, opened, "declined", "d"), range(5)))
    assert {answer.status_code for answer in answers} == {201}
    assert len({json.dumps(answer.json(), sort_keys=True) for answer in answers}) == 1
    case = caller.get(f"/v1/cases/{opened['case']}").json()
    assert (len(case["rankings"]), len(case["choices"])) == (2, 1)


def test_of_two_skills_declined_at_once_neither_comes_back(caller):
    made = caller.open().json()
    ask = {"case": made["id"], "ranking": made["ranking"]["ranking_id"]}
    skills = [suggestion["skill_id"] for suggestion in made["ranking"]["suggestions"]]
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(lambda skill: choose(caller, ask | {"skill": skill}, "declined"), skills))
    case = caller.get(f"/v1/cases/{made['id']}").json()
    assert sorted(case["declined"]) == sorted(skills)
    latest = {suggestion["skill_id"] for suggestion in case["rankings"][-1]["ranking"]["suggestions"]}
    assert not latest & set(skills)


def test_a_choice_sent_again_is_the_same_and_another_under_its_key_is_refused(caller, opened):
    first = choose(caller, opened, key="k", weeks=4)
    assert choose(caller, opened, key="k", weeks=4).json() == first.json()
    for other in ({"weeks": 5}, {"weeks": 0}, {"skill": "exit-tickets", "weeks": 4}):
        assert problem(choose(caller, opened | other, key="k")) == (409, "conflict")
    assert problem(choose(caller, opened, "declined", key="k")) == (409, "conflict")
    assert len(caller.get("/v1/cycles").json()["items"]) == 1


def test_a_choice_sent_many_times_at_once_begins_one_cycle(caller, opened):
    with ThreadPoolExecutor(5) as pool:
        answers = list(pool.map(lambda _: choose(caller, opened, key="k").json(), range(5)))
    assert all(answer == answers[0] for answer in answers)
    assert len(caller.get("/v1/cycles").json()["items"]) == 1


def test_a_second_focus_waits_for_the_end_of_the_first_and_nothing_of_it_is_kept(caller, opened):
    choose(caller, opened)
    other = caller.opened()
    assert problem(choose(caller, other)) == (409, "conflict")
    assert caller.get("/v1/choices", params={"case": other["case"]}).json()["items"] == []


def test_nobody_chooses_for_a_teacher_the_tenant_does_not_have(caller):
    assert problem(choose(caller, caller.opened(teacher_id="t-nobody"))) == (403, "forbidden")


def test_cases_and_rankings_of_others_are_not_found(caller, school_app, opened):
    other = Caller(school_app, app="planner")
    assert problem(choose(other, opened)) == (404, "not-found")
    assert problem(other.get("/v1/choices", params={"case": opened["case"]})) == (404, "not-found")
    assert problem(choose(caller, opened | {"ranking": caller.opened()["ranking"]})) == (404, "not-found")
    assert problem(caller.get("/v1/choices?case=%00")) == (404, "not-found")
    assert problem(caller.get("/v1/choices")) == (422, "invalid-parameter")
    assert problem(choose(Caller(school_app, "score"), opened)) == (403, "forbidden")


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"decision": "maybe"}, {"decision": "one of 'chosen', 'declined'"}),
        ({"decision": None}, {"decision": "one of 'chosen', 'declined'"}),
        ({"weeks": 27}, {"weeks": "less than or equal to 26"}),
        ({"weeks": "4"}, {"weeks": "a valid integer"}),
        ({"why": "Marker"}, {"why": "only the documented fields"}),
        ({"Marker": 1}, {"the whole body": "only the documented fields"}),
        ({"skill": "Marker"}, {"skill": "no such skill in the catalogue; `growth skills` lists them"}),
        ({"decision": "declined", "reason": "Marker"}, {"reason": None}),
    ],
)
def test_a_choice_that_cannot_be_is_refused_by_field_without_a_word_of_it(caller, opened, fields, wrong):
    answer = choose(caller, opened | fields)
    assert problem(answer) == (422, "invalid-request")
    found = {error["field"]: error["wanted"] for error in answer.json()["errors"]}
    assert found.keys() == wrong.keys()
    assert all(wanted in (None, found[field]) for field, wanted in wrong.items())
    assert "Marker" not in answer.text


def test_a_body_that_does_not_say_what_was_decided_is_told_to(caller, opened):
    answer = caller.send("/v1/choices", opened)
    assert answer.json()["errors"] == [{"field": "decision", "wanted": "a value"}]


@pytest.mark.parametrize("name", examples()["choices"].keys())
def test_every_documented_choice_runs(caller, opened, name):
    example = examples()["choices"][name] | {"case": opened["case"], "ranking": opened["ranking"]}
    assert caller.send("/v1/choices", example).status_code == 201


def test_the_record_says_that_an_app_passed_it_on(caller, school_app, opened):
    choose(caller, opened)
    teacher = school_app.people["teacher"]
    with school_app.database.read() as session:
        made = [e for e in events_about(session, teacher, teacher.id) if e.action == "choice.made"]
    assert [(event.actor_kind, event.actor_id) for event in made] == [("app", "gradebook")]
