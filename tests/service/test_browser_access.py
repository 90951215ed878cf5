"""Every page of the demo school in a real Chromium: rules of axe-core, narrow screens, requests, what is logged."""

from __future__ import annotations

import gzip
from collections import defaultdict
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest
from browser import DESK, PHONE, SMALL_PHONE, Chromium, Screen, chromium, needs_chromium, wait
from demo_pages import SIGNED_OUT, DemoSchool, Visit, demo_school

from service.access.cookies import LOCAL_NAME
from service.access.form_tokens import FORM_TOKEN_FIELD
from service.access.roles import page_routes

pytestmark = needs_chromium

AXE = gzip.decompress((Path(__file__).parent / "axe.min.js.gz").read_bytes()).decode("utf-8")
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
EVERY_RULE = {"runOnly": {"type": "tag", "values": TAGS}, "rules": {"target-size": {"enabled": True}}}
# All that dark can change.
COLOUR_RULES = {"runOnly": {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}}
# Files, ways to other pages, and the end of a visit.
NO_PAGES = {
    ("GET", "/my-data/export"), ("GET", "/admin/model/files/{name}"), ("POST", "/sign-out"),
}  # fmt: skip
LOOKS = ((PHONE, "light", EVERY_RULE), (DESK, "light", EVERY_RULE), (PHONE, "dark", COLOUR_RULES),
         (DESK, "dark", COLOUR_RULES))  # fmt: skip
# A page that answers a form is built as the one it came from.
LOOKS_AT_ANSWER = (LOOKS[0], LOOKS[2])
RUN_AXE = """
const [options, done] = arguments;
axe.run(document, {...options, resultTypes: ["violations"]}).then(
  (found) => done(found.violations.map((rule) => `${rule.id}: ${rule.nodes.map((n) => n.target.join(" "))}`)),
  (error) => done([String(error)]));
"""
# Links in a sentence are as high as its lines; axe looks at those.
SMALL_TARGETS = """
return [...document.querySelectorAll("button, summary, select, textarea, input:not([type=hidden]), a.button, nav a")]
  .map((e) => [e.getBoundingClientRect(), e]).filter(([r]) => r.width && (r.width < 24 || r.height < 24))
  .map(([, e]) => e.outerHTML.slice(0, 80));
"""
SEND = """
const [path, fields, name] = arguments;
const token = document.querySelector(`[name=${name}]`);
const form = document.createElement("form");
form.method = "post"; form.action = path;
for (const [key, value] of Object.entries({...fields, [name]: token ? token.value : ""})) {
  const input = document.createElement("input");
  input.type = "hidden"; input.name = key; input.value = value; form.append(input);
}
document.body.append(form); window.sent = true; form.submit();
"""
LEFT_ON_PAPER = """
return [...document.querySelectorAll("button, a.button, input, select, textarea, nav")]
  .filter((e) => e.getClientRects().length).map((e) => e.outerHTML.slice(0, 80));
"""
# What is closed is not looked at by axe.
OPEN_ALL = "document.querySelectorAll('details').forEach((e) => { e.open = true; })"
ARRIVED = "return document.readyState === 'complete' && !window.sent"


@dataclass
class Seen:
    """What was found wrong, by kind, the routes that were opened, and what was on the pages."""

    wrong: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    templates: set[tuple[str, str]] = field(default_factory=set)
    words: set[str] = field(default_factory=set)

    def of(self, kind: str) -> str:
        return "\n".join(self.wrong[kind])


@pytest.fixture(scope="module")
def school(school_template, served_model, tmp_path_factory):
    with demo_school(tmp_path_factory.mktemp("demo"), school_template, served_model) as school:
        yield school


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    with chromium(tmp_path_factory.mktemp("profiles")) as browser:
        yield browser


def sign_in(screen: Screen, school: DemoSchool, who: str) -> None:
    screen.go(f"{school.pages.address}/help")
    if who != SIGNED_OUT:
        screen.driver.add_cookie({"name": LOCAL_NAME, "value": school.secret(who)})
        screen.go("/my-data")


def open_page(screen: Screen, visit: Visit) -> None:
    if visit.fields is None:
        screen.go(visit.path)
    else:
        if visit.who != SIGNED_OUT and not screen.all(f"[name={FORM_TOKEN_FIELD}]"):
            screen.go("/help")
        screen.driver.execute_script(SEND, visit.path, visit.fields, FORM_TOKEN_FIELD)
        wait(lambda: screen.driver.execute_script(ARRIVED), f"no answer from {visit.path}")


def look_at(screen: Screen, school: DemoSchool, visit: Visit, seen: Seen) -> None:
    """Open a page in every way and note what is wrong with it."""
    screen.complaints()
    screen.asked_for()
    open_page(screen, visit)
    where = f"{'GET' if visit.fields is None else 'POST'} {visit.template} ({screen.driver.title})"
    seen.templates.add(("GET" if visit.fields is None else "POST", visit.template))
    seen.wrong["asked"] += [
        f"{where} {address}"
        for address in screen.asked_for()
        if not address.startswith((f"{school.pages.address}/", "data:"))
    ]
    seen.wrong["logged"] += [f"{where} {line}" for line in screen.complaints()]
    words = screen.words
    if words in seen.words:
        return
    seen.words.add(words)
    screen.driver.execute_script(OPEN_ALL)
    for width in (SMALL_PHONE, PHONE):
        screen.look(width)
        wide = screen.driver.execute_script("return document.documentElement.scrollWidth")
        if wide > width:
            seen.wrong["sideways"].append(f"{where} is {wide} wide on {width}")
    seen.wrong["small"] += [f"{where} {element}" for element in screen.driver.execute_script(SMALL_TARGETS)]
    screen.driver.execute_script(AXE)
    for width, scheme, rules in LOOKS if visit.fields is None else LOOKS_AT_ANSWER:
        screen.look(width, scheme)
        found: list[Any] = screen.driver.execute_async_script(RUN_AXE, rules)
        seen.wrong["axe"] += [f"{where} {width} {scheme} {rule}" for rule in found]
    screen.look(PHONE)


@pytest.fixture(scope="module")
def seen(school, browser):
    """All pages, person after person."""
    everything = Seen()
    visits = school.visits()
    for who, few in groupby(sorted(visits, key=lambda v: (v.fields is not None, v.who)), key=lambda v: v.who):
        few = list(few)

        def journey(screen, who=who, few=few):
            found = Seen()
            sign_in(screen, school, who)
            for visit in few:
                look_at(screen, school, visit, found)
            return found

        found = browser.run(journey)
        everything.templates |= found.templates
        for kind, lines in found.wrong.items():
            everything.wrong[kind] += lines
    return everything


def test_every_page_there_is_was_opened(school: DemoSchool, seen: Seen) -> None:
    wanted = {(method, route.path) for method, route in page_routes(school.pages.app.routes)}
    assert wanted - seen.templates == NO_PAGES


def test_no_page_breaks_a_rule_of_accessibility_light_or_dark_wide_or_narrow(seen: Seen) -> None:
    assert seen.of("axe") == ""


def test_no_page_scrolls_sideways_on_a_phone(seen: Seen) -> None:
    assert seen.of("sideways") == ""


def test_whatever_can_be_tapped_is_large_enough_to_hit(seen: Seen) -> None:
    assert seen.of("small") == ""


def test_no_page_asks_another_machine_for_anything(seen: Seen) -> None:
    assert seen.of("asked") == ""


def test_no_page_has_an_error_to_log(seen: Seen) -> None:
    assert seen.of("logged") == ""


@pytest.mark.parametrize(
    ("role", "path"),
    [
        ("teacher", "/moments/{case_id}"),
        ("teacher", "/practice/{cycle_id}"),
        ("coach", "/coach/moments/{case_id}"),
        ("coach", "/coach/practice/{cycle_id}"),
    ],
)
def test_on_paper_there_is_all_to_read_and_nothing_to_press(
    school: DemoSchool, browser: Chromium, role: str, path: str
) -> None:
    def journey(screen: Screen) -> None:
        sign_in(screen, school, school.people[role])
        screen.go(school.path(role, path))
        screen.look(DESK, media="print")
        assert screen.driver.execute_script(LEFT_ON_PAPER) == []
        printed = screen.driver.execute_script("return document.body.innerText")
        inside = "What led us here" if "moments" in path else "Try this tomorrow:"
        for words in ("Signs that it works", inside, "Not for evaluation"):
            assert words in printed

    browser.run(journey)
