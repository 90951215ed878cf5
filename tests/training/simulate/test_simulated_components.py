from __future__ import annotations

import numpy as np
import pytest

from recommender.training.simulate.components import Component, Components
from recommender.training.simulate.parameters import load_parameters
from recommender.training.simulate.population import draw_visit_counts, need_of, numbered

DOMAINS = ("a", "a", "b", "c", "b")
ROWS = 20_000


def test_the_covariance_of_true_scores_is_the_formula_by_hand() -> None:
    teacher = Components.of(DOMAINS, "research", load_parameters()).teacher.covariance()
    assert teacher[0, 0] == pytest.approx(0.12)
    assert teacher[0, 1] == pytest.approx(0.12 * (0.38 + 0.12))
    assert teacher[0, 2] == pytest.approx(0.12 * 0.38)
    assert teacher[2, 4] == pytest.approx(0.12 * 0.50)


def test_the_four_parts_add_up_to_unit_variance_in_every_preset() -> None:
    parameters = load_parameters()
    for preset in parameters.presets:
        parts = Components.of(DOMAINS, preset, parameters)
        total = sum(part.covariance() for part in (parts.teacher, parts.lesson, parts.rater, parts.residual))
        assert np.diag(total) == pytest.approx(np.ones(len(DOMAINS)))


@pytest.mark.parametrize("part", ["teacher", "lesson", "rater", "residual"])
def test_draws_recover_the_covariance_within_sampling_error(part) -> None:
    component: Component = getattr(Components.of(DOMAINS, "research", load_parameters()), part)
    wanted = component.covariance()
    found = np.cov(component.draw(np.random.default_rng(3), ROWS), rowvar=False)
    # SD of a sample covariance: sqrt((s_ii s_jj + s_ij^2) / n); 15 distinct entries, 4.5 SD each.
    sd = np.sqrt((np.outer(np.diag(wanted), np.diag(wanted)) + wanted**2) / ROWS)
    assert (np.abs(found - wanted) < 4.5 * sd).all()


def test_the_true_need_is_centred_within_the_teacher_and_turns_the_score_round() -> None:
    need = need_of(np.array([[1.0, 0.0, -1.0], [5.0, 5.0, 2.0]]))
    assert need.tolist() == [[-1.0, 0.0, 1.0], [-1.0, -1.0, 2.0]]


def test_visits_come_in_the_groups_they_should() -> None:
    counts = draw_visit_counts(np.random.default_rng(0), load_parameters().visits, ROWS)
    assert counts.min() == 1 and counts.max() == 10
    assert (counts <= 2).mean() == pytest.approx(0.40, abs=0.015)
    assert ((counts >= 3) & (counts <= 4)).mean() == pytest.approx(0.45, abs=0.015)


def test_ids_sort_as_numbers() -> None:
    ids = numbered("x", 101)
    assert (ids[0], ids[-1]) == ("x001", "x101")
    assert sorted(ids) == list(ids)
    assert numbered("demo-t", 3) == ("demo-t01", "demo-t02", "demo-t03")
