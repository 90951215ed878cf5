from __future__ import annotations

from functools import lru_cache

import numpy as np
import pytest

from recommender.catalogue.instruments import load_instruments
from recommender.observations.component_fit import fit_components
from recommender.observations.components import VarianceComponents, shipped_components
from recommender.observations.domains import domains_of
from recommender.observations.norms import Distributions, Norms, TenantNorms, score_counts
from recommender.observations.ratings import Ratings, observed_ratings
from recommender.training.simulate.design import Design
from recommender.training.simulate.ratings import simulate_scores

RESEARCH = {"teacher": 0.12, "lesson": 0.14, "rater": 0.265, "residual": 0.475}
OPTIMISTIC = {"teacher": 0.30, "lesson": 0.15, "rater": 0.15, "residual": 0.40}


def rated(seed: int, **design) -> Ratings:
    return observed_ratings(simulate_scores(Design(**design), seed).scores, load_instruments())


def fitted(ratings: Ratings, rows: np.ndarray | None = None) -> VarianceComponents | None:
    counts = score_counts(ratings)
    norms = Norms(tenants={tenant: TenantNorms(items=items) for tenant, items in counts.items()})
    readings = Distributions(norms, load_instruments()).read(ratings)
    rows = np.arange(len(ratings)) if rows is None else rows
    return fit_components(ratings, readings, rows, domains_of(ratings.items, load_instruments()), shipped_components())


def variances(parts: VarianceComponents) -> dict[str, float]:
    return {name: getattr(parts, name).variance for name in RESEARCH}


@lru_cache
def double_scored(preset) -> VarianceComponents:
    """800 teachers, two lessons each by two of 60 raters."""
    ratings = rated(
        3, teachers=800, visits=2, raters="pool", raters_per_visit=2, teachers_per_rater=53, preset=preset
    )  # fmt: skip
    assert 55 <= len(ratings.raters) <= 65
    parts = fitted(ratings)
    assert parts is not None
    return parts


@pytest.mark.parametrize(("preset", "truth"), [("research", RESEARCH), ("optimistic", OPTIMISTIC)])
def test_the_simulated_parts_are_recovered(preset, truth) -> None:
    # 60 raters weigh 60 / (60 + 30) against the shipped parts.
    expected = {name: truth[name] * 2 / 3 + RESEARCH[name] / 3 for name in truth}
    assert variances(double_scored(preset)) == pytest.approx(expected, abs=0.03)
    assert sum(variances(double_scored(preset)).values()) == pytest.approx(1, abs=1e-9)


def test_what_items_share_is_recovered() -> None:
    parts = double_scored("research")
    found = {name: getattr(parts, name).general for name in RESEARCH}
    assert found == pytest.approx({"teacher": 0.38, "lesson": 0.19, "rater": 0.17, "residual": 0.14}, abs=0.08)
    assert parts.teacher.same_domain == pytest.approx(0.12, abs=0.08)
    assert parts.annual_stability == shipped_components().annual_stability
    assert "raters" in parts.source


def test_fewer_than_thirty_known_raters_keep_the_shipped_parts() -> None:
    ratings = rated(1, teachers=58, visits=1, raters="same", teachers_per_rater=2)
    assert len(ratings.raters) == 29 and fitted(ratings) is None
    enough = rated(1, teachers=60, visits=1, raters="same", teachers_per_rater=2)
    assert len(enough.raters) == 30 and fitted(enough) is not None


def test_raters_nobody_knows_do_not_count() -> None:
    scores = simulate_scores(Design(teachers=60, visits=1, raters="same", teachers_per_rater=2), 1).scores
    first = scores["observer"].iloc[0]
    scores["observer"] = scores["observer"].where(scores["observer"] != first, "UNK")
    assert fitted(observed_ratings(scores, load_instruments())) is None


def test_one_rater_a_lesson_keeps_the_shipped_proportion_of_lesson_and_residual() -> None:
    parts = fitted(rated(2, teachers=400, visits=2, raters="different", teachers_per_rater=20))
    assert parts.lesson.variance / parts.residual.variance == pytest.approx(0.14 / 0.475)


def test_one_lesson_a_teacher_keeps_the_shipped_teacher_part() -> None:
    parts = fitted(rated(2, teachers=600, visits=1, raters="different", teachers_per_rater=15, preset="optimistic"))
    # Readings are scaled by a total near 1, which moves the part a little.
    assert parts.teacher.variance == pytest.approx(0.12, abs=0.01)
    assert parts.teacher.general == pytest.approx(0.38, abs=0.02)


def test_one_rater_a_teacher_still_tells_teacher_from_rater() -> None:
    parts = fitted(rated(4, teachers=800, visits=4, raters="same", teachers_per_rater=13, preset="optimistic"))
    weight = 62 / 92
    assert parts.teacher.variance == pytest.approx(weight * 0.30 + (1 - weight) * 0.12, abs=0.03)
    assert parts.rater.variance == pytest.approx(weight * 0.15 + (1 - weight) * 0.265, abs=0.03)


def test_raters_who_see_one_teacher_each_keep_the_shipped_rater_part() -> None:
    parts = fitted(rated(2, teachers=200, visits=2, raters="same", teachers_per_rater=1))
    assert parts.rater.variance == pytest.approx(0.265, abs=0.02)


def test_a_district_whose_scores_are_nearly_all_alike_keeps_the_shipped_parts() -> None:
    scores = simulate_scores(Design(teachers=200, visits=2, raters="different", teachers_per_rater=5), 1).scores
    scores["value"] = np.where(np.arange(len(scores)) % 40 == 0, 3.0, 4.0)
    assert fitted(observed_ratings(scores, load_instruments())) is None


def test_another_tenants_rows_are_not_looked_at() -> None:
    ratings = rated(2, teachers=200, visits=2, raters="different", teachers_per_rater=8)
    rows = np.flatnonzero(ratings.teacher < 100)
    parts = fitted(ratings, rows)
    changed = ratings.lesson.copy()
    changed[ratings.teacher >= 100] = 0
    assert fitted(Ratings(**{**vars(ratings), "lesson": changed}), rows) == parts
