from __future__ import annotations

import pytest

from recommender.cases import Case
from recommender.catalogue.loader import load_catalogue
from recommender.ranking.ask_next import CLOSE, FEW_WORDS, ask_next
from recommender.ranking.messages import message

CATALOGUE = load_catalogue()
LONG = " ".join(["word"] * FEW_WORDS)
# Two neighbours made for any subject and any grade, and a stranger to both.
FIRST, SECOND, STRANGER = "cold-calling", "high-ratio-questioning", "entry-routine"


def case(struggle: str = LONG, **context: str) -> Case:
    return Case.model_validate({"case_id": "c1", "struggle": struggle, "context": context})


def asked(ranked: list[tuple[str, float]], struggle: str = LONG, **context: str) -> str | None:
    return ask_next(case(struggle, **context), CATALOGUE, ranked)


def between(first: str, second: str) -> str:
    one, two = CATALOGUE[first], CATALOGUE[second]
    return message(
        "ask_between", first=one.name, first_line=one.summary, second=two.name, second_line=two.summary
    )  # fmt: skip


def test_the_skills_of_these_tests_are_what_is_said_of_them():
    assert CATALOGUE.are_neighbours(FIRST, SECOND)
    assert not CATALOGUE.are_neighbours(FIRST, STRANGER)
    assert not CATALOGUE.are_neighbours(SECOND, STRANGER)
    assert all(CATALOGUE[skill_id].subjects == ["any"] for skill_id in (FIRST, SECOND, STRANGER))


def test_of_a_few_words_the_moment_is_asked_for_before_anything_else():
    close = [(FIRST, 0.5), (SECOND, 0.5)]
    assert asked(close, " ".join(["word"] * (FEW_WORDS - 1))) == message("ask_moment")
    assert asked(close, LONG) == between(FIRST, SECOND)


def test_two_close_neighbours_are_told_apart():
    question = asked([(FIRST, 0.5), (SECOND, 0.4)])
    assert question == between(FIRST, SECOND)
    for skill_id in (FIRST, SECOND):
        assert CATALOGUE[skill_id].name in question
        assert CATALOGUE[skill_id].summary in question


def test_neighbours_that_stand_well_apart_need_no_question():
    assert asked([(FIRST, 0.8), (SECOND, 0.8 - CLOSE - 0.01)], subject="art", grade_band="high") is None


def test_close_skills_that_are_no_neighbours_need_no_question():
    assert asked([(FIRST, 0.5), (STRANGER, 0.5)], subject="art", grade_band="high") is None


def test_only_suggestions_that_stand_next_to_each_other_are_told_apart():
    apart = [(FIRST, 0.5), (STRANGER, 0.5), (SECOND, 0.5)]
    assert asked(apart, subject="art", grade_band="high") is None


def test_the_first_pair_of_close_neighbours_is_the_one_asked_about():
    ranked = [(STRANGER, 0.6), (FIRST, 0.5), (SECOND, 0.45), ("every-student-response", 0.4)]
    assert asked(ranked) == between(FIRST, SECOND)


def test_a_neighbour_that_spreading_put_below_a_smaller_score_is_close():
    assert asked([(FIRST, 0.4), (SECOND, 0.45)]) == between(FIRST, SECOND)


@pytest.mark.parametrize(
    ("context", "key"),
    [
        ({}, "ask_subject"),
        ({"grade_band": "high"}, "ask_subject"),
        ({"subject": "science"}, "ask_grade_band"),
        ({"subject": "underwater basket weaving"}, "ask_grade_band"),
        ({"subject": "science", "grade_band": "high"}, None),
    ],
)
def test_the_subject_is_asked_for_where_a_suggestion_is_made_for_some_subjects(context, key):
    ranked = [(FIRST, 0.5), ("phonics-routine", 0.4)]
    assert asked(ranked, **context) == (message(key) if key else None)


def test_the_subject_is_not_asked_for_where_it_changes_nothing():
    assert asked([(FIRST, 0.5), (STRANGER, 0.4)]) == message("ask_grade_band")
    assert asked([(FIRST, 0.5)], grade_band="middle") is None


def test_the_answer_never_quotes_the_struggle():
    struggle = "xylophone " * 30
    for ranked in ([(FIRST, 0.5), (SECOND, 0.5)], [("phonics-routine", 0.5)], [(FIRST, 0.5)]):
        assert "xylophone" not in (asked(ranked, struggle) or "")
