import math

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from recommender.errors import GrowthError
from recommender.training.intervals import bootstrap_mean, paired_difference, wilson

values = st.lists(st.floats(0, 1), min_size=1, max_size=30).map(np.array)


@given(values)
def test_the_mean_lies_within_its_interval_and_the_interval_within_the_values(numbers):
    one = bootstrap_mean(numbers, n=200)
    assert one.mean == pytest.approx(numbers.mean())
    assert numbers.min() - 1e-12 <= one.low <= one.high <= numbers.max() + 1e-12
    assert one.n == len(numbers)


@given(values, st.floats(-3, 3))
def test_moving_every_value_moves_the_interval(numbers, offset):
    here, there = bootstrap_mean(numbers, n=100), bootstrap_mean(numbers + offset, n=100)
    assert (there.mean, there.low, there.high) == pytest.approx(
        (here.mean + offset, here.low + offset, here.high + offset), abs=1e-9
    )


def test_the_interval_agrees_with_scipy():
    numbers = np.random.default_rng(0).random(120)
    ours = bootstrap_mean(numbers, n=5000)
    theirs = scipy.stats.bootstrap((numbers,), np.mean, n_resamples=5000, method="percentile", rng=1)
    assert (ours.low, ours.high) == pytest.approx(tuple(theirs.confidence_interval), abs=0.003)


def test_the_same_seed_gives_the_same_interval_and_another_seed_another():
    numbers = np.random.default_rng(0).random(40)
    assert bootstrap_mean(numbers, seed=3) == bootstrap_mean(numbers, seed=3)
    assert bootstrap_mean(numbers, seed=3) != bootstrap_mean(numbers, seed=4)


def test_equal_values_leave_no_doubt():
    one = bootstrap_mean(np.full(9, 0.25))
    assert (one.mean, one.low, one.high) == (0.25, 0.25, 0.25)


def test_nan_is_left_out_and_counted():
    numbers = np.array([0.0, np.nan, 1.0, np.nan, np.nan])
    one = bootstrap_mean(numbers)
    assert (one.mean, one.n, one.excluded) == (0.5, 2, 3)
    assert bootstrap_mean(numbers, groups=list("abcde")).mean == 0.5


def test_groups_widen_the_interval_when_their_members_repeat_each_other():
    once = np.random.default_rng(0).random(30)
    copies, groups = np.repeat(once, 4), np.repeat(np.arange(30), 4)
    clustered, alone = bootstrap_mean(copies, groups=groups), bootstrap_mean(once)
    assert (clustered.low, clustered.high) == pytest.approx((alone.low, alone.high))
    naive = bootstrap_mean(copies)
    assert clustered.high - clustered.low > 1.7 * (naive.high - naive.low)


def test_a_group_of_its_own_for_each_value_changes_nothing():
    numbers = np.random.default_rng(0).random(25)
    assert bootstrap_mean(numbers, groups=range(25)) == bootstrap_mean(numbers)


def test_the_mean_of_groups_counts_values_and_not_groups():
    assert bootstrap_mean(np.array([0.0, 0.0, 0.0, 1.0]), groups=["x", "x", "x", "y"]).mean == 0.25
    # Twenty groups of three zeros, twenty of a single one: the interval surrounds .25 and not .5.
    numbers, groups = np.repeat([0.0, 1.0], [60, 20]), [*np.repeat(np.arange(20), 3), *range(20, 40)]
    one = bootstrap_mean(numbers, groups=groups)
    assert one.low < 0.25 < one.high < 0.45


def test_a_group_keeps_its_values_when_others_are_left_out():
    numbers = np.array([np.nan, 1.0, 1.0, 0.0, 0.0, np.nan, 0.5, 0.5])
    groups = np.array(list("abbccadd"))
    kept = ~np.isnan(numbers)
    here, there = bootstrap_mean(numbers, groups=groups), bootstrap_mean(numbers[kept], groups=groups[kept])
    assert (here.mean, here.low, here.high) == (there.mean, there.low, there.high)


def test_one_group_alone_has_no_spread():
    one = bootstrap_mean(np.array([0.0, 1.0, 1.0]), groups=["t", "t", "t"])
    assert one.low == one.mean == one.high


@pytest.mark.parametrize("numbers", [np.array([]), np.array([np.nan]), np.zeros((2, 2))])
def test_nothing_to_average_is_refused(numbers):
    with pytest.raises(GrowthError, match="no defined value"):
        bootstrap_mean(numbers)


def test_groups_of_another_length_are_refused():
    with pytest.raises(GrowthError, match="3 groups for 2 values"):
        bootstrap_mean(np.zeros(2), groups=[1, 2, 3])


def test_a_difference_is_paired():
    base = np.random.default_rng(0).random(50)
    better = paired_difference(base + 0.1, base)
    # Every request gains the same .1, however much the requests differ among themselves.
    assert (better.mean, better.low, better.high) == pytest.approx((0.1, 0.1, 0.1))
    assert better.p_value == pytest.approx(1 / 2001)


def test_no_difference_has_a_p_value_of_one():
    base = np.random.default_rng(0).random(20)
    assert paired_difference(base, base).p_value == 1.0


def test_the_p_value_counts_flips_at_least_as_far():
    # Of the 8 sign patterns of (1, 1, 1), two reach |sum| 3: p = .25 but for the add-one and the draw.
    difference = paired_difference(np.ones(3), np.zeros(3), n=8000)
    assert difference.p_value == pytest.approx(0.25, abs=0.02)


def test_swapping_the_two_swaps_the_sign_and_keeps_the_p_value():
    rng = np.random.default_rng(1)
    a, b = rng.random(30), rng.random(30)
    here, there = paired_difference(a, b), paired_difference(b, a)
    assert there.mean == pytest.approx(-here.mean)
    assert (there.low, there.high) == pytest.approx((-here.high, -here.low), abs=1e-3)
    assert there.p_value == here.p_value


def test_the_p_value_agrees_with_scipy():
    rng = np.random.default_rng(2)
    a = rng.random(40)
    b = a - 0.04 + 0.2 * rng.standard_normal(40)
    theirs = scipy.stats.permutation_test(
        (a, b), lambda x, y: np.mean(x - y), permutation_type="samples", n_resamples=8000, rng=3
    )
    assert paired_difference(a, b, n=8000).p_value == pytest.approx(theirs.pvalue, abs=0.02)


def test_members_of_a_group_flip_together():
    a, b = np.ones(12), np.zeros(12)
    assert paired_difference(a, b).p_value < 0.01
    # Two groups of six: half of the four sign patterns are as far from 0.
    assert paired_difference(a, b, groups=[0] * 6 + [1] * 6).p_value == pytest.approx(0.5, abs=0.04)


def test_a_request_that_either_left_undefined_is_excluded():
    difference = paired_difference(np.array([1.0, np.nan, 1.0, 0.5]), np.array([0.0, 0.0, np.nan, 0.5]))
    assert (difference.mean, difference.n, difference.excluded) == (0.5, 2, 2)


def test_values_of_other_requests_are_refused():
    with pytest.raises(GrowthError, match="values of the same requests"):
        paired_difference(np.zeros(3), np.zeros(4))


def test_the_p_value_is_rarely_small_where_nothing_differs():
    rng = np.random.default_rng(5)
    found = [paired_difference(rng.random(20), rng.random(20), n=200, seed=i).p_value < 0.05 for i in range(200)]
    assert 0.01 <= np.mean(found) <= 0.09


def test_wilson_of_a_hand_worked_share():
    # 8 of 10: middle (.8 + .19207) / 1.38415 = .71674, half (1.95996 / 1.38415) * sqrt(.016 + .0096036) = .22658.
    one = wilson(8, 10)
    assert one.mean == 0.8
    assert (one.low, one.high) == pytest.approx((0.49016, 0.94332), abs=1e-5)


@given(st.integers(1, 300).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_wilson_agrees_with_scipy(counts):
    successes, n = counts
    theirs = scipy.stats.binomtest(successes, n).proportion_ci(method="wilson")
    ours = wilson(successes, n)
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), abs=1e-12)
    assert 0 <= ours.low <= ours.mean <= ours.high <= 1


def test_wilson_takes_fractions_between_whole_successes():
    assert wilson(2, 9).low < wilson(2.5, 9).low < wilson(3, 9).low


@pytest.mark.parametrize(("successes", "n"), [(-1, 5), (6, 5), (0, 0), (math.nan, 5)])
def test_wilson_refuses_what_is_no_share(successes, n):
    with pytest.raises(GrowthError, match="0 to n successes"):
        wilson(successes, n)
