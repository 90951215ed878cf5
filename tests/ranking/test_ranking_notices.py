"""What is said beside a ranking, in which order and when."""

from __future__ import annotations

import numpy as np
import pytest
from observed_cases import N, case_of, evidence, needs_of, observation, skills

from recommender.observations.notices import notice
from recommender.ranking.messages import message
from recommender.ranking.notices import DISAGREEMENT, LONG_TEXT_WORDS, ranking_notices
from recommender.ranking.observed import Observed, ReadNote

SHARES = np.stack([skills(cold_calling=1.0), skills(entry_routine=1.0)])
NEEDS = needs_of([0.5, -0.5], SHARES)
FLAT = needs_of([0.0, 0.0], SHARES, notices=("flat_profile", "unknown_observer"))
NOTE = ReadNote([], np.zeros((0, N)), np.zeros(N))
NOTHING = Observed(None, [])
WORDS = "The same three students answer every question."


def said(observed, *, words=True, parts=None, struggle=WORDS, **context):
    case = case_of([observation("3b", 2)], struggle, context=context)
    return ranking_notices(case, parts or evidence(), observed, words=words)


def against(down: float, up: float):
    """Words for cold calling; items that pull it by ``down`` and entry routines by ``up``."""
    return evidence(
        clauses=[WORDS],
        clause_effects=skills(cold_calling=2.0)[None],
        items=NEEDS.items,
        item_effects=np.stack([skills(cold_calling=down), skills(entry_routine=up)]),
        interest=skills(entry_routine=9.0),
    )


def test_with_words_and_scores_that_agree_nothing_is_said():
    assert said(Observed(NEEDS, []), parts=against(0.5, -0.5)) == []
    assert said(NOTHING) == []


def test_words_that_could_not_be_used_are_said_to_be_unused():
    assert said(Observed(NEEDS, []), words=False) == [message("words_not_used")]
    assert said(Observed(NEEDS, []), words=False, struggle="  \n") == []


def test_words_set_aside_on_request_are_said_to_be_set_aside():
    assert said(Observed(NEEDS, []), mix=1.0) == [message("words_set_aside")]
    assert said(Observed(NEEDS, []), mix=0.99) == []


def test_words_are_not_set_aside_where_there_is_nothing_else():
    assert said(NOTHING, mix=1.0) == []


@pytest.mark.parametrize(
    ("down", "up", "disagree"),
    [
        (-DISAGREEMENT, DISAGREEMENT, True),
        (-2.0, 2.0, True),
        (-DISAGREEMENT + 0.001, 2.0, False),
        (-2.0, DISAGREEMENT - 0.001, False),
        (0.5, 2.0, False),
    ],
)
def test_words_and_scores_disagree_where_the_first_skill_of_the_words_falls_and_another_rises(down, up, disagree):
    expected = [message("observations_disagree")] if disagree else []
    assert said(Observed(NEEDS, []), parts=against(down, up)) == expected


def test_words_that_do_not_count_disagree_with_nothing():
    parts = against(-2.0, 2.0)
    assert said(Observed(NEEDS, []), parts=parts, words=False) == [message("words_not_used")]
    assert said(Observed(NEEDS, []), parts=parts, mix=1.0) == [message("words_set_aside")]


def test_flat_scores_beside_words_leave_the_list_to_the_words():
    assert said(Observed(FLAT, [])) == [message("observations_flat"), notice("unknown_observer")]


def test_flat_scores_beside_notes_leave_nothing_to_words_that_do_not_count():
    flat = [notice("flat_profile"), notice("unknown_observer")]
    assert said(Observed(FLAT, [NOTE]), words=False) == [message("words_not_used"), *flat]
    assert said(Observed(FLAT, [NOTE]), mix=1.0) == [message("words_set_aside"), *flat]


def test_the_notices_of_the_needs_are_passed_on_in_their_order():
    needs = needs_of([0.0], SHARES[:1], notices=("one_item", "thin_norms"))
    assert said(Observed(needs, [])) == [notice("one_item"), notice("thin_norms")]


def test_a_long_struggle_is_called_long_where_it_is_used():
    long = "word " * (LONG_TEXT_WORDS + 1)
    assert said(NOTHING, struggle=long) == [message("long_text")]
    assert said(NOTHING, struggle="word " * LONG_TEXT_WORDS) == []
    assert message("long_text") not in said(Observed(NEEDS, []), struggle=long, words=False)
    assert said(Observed(NEEDS, []), struggle=long, parts=against(-2, 2)) == [
        message("observations_disagree"),
        message("long_text"),
    ]
