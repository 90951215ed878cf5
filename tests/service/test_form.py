from __future__ import annotations

from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.pages.form import Form
from service.pages.posted import clean_text, parse_posted
from service.problems import Problem


def parse_form(content):
    return Form.of(parse_posted(content))


def test_a_filled_form_becomes_a_case():
    content = urlencode({"struggle": "They talk\r\nover me", "grade_band": "high", "subject": "music", "minutes": "30"})
    form = parse_form(content.encode())
    assert form == Form("They talk\nover me", "high", "music", 30)
    case = form.case()
    assert case.struggle == "They talk\nover me"
    assert (case.context.grade_band, case.context.subject) == ("high", "music")
    assert (case.context.minutes_per_week, case.context.fit_minutes) == (30, True)


def test_a_form_with_the_box_alone_is_enough():
    case = parse_form(b"struggle=They+talk").case()
    assert (case.context.grade_band, case.context.subject) == ("unknown", "unknown")
    assert (case.context.minutes_per_week, case.context.fit_minutes) == (None, False)


def test_a_choice_that_is_not_on_the_page_counts_as_skipped():
    assert parse_form(b"struggle=a&grade_band=phd&subject=x&minutes=31") == Form("a")


@given(st.binary())
def test_any_bytes_become_a_form_that_can_be_ranked_or_a_problem(content):
    try:
        form = parse_form(content)
    except Problem:
        return
    assert form.error is not None or form.case().struggle == form.struggle


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=200))
def test_any_text_a_browser_can_send_survives(text):
    form = parse_form(urlencode({"struggle": text}).encode())
    assert form.struggle == clean_text(text)
    assert form.error is not None or form.case()


@pytest.mark.parametrize(
    ("text", "error"), [("", "empty"), (" \n", "empty"), ("a" * 4_001, "too_long"), ("a" * 4_000, None)]
)
def test_the_box_must_hold_something_and_not_too_much(text, error):
    assert Form(text).error == error
