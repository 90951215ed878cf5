from __future__ import annotations

import io
import json
import shutil
from pathlib import Path

import httpx
import pytest
from running_service import answering, scored, scorers, wait_for

import service.app
from recommender.ranking.versions import CURRENT_FILE, DEFAULT_MODELS, ENCODERS_FOLDER, MANIFEST_FILE, sha256_of
from service.app import create_app
from service.served_model import ServedModel
from service.settings import Settings

OLD = (DEFAULT_MODELS / CURRENT_FILE).read_text(encoding="utf-8").strip()
NEW = "2099.1.1"
LOOK_SECONDS = 0.2


class Models:
    """A folder of model versions that shares the encoder with the shipped one."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()
        (folder / ENCODERS_FOLDER).symlink_to(DEFAULT_MODELS / ENCODERS_FOLDER, target_is_directory=True)
        shutil.copytree(DEFAULT_MODELS / OLD, folder / OLD)
        self.point_to(OLD)

    def point_to(self, version: str) -> None:
        beside = self.folder / "next"
        beside.write_text(f"{version}\n", encoding="utf-8")
        beside.replace(self.folder / CURRENT_FILE)

    def copy(self) -> Path:
        """A sound copy of the old version under the new name."""
        copied = self.folder / NEW
        shutil.rmtree(copied, ignore_errors=True)
        shutil.copytree(self.folder / OLD, copied)
        self.rewrite(copied, version=NEW)
        return copied

    @staticmethod
    def rewrite(folder: Path, **fields: object) -> None:
        file = folder / MANIFEST_FILE
        manifest = json.loads(file.read_text(encoding="utf-8")) | fields
        manifest["files"] = {name: sha256_of(folder / name) for name in manifest["files"]}
        file.write_text(json.dumps(manifest), encoding="utf-8")


@pytest.fixture
def models(tmp_path):
    return Models(tmp_path / "models")


@pytest.fixture
def running(models, monkeypatch):
    """A service that looks for models often; the address and what it holds."""
    monkeypatch.setattr(service.app, "MODEL_LOOK_SECONDS", LOOK_SECONDS)
    served = ServedModel(Settings(models=models.folder))
    served.load()
    with answering(create_app(served.settings, served)) as address:
        yield address, served


def version_of(address: str) -> str:
    answer = httpx.get(f"{address}/health/ready")
    assert answer.status_code == 200
    return answer.json()["model_version"]


def without_a_file(version: Path) -> None:
    (version / "text_head.npz").unlink()


def cut_short(version: Path) -> None:
    file = version / "text_head.npz"
    file.write_bytes(file.read_bytes()[:1_000])


def without_a_manifest(version: Path) -> None:
    (version / MANIFEST_FILE).unlink()


def half_a_manifest(version: Path) -> None:
    file = version / MANIFEST_FILE
    file.write_bytes(file.read_bytes()[:500])


def altered(version: Path) -> None:
    (version / "fusion.json").write_text("{}", encoding="utf-8")


def of_another_catalogue(version: Path) -> None:
    Models.rewrite(version, catalogue_version="of another year")


def of_another_program(version: Path) -> None:
    """Every sum is right, and what is in the files is nothing this program reads."""
    (version / "text_head.npz").write_bytes(b"weights of another kind")
    Models.rewrite(version)


@pytest.mark.parametrize(
    "broken",
    [without_a_file, cut_short, without_a_manifest, half_a_manifest, altered, of_another_catalogue, of_another_program],
)
def test_a_version_that_cannot_be_loaded_leaves_the_old_one_answering_until_it_is_whole(
    broken, models, running, example, log_lines: io.StringIO
):
    address, _ = running
    before = scored(address, example)
    broken(models.copy())
    models.point_to(NEW)
    wait_for(lambda: log_lines.getvalue().count('"new model not loaded"') >= 2)
    assert version_of(address) == OLD
    assert scored(address, example) == before
    warning = next(line for line in map(json.loads, log_lines.getvalue().splitlines()) if "not loaded" in line["event"])
    assert warning["level"] == "warning" and warning["error"] and warning["at"]
    assert "three hands" not in log_lines.getvalue()
    models.copy()
    wait_for(lambda: version_of(address) == NEW)


def test_a_model_is_swapped_and_swapped_back_under_eight_scorers_without_a_failed_request(models, running, example):
    address, _ = running
    before = scored(address, example)
    with scorers(address, example) as answers:
        models.copy()
        models.point_to(NEW)
        wait_for(lambda: (200, NEW) in answers)
        models.point_to(OLD)
        wait_for(lambda: answers[-1] == (200, OLD))
    assert set(answers) == {(200, OLD), (200, NEW)}
    wait_for(lambda: version_of(address) == OLD)
    assert scored(address, example) == before


def test_a_version_that_is_trained_again_in_place_is_noticed(models, running, example):
    address, served = running
    before, first = scored(address, example), served.recommender
    file = models.folder / OLD / "fusion.json"
    weights = json.loads(file.read_text(encoding="utf-8"))
    file.write_text(json.dumps(weights | {"slope": weights["slope"] / 2}), encoding="utf-8")
    Models.rewrite(models.folder / OLD)
    wait_for(lambda: served.recommender is not first)
    assert version_of(address) == OLD
    assert scored(address, example) != before
