from __future__ import annotations

import numpy as np
import pytest

from recommender.errors import GrowthError
from recommender.learning.ratio_intervals import more_than, ratio_intervals

RATIOS = {"base": (1, 0), "other": (2, 0)}


def sums(seed=0, people=40, repeats=3):
    rng = np.random.default_rng(seed)
    return np.abs(rng.normal(3, 1, (repeats, people, 3)))


def test_the_standard_error_of_a_ratio_is_the_root_of_its_summed_squared_moves():
    # Two people: 1 of 2 and 3 of 2. The ratio is 1; they move it by (1 - 2) / 4 and (3 - 2) / 4.
    people = np.array([[[2.0, 1, 1], [2, 3, 1]]])
    found = ratio_intervals(people, RATIOS, "base", 50, 0)
    assert found.names == ("base", "other", more_than("other", "base"))
    assert found.value[:, 0].tolist() == [1, 0.5, -0.5]
    assert found.sd[:, 0] == pytest.approx([np.sqrt(2 / 16), 0, np.sqrt(2 / 16)])


def test_the_difference_of_two_ratios_that_move_together_is_known_better_than_either():
    people = sums()
    people[..., 2] = people[..., 1] + 0.01 * people[..., 2]
    found = ratio_intervals(people, RATIOS, "base", 200, 0)
    assert (found.half_width[2] < found.half_width[:2].min(axis=0) / 5).all()
    assert found.least_sd == pytest.approx(found.sd[2])


def test_a_ratio_that_is_the_base_differs_by_nothing_with_no_width():
    people = sums()
    people[..., 2] = people[..., 1]
    found = ratio_intervals(people, RATIOS, "base", 200, 0)
    assert found.value[2].tolist() == [0, 0, 0]
    assert found.half_width[2].tolist() == [0, 0, 0]


def test_half_the_width_is_near_two_standard_errors_where_people_are_many_and_more_where_they_are_few():
    many = ratio_intervals(sums(people=400), RATIOS, "base", 2000, 0)
    assert many.half_width / many.sd == pytest.approx(1.96, abs=0.12)
    few = ratio_intervals(sums(people=5), RATIOS, "base", 2000, 0)
    assert (few.half_width > 2.5 * few.sd).all()


def test_a_repeat_does_not_depend_on_the_others():
    people = sums()
    together = ratio_intervals(people, RATIOS, "base", 300, 7)
    alone = [ratio_intervals(people[i : i + 1], RATIOS, "base", 300, 7) for i in range(3)]
    assert together.half_width == pytest.approx(np.concatenate([one.half_width for one in alone], axis=1))


def test_where_too_many_resamples_hold_nothing_the_width_is_not_known():
    people = np.zeros((1, 30, 3))
    people[..., 0] = 1
    people[0, 0, 1:] = 1
    assert np.isinf(ratio_intervals(people, RATIOS, "base", 500, 0).half_width[0, 0])


def test_one_person_is_refused():
    with pytest.raises(GrowthError, match="two teachers"):
        ratio_intervals(sums(people=1), RATIOS, "base", 10, 0)
