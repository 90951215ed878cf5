from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import ks_2samp
from watched_lists import PARAMETERS, TRAINED, made_lists, made_profile, with_draws

from recommender.errors import DataFileError
from recommender.learning.calibration_drift import ReviewedSkills, bin_numbers, calibration_findings
from recommender.learning.drift import RARE, QuietThresholds, drift_findings, pooled
from recommender.learning.drift_parameters import DRIFT_FILE, load_drift_parameters
from recommender.learning.drift_statistics import in_bins, ks, on_same_values, psi
from recommender.learning.reference_profile import ReliabilityBin

PROFILE = made_profile()
FEWER = with_draws(400)
QUIET = QuietThresholds(PROFILE, FEWER)

counts = st.lists(st.integers(0, 50), min_size=4, max_size=4).filter(any).map(np.array)
values = st.lists(st.integers(0, 12), min_size=1, max_size=40)


def findings(lists, thresholds=QUIET):
    return {(f.name, f.statistic): f for f in drift_findings(lists, PROFILE, thresholds)}


def drawn(seed, n, **more):
    return made_lists(np.random.default_rng([5, seed]), n, **more)


# The statistics


def test_psi_of_two_bins_by_hand():
    # With half a count in each bin: 10.5/21 = .5 beside 5.5/21 and 15.5/21.
    expected = (0.5 - 5.5 / 21) * np.log(0.5 * 21 / 5.5) + (0.5 - 15.5 / 21) * np.log(0.5 * 21 / 15.5)
    assert psi(np.array([10, 10]), np.array([5, 15])) == pytest.approx(expected)
    assert expected == pytest.approx(0.24669, abs=5e-5)


@given(counts, counts)
def test_psi_is_symmetric_and_never_negative(one, other):
    assert psi(one, other) == pytest.approx(psi(other, one))
    assert psi(one, other) >= 0
    assert psi(one, one) == 0


def test_an_empty_bin_costs_something_and_not_everything():
    assert 0 < psi(np.array([20, 0]), np.array([10, 10])) < 5


def test_ks_of_three_numbers_by_hand():
    # Of 1 2 4 everything up to 2 is two thirds, of 2 3 4 one third.
    one, other, union = on_same_values(np.array([1.0, 2.0, 4.0]), np.array([2.0, 3.0, 4.0]), np.array([1, 1, 1]))
    assert union.tolist() == [1, 2, 3, 4]
    assert ks(one, other) == pytest.approx(1 / 3)
    assert ks(np.array([3, 0]), np.array([0, 5])) == 1


@given(values, values)
def test_ks_is_that_of_scipy_ties_and_all(one, other):
    distinct, times = np.unique(np.array(other, float), return_counts=True)
    found, trained, _ = on_same_values(np.array(one, float), distinct, times)
    with np.errstate(divide="ignore"):
        assert ks(found, trained) == pytest.approx(ks_2samp(one, other, method="asymp").statistic)


def test_a_value_on_an_edge_is_in_the_bin_below_it():
    binned = in_bins(np.array([1, 2, 4, 8]), np.array([1.0, 2.0, 3.0, 9.0]), np.array([2.0, 3.0]))
    assert binned.tolist() == [3, 4, 8]


# The checks


def test_the_order_of_the_lists_changes_nothing():
    lists = drawn(1, 300)
    shuffled = lists.take(np.random.default_rng(3).permutation(300))
    assert drift_findings(lists, PROFILE, QUIET) == drift_findings(shuffled, PROFILE, QuietThresholds(PROFILE, FEWER))


def test_a_tiny_window_is_never_called_drifted_but_too_small():
    for finding in drift_findings(drawn(2, 29, longer=5_000, unranked=1.0), PROFILE, QUIET):
        assert (finding.value, finding.threshold, finding.drifted) == (None, None, False)
        assert "cannot tell" in finding.sentence
    assert drift_findings(drawn(2, 0), PROFILE, QUIET)[0].n == 0


def test_a_check_counts_only_lists_of_which_its_figure_is_known():
    lists = drawn(3, 200, unranked=0.3)
    found = findings(lists)
    assert found["top_score", "PSI"].n == found["first_domain", "PSI"].n == int(lists.ranked.sum()) < 200
    assert found["characters", "KS"].n == found["not_ranked", "difference"].n == 200


@pytest.mark.parametrize("n", [50, 200, 1_000])
def test_quiet_windows_pass_a_threshold_hardly_ever(n):
    alarms = Counter()
    for seed in range(60):
        alarms.update(key for key, finding in findings(drawn((n, seed), n)).items() if finding.drifted)
    # The highest of 400 draws is passed once in 400: of 60 windows more than 3 are met once in 50,000 times.
    assert all(count <= 3 for count in alarms.values()), alarms


def test_longer_struggles_are_found_and_nothing_else():
    drifted = {key for key, finding in findings(drawn(4, 200, longer=60)).items() if finding.drifted}
    assert drifted == {("characters", "PSI"), ("characters", "KS")}


def test_the_sentence_names_both_middles():
    finding = findings(drawn(4, 200, longer=60))["characters", "KS"]
    middle = int(np.sort(drawn(4, 200, longer=60).numbers["characters"])[99])
    assert f"middle {middle}, in training {PROFILE.numbers['characters'].quantile(0.5):.0f}" in finding.sentence


def test_other_subjects_are_found_by_name():
    lists = drawn(5, 200)
    lists.names["subject"][:80] = "science"
    finding = findings(lists)["subject", "PSI"]
    assert finding.drifted
    assert "Subject: " in finding.sentence and "in training" in finding.sentence


def test_a_name_training_never_met_counts_with_the_rare_ones():
    lists = drawn(6, 200)
    lists.names["subject"] = np.where(np.arange(200) < 100, "religion", lists.names["subject"])
    finding = findings(lists)["subject", "PSI"]
    assert finding.drifted
    assert RARE in finding.sentence and "religion" not in finding.sentence
    assert pooled({"a": 5, "b": 1, "c": 2}, frozenset({"b", "c"})) == {"a": 5, RARE: 3}


def test_more_messages_than_in_training_are_found():
    finding = findings(drawn(7, 400, unranked=0.12))["not_ranked", "difference"]
    lists = drawn(7, 400, unranked=0.12)
    assert finding.value == pytest.approx((~lists.ranked).mean() - PROFILE.not_ranked / TRAINED, abs=1e-4)
    assert finding.drifted


# The thresholds


def test_small_windows_have_wide_thresholds_and_the_same_ones_in_any_order():
    again = QuietThresholds(PROFILE, FEWER)
    large = again.numbers("top_score", 1_000)
    assert again.numbers("top_score", 50) == QUIET.numbers("top_score", 50)
    assert large == QUIET.numbers("top_score", 1_000)
    assert all(small > 3 * big for small, big in zip(QUIET.numbers("top_score", 50), large, strict=True))


def test_the_ks_threshold_is_kolmogorovs():
    # sup |B(t)| passes 1.858 once in 500; two samples of n and N are sqrt(1/n + 1/N) apart.
    threshold = QuietThresholds(PROFILE, PARAMETERS).numbers("characters", 500)[1]
    assert threshold == pytest.approx(1.858 * np.sqrt(1 / 500 + 1 / TRAINED), rel=0.06)


def test_a_smaller_reference_is_known_less_well():
    smaller = QuietThresholds(PROFILE, FEWER, trained_share=0.1)
    assert smaller.names("first_domain", 1_000) > 2 * QUIET.names("first_domain", 1_000)


# Calibration on reviews

BINS = [
    ReliabilityBin(highest=0.5, n=5_000, probability=0.3, share=0.3),
    ReliabilityBin(highest=1.0, n=5_000, probability=0.7, share=0.7),
]
JUDGED = PROFILE.model_copy(update={"reliability": BINS})


def reviews(seed=0, lists=400, *, stricter=0.0, look=(1.0, 0.7, 0.5, 0.4)):
    """Lists of four whose skills hold as promised, less ``stricter``; removed only where looked at."""
    rng = np.random.default_rng([9, seed])
    p = rng.choice([0.3, 0.7], (lists, len(look)))
    examination = np.broadcast_to(look, p.shape)
    removed = (rng.random(p.shape) < examination) & (rng.random(p.shape) >= p - stricter)
    return ReviewedSkills(
        p.ravel(), examination.ravel(), (1 - removed / examination).ravel(), np.repeat(np.arange(lists), len(look))
    )


def test_error_and_gap_of_reviews_by_hand():
    # Bin of .3: 100 kept, 100 removed at full sight: holds .5. Bin of .7: 50 of 100 removed at half sight: target -1,
    # so it holds 0. ECE = (200 * .2 + 100 * .7) / 300, gap = |200 * -.2 + 100 * .7| / 300.
    p = np.repeat([0.3, 0.7], [200, 100])
    examination = np.repeat([1.0, 0.5], [200, 100])
    target = np.concatenate([np.repeat([1.0, 0.0], 100), np.repeat([1.0, -1.0], 50)])
    error, gap = calibration_findings(ReviewedSkills(p, examination, target, np.arange(300)), JUDGED, FEWER)
    assert (error.statistic, gap.statistic, error.n) == ("ECE", "gap", 300)
    assert error.value == pytest.approx(110 / 300, abs=1e-4)
    assert gap.value == pytest.approx(30 / 300, abs=1e-4)
    assert error.drifted
    assert error.interval[0] < error.value < error.interval[1]


def test_a_probability_on_an_edge_is_in_the_bin_below_it():
    assert bin_numbers(np.array([0.1, 0.5, 0.51, 1.0]), BINS).tolist() == [0, 0, 1, 1]


def test_reviews_that_hold_as_promised_are_quiet_although_few_look_far_down():
    found = [calibration_findings(reviews(seed), JUDGED, with_draws(100)) for seed in range(40)]
    assert sum(finding.drifted for pair in found for finding in pair) <= 4


def test_stricter_coaches_are_found():
    assert all(finding.drifted for finding in calibration_findings(reviews(stricter=0.2), JUDGED, FEWER))


def test_what_training_promised_wrongly_is_no_drift():
    bins = [part.model_copy(update={"share": part.share - 0.2}) for part in BINS]
    as_bad = PROFILE.model_copy(update={"reliability": bins})
    assert not any(finding.drifted for finding in calibration_findings(reviews(stricter=0.2), as_bad, FEWER))


@settings(max_examples=5, deadline=None)
@given(st.integers(0, 1_000))
def test_the_order_of_reviews_changes_nothing(seed):
    given_reviews = reviews(1)
    order = np.random.default_rng(seed).permutation(len(given_reviews))
    shuffled = ReviewedSkills(
        given_reviews.probability[order],
        given_reviews.examination[order],
        given_reviews.target[order],
        given_reviews.list_number[order],
    )
    few = with_draws(30)
    assert calibration_findings(shuffled, JUDGED, few) == calibration_findings(given_reviews, JUDGED, few)


def test_few_reviews_say_too_few():
    for finding in calibration_findings(reviews(lists=30), JUDGED, FEWER):
        assert (finding.n, finding.value, finding.drifted) == (120, None, False)
        assert "150 are needed" in finding.sentence


# The file


def test_a_check_without_its_label_is_refused(tmp_path):
    broken = tmp_path / "drift.yaml"
    text = DRIFT_FILE.read_text(encoding="utf-8").replace("  characters: ", "  letters: ")
    broken.write_text(text, encoding="utf-8")
    with pytest.raises(DataFileError, match="each check has its label"):
        load_drift_parameters(broken)
