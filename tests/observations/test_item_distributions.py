from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from need_rows import rubric
from scipy.integrate import quad
from scipy.special import ndtr, ndtri

from recommender.catalogue.families import load_families
from recommender.catalogue.instruments import load_instruments
from recommender.observations.item_distributions import (
    LEAST_INFORMATION,
    USUAL_FAMILY,
    ItemDistribution,
    Prior,
    prior_of,
)

SHARES = {"shares": {1: 0.1, 2: 0.2, 3: 0.3, 4: 0.4}, "source": "measured for this test"}


def distribution(counts: dict[float, float], prior: Prior | None = None) -> ItemDistribution:
    return ItemDistribution(np.array(sorted(counts), dtype=float), np.array([counts[v] for v in sorted(counts)]), prior)


def prior(**item) -> Prior | None:
    return prior_of(rubric(items=[{"code": "X", "label": "X", **item}]), "X")


def between(below: float, up_to: float) -> float:
    """Mean of a standard normal between two quantiles, by integrating its quantile function."""
    return quad(ndtri, below, up_to)[0] / (up_to - below)


def test_normal_scores_are_the_mean_latent_scores_of_each_level_of_a_small_table() -> None:
    own = distribution({1: 2, 2: 4, 3: 2})
    expected = [between(0, 2 / 8), 0.0, between(6 / 8, 1)]
    assert own.normal_scores(np.array([1.0, 2.0, 3.0])) == pytest.approx(expected, abs=1e-6)
    # Of two equally frequent levels each has the mean of half a normal.
    assert distribution({0: 7, 1: 7}).normal_scores(np.array([1.0])) == pytest.approx([math.sqrt(2 / math.pi)])


def test_a_value_nobody_was_given_ranks_between_its_neighbours_or_outside_all() -> None:
    own = distribution({1: 2, 2: 4, 3: 2})
    between_levels = own.normal_scores(np.array([1.5, 2.5, 0.5, 3.5]))
    assert between_levels == pytest.approx([*ndtri([2 / 8, 6 / 8]), ndtri(0.002), ndtri(0.998)])


def test_no_score_is_rarer_than_one_in_five_hundred() -> None:
    rare = distribution({1: 1, 4: 9999}).normal_scores(np.array([1.0]))
    assert rare == pytest.approx([ndtri(0.002)])


def test_an_item_nobody_scored_and_nothing_is_known_of_gives_zero() -> None:
    nothing = distribution({})
    assert nothing.normal_scores(np.array([1.0, 4.0])).tolist() == [0.0, 0.0]
    assert (nothing.own_weight, nothing.uncertainty, nothing.information) == (1.0, 1.0, 0.85)


def test_a_measured_prior_counts_like_two_hundred_scores() -> None:
    measured = prior(norm=SHARES)
    own = distribution({2: 50, 4: 50}, measured)
    assert own.own_weight == pytest.approx(100 / 300)
    assert own.uncertainty == pytest.approx(1 / 301)
    # Own quantiles 0 to .5 of a 2 and .5 to 1 of a 4; the prior's .1 to .3 and .6 to 1.
    expected = [between(0.2 / 3, 1.1 / 3), between(1.7 / 3, 1)]
    assert own.normal_scores(np.array([2.0, 4.0])) == pytest.approx(expected, abs=1e-6)


def test_a_borrowed_prior_counts_like_twenty_scores() -> None:
    borrowed = prior(family="questioning")
    family = load_families()["questioning"]
    mean, sd = 1 + 3 * family.position_mean, 3 * family.position_sd
    assert (borrowed.mean, borrowed.sd) == pytest.approx((mean, sd))
    own = distribution({2: 30}, borrowed)
    assert own.own_weight == pytest.approx(30 / 50)
    # Where its middle lies is known as if from five scores.
    assert own.uncertainty == pytest.approx(1 / 36)
    prior_share = 0.4 * ndtr((2 - mean) / sd)
    assert own.normal_scores(np.array([2.0])) == pytest.approx([between(prior_share, 0.6 + prior_share)], abs=1e-6)


def test_shares_between_two_levels_are_interpolated() -> None:
    below, up_to = prior(norm=SHARES).bounds(np.array([1.0, 2.0, 2.5, 4.0]))
    # Below a 2 lies .1, below a 3 .3; up to a 2 lies .3, up to a 3 .6.
    assert below == pytest.approx([0.0, 0.1, 0.2, 0.6]) and up_to == pytest.approx([0.1, 0.3, 0.45, 1.0])


def test_shares_that_miss_one_by_rounding_are_scaled() -> None:
    rounded = prior(norm={"shares": {1: 0.5, 2: 0.49}, "source": "measured for this test"})
    assert rounded.shares == pytest.approx((0.5 / 0.99, 0.49 / 0.99))


def test_the_prior_of_a_reversed_item_is_turned() -> None:
    turned = prior(norm=SHARES, direction=-1)
    assert turned.levels == (1.0, 2.0, 3.0, 4.0) and turned.shares == pytest.approx((0.4, 0.3, 0.2, 0.1))
    moments = prior(norm={"mean": 1.5, "sd": 0.4, "source": "measured for this test"}, direction=-1)
    assert (moments.mean, moments.sd) == (3.5, 0.4)


def test_a_borrowed_prior_is_not_turned_because_it_speaks_of_more_is_better() -> None:
    assert prior(family="climate", direction=-1) == prior(family="climate")


def test_an_item_without_norm_or_known_family_borrows_what_is_usual_over_all_ratings() -> None:
    assert prior() == prior(family="gardening") == prior(family=USUAL_FAMILY)
    assert prior() != prior(family="routines")


def test_a_rate_borrows_no_place_on_a_rating_scale() -> None:
    items = [
        {"code": "n", "label": "N", "level": "count"},
        {"code": "X", "label": "X", "level": "count", "per": "n", "family": "questioning"},
    ]
    assert prior_of(rubric(items=items), "X") is None


def test_information_is_the_variance_of_the_normal_scores() -> None:
    own = 2 * between(0, 2 / 8) ** 2 * 2 / 8
    # Without a prior the usual .85 counts like ten scores.
    assert distribution({1: 2, 2: 4, 3: 2}).information == pytest.approx((8 * own + 10 * 0.85) / 18, abs=1e-6)


def test_information_under_a_measured_prior_is_drawn_to_the_priors() -> None:
    z = np.array([between(0, 0.1), between(0.1, 0.3), between(0.3, 0.6), between(0.6, 1)])
    shares = np.array([0.1, 0.2, 0.3, 0.4])
    expected = shares @ z**2
    measured = prior(norm=SHARES)
    assert measured.information == pytest.approx(expected, abs=1e-6)
    assert distribution({}, measured).information == pytest.approx(expected, abs=1e-6)
    own = distribution({3: 300}, measured)
    # All 300 own scores are alike: variance 0.
    assert own.information == pytest.approx((300 * 0 + 200 * expected) / 500, abs=1e-6)


def test_an_item_at_its_ceiling_keeps_almost_nothing() -> None:
    assert distribution({4: 100_000}).information == LEAST_INFORMATION
    assert distribution({3: 5, 4: 95}).information < 0.35


def test_a_score_a_little_above_a_frequent_level_is_not_worth_less_than_the_level() -> None:
    item = distribution({}, prior(norm={"shares": {1: 0.1, 2: 0.4, 3: 0.48, 4: 0.02}, "source": "measured here"}))
    level, above = item.normal_scores(np.array([3.0, 3.02]))
    assert level < above < level + 0.1


@given(
    st.dictionaries(st.sampled_from([1.0, 1.5, 2.0, 2.5, 3.0, 4.0]), st.integers(1, 300), min_size=1),
    st.sampled_from([None, "shares", "moments", "borrowed"]),
)
def test_a_higher_score_never_has_a_lower_normal_score(counts, kind) -> None:
    kinds = {
        "shares": {"norm": SHARES},
        "moments": {"norm": {"mean": 2.2, "sd": 0.5, "source": "measured for this test"}},
        "borrowed": {"family": "feedback"},
    }
    item = distribution(counts, None if kind is None else prior(**kinds[kind]))
    z = item.normal_scores(np.linspace(1, 4, 31))
    assert (np.diff(z) >= -1e-12).all() and np.abs(z).max() <= 2.8782
    assert LEAST_INFORMATION <= item.information <= 1


def test_seconds_and_percentages_borrow_no_norm_of_a_rating_scale() -> None:
    instruments = load_instruments()
    assert prior_of(instruments["talk-analytics"], "wait_time_seconds") is None
    assert prior_of(instruments["danielson-2022"], "3b") is not None
