from __future__ import annotations

import pytest
from page_reading import form, forms, visible

from service.pages.consents import own_switches, tenant_switches
from service.pages.strings import page_strings
from service.store.consents import consents_of, give_consent, scopes_in_force

MINE, SCHOOLS = "/my-data/consent", "/admin/consent"


@pytest.fixture
def teacher(school_app):
    return school_app.client_as("teacher")


@pytest.fixture
def administrator(school_app):
    return school_app.client_as("administrator")


def in_force(school_app, who, **of):
    with school_app.database.read() as session:
        return set(scopes_in_force(consents_of(session, school_app.people[who], **of)))


def press(browser, page, path, scope):
    """Press the one button of a scope, and go where it leads."""
    asked = form(browser.get(page).text, path, scope=scope)
    answer = browser.post(asked.action, data=asked.fields)
    assert answer.status_code == 303
    return visible(browser.get(answer.headers["location"].partition("#")[0]).text)


def test_everything_is_off_until_somebody_says_yes(teacher, school_app):
    page = teacher.get("/my-data").text
    offered = forms(page, MINE)
    assert [(f.fields["scope"], f.fields["action"]) for f in offered] == [("decisions", "give")]
    text = visible(page)
    assert "Help the suggestions get better (your choice)" in text
    assert "Your school has not said yes so far." in text
    assert text.count("You have not said yes.") == 1
    assert page_strings()["my_data"]["consent"]["first"] in text
    assert in_force(school_app, "teacher") == set()


def test_a_teacher_says_yes_to_choices_then_to_words_and_takes_both_back(teacher, school_app):
    assert "Thank you. You can change this at any time." in press(teacher, "/my-data", MINE, "decisions")
    assert in_force(school_app, "teacher") == {"decisions"}
    press(teacher, "/my-data", MINE, "words")
    assert in_force(school_app, "teacher") == {"decisions", "words"}
    text = visible(teacher.get("/my-data").text)
    assert text.count("You said yes on") == 2
    assert "You said yes to using words to make the suggestions better." in text
    assert "From now on this part of yours is not used." in press(teacher, "/my-data", MINE, "words")
    assert in_force(school_app, "teacher") == {"decisions"}
    press(teacher, "/my-data", MINE, "words")
    press(teacher, "/my-data", MINE, "decisions")
    assert in_force(school_app, "teacher") == set()
    assert in_force(school_app, "other_teacher") == set()


def test_a_coach_is_asked_about_reviews_and_never_about_words(school_app):
    coach = school_app.client_as("coach")
    assert [f.fields["scope"] for f in forms(coach.get("/my-data").text, MINE)] == ["decisions"]
    press(coach, "/my-data", MINE, "decisions")
    assert in_force(school_app, "coach") == {"decisions"}
    assert coach.submit(MINE, {"scope": "words", "action": "give"}).status_code == 403
    assert in_force(school_app, "coach") == {"decisions"}


@pytest.mark.parametrize("who", ["administrator", "safeguarding"])
def test_who_has_nothing_to_give_is_not_asked(school_app, who):
    browser = school_app.client_as(who)
    page = browser.get("/my-data")
    assert forms(page.text, MINE) == []
    assert "your choice" not in visible(page.text)
    assert browser.submit(MINE, {"scope": "decisions", "action": "give"}).status_code == 403


def test_an_administrator_says_yes_for_the_school_and_people_read_it(administrator, teacher, school_app):
    page = visible(administrator.get("/admin").text)
    assert "Your yes alone uses nothing. Each teacher and each coach says yes or no for themselves" in page
    assert "Your school has not said yes. Nothing of it is used." in page
    assert "Your school says yes to this now." in press(administrator, "/admin", SCHOOLS, "decisions")
    assert in_force(school_app, "teacher", of_tenant=True) == {"decisions"}
    assert "It has not said yes to words." in visible(teacher.get("/my-data").text)
    press(administrator, "/admin", SCHOOLS, "words")
    assert "Your school has said yes to choices, reviews and words." in visible(teacher.get("/my-data").text)
    # The school's yes is nobody's own.
    assert in_force(school_app, "teacher") == in_force(school_app, "administrator") == set()
    assert "UTC Ada Administrator Said yes to learning from use" in visible(administrator.get("/admin/use").text)
    press(administrator, "/admin", SCHOOLS, "decisions")
    assert in_force(school_app, "teacher", of_tenant=True) == set()
    assert "Took back the yes to learning from use" in visible(administrator.get("/admin/use").text)


def test_an_administrator_is_not_told_who_said_yes(administrator, school_app):
    paths = ("/admin", "/admin/use", "/admin/people", f"/admin/people/{school_app.people['teacher'].id}")

    def told():
        return [visible(administrator.get(path).text) for path in paths]

    before = told()
    with school_app.database.write() as session:
        give_consent(session, school_app.people["teacher"], "decisions")
    assert told() == before


@pytest.mark.parametrize("who", ["teacher", "coach", "safeguarding", "outsider"])
def test_only_an_administrator_speaks_for_the_school(school_app, who):
    answer = school_app.client_as(who).submit(SCHOOLS, {"scope": "decisions", "action": "give"})
    assert answer.status_code == 403
    assert in_force(school_app, "administrator", of_tenant=True) == set()


def test_words_first_is_a_conflict_and_what_is_none_of_the_choices_changes_nothing(teacher, school_app):
    assert teacher.submit(MINE, {"scope": "words", "action": "give"}).status_code == 409
    for fields in ({"scope": "all", "action": "give"}, {"scope": "decisions", "action": "x"}, {}):
        assert teacher.submit(MINE, fields).status_code == 400
    assert "alert(1)" not in teacher.get("/my-data?done=<script>alert(1)</script>").text
    assert in_force(school_app, "teacher") == set()


def test_pressing_twice_is_pressing_once(teacher, school_app):
    fields = {"scope": "decisions", "action": "give"}
    assert [teacher.submit(MINE, fields).status_code for _ in range(2)] == [303, 303]
    with school_app.database.read() as session:
        assert len(consents_of(session, school_app.people["teacher"])) == 1


def test_a_switch_says_since_when_and_whether_another_comes_first(school_app):
    with school_app.database.write() as session:
        me, head = school_app.people["teacher"], school_app.people["administrator"]
        assert [(s.scope, s.since, s.waits) for s in own_switches(session, me)] == [
            ("decisions", None, False), ("words", None, True),
        ]  # fmt: skip
        give_consent(session, me, "decisions")
        (first, second) = own_switches(session, me)
        assert first.since is not None
        assert (second.since, second.waits) == (None, False)
        assert own_switches(session, head) == []
        assert [switch.waits for switch in tenant_switches(session, head)] == [False, True]
