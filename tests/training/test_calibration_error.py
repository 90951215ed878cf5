import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recommender.errors import GrowthError
from recommender.training.calibration_error import calibration_error, pool_first, reliability_table

pairs = st.lists(st.tuples(st.floats(0, 1), st.sampled_from([0, 1 / 3, 0.5, 1])), min_size=1, max_size=60)


def synthetic(n: int, shift: float, labellers: int = 1, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities in .05..(.95 - shift), and events that come true with the probability plus ``shift``."""
    rng = np.random.default_rng(seed)
    probabilities = rng.uniform(0.05, 0.95 - shift, n)
    return probabilities, rng.binomial(labellers, probabilities + shift) / labellers


def test_raw_error_of_a_hand_worked_table():
    # Two bins of two: |.15 - .5| and |.85 - 1|, half the weight each.
    error = calibration_error(np.array([0.1, 0.2, 0.8, 0.9]), np.array([0.0, 1.0, 1.0, 1.0]), bins=2)
    assert error.raw == pytest.approx(0.25)
    assert error.n == 4


def test_better_than_chance_is_no_error_and_not_less():
    error = calibration_error(np.full(10, 0.5), np.full(10, 0.5))
    assert (error.raw, error.corrected) == (0.0, 0.0)
    assert error.chance > 0.05


def test_fractional_events_count_by_their_size():
    error = calibration_error(np.array([0.5, 0.5, 0.5]), np.array([1 / 3, 2 / 3, 1.0]), labellers=3, bins=1)
    assert error.raw == pytest.approx(2 / 3 - 0.5)


@pytest.mark.parametrize("labellers", [1, 2, 3])
@pytest.mark.parametrize("n", [500, 5_000])
def test_perfect_calibration_shows_almost_no_error_though_the_raw_one_does(n, labellers):
    errors = [calibration_error(*synthetic(n, 0, labellers, seed), labellers, resamples=100) for seed in range(10)]
    assert np.mean([one.corrected for one in errors]) < 0.01
    assert np.mean([one.raw for one in errors]) == pytest.approx(np.mean([one.chance for one in errors]), rel=0.15)


def test_a_perfectly_calibrated_large_set_is_below_one_hundredth():
    assert calibration_error(*synthetic(20_000, 0), resamples=100).corrected < 0.01


@pytest.mark.parametrize("shift", [0.05, 0.1, 0.2])
def test_a_shifted_set_shows_the_shift(shift):
    error = calibration_error(*synthetic(40_000, shift), resamples=100)
    assert error.corrected == pytest.approx(shift, abs=0.01)


def test_the_truth_lies_between_corrected_and_raw():
    errors = [calibration_error(*synthetic(1_000, 0.05, seed=seed), resamples=100) for seed in range(20)]
    assert np.mean([one.corrected for one in errors]) < 0.05 < np.mean([one.raw for one in errors])


def test_overconfidence_costs_as_much_as_underconfidence():
    probabilities, events = synthetic(20_000, 0.1)
    under = calibration_error(probabilities, events, resamples=50)
    over = calibration_error(1 - probabilities, 1 - events, resamples=50)
    assert under.raw == pytest.approx(over.raw, abs=1e-3)


def test_more_labellers_leave_less_to_chance():
    probabilities, events = synthetic(500, 0, labellers=3)
    one = calibration_error(probabilities, events, 1)
    three = calibration_error(probabilities, events, np.full(500, 3))
    assert three.chance == pytest.approx(one.chance / np.sqrt(3), rel=0.1)


def test_the_same_seed_gives_the_same_figure():
    data = synthetic(200, 0.1)
    assert calibration_error(*data, seed=2) == calibration_error(*data, seed=2)
    assert calibration_error(*data, seed=2).chance != calibration_error(*data, seed=3).chance


@given(pairs, st.randoms(use_true_random=False))
def test_the_order_of_rows_never_matters(rows, random):
    shuffled = random.sample(rows, len(rows))
    first, second = (np.array(some).T for some in (rows, shuffled))
    assert calibration_error(*first, resamples=1).raw == pytest.approx(calibration_error(*second, resamples=1).raw)


@given(pairs)
def test_the_table_holds_every_suggestion_once_and_explains_the_raw_error(rows):
    probabilities, events = np.array(rows).T
    table = reliability_table(probabilities, events)
    assert sum(one.n for one in table) == len(rows)
    assert [one.mean_probability for one in table] == sorted(one.mean_probability for one in table)
    gap = sum(one.n * abs(one.mean_probability - one.event_rate) for one in table) / len(rows)
    assert calibration_error(probabilities, events, resamples=1).raw == pytest.approx(gap, abs=1e-9)
    assert all(0 <= one.low <= one.event_rate + 1e-12 and one.event_rate - 1e-12 <= one.high <= 1 for one in table)


def test_bins_hold_equal_mass_where_values_differ():
    probabilities = np.random.default_rng(0).random(1_003) ** 3
    sizes = [one.n for one in reliability_table(probabilities, np.zeros(1_003))]
    assert len(sizes) == 10
    assert set(sizes) == {100, 101}


def test_tied_probabilities_share_a_bin():
    table = reliability_table(np.array([0.3] * 8 + [0.9] * 2), np.array([1, 0] * 5))
    assert [(one.n, one.event_rate) for one in table] == [(8, 0.5), (2, 0.5)]


def test_fewer_suggestions_than_bins_have_a_bin_each():
    assert [one.n for one in reliability_table(np.array([0.1, 0.7]), np.array([0, 1]))] == [1, 1]


@pytest.mark.parametrize(
    ("probabilities", "events", "found"),
    [
        (np.array([]), np.array([]), "not empty"),
        (np.array([0.5]), np.array([0.5, 1.0]), "one length"),
        (np.array([1.5]), np.array([1.0]), "a probability outside"),
        (np.array([np.nan]), np.array([1.0]), "a probability outside"),
        (np.array([0.5]), np.array([-1.0]), "an event outside"),
    ],
)
def test_what_is_no_probability_is_refused(probabilities, events, found):
    with pytest.raises(GrowthError, match=found):
        calibration_error(probabilities, events)
    with pytest.raises(GrowthError, match=found):
        reliability_table(probabilities, events)


def test_pooling_takes_the_best_scored_suggestions_of_every_case():
    scores = np.array([[1.0, 3.0, 2.0], [5.0, 5.0, 5.0]])
    probabilities = np.array([[0.1, 0.3, 0.2], [0.5, 0.6, 0.7]])
    acceptable = np.array([[0.0, 1.0, 0.5], [1 / 3, 0.0, 1.0]])
    pool = pool_first(scores, probabilities, acceptable, np.array([2, 3]), first=2)
    assert pool.probabilities.tolist() == [0.3, 0.2, 0.5, 0.6]
    assert pool.events.tolist() == [1.0, 0.5, 1 / 3, 0.0]
    assert pool.labellers.tolist() == [2, 2, 3, 3]
    assert pool.cases.tolist() == [0, 0, 1, 1]


def test_pooling_leaves_out_cases_that_nobody_labelled():
    table = np.array([[0.2, 0.1], [0.4, 0.3], [0.6, 0.5]])
    pool = pool_first(table, table, np.ones((3, 2)), np.array([1, 0, 1]))
    assert pool.cases.tolist() == [0, 0, 2, 2]
    assert pool.probabilities.tolist() == [0.2, 0.1, 0.6, 0.5]


def test_pooling_looks_at_five_by_default():
    table = np.random.default_rng(0).random((4, 9))
    assert len(pool_first(table, table, table, np.ones(4, dtype=int)).events) == 20
