from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import date

import pytest
from app_caller import Caller, problem

from service.served_model import examples
from service.store.practice import add_check_in, check_ins_of, follow_ups_of
from service.store.shares import share_cycle

CHECK_IN = {"happened_on": "2026-11-06", "times_tried": 3, "note": "It went well."}
LOOK = {"phase": "baseline", "observed_on": "2026-11-03", "seen": 1, "looked_for": 4}


@pytest.fixture
def caller(school_app):
    return Caller(school_app)


@pytest.fixture
def place(caller):
    """Where a cycle of the teacher's is."""
    return f"/v1/cycles/{caller.begun()}"


def waiting(caller):
    """A choice whose practice has not begun."""
    return caller.send("/v1/choices", {"decision": "chosen", "weeks": 0} | caller.opened()).json()


def test_practice_of_a_chosen_skill_can_begin_later(caller):
    choice = waiting(caller)
    assert choice["cycle"] is None
    made = caller.send("/v1/cycles", {"choice": choice["id"], "started_on": "2026-11-09", "weeks": 4})
    assert made.status_code == 201
    cycle = caller.get(made.headers["location"]).json()
    assert (cycle["id"], cycle["started_on"], cycle["planned_end"]) == (made.json()["id"], "2026-11-09", "2026-12-07")
    assert (cycle["check_ins"], cycle["follow_ups"]) == ([], [])


def test_a_cycle_sent_again_is_one_cycle_and_a_second_one_waits(caller):
    body = {"choice": waiting(caller)["id"], "started_on": "2026-11-09"}
    with ThreadPoolExecutor(4) as pool:
        ids = {answer.json()["id"] for answer in pool.map(lambda _: caller.send("/v1/cycles", body, "c"), range(4))}
    assert len(ids) == 1
    assert problem(caller.send("/v1/cycles", body | {"weeks": 5}, "c")) == (409, "conflict")
    assert problem(caller.send("/v1/cycles", body)) == (409, "conflict")
    [cycle_id] = ids
    end = caller.send(f"/v1/cycles/{cycle_id}/end", {"state": "stopped", "ended_on": "2026-11-20"})
    assert end.status_code == 200
    assert caller.send("/v1/cycles", body | {"started_on": "2026-11-23"}).status_code == 201


def test_a_skill_that_was_declined_begins_nothing(caller):
    declined = caller.send("/v1/choices", {"decision": "declined"} | caller.opened()).json()
    answer = caller.send("/v1/cycles", {"choice": declined["id"], "started_on": "2026-11-09"})
    assert problem(answer) == (409, "conflict")


def test_what_an_app_passes_on_is_the_teachers_word(caller, school_app, place):
    check_in = caller.send(f"{place}/check-ins", CHECK_IN)
    look = caller.send(f"{place}/follow-ups", LOOK)
    assert (check_in.status_code, look.status_code) == (201, 201)
    cycle = caller.get(place).json()
    assert cycle["check_ins"] == [CHECK_IN | {"id": check_in.json()["id"], "by": "teacher"}]
    assert cycle["follow_ups"] == [LOOK | {"id": look.json()["id"], "by": "teacher", "note": None}]
    teacher = school_app.people["teacher"]
    with school_app.database.read() as session:
        assert check_ins_of(session, teacher, cycle["id"])[0].person_id == teacher.id
        assert follow_ups_of(session, teacher, cycle["id"])[0].observer_id == teacher.id


def test_what_a_coach_adds_is_told_apart(caller, school_app, place):
    cycle_id, coach = place.rpartition("/")[2], school_app.people["coach"]
    with school_app.database.write() as session:
        share_cycle(session, school_app.people["teacher"], cycle_id, coach.id)
        add_check_in(session, coach, cycle_id, date(2026, 11, 5), 1)
    assert [check_in["by"] for check_in in caller.get(place).json()["check_ins"]] == ["coach"]


@pytest.mark.parametrize(
    ("path", "body", "other"), [("check-ins", CHECK_IN, {"times_tried": 4}), ("follow-ups", LOOK, {"seen": 2})]
)
def test_what_is_passed_on_twice_is_one(caller, place, path, body, other):
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: caller.send(f"{place}/{path}", body, "k"), range(4)))
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert problem(caller.send(f"{place}/{path}", body | other, "k")) == (409, "conflict")
    assert len(caller.get(place).json()[path.replace("-", "_")]) == 1


def test_a_cycle_ends_once_and_not_before_it_began(caller, place):
    early = caller.send(f"{place}/end", {"state": "finished", "ended_on": "2001-01-01"})
    assert problem(early) == (422, "invalid-request")
    ended = caller.send(f"{place}/end", {"state": "finished", "ended_on": "2099-12-31"})
    assert (ended.status_code, ended.json()["state"], ended.json()["ended_on"]) == (200, "finished", "2099-12-31")
    again = caller.send(f"{place}/end", {"state": "stopped", "ended_on": "2099-12-31"})
    assert again.json() == ended.json()


def test_a_state_of_a_cycle_the_app_has_is_not_sent_again(caller, place):
    tag = caller.get(place).headers["etag"]
    assert caller.get(place, headers={"If-None-Match": tag}).status_code == 304
    caller.send(f"{place}/check-ins", CHECK_IN)
    assert caller.get(place, headers={"If-None-Match": tag}).status_code == 200


def test_the_list_goes_on_to_its_end(caller):
    made = []
    for number in range(3):
        made.append(caller.begun(case_id=f"c{number}"))
        caller.send(f"/v1/cycles/{made[-1]}/end", {"state": "stopped", "ended_on": "2099-01-01"})
    first = caller.get("/v1/cycles", params={"limit": 2}).json()
    rest = caller.get("/v1/cycles", params={"limit": 2, "after": first["next"]}).json()
    assert [cycle["id"] for cycle in first["items"] + rest["items"]] == made[::-1]
    assert rest["next"] is None


def test_cycles_of_another_app_are_not_found(caller, school_app, place):
    other = Caller(school_app, app="planner")
    choice = waiting(other)
    assert problem(caller.send("/v1/cycles", {"choice": choice["id"], "started_on": "2026-11-09"})) == (
        404, "not-found",
    )  # fmt: skip
    assert other.get("/v1/cycles").json()["items"] == []
    for answer in (
        other.get(place),
        other.send(f"{place}/check-ins", CHECK_IN),
        other.send(f"{place}/follow-ups", LOOK),
        other.send(f"{place}/end", {"state": "stopped", "ended_on": "2099-01-01"}),
    ):
        assert problem(answer) == (404, "not-found")
    assert problem(Caller(school_app, "score").send(f"{place}/check-ins", CHECK_IN)) == (403, "forbidden")


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("check-ins", CHECK_IN | {"times_tried": 101}, "times_tried"),
        ("check-ins", CHECK_IN | {"happened_on": "1999-12-31"}, "happened_on"),
        ("check-ins", CHECK_IN | {"happened_on": "2026-02-29"}, "happened_on"),
        ("check-ins", CHECK_IN | {"happened_on": "2026-11-06\n"}, "happened_on"),
        ("check-ins", CHECK_IN | {"note": "x" * 4_001}, "note"),
        ("follow-ups", LOOK | {"seen": 5}, "body"),
        ("follow-ups", LOOK | {"looked_for": 11}, "looked_for"),
        ("follow-ups", LOOK | {"phase": "after"}, "phase"),
        ("end", {"state": "open", "ended_on": "2026-12-01"}, "state"),
    ],
)
def test_what_cannot_be_is_refused_by_field(caller, place, path, body, field):
    answer = caller.send(f"{place}/{path}", body)
    assert problem(answer) == (422, "invalid-request")
    assert [error["field"] for error in answer.json()["errors"]] == [field]


def test_the_leap_day_is_a_day(caller, place):
    assert caller.send(f"{place}/check-ins", CHECK_IN | {"happened_on": "2028-02-29"}).status_code == 201


def test_every_documented_body_about_practice_runs(caller):
    [cycle] = examples()["cycles"].values()
    made = caller.send("/v1/cycles", cycle | {"choice": waiting(caller)["id"]})
    place = made.headers["location"]
    for kind, path in (("check_ins", "check-ins"), ("follow_ups", "follow-ups"), ("ends", "end")):
        for example in examples()[kind].values():
            assert caller.send(f"{place}/{path}", example).status_code in (200, 201)
    assert caller.get(place).json()["state"] == "finished"
