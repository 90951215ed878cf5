from __future__ import annotations

import html
import re

import pytest
from page_reading import form, forms, visible
from school_app import STRUGGLE, Browser
from starlette.testclient import TestClient

from recommender.catalogue.loader import load_catalogue
from service.app import create_app
from service.pages.skill_pages import by_domain, holds_words
from service.pages.strings import page_strings
from service.settings import Settings
from service.store.cycles import list_cycles

CATALOGUE = load_catalogue()
NETWORK = {"host": "0.0.0.0", "api_keys": ("00" * 32,)}
UNKNOWN = "01ARZ3NDEKTSV4RRFFQ69G5FAV"


def opened(browser, struggle=STRUGGLE):
    """Id of a new moment."""
    sent = form(browser.get("/moments").text, "/moments").fields | {"struggle": struggle}
    return browser.post("/moments", data=sent).headers["location"].rpartition("/")[2]


def listed(page):
    return re.findall(r'<a href="/skills/([a-z0-9-]+)[?"]', page)


def words(text):
    return " ".join(text.split())


@pytest.fixture
def teacher(school_app):
    return school_app.client_as("teacher")


@pytest.fixture
def signed_out(school_app):
    return school_app.signed_out()


def test_every_skill_stands_once_under_its_domain(signed_out):
    page = signed_out.get("/skills").text
    assert listed(page) == list(CATALOGUE.ids)
    assert page.count("<details") == len(CATALOGUE.domains) == len(by_domain(CATALOGUE))


def test_a_search_finds_skills_that_hold_every_word_in_any_case(signed_out):
    found = listed(signed_out.get("/skills", params={"q": "WAIT seconds"}).text)
    assert "wait-time" in found
    assert found == [s.id for s in CATALOGUE if all(w in f"{s.name} {s.summary} {s.definition}".lower() for w in
                                                    ("wait", "seconds"))]  # fmt: skip
    assert 0 < len(found) < 20
    assert not holds_words(CATALOGUE["wait-time"], "wait zebra")


def test_the_number_found_is_said_aloud_and_nothing_found_says_what_to_try(signed_out):
    page = signed_out.get("/skills?q=zebra").text
    assert listed(page) == []
    assert re.search(r'role="status">No skill has these words', page)
    one = signed_out.get("/skills", params={"q": CATALOGUE["wait-time"].definition}).text
    assert re.search(r'role="status">1 skill found', one)


def test_a_domain_can_be_picked_and_one_that_is_not_there_counts_as_none(signed_out):
    of_domain = [s.id for s in CATALOGUE if s.domain == "english-learners"]
    assert listed(signed_out.get("/skills?domain=english-learners").text) == of_domain
    assert len(listed(signed_out.get("/skills?domain=magic").text)) == len(CATALOGUE)


def test_what_was_searched_stays_in_the_box_as_text(signed_out):
    page = signed_out.get("/skills", params={"q": '"><script>alert(1)</script>'}).text
    assert "<script>alert" not in page
    assert form(page, "/skills").fields["q"] == '"><script>alert(1)</script>'


def test_every_skill_page_has_all_that_helps_to_decide_and_no_rubric_code(signed_out):
    for skill in CATALOGUE:
        page = signed_out.get(f"/skills/{skill.id}").text
        text = visible(page)
        said = [skill.definition, skill.summary, skill.first_step, skill.evidence.source, *skill.look_fors]
        said += [*skill.practice_cycle, *(neighbour.line for neighbour in skill.neighbours)]
        said += [CATALOGUE[earlier].name for earlier in skill.prerequisites]
        assert [sentence for sentence in said if words(sentence) not in text] == []
        assert f"About {skill.minutes_per_week} minutes a week" in text
        assert page_strings()["evidence"][skill.evidence.level] in text
        assert page_strings()["evidence_notes"][skill.evidence.level] in text
        assert {neighbour.skill for neighbour in skill.neighbours} | set(skill.prerequisites) <= set(listed(page))
        assert not re.search(r"\b[1-4][a-f]\b|SWD-|danielson", text, re.IGNORECASE)


def test_a_skill_that_is_not_in_the_catalogue_is_not_found(signed_out):
    for name in ("no-such-skill", "Cold-Calling", "%3Cscript%3E"):
        assert signed_out.get(f"/skills/{name}").status_code == 404


@pytest.mark.parametrize(("open_page", "status"), [(False, 303), (True, 200)])
def test_on_a_network_the_catalogue_is_open_only_where_the_page_is(school_app, served_model, open_page, status):
    app = create_app(Settings(open_page=open_page, **NETWORK), served_model, school_app.database)
    browser = TestClient(app, base_url="https://testserver", follow_redirects=False)
    for path in ("/skills", "/skills/wait-time"):
        answer = browser.get(path)
        assert answer.status_code == status
        if status == 303:
            assert answer.headers["location"] == "/sign-in"


def test_any_skill_can_be_chosen_for_a_moment_of_ones_own(teacher, school_app):
    moment = opened(teacher)
    page = teacher.get(f"/skills/entry-routine?moment={moment}")
    chosen = form(page.text, f"/moments/{moment}/choices", decision="chosen")
    answer = teacher.post(chosen.action, data=chosen.fields)
    assert answer.status_code == 303
    with school_app.database.read() as session:
        (cycle,) = list_cycles(session, school_app.people["teacher"]).items
    assert answer.headers["location"] == f"/practice/{cycle.id}"
    assert (cycle.skill_id, cycle.case_id) == ("entry-routine", moment)


def test_the_moment_goes_along_from_page_to_page(teacher):
    moment = opened(teacher)
    page = teacher.get(f"/skills?moment={moment}").text
    assert f'href="/skills/wait-time?moment={moment}"' in page
    assert form(page, "/skills").fields["moment"] == moment
    skill = teacher.get(f"/skills/wait-time?moment={moment}").text
    assert all(f"/skills/{n.skill}?moment={moment}" in skill for n in CATALOGUE["wait-time"].neighbours)
    assert "moment=" not in teacher.get("/skills/wait-time").text


def test_while_a_skill_is_practised_no_other_can_be_chosen_and_the_page_says_why(teacher):
    moment = opened(teacher)
    chosen = form(teacher.get(f"/skills/wait-time?moment={moment}").text, "/choices")
    practice = teacher.post(chosen.action, data=chosen.fields).headers["location"]
    page = teacher.get(f"/skills/cold-calling?moment={moment}").text
    assert forms(page, "/choices") == []
    assert CATALOGUE["wait-time"].name in visible(page)
    assert f'href="{practice}"' in page


def test_a_moment_of_somebody_else_is_not_found_exactly_as_one_that_never_was(teacher, school_app):
    moment = opened(teacher)
    for who in ("other_teacher", "outsider"):
        browser = school_app.client_as(who)
        for path in ("/skills", "/skills/wait-time"):
            foreign, unknown = (browser.get(f"{path}?moment={m}") for m in (moment, UNKNOWN))
            assert (foreign.status_code, foreign.text) == (404, unknown.text)


def test_who_is_no_teacher_reads_the_catalogue_without_any_moment(teacher, school_app):
    moment = opened(teacher)
    for browser in (school_app.client_as("coach"), school_app.signed_out()):
        answer = browser.get(f"/skills/wait-time?moment={moment}")
        assert answer.status_code == 200
        assert forms(answer.text, "/choices") == []


def test_nothing_can_be_chosen_for_a_moment_about_somebodys_safety(teacher):
    moment = opened(teacher, "A student told me that her uncle hits her and that she is scared to go home.")
    assert "talk to a person now" in visible(teacher.get(f"/moments/{moment}").text)
    assert forms(teacher.get(f"/skills/wait-time?moment={moment}").text, "/choices") == []


def test_a_skill_page_needs_no_script_and_no_other_site(school_app: object, signed_out: Browser):
    page = html.unescape(signed_out.get("/skills/wait-time").text)
    assert not re.findall(r"""(?:src|href|action)="(?:https?:)?//""", page)
    assert " style=" not in page
    assert "<script" not in page
