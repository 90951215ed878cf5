from __future__ import annotations

import numpy as np
import pytest

from recommender.training.simulate.parameters import load_parameters
from recommender.training.simulate.self_report import named_domains, simulate_self_report

TEACHERS = 40_000
# Four standard errors of a correlation.
NEAR = 4 / np.sqrt(TEACHERS)


@pytest.fixture(scope="module")
def reports():
    rng = np.random.default_rng(0)
    truth = rng.standard_normal((TEACHERS, 3))
    return truth, simulate_self_report(rng, truth, load_parameters().self_report)


def r(a, b) -> float:
    return float(np.corrcoef(a, b)[0, 1])


def test_self_report_correlates_with_the_truth_as_measured(reports) -> None:
    truth, report = reports
    for domain in range(3):
        assert r(truth[:, domain], report.first[:, domain]) == pytest.approx(0.25, abs=NEAR)


def test_two_occasions_agree_by_half(reports) -> None:
    _, report = reports
    for domain in range(3):
        assert r(report.first[:, domain], report.second[:, domain]) == pytest.approx(0.5, abs=NEAR)
        assert report.first[:, domain].var() == pytest.approx(1, abs=0.03)


def test_domains_agree_only_by_general_positivity(reports) -> None:
    _, report = reports
    # 30% of the noise variance .9375; the true domains here are unrelated.
    assert r(report.first[:, 0], report.first[:, 1]) == pytest.approx(0.28125, abs=NEAR)
    assert r(report.first[:, 0], report.second[:, 1]) == pytest.approx(0.28125, abs=NEAR)


def test_a_teacher_names_the_domains_reported_lowest() -> None:
    report = np.array([[0.1, -2.0, 3.0, -1.0], [0.0, 0.0, 0.0, -1.0]])
    assert named_domains(report, 2).tolist() == [[1, 3], [3, 0]]
