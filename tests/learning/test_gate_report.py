from __future__ import annotations

import io

import numpy as np
import pytest
from rich.console import Console

from recommender.cases import Context
from recommender.catalogue.loader import load_catalogue
from recommender.learning.gate_report import REPORT_SEEDS, TUNING_SEEDS, power_report, print_power_report
from recommender.learning.gate_study import BETTER, DROP, NEARLY_SAME, Change, GateStudy
from recommender.learning.update import Update
from recommender.ranking.ordering import Ordering
from recommender.ranking.versions import DEFAULT_MODELS
from recommender.training.simulate.coach_truth import ShippedScores

CATALOGUE = load_catalogue()
TINY = GateStudy((1, 2), reviews=300, later_cases=150, development=60, tenants=2)


@pytest.fixture(scope="module")
def report():
    rng = np.random.default_rng(4)
    words = rng.normal(-5, 1, (150, len(CATALOGUE)))
    words[:, :30] = rng.normal(-1, 1.2, (150, 30))
    texts = ShippedScores("made-up", (Context(),) * 150, words, np.zeros_like(words), 1.5, Ordering(CATALOGUE, 0.0))
    return power_report(DEFAULT_MODELS, study=TINY, texts=texts, jobs=1)


def test_the_report_never_prints_the_seeds_the_margins_were_set_on():
    assert not set(REPORT_SEEDS) & set(TUNING_SEEDS)
    assert len(REPORT_SEEDS) == 20


def test_every_world_has_a_better_and_a_worse_version_of_known_worth(report):
    kinds = [one["kind"] for one in report["versions"]]
    assert kinds[::3] == [BETTER, BETTER] and kinds[2::3] == [NEARLY_SAME, NEARLY_SAME] and len(set(kinds)) == 4
    for worse in report["versions"][1::3]:
        assert worse["true difference"] <= -DROP
        assert worse["true difference"] > -2 * DROP, "no worse than it need be"


def test_every_refusal_names_its_gates_and_worse_versions_are_refused(report):
    for one in report["versions"]:
        assert one["passed"] == (not one["deciding"])
    assert report["worse refused"]["mean"] == 1.0


def test_the_report_prints_each_version_with_decision_and_counts(report):
    stream = io.StringIO()
    print_power_report(report, Console(file=stream, width=220))
    printed = stream.getvalue()
    assert "worse and refused: 2 of 2" in printed and printed.count("refused") > 2


def test_a_change_is_scaled_in_all_its_parts_and_nothing_changes_at_scale_0():
    update = Update({"entry-routine": 0.4}, {"north": {"entry-routine": -0.2}}, {"words": 0.1}, 0.3)
    half = Change(update, np.eye(3)).scaled(0.5)
    assert half.update.skill_offsets == {"entry-routine": 0.2}
    assert half.update.tenant_offsets == {"north": {"entry-routine": -0.1}}
    assert (half.update.factors, half.update.intercept) == ({"words": 0.05}, 0.15)
    log_p = np.array([[0.0, -1.0, -2.0]])
    assert np.allclose(half.head_change(log_p), 0.5 * Change(update, np.eye(3)).head_change(log_p))
    assert np.allclose(half.scaled(0).head_change(log_p), 0)
