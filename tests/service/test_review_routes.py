from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from app_caller import Caller, problem

from service.served_model import examples
from service.store.events import events_about
from service.store.reviews import reviews_of
from service.store.shares import revoke_case, share_case

WHY = "Then you see who follows before the lesson is over."


@pytest.fixture
def caller(school_app):
    return Caller(school_app)


@pytest.fixture
def shared(caller, school_app):
    """A case the teacher shares with the coach."""
    opened = caller.opened()
    with school_app.database.write() as session:
        share_case(session, school_app.people["teacher"], opened["case"], school_app.people["coach"].id)
    return opened


def review(caller, opened, key=None, coach="t-coach", changes=None):
    body = {"case": opened["case"], "ranking": opened["ranking"], "coach": coach}
    changes = changes or [{"skill": opened["skill"], "action": "remove", "why": WHY}]
    return caller.send("/v1/reviews", body | {"changes": changes}, key)


def test_a_coachs_word_reaches_the_teacher_and_the_app(caller, school_app, shared):
    changes = [
        {"skill": "exit-tickets", "action": "add", "to_rank": 1, "why": WHY},
        {"skill": shared["skill"], "action": "keep"},
    ]
    made = review(caller, shared, changes=changes)
    assert made.status_code == 201
    [found] = caller.get("/v1/reviews", params={"case": shared["case"]}).json()["items"]
    assert (found["id"], found["coach"], found["ranking"]) == (made.json()["id"], "t-coach", shared["ranking"])
    assert found["changes"] == [changes[0], changes[1] | {"to_rank": None, "why": ""}]
    assert caller.get(f"/v1/cases/{shared['case']}").json()["reviews"] == [found]
    with school_app.database.read() as session:
        [seen] = reviews_of(session, school_app.people["teacher"], shared["case"])
    assert (seen.coach_id, seen.changes[0].why) == (school_app.people["coach"].id, WHY)


def test_the_record_names_the_coach_and_the_app(caller, school_app, shared):
    review(caller, shared)
    teacher = school_app.people["teacher"]
    with school_app.database.read() as session:
        [event] = [e for e in events_about(session, teacher, teacher.id) if e.action == "review.made"]
    assert (event.actor_kind, event.actor_id) == ("person", school_app.people["coach"].id)
    assert event.facts["app"] == "gradebook"


def test_a_coach_who_does_not_see_the_case_cannot_be_named(caller, school_app, shared):
    not_shared = caller.opened()
    for opened, coach in (
        (not_shared, "t-coach"), (shared, "t-other_coach"), (shared, "t-teacher"), (shared, "t-nobody"),
    ):  # fmt: skip
        assert problem(review(caller, opened, coach=coach)) == (404, "not-found")
    with school_app.database.write() as session:
        revoke_case(session, school_app.people["teacher"], shared["case"], school_app.people["coach"].id)
    assert problem(review(caller, shared)) == (404, "not-found")
    assert caller.get("/v1/reviews", params={"case": shared["case"]}).json()["items"] == []


def test_another_app_cannot_speak_about_the_case(school_app, shared):
    other = Caller(school_app, app="planner")
    assert problem(review(other, shared)) == (404, "not-found")
    assert problem(other.get("/v1/reviews", params={"case": shared["case"]})) == (404, "not-found")
    assert problem(review(Caller(school_app, "score", "admin"), shared)) == (403, "forbidden")


def test_a_review_sent_again_is_one_review(caller, school_app, shared):
    with ThreadPoolExecutor(4) as pool:
        ids = set(pool.map(lambda _: review(caller, shared, "r").json()["id"], range(4)))
    assert len(ids) == len(caller.get("/v1/reviews", params={"case": shared["case"]}).json()["items"]) == 1
    other = [{"skill": shared["skill"], "action": "remove", "why": "Another why."}]
    assert problem(review(caller, shared, "r", changes=other)) == (409, "conflict")
    assert problem(caller.open("r")) == (409, "conflict")


def test_two_apps_may_use_the_same_key_for_the_same_coach(caller, school_app, shared):
    planner = Caller(school_app, app="planner")
    opened = planner.opened()
    with school_app.database.write() as session:
        share_case(session, school_app.people["teacher"], opened["case"], school_app.people["coach"].id)
    assert review(caller, shared, "1").status_code == 201
    assert review(planner, opened, "1").status_code == 201


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"action": "remove"}, "changes.0.why"),
        ({"action": "remove", "why": " \n"}, "changes.0.why"),
        ({"action": "keep", "to_rank": 1}, "changes.0.to_rank"),
        ({"action": "move", "why": "x", "to_rank": 0}, "changes.0.to_rank"),
        ({"action": "praise"}, "changes.0.action"),
        ({}, "changes.0.action"),
        ({"action": "remove", "why": "x", "skill": "exit-tickets"}, "change 1"),
        ({"action": "add", "why": "x", "to_rank": 1}, "change 1"),
    ],
)
def test_a_change_that_does_not_fit_is_refused_with_its_place(caller, shared, change, field):
    answer = review(caller, shared, changes=[{"skill": shared["skill"]} | change])
    assert problem(answer) == (422, "invalid-request")
    assert [error["field"] for error in answer.json()["errors"]] == [field]


def test_the_documented_review_runs(caller, shared):
    [example] = examples()["reviews"].values()
    keep = example["changes"][0] | {"skill": shared["skill"]}
    body = example | {"case": shared["case"], "ranking": shared["ranking"], "changes": [keep, *example["changes"][1:]]}
    assert caller.send("/v1/reviews", body).status_code == 201
