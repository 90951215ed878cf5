from __future__ import annotations

import hashlib

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

from recommender.catalogue.instrument import Instrument
from recommender.observations.scores import COLUMNS
from recommender.training.simulate.components import Components
from recommender.training.simulate.design import Design
from recommender.training.simulate.parameters import load_parameters
from recommender.training.simulate.raters import assign_raters, distinct
from recommender.training.simulate.ratings import SimulatedScores, simulate_scores


def fingerprint(simulated: SimulatedScores) -> str:
    table = simulated.scores.to_csv(index=False).encode()
    return hashlib.sha256(table + simulated.theta.tobytes() + simulated.latent.tobytes()).hexdigest()


def raters_of(simulated: SimulatedScores) -> pd.Series:
    return simulated.scores.groupby("teacher_id")["observer"].nunique()


def lesson_means(simulated: SimulatedScores) -> np.ndarray:
    """(teachers, visits, items) latent scores averaged over the raters of a visit."""
    raters = len(simulated.scores) // simulated.scores["visit"].nunique() // len(simulated.items)
    by_rating = simulated.latent.reshape(len(simulated.teacher_ids), -1, raters, len(simulated.items))
    return by_rating.mean(axis=2)


def cross_lesson(means: np.ndarray) -> tuple[float, float]:
    """Mean correlation of one item between two lessons, and that of the mean over items."""
    items = [np.corrcoef(means[:, 0, i], means[:, 1, i])[0, 1] for i in range(means.shape[2])]
    overall = means.mean(axis=2)
    return float(np.mean(items)), float(np.corrcoef(overall[:, 0], overall[:, 1])[0, 1])


def test_the_table_is_a_score_table_of_the_engine() -> None:
    simulated = simulate_scores(Design(teachers=12, visits=3), 1)
    scores = simulated.scores
    assert list(scores.columns) == list(COLUMNS)
    assert len(scores) == 12 * 3 * 18 == len(simulated.latent)
    assert scores["observed_on"].dtype.kind == "M" and scores["value"].dtype == np.float64
    assert scores["segment"].dtype == np.int64
    assert set(scores["value"]) <= {1.0, 2.0, 3.0, 4.0}
    assert not scores.isna().any(axis=None)
    assert scores["visit"].nunique() == 36


def test_the_same_seed_gives_the_same_bytes_and_another_does_not() -> None:
    design = Design(teachers=40, visits=None, raters="mixed", preset="operational", vary_top_share=True)
    assert fingerprint(simulate_scores(design, 4)) == fingerprint(simulate_scores(design, 4))
    assert fingerprint(simulate_scores(design, 4)) != fingerprint(simulate_scores(design, 5))


def test_designs_that_differ_in_raters_have_the_same_teachers() -> None:
    first = simulate_scores(Design(teachers=30, raters="different"), 2)
    second = simulate_scores(Design(teachers=30, raters="same"), 2)
    assert (first.theta == second.theta).all()
    assert fingerprint(first) != fingerprint(second)


def test_different_raters_never_see_a_teacher_twice() -> None:
    simulated = simulate_scores(Design(teachers=200, visits=4, raters="different", teachers_per_rater=10), 0)
    assert (raters_of(simulated) == 4).all()
    # 200 teachers x 4 visits / 10 teachers a rater
    assert simulated.scores["observer"].nunique() <= 80


def test_the_same_rater_sees_all_visits_of_a_teacher_and_teachers_of_many_schools() -> None:
    simulated = simulate_scores(Design(teachers=200, visits=4, raters="same", teachers_per_rater=20), 0)
    assert (raters_of(simulated) == 1).all()
    by_rater = simulated.scores.groupby("observer")[["teacher_id", "school"]].nunique()
    assert (by_rater["teacher_id"] == 20).all()
    assert by_rater["school"].min() > 3


def test_a_shared_rater_sees_one_school_and_all_of_it() -> None:
    simulated = simulate_scores(Design(teachers=60, visits=2, raters="shared", school_size=12), 0)
    by_rater = simulated.scores.groupby("observer")[["teacher_id", "school"]].nunique()
    assert (by_rater["teacher_id"] == 12).all() and (by_rater["school"] == 1).all() and len(by_rater) == 5
    assert set(simulated.scores["observer_role"]) == {"own_admin"}


def test_most_teachers_of_a_mixed_design_keep_one_rater() -> None:
    simulated = simulate_scores(Design(teachers=3000, visits=4, raters="mixed"), 0)
    counts = raters_of(simulated)
    assert set(counts) == {1, 4}
    assert (counts == 1).mean() == pytest.approx(0.70, abs=0.035)


def test_raters_of_a_pool_are_few_and_return() -> None:
    design = Design(teachers=85, visits=2, raters="pool", raters_per_visit=2, teachers_per_rater=29)
    simulated = simulate_scores(design, 0)
    assert simulated.scores["observer"].nunique() == 12
    assert (simulated.scores.groupby("visit")["observer"].nunique() == 2).all()
    assert set(raters_of(simulated)) == {2, 3, 4}


def test_one_voice_cannot_score_a_lesson_twice() -> None:
    with pytest.raises(ValidationError, match="raters_per_visit"):
        Design(teachers=5, raters="same", raters_per_visit=2)


def test_distinct_draws_are_distinct_and_even() -> None:
    drawn = distinct(np.random.default_rng(0), 6000, 5, 3)
    assert all(len(set(row)) == 3 for row in drawn.tolist())
    for column in drawn.T:
        assert np.bincount(column, minlength=5) / 6000 == pytest.approx(np.full(5, 0.2), abs=0.025)
    assert sorted(distinct(np.random.default_rng(0), 1, 4, 4)[0].tolist()) == [0, 1, 2, 3]


def test_visits_of_unequal_teachers_get_raters_in_order() -> None:
    design = Design(teachers=3, visits=None, raters="same", teachers_per_rater=1)
    assignment = assign_raters(np.random.default_rng(0), design, np.array([1, 3, 2]), 0.7)
    rater = assignment.rater_of[:, 0]
    assert len({rater[0], rater[1], rater[4]}) == 3 and rater[1] == rater[3] and rater[4] == rater[5]


def test_lessons_by_different_raters_correlate_as_the_variance_parts_say() -> None:
    n = 10_000
    simulated = simulate_scores(Design(teachers=n, visits=2, raters="different", raters_per_visit=2), 6)
    parts = Components.of(list("aaabbbcccdddeeefff"), "research", load_parameters())
    lesson = parts.teacher.covariance() + parts.lesson.covariance()
    lesson += (parts.rater.covariance() + parts.residual.covariance()) / 2
    weights = np.full(18, 1 / 18)
    item, overall = cross_lesson(lesson_means(simulated))
    assert item == pytest.approx(0.12 / lesson[0, 0], abs=0.01)
    wanted = (weights @ parts.teacher.covariance() @ weights) / (weights @ lesson @ weights)
    assert overall == pytest.approx(wanted, abs=4 / np.sqrt(n))
    # The study itself: about .21 to .23 and .35 to .37; there some raters saw both lessons.
    assert item == pytest.approx(0.23, abs=0.05)
    assert overall == pytest.approx(0.35, abs=0.05)


def test_rows_are_in_the_order_of_teacher_visit_rater_and_item() -> None:
    simulated = simulate_scores(Design(teachers=3, visits=2, raters_per_visit=2), 0)
    scores = simulated.scores
    assert scores["teacher_id"].is_monotonic_increasing and scores["visit"].is_monotonic_increasing
    assert scores["item"].tolist() == list(simulated.items) * 12
    assert (scores.groupby(np.arange(len(scores)) // 18)["observer"].nunique() == 1).all()


def test_scores_have_the_margins_of_the_preset() -> None:
    scores = simulate_scores(Design(teachers=4000, visits=1, preset="operational"), 0).scores
    found = [(scores["value"] == level).mean() for level in (1, 2, 3, 4)]
    assert found == pytest.approx([0.003, 0.04, 0.658, 0.299], abs=0.015)
    research = simulate_scores(Design(teachers=4000, visits=1), 0).scores
    disruptions = research.loc[research["item"] == "CM3DS", "value"]
    assert (disruptions == 4).mean() == pytest.approx(0.92, abs=0.02)


def test_districts_differ_in_their_share_of_top_scores() -> None:
    design = Design(teachers=60, visits=2, preset="operational", vary_top_share=True)
    tops = [(simulate_scores(design, seed).scores["value"] == 4).mean() for seed in range(12)]
    assert max(tops) - min(tops) > 0.3


def test_teachers_of_the_optimistic_preset_are_easier_to_tell_apart() -> None:
    for preset, share in (("research", 0.12), ("optimistic", 0.30)):
        theta = simulate_scores(Design(teachers=5000, visits=1, preset=preset), 0).theta
        assert theta.var() == pytest.approx(share, rel=0.06)


def test_the_true_need_is_what_the_scores_were_drawn_from() -> None:
    simulated = simulate_scores(Design(teachers=2000, visits=8), 0)
    assert simulated.true_need == pytest.approx(simulated.theta.mean(axis=1, keepdims=True) - simulated.theta)
    mean = lesson_means(simulated).mean(axis=1)
    assert np.corrcoef((mean.mean(axis=1, keepdims=True) - mean).ravel(), simulated.true_need.ravel())[0, 1] > 0.6


def test_left_out_items_are_absent_rows_not_zeros() -> None:
    whole = simulate_scores(Design(teachers=500, visits=2), 3)
    holes = simulate_scores(Design(teachers=500, visits=2, missing_share=0.3), 3)
    assert len(holes.scores) / len(whole.scores) == pytest.approx(0.7, abs=0.015)
    assert holes.scores["value"].min() >= 1 and len(holes.latent) == len(holes.scores)


def test_a_walkthrough_scores_three_to_five_items() -> None:
    scores = simulate_scores(Design(teachers=800, visits=3, walkthrough_share=0.1), 0).scores
    short = scores[scores["observation_type"] == "walkthrough"].groupby("visit").size()
    assert set(short) == {3, 4, 5}
    assert len(short) / 2400 == pytest.approx(0.1, abs=0.025)
    assert (scores[scores["observation_type"] != "walkthrough"].groupby("visit").size() == 18).all()


def test_visits_fall_on_weekdays_of_one_school_year_in_order() -> None:
    scores = simulate_scores(Design(teachers=100, visits=5), 0).scores
    days = scores.groupby(["teacher_id", "visit"])["observed_on"].agg(["min", "max"])
    assert (days["min"] == days["max"]).all()
    assert days["min"].groupby("teacher_id").apply(lambda day: day.is_monotonic_increasing).all()
    assert (scores["observed_on"].dt.day_of_week < 5).all()
    assert scores["observed_on"].min() >= pd.Timestamp("2025-09-01")
    assert scores["observed_on"].max() <= pd.Timestamp("2026-05-31")


def test_an_instrument_with_often_missing_and_reversed_items_is_simulated_as_it_says() -> None:
    items = [
        {"code": "A", "label": "Climate", "family": "climate", "usually_missing": 0.6},
        {"code": "N", "label": "Negative climate", "family": "climate", "direction": -1},
        {"code": "C", "label": "Critical thinking", "family": "cognitive-demand"},
    ]
    own = {
        "own": Instrument.model_validate({"id": "own", "title": "Own", "scale": {"min": 1, "max": 5}, "items": items})
    }
    simulated = simulate_scores(Design(teachers=3000, visits=1, instrument="own"), 0, instruments=own)
    counts = simulated.scores["item"].value_counts()
    assert counts["A"] / 3000 == pytest.approx(0.4, abs=0.04) and counts["C"] == 3000
    reversed_item = (simulated.scores["item"] == "N").to_numpy()
    values = simulated.scores.loc[reversed_item, "value"]
    assert np.corrcoef(values, simulated.latent[reversed_item])[0, 1] < -0.7
