"""A trained version takes the place of the one that answers only through the gates, unless none can answer."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from evidence_rows import SKILLS
from small_models import SHIPPED, models_folder, other_version

from recommender.errors import ModelVersionError
from recommender.learning.take_over import take_over
from recommender.ranking.versions import DEFAULT_MODELS, MANIFEST_FILE, current_version, open_version, read_manifest
from recommender.training.card import card_text
from recommender.training.encoder_record import EncoderRecord
from recommender.training.figure_names import GATES
from recommender.training.fit import train_version


def trained(models: Path, name: str, offsets: dict[str, float] | None = None) -> None:
    """A version as ``growth train`` leaves it: with the figures of a trained one, and no gate run."""
    folder = other_version(models, name, offsets=offsets, gates=None)
    manifest = json.loads((folder / MANIFEST_FILE).read_text(encoding="utf-8"))
    manifest["figures"] = read_manifest(DEFAULT_MODELS, SHIPPED).figures
    (folder / MANIFEST_FILE).write_text(json.dumps(manifest), encoding="utf-8")


@pytest.fixture
def models(tmp_path):
    return models_folder(tmp_path / "models")


def test_one_that_ranks_as_well_takes_over_and_its_card_says_what_the_gates_found(models):
    trained(models, "again")
    results = {result.name: result for result in take_over(models, "again")}
    assert all(result.passed for result in results.values()), results
    assert results["determinism"].sentence == "Ranked twice: the same answers."
    assert results["held back"].sentence.startswith("No review taught this version")
    assert (current_version(models), (models / "previous").read_text().strip()) == ("again", SHIPPED)
    manifest, folder, encoder = open_version(models)
    assert manifest.figures[GATES]["against"] == SHIPPED
    card = (folder / "card.md").read_text(encoding="utf-8")
    assert "## Gates" in card and card == card_text(manifest, EncoderRecord.load(encoder))


def test_a_worse_one_is_made_and_does_not_answer(models):
    noise = np.random.default_rng(3).normal(0, 1.0, len(SKILLS)).tolist()
    trained(models, "worse", dict(zip(SKILLS, noise, strict=True)))
    results = {result.name: result.passed for result in take_over(models, "worse")}
    assert not results["development"]
    assert current_version(models) == SHIPPED
    assert read_manifest(models, "worse").figures[GATES]["against"] == SHIPPED


def test_where_none_answers_it_answers_at_once(models):
    trained(models, "first")
    (models / "current").unlink()
    said: list[str] = []
    assert take_over(models, "first", said.append) == []
    assert current_version(models) == "first"
    assert len(said) == 1 and "no version answers" in said[0]


def test_where_the_one_that_should_answer_is_for_another_catalogue_the_new_one_answers_at_once(models):
    trained(models, "next")
    file = models / SHIPPED / MANIFEST_FILE
    manifest = json.loads(file.read_text(encoding="utf-8"))
    file.write_text(json.dumps(manifest | {"catalogue_version": "0" * 12}), encoding="utf-8")
    assert take_over(models, "next") == []
    assert current_version(models) == "next"


def test_a_broken_new_version_never_answers(models):
    trained(models, "broken")
    (models / "broken" / "fusion.json").write_text("{}")
    (models / "current").unlink()
    with pytest.raises(ModelVersionError):
        take_over(models, "broken")
    assert not (models / "current").exists()


def test_the_version_that_answers_is_not_trained_over(models):
    before = (models / SHIPPED / MANIFEST_FILE).read_bytes()
    with pytest.raises(ModelVersionError, match="which answers"):
        train_version(models, SHIPPED, None)
    assert (models / SHIPPED / MANIFEST_FILE).read_bytes() == before
