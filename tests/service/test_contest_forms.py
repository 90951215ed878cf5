from __future__ import annotations

import pytest
from page_reading import form, forms, visible
from school_app import STRUGGLE

from service.pages.contest_forms import About, read_about
from service.store.cases import get_case
from service.store.contests import answer_contest, contests_of, open_contests
from service.store.reviews import SkillChange, record_review
from service.store.shares import share_case


@pytest.fixture
def teacher(school_app):
    return school_app.client_as("teacher")


@pytest.fixture
def moment(teacher):
    sent = form(teacher.get("/moments").text, "/moments").fields | {"struggle": STRUGGLE}
    return teacher.post("/moments", data=sent).headers["location"]


def contest(browser, path, **fields):
    return browser.post(f"{path}/contests", data=form(browser.get(path).text, "/contests").fields | fields)


def contests(school_app, path):
    with school_app.database.read() as session:
        return contests_of(session, school_app.people["teacher"], path.rpartition("/")[2])


def test_the_form_says_who_reads_it(teacher, moment):
    text = visible(teacher.get(moment).text)
    assert "A person reads this and answers you here." in text
    assert "They do not see your moment." in text


def test_a_skill_can_be_called_wrong_and_the_answer_is_read_on_the_same_page(teacher, moment, school_app):
    offered = form(teacher.get(moment).text, "/contests").options["about"]
    answer = contest(teacher, moment, about=offered[1], why="I asked for something in maths")
    assert (answer.status_code, answer.headers["location"]) == (303, f"{moment}?done=contested#contests")
    (raised,) = contests(school_app, moment)
    assert (raised.about, f"skill:{raised.skill_id}", raised.why) == (
        "suggestion", offered[1], "I asked for something in maths",
    )  # fmt: skip
    page = visible(teacher.get(answer.headers["location"]).text)
    assert "Somebody will read this" in page
    assert "Waiting for an answer." in page
    administrator = school_app.people["administrator"]
    with school_app.database.write() as session:
        (line,) = open_contests(session, administrator).items
        assert STRUGGLE not in repr(line)
        answer_contest(session, administrator, line.id, "You are right, thank you")
    page = visible(teacher.get(moment).text)
    assert "Ada Administrator answered on" in page
    assert "You are right, thank you" in page
    assert "Waiting for an answer." not in page


def test_the_list_as_a_whole_and_a_review_can_be_called_wrong(teacher, moment, school_app):
    coach, case_id = school_app.people["coach"], moment.rpartition("/")[2]
    with school_app.database.write() as session:
        share_case(session, school_app.people["teacher"], case_id, coach.id)
        ranking_id = get_case(session, coach, case_id).rankings[-1].ranking.ranking_id
        review_id = record_review(
            session, coach, case_id, ranking_id, [SkillChange("cold-calling", "remove", why="Too hard")]
        )
    contest(teacher, moment, about="list", why="None of it fits")
    contest(teacher, moment, about=f"review:{review_id}", why="It is not too hard")
    whole, of_review = contests(school_app, moment)
    assert (whole.about, whole.about_id, whole.skill_id) == ("suggestion", ranking_id, None)
    assert (of_review.about, of_review.about_id) == ("review", review_id)
    assert "What Cora Coach said, " in visible(teacher.get(moment).text)


def test_a_form_sent_twice_is_one_contest(teacher, moment, school_app):
    sent = form(teacher.get(moment).text, "/contests").fields | {"why": "It does not fit"}
    for _ in range(2):
        assert teacher.post(f"{moment}/contests", data=sent).status_code == 303
    assert len(contests(school_app, moment)) == 1


@pytest.mark.parametrize(
    ("why", "said"), [("", "Please write why"), (" \n", "Please write why"), ("a" * 1_001, "longer than 1,000")]
)
def test_a_why_that_cannot_be_used_is_explained_beside_it_and_stays(teacher, moment, school_app, why, said):
    offered = form(teacher.get(moment).text, "/contests").options["about"]
    answer = contest(teacher, moment, about=offered[2], why=why)
    assert answer.status_code == 422
    assert said in visible(answer.text)
    assert 'role="alert"' in answer.text
    again = form(answer.text, "/contests").fields
    assert (again["about"], again["why"].strip()) == (offered[2], why.strip())
    assert contests(school_app, moment) == []


def test_what_the_page_does_not_offer_is_refused(teacher, moment, school_app):
    for about, status in {"": 422, "teacher": 422, "skill:": 422, "skill:wait-time": 422, "review:x": 404}.items():
        assert contest(teacher, moment, about=about, why="Because").status_code == status
    assert contests(school_app, moment) == []


def test_a_list_of_another_moment_is_not_this_ones_to_contest(teacher, moment, school_app):
    sent = form(teacher.get("/moments").text, "/moments").fields | {"struggle": STRUGGLE}
    other = teacher.post("/moments", data=sent).headers["location"]
    foreign = form(teacher.get(other).text, "/contests").fields["ranking"]
    assert contest(teacher, moment, about="list", ranking=foreign, why="Because").status_code == 404
    assert contests(school_app, moment) == []


@pytest.mark.parametrize("who", ["other_teacher", "outsider"])
def test_nobody_contests_for_another_teacher(school_app, moment, who):
    sent = {"about": "list", "ranking": "x", "why": "Because"}
    assert school_app.client_as(who).submit(f"{moment}/contests", sent).status_code == 404
    assert contests(school_app, moment) == []


def test_words_are_shown_as_text_and_never_run(teacher, moment):
    contest(teacher, moment, why="<script>alert(1)</script>")
    page = teacher.get(moment).text
    assert "<script>alert" not in page
    assert "&lt;script&gt;" in page


def test_where_nothing_was_suggested_there_is_nothing_to_contest(teacher):
    sent = form(teacher.get("/moments").text, "/moments").fields | {"struggle": "Bad day."}
    path = teacher.post("/moments", data=sent).headers["location"]
    assert forms(teacher.get(path).text, "/contests") == []


def test_the_choice_is_read_as_it_is_written():
    assert read_about("list", "k") == About("suggestion", "k", None)
    assert read_about("skill:wait-time", "k") == About("suggestion", "k", "wait-time")
    assert read_about("review:r", "k") == About("review", "r", None)
    for other in ("", "list:x", "teacher", "skill", "skill:", "review", "review:", "SKILL:wait-time"):
        assert read_about(other, "k") is None
