"""What came of a choice: confirmed by practice it counts more, where there was no room to grow it counts less."""

from __future__ import annotations

import pytest
from evidence_rows import CATALOGUE, SKILLS, choice, place, row
from hypothesis import given
from hypothesis import strategies as st

from recommender.learning.evidence import Outcome
from recommender.learning.outcomes import chance_of_rise, choice_factor
from recommender.learning.parameters import load_learning_parameters
from recommender.learning.signals import read_signals

PARAMETERS = load_learning_parameters()
LOOKS = st.integers(0, 12)


def outcome(before: tuple[int, int], after: tuple[int, int], skill: int = 0) -> Outcome:
    return Outcome(
        skill_id=SKILLS[skill], before_seen=before[0], before_looked_for=before[1], after_seen=after[0],
        after_looked_for=after[1],
    )  # fmt: skip


def factor(before: tuple[int, int], after: tuple[int, int]) -> float:
    return choice_factor(outcome(before, after), PARAMETERS.outcomes)


def test_the_chance_of_a_rise_is_the_exact_one_of_two_uniform_posteriors():
    # One look each, unseen before and seen after: P(B > A) for Beta(1, 2) and Beta(2, 1) is 5/6.
    assert chance_of_rise(outcome((0, 1), (1, 1))) == pytest.approx(5 / 6)
    assert chance_of_rise(outcome((1, 1), (0, 1))) == pytest.approx(1 / 6)
    assert chance_of_rise(outcome((0, 0), (0, 0))) == pytest.approx(1 / 2)


@given(LOOKS, LOOKS, LOOKS, LOOKS)
def test_a_rise_and_a_fall_are_each_others_complement(seen, unseen, seen_after, unseen_after):
    there = outcome((seen, seen + unseen), (seen_after, seen_after + unseen_after))
    back = outcome((seen_after, seen_after + unseen_after), (seen, seen + unseen))
    assert chance_of_rise(there) + chance_of_rise(back) == pytest.approx(1)


@given(LOOKS, LOOKS, LOOKS, LOOKS)
def test_a_choice_counts_between_nothing_and_what_confirmed_says(seen, unseen, seen_after, unseen_after):
    times = factor((seen, seen + unseen), (seen_after, seen_after + unseen_after))
    assert 0 <= times <= PARAMETERS.outcomes.confirmed.value


def test_where_nothing_was_looked_for_and_where_nothing_changed_a_choice_counts_as_it_is():
    assert factor((0, 0), (0, 0)) == pytest.approx(1)
    assert factor((1, 4), (1, 4)) == pytest.approx(1)
    assert factor((2, 4), (0, 4)) == pytest.approx(1), "weeks can fail for many reasons"


def test_practice_that_was_seen_to_work_confirms_the_choice_and_a_skill_that_was_there_before_does_not():
    assert factor((0, 8), (8, 8)) == pytest.approx(2, abs=0.01)
    assert 1 < factor((1, 4), (3, 4)) < 2
    # All of 12 looks before: the share is below four in five with a chance of .8^13 = .055, .069 of what it was.
    assert factor((12, 12), (12, 12)) == pytest.approx(0.8**12, rel=1e-6)


def test_an_outcome_changes_the_weight_of_the_choice_it_came_of_and_of_no_other():
    shown = [place(skill, skill + 1) for skill in range(3)]
    plain, kept, other = (
        row(number, shown=shown, choices=[choice(0, rank=1)], outcome=came)
        for number, came in enumerate([None, outcome((0, 8), (8, 8)), outcome((0, 8), (8, 8), skill=1)])
    )
    _, picks = read_signals([plain, kept, other], CATALOGUE, PARAMETERS)
    weight = PARAMETERS.signals.chosen.weight
    assert picks.weight.tolist() == pytest.approx([weight, 2 * weight, weight], abs=0.01)
