from __future__ import annotations

import pytest
from page_reading import form, forms, visible
from school_app import STRUGGLE

from service.store.cases import get_case
from service.store.errors import NotFoundError
from service.store.links import end_link
from service.store.own_cases import own_cases
from service.store.practice import check_ins_of
from service.store.shares import shared_with


@pytest.fixture
def teacher(school_app):
    return school_app.client_as("teacher")


@pytest.fixture
def moment(teacher):
    sent = form(teacher.get("/moments").text, "/moments").fields | {"struggle": STRUGGLE}
    return teacher.post("/moments", data=sent).headers["location"]


def sees(school_app, path, who="coach"):
    with school_app.database.read() as session:
        try:
            return get_case(session, school_app.people[who], path.rpartition("/")[2]).struggle == STRUGGLE
        except NotFoundError:
            return False


def press(browser, path, action):
    """Press the one share button that does this."""
    return browser.post(f"{path}/shares", data=form(browser.get(path).text, "/shares", action=action).fields)


def test_nothing_is_shared_until_the_teacher_shares_it(teacher, moment, school_app):
    text = visible(teacher.get(moment).text)
    assert "Cora Coach does not see this moment." in text
    assert "A coach you share with sees what you wrote" in text
    assert not sees(school_app, moment)


def test_sharing_shows_the_moment_to_that_coach_alone(teacher, moment, school_app):
    answer = press(teacher, moment, "share")
    assert (answer.status_code, answer.headers["location"]) == (303, f"{moment}?done=shared#sharing")
    page = visible(teacher.get(answer.headers["location"]).text)
    assert "It is shared now." in page
    assert "Cora Coach sees this moment." in page
    assert sees(school_app, moment)
    assert not sees(school_app, moment, "other_coach")


def test_stopping_hides_it_at_once(teacher, moment, school_app):
    press(teacher, moment, "share")
    answer = press(teacher, moment, "revoke")
    assert answer.headers["location"] == f"{moment}?done=revoked#sharing"
    assert "Cora Coach does not see this moment." in visible(teacher.get(moment).text)
    assert not sees(school_app, moment)


def test_sharing_twice_and_stopping_twice_change_nothing(teacher, moment, school_app):
    share = form(teacher.get(moment).text, "/shares", action="share").fields
    for action, seen in (("share", True), ("share", True), ("revoke", False), ("revoke", False)):
        assert teacher.post(f"{moment}/shares", data=share | {"action": action}).status_code == 303
        assert sees(school_app, moment) is seen


def test_only_a_linked_coach_can_be_shared_with(teacher, moment, school_app):
    for coach in (school_app.people["other_coach"].id, school_app.people["other_teacher"].id, "", "x"):
        assert teacher.submit(f"{moment}/shares", {"coach": coach, "action": "share"}).status_code == 404
    assert teacher.submit(f"{moment}/shares", {"coach": "x", "action": "give"}).status_code == 422
    with school_app.database.read() as session:
        assert shared_with(session, school_app.people["teacher"], moment.rpartition("/")[2]) == []


def test_without_a_coach_the_page_says_that_nobody_else_sees_it(teacher, moment, school_app):
    with school_app.database.write() as session:
        end_link(session, school_app.people["teacher"], school_app.link_id)
    page = teacher.get(moment).text
    assert "Nobody but you sees this moment." in visible(page)
    assert forms(page, "/shares") == []


@pytest.mark.parametrize("who", ["other_teacher", "outsider"])
def test_nobody_shares_or_deletes_for_another_teacher(school_app, moment, who):
    browser = school_app.client_as(who)
    coach = school_app.people["coach"].id
    for action in ("share", "revoke"):
        assert browser.submit(f"{moment}/shares", {"coach": coach, "action": action}).status_code == 404
    assert browser.submit(f"{moment}/delete").status_code == 404
    assert browser.submit(f"{moment}/delete", {"sure": "yes"}).status_code == 404
    assert sees(school_app, moment, "teacher")


def test_deleting_asks_first_and_says_what_goes(teacher, moment, school_app):
    answer = teacher.post(f"{moment}/delete", data=form(teacher.get(moment).text, "/delete").fields)
    assert answer.status_code == 200
    text = visible(answer.text)
    assert "Delete this moment for good?" in text
    assert "The weeks of practice that began with this moment go as well." in text
    assert f'href="{moment}"' in answer.text
    assert sees(school_app, moment, "teacher")


def test_a_second_yes_deletes_the_moment_with_its_practice(teacher, moment, school_app):
    press(teacher, moment, "share")
    chosen = form(teacher.get(moment).text, "/choices", skill="cold-calling", decision="chosen")
    practice = teacher.post(chosen.action, data=chosen.fields).headers["location"]
    asked = teacher.post(f"{moment}/delete", data=form(teacher.get(moment).text, "/delete").fields)
    answer = teacher.post(f"{moment}/delete", data=form(asked.text, "/delete").fields)
    assert (answer.status_code, answer.headers["location"]) == (303, "/moments?done=deleted")
    assert "The moment is deleted." in teacher.get(answer.headers["location"]).text
    assert teacher.get(moment).status_code == 404
    assert not sees(school_app, moment)
    with school_app.database.read() as session:
        assert own_cases(session, school_app.people["teacher"]).items == []
        with pytest.raises(NotFoundError):
            check_ins_of(session, school_app.people["teacher"], practice.rpartition("/")[2])
    assert "What you practise now" not in teacher.get("/moments").text


def test_a_word_in_the_address_that_no_page_says_is_not_shown(teacher, moment):
    assert "free-money" not in teacher.get(f"{moment}?done=free-money").text
    assert "free-money" not in teacher.get("/moments?done=free-money").text
