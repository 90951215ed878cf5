from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recommender.training.augment import (
    add_typos,
    augment,
    drop_sentence,
    loosen,
    phrase_as_learner,
    split_sentences,
    truncate,
)
from recommender.training.corpus import REAL_TRAIN, load_rows

bounded = settings(max_examples=100, deadline=None, derandomize=True)
texts = st.text(max_size=200) | st.lists(
    st.sampled_from(["They", "talked", "to", "the", "kids,", "again.", "Why?", "is", "naïve"]), max_size=60
).map(" ".join)
seeds = st.integers(0, 2**32 - 1)

STRUGGLE = (
    "The same three hands go up, every time. I wait and I wait. Nobody else even looks at me! "
    "Yesterday I called on Sam, and he was asked to repeat the question. What am I doing wrong?"
)


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def variants(change, text: str, n: int = 400) -> Counter[str]:
    """What a change makes of a text in n draws."""
    generator = rng()
    return Counter(change(text, generator) for _ in range(n))


# Sentences


def test_sentences_end_at_full_stops_and_question_and_exclamation_marks():
    assert split_sentences(" They talk. Why? At 9.30 again!  I wait") == [
        "They talk.",
        "Why?",
        "At 9.30 again!",
        "I wait",
    ]
    assert split_sentences("") == []


def test_every_sentence_of_three_or_more_may_be_the_one_left_out():
    text = "One is here. Two is here. Three is here."
    assert set(variants(drop_sentence, text)) == {
        "Two is here. Three is here.",
        "One is here. Three is here.",
        "One is here. Two is here.",
    }


def test_a_text_of_two_sentences_loses_none():
    assert drop_sentence("One is here. Two is here.", rng()) == "One is here. Two is here."


# Cutting


def test_a_text_is_cut_within_its_last_two_fifths():
    words = [f"w{i}" for i in range(25)]
    cut = variants(truncate, " ".join(words))
    assert {len(text.split()) for text in cut} == set(range(15, 25))
    assert all(text.split() == words[: len(text.split())] for text in cut)


def test_a_text_under_25_words_is_not_cut():
    text = " ".join(["word"] * 24)
    assert truncate(text, rng()) == text


# Typos


def test_without_a_rate_nothing_is_mistyped():
    assert add_typos(STRUGGLE, rng(), rate=0) == STRUGGLE


def test_a_letter_is_dropped_doubled_or_hit_next_to_its_key():
    assert set(variants(lambda text, r: add_typos(text, r, rate=1), "p")) == {"", "pp", "o"}


def test_letters_change_places_with_the_next_character():
    assert "ba" in variants(lambda text, r: add_typos(text, r, rate=0.5), "ab")


def test_digits_and_punctuation_are_never_mistyped():
    assert add_typos("12:30, 45% - (7)!", rng(), rate=1) == "12:30, 45% - (7)!"


def test_the_default_rate_touches_about_one_letter_in_fifty():
    text = "abcdefghij" * 1_000
    changed = add_typos(text, rng())
    # Dropped and doubled letters each come in a quarter of 200 touches; mistyped ones must leave the alphabet's cycle.
    assert 9_900 <= len(changed) <= 10_100
    intact = sum(part == "abcdefghij" for part in changed.replace("ja", "j a").split())
    assert 750 <= intact <= 900


# Second-language phrasing and loose typing


def test_a_learner_leaves_out_articles_and_auxiliaries_one_by_one():
    assert set(variants(phrase_as_learner, "the cat is here")) == {
        "the cat is here",
        "cat is here",
        "the cat here",
        "cat here",
    }


def test_a_learner_sometimes_leaves_out_an_ending():
    seen = variants(phrase_as_learner, "kids walked", n=1_000)
    assert set(seen) == {"kids walked", "kid walked", "kids walk", "kid walk"}
    # Nine in ten endings stay: 81% of texts with two of them.
    assert 770 <= seen["kids walked"] <= 850


def test_a_word_that_only_begins_like_an_article_stays():
    assert set(variants(phrase_as_learner, "theatre anthem island today")) == {"theatre anthem island today"}


def test_loose_typing_is_lower_case_and_half_of_the_time_without_inner_punctuation():
    seen = variants(loosen, 'Sam (again): "No, Sir." Don\'t!', n=1_000)
    assert set(seen) == {'sam (again): "no, sir." don\'t!', "sam again no sir. dont!"}
    assert 430 <= seen["sam again no sir. dont!"] <= 570


# All of it


def test_the_same_seed_gives_the_same_variants():
    def ten(seed: int) -> list[str]:
        generator = rng(seed)
        return [augment(STRUGGLE, generator) for _ in range(10)]

    assert ten(3) == ten(3)
    assert ten(3) != ten(4)


def test_a_text_changes_afresh_and_stays_as_it_is_in_about_half_of_the_draws():
    seen = variants(augment, STRUGGLE, n=2_000)
    # 40% are left alone; of the rest .7 * .8 * .85 * .65 * .65 meet none of the five changes: 40% + 12%.
    assert 0.48 <= seen[STRUGGLE] / 2_000 <= 0.56
    assert len(seen) > 500


@pytest.mark.parametrize("seed", range(3))
def test_no_real_struggle_is_changed_beyond_recognition(seed):
    generator = rng(seed)
    for row in load_rows(REAL_TRAIN)[::10]:
        changed = augment(row.text, generator)
        words = set(row.text.lower().split())
        kept = sum(word in words for word in changed.lower().split())
        assert kept >= 0.3 * len(changed.split()), row.id
        assert len(changed.split()) >= 0.2 * len(row.text.split()), row.id


@bounded
@given(texts, seeds)
def test_no_change_makes_a_text_much_longer_or_fails_on_one(text, seed):
    for change in (drop_sentence, truncate, phrase_as_learner, loosen):
        # Lower case may be longer than upper case in some scripts, never more than three times.
        assert len(change(text, rng(seed))) <= 3 * len(text)
    assert len(augment(text, rng(seed))) <= 3 * len(text) + len(text) // 2 + 3
