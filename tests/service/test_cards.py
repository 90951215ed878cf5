from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recommender.cases import Reason, parse_case
from service.pages.cards import cards, push, shorten, top_quote

STRUGGLE = "Same three hands every time. The rest wait."


def reason(source, text, effect):
    return Reason(source=source, text=text, effect=effect)


@pytest.mark.parametrize(
    ("source", "effect", "key"),
    [
        ("struggle", 1.0, "strong_up"),
        ("struggle", 0.99, "medium_up"),
        ("struggle", 0.4, "medium_up"),
        ("struggle", 0.39, "small_up"),
        ("context", -0.1, "small_down"),
        ("context", -0.5, "medium_down"),
        ("constraint", -2.0, "strong_down"),
    ],
)
def test_an_effect_is_told_in_words(source, effect, key):
    assert push(reason(source, "words", effect)) == key


def test_the_quote_is_the_phrase_that_spoke_most_for_the_skill():
    reasons = [
        reason("prior", "The starting point", 3.0),
        reason("struggle", "The rest wait.", 0.2),
        reason("struggle", "Same three hands every time.", 1.6),
        reason("struggle", "The rest of what you wrote", 2.0),
    ]
    assert top_quote(reasons, STRUGGLE) == "Same three hands every time"


def test_words_that_spoke_against_a_skill_are_not_quoted_for_it():
    assert top_quote([reason("struggle", "The rest wait.", -0.2)], STRUGGLE) is None


def test_a_long_quote_is_cut_between_words():
    quote = shorten("word " * 100)
    assert quote.endswith("word …")
    assert len(quote) <= 142


@given(st.text(min_size=1))
def test_a_quote_is_one_line_and_short(words):
    quote = shorten(words)
    assert "\n" not in quote
    assert len(quote) <= 142


def test_a_ranking_of_many_skills_shows_three_cards_each_with_its_reasons(served_model, example):
    ranking = served_model.recommender.rank(parse_case({**example, "top": 10}))
    shown = cards(ranking, example["struggle"], served_model.recommender.catalogue)
    assert [card.skill.id for card in shown] == [suggestion.skill_id for suggestion in ranking.suggestions[:3]]
    for card in shown:
        assert card.whys[-1].push is None
        assert any(why.quote and why.text.rstrip(" …") in example["struggle"] for why in card.whys)
