"""A coach at a real Chromium: with the keyboard alone, and what is left of a page when the teacher stops sharing."""

from __future__ import annotations

import pytest
from browser import DESK, STRUGGLE, Chromium, Screen, chromium, needs_chromium, wait
from selenium.webdriver.common.keys import Keys
from served_pages import Pages, served_school

from recommender.cases import Case
from service.casework import Casework
from service.store.actors import Actor
from service.store.cases import get_case
from service.store.shares import share_case

pytestmark = needs_chromium
# A moment with nothing open, at the width of a phone.
PHONE_HEIGHT, MOST_SCREENS = 844, 4
FIRST, MOVED, REMOVED, ADDED = (
    "Begin with this one.", "This comes before the others for me.", "You do this in every lesson I saw.",
    "This is what makes it work when it gets loud.",
)  # fmt: skip


@pytest.fixture(scope="module")
def pages(school_template, served_model, tmp_path_factory):
    with served_school(tmp_path_factory.mktemp("coach"), school_template, served_model) as pages:
        yield pages


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    with chromium(tmp_path_factory.mktemp("profiles")) as browser:
        yield browser


def shared_moment(pages: Pages) -> tuple[Actor, Actor, str, list[str]]:
    """A teacher, the coach they share a moment with, its id, and the names of the skills on its list."""
    teacher, coach = pages.new_pair()
    desk = Casework(pages.database, pages.app.state.model, pages.app.state.metrics)
    opened = desk.open_case(teacher, Case(case_id="m1", struggle=STRUGGLE))
    with pages.database.write() as session:
        share_case(session, teacher, opened.case_id, coach.id)
        ranking = get_case(session, teacher, opened.case_id).rankings[-1].ranking
    return teacher, coach, opened.case_id, [suggestion.name for suggestion in ranking.suggestions]


def choose_first(pages: Pages, teacher: Actor, case_id: str) -> None:
    """The teacher takes the first skill of the list."""
    desk = Casework(pages.database, pages.app.state.model, pages.app.state.metrics)
    with pages.database.read() as session:
        ranking = get_case(session, teacher, case_id).rankings[-1].ranking
    desk.choose(teacher, case_id, str(ranking.ranking_id), ranking.suggestions[0].skill_id)


def change(skill: str) -> str:
    return f"Change or comment {skill}"


def view_of(skill: str) -> str:
    return f"Your view of this one {skill}"


def test_a_coach_reviews_with_the_keyboard_alone_and_the_teacher_reads_why(browser: Chromium, pages: Pages) -> None:
    def journey(screen: Screen) -> None:
        teacher, coach, case_id, (first, second, third) = shared_moment(pages)
        screen.look(DESK)
        screen.go(pages.link(coach.id))
        screen.tab_to("Sign in")
        screen.press(Keys.ENTER)
        wait(lambda: screen.path == "/coach", "the queue did not open")
        screen.tab_to("Tess Teacher")
        screen.press(Keys.ENTER)
        wait(lambda: screen.path == f"/coach/moments/{case_id}", "the moment did not open")
        screen.tab_to("Your review")
        screen.press(Keys.ENTER)
        screen.tab_to(f"Why this? {first}")
        screen.press(Keys.SPACE)
        wait(lambda: "What led us here" in screen.words, "the reasons did not open")
        screen.tab_to(change(first))
        screen.press(Keys.ENTER)
        screen.tab_to(f"Why? {first}")
        screen.press(FIRST)
        screen.tab_to(change(second))
        screen.press(Keys.ENTER)
        screen.tab_to(view_of(second))
        screen.press(Keys.ARROW_DOWN, Keys.ARROW_DOWN, Keys.ARROW_DOWN)
        assert screen.focus.get_property("value") == "remove"
        screen.tab_to(f"Why? {second}")
        screen.press(REMOVED)
        screen.tab_to(change(third))
        screen.press(Keys.SPACE)
        screen.tab_to(view_of(third))
        screen.press(Keys.ARROW_DOWN)
        assert screen.focus.get_property("value") == "1"
        screen.tab_to(f"Why? {third}")
        screen.press(MOVED)
        screen.tab_to("Add a skill")
        screen.press(Keys.ENTER)
        screen.tab_to("Skill to add, 1 of 3")
        screen.press("De-e")
        assert screen.focus.get_property("value") == "de-escalation"
        screen.tab_to("Why? Skill to add, 1 of 3")
        screen.press(ADDED)
        screen.tab_to("Send my review")
        screen.press(Keys.ENTER)
        wait(lambda: "can read your review now" in screen.words, "the review was not saved")
        assert screen.taps == 0

        screen.begin()
        screen.sign_in(pages.link(teacher.id))
        screen.go(f"/moments/{case_id}")
        screen.follow("What your coach said", f"/moments/{case_id}#coach-said")
        said = screen.one("#coach-said").find_element("xpath", "..").text
        for words in (
            f"moved “{third}” to the top. Why: {MOVED}", f"took “{second}” off the list. Why: {REMOVED}",
            f"added “De-escalation” at place 4. Why: {ADDED}", FIRST,
        ):  # fmt: skip
            assert words in said

    browser.run(journey)


def test_a_coach_finds_a_decided_moment_again_with_the_keyboard_alone(browser: Chromium, pages: Pages) -> None:
    def journey(screen: Screen) -> None:
        teacher, coach, case_id, _ = shared_moment(pages)
        choose_first(pages, teacher, case_id)
        screen.sign_in(pages.link(coach.id))
        assert "Nothing to look at just now" in screen.words
        assert "Tess Teacher" not in screen.words
        taps = screen.taps
        # A summary is called what its heading says; the link of the same name comes before it.
        screen.tab_to("Decided")
        screen.tab_to("Decided")
        assert screen.focus.tag_name == "summary"
        screen.press(Keys.ENTER)
        screen.tab_to("Tess Teacher")
        screen.press(Keys.ENTER)
        wait(lambda: screen.path == f"/coach/moments/{case_id}", "the decided moment did not open")
        assert "What they decided so far" in screen.words
        assert screen.taps == taps

    browser.run(journey)


def test_on_a_phone_without_scripts_a_coach_reads_all_of_the_list_agrees_and_changes_their_mind(
    browser: Chromium, pages: Pages
) -> None:
    def journey(screen: Screen) -> None:
        _, coach, case_id, names = shared_moment(pages)
        screen.sign_in(pages.link(coach.id))
        screen.without_scripts()
        screen.go(f"/coach/moments/{case_id}")
        for words in (STRUGGLE, *names, "Agree with all", "Send my review"):
            assert words in screen.words
        assert screen.cdp("Page.getLayoutMetrics")["cssContentSize"]["height"] < MOST_SCREENS * PHONE_HEIGHT
        screen.tap(screen.button("Agree with all"))
        wait(lambda: "can read your review now" in screen.words, "the review was not saved")
        assert f"Kept {names[0]}" in screen.words
        # What is wrong is open when the page comes back.
        screen.tap(screen.button("Change or comment", within="li"))
        screen.one("select[id^=change-]").send_keys("Take out")
        screen.tap(screen.button("Send my review"))
        wait(lambda: "Please say why in a few words." in screen.words, "a missing why is not said")
        screen.one("textarea[aria-invalid]").send_keys(REMOVED)
        screen.tap(screen.button("Send my review"))
        wait(lambda: f"Took out {names[0]}" in screen.words, "the second review was not saved")

    browser.run(journey)


def test_the_first_key_leads_past_the_navigation(browser: Chromium, pages: Pages) -> None:
    def journey(screen: Screen) -> None:
        _, coach = pages.new_pair()
        screen.sign_in(pages.link(coach.id))
        screen.press(Keys.TAB)
        assert screen.focus.accessible_name == "Skip to the page"
        assert screen.focus.rect["y"] >= 0, "it shows when it has the focus"
        screen.press(Keys.ENTER)
        wait(lambda: screen.focus.get_dom_attribute("id") == "main", "the focus is not on the page itself")

    browser.run(journey)


def test_what_a_teacher_takes_back_is_gone_at_the_coachs_next_click(browser: Chromium, pages: Pages) -> None:
    def journey(screen: Screen) -> None:
        teacher, coach, case_id, _ = shared_moment(pages)
        driver = screen.driver
        screen.sign_in(pages.link(coach.id))
        screen.follow("Tess Teacher", "/coach/moments/")
        cookies = driver.get_cookies()
        of_coach = driver.current_window_handle

        driver.switch_to.new_window("tab")
        screen.go(pages.address)
        driver.delete_all_cookies()
        screen.sign_in(pages.link(teacher.id))
        screen.go(f"/moments/{case_id}")
        screen.tap(screen.button("Stop sharing with Cora Coach"))
        wait(lambda: "It is no longer shared." in screen.words, "the teacher was not told")

        driver.delete_all_cookies()
        for cookie in cookies:
            driver.add_cookie(cookie)
        driver.close()
        driver.switch_to.window(of_coach)
        assert STRUGGLE in screen.words
        screen.tap(screen.button("Agree with all"))
        wait(lambda: "it is not shared with you" in screen.words, "the coach is not told that it is gone")
        assert STRUGGLE not in screen.words
        screen.go("/coach")
        assert "Tess Teacher" not in screen.words
        screen.go(f"/coach/moments/{case_id}")
        assert "it is not shared with you" in screen.words

    browser.run(journey)
