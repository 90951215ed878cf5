from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from page_reading import form, forms, visible

from service.store.alerts import list_alerts, raise_alert
from service.store.people import mark_left

NOON = datetime(2026, 11, 2, 12, 5, tzinfo=UTC)


@pytest.fixture
def lead(school_app):
    return school_app.client_as("safeguarding")


def alert(school_app, who, at=NOON):
    with school_app.database.write() as session:
        return raise_alert(session, school_app.people[who], school_app.people[who].id, now=at)


def test_the_lead_sees_names_and_times_latest_first(lead, school_app):
    alert(school_app, "teacher")
    alert(school_app, "other_teacher", NOON + timedelta(days=1))
    page = visible(lead.get("/safeguarding").text)
    assert page.index("Omar Other Sent on 3 November 2026, 12:05 UTC") < page.index(
        "Tess Teacher Sent on 2 November 2026, 12:05 UTC"
    )
    assert page.count("Not seen yet") == 2
    assert "No words were kept" in page
    assert "The service does not find every such text." in page


def test_no_words_of_the_text_are_on_the_page_or_in_the_log(lead, school_app, log_lines):
    words = "One of my students said that she wants to kill herself tonight and she has a xylophonic plan for it."
    assert school_app.client_as("teacher").submit("/moments", {"struggle": words}).status_code == 303
    page = lead.get("/safeguarding").text
    assert "Tess Teacher" in visible(page)
    assert "xylophonic" not in page + log_lines.getvalue()


def test_seeing_an_alert_is_noted_with_who_and_once(lead, school_app):
    alert(school_app, "teacher")
    sent = form(lead.get("/safeguarding").text, "/seen")
    answer = lead.post(sent.action, data=sent.fields)
    assert (answer.status_code, answer.headers["location"]) == (303, "/safeguarding")
    page = lead.get("/safeguarding").text
    assert "Seen by Sal Safe on" in visible(page)
    assert forms(page, "/seen") == []
    assert lead.post(sent.action, data=sent.fields).status_code == 303


def test_a_long_list_goes_on(lead, school_app):
    for number in range(25):
        alert(school_app, "teacher", NOON + timedelta(hours=number))
    page = lead.get("/safeguarding").text
    assert len(forms(page, "/seen")) == 20
    more = page.partition('href="/safeguarding?after=')[2].partition('"')[0]
    assert len(forms(lead.get(f"/safeguarding?after={more}").text, "/seen")) == 5
    assert lead.get("/safeguarding?after=x").status_code == 422


def test_an_empty_list_says_so_and_somebody_who_left_stays_on_it(lead, school_app):
    assert "There is nobody on the list." in visible(lead.get("/safeguarding").text)
    alert(school_app, "teacher")
    with school_app.database.write() as session:
        mark_left(session, school_app.people["administrator"], school_app.people["teacher"].id)
    assert "Tess Teacher" in visible(lead.get("/safeguarding").text)


def test_the_list_is_for_the_lead_alone(school_app):
    alert_id = alert(school_app, "teacher")
    for who in ("teacher", "coach", "administrator", "outsider"):
        browser = school_app.client_as(who)
        assert browser.get("/safeguarding").status_code == 403
        assert browser.submit(f"/safeguarding/{alert_id}/seen").status_code == 403
    with school_app.database.read() as session:
        (line,) = list_alerts(session, school_app.people["safeguarding"]).items
    assert line.seen_at is None


def test_another_tenants_alert_is_none_here_and_a_form_needs_its_token(lead, school_app):
    theirs, ours = alert(school_app, "outsider"), alert(school_app, "teacher")
    assert "Olga Outsider" not in lead.get("/safeguarding").text
    assert lead.submit(f"/safeguarding/{theirs}/seen").status_code == 404
    assert lead.post(f"/safeguarding/{ours}/seen", data={"x": ""}).status_code == 403
