"""The routes of what is stored on PostgreSQL, where requests at once are really at once."""

from __future__ import annotations

import itertools
import json
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from app_caller import Caller, problem
from school_app import make_school_app

from service.app import create_app
from service.served_model import examples
from service.settings import Settings
from service.store.database import Database, engine_for
from service.store.schema_version import upgrade

sys.path.insert(0, str(Path(__file__).parents[1] / "store"))
from postgres_server import running_postgres

NUMBERS = itertools.count()


@pytest.fixture(scope="module")
def postgres_school(served_model):
    with running_postgres() as server:
        database = Database(engine_for(server.create()))
        upgrade(database)
        yield make_school_app(create_app(Settings(), served_model, database), database)
        database.close()


@pytest.fixture
def caller(postgres_school):
    """An app of its own for each test: it sees what it sent, and nothing of the tests before."""
    return Caller(postgres_school, "write", "admin", app=f"app-{next(NUMBERS)}")


def at_once(send, times=6):
    with ThreadPoolExecutor(times) as pool:
        return list(pool.map(lambda _: send(), range(times)))


def one(answers):
    """The one answer all of them are."""
    assert len({json.dumps(answer.json(), sort_keys=True) for answer in answers}) == 1
    return answers[0].json()


def test_a_case_sent_many_times_at_once_is_one_case(caller):
    answers = at_once(lambda: caller.open("k"))
    assert sorted(answer.status_code for answer in answers) == [200] * 5 + [201]
    assert [line["id"] for line in caller.get("/v1/cases").json()["items"]] == [one(answers)["id"]]
    assert problem(caller.open("k", top=4)) == (409, "conflict")


def test_a_decline_sent_many_times_at_once_shows_one_ranking(caller):
    opened = caller.opened()
    made = one(at_once(lambda: caller.send("/v1/choices", {"decision": "declined"} | opened, "k")))
    case = caller.get(f"/v1/cases/{opened['case']}").json()
    assert [choice["id"] for choice in case["choices"]] == [made["id"]]
    assert [shown["ranking"]["ranking_id"] for shown in case["rankings"]] == [
        opened["ranking"], made["ranking"]["ranking_id"],
    ]  # fmt: skip


def test_of_skills_declined_at_once_none_comes_back(caller):
    made = caller.open().json()
    skills = [suggestion["skill_id"] for suggestion in made["ranking"]["suggestions"]]
    body = {"decision": "declined", "case": made["id"], "ranking": made["ranking"]["ranking_id"]}
    with ThreadPoolExecutor(3) as pool:
        answers = list(pool.map(lambda skill: caller.send("/v1/choices", body | {"skill": skill}), skills))
    assert {answer.status_code for answer in answers} == {201}
    case = caller.get(f"/v1/cases/{made['id']}").json()
    assert sorted(case["declined"]) == sorted(skills)
    assert not {s["skill_id"] for s in case["rankings"][-1]["ranking"]["suggestions"]} & set(skills)


def test_of_two_skills_taken_at_once_one_begins_and_nothing_of_the_other_is_kept(caller):
    made = caller.open().json()
    body = {"decision": "chosen", "case": made["id"], "ranking": made["ranking"]["ranking_id"]}
    skills = [suggestion["skill_id"] for suggestion in made["ranking"]["suggestions"]]
    with ThreadPoolExecutor(3) as pool:
        answers = list(pool.map(lambda skill: caller.send("/v1/choices", body | {"skill": skill}), skills))
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409]
    [cycle] = caller.get("/v1/cycles").json()["items"]
    assert len(caller.get("/v1/choices", params={"case": made["id"]}).json()["items"]) == 1
    ended = caller.send(f"/v1/cycles/{cycle['id']}/end", {"state": "stopped", "ended_on": "2099-01-01"})
    assert ended.json()["state"] == "stopped"


def test_practice_is_passed_on_once(caller):
    cycle = caller.begun()
    place = f"/v1/cycles/{cycle}"
    for path, kind in (("check-ins", "check_ins"), ("follow-ups", "follow_ups")):
        [example] = examples()[kind].values()
        made = one(at_once(lambda path=path, example=example: caller.send(f"{place}/{path}", example, path)))
        assert [item["id"] for item in caller.get(place).json()[kind]] == [made["id"]]
    tag = caller.get(place).headers["etag"]
    assert caller.get(place, headers={"If-None-Match": tag}).status_code == 304
    caller.send(f"{place}/end", {"state": "finished", "ended_on": "2099-01-01"})


def test_scores_sent_at_once_are_stored_once(caller):
    body = examples()["scores"]["two_items"]
    answers = at_once(lambda: caller.send("/v1/observations", body), 4)
    # Two that store the same new score at the same moment cannot both: one is told to send again.
    assert {answer.status_code for answer in answers} <= {200, 409}
    assert sum(answer.json().get("new", 0) for answer in answers) == 2
    assert caller.send("/v1/observations", body).json()["known"] == 2
    assert caller.post("/v1/norms").json() == {"scores": 2, "items": 2, "observers": 1}


def test_a_list_goes_on_to_its_end(caller):
    made = [caller.open(case_id=f"c{number}").json()["id"] for number in range(3)]
    first = caller.get("/v1/cases", params={"limit": 2}).json()
    rest = caller.get("/v1/cases", params={"limit": 2, "after": first["next"]}).json()
    assert [line["id"] for line in first["items"] + rest["items"]] == made[::-1]


@pytest.mark.parametrize("wrong", ["%00", "x", "01K9ZQ3V7M4T8XN2B6C5D0EFGH"])
def test_what_no_id_can_be_is_not_found(caller, wrong):
    for answer in (
        caller.get(f"/v1/cases/{wrong}"), caller.delete(f"/v1/cases/{wrong}"), caller.get(f"/v1/cycles/{wrong}"),
        caller.get(f"/v1/choices?case={wrong}"), caller.get(f"/v1/reviews?case={wrong}"),
    ):  # fmt: skip
        assert problem(answer) == (404, "not-found")
