from __future__ import annotations

import numpy as np
import pytest
from evidence_rows import MARKER, SKILLS, change, choice, place, row
from hypothesis import given
from hypothesis import strategies as st

from recommender.errors import GrowthError
from recommender.learning.off_policy_lists import ListLog, importance_weights, lists_beside, reordered
from recommender.learning.positions import Positions

HALF = Positions((1.0, 0.5, 0.25))
A, B, C, D = SKILLS[:4]


def swappable(number, *, swapped, rate=0.2, **more):
    """A list of the skills 0 and 1 that nearly tie, as it is drawn with or without a swap."""
    first, second = (1, 0) if swapped else (0, 1)
    chance = rate if swapped else 1 - rate
    return row(number, shown=[place(first, 1, propensity=chance), place(second, 2, propensity=chance)], **more)


def second_first(_row):
    return [B, A, C]


def test_a_skill_weighs_as_much_more_as_the_candidate_would_have_it_looked_at():
    # Looked at by the logger: A .8 x 1 + .2 x .5 = .9, B .8 x .5 + .2 x 1 = .6; by the candidate: A .5, B 1.
    log = lists_beside([swappable(0, swapped=False), swappable(1, swapped=True)], second_first, HALF)
    assert log.weight == pytest.approx(np.array([[5 / 9, 5 / 3], [5 / 3, 5 / 9]]))
    assert log.examination.tolist() == [[1, 0.5], [1, 0.5]]
    assert log.supported.all()


def test_without_a_curve_only_lists_drawn_as_the_candidate_has_them_count():
    rows = [swappable(0, swapped=False), swappable(1, swapped=True)]
    log = lists_beside(rows, second_first, HALF, model="item_position")
    assert log.weight == pytest.approx(np.array([[0, 0], [5, 5]]))
    assert log.supported.all()


def test_a_skill_that_could_not_have_stood_there_has_no_support():
    fixed = row(0, shown=[place(0, 1), place(1, 2)])
    assert lists_beside([fixed], lambda _: [C, A], HALF).supported.tolist() == [[False, True]]
    by_item = lists_beside([fixed], lambda _: [A, B], HALF, model="item_position")
    assert by_item.supported.tolist() == [[True, True]]
    by_item = lists_beside([fixed], second_first, HALF, model="item_position")
    assert by_item.supported.tolist() == [[False, False]]
    assert by_item.weight.tolist() == [[0, 0]]


def test_a_last_place_that_may_swap_with_a_skill_off_the_list_is_looked_at_that_much_less():
    last = row(0, shown=[place(0, 1), place(1, 2, propensity=0.75)])
    log = lists_beside([last], lambda _: [A, B], HALF)
    assert log.weight == pytest.approx(np.array([[1, 0.5 / (0.75 * 0.5)]]))


def test_a_list_whose_chances_fit_no_swap_is_left_out_and_counted():
    odd = row(0, shown=[place(0, 1, propensity=0.7), place(1, 2), place(2, 3)])
    log = lists_beside([odd, swappable(1, swapped=False)], second_first, HALF)
    assert (len(log.teacher), log.left_out) == (1, 1)
    with pytest.raises(GrowthError, match="no list to judge by"):
        lists_beside([odd], second_first, HALF)


def test_a_shorter_list_ends_in_places_nobody_looks_at():
    rows = [row(0, shown=[place(0, 1)]), row(1, shown=[place(1, 1), place(0, 2), place(2, 3)])]
    log = lists_beside(rows, second_first, HALF)
    assert log.examination.tolist() == [[1, 0, 0], [1, 0.5, 0.25]]
    # The first list holds one skill, and the candidate would show another.
    assert log.weight.tolist() == [[0, 0, 0], [1, 1, 1]]
    assert log.supported.tolist() == [[False, True, True], [True, True, True]]


def test_the_last_choice_on_the_list_is_the_event_and_a_list_without_one_counts_as_none():
    twice = row(0, choices=[choice(0, minute=5), choice(1, minute=9), choice(2, "declined")])
    off_list = row(1, choices=[choice(3)])
    log = lists_beside([twice, off_list, row(2)], second_first, HALF)
    assert log.events.tolist() == [[0, 1], [0, 0], [0, 0]]


def test_removals_are_counted_over_reviewed_lists_only():
    rows = [row(0, changes=[change(0, "remove"), change(1, "keep")]), row(1), row(2, changes=[])]
    assert lists_beside(rows, second_first, HALF, event="removed").events.tolist() == [[1, 0], [0, 0]]


def test_predictions_stand_at_the_places_of_the_shown_and_of_the_candidates_skills():
    chances = {A: 0.1, B: 0.2, C: 0.3}
    log = lists_beside([row(0)], lambda _: [C, A], HALF, predicted=lambda _: chances)
    assert log.predicted_shown is not None
    assert log.predicted_shown.tolist() == [[0.1, 0.2]]
    assert log.predicted_candidate is not None
    assert log.predicted_candidate.tolist() == [[0.3, 0.1]]
    with pytest.raises(GrowthError, match="no prediction"):
        lists_beside([row(0)], lambda _: [D, A], HALF, predicted=lambda _: chances)


def test_a_candidate_that_orders_too_few_skills_or_one_twice_is_refused_without_anybodys_words():
    for order in ([A], [A, A]):
        with pytest.raises(GrowthError, match="2 different ones") as caught:
            lists_beside(
                [row(0, struggle=f"Nobody talks about the {MARKER} today")], lambda _, order=order: order, HALF
            )
        assert MARKER not in str(caught.value)


def test_teachers_of_two_tenants_with_one_pseudonym_are_two():
    log = lists_beside([row(0, teacher="t"), row(1, teacher="t", tenant="south")], second_first, HALF)
    assert len(set(log.teacher)) == 2


def test_a_reordering_candidate_shows_the_shown_skills_and_no_others():
    listed = row(0, shown=[place(1, 1), place(3, 2)])
    assert reordered(lambda _: [D, C, B, A])(listed) == [D, B]


def test_arrays_that_do_not_belong_together_are_refused():
    ones = np.ones((2, 3))
    fits = {"events": ones, "examination": ones, "weight": ones, "supported": ones > 0, "teacher": np.array(["a", "b"])}
    for broken in (
        {"teacher": np.array(["a"])},
        {"weight": -ones},
        {"weight": ones * np.nan},
        {"events": np.ones((2, 2))},
        {"predicted_shown": ones},
    ):
        with pytest.raises(GrowthError):
            ListLog(**(fits | broken))


def test_nothing_wanted_weighs_nothing_even_where_nothing_was_logged():
    assert importance_weights(np.array([0.0, 1.0]), np.array([0.0, 0.5])).tolist() == [0, 2]


@given(
    rate=st.floats(0.05, 0.5),
    relevance=st.tuples(*[st.floats(0, 1)] * 2),
    order=st.permutations([A, B]),
    model=st.sampled_from(["position_based", "item_position"]),
)
def test_over_both_draws_the_weighted_chances_are_what_the_candidate_would_get(rate, relevance, order, model):
    chance = dict(zip((A, B), relevance, strict=True))
    got = 0.0
    for swapped in (False, True):
        log = lists_beside([swappable(0, swapped=swapped, rate=rate)], lambda _: order, HALF, model=model)
        shown = [B, A] if swapped else [A, B]
        happens = log.examination[0] * [chance[skill] for skill in shown]
        got += (rate if swapped else 1 - rate) * float(log.weight[0] @ happens)
    assert got == pytest.approx(chance[order[0]] + 0.5 * chance[order[1]])
