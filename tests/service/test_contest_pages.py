from __future__ import annotations

import re

import pytest
from page_reading import form, forms, visible
from school_app import STRUGGLE

from service.store.contests import open_contests


@pytest.fixture
def administrator(school_app):
    return school_app.client_as("administrator")


def object_to(school_app, why, who="teacher"):
    """A teacher's moment with an objection to the whole list; the address of the moment."""
    teacher = school_app.client_as(who)
    sent = form(teacher.get("/moments").text, "/moments").fields | {"struggle": STRUGGLE}
    moment = teacher.post("/moments", data=sent).headers["location"]
    objection = form(teacher.get(moment).text, "/contests").fields | {"about": "list", "why": why}
    assert teacher.post(f"{moment}/contests", data=objection).status_code == 303
    return moment


def test_an_objection_is_answered_and_the_teacher_reads_it(administrator, school_app):
    moment = object_to(school_app, "My students are <i>much</i> older")
    page = administrator.get("/admin/contests").text
    assert "From Tess Teacher" in visible(page)
    assert "About a suggestion: About all of it" in visible(page)
    assert "My students are <i>much</i> older" in visible(page)
    assert "<i>" not in page
    assert STRUGGLE not in page
    sent = form(page, "/answer")
    answer = administrator.post(sent.action, data=sent.fields | {"answer": "Thank you, we look into it"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/admin/contests?done=answered")
    page = visible(administrator.get("/admin/contests?done=answered").text)
    assert "Your answer is sent." in page
    assert "No objection is waiting for an answer." in page
    assert "Thank you, we look into it" in visible(school_app.client_as("teacher").get(moment).text)
    # Somebody else answered it in the meantime.
    assert administrator.post(sent.action, data=sent.fields | {"answer": "Again"}).status_code == 409


def test_an_answer_that_cannot_be_used_is_refused_beside_its_own_box(administrator, school_app):
    object_to(school_app, "First")
    object_to(school_app, "Second", "other_teacher")
    page = administrator.get("/admin/contests").text
    assert page.index("First") < page.index("Second")
    first, second = forms(page, "/answer")
    for typed in ("", "   ", "x" * 4001):
        answer = administrator.post(second.action, data=second.fields | {"answer": typed})
        assert answer.status_code == 422
        assert answer.text.count('class="error" role="alert"') == 1
        assert answer.text.index("Second") < answer.text.index('class="error" role="alert"')
        assert [one.fields["answer"] for one in forms(answer.text, "/answer")] == ["", typed]
    with school_app.database.read() as session:
        assert len(open_contests(session, school_app.people["administrator"]).items) == 2
    assert first.action != second.action


def test_nobody_else_answers_here(school_app):
    object_to(school_app, "It does not fit")
    sent = form(school_app.client_as("administrator").get("/admin/contests").text, "/answer")
    for who in ("teacher", "other_coach", "safeguarding", "outsider"):
        assert school_app.client_as(who).submit(sent.action, {"answer": "Mine"}).status_code == 403
    assert school_app.client_as("administrator").post(sent.action, data={"answer": "Mine"}).status_code == 403


def test_an_objection_that_is_not_there_is_not_found(administrator):
    assert administrator.submit(f"/admin/contests/{'0' * 26}/answer", {"answer": "Hello"}).status_code == 404


def test_each_box_has_a_label_of_its_own(administrator, school_app):
    object_to(school_app, "First")
    object_to(school_app, "Second", "other_teacher")
    page = administrator.get("/admin/contests").text
    assert sorted(re.findall(r'<label for="([^"]+)"', page)) == sorted(re.findall(r'<textarea id="([^"]+)"', page))
    assert len(set(re.findall(r'id="([^"]+)"', page))) == len(re.findall(r'id="([^"]+)"', page))
