from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pytest

from recommender.catalogue.loader import load_catalogue
from recommender.errors import GrowthError
from recommender.observations.scores import REQUIRED_COLUMNS
from recommender.training.corpus import REAL, WRITTEN, load_rows
from recommender.training.simulate.demo_district import DemoDistrict, demo_district


@pytest.fixture(scope="module")
def demo() -> DemoDistrict:
    return demo_district()


def test_the_demo_has_its_teachers_schools_and_coaches(demo) -> None:
    assert [teacher.teacher_id for teacher in demo.teachers[:2]] == ["demo-t01", "demo-t02"]
    assert len(demo.teachers) == 24
    assert {teacher.school for teacher in demo.teachers} == {"demo-s01", "demo-s02"}
    assert set(demo.scores["observer"]) == {"demo-o01", "demo-o02", "demo-o03"}
    assert set(demo.scores["observer_role"]) == {"coach"}
    assert set(REQUIRED_COLUMNS) <= set(demo.scores.columns)


def test_every_row_says_that_it_is_demo_data(demo) -> None:
    for column in ("teacher_id", "visit", "observer", "school"):
        assert demo.scores[column].str.startswith("demo-").all()
    assert set(demo.scores["source_system"]) == set(demo.scores["tenant"]) == {"demo"}


def test_teachers_and_scores_agree_on_the_school(demo) -> None:
    schools = demo.scores.groupby("teacher_id")["school"].unique()
    assert {teacher.teacher_id: [teacher.school] for teacher in demo.teachers} == {
        k: list(v) for k, v in schools.items()
    }


def test_teachers_are_visited_one_to_six_times(demo) -> None:
    visits = demo.scores.groupby("teacher_id")["visit"].nunique()
    assert visits.min() >= 1 and visits.max() <= 6 and visits.nunique() >= 4
    assert len(visits) == 24


def test_the_struggles_are_machine_written_and_nobodys_real_words(demo) -> None:
    written = {row.text: row for row in load_rows(WRITTEN)}
    real = {row.text for file in REAL for row in load_rows(file)}
    texts = [teacher.struggle for teacher in demo.teachers]
    assert len(set(texts)) == len(texts)
    assert set(texts) <= set(written) and not set(texts) & real
    for teacher in demo.teachers:
        row = written[teacher.struggle]
        assert row.kind == "struggle"
        context = row.case_context()
        assert (teacher.grade_band, teacher.subject) == (context.grade_band, context.subject)
        assert teacher.grade_band != "unknown" and teacher.subject != "unknown"


def test_the_same_seed_gives_the_same_demo_and_another_does_not(demo) -> None:
    again = demo_district()
    assert again.teachers == demo.teachers and again.scores.equals(demo.scores)
    assert demo_district(8).teachers != demo.teachers


def test_early_career_teachers_struggle_with_management_more_often() -> None:
    catalogue = load_catalogue()
    management = {"behavior-expectations-responding", "routines-transitions"}
    first = {}
    for row in load_rows(WRITTEN):
        if row.labels:
            best = max(row.labels[0], key=lambda skill: row.labels[0][skill])
            first[row.text] = catalogue[best].domain in management
    named = {"early": [], "veteran": []}
    for seed in range(8):
        for teacher in demo_district(seed, teachers=100).teachers:
            if teacher.career_stage in named:
                named[teacher.career_stage].append(first[teacher.struggle])
    assert np.mean(named["early"]) > np.mean(named["veteran"]) + 0.03


def test_career_stages_are_spread_as_the_parameters_say(demo) -> None:
    stages = [teacher.career_stage for teacher in demo.teachers]
    assert [stages.count(stage) for stage in ("student", "early", "mid", "veteran")] == [0, 9, 8, 7]


def test_a_refused_text_is_replaced_by_another() -> None:
    short = demo_district(keep=lambda text: len(text) <= 150)
    assert all(len(teacher.struggle) <= 150 for teacher in short.teachers)
    with pytest.raises(GrowthError, match="no text left"):
        demo_district(teachers=1, schools=1, keep=lambda text: False)


def test_the_school_year_can_be_moved() -> None:
    scores = demo_district(first_day=date(2024, 9, 2)).scores
    assert scores["observed_on"].min() >= pd.Timestamp("2024-09-02")
    assert scores["observed_on"].max() < pd.Timestamp("2025-06-01")


def test_more_schools_than_teachers_are_refused() -> None:
    with pytest.raises(GrowthError, match="2 teachers, 3 schools"):
        demo_district(teachers=2, schools=3)
