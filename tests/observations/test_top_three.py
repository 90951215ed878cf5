from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recommender.observations.top_three import probability_of_top, sample_needs


def posterior_of(seed: int, items: int, spread: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    """A centred need and its covariance, singular as centring makes it."""
    rng = np.random.default_rng(seed)
    root = rng.normal(size=(items, items)) / np.sqrt(items)
    centring = np.eye(items) - 1 / items
    need = spread * centring @ rng.normal(size=items)
    return need[None], (centring @ root @ root.T @ centring)[None]


@pytest.mark.parametrize("seed", range(6))
def test_chances_are_those_of_many_draws(seed) -> None:
    need, covariance = posterior_of(seed, 4 + 2 * seed, spread=0.3 * seed)
    chance = probability_of_top(sample_needs(need, covariance), np.ones(need.shape, dtype=bool))[0]
    drawn = np.random.default_rng(99).multivariate_normal(need[0], covariance[0], size=20_000, method="eigh")
    third = np.sort(drawn, axis=1)[:, -3, None]
    assert chance == pytest.approx((drawn >= third).mean(axis=0), abs=0.08)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(4, 12), st.data())
def test_chances_sum_to_three_over_more_than_three_known_items(seed, items, data) -> None:
    need, covariance = posterior_of(seed, items)
    known = np.ones(items, dtype=bool)
    known[data.draw(st.lists(st.integers(0, items - 1), max_size=items - 4, unique=True))] = False
    chance = probability_of_top(sample_needs(need, covariance), known[None])[0]
    assert chance[known].sum() == pytest.approx(3)
    assert np.isnan(chance[~known]).all() and (chance[known] >= 0).all() and (chance[known] <= 1).all()


def test_equals_share_the_places_that_are_left() -> None:
    draws = np.array([3.0, 2.0, 1.0, 1.0, 1.0 + 1e-12, 0.0])[None, :, None]
    chance = probability_of_top(draws, np.ones((1, 6), dtype=bool))[0]
    assert chance == pytest.approx([1, 1, 1 / 3, 1 / 3, 1 / 3, 0])
    # What only rounding sets above the third place shares it too.
    draws = np.array([3.0, 1.0 + 1e-12, 1.0, 1.0, 0.0])[None, :, None]
    chance = probability_of_top(draws, np.ones((1, 5), dtype=bool))[0]
    assert chance == pytest.approx([1, 2 / 3, 2 / 3, 2 / 3, 0])


def test_items_that_are_all_equal_have_even_chances() -> None:
    chance = probability_of_top(np.zeros((1, 8, 5)), np.ones((1, 8), dtype=bool))[0]
    assert chance == pytest.approx([3 / 8] * 8)


@pytest.mark.parametrize("items", [2, 3, 5])
def test_up_to_three_known_items_are_all_among_the_three(items) -> None:
    known = np.array([[True, True, False, False, False][:items]])
    chance = probability_of_top(np.random.default_rng(0).normal(size=(1, items, 9)), known)[0]
    assert chance[:2].tolist() == [1.0, 1.0] and np.isnan(chance[2:]).all()


def test_a_sure_need_is_surely_among_the_three() -> None:
    need = np.array([[5.0, 4.0, 3.0, -4.0, -8.0]])
    draws = sample_needs(need, np.zeros((1, 5, 5)))
    assert (draws == need[:, :, None]).all()
    assert probability_of_top(draws, np.ones((1, 5), dtype=bool))[0].tolist() == [1, 1, 1, 0, 0]


def test_draws_have_the_covariance_asked_for() -> None:
    need, covariance = posterior_of(3, 4)
    drawn = sample_needs(need, covariance)[0]
    assert np.cov(drawn) == pytest.approx(covariance[0], abs=0.1 * covariance[0].max())
    assert drawn.sum(axis=0) == pytest.approx(0, abs=1e-6)


def test_a_teachers_chances_are_the_same_bytes_alone_and_among_others() -> None:
    alone = posterior_of(1, 6)
    other = posterior_of(2, 6)
    both = [np.concatenate([first, second]) for first, second in zip(other, alone, strict=True)]
    known = np.ones((2, 6), dtype=bool)
    together = probability_of_top(sample_needs(*both), known)[1]
    assert together.tobytes() == probability_of_top(sample_needs(*alone), known[:1])[0].tobytes()
