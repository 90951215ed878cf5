from __future__ import annotations

import re

import pytest
from page_reading import form, forms, visible
from school_app import Browser

from service.store.actors import operator
from service.store.directory import people_as, people_by_name
from service.store.events import events_about
from service.store.links import list_links
from service.store.people import create_person, get_person


@pytest.fixture
def administrator(school_app):
    return school_app.client_as("administrator")


def path_of(school_app, who, end=""):
    return f"/admin/people/{school_app.people[who].id}{end}"


def test_people_are_listed_by_name_with_what_they_do_here(administrator):
    page = visible(administrator.get("/admin/people").text)
    names = re.findall(r"(Ada Administrator|Cole Coach|Cora Coach|Omar Other|Sal Safe|Tess Teacher) \w+", page)
    assert names[-6:] == ["Ada Administrator", "Cole Coach", "Cora Coach", "Omar Other", "Sal Safe", "Tess Teacher"]
    assert "Sal Safe Safeguarding lead Here" in page
    assert "Olga Outsider" not in page


def test_a_long_list_goes_on_behind_its_last_name(administrator, school_app):
    with school_app.database.write() as session:
        for number in range(60):
            create_person(session, operator(session, school_app.tenant_id), f"N{number:02}", ["teacher"])
    first = administrator.get("/admin/people").text
    second = administrator.get(re.search(r'href="(/admin/people\?after=[^"]+)"', first)[1]).text
    listed = re.findall(r'<th scope="row"><a href="/admin/people/\w+">([^<]+)</a>', first + second)
    assert len(listed) == 66
    assert listed == sorted(listed)
    assert administrator.get("/admin/people?after=nobody").status_code == 422


def test_somebody_is_added_and_shown(administrator, school_app):
    fields = {"name": "  Nia   New ", "role": ["teacher", "coach"], "email": "Nia@school.example", "external_id": "t-9"}
    answer = administrator.submit("/admin/people", fields)
    assert answer.status_code == 303
    page = visible(administrator.get(answer.headers["location"]).text)
    assert "The person is added." in page
    assert "Nia New" in page
    assert "Coach, Teacher E-mail nia@school.example Id in files and apps t-9" in page


REFUSED = [
    ({"name": "", "role": "teacher"}, "Please give a name"),
    ({"name": "x" * 201, "role": "teacher"}, "Please give a name"),
    ({"name": "Nia New"}, "Please tick at least one"),
    ({"name": "Nia New", "role": "owner"}, "Please tick at least one"),
    ({"name": "Nia New", "role": "coach", "email": "nia"}, "This is not an e-mail address"),
    ({"name": "Nia New", "role": "coach", "external_id": "x" * 201}, "Please give an id"),
    ({"name": "Nia New", "role": "coach", "external_id": "t-teacher"}, "has this e-mail or this id already"),
]


def test_somebody_who_cannot_be_added_is_refused_and_all_that_was_typed_is_kept(administrator, school_app):
    for fields, said in REFUSED:
        answer = administrator.submit("/admin/people", fields)
        assert answer.status_code == 422, said
        (alert,) = re.findall(r'role="alert">([^<]+)<', answer.text)
        assert said in alert
        sent = form(answer.text, "/admin/people").fields
        assert {name: sent.get(name) for name in fields if name != "role"} == {
            name: value for name, value in fields.items() if name != "role"
        }
        assert sent.get("role") == (fields.get("role") if fields.get("role") != "owner" else None)
    with school_app.database.read() as session:
        assert len(people_by_name(session, school_app.people["administrator"]).items) == 6


def test_a_sign_in_link_is_shown_once_works_once_and_is_in_no_log(administrator, school_app, log_lines):
    answer = administrator.submit(path_of(school_app, "coach", "/sign-in-links"))
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    secret = re.search(r"http://127\.0\.0\.1:8000/sign-in/link\?token=([\w-]{43})<", answer.text)[1]
    assert re.search(r"It works once, until \d+ \w+ \d{4}, \d\d:\d\d UTC\.", visible(answer.text))
    for path in ("/admin/people", path_of(school_app, "coach"), "/admin/use"):
        assert secret not in administrator.get(path).text
    browser = Browser(school_app.app)
    assert browser.post("/sign-in/link", data={"token": secret}).status_code == 303
    assert browser.get("/coach").status_code == 200
    assert Browser(school_app.app).post("/sign-in/link", data={"token": secret}).status_code != 303
    assert secret not in log_lines.getvalue()
    assert "Cora Coach" in visible(administrator.get("/admin/use").text)
    with school_app.database.read() as session:
        coach = school_app.people["coach"]
        assert "sign_in.link_issued" in [event.action for event in events_about(session, coach, coach.id)]


def test_leaving_is_asked_once_more_then_signs_out_and_ends_the_links(administrator, school_app):
    coach = school_app.client_as("coach")
    assert coach.get("/coach").status_code == 200
    asked = administrator.get(path_of(school_app, "coach", "/leave"))
    assert "Mark as left: Cora Coach" in visible(asked.text)
    assert coach.get("/coach").status_code == 200
    sent = form(asked.text, "/leave")
    answer = administrator.post(sent.action, data=sent.fields)
    assert answer.headers["location"] == path_of(school_app, "coach", "?done=left")
    assert coach.get("/coach").headers["location"] == "/sign-in"
    page = administrator.get(path_of(school_app, "coach")).text
    assert "This person has left" in visible(page)
    assert [one.action for one in forms(page, "")] == ["/sign-out"]
    assert administrator.submit(path_of(school_app, "coach", "/sign-in-links")).status_code == 404
    with school_app.database.read() as session:
        assert [link.coach_id for link in list_links(session, school_app.people["administrator"])] == [
            school_app.people["other_coach"].id
        ]
        assert "Cora Coach" not in str(people_as(session, school_app.people["administrator"], "coach"))


def test_an_administrator_cannot_lock_themselves_out(administrator, school_app):
    page = administrator.get(path_of(school_app, "administrator")).text
    assert "/leave" not in page
    answer = administrator.submit(path_of(school_app, "administrator", "/leave"))
    assert answer.status_code == 422
    assert "You cannot mark yourself as left." in visible(answer.text)
    assert administrator.get("/admin").status_code == 200


def test_a_lost_device_is_signed_out(administrator, school_app):
    teacher = school_app.client_as("teacher")
    assert teacher.get("/moments").status_code == 200
    answer = administrator.submit(path_of(school_app, "teacher", "/sign-out"))
    assert answer.headers["location"] == path_of(school_app, "teacher", "?done=signed_out")
    assert teacher.get("/moments").headers["location"] == "/sign-in"


def test_a_coach_and_a_teacher_are_linked_from_the_page_of_either(administrator, school_app):
    teacher = path_of(school_app, "teacher")
    sent = form(administrator.get(teacher).text, "/admin/coaching")
    # The coach of the link that is there already is not offered again.
    assert sent.options["coach_id"] == ["", school_app.people["other_coach"].id]
    answer = administrator.post(sent.action, data=sent.fields | {"coach_id": school_app.people["other_coach"].id})
    assert answer.headers["location"] == f"{teacher}?done=paired"
    page = visible(administrator.get(teacher).text)
    assert page.index("Coached by Cole Coach") < page.index("Coached by Cora Coach")
    assert "Coach of Tess Teacher" in visible(administrator.get(path_of(school_app, "other_coach")).text)


def test_no_choice_and_two_who_are_linked_already_are_said(administrator, school_app):
    coach, teacher = (school_app.people[who].id for who in ("coach", "teacher"))
    none = administrator.submit("/admin/coaching", {"person_id": teacher, "teacher_id": teacher, "coach_id": ""})
    assert (none.status_code, "Please choose a name from the list." in none.text) == (422, True)
    twice = administrator.submit("/admin/coaching", {"person_id": coach, "teacher_id": teacher, "coach_id": coach})
    assert (twice.status_code, "These two are linked already." in twice.text) == (422, True)


def test_ending_a_link_is_asked_once_more_and_hides_at_once(administrator, school_app):
    asked = administrator.get(f"/admin/coaching/{school_app.link_id}/end")
    assert "End this link: Cora Coach and Tess Teacher" in visible(asked.text)
    sent = form(asked.text, "/end")
    answer = administrator.post(sent.action, data=sent.fields)
    assert answer.headers["location"] == path_of(school_app, "teacher", "?done=unpaired")
    assert "Coached by" not in visible(administrator.get(path_of(school_app, "teacher")).text)
    assert administrator.post(sent.action, data=sent.fields).status_code == 404
    assert administrator.get(sent.action).status_code == 404


def test_another_tenants_person_is_nobody_here_and_nothing_can_be_done_to_them(administrator, school_app):
    outsider = school_app.client_as("outsider")
    for end in ("", "/leave"):
        assert administrator.get(path_of(school_app, "outsider", end)).status_code == 404
        assert administrator.get(f"/admin/people/{'0' * 26}{end}").status_code == 404
    for end in ("/sign-in-links", "/sign-out", "/leave"):
        assert administrator.submit(path_of(school_app, "outsider", end)).status_code == 404
    assert outsider.get("/moments").status_code == 200
    with school_app.database.read() as session:
        there = school_app.people["outsider"]
        assert not get_person(session, there, there.id).has_left


def test_another_tenants_person_cannot_be_linked(administrator, school_app):
    coach, outsider = (school_app.people[who].id for who in ("coach", "outsider"))
    fields = {"person_id": coach, "coach_id": coach, "teacher_id": outsider}
    assert administrator.submit("/admin/coaching", fields).status_code == 404
    assert administrator.submit("/admin/coaching", fields | {"person_id": outsider}).status_code == 404
    assert administrator.submit("/admin/coaching", fields | {"person_id": "x"}).status_code == 404


def test_only_an_administrator_keeps_people_and_only_with_the_forms_token(school_app):
    fields = {"name": "Nia New", "role": "administrator"}
    someone = path_of(school_app, "other_teacher")
    for path in (
        "/admin/people",
        "/admin/coaching",
        *(someone + end for end in ("/sign-in-links", "/sign-out", "/leave")),
    ):
        for who in ("teacher", "coach", "safeguarding"):
            assert school_app.client_as(who).submit(path, fields).status_code == 403, path
        assert school_app.client_as("administrator").post(path, data=fields).status_code == 403, path
    with school_app.database.read() as session:
        people = people_by_name(session, school_app.people["administrator"]).items
    assert len(people) == 6
    assert not any(person.has_left for person in people)


def test_a_name_with_markup_in_it_stays_a_name(administrator):
    answer = administrator.submit("/admin/people", {"name": "<b>Nia</b>", "role": "coach"})
    assert "<b>Nia" not in administrator.get(answer.headers["location"]).text
    assert "<b>Nia" not in administrator.get("/admin/people").text
