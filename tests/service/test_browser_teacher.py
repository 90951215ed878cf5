"""A teacher on a phone: a real Chromium, 390 pixels wide, against a real service."""

from __future__ import annotations

import pytest
from browser import PATIENCE, STRUGGLE, Chromium, Screen, chromium, needs_chromium, wait
from served_pages import Pages, served_school

pytestmark = needs_chromium
CARDS = "#skills .card"


@pytest.fixture(scope="module")
def pages(school_template, served_model, tmp_path_factory):
    with served_school(tmp_path_factory.mktemp("teacher"), school_template, served_model) as pages:
        yield pages


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    with chromium(tmp_path_factory.mktemp("profiles")) as browser:
        yield browser


def sign_in(screen: Screen, pages: Pages) -> None:
    teacher, _ = pages.new_pair()
    screen.sign_in(pages.link(teacher.id))


def open_moment(screen: Screen) -> list[str]:
    """Type a struggle and send it; the names of the skills that come."""
    screen.type("#struggle", STRUGGLE)
    screen.follow("Show skills to try", "/moments/")
    return names(screen)


def names(screen: Screen) -> list[str]:
    return [heading.text for heading in screen.all(f"{CARDS} > h3")]


def check_in(screen: Screen) -> None:
    screen.tap(screen.button("Add a check-in"))
    screen.type("#check-in-times", "2")
    screen.type("#check-in-note", "They were calmer than last week.")
    screen.follow("Save check-in", "/practice/")
    assert "They were calmer than last week." in screen.one("#stands").find_element("xpath", "..").text


def test_a_teacher_types_a_struggle_and_gets_three_skills_to_try(browser: Chromium, pages: Pages) -> None:
    def journey(screen: Screen) -> None:
        screen.go(pages.address)
        screen.type("textarea", STRUGGLE)
        screen.tap(screen.button("Show skills to try"))
        wait(lambda: screen.all(".card"), "no cards came", PATIENCE)
        cards = screen.all(".card")
        assert len(cards) == 3
        assert any("Cold calling" in card.text for card in cards)
        screen.tap(screen.button("Why this?"))
        assert "three students" in cards[0].text
        assert not screen.all("script"), "signed out there is nothing to switch off"

    browser.run(journey)


def test_from_a_link_to_a_chosen_skill_in_six_taps_and_one_text(browser: Chromium, pages: Pages) -> None:
    def journey(screen: Screen) -> None:
        sign_in(screen, pages)
        assert screen.path == "/moments"
        assert screen.one("#struggle").get_property("value") == ""
        for words in ("Middle", "30"):
            screen.tap(next(tap for tap in screen.all("label.tap") if tap.text == words))
        skills = open_moment(screen)
        assert len(skills) == 3
        assert "Middle" in screen.one("#wrote").find_element("xpath", "..").text
        screen.tap(screen.button("Why this?"))
        assert "same three students" in screen.one(".card details").text
        screen.follow("Choose this skill", "/practice/")
        assert screen.one("h1").text == skills[0]
        assert (screen.taps, screen.typed) == (6, len(STRUGGLE))

    browser.run(journey)


def test_what_was_typed_is_saved_by_itself_and_there_after_a_reload(browser: Chromium, pages: Pages) -> None:
    def journey(screen: Screen) -> None:
        sign_in(screen, pages)
        screen.type("#struggle", STRUGGLE)
        wait(lambda: "Saved" in screen.one("#draft").text, "the page did not say that it saved")
        assert screen.complaints() == []
        screen.driver.refresh()
        assert screen.one("#struggle").get_property("value") == STRUGGLE
        assert "We kept what you began" in screen.words

    browser.run(journey)


@pytest.mark.parametrize("way", ["Show me something else", "Put it aside"])
def test_a_skill_that_is_put_aside_is_gone_at_once_and_the_page_stays(
    browser: Chromium, pages: Pages, way: str
) -> None:
    def journey(screen: Screen) -> None:
        sign_in(screen, pages)
        gone, *others = open_moment(screen)
        screen.driver.execute_script("window.marker = 'the same page'")
        if way == "Put it aside":
            screen.tap(screen.button("Not now"))
        screen.tap(screen.button(way))
        wait(lambda: gone not in names(screen), f"{gone} is still on the list")
        assert len(names(screen)) == 3
        assert set(others) <= set(names(screen))
        assert screen.driver.execute_script("return window.marker") == "the same page"
        wait(lambda: screen.focus.text == "Skills to try", "the focus is not on the new list")
        assert names(screen)[0] in screen.one("#announce").get_property("textContent")
        assert screen.complaints() == []
        screen.driver.refresh()
        assert gone not in names(screen)
        assert gone in screen.one("#skills").text, "it can be brought back"

    browser.run(journey)


def test_without_scripts_a_teacher_gets_everywhere(browser: Chromium, pages: Pages) -> None:
    def journey(screen: Screen) -> None:
        screen.without_scripts()
        sign_in(screen, pages)
        screen.type("#struggle", STRUGGLE)
        screen.follow("Save for later", "/moments")
        assert screen.one("#struggle").get_property("value") == STRUGGLE
        screen.follow("Show skills to try", "/moments/")
        gone, second, _ = names(screen)
        screen.tap(screen.button("Why this?"))
        assert "same three students" in screen.one(".card details").text
        screen.tap(screen.button("Not now"))
        screen.tap(screen.button("Put it aside"))
        wait(lambda: gone not in names(screen), f"{gone} is still on the list")
        assert names(screen)[0] == second
        screen.follow("Choose this skill", "/practice/")
        assert screen.one("h1").text == second
        check_in(screen)

    browser.run(journey)


def test_with_scripts_a_check_in_is_there_at_once_too(browser: Chromium, pages: Pages) -> None:
    def journey(screen: Screen) -> None:
        sign_in(screen, pages)
        open_moment(screen)
        screen.follow("Choose this skill", "/practice/")
        check_in(screen)

    browser.run(journey)
