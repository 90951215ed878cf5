from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recommender.struggles.clauses import MAX_WORDS, MIN_WORDS, split_clauses

bounded = settings(max_examples=300, deadline=None, derandomize=True)

words = st.sampled_from(
    ["kids", "talk", "I", "wait", "and", "but", "because", "So", "which", "don't", "3rd", "(again)", '"no"', "naïve"]
)
joints = st.sampled_from(
    [" ", "  ", ", ", "; ", ": ", ". ", "! ", '." ', "?) ", " - ", " — ", "--", "\n", "\n\n", "\t"]
)
struggles = st.lists(st.tuples(words, joints), max_size=70).map(lambda parts: "".join(w + j for w, j in parts))
texts = struggles | st.text(max_size=120) | st.text(alphabet=" \n.,-—\"'ab", max_size=60)


def clauses_of(text: str) -> list[str]:
    return [text[start:end] for start, end in split_clauses(text)]


# Hand-worked


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("They talk all day. Nobody ever listens!", ["They talk all day.", "Nobody ever listens!"]),
        ("They talk all day, nobody ever listens", ["They talk all day,", "nobody ever listens"]),
        ("First they talk; then they fight: every day now", ["First they talk;", "then they fight:", "every day now"]),
        ("They talk all day - I just wait", ["They talk all day", "I just wait"]),
        ("They talk all day — I just wait", ["They talk all day", "I just wait"]),
        ("They talk all day\nI just wait\n", ["They talk all day", "I just wait"]),
        (
            "I stand there waiting but they talk because it is loud",
            ["I stand there waiting", "but they talk", "because it is loud"],
        ),
        (
            "So I stop right there. THEY LAUGH AT ME AND THEY RUN",
            ["So I stop right there.", "THEY LAUGH AT ME", "AND THEY RUN"],
        ),
    ],
)
def test_a_clause_ends_at_punctuation_a_dash_a_line_or_before_a_linking_word(text, expected):
    assert clauses_of(text) == expected


@pytest.mark.parametrize(
    "text", ["well-known trouble again", "at 9.30 every morning", "andy or-else butter sofa", "a,b,c"]
)
def test_what_stands_inside_a_word_ends_no_clause(text):
    assert clauses_of(text) == [text]


def test_pieces_of_one_or_two_words_join_the_piece_before_and_the_first_one_the_piece_after():
    assert clauses_of("Help. They talk all day. Every day. I just wait") == [
        "Help. They talk all day. Every day.",
        "I just wait",
    ]


def test_a_joined_piece_keeps_the_dash_between():
    assert clauses_of("They talk all day - always") == ["They talk all day - always"]


def test_a_short_piece_that_would_make_a_clause_too_long_stays_alone():
    long = " ".join(["word"] * MAX_WORDS)
    assert clauses_of(f"{long}. Yes.") == [f"{long}.", "Yes."]


def test_a_long_piece_is_cut_at_spaces_into_equal_parts():
    text = " ".join(f"w{i}" for i in range(MAX_WORDS * 2 + 2))
    assert [len(clause.split()) for clause in clauses_of(text)] == [17, 17, 16]
    assert " ".join(clauses_of(text)) == text
    assert clauses_of(" ".join(["word"] * MAX_WORDS)) == [" ".join(["word"] * MAX_WORDS)]


def test_a_closing_quote_or_bracket_stays_with_what_it_closes():
    text = 'He told me "you are the worst." Then they left (all of them!) and I cried.'
    assert clauses_of(text) == ['He told me "you are the worst."', "Then they left (all of them!)", "and I cried."]


@pytest.mark.parametrize("text", ["", " ", "\n\t \n"])
def test_nothing_written_has_no_clause(text):
    assert split_clauses(text) == []


@pytest.mark.parametrize("text", ["-", " - ", "\n—\n", " -- ", " - \n - "])
def test_a_text_of_dashes_is_still_one_clause_for_its_words_to_belong_to(text):
    assert len(split_clauses(text)) == 1


def test_spans_point_into_the_text_as_it_was_written():
    text = "  They talk all day.\n\n  I just wait  "
    assert [tuple(clause) for clause in split_clauses(text)] == [(2, 20), (24, 35)]


# For any text


@bounded
@given(texts)
def test_clauses_stand_in_order_apart_and_within_the_text(text):
    clauses = split_clauses(text)
    assert all(0 <= clause.start < clause.end <= len(text) for clause in clauses)
    assert all(before.end <= after.start for before, after in pairwise(clauses))


@bounded
@given(texts)
def test_clauses_hold_every_character_but_space_and_the_dashes_between_them(text):
    covered = {i for start, end in split_clauses(text) for i in range(start, end)}
    left = {text[i] for i in range(len(text)) if i not in covered and not text[i].isspace()}
    assert left <= set("-–—")


@bounded
@given(texts)
def test_no_clause_begins_or_ends_with_space_or_is_too_long_to_quote(text):
    for clause in clauses_of(text):
        assert clause == clause.strip()
        assert 1 <= len(clause.split()) <= MAX_WORDS


@bounded
@given(texts)
def test_a_clause_is_short_only_where_joining_would_make_it_too_long(text):
    for before, after in pairwise(split_clauses(text)):
        lengths = [len(text[c.start : c.end].split()) for c in (before, after)]
        together = len(text[before.start : after.end].split())
        assert min(lengths) >= MIN_WORDS or together > MAX_WORDS


@bounded
@given(texts)
def test_the_same_text_is_cut_the_same_way(text):
    assert split_clauses(text) == split_clauses(text)
