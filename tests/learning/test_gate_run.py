"""`growth retrain` from evidence to card on the shipped model: every gate's figure, and pictures from figures."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from small_models import SHIPPED, models_folder
from typer.testing import CliRunner

from recommender.cli import app
from recommender.learning.learned_card import card_of_learned
from recommender.learning.learned_plots import learned_plots
from recommender.learning.registry import files_digest
from recommender.ranking.versions import Manifest, open_version, sha256_of
from recommender.training.figure_names import CURVE
from recommender.training.simulate.simulated_evidence import simulated_evidence

NAME = "learned"
GATES = [
    "guards", "development", "held back", "off policy", "calibration, development", "calibration, held back",
    "screening", "latency", "determinism", "golden",
]  # fmt: skip


@pytest.fixture(scope="module")
def retrained(tmp_path_factory) -> tuple[Path, Any]:
    folder = tmp_path_factory.mktemp("gates")
    models = models_folder(folder / "models")
    evidence = folder / "evidence.jsonl"
    rows = simulated_evidence(models, 5, 200, tenants=2, with_words=0)
    evidence.write_text("".join(row.to_json() + "\n" for row in rows), encoding="utf-8")
    return models, CliRunner().invoke(app, ["retrain", str(evidence), "--version", NAME, "--models", str(models)])


@pytest.fixture(scope="module")
def manifest(retrained) -> Manifest:
    return open_version(retrained[0], NAME)[0]


def test_every_gate_leaves_its_sentence_in_the_manifest_and_one_that_refuses_makes_the_exit_code(retrained, manifest):
    gates = manifest.figures["gates"]
    by_name = {result["name"]: result for result in gates["results"]}
    assert set(GATES) <= set(by_name)
    assert all(result["sentence"] and result["sentence"][:20] for result in by_name.values())
    assert (gates["against"], gates["learned"], gates["held_back"]) == (SHIPPED, 160, 40)
    passed = all(result["passed"] for result in by_name.values())
    assert retrained[1].exit_code == (0 if passed else 3), retrained[1].output


def test_slices_are_judged_by_length_register_grade_band_subject_and_career_stage(manifest):
    names = [result["name"] for result in manifest.figures["gates"]["results"]]
    for dimension in ("length", "register", "grade band", "subject"):
        assert any(name.startswith(f"development, {dimension}: ") for name in names)
    for dimension in ("grade band", "subject", "career stage"):
        assert any(name.startswith(f"held back, {dimension}: ") for name in names)


def test_the_card_and_its_pictures_are_made_from_the_manifest_alone(retrained, manifest):
    folder = retrained[0] / NAME
    assert card_of_learned(manifest) == (folder / "card.md").read_text(encoding="utf-8")
    pictures = learned_plots(manifest.figures)
    assert sorted(pictures) == ["learning-curve.svg", "reliability.svg", "slices.svg"]
    for name, svg in pictures.items():
        assert (folder / name).read_text(encoding="utf-8") == svg
        assert manifest.files[name] == sha256_of(folder / name)
        assert f"]({name})" in card_of_learned(manifest)


def test_the_learning_curve_has_a_point_for_a_quarter_a_half_and_all_of_the_lists(manifest):
    points = manifest.figures[CURVE]
    assert [point["lists"] for point in points] == [40, 80, 160]
    assert all(point["gain"]["low"] <= point["gain"]["mean"] <= point["gain"]["high"] for point in points)
    # No text taught it, so its last point is the candidate itself, as the gate saw it.
    held_back = next(one for one in manifest.figures["gates"]["results"] if one["name"] == "held back")
    assert points[-1]["gain"]["mean"] == pytest.approx(held_back["figure"], abs=1e-4)


def test_gates_belong_to_the_files_that_answer_and_not_to_the_card_that_tells_of_them(manifest):
    assert files_digest(manifest.files) == manifest.figures["gates"]["files"]
    other = dict(manifest.files) | {"fusion.json": "0" * 64}
    assert files_digest(other) != manifest.figures["gates"]["files"]


def test_a_manifest_tells_nobodys_name(retrained):
    told = json.dumps(json.loads((retrained[0] / NAME / "manifest.json").read_text(encoding="utf-8")))
    assert "-teacher-" not in told and "-coach-" not in told and "case-" not in told


def test_slices_of_a_handful_of_rows_are_not_drawn(manifest):
    slices = manifest.figures["development"]["slices, nDCG@5"]
    assert set(slices) == {"length", "grade band", "register", "subject"}
    assert all(value["n"] >= 5 for labels in slices.values() for value in labels.values())
