from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recommender.training.simulate.coach_grades import coach_grades, coach_value
from recommender.training.simulate.parameters import load_parameters

# Steps of the tests' own, so that the arithmetic stands on the page.
TRUTH = load_parameters().district.truth.model_copy(
    update={"second_within": 0.35, "third_within": 0.9, "need_weight": 0.7, "epsilon": 0.01}
)


def grades(*values: float) -> list[int]:
    return coach_grades(np.array([values]), TRUTH)[0].tolist()


def test_the_best_skill_is_where_to_start() -> None:
    assert grades(0.0, 5.0, 1.0) == [0, 3, 0]


def test_up_to_three_close_skills_could_well_be_first_and_up_to_four_come_later() -> None:
    assert grades(1.0, 0.7, 0.3, 0.05) == [3, 2, 1, 0]
    # Four within .35: the fourth only comes later.
    assert grades(1.0, 0.9, 0.9, 0.8, 0.7) == [3, 2, 2, 2, 1]
    # Three could be first, then four later, then nothing, however close.
    assert grades(1.0, *[0.9] * 9) == [3, 2, 2, 2, 1, 1, 1, 1, 0, 0]


def test_ties_with_the_best_go_in_catalogue_order() -> None:
    assert grades(1.0, 1.0, 1.0, 1.0, 1.0) == [3, 2, 2, 2, 1]


def test_the_value_of_a_skill_by_hand() -> None:
    value = coach_value(np.array([[0.49, 0.0]]), np.array([[2.0, 1.0]]), TRUTH)
    assert value[0] == pytest.approx([np.log(0.5) + 1.4, np.log(0.01) + 0.7])


def test_a_great_need_can_outdo_the_order_of_the_words() -> None:
    shares = np.array([[0.6, 0.4]])
    assert coach_grades(coach_value(shares, np.array([[0.0, 0.0]]), TRUTH), TRUTH)[0].tolist() == [3, 1]
    assert coach_grades(coach_value(shares, np.array([[0.0, 1.5]]), TRUTH), TRUTH)[0].tolist() == [1, 3]


@settings(max_examples=100, deadline=None, derandomize=True)
@given(st.lists(st.floats(-3, 3), min_size=2, max_size=40))
def test_grades_follow_the_values_and_keep_their_numbers(values) -> None:
    given_values = np.array([values])
    found = coach_grades(given_values, TRUTH)[0]
    assert (found == 3).sum() == 1 and values[int(found.argmax())] == max(values)
    assert (found == 2).sum() <= 3 and (found == 1).sum() <= 4
    for high in (1, 2, 3):
        above, below = given_values[0][found >= high], given_values[0][found < high]
        assert not len(below) or above.min() >= below.max()
