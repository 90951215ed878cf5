from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recommender.observations.teacher_needs import TeacherNeeds
from recommender.ranking.observation_weights import need_effects


def needs(need, covariance, shares, lead) -> TeacherNeeds:
    return TeacherNeeds(
        items=tuple(("own", f"I{i}") for i in range(len(need))), need=np.array(need), covariance=np.array(covariance),
        shares=np.array(shares), lead=np.array(lead), visits=(1,) * len(need), grade="C", notices=(),
    )  # fmt: skip


def test_an_items_effect_by_hand() -> None:
    given_ = needs([1.0, -1.0], [[0.5, 0.1], [0.1, 0.5]], [[0.75], [0.25]], [0.8])
    variance = 0.75**2 * 0.5 + 2 * 0.75 * 0.25 * 0.1 + 0.25**2 * 0.5
    pull = 2 * 0.8 / np.sqrt(1 + np.pi / 8 * (2 * 0.8) ** 2 * variance)
    assert need_effects(given_, 2.0) == pytest.approx(np.array([[0.75 * pull], [-0.25 * pull]]))


@settings(max_examples=80, deadline=None)
@given(st.integers(0, 2**32 - 1), st.floats(0.01, 5), st.floats(1.001, 50))
def test_the_less_sure_a_need_is_the_less_it_pulls(seed, weight, wider) -> None:
    rng = np.random.default_rng(seed)
    root, more = rng.normal(size=(2, 4, 4))
    sure = needs(
        rng.normal(size=4),
        root @ root.T + 0.01 * np.eye(4),
        rng.dirichlet(np.ones(4), size=6).T,
        rng.uniform(0.1, 1, 6),
    )
    large = need_effects(sure, weight)
    for covariance in (wider * sure.covariance, sure.covariance + more @ more.T):
        small = need_effects(replace(sure, covariance=covariance), weight)
        assert (np.abs(small) < np.abs(large)).all() and (np.sign(small) == np.sign(large)).all()
