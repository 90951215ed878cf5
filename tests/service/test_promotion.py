"""A learned version is promoted and rolled back while the real application is asked by many at once."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime

import pytest
from running_service import answering, scored, scorers, wait_for

import service.app
from recommender.catalogue.loader import load_catalogue
from recommender.learning.evidence import Evidence, EvidenceRow
from recommender.learning.registry import files_digest, promote, rollback
from recommender.learning.retrain import retrain, write_manifest
from recommender.learning.version_copies import models_beside
from recommender.ranking.versions import DEFAULT_MODELS, current_version, read_manifest
from recommender.training.figure_names import GATES
from service.app import create_app
from service.served_model import ServedModel
from service.settings import Settings

CANDIDATE = "learned"
OLD = current_version(DEFAULT_MODELS)


@pytest.fixture(scope="module")
def learned(tmp_path_factory):
    """A models folder with a version that learned from reviews against the skill that stands first."""
    models = models_beside(DEFAULT_MODELS, tmp_path_factory.mktemp("promotion") / "models")
    folder = retrain(models, CANDIDATE, Evidence.of(reviews(40)))
    manifest = read_manifest(models, CANDIDATE)
    results = [{"name": "all", "passed": True, "sentence": "-"}]
    gates = {"against": OLD, "files": files_digest(manifest.files), "results": results}
    write_manifest(folder, manifest.model_copy(update={"figures": {GATES: gates}}))
    return models


@pytest.fixture
def models(learned, tmp_path):
    return shutil.copytree(learned, tmp_path / "models", symlinks=True)


def reviews(n: int) -> list[EvidenceRow]:
    """Every coach removes cold calling from a list of one."""
    parts = {"struggle": 0.5}
    shown = [{"skill_id": "cold-calling", "rank": 1, "score": 0.5, "parts": parts}]
    moment = datetime(2026, 10, 1, tzinfo=UTC)
    return [
        EvidenceRow.model_validate(
            {
                "id": f"r{number:03d}", "tenant": "north", "teacher": f"t{number}", "coach": f"coach-{number % 5}",
                "case": f"c{number}", "shown_at": moment.replace(minute=number), "model_version": OLD,
                "catalogue_version": load_catalogue().version, "shown": shown,
                "review": {"reviewed_at": moment, "changes": [{"skill_id": "cold-calling", "action": "remove"}]},
            }
        )
        for number in range(n)
    ]  # fmt: skip


def test_a_promotion_and_a_rollback_under_load_fail_no_request_and_bring_the_old_bytes_back(
    models, monkeypatch, example
):
    monkeypatch.setattr(service.app, "MODEL_LOOK_SECONDS", 0.2)
    served = ServedModel(Settings(models=models))
    served.load()
    with answering(create_app(served.settings, served)) as address:
        before = scored(address, example)
        with scorers(address, example) as answers:
            assert promote(models, CANDIDATE) == OLD
            wait_for(lambda: (200, CANDIDATE) in answers)
            learned = scored(address, example)
            assert rollback(models) == OLD
            wait_for(lambda: served.recommender.model_version == OLD)
        assert {status for status, _ in answers} == {200}
        assert {version for _, version in answers} == {OLD, CANDIDATE}
        assert learned != before, "the learned version answers otherwise"
        assert scored(address, example) == before
