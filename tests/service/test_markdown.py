from __future__ import annotations

from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recommender.ranking.versions import DEFAULT_MODELS, current_version
from service.pages.markdown import render_markdown

TAGS = {
    "h2", "h3", "h4", "h5", "h6", "p", "ul", "ol", "li", "div", "table", "thead", "tbody", "tr", "th", "td",
    "pre", "code", "strong", "a", "img",
}  # fmt: skip
ATTRIBUTES = {
    "div": {"class", "role", "tabindex", "aria-label"}, "th": {"scope"}, "pre": {"tabindex"}, "a": {"href", "rel"},
    "img": {"src", "alt"},
}  # fmt: skip
# What a card is made of, and what somebody would put in to get a tag through.
PIECES = st.sampled_from(
    [
        "# ", "## ", "- ", "1. ", "| a | b |", "|---|---|", "|", "```", "`", "**", "[", "](", ")", "![",
        "https://x.example", "javascript:alert(1)", "plot.svg", "<script>", "</p>", "<img src=x onerror=alert(1)>",
        '"', "'", "&lt;", "&", "<", ">", '" onclick="x', "word", " ", "\n", "\n\n", "{0}", "{", "%s",
    ]
)  # fmt: skip
SOURCES = st.lists(PIECES, max_size=30).map("".join) | st.text(max_size=200)


class Found(HTMLParser):
    """The elements of a page, whether each is closed in its place, and its words."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.words = ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag != "img":
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words += data

    def handle_comment(self, data):
        raise AssertionError("a comment")

    def handle_decl(self, decl):
        raise AssertionError("a declaration")


@given(SOURCES)
def test_no_tag_attribute_or_address_of_the_source_gets_through(source):
    found = Found(render_markdown(source, images={"plot.svg": "/plot"}))
    assert found.open == []
    for tag, attributes in found.elements:
        assert tag in TAGS
        assert set(attributes) <= ATTRIBUTES.get(tag, set())
        assert tag != "a" or attributes["href"].startswith(("https://", "http://"))
        assert tag != "img" or attributes["src"] == "/plot"


@given(st.text(alphabet=st.characters(categories=("L", "N")), min_size=1, max_size=30))
def test_plain_words_come_out_as_they_went_in(words):
    assert Found(render_markdown(words)).words == words


@pytest.mark.parametrize(
    ("source", "wanted"),
    [
        ("# Card", "<h2>Card</h2>"),
        ("## Data ##", "<h3>Data</h3>"),
        ("###### Deep", "<h6>Deep</h6>"),
        ("one\ntwo\n\nthree", "<p>one two</p>\n<p>three</p>"),
        ("- a\n- **b**", "<ul>\n<li>a</li>\n<li><strong>b</strong></li>\n</ul>"),
        ("1. a\n2) b", "<ol>\n<li>a</li>\n<li>b</li>\n</ol>"),
        ("a `b < c` d", "<p>a <code>b &lt; c</code> d</p>"),
        ("```\nx < y\n\n- z\n```\nend", '<pre tabindex="0"><code>x &lt; y\n\n- z</code></pre>\n<p>end</p>'),
        ("```\nnever ends", '<pre tabindex="0"><code>never ends</code></pre>'),
        ("[w](https://x.example/?a=1&b=2)", '<p><a href="https://x.example/?a=1&amp;b=2" rel="noreferrer">w</a></p>'),
        ("[file](data.csv) and [bad](javascript:alert)", "<p>file and bad</p>"),
        ("![Plot](plot.svg) ![Gone](gone.svg)", '<p><img src="/plot" alt="Plot"> Gone</p>'),
        ("nDCG@5 is 2^g - 1, *so* it_is", "<p>nDCG@5 is 2^g - 1, *so* it_is</p>"),
        ("", ""),
    ],
)  # fmt: skip
def test_what_a_card_is_made_of_becomes_html(source, wanted):
    assert render_markdown(source, images={"plot.svg": "/plot"}) == wanted


def test_a_table_has_as_many_cells_in_every_row_as_in_its_head():
    found = Found(render_markdown("text\n| a | b |\n|---|:-:|\n| 1 |\n| 1 | 2 | 3 |\nafter", table_label='A "label"'))
    tags = [tag for tag, _ in found.elements]
    assert (tags.count("th"), tags.count("td"), tags.count("tr"), tags.count("p")) == (2, 4, 3, 2)
    assert ("div", {"class": "wide", "role": "group", "tabindex": "0", "aria-label": 'A "label"'}) in found.elements


def test_a_line_with_bars_and_no_rule_under_it_is_a_paragraph():
    assert render_markdown("| a | b |\n| c | d |") == "<p>| a | b | | c | d |</p>"


def test_the_shipped_card_leaves_no_mark_of_its_markdown():
    card = (DEFAULT_MODELS / current_version(DEFAULT_MODELS) / "card.md").read_text(encoding="utf-8")
    found = Found(render_markdown(card, images={"reliability.svg": "/plot"}))
    assert found.open == []
    assert [tag for tag, _ in found.elements].count("table") == card.count("\n|---")
    for mark in ("**", "`", "|---", "## ", "]("):
        assert mark not in found.words
