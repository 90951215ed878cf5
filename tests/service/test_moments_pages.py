from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from page_reading import form, visible
from school_app import STRUGGLE
from stored_scores import add_scores

from recommender.cases import INTENDED_USE
from service.served_model import ServedModel
from service.settings import Settings
from service.store.actors import operator, person_actor
from service.store.cases import get_case
from service.store.drafts import read_draft, save_draft
from service.store.links import create_link
from service.store.own_cases import own_cases
from service.store.people import create_person
from service.store.shares import share_case

HTMX = {"hx-request": "true"}
NAMED = "Every time I ask, Maria Lopez calls out the answer and nobody else gets a turn. Phone 555-123-4567."


@pytest.fixture
def teacher(school_app):
    return school_app.client_as("teacher")


def box(page):
    return form(page, "/moments").fields


def send(browser, **fields):
    """Fill in the box as it stands on the page and send it."""
    return browser.post("/moments", data=box(browser.get("/moments").text) | {"struggle": STRUGGLE} | fields)


def cases(school_app, who="teacher"):
    with school_app.database.read() as session:
        return own_cases(session, school_app.people[who]).items


def test_the_page_says_how_long_it_takes_asks_one_question_and_warns_about_names(teacher):
    text = visible(teacher.get("/moments").text)
    assert "About 2 minutes" in text
    assert "Think of a moment this week that did not go as planned." in text
    assert "leave out names" in text
    assert INTENDED_USE in text


def test_a_moment_that_is_sent_is_kept_and_leads_to_its_own_page(teacher, school_app):
    answer = send(teacher, grade_band="middle", subject="science", minutes="30")
    (line,) = cases(school_app)
    assert (answer.status_code, answer.headers["location"]) == (303, f"/moments/{line.id}")
    assert line.struggle == STRUGGLE
    assert line.context["grade_band"] == "middle"
    assert line.context["subject"] == "science"
    assert (line.context["minutes_per_week"], line.context["fit_minutes"]) == (30, True)


@pytest.mark.parametrize(
    ("text", "said"), [("", "write a few words"), ("  \n", "write a few words"), ("a" * 4_001, "longer than 4,000")]
)
def test_a_box_that_cannot_be_used_is_explained_and_everything_typed_stays(teacher, school_app, text, said):
    answer = send(teacher, struggle=text, grade_band="high", subject="music", minutes="45")
    assert answer.status_code == 422
    assert said in visible(answer.text)
    assert 'role="alert"' in answer.text
    kept = box(answer.text)
    assert (kept["struggle"].strip(), kept["grade_band"], kept["subject"], kept["minutes"]) == (
        text.strip(), "high", "music", "45",
    )  # fmt: skip
    assert cases(school_app) == []


def test_a_form_sent_twice_is_one_moment_and_an_edited_one_is_another(teacher, school_app):
    fields = box(teacher.get("/moments").text) | {"struggle": STRUGGLE}
    first, again = teacher.post("/moments", data=fields), teacher.post("/moments", data=fields)
    assert first.headers["location"] == again.headers["location"]
    assert len(cases(school_app)) == 1
    edited = teacher.post("/moments", data=fields | {"struggle": STRUGGLE + " Nobody else speaks."})
    assert edited.status_code == 303
    assert len(cases(school_app)) == 2


def test_two_moments_with_the_same_words_can_be_sent_from_two_pages(teacher, school_app):
    send(teacher)
    send(teacher)
    assert len(cases(school_app)) == 2


def test_a_draft_is_kept_while_it_is_written_and_what_was_left_out_is_said(teacher, school_app):
    fields = box(teacher.get("/moments").text) | {"struggle": NAMED, "grade_band": "high"}
    answer = teacher.post("/draft", data=fields, headers=HTMX)
    assert answer.status_code == 200
    assert "<html" not in answer.text
    assert answer.text.startswith("Saved, ")
    assert "We left out:" in answer.text
    assert "name" in answer.text
    assert "1 phone number" in answer.text
    page = teacher.get("/moments").text
    assert "We kept what you began on" in visible(page)
    resumed = box(page)
    assert resumed["grade_band"] == "high"
    assert "calls out the answer" in resumed["struggle"]
    assert "Lopez" not in page
    assert "555-123-4567" not in page
    assert cases(school_app) == []


def test_the_day_of_a_draft_is_read_in_words(teacher, school_app):
    with school_app.database.write() as session:
        save_draft(session, school_app.people["teacher"], "They talk", {}, datetime(2026, 12, 3, 8, 0, tzinfo=UTC))
    assert "We kept what you began on 3 December 2026." in visible(teacher.get("/moments").text)


def test_save_for_later_works_without_a_script(teacher):
    fields = box(teacher.get("/moments").text) | {"struggle": "They talk", "minutes": "15"}
    answer = teacher.post("/draft", data=fields)
    assert (answer.status_code, answer.headers["location"]) == (303, "/moments?done=draft")
    page = teacher.get(answer.headers["location"]).text
    assert "Your draft is saved." in page
    assert (box(page)["struggle"], box(page)["minutes"]) == ("They talk", "15")


def test_an_overlong_draft_is_not_kept_and_that_is_said(teacher, school_app):
    fields = box(teacher.get("/moments").text) | {"struggle": "a" * 4_001}
    assert "longer than 4,000" in teacher.post("/draft", data=fields, headers=HTMX).text
    without_script = teacher.post("/draft", data=fields)
    assert without_script.status_code == 422
    assert box(without_script.text)["struggle"] == "a" * 4_001
    with school_app.database.read() as session:
        assert read_draft(session, school_app.people["teacher"]) is None


def test_a_draft_about_safety_is_not_kept_and_neither_is_what_was_kept_before(teacher, school_app):
    fields = box(teacher.get("/moments").text)
    safety = "A student told me that her uncle hits her and that she is scared to go home."
    teacher.post("/draft", data=fields | {"struggle": "A student told me that her uncle"}, headers=HTMX)
    answer = teacher.post("/draft", data=fields | {"struggle": safety}, headers=HTMX)
    assert "Not saved" in answer.text
    assert "Saved, " not in answer.text
    with school_app.database.read() as session:
        assert read_draft(session, school_app.people["teacher"]) is None
    without_script = teacher.post("/draft", data=fields | {"struggle": safety})
    assert without_script.status_code == 422
    assert "please talk to a person now" in without_script.text


def test_the_draft_is_gone_once_it_is_sent(teacher, school_app):
    fields = box(teacher.get("/moments").text) | {"struggle": STRUGGLE}
    teacher.post("/draft", data=fields, headers=HTMX)
    teacher.post("/moments", data=fields)
    with school_app.database.read() as session:
        assert read_draft(session, school_app.people["teacher"]) is None
    assert "We kept" not in teacher.get("/moments").text


def test_a_draft_is_its_teachers_alone(teacher, school_app):
    teacher.post("/draft", data=box(teacher.get("/moments").text) | {"struggle": "Only mine"})
    assert "Only mine" not in school_app.client_as("other_teacher").get("/moments").text


def test_grades_and_subject_need_not_be_tapped_again_the_next_time(teacher):
    send(teacher, grade_band="middle", subject="science", minutes="30")
    again = box(teacher.get("/moments").text)
    assert (again["struggle"], again["grade_band"], again["subject"], again["minutes"]) == ("", "middle", "science", "")


def test_earlier_moments_are_listed_latest_first_with_day_first_words_and_state(teacher, school_app):
    first = send(teacher).headers["location"]
    send(teacher, struggle="Bad day.")
    page = teacher.get(first).text
    teacher.post(f"{first}/choices", data=form(page, "/choices", decision="chosen", skill="cold-calling").fields)
    send(teacher, struggle="They come in late from lunch and I lose ten minutes until everybody sits.")
    text = visible(teacher.get("/moments").text)
    late, bad, same = (text.index(words) for words in ("They come in late", "Bad day", "The same three students"))
    assert late < bad < same
    assert "Skills to try are waiting" in text[late:bad]
    assert "Nothing chosen" in text[bad:same]
    assert "You chose “Cold calling (warm and equitable)”" in text[same:]
    assert text[:late].rstrip().endswith(str(cases(school_app)[0].created_at.year))


def test_what_is_practised_now_stands_above_the_box_with_the_way_to_it(teacher):
    assert "What you practice now" not in teacher.get("/moments").text
    moment = send(teacher).headers["location"]
    fields = form(teacher.get(moment).text, "/choices", decision="chosen", skill="cold-calling").fields
    practice = teacher.post(f"{moment}/choices", data=fields).headers["location"]
    page = teacher.get("/moments").text
    assert "You are practicing “Cold calling (warm and equitable)”" in visible(page)
    assert page.index(f'href="{practice}"') < page.index("<textarea")


def test_a_long_list_comes_in_parts(teacher):
    for number in range(11):
        send(teacher, struggle=f"Bad day number {number}.")
    first = teacher.get("/moments").text
    assert "Bad day number 10" in first
    assert "Bad day number 0" not in first
    (older,) = [part for part in first.split('"') if part.startswith("/moments?after=")]
    second = visible(teacher.get(older).text)
    assert "Bad day number 0" in second
    assert "Bad day number 1 " not in second
    assert "Older moments" not in second


@pytest.mark.parametrize("after", ["x", "~", "2026-01-01~1", "a" * 200])
def test_a_cursor_nobody_gave_out_is_refused_as_a_page(teacher, after):
    answer = teacher.get("/moments", params={"after": after})
    assert answer.status_code == 422
    assert "<h1>" in answer.text


def test_scores_are_used_unless_the_teacher_unticks_them(teacher, school_app):
    assert "with_scores" not in box(teacher.get("/moments").text)
    add_scores(school_app)
    page = teacher.get("/moments").text
    assert "(last look: 2 October 2026)" in visible(page)
    assert box(page)["with_scores"] == "yes"
    assert 'href="/observations"' in page
    send(teacher)
    fields = box(page) | {"struggle": STRUGGLE}
    del fields["with_scores"]
    teacher.post("/moments", data=fields)
    with school_app.database.read() as session:
        without, used = (
            get_case(session, school_app.people["teacher"], line.id).rankings[0] for line in cases(school_app)
        )
    sources = [
        {reason.source for suggestion in shown.ranking.suggestions for reason in suggestion.reasons}
        for shown in (used, without)
    ]
    assert "observation" in sources[0]
    assert "observation" not in sources[1]
    assert (used.features["with_scores"], without.features["with_scores"]) == (True, False)


@pytest.mark.parametrize("fields", [{"observation_type": "self"}, {"observer_role": "model"}])
def test_scores_nobody_observed_are_not_offered(teacher, school_app, fields):
    add_scores(school_app, **fields)
    assert "last look" not in teacher.get("/moments").text


def test_the_tick_stays_as_it_was_when_the_box_cannot_be_used(teacher, school_app):
    add_scores(school_app)
    fields = box(teacher.get("/moments").text) | {"struggle": ""}
    assert "with_scores" in box(teacher.post("/moments", data=fields).text)
    del fields["with_scores"]
    assert "with_scores" not in box(teacher.post("/moments", data=fields).text)


def test_too_many_moments_in_an_hour_are_refused_with_the_words_kept(teacher, school_app):
    actor = school_app.people["teacher"]
    for _ in range(30):
        school_app.app.state.rates.count("cases", f"{actor.tenant_id}/{actor.id}")
    answer = send(teacher)
    assert answer.status_code == 429
    assert int(answer.headers["retry-after"]) > 0
    assert box(answer.text)["struggle"] == STRUGGLE
    assert 'role="alert"' in answer.text
    assert cases(school_app) == []


def test_while_no_model_is_ready_the_words_stay_in_the_box(teacher, school_app):
    fields = box(teacher.get("/moments").text) | {"struggle": STRUGGLE}
    school_app.app.state.model = ServedModel(Settings())
    answer = teacher.post("/moments", data=fields)
    assert answer.status_code == 503
    assert box(answer.text)["struggle"] == STRUGGLE
    assert "try again in a minute" in answer.text


def test_a_coach_who_also_teaches_finds_only_their_own_moments_here(school_app):
    with school_app.database.write() as session:
        root = operator(session, school_app.tenant_id)
        both = create_person(session, root, "Bo Both", ["teacher", "coach"])
        create_link(session, root, both, school_app.people["teacher"].id)
        school_app.people["both"] = person_actor(session, school_app.tenant_id, both)
    moment = send(school_app.client_as("teacher")).headers["location"]
    with school_app.database.write() as session:
        share_case(session, school_app.people["teacher"], moment.rpartition("/")[2], both)
    browser = school_app.client_as("both")
    assert "The same three students" not in browser.get("/moments").text
    assert browser.get(moment).status_code == 404
    with school_app.database.read() as session:
        assert get_case(session, school_app.people["both"], moment.rpartition("/")[2]).struggle == STRUGGLE


def test_a_moment_belongs_to_who_sent_it_whatever_their_other_roles(school_app):
    actor = school_app.people["teacher"]
    with school_app.database.read() as session:
        assert own_cases(session, replace(actor, kind="app")).items == []


@pytest.mark.parametrize("who", ["coach", "administrator", "safeguarding"])
def test_the_page_is_a_teachers(school_app, who):
    browser = school_app.client_as(who)
    assert browser.get("/moments").status_code == 403
    assert browser.submit("/moments", {"struggle": STRUGGLE}).status_code == 403
    assert browser.submit("/draft", {"struggle": STRUGGLE}).status_code == 403


def test_without_signing_in_there_is_only_the_way_to_do_so(school_app):
    answer = school_app.signed_out().get("/moments")
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in")


def test_a_form_without_the_sessions_token_keeps_nothing(teacher, school_app):
    for path in ("/moments", "/draft"):
        assert teacher.post(path, data={"struggle": STRUGGLE}).status_code == 403
    assert cases(school_app) == []


def test_words_are_shown_as_text_and_never_run(teacher):
    script = "</textarea><script>alert(1)</script> They shout out answers all the time and nobody waits."
    teacher.post("/draft", data=box(teacher.get("/moments").text) | {"struggle": script})
    assert "<script>alert" not in teacher.get("/moments").text
    send(teacher, struggle=script)
    page = teacher.get("/moments").text
    assert "<script>alert" not in page
    assert "&lt;script&gt;" in page
