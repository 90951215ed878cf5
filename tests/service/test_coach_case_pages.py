from __future__ import annotations

import re

import pytest
from page_reading import form, forms, visible
from school_app import STRUGGLE
from shared_moments import SEEN, casework, contest, form_of, open_moment, path_of, ranking_of, reviews, send, skills_of

from service.store.actors import operator, person_actor
from service.store.cases import asked_again, get_case, store_case
from service.store.contests import answer_contest, contests_of
from service.store.export import export_person
from service.store.links import create_link, end_link
from service.store.people import create_person
from service.store.reviews import SkillChange, record_review
from service.store.shares import revoke_case, share_case, share_cycle


@pytest.fixture
def moment(school_app):
    return open_moment(school_app)


@pytest.fixture
def coach(school_app):
    return school_app.client_as("coach")


def test_the_moment_is_shown_as_it_was_shared(school_app, coach, moment):
    page = coach.get(path_of(moment))
    text = visible(page.text)
    assert page.status_code == 200
    assert "Tess Teacher, " in text
    assert STRUGGLE in text
    assert "Middle Science 60 minutes a week" in text
    for suggestion in ranking_of(school_app, moment).suggestions:
        assert suggestion.name in text
    assert "Why this?" in text
    # The choice is the teacher's.
    assert forms(page.text, "/choices") == []


def test_no_percentage_and_no_rubric_code_is_on_the_page(school_app, coach):
    text = visible(coach.get(path_of(open_moment(school_app, observations=SEEN))).text)
    assert "%" not in text
    assert not re.search(r"\b[123][a-f]\b|danielson-2022|probability", text)


def test_what_observers_saw_is_drawn_as_the_ranking_saw_it(school_app, coach, moment):
    assert "What observers saw" not in coach.get(path_of(moment)).text
    page = coach.get(path_of(open_moment(school_app, observations=SEEN))).text
    assert "What observers saw" in page
    assert 'role="img"' in page
    # By our own labels, in the order of the rubric.
    labels = re.findall(r'<th scope="row">(.*?)</th>', page)
    assert labels == [
        "Learning culture",
        "Positive behavior",
        "Purpose and explanation",
        "Questions and discussion",
        "Engagement in the task",
    ]


def test_only_the_coach_it_is_shared_with_sees_a_moment(school_app, coach, moment):
    own, unshared = open_moment(school_app), open_moment(school_app, coaches=())
    assert coach.get(path_of(own)).status_code == 200
    assert coach.get(path_of(unshared)).status_code == 404
    assert coach.get("/coach/moments/01JZZZZZZZZZZZZZZZZZZZZZZZ").status_code == 404
    assert school_app.client_as("other_coach").get(path_of(moment)).status_code == 404
    for who in ("teacher", "administrator", "safeguarding", "outsider"):
        assert school_app.client_as(who).get(path_of(moment)).status_code == 403
    assert school_app.signed_out().get(path_of(moment)).status_code == 303


@pytest.mark.parametrize("way", ["revoke", "unlink"])
def test_taking_it_back_hides_page_and_forms_at_once(school_app, coach, moment, way):
    teacher = school_app.people["teacher"]
    raised = contest(school_app, moment)
    fields = form_of(coach.get(path_of(moment)))
    with school_app.database.write() as session:
        if way == "revoke":
            revoke_case(session, teacher, moment.case_id, school_app.people["coach"].id)
        else:
            end_link(session, teacher, school_app.link_id)
    assert coach.get(path_of(moment)).status_code == 404
    assert coach.post(f"{path_of(moment)}/reviews", data=fields).status_code == 404
    assert coach.submit(f"{path_of(moment)}/contests/{raised}/answer", {"answer": "x"}).status_code == 404
    assert reviews(school_app, moment) == []


def test_a_coach_who_also_teaches_has_no_coachs_page_of_their_own_moment(school_app):
    with school_app.database.write() as session:
        root = operator(session, school_app.tenant_id)
        both = person_actor(
            session, school_app.tenant_id, create_person(session, root, "Bo Both", ["coach", "teacher"])
        )
        create_link(session, root, school_app.people["coach"].id, both.id)
    school_app.people["both"] = both
    opened = open_moment(school_app, "both")
    assert school_app.client_as("coach").get(path_of(opened)).status_code == 200
    assert school_app.client_as("both").get(path_of(opened)).status_code == 404


def test_what_the_teacher_put_aside_and_chose_is_shown_with_the_reason(school_app, coach, moment):
    teacher, work = school_app.people["teacher"], casework(school_app)
    first, second, _ = skills_of(school_app, moment)
    catalogue = school_app.app.state.model.recommender.catalogue
    work.decline(
        teacher, moment.case_id, moment.ranking_id, first, reason="already_do_this", why="Since the spring."
    )  # fmt: skip
    text = visible(coach.get(path_of(moment)).text)
    assert f"Put aside {catalogue[first].name}: they do this already: Since the spring." in text
    focus = work.choose(teacher, moment.case_id, ranking_of(school_app, moment).ranking_id, second)
    assert f"Chose {catalogue[second].name}" in visible(coach.get(path_of(moment)).text)
    link = f'href="/coach/practice/{focus.cycle_id}"'
    assert link not in coach.get(path_of(moment)).text
    with school_app.database.write() as session:
        share_cycle(session, teacher, focus.cycle_id, school_app.people["coach"].id)
    assert link in coach.get(path_of(moment)).text


def test_another_coachs_review_is_shown_without_the_name_of_somebody_unknown(school_app):
    opened = open_moment(school_app, "other_teacher", coaches=("coach", "other_coach"))
    send(school_app.client_as("other_coach"), opened, agree="yes")
    text = visible(school_app.client_as("coach").get(path_of(opened)).text)
    assert "Another coach, " in text
    assert "Cole Coach" not in text
    assert "You, " in visible(school_app.client_as("other_coach").get(path_of(opened)).text)


def test_next_leads_on_after_a_review(school_app, coach, moment):
    other = open_moment(school_app, "other_teacher")
    done = send(coach, moment, agree="yes").headers["location"]
    assert f'<a href="{path_of(other)}">Next moment</a>' in coach.get(done).text
    last = send(coach, other, agree="yes").headers["location"]
    assert "That was the last one to answer." in visible(coach.get(last).text)


def test_an_objection_is_open_to_read_until_it_was_answered_and_folded_after_that(school_app, coach, moment):
    raised = contest(school_app, moment)
    article = rf'<article id="contest-{raised}">\n<{{}}>'
    assert re.search(article.format("h3"), coach.get(path_of(moment)).text)
    answer = coach.submit(f"{path_of(moment)}/contests/{raised}/answer", {"answer": "I see."})
    assert re.search(article.format("h3"), coach.get(answer.headers["location"]).text)
    again = coach.get(path_of(moment)).text
    assert re.search(article.format("details"), again)
    assert "I see." in again


def test_an_objection_is_answered_once_and_the_teacher_reads_it(school_app, coach, moment):
    raised = contest(school_app, moment)
    page = coach.get(path_of(moment))
    assert "That is not what happened." in visible(page.text)
    fields = form(page.text, f"{raised}/answer").fields | {"answer": "You are right. I take it out."}
    answer = coach.post(f"{path_of(moment)}/contests/{raised}/answer", data=fields)
    assert (answer.status_code, answer.headers["location"]) == (303, f"{path_of(moment)}?done=answer")
    page = coach.get(answer.headers["location"])
    assert "Tess Teacher can read your answer now." in visible(page.text)
    assert "You are right. I take it out." in visible(page.text)
    assert forms(page.text, f"{raised}/answer") == []
    assert "You are right. I take it out." in visible(
        school_app.client_as("teacher").get(f"/moments/{moment.case_id}").text
    )


def test_an_answer_that_cannot_be_sent_comes_back_with_what_was_typed(school_app, coach, moment):
    raised = contest(school_app, moment)
    path = f"{path_of(moment)}/contests/{raised}/answer"
    empty = coach.submit(path, {"answer": "  "})
    assert (empty.status_code, "Please write an answer first." in empty.text) == (422, True)
    long = coach.submit(path, {"answer": "x" * 1_001})
    assert (long.status_code, form(long.text, f"{raised}/answer").fields["answer"]) == (422, "x" * 1_001)
    with school_app.database.write() as session:
        answer_contest(session, school_app.people["administrator"], raised, "Done already.")
    late = coach.submit(path, {"answer": "My own words."})
    assert late.status_code == 409
    assert "Done already." in visible(late.text)
    assert form(late.text, f"{raised}/answer").fields["answer"] == "My own words."
    with school_app.database.read() as session:
        (view,) = contests_of(session, school_app.people["teacher"], moment.case_id)
    assert view.answer == "Done already."


def test_an_objection_is_answered_only_under_its_own_moment(school_app, coach, moment):
    other = open_moment(school_app)
    raised = contest(school_app, other)
    assert coach.submit(f"{path_of(moment)}/contests/{raised}/answer", {"answer": "x"}).status_code == 404
    assert coach.submit(f"{path_of(moment)}/contests/nothing/answer", {"answer": "x"}).status_code == 404
    with school_app.database.read() as session:
        assert contests_of(session, school_app.people["teacher"], other.case_id)[0].state == "open"


def test_what_people_wrote_is_shown_as_text(school_app, coach):
    mark = "<img src=x onerror=alert(1)>"
    opened = open_moment(school_app, struggle=f"{mark} The same three students answer every question I ask in class.")
    first = skills_of(school_app, opened)[0]
    send(coach, opened, **{f"change-{first}": "remove", f"why-{first}": mark})
    contest(school_app, opened, mark)
    page = coach.get(path_of(opened)).text
    assert "<img" not in page
    assert page.count("&lt;img src=x") >= 3


def test_a_skill_that_left_the_catalogue_does_not_break_an_old_moment(school_app, coach, moment):
    teacher = school_app.people["teacher"]
    with school_app.database.write() as session:
        view = get_case(session, teacher, moment.case_id)
        ranking = view.rankings[0].ranking
        gone, *rest = ranking.suggestions
        suggestions = [gone.model_copy(update={"skill_id": "no-longer-there", "name": "No longer there"}), *rest]
        old = store_case(
            session, teacher,
            asked_again(view), ranking.model_copy(update={"ranking_id": None, "suggestions": suggestions}),
        )  # fmt: skip
        share_case(session, teacher, old.case_id, school_app.people["coach"].id)
        record_review(
            session, school_app.people["coach"], old.case_id, old.ranking_id, [SkillChange("no-longer-there", "keep")]
        )
    page = coach.get(path_of(old))
    assert page.status_code == 200
    assert "Kept no-longer-there" in visible(page.text)
    assert send(coach, old, agree="yes").status_code == 303


def test_everything_the_page_shows_of_a_teacher_is_in_their_export(school_app, coach):
    opened = open_moment(school_app, observations=SEEN)
    teacher = school_app.people["teacher"]
    first, second, _ = skills_of(school_app, opened)
    casework(school_app).decline(teacher, opened.case_id, opened.ranking_id, first, reason="not_now", why="After May.")
    send(coach, opened, **{f"change-{second}": "remove", f"why-{second}": "They do it well."})
    raised = contest(school_app, opened, "Not in my class.")
    coach.submit(f"{path_of(opened)}/contests/{raised}/answer", {"answer": "Then leave it out."})
    page = coach.get(path_of(opened)).text
    with school_app.database.read() as session:
        export = export_person(session, teacher, teacher.id)
        view = get_case(session, school_app.people["coach"], opened.case_id)
    (case,) = export["cases"]
    told = str(export)
    # Every quote on the page.
    quotes = re.findall(r"<q[^>]*>(.*?)</q>|<blockquote[^>]*>(.*?)</blockquote>", page)
    assert len(quotes) >= 5
    for one, other in quotes:
        assert visible(one or other).rstrip("….").strip() in told
    # Every skill it shows, every reason, what was decided, and the needs that were drawn.
    ranking = view.rankings[-1]
    (shown,) = [each for each in case["rankings"] if each["ranking_id"] == ranking.ranking.ranking_id]
    assert shown["suggestions"] == ranking.ranking.model_dump(mode="json")["suggestions"]
    assert shown["features"]["item_needs"] == ranking.features["item_needs"] != []
    assert [choice["why"] for choice in case["choices"]] == ["After May."]
    assert "They do it well." in [change["why"] for change in case["reviews"][0]["changes"]]
    assert [each["answer"] for each in case["contests"]] == ["Then leave it out."]
    assert case["context"] == view.context
