"""An id of somebody else's is an unknown id: the same answer to the byte, and nothing happens."""

from __future__ import annotations

import pytest
from asked_routes import ASKED, OF_EVERYBODY, Asked
from busy_school import BusySchool
from guarded_school import UNKNOWN_ID, changed, routes_of, school_in, tables

BY_PATH = [asked for asked in ASKED if asked.ids]
# Ids of somebody else in a field of one's own request: the field, who asks, whose id it is.
IN_FIELDS = (
    ("POST /moments/{case_id}/choices", "ranking", "teacher", "unlinked_ranking"),
    ("POST /moments/{case_id}/choices", "ranking", "teacher", "unshared_ranking"),
    ("POST /moments/{case_id}/contests", "ranking", "teacher", "unlinked_ranking"),
    ("POST /moments/{case_id}/shares", "coach", "teacher", "other_coach"),
    ("POST /moments/{case_id}/shares", "coach", "teacher", "outside_coach"),
    ("POST /moments/{case_id}/shares", "coach", "teacher", "administrator"),
    ("POST /practice/{cycle_id}/shares", "coach", "teacher", "other_coach"),
    ("POST /practice/{cycle_id}/shares", "coach", "teacher", "outside_coach"),
    ("POST /admin/coaching", "coach_id", "administrator", "outside_coach"),
    ("POST /admin/coaching", "coach_id", "administrator", "teacher"),
    ("POST /v1/choices", "case", "gradebook", "moment"),
    ("POST /v1/choices", "case", "planner", "sent"),
    ("POST /v1/choices", "case", "outside_gradebook", "sent"),
    ("POST /v1/choices", "ranking", "gradebook", "moment_ranking"),
    ("POST /v1/choices", "ranking", "gradebook", "sent_for_practice_ranking"),
    ("POST /v1/reviews", "case", "gradebook", "moment"),
    ("POST /v1/reviews", "case", "planner", "sent"),
    ("POST /v1/reviews", "case", "outside_gradebook", "sent"),
    ("POST /v1/reviews", "ranking", "gradebook", "moment_ranking"),
    ("POST /v1/cycles", "choice", "gradebook", "moment_choice"),
    ("POST /v1/cycles", "choice", "planner", "sent_choice"),
    ("POST /v1/cycles", "choice", "outside_gradebook", "sent_choice"),
)
# The same in the address.
IN_QUERIES = (
    ("/skills?moment={id}", "other_teacher", "moment"),
    ("/skills/wait-time?moment={id}", "other_teacher", "moment"),
    ("/skills/wait-time?moment={id}", "coach_and_teacher", "moment"),
    ("/skills/wait-time?moment={id}", "outsider", "moment"),
    ("/admin/people?after={id}", "outside_administrator", "teacher"),
    ("/v1/choices?case={id}", "gradebook", "moment"),
    ("/v1/choices?case={id}", "planner", "sent"),
    ("/v1/choices?case={id}", "outside_gradebook", "sent"),
    ("/v1/reviews?case={id}", "gradebook", "moment"),
    ("/v1/reviews?case={id}", "planner", "sent"),
    ("/v1/reviews?case={id}", "outside_gradebook", "sent"),
)
ONE_REQUEST = {"X-Request-ID": "the-same"}


@pytest.fixture(scope="module")
def busy(school_template, served_model, tmp_path_factory):
    with school_in(tmp_path_factory.mktemp("ids"), school_template, served_model) as school:
        yield BusySchool(school)


def shown(answer):
    return answer.status_code, answer.text, sorted(answer.headers.items())


def test_every_route_with_an_id_is_tried(busy):
    with_ids = {name for name in routes_of(busy.school.app) if "{" in name}
    tried = {asked.route for asked in BY_PATH if asked.wrong}
    missing = sorted(with_ids - tried - set(OF_EVERYBODY))
    assert not missing, f"Add to tests/service/asked_routes.py who must not ask for these, or why all may: {missing}"
    assert tried | set(OF_EVERYBODY) <= with_ids


@pytest.mark.parametrize("asked", BY_PATH, ids=lambda asked: asked.route)
def test_somebody_elses_id_in_the_path_is_an_unknown_one(busy, asked: Asked):
    before = tables(busy.school.database)
    for who, ids in asked.wrong:
        # What a form holds can be known to whoever saw the row once.
        content = asked.content(busy)
        foreign = asked.send(busy, who, asked.path(busy, ids), content, headers=ONE_REQUEST)
        unknown = asked.send(busy, who, asked.path(busy, unknown=UNKNOWN_ID), content, headers=ONE_REQUEST)
        assert foreign.status_code == 404, (who, ids)
        assert shown(foreign) == shown(unknown), (who, ids)
    assert changed(before, tables(busy.school.database)) == []


@pytest.mark.parametrize(("route", "name", "who", "foreign_id"), IN_FIELDS)
def test_somebody_elses_id_in_a_field_is_an_unknown_one(busy, route, name, who, foreign_id):
    asked = next(asked for asked in ASKED if asked.route == route)
    before = tables(busy.school.database)
    answers = [
        asked.send(busy, who, asked.path(busy), asked.content(busy) | {name: sent}, headers=ONE_REQUEST)
        for sent in (busy.ids[foreign_id], UNKNOWN_ID)
    ]
    assert answers[0].status_code == 404
    assert shown(answers[0]) == shown(answers[1])
    assert changed(before, tables(busy.school.database)) == []


def test_a_review_of_another_moment_cannot_be_contested_and_a_coach_of_another_school_cannot_review(busy):
    before = tables(busy.school.database)
    contest = next(asked for asked in ASKED if asked.route == "POST /moments/{case_id}/contests")
    for about in (f"review:{busy.ids['unlinked_contest']}", f"review:{UNKNOWN_ID}"):
        sent = contest.content(busy) | {"about": about}
        assert contest.send(busy, "teacher", contest.path(busy), sent).status_code == 404
    review = next(asked for asked in ASKED if asked.route == "POST /v1/reviews")
    answers = [
        review.send(busy, "gradebook", "/v1/reviews", review.content(busy) | {"coach": coach}, headers=ONE_REQUEST)
        for coach in ("x-outside_coach", "t-other_coach", "t-teacher", "x-nobody")
    ]
    assert {answer.status_code for answer in answers} == {404}
    assert len({answer.text for answer in answers}) == 1
    assert changed(before, tables(busy.school.database)) == []


@pytest.mark.parametrize(("address", "who", "foreign_id"), IN_QUERIES)
def test_somebody_elses_id_in_the_address_is_an_unknown_one(busy, address, who, foreign_id):
    client = busy.apps[who] if who in busy.apps else busy.browser(who)
    answers = [client.get(address.format(id=sent), headers=ONE_REQUEST) for sent in (busy.ids[foreign_id], UNKNOWN_ID)]
    assert answers[0].status_code in {404, 422}
    assert shown(answers[0]) == shown(answers[1])


def test_lists_hold_nothing_of_anybody_else(busy):
    """What is in the lists, the export and the pages of people who are not linked names no row of the teacher's."""
    ids = busy.ids
    of_teacher = {ids[name] for name in ("moment", "unshared", "revoked", "cycle", "unshared_cycle", "contest")}
    pages = {
        "other_teacher": ("/moments", "/practice", "/observations", "/my-data", "/my-data/export"),
        "outsider": ("/moments", "/practice", "/observations", "/my-data", "/my-data/export"),
        "other_coach": ("/coach", "/coach/caseload", "/my-data", "/my-data/export"),
        "outside_coach": ("/coach", "/coach/caseload", "/my-data/export"),
        "outside_administrator": ("/admin", "/admin/people", "/admin/contests", "/admin/keys", "/admin/use"),
        "outside_lead": ("/safeguarding", "/my-data/export"),
        "planner": ("/v1/cases", "/v1/cycles"),
        "outside_gradebook": ("/v1/cases", "/v1/cycles"),
    }
    for who, paths in pages.items():
        client = busy.apps[who] if who in busy.apps else busy.browser(who)
        for path in paths:
            answer = client.get(path)
            assert answer.status_code == 200, (who, path)
            assert not [one for one in (*of_teacher, "Tess Teacher") if one in answer.text], (who, path)
    shared = busy.browser("coach").get("/coach").text + busy.browser("coach").get("/coach/caseload").text
    assert ids["moment"] in shared
    hidden = ("unshared", "revoked", "unlinked", "unshared_cycle", "revoked_cycle", "unlinked_cycle")
    assert not [name for name in hidden if ids[name] in shared]


@pytest.mark.parametrize("asked", ASKED, ids=lambda asked: asked.route)
def test_the_right_one_is_answered(busy, asked: Asked):
    """Otherwise the refusals above would say nothing. In the order of the list."""
    answer = asked.send(busy, asked.who, asked.path(busy))
    assert answer.status_code in {200, 201, 204, 303}, answer.text
