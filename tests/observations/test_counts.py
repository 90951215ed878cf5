from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from need_rows import instruments, rubric, table, visit
from scipy.special import ndtri

from recommender.catalogue.instrument import Norm
from recommender.errors import DataFileError
from recommender.observations.counts import read_counts
from recommender.observations.needs import estimate_needs
from recommender.observations.norms import Distributions, Norms
from recommender.observations.ratings import observed_ratings


def norm(mean: float, sd: float) -> Norm:
    return Norm(mean=mean, sd=sd, source="measured for this test")


# Mean .5 and SD 1/sqrt(12): every rate is equally likely, so every count from 0 to the exposure is too.
EVEN = norm(0.5, math.sqrt(1 / 12))


def read(count: float, exposure: float, of: Norm = EVEN) -> tuple[float, float]:
    latent, noise = read_counts(np.array([count / exposure]), np.array([float(exposure)]), of)
    return float(latent[0]), float(noise[0])


def test_a_count_under_even_rates_is_read_by_hand() -> None:
    # 1 of 4: counts 0 to 4 have probability 1/5 each, mid-rank 1/5 + 1/10; reliability (1/12) / (1/12 + 1/16) = 4/7.
    latent, noise = read(1, 4)
    assert latent == pytest.approx(ndtri(0.3) / math.sqrt(4 / 7))
    assert noise == pytest.approx((3 / 7) / (4 / 7))


def test_a_usual_rate_reads_as_zero() -> None:
    assert read(2, 4)[0] == pytest.approx(0, abs=1e-9)


def test_a_short_lesson_says_little_and_a_long_one_much() -> None:
    moves = norm(0.011, 0.010)
    noises = [read(0.011 * n, n, moves)[1] for n in (30, 300, 3000)]
    # Reliability .0001 / (.0001 + .01088 / n): noise = .01088 / (n * .0001).
    assert noises == pytest.approx([108.79 / n for n in (30, 300, 3000)], rel=1e-3)


def test_noise_shrinks_the_need_that_a_count_can_give() -> None:
    items = [
        {"code": "n", "label": "N", "level": "count", "scale": {"min": 0, "max": 9999}},
        *({"code": code, "label": code, "level": "count", "per": "n", "scale": {"min": 0, "max": 9999},
           "norm": {"mean": 0.1, "sd": 0.05, "source": "measured for this test"}} for code in "XY"),
    ]  # fmt: skip
    own = instruments(rubric("talk", items=items))

    def need(n: int) -> float:
        scores = table(visit("t", {"n": n, "X": 0, "Y": 0.2 * n}, instrument="talk"))
        (group,) = estimate_needs(scores, own, Norms()).groups
        return float(group.need[0, 0])

    assert 0 < need(10) < 0.5 * need(1000)


def test_a_reversed_count_is_read_with_its_sign_turned() -> None:
    count = {"level": "count", "scale": {"min": 0, "max": 9999}}
    norm_of = {"norm": {"mean": 0.5, "sd": 0.288675, "source": "measured for this test"}}
    own = instruments(
        rubric(
            "talk",
            items=[
                {"code": "n", "label": "N", **count},
                {"code": "good", "label": "Good", "per": "n", **count, **norm_of},
                {"code": "bad", "label": "Bad", "per": "n", "direction": -1, **count, **norm_of},
            ],
        )
    )
    ratings = observed_ratings(table(visit("t", {"n": 4, "good": 1, "bad": 1}, instrument="talk")), own)
    readings = Distributions(Norms(), own).read(ratings)
    assert readings.latent == pytest.approx([ndtri(0.3) / math.sqrt(4 / 7), -ndtri(0.3) / math.sqrt(4 / 7)], rel=1e-4)


def test_a_count_without_a_norm_is_read_among_the_tenants_own_rates() -> None:
    count = {"level": "count", "scale": {"min": 0, "max": 9999}}
    items = [{"code": "minutes", "label": "M", **count}, {"code": "X", "label": "X", "per": "minutes", **count}]
    own = instruments(rubric("talk", items=items))
    # 2 a minute is more than 1 a minute, though both are rates no proportion allows.
    scores = table(
        visit("t", {"minutes": 20, "X": 20}, instrument="talk"), visit("u", {"minutes": 10, "X": 20}, instrument="talk")
    )
    low, high = estimate_needs(scores, own).ratings.value
    assert (low, high) == (1.0, 2.0)


@pytest.mark.parametrize(
    "broken", [None, Norm(shares={0: 0.5, 1: 0.5}, source="measured for this test"), norm(0.0, 0.1), norm(1.0, 0.1)]
)
def test_a_norm_that_is_no_rate_is_refused(broken) -> None:
    with pytest.raises(DataFileError, match=r"norm: \{mean, sd, source\} with 0 < mean < 1"):
        read_counts(np.array([0.1]), np.array([10.0]), broken)


def test_a_spread_that_no_rate_can_have_is_refused() -> None:
    with pytest.raises(DataFileError, match=r"SD of 0\.4; wanted less than 0\.300"):
        read_counts(np.array([0.1]), np.array([10.0]), norm(0.1, 0.4))


@given(st.integers(1, 400), st.floats(0.01, 0.6), st.floats(0.05, 0.9))
def test_more_of_a_move_never_reads_lower(exposure, mean, spread) -> None:
    of = norm(mean, spread * math.sqrt(mean * (1 - mean)))
    counts = np.arange(exposure + 1, dtype=float)
    latent, noise = read_counts(counts / exposure, np.full(len(counts), float(exposure)), of)
    assert (np.diff(latent) >= -1e-9).all() and np.isfinite(latent).all() and (noise > 0).all()
