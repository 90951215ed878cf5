from __future__ import annotations

from datetime import date

import pytest
from starlette.requests import Request

from service.pages.posted import clean_text, is_same_origin, parse_posted
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


@pytest.mark.parametrize("content", [b"struggle=\xff", b"&".join(b"a%d=1" % i for i in range(65))])
def test_what_no_browser_sends_is_refused(content):
    with pytest.raises(Problem):
        parse_posted(content)


def test_control_characters_from_a_paste_become_spaces():
    assert clean_text("a\x0bb\x00c\u0085d\te\r\nf\rg") == "a b c d\te\nf\ng"


def test_a_field_is_read_as_what_it_should_be_or_as_not_given():
    posted = parse_posted(b"a=b&n=+7+&m=-1&big=99999999999&d=2026-12-03&e=3.12.2026&x=1&x=2&t=a%0D%0Ab%00")
    assert (posted.get("a"), posted.get("none"), posted.get("none", "x")) == ("b", "", "x")
    assert (posted.one_of("a", ["b"]), posted.one_of("a", ["c"])) == ("b", "")
    assert [posted.whole_number(name, 0, 9) for name in ("n", "m", "big", "a", "none")] == [7, None, None, None, None]
    assert (posted.day("d"), posted.day("e"), posted.day("none")) == (date(2026, 12, 3), None, None)
    assert (posted.all("x"), posted.all("none")) == (["1", "2"], [])
    assert posted.text("t") == "a\nb "
