import numpy as np
import pytest

from recommender.training.item_hits import Question, first_items, hits
from recommender.training.observation_baselines import ItemRanks

NAN = np.nan
ITEMS = tuple(("r", code) for code in "ABCDE")


def ranks(*need, teachers=None, items=ITEMS):
    teachers = teachers or tuple(f"t{i}" for i in range(len(need)))
    return ItemRanks(teachers, items[: len(need[0])], np.array(need, dtype=float))


def question(*need):
    target = ranks(*need)
    return Question.of(target, target)


def test_a_hit_is_a_share_of_three():
    asked = question([5, 4, 3, 2, 1])
    assert hits(asked, ranks([5, 4, 3, 2, 1]), 0).share == pytest.approx([1])
    assert hits(asked, ranks([1, 2, 3, 4, 5]), 0).share == pytest.approx([1 / 3])
    assert hits(asked, ranks([5, 1, 1.5, 4, 3]), 0).share == pytest.approx([1 / 3])
    assert hits(asked, ranks([5, 4, 1, 3, 2]), 0).share == pytest.approx([2 / 3])


def test_chance_is_three_of_the_number_of_candidates():
    assert question([5, 4, 3, 2, 1], [4, 3, 2, 1, NAN]).chance == pytest.approx((3 / 5 + 3 / 4) / 2)


def test_a_ranker_of_equals_reaches_chance_over_teachers_and_draws():
    rng = np.random.default_rng(1)
    asked = question(*rng.random((400, 5)))
    found = hits(asked, ranks(*np.zeros((400, 5))), 7)
    assert found.share.mean() == pytest.approx(asked.chance, abs=0.01)
    assert found.answered.all()


def test_ties_on_both_sides_are_broken_apart():
    asked = question(*np.zeros((400, 5)))
    assert hits(asked, ranks(*np.zeros((400, 5))), 7).share.mean() == pytest.approx(asked.chance, abs=0.01)


def test_a_tie_for_the_third_place_counts_half_on_average():
    asked = question(*[[5, 4, 3, 2, 1]] * 200)
    found = hits(asked, ranks(*[[5, 4, 1, 1, 0]] * 200), 0)
    assert found.share.mean() == pytest.approx((2 / 3 + 1) / 2, abs=0.02)


def test_the_seed_decides_ties_and_nothing_else():
    asked = question(*[[5, 4, 3, 2, 1]] * 5)
    tied, clear = ranks(*[[0, 0, 0, 0, 0]] * 5), ranks(*[[1, 5, 4, 3, 2]] * 5)
    assert np.array_equal(hits(asked, tied, 3).share, hits(asked, tied, 3).share)
    assert not np.array_equal(hits(asked, tied, 3).share, hits(asked, tied, 4).share)
    assert np.array_equal(hits(asked, clear, 3).share, hits(asked, clear, 4).share)


def test_rounding_in_the_last_digits_is_a_tie():
    asked = question(*[[5, 4, 3, 2, 1]] * 300)
    found = hits(asked, ranks(*[[5, 4, 0.1 + 0.2, 0.3, 0]] * 300), 0)
    assert found.share.mean() == pytest.approx(5 / 6, abs=0.02)


def test_no_answer_is_a_miss_and_is_told_apart():
    asked = question([5, 4, 3, 2, 1], [5, 4, 3, 2, 1])
    found = hits(asked, ranks([NAN] * 5, [5, 4, 3, 2, 1]), 0)
    assert found.share == pytest.approx([0, 1])
    assert found.answered.tolist() == [False, True]


def test_a_teacher_the_ranker_does_not_know_is_a_miss():
    asked = question([5, 4, 3, 2, 1], [5, 4, 3, 2, 1])
    found = hits(asked, ranks([5, 4, 3, 2, 1], teachers=("t1",)), 0)
    assert found.share == pytest.approx([0, 1])


def test_fewer_than_three_answers_hit_no_more_than_they_name():
    asked = question([5, 4, 3, 2, 1])
    assert hits(asked, ranks([1, NAN, NAN, NAN, NAN]), 0).share == pytest.approx([1 / 3])


def test_only_items_scored_before_and_after_are_in_the_running():
    scored = ranks([9, 1, 1, NAN, 1], [1, 1, NAN, NAN, 1])
    target = ranks([1, 5, 4, 9, 3], [1, 2, 3, 4, 5])
    asked = Question.of(scored, target)
    assert asked.teachers == ("t0",)
    assert asked.too_few == 1
    assert asked.candidates.tolist() == [[True, True, True, False, True]]
    assert hits(asked, ranks([0, 3, 2, 9, 1]), 0).share == pytest.approx([1])


def test_teachers_and_items_are_matched_by_name():
    target = ranks([5, 4, 3, 2, 1], [1, 2, 3, 4, 5])
    turned = ItemRanks(("t1", "t0"), ITEMS[::-1], target.need[::-1, ::-1])
    assert hits(Question.of(turned, target), turned, 0).share == pytest.approx([1, 1])


def test_first_items_are_three_at_most():
    first = first_items(np.array([[1.0, 2, 3, 4]]), np.array([[True, True, False, False]]), np.random.default_rng(0))
    assert first.tolist() == [[True, True, False, False]]
