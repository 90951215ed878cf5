from __future__ import annotations

import json
import re
from typing import get_args

import pytest
from begun_practice import begin_practice
from page_reading import form, forms, visible
from school_app import STRUGGLE
from sqlalchemy import func, select
from stored_scores import add_scores

from service.access.cookies import LOCAL_NAME
from service.pages.my_data import LATEST_EVENTS, event_words
from service.pages.strings import page_strings
from service.store.cases import list_cases
from service.store.cycles import list_cycles
from service.store.database import utc_now
from service.store.drafts import save_draft
from service.store.events import Action, EventView, events_about, record
from service.store.practice import add_check_in
from service.store.shares import share_case, share_cycle, shared_with
from service.store.tables.people import Person, Tenant
from service.store.tables.schema import Base

MINE, THEIRS = "Zanzibar of mine", "Timbuktu of theirs"


@pytest.fixture
def teacher(school_app):
    return school_app.client_as("teacher")


def opened(browser, struggle=STRUGGLE):
    """Id of a new moment."""
    sent = form(browser.get("/moments").text, "/moments").fields | {"struggle": struggle}
    return browser.post("/moments", data=sent).headers["location"].rpartition("/")[2]


def begun(school_app, who, note):
    """A practice with a check-in that says ``note``."""
    cycle = begin_practice(school_app, who)
    with school_app.database.write() as session:
        add_check_in(session, school_app.people[who], cycle, utc_now().date(), 1, note=note)
    return cycle


def test_the_page_says_what_is_kept_for_how_long_and_who_sees_it(teacher, school_app):
    add_scores(school_app)
    with school_app.database.write() as session:
        save_draft(session, school_app.people["teacher"], MINE, {})
        session.get_one(Tenant, school_app.tenant_id).retention_months = 7
    text = visible(teacher.get("/my-data").text)
    assert "Tess Teacher" in text
    assert "t-teacher" in text
    assert "There are 5 scores." in text
    assert "A draft you began on" in text
    assert "deleted 7 months after" in text
    assert "You work with: Cora Coach. They see only what you share." in text
    assert "You share nothing at the moment." in text


def test_without_a_number_of_the_school_the_settings_say_how_long(teacher):
    assert "deleted 12 months after" in visible(teacher.get("/my-data").text)


def test_every_share_is_listed_and_can_be_stopped_there(teacher, school_app):
    moment, cycle = opened(teacher), begin_practice(school_app)
    actor, coach = school_app.people["teacher"], school_app.people["coach"]
    with school_app.database.write() as session:
        share_case(session, actor, moment, coach.id)
        share_cycle(session, actor, cycle, coach.id)
    page = teacher.get("/my-data").text
    stops = forms(page, "/shares")
    assert {stop.action for stop in stops} == {f"/moments/{moment}/shares", f"/practice/{cycle}/shares"}
    assert visible(page).count("Cora Coach has seen it since") == 2
    for stop in stops:
        assert teacher.post(stop.action, data=stop.fields).status_code == 303
    with school_app.database.read() as session:
        assert shared_with(session, actor, moment) == []
        assert list_cycles(session, coach).items == []
    assert forms(teacher.get("/my-data").text, "/shares") == []


def test_the_list_of_shares_is_ones_own_alone(teacher, school_app):
    cycle = begin_practice(school_app, "other_teacher")
    with school_app.database.write() as session:
        share_cycle(session, school_app.people["other_teacher"], cycle, school_app.people["coach"].id)
    for who in ("teacher", "coach", "other_coach"):
        assert cycle not in school_app.client_as(who).get("/my-data").text


def test_what_happened_is_told_in_plain_words_newest_first(teacher, school_app):
    moment = opened(teacher)
    coach = school_app.people["coach"].id
    teacher.submit(f"/moments/{moment}/shares", {"action": "share", "coach": coach})
    text = visible(teacher.get("/my-data").text)
    lately = text[text.index("What happened lately") :]
    shared, wrote = "You shared a moment with Cora Coach.", "You wrote about a moment and got skills to try."
    assert lately.index(shared) < lately.index(wrote)
    assert STRUGGLE[:20] not in text
    assert moment not in lately


def test_only_the_latest_events_are_shown(teacher, school_app):
    actor = school_app.people["teacher"]
    with school_app.database.write() as session:
        for _ in range(620):
            record(session, actor, "check_in.made", "x", person_id=actor.id)
        session.flush()
        record(session, actor, "cycle.ended", "x", person_id=actor.id)
    page = teacher.get("/my-data").text
    told = re.findall(r"<time [^>]*>[^<]*</time></span> ([^<]+)</li>", page)
    assert len(told) == LATEST_EVENTS
    assert told[:2] == ["You ended a practice.", "You added a check-in."]


def test_every_kind_of_event_has_a_sentence_for_every_kind_of_actor():
    for action in get_args(Action):
        for kind in ("person", "app", "operator"):
            facts = {"coach": "c", "skill": "wait-time", "decision": "chosen"}
            event = EventView("e", utc_now(), kind, "a", action, action.partition(".")[0], "s", facts)
            sentence = event_words(event, {"c": "Cora Coach"})
            assert re.fullmatch(r"[A-Z].*\.", sentence)
            assert "{" not in sentence


def test_somebody_the_reader_does_not_work_with_stays_without_a_name():
    event = EventView("e", utc_now(), "person", "a", "person.created", "person", "s", {})
    assert event_words(event, {"b": "Bea"}) == "Somebody at your school added a person."
    declined = EventView("e", utc_now(), "person", "a", "choice.made", "choice", "s", {"skill": "gone-skill"})
    assert event_words(declined, {"a": "you"}) == "You put a skill aside: gone-skill."


def test_the_export_is_a_file_with_everything_of_the_person_and_nothing_of_others(teacher, school_app):
    add_scores(school_app)
    moment = opened(teacher, f"{MINE}. {STRUGGLE}")
    begun(school_app, "teacher", f"{MINE} check-in")
    opened(school_app.client_as("other_teacher"), f"{THEIRS}. {STRUGGLE}")
    begun(school_app, "other_teacher", f"{THEIRS} check-in")
    answer = teacher.get("/my-data/export")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    assert re.fullmatch(r'attachment; filename="my-data-\d{4}-\d\d-\d\d\.json"', answer.headers["content-disposition"])
    assert "no-store" in answer.headers["cache-control"]
    document = json.loads(answer.text)
    assert document["person"]["name"] == "Tess Teacher"
    assert moment in [case["id"] for case in document["cases"]]
    assert f"{MINE} check-in" in json.dumps(document["cycles"])
    assert len(document["scores"]) == 5
    assert answer.text.count(MINE) >= 2
    assert THEIRS not in answer.text
    assert "Omar" not in answer.text
    assert school_app.people["other_teacher"].id not in answer.text


def test_taking_the_data_out_is_on_record(teacher, school_app):
    teacher.get("/my-data/export")
    with school_app.database.read() as session:
        me = school_app.people["teacher"]
        assert [e.action for e in events_about(session, me, me.id)][-1] == "person.exported"


def test_deleting_asks_first_and_changes_nothing_until_the_second_yes(teacher, school_app):
    opened(teacher)
    asked = form(teacher.get("/my-data").text, "/delete")
    page = teacher.post(asked.action, data=asked.fields)
    assert page.status_code == 200
    assert "Delete all your data?" in visible(page.text)
    with school_app.database.read() as session:
        assert len(list_cases(session, school_app.people["teacher"]).items) == 1
    assert teacher.get("/my-data").status_code == 200


def test_deleting_removes_everything_and_ends_every_session_of_the_person(teacher, school_app, database_file):
    add_scores(school_app)
    opened(teacher, f"{MINE}. {STRUGGLE}")
    begun(school_app, "teacher", f"{MINE} check-in")
    begun(school_app, "other_teacher", f"{THEIRS} check-in")
    elsewhere = type(teacher)(school_app.app, teacher.cookies[LOCAL_NAME])
    sure = form(teacher.submit("/my-data/delete").text, "/delete")
    answer = teacher.post(sure.action, data=sure.fields | {"sure": "yes"})
    assert answer.status_code == 200
    assert "you are signed out" in visible(answer.text)
    assert re.search(rf'{LOCAL_NAME}=(""|);.*Max-Age=0', answer.headers["set-cookie"])
    assert elsewhere.get("/my-data").headers["location"] == "/sign-in"
    assert teacher.get("/moments").headers["location"] == "/sign-in"
    assert _rows_that_name(school_app, school_app.people["teacher"].id) == {"events"}
    school_app.database.close()
    assert MINE.encode() not in database_file.read_bytes()
    assert THEIRS.encode() in database_file.read_bytes()


def _rows_that_name(school_app, person_id):
    """Tables with the person's id in any column that holds text."""
    found = set()
    with school_app.database.read() as session:
        for table in Base.metadata.sorted_tables:
            for column in table.columns:
                if str(column.type).startswith("VARCHAR"):
                    query = select(func.count()).select_from(table).where(column == person_id)
                    found |= {table.name} if session.scalar(query) else set()
    return found


def test_everybody_can_see_take_out_and_delete_their_own(school_app):
    for who, name in (("coach", "Cora Coach"), ("administrator", "Ada Administrator"), ("safeguarding", "Sal Safe")):
        browser = school_app.client_as(who)
        assert name in visible(browser.get("/my-data").text)
        assert json.loads(browser.get("/my-data/export").text)["person"]["name"] == name
        browser.submit("/my-data/delete", {"sure": "yes"})
        with school_app.database.read() as session:
            assert session.scalar(select(Person.id).where(Person.name == name)) is None


def test_data_is_deleted_only_by_a_form_of_the_persons_own_session(teacher, school_app):
    other = school_app.client_as("other_teacher").form_token
    assert teacher.post("/my-data/delete", data={"sure": "yes", "form_token": other}).status_code == 403
    assert teacher.post("/my-data/delete", data={"sure": "yes"}).status_code == 403
    cross = teacher.submit("/my-data/delete", {"sure": "yes"}, headers={"sec-fetch-site": "cross-site"})
    assert cross.status_code == 403
    assert teacher.get("/my-data").status_code == 200


def test_who_is_not_signed_in_is_sent_to_sign_in(school_app):
    browser = school_app.signed_out()
    for path in ("/my-data", "/my-data/export", "/practice", "/observations"):
        answer = browser.get(path)
        assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in")


def test_a_name_with_markup_is_shown_as_text(teacher, school_app):
    with school_app.database.write() as session:
        me = school_app.people["teacher"]
        session.get_one(Person, (me.tenant_id, me.id)).name = "<b>Tess</b>"
        coach = school_app.people["coach"]
        session.get_one(Person, (coach.tenant_id, coach.id)).name = "<i>Cora</i>"
    page = teacher.get("/my-data").text
    assert "<b>Tess" not in page
    assert "<i>Cora" not in page
    assert page_strings()["my_data"]["take"] in page
