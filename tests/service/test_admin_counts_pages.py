from __future__ import annotations

import re
from datetime import timedelta

import pytest
from page_reading import form, visible
from school_app import STRUGGLE

from recommender.cases import Case
from service.pages.admin_counts import count_tables
from service.pages.outcome_rows import out_of_ten, outcome_plot, outcome_rows, signed
from service.store.actors import operator, person_actor
from service.store.cases import store_case
from service.store.choices import record_choice
from service.store.counts import tenant_counts
from service.store.cycles import end_cycle, start_cycle
from service.store.database import utc_now
from service.store.outcomes import OutcomeCell, TenantOutcomes
from service.store.people import create_person, get_tenant
from service.store.practice import add_follow_up

PAGES = [
    "/admin", "/admin/people", "/admin/people/{person}", "/admin/people/{person}/leave", "/admin/coaching/{link}/end",
    "/admin/keys", "/admin/model", "/admin/model/files/reliability.svg", "/admin/use", "/admin/contests",
]  # fmt: skip
# Before the last Monday, whatever the day.
THEN = utc_now() - timedelta(days=14)


@pytest.fixture
def administrator(school_app):
    return school_app.client_as("administrator")


def practise(school_app, served_model, names):
    """Each of these new teachers practised the first skill they were shown: 3 of 10 signs seen before, 6 after."""
    asked = Case.model_validate({"case_id": "m", "struggle": STRUGGLE})
    ranking = served_model.rank(asked)
    with school_app.database.write() as session:
        root = operator(session, school_app.tenant_id)
        for name in names:
            teacher = person_actor(session, root.tenant_id, create_person(session, root, name, ["teacher"]))
            made = store_case(session, teacher, asked, ranking.model_copy(update={"ranking_id": None}), now=THEN)
            choice_id = record_choice(
                session, teacher, made.case_id, made.ranking_id, ranking.suggestions[0].skill_id, "chosen", now=THEN
            )
            cycle_id = start_cycle(session, teacher, made.case_id, choice_id, THEN.date(), now=THEN)
            add_follow_up(session, teacher, cycle_id, "baseline", THEN.date(), 3, 10, now=THEN)
            add_follow_up(session, teacher, cycle_id, "follow_up", THEN.date(), 6, 10, now=THEN)
            end_cycle(session, teacher, cycle_id, "finished", THEN.date(), now=THEN)


def test_nine_teachers_are_no_number_and_ten_are(administrator, school_app, served_model):
    practise(school_app, served_model, [f"T{number}" for number in range(9)])
    page = visible(administrator.get("/admin").text)
    assert "Teachers who wrote about a moment fewer than 10" in page
    assert "Finished not shown" in page
    assert "There is nothing to show yet." in page
    assert " 9 " not in page
    practise(school_app, served_model, ["T9"])
    page = visible(administrator.get("/admin").text)
    assert "Teachers who wrote about a moment 10" in page
    assert "Finished 10" in page
    assert "Chose a skill 10" in page
    assert "Fewer of the signs seen after 0" in page


def test_outcomes_are_told_out_of_ten_signs_with_their_range_in_a_table_and_a_picture(
    administrator, school_app, served_model
):
    practise(school_app, served_model, [f"T{number}" for number in range(10)])
    page = administrator.get("/admin").text
    # All ten changed alike, so the range has no width.
    assert "All skills 10 3.0 6.0 +3.0 +3.0 to +3.0" in visible(page)
    # The dot of the whole school: from -3 to +3 it is at the right end of the axis, and no change in the middle.
    assert page.count("<circle") == 2
    assert 'class="plot-mark" x1="160.0"' in page
    assert 'cx="310.0"' in page
    assert "%" not in visible(page)


def test_numbers_out_of_ten_keep_their_sign():
    assert [signed(value) for value in (0.18, -0.18, 0.0, -0.001)] == ["+1.8", "−1.8", "0.0", "0.0"]
    assert out_of_ten(0.5) == "5.0"


def test_a_group_that_is_too_small_has_no_row_and_no_dot():
    outcomes = TenantOutcomes(
        THEN,
        OutcomeCell(12, 0.3, 0.6, 0.3, 0.1, 0.5),
        {"b": OutcomeCell(None), "a": OutcomeCell(0), "c": OutcomeCell(10, 0.4, 0.3, -0.1, -0.2, 0.0)},
    )
    rows = outcome_rows(outcomes, {"c": "Third"})
    assert [(row.label, row.change, row.low, row.high) for row in rows] == [
        ("All skills", "+3.0", "+1.0", "+5.0"), ("Third", "−1.0", "−2.0", "0.0"),
    ]  # fmt: skip
    plot = outcome_plot(outcomes, {"c": "Third"})
    assert [row.label for row in plot.rows] == ["All skills", "Third"]
    assert outcome_plot(TenantOutcomes(THEN, OutcomeCell(None), {}), {}) is None


def test_how_many_teachers_got_a_safeguarding_answer_is_not_even_counted_on_the_page(school_app):
    with school_app.database.read() as session:
        tables = count_tables(tenant_counts(session, school_app.people["administrator"]))
    assert len(tables) == 5
    assert "afeguarding" not in str(tables)


def test_the_safeguarding_contact_is_changed_and_the_help_page_names_it(administrator, school_app):
    sent = form(administrator.get("/admin").text, "/contact").fields
    assert sent["contact"] == "Sal Safe, room 12"
    answer = administrator.post("/admin/contact", data=sent | {"contact": "  Ms. Duty,   room 3 "})
    assert (answer.status_code, answer.headers["location"]) == (303, "/admin?done=contact")
    assert "The safeguarding contact is saved." in visible(administrator.get("/admin?done=contact").text)
    assert "Ms. Duty, room 3" in visible(school_app.client_as("teacher").get("/help").text)
    administrator.post("/admin/contact", data=sent | {"contact": ""})
    assert "Nobody is set, so they see: your school's safeguarding lead" in visible(administrator.get("/admin").text)


def test_a_contact_that_cannot_be_used_is_refused_and_kept_in_the_box(administrator, school_app):
    answer = administrator.submit("/admin/contact", {"contact": "x"})
    assert answer.status_code == 422
    assert re.search(r'id="contact-error" class="error" role="alert"', answer.text)
    assert 'aria-describedby="contact-error contact-hint"' in answer.text
    assert form(answer.text, "/contact").fields["contact"] == "x"
    with school_app.database.read() as session:
        assert get_tenant(session, school_app.people["administrator"]).safeguarding_contact == "Sal Safe, room 12"


def test_the_time_that_words_are_kept_is_changed_and_the_notice_says_it(administrator, school_app):
    assert administrator.submit("/admin/retention", {"months": "6"}).status_code == 303
    assert form(administrator.get("/admin").text, "/retention").fields["months"] == "6"
    assert "after your weeks of practice end: 6." in visible(school_app.client_as("teacher").get("/notice").text)
    administrator.submit("/admin/retention", {"months": ""})
    assert "after your weeks of practice end: 12." in visible(school_app.client_as("teacher").get("/notice").text)


def test_a_time_that_cannot_be_used_is_refused_and_kept_in_the_box(administrator, school_app):
    for months in ("0", "121", "-1", "six", "1.5", "<b>"):
        answer = administrator.submit("/admin/retention", {"months": months})
        assert answer.status_code == 422, months
        assert form(answer.text, "/retention").fields["months"] == months
        assert "<b>" not in answer.text
    with school_app.database.read() as session:
        assert get_tenant(session, school_app.people["administrator"]).retention_months is None


def test_only_what_the_page_itself_says_was_done_is_said(administrator):
    assert "alert(1)" not in administrator.get("/admin?done=<script>alert(1)</script>").text


def test_a_form_without_the_sessions_token_changes_nothing(administrator):
    for path in ("/admin/contact", "/admin/retention"):
        assert administrator.post(path, data={"contact": "Ms. Duty", "months": "6"}).status_code == 403
    assert "Sal Safe, room 12" in administrator.get("/admin").text


@pytest.mark.parametrize("who", ["teacher", "coach", "safeguarding", "outsider"])
def test_administration_is_for_administrators(school_app, who):
    for path in PAGES:
        path = path.format(person=school_app.people["teacher"].id, link=school_app.link_id)
        assert school_app.client_as(who).get(path).status_code == 403, path
        assert school_app.signed_out().get(path).headers["location"] == "/sign-in"


def test_an_administrator_finds_no_word_of_a_moment_on_any_page(administrator, school_app):
    marker = "xylophonic"
    teacher = school_app.client_as("teacher")
    sent = form(teacher.get("/moments").text, "/moments").fields
    answer = teacher.post("/moments", data=sent | {"struggle": f"The {marker} group is loud. " + STRUGGLE})
    moment = answer.headers["location"]
    assert marker in teacher.get(moment).text
    objection = form(teacher.get(moment).text, "/contests").fields | {"why": "It does not fit"}
    assert teacher.post(f"{moment}/contests", data=objection).status_code == 303
    case_id = moment.rpartition("/")[2]
    for path in [*PAGES, "/notice", "/help", "/"]:
        path = path.format(person=school_app.people["teacher"].id, link=school_app.link_id)
        page = administrator.get(path)
        assert page.status_code in (200, 303), path
        assert marker not in page.text
        assert case_id not in page.text
    assert "It does not fit" in administrator.get("/admin/contests").text
    assert administrator.get(moment).status_code == 403
