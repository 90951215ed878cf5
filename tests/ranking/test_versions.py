from __future__ import annotations

import json
import os
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from observed_cases import WEIGHTS

from recommender.catalogue.instruments import load_instruments
from recommender.catalogue.loader import load_catalogue
from recommender.errors import ModelVersionError
from recommender.ranking.recommender import Recommender
from recommender.ranking.versions import current_version, open_version, read_manifest, sha256_of
from recommender.struggles.screening import Thresholds
from recommender.struggles.text_model import TextModel

ENCODER = "0123456789ab"
SHA = "0" * 64


def make_version(models: Path, name: str = "v1", *, n_skills: int = 115, **changes: Any) -> Path:
    """A version as training writes one, over an encoder of a few bytes that could not be run."""
    encoder, folder = models / "encoders" / ENCODER, models / name
    encoder.mkdir(parents=True, exist_ok=True)
    folder.mkdir()
    (encoder / "encoder.onnx").write_bytes(b"no network")
    (encoder / "tokenizer.json").write_bytes(b"{}")
    (encoder / "screening_network.npz").write_bytes(b"no network")
    TextModel(np.zeros((n_skills, 4)), np.zeros(n_skills), 1.0).save(folder)
    Thresholds(0.1, 0.5).save(folder)
    (folder / "fusion.json").write_text(WEIGHTS.model_dump_json())
    (folder / "card.md").write_text("# Card\n")
    write_manifest(models, name, **changes)
    return folder


def write_manifest(models: Path, name: str, **changes: Any) -> None:
    folder, encoder = models / name, models / "encoders" / ENCODER
    manifest = {
        "version": name,
        "created": "2026-10-02",
        "catalogue_version": load_catalogue().version,
        "instruments_version": load_instruments().version,
        "encoder": {"folder": ENCODER, "files": {file.name: sha256_of(file) for file in encoder.iterdir()}},
        "files": {file.name: sha256_of(file) for file in folder.iterdir() if file.name != "manifest.json"},
        "data": {"real_train.jsonl": SHA},
        "libraries": {"numpy": "2.0"},
        "seeds": {"encoder": 1},
    } | changes
    (folder / "manifest.json").write_text(json.dumps(manifest))


@pytest.fixture
def models(tmp_path: Path) -> Path:
    folder = tmp_path / "models"
    make_version(folder)
    (folder / "current").write_text("v1\n")
    return folder


def refusal(models: Path, version: str | None = None) -> ModelVersionError:
    with pytest.raises(ModelVersionError) as caught:
        open_version(models, version)
    return caught.value


# What opens


def test_a_version_whose_files_are_as_its_manifest_says_is_opened(models):
    manifest, folder, encoder_folder = open_version(models, "v1")
    assert (manifest.version, folder, encoder_folder) == ("v1", models / "v1", models / "encoders" / ENCODER)


def test_without_a_name_the_current_version_is_opened(models):
    make_version(models, "v2")
    assert current_version(models) == "v1"
    assert open_version(models)[0].version == "v1"
    (models / "current").write_text("v2")
    assert open_version(models)[0].version == "v2"
    assert open_version(models, "v1")[0].version == "v1"


def test_two_versions_share_one_encoder(models):
    make_version(models, "v2")
    assert open_version(models, "v1")[2] == open_version(models, "v2")[2]


# What is missing


def test_a_models_folder_without_a_current_version_is_refused_with_the_way_out(tmp_path):
    error = refusal(tmp_path)
    assert error.found == "no file 'current'"
    assert "growth train" in error.way_out
    assert error.where == str(tmp_path)


def test_a_version_nobody_made_is_refused(models):
    assert refusal(models, "v9").found == "no manifest"


def test_a_current_file_that_names_a_version_nobody_made_is_refused(models):
    (models / "current").write_text("v9\n")
    assert refusal(models).found == "no manifest"


@pytest.mark.parametrize("name", ["text_head.npz", "screening.json", "fusion.json", "card.md"])
def test_a_missing_file_of_the_version_is_named(models, name):
    (models / "v1" / name).unlink()
    assert refusal(models).where == str(models / "v1" / name)


@pytest.mark.parametrize("name", ["encoder.onnx", "tokenizer.json", "screening_network.npz"])
def test_a_missing_file_of_the_encoder_is_named(models, name):
    (models / "encoders" / ENCODER / name).unlink()
    assert refusal(models).where == str(models / "encoders" / ENCODER / name)


def test_a_folder_in_a_files_place_is_no_file(models):
    (models / "v1" / "card.md").unlink()
    (models / "v1" / "card.md").mkdir()
    assert "no such" in refusal(models).found


@pytest.mark.parametrize("name", ["text_head.npz", "screening.json", "fusion.json"])
def test_a_file_the_engine_opens_must_be_in_the_manifest(models, name):
    files = {file.name: sha256_of(file) for file in (models / "v1").iterdir() if file.name != "manifest.json"}
    del files[name]
    write_manifest(models, "v1", files=files)
    with pytest.raises(ModelVersionError):
        Recommender.load(models)


@pytest.mark.parametrize("name", ["encoder.onnx", "tokenizer.json", "screening_network.npz"])
def test_an_encoder_file_the_engine_opens_must_be_in_the_manifest(models, name):
    encoder = models / "encoders" / ENCODER
    files = {file.name: sha256_of(file) for file in encoder.iterdir() if file.name != name}
    write_manifest(models, "v1", encoder={"folder": ENCODER, "files": files})
    with pytest.raises(ModelVersionError):
        Recommender.load(models)


# What was altered


@pytest.mark.parametrize(
    "place",
    [
        "v1/text_head.npz",
        "v1/fusion.json",
        "v1/card.md",
        f"encoders/{ENCODER}/encoder.onnx",
        f"encoders/{ENCODER}/screening_network.npz",
    ],
)
def test_one_altered_byte_is_refused(models, place):
    file = models / place
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)
    error = refusal(models)
    assert error.where == str(file)
    assert error.wanted.startswith("SHA-256 ")


def test_one_added_byte_is_refused(models):
    with (models / "v1" / "card.md").open("ab") as stream:
        stream.write(b" ")
    assert refusal(models).where.endswith("card.md")


class Trap:
    """Unpickling one makes the folder ``sprung``."""

    def __init__(self, sprung: Path) -> None:
        self.sprung = sprung

    def __reduce__(self):
        return os.mkdir, (str(self.sprung),)


def test_the_trap_of_the_next_tests_works(tmp_path):
    pickle.loads(pickle.dumps(Trap(tmp_path / "sprung")))
    assert (tmp_path / "sprung").is_dir()


@pytest.mark.parametrize("name", ["model.joblib", "model.pkl", "text_head.npz", "screening.json", "fusion.json"])
def test_an_altered_pickle_is_refused_before_it_is_opened(models, tmp_path, name):
    file = models / "v1" / name
    if not file.exists():
        file.write_bytes(pickle.dumps({"weights": [1, 2, 3]}))
    write_manifest(models, "v1")
    open_version(models)
    file.write_bytes(pickle.dumps(Trap(tmp_path / "sprung")))
    with pytest.raises(ModelVersionError, match="SHA-256"):
        Recommender.load(models)
    assert not (tmp_path / "sprung").exists()


def test_nothing_is_opened_while_any_file_is_altered(models, tmp_path):
    # The trap itself is in the manifest; another file is not as it was.
    (models / "v1" / "a.joblib").write_bytes(pickle.dumps(Trap(tmp_path / "sprung")))
    write_manifest(models, "v1")
    (models / "v1" / "text_head.npz").write_bytes(b"altered")
    with pytest.raises(ModelVersionError, match="SHA-256"):
        Recommender.load(models)
    assert not (tmp_path / "sprung").exists()


# Broken manifests


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"null", b"\xff\xfe", b'{"version": "v1"}'])
def test_a_manifest_that_is_none_is_refused(models, content):
    (models / "v1" / "manifest.json").write_bytes(content)
    assert refusal(models).found.startswith("a broken manifest")


@pytest.mark.parametrize(
    "changes",
    [
        {"created": "yesterday"},
        {"colour": "red"},
        {"files": {"card.md": "abc"}},
        {"files": {"card.md": SHA.upper().replace("0", "A")}},
        {"files": ["card.md"]},
        {"data": {"real_train.jsonl": None}},
        {"encoder": {"folder": ENCODER}},
        {"encoder": {"folder": ENCODER, "files": {}, "path": "/"}},
        {"seeds": {"encoder": "one"}},
    ],
)
def test_a_manifest_that_breaks_its_rules_is_refused(models, changes):
    write_manifest(models, "v1", **changes)
    assert refusal(models).found == "a broken manifest (1 problems)"


def test_a_manifest_of_another_version_is_refused(models):
    make_version(models, "v2")
    write_manifest(models, "v1", version="v2")
    refusal(models, "v1")


# Names that lead out of the folder


@pytest.mark.parametrize(
    "name", ["../card.md", "sub/card.md", "/etc/passwd", "..", ".", "", "a\\b", "card.md\n", "a b"]
)
def test_a_file_name_that_leads_elsewhere_is_refused(models, name):
    (models / "card.md").write_text("outside")
    write_manifest(models, "v1", files={name: sha256_of(models / "card.md")})
    refusal(models)


@pytest.mark.parametrize("folder", ["../v1", "0123456789ab/..", "/tmp", "..", "", "0123456789AB", "0123456789abc"])
def test_an_encoder_folder_that_leads_elsewhere_is_refused(models, folder):
    write_manifest(models, "v1", encoder={"folder": folder, "files": {}})
    assert refusal(models).found == "a broken manifest (1 problems)"


@pytest.mark.parametrize("version", ["../v1", "..", "", ".hidden", "a/b", "v1\n", "x" * 62])
def test_a_version_name_that_leads_elsewhere_is_refused_in_the_manifest(models, version):
    write_manifest(models, "v1", version=version)
    assert refusal(models).found == "a broken manifest (1 problems)"


@pytest.mark.parametrize("asked", ["../models/v1", "../elsewhere/v1", "v1/../v1", "v1/", "./v1", "encoders/../v1"])
def test_a_version_is_asked_for_by_its_name_and_by_no_path(models, asked):
    make_version(models.parent / "elsewhere")
    refusal(models, asked)
    (models / "current").write_text(asked)
    refusal(models)


def test_a_version_is_not_asked_for_by_an_absolute_path(models):
    make_version(models.parent / "elsewhere")
    refusal(models, str(models.parent / "elsewhere" / "v1"))


@pytest.mark.parametrize("content", [b"\xff\xfe", b"v1\x00", b"v1\nv2\n", b""])
def test_a_current_file_that_names_no_version_is_refused(models, content):
    (models / "current").write_bytes(content)
    refusal(models)


# Made for another catalogue


def test_a_model_of_another_number_of_skills_is_refused(tmp_path):
    make_version(tmp_path, n_skills=114)
    with pytest.raises(ModelVersionError) as caught:
        Recommender.load(tmp_path, "v1")
    assert (caught.value.found, caught.value.wanted) == ("114 skills in the model", "the catalogue's 115")


def test_a_model_of_another_catalogue_is_refused(models):
    write_manifest(models, "v1", catalogue_version="000000000000")
    with pytest.raises(ModelVersionError, match="catalogue"):
        Recommender.load(models)


def test_a_model_whose_weights_were_fitted_with_other_instruments_is_refused(models):
    write_manifest(models, "v1", instruments_version="000000000000")
    with pytest.raises(ModelVersionError, match="instruments 000000000000"):
        Recommender.load(models)


def test_a_manifest_is_read_as_it_was_written(models):
    manifest = read_manifest(models, "v1")
    assert manifest.encoder.folder == ENCODER
    assert set(manifest.files) == {"text_head.npz", "screening.json", "fusion.json", "card.md"}
    assert manifest.figures == {}
