from __future__ import annotations

from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import Request

from service.pages.form import Form, clean_text, is_same_origin, parse_form
from service.problems import Problem


def sent_with(**headers):
    pairs = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return Request({"type": "http", "headers": pairs})


@pytest.mark.parametrize(
    "headers",
    [
        {"sec_fetch_site": "same-origin"},
        {"sec_fetch_site": "none"},
        {"origin": "http://localhost:8000", "host": "localhost:8000"},
        {"host": "localhost:8000"},
    ],
)
def test_a_form_the_page_itself_sent_is_taken(headers):
    assert is_same_origin(sent_with(**headers))


@pytest.mark.parametrize(
    "headers",
    [
        {"sec_fetch_site": "cross-site"},
        {"sec_fetch_site": "same-site"},
        {"sec_fetch_site": "cross-site", "origin": "http://localhost:8000", "host": "localhost:8000"},
        {"origin": "https://evil.example", "host": "localhost:8000"},
        {"origin": "http://localhost:9000", "host": "localhost:8000"},
        {"origin": "null", "host": "localhost:8000"},
        {"origin": "https://localhost:8000.evil.example", "host": "localhost:8000"},
    ],
)
def test_a_form_another_site_sent_is_not(headers):
    assert not is_same_origin(sent_with(**headers))


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


@pytest.mark.parametrize("content", [b"struggle=\xff", b"&".join(b"a%d=1" % i for i in range(11))])
def test_what_no_browser_sends_is_refused(content):
    with pytest.raises(Problem):
        parse_form(content)


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


def test_control_characters_from_a_paste_become_spaces():
    assert clean_text("a\x0bb\x00c\u0085d\te\r\nf\rg") == "a b c d\te\nf\ng"
