"""A study of several tenants: who is in it, who saw them, and that it comes out again."""

from __future__ import annotations

from pathlib import Path

from typer.testing import CliRunner

from recommender.catalogue.instruments import load_instruments
from recommender.cli import app
from recommender.exchange.observation_files import read_observations
from recommender.training.holdout import hold_back
from recommender.training.simulate.study import simulate_study

SMALL = {"teachers": 30, "tenants": 2, "visits": 2, "raters_per_visit": 2, "seed": 3}


def test_every_teacher_has_a_visit_by_other_raters_to_hold_back() -> None:
    scores = simulate_study(**SMALL)
    assert scores["teacher_id"].nunique() == 30
    assert scores.groupby("tenant")["teacher_id"].nunique().tolist() == [15, 15]
    assert (scores.groupby(["teacher_id", "visit"])["observer"].nunique() == 2).all()
    assert hold_back(scores).teachers == 30


def test_raters_stay_within_their_tenant() -> None:
    assert (simulate_study(**SMALL).groupby("observer")["tenant"].nunique() == 1).all()


def test_the_same_seed_gives_the_same_study_and_another_seed_another() -> None:
    first, again, other = (simulate_study(**{**SMALL, "seed": seed}) for seed in (3, 3, 4))
    assert first.equals(again)
    assert not first.equals(other)


def test_the_command_writes_a_table_that_reads_back_whole(tmp_path: Path) -> None:
    output = tmp_path / "scores.csv"
    result = CliRunner().invoke(app, ["simulate", "--output", str(output), "--teachers", "6", "--tenants", "2"])
    assert result.exit_code == 0, result.output
    file = read_observations(output, load_instruments())
    assert file.rejects == []
    assert len(file.scores) == 6 * 2 * 2 * 18
