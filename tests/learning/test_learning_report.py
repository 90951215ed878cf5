from __future__ import annotations

import io

import numpy as np
import pytest
from rich.console import Console

from recommender.cases import Context
from recommender.catalogue.loader import load_catalogue
from recommender.learning.learning_report import REPORT_SEEDS, TUNING_SEEDS, learning_report, print_learning_report
from recommender.learning.learning_study import (
    CORRECTED,
    HONEST,
    NAIVE,
    SHIPPED,
    SHRUNK_NAIVE,
    UNCAPPED,
    LearningStudy,
    study_seed,
)
from recommender.ranking.ordering import Ordering
from recommender.ranking.versions import DEFAULT_MODELS
from recommender.training.simulate.coach_truth import ShippedScores
from recommender.training.simulate.reviewing_parameters import load_reviewing_parameters

CATALOGUE = load_catalogue()
LOOKING = load_reviewing_parameters().other_looks
STUDY = LearningStudy((11, 12), sizes=(10, 80), beside=50, burst=50, later_cases=80, tenants=2)
TINY = LearningStudy((11,), sizes=(10,), beside=24, burst=40, later_cases=60, tenants=2)


def made_up_texts(n: int = 120) -> ShippedScores:
    """Texts of which each speaks for a few of the first twenty skills, so that few reviews meet each often."""
    rng = np.random.default_rng(4)
    words = rng.normal(-6, 0.5, (n, len(CATALOGUE)))
    words[:, :20] = rng.normal(-1.5, 1.5, (n, 20))
    return ShippedScores("made-up", (Context(),) * n, words, np.zeros_like(words), 1.5, Ordering(CATALOGUE, 0.0))


@pytest.fixture(scope="module")
def report():
    return learning_report(DEFAULT_MODELS, study=STUDY, texts=made_up_texts(), jobs=1)


def test_the_report_never_prints_the_seeds_its_parameters_were_set_on():
    assert not set(REPORT_SEEDS) & set(TUNING_SEEDS)
    assert len(REPORT_SEEDS) >= 5


def test_the_curve_has_a_point_a_size_with_every_way_and_an_interval_each(report):
    assert [point["reviews"] for point in report["curve"]] == [10, 80]
    for point in report["curve"]:
        for way in (CORRECTED, NAIVE, SHRUNK_NAIVE):
            assert point[way]["gain"]["low"] <= point[way]["gain"]["mean"] <= point[way]["gain"]["high"]
        assert len(point["by seed"]) == 2
        assert np.mean(point["by seed"]) == pytest.approx(point[CORRECTED]["gain"]["mean"], abs=0.002)


def test_a_gain_is_the_difference_from_the_shipped_model(report):
    for point in report["curve"]:
        difference = point[CORRECTED]["mean"]["mean"] - report[SHIPPED]["mean"]
        assert point[CORRECTED]["gain"]["mean"] == pytest.approx(difference, abs=2e-4)


def test_few_reviews_move_little_and_unshrunk_counts_of_few_do_harm(report):
    few = report["curve"][0]
    assert abs(few[CORRECTED]["gain"]["mean"]) < 0.02
    assert few[NAIVE]["gain"]["high"] < few[CORRECTED]["gain"]["low"]


def test_every_attack_stands_beside_the_honest_reviews_with_its_findings(report):
    attacks = {attack["name"]: attack for attack in report["attacks"]}
    assert attacks[HONEST]["cost"] == {"mean": 0, "low": 0, "high": 0, "n": attacks[HONEST]["cost"]["n"]}
    assert attacks[HONEST]["findings"] == {}
    assert attacks["one coach keeps everything, 50% of reviews"]["findings"]["keeps_everything"] == 2
    assert attacks["every row twice"]["findings"]["duplicates"] == 2
    assert attacks["50 reviews for one skill in an hour"]["findings"]["burst"] == 2
    assert (attacks[HONEST]["seeds flagged"], attacks["every row twice"]["seeds flagged"]) == (0, 2)
    for attack in attacks.values():
        assert {CORRECTED, UNCAPPED, "cost", "findings", "name", "seeds flagged"} == set(attack)


def test_copies_cost_nothing(report):
    (twice,) = [attack for attack in report["attacks"] if attack["name"] == "every row twice"]
    assert twice["cost"]["mean"] == twice["cost"]["low"] == 0


def test_coaches_who_look_otherwise_than_assumed_are_in_the_report(report):
    assert [look["name"] for look in report["looks"]] == list(LOOKING)


def test_the_same_seed_gives_the_same_figures():
    first, again = (study_seed(11, made_up_texts(), TINY) for _ in range(2))
    assert first.findings == again.findings
    assert all(np.array_equal(first.values[key], again.values[key], equal_nan=True) for key in first.values)
    assert first.fitted == again.fitted
    assert all(mask.dtype == bool and mask.shape == (60,) for mask in first.masks.values())


def test_the_report_prints_every_size_way_and_attack(report):
    stream = io.StringIO()
    print_learning_report(report, Console(file=stream, width=250))
    printed = stream.getvalue()
    for word in ("10", "80", CORRECTED, SHRUNK_NAIVE, *(attack["name"] for attack in report["attacks"]), *LOOKING):
        assert word in printed
