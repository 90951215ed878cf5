from __future__ import annotations

import re

from page_reading import visible

from service.store.people import change_contact, change_retention


def notice(browser):
    answer = browser.get("/notice")
    assert answer.status_code == 200
    return visible(answer.text)


TOLD = [
    # What it is for, and not for.
    "It is there to help you grow. It is for nothing else.",
    "It is not for pay, hiring, promotion or keeping your job.",
    "It puts no teachers in an order.",
    # That an automated system is used, with which data, and that a person chooses.
    "The list is made by an automated system.",
    "It reads what you write, the grades, subject and minutes you tap",
    "It does not use your age, sex, race, faith, health, pay or address.",
    "nothing is ever picked for you",
    # What is kept, and who sees it.
    "Names, phone numbers and e-mail addresses are taken out first.",
    "Your words are deleted this many months after your weeks of practice end: 12.",
    "A coach sees only what you share.",
    "An administrator sees numbers about 10 teachers or more",
    # Safety, objections, whom to ask.
    "The computer does not find every such text.",
    "You can object to any list",
    "Ask an administrator of your school.",
]


def test_anybody_reads_what_the_service_does_before_signing_in(school_app):
    page = notice(school_app.signed_out())
    assert [said for said in TOLD if said not in page] == []


def test_the_notice_says_the_time_and_the_contact_of_ones_own_school(school_app):
    administrator = school_app.people["administrator"]
    with school_app.database.write() as session:
        change_retention(session, administrator, 3)
        change_contact(session, administrator, "Ms. Duty")
    for who in ("teacher", "coach"):
        page = notice(school_app.client_as(who))
        assert "practice end: 3." in page
        assert "talk to: Ms. Duty" in page
    for other in (school_app.client_as("outsider"), school_app.signed_out()):
        page = notice(other)
        assert "practice end: 12." in page
        assert "Ms. Duty" not in page


def test_an_administrator_gets_a_text_to_adapt_and_the_way_to_the_model_card(school_app):
    page = school_app.client_as("administrator").get("/notice").text
    assert 'href="/admin/model"' in page
    for part in ("automated system", "What it is used for", "Which data it uses", "Your rights", "Whom to ask: [name"):
        assert part in visible(page)
    for other in (school_app.client_as("teacher"), school_app.signed_out()):
        assert "A notice for your staff" not in notice(other)


def test_help_says_how_to_sign_in_and_names_the_contact_to_the_schools_own_people_only(school_app):
    page = school_app.signed_out().get("/help").text
    assert 'href="/sign-in"' in page
    assert "Ask an administrator of your school for a sign-in link." in visible(page)
    assert "Sal Safe" not in page
    page = school_app.client_as("teacher").get("/help").text
    assert "At your school, talk to: Sal Safe, room 12" in visible(page)
    assert "Sal Safe" not in school_app.client_as("outsider").get("/help").text


def test_the_pages_never_say_the_words_that_put_teachers_off(school_app):
    for path in ("/notice", "/help"):
        text = visible(school_app.signed_out().get(path).text)
        assert re.search(r"\bAI\b|deficit|weakness", text) is None
