from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from need_rows import RUBRIC, instruments

from recommender.catalogue.loader import load_catalogue
from recommender.observations.skill_map import SkillMap, steering_shares


def mapping(*codes: str) -> tuple[SkillMap, dict[str, int]]:
    catalogue = load_catalogue()
    items = tuple((RUBRIC, code) for code in codes)
    return SkillMap.of(items, instruments(), catalogue), dict(catalogue.index)


def test_weights_are_those_of_the_crosswalk_and_items_without_one_have_zeros() -> None:
    weights, index = mapping("A", "E")
    assert weights.weights[0, index["entry-routine"]] == 0.6
    assert weights.weights.sum(axis=1) == pytest.approx([1.0, 0.0])


def test_shares_are_weights_over_the_scored_items_that_sum_to_one() -> None:
    weights, index = mapping("A", "B", "C")
    shares = weights.shares(np.array([[True, True, True], [True, False, False], [False, False, False]]))
    # efficient-transitions: weights .4, .5 and .3.
    assert shares[0, :, index["efficient-transitions"]] == pytest.approx([0.4 / 1.2, 0.5 / 1.2, 0.3 / 1.2])
    assert shares[1, :, index["efficient-transitions"]].tolist() == [1.0, 0.0, 0.0]
    assert shares[1, :, index["cold-calling"]].tolist() == [0.0, 0.0, 0.0]
    assert shares[2].sum() == 0


def test_items_get_their_least_share_by_hand() -> None:
    # Two items, gains .4 on themselves and .1 on each other: at least (.25 - .1) / (.4 - .1) = .5 each.
    gain = np.array([[0.4, 0.1], [0.1, 0.4]])
    both = np.ones(2, dtype=bool)
    # All of the skill is needed for the least shares, so nothing tells the two items apart.
    assert steering_shares(np.array([[0.9], [0.1]]), gain, both).tolist() == [[0.0], [0.0]]
    assert steering_shares(np.array([[1.0], [0.0]]), gain, both).tolist() == [[1.0], [0.0]]
    # Four such items: at least (.175 - .1) / .3 = .25 each.
    four = np.full((4, 4), 0.1) + 0.3 * np.eye(4)
    steered = steering_shares(np.array([[0.9], [0.1], [0.0], [0.0]]), four, np.ones(4, dtype=bool))
    assert steered[:, 0] == pytest.approx([0.75, 0.25, 0, 0])


def test_shares_above_the_least_stay_as_they_are() -> None:
    four = np.full((4, 4), 0.1) + 0.3 * np.eye(4)
    shares = np.array([[0.6, 1.0], [0.4, 0.0], [0.0, 0.0], [0.0, 0.0]])
    assert steering_shares(shares, four, np.ones(4, dtype=bool)) == pytest.approx(shares)


def test_nothing_scored_gives_no_shares() -> None:
    assert steering_shares(np.zeros((3, 2)), np.eye(3), np.zeros(3, dtype=bool)).sum() == 0


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 8))
def test_a_skills_need_never_falls_when_an_item_it_rests_on_is_scored_lower(seed, items) -> None:
    rng = np.random.default_rng(seed)
    observed = rng.random(items) < 0.8
    root = rng.normal(size=(items, items))
    gain = np.where(observed[None, :], 0.1 * root @ root.T / items + np.diag(rng.uniform(0.1, 0.5, items)), 0.0)
    weights = rng.random((items, 12)) * (rng.random((items, 12)) < 0.5) * observed[:, None]
    total = weights.sum(axis=0)
    shares = np.divide(weights, total, out=np.zeros_like(weights), where=total > 0)
    steered = steering_shares(shares, gain, observed)
    sums = steered.sum(axis=0)
    assert (np.isclose(sums, 1) | (sums == 0)).all() and (steered >= 0).all() and (steered[shares == 0] == 0).all()
    if observed.any():
        # Need is the mean gain over scored items less the item's own; a unit lower score turns the sign.
        of_score = gain[observed].mean(axis=0) - gain
        change = -(steered.T @ of_score)
        assert (change[(shares > 0).T] >= -1e-9).all()
