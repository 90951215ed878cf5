"""A models folder of a test's own: the shipped version, its encoder linked, and versions made from it in no time."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

from recommender.learning.registry import files_digest
from recommender.learning.version_copies import models_beside
from recommender.ranking.versions import (
    CURRENT_FILE,
    DEFAULT_MODELS,
    ENCODERS_FOLDER,
    MANIFEST_FILE,
    current_version,
    read_manifest,
    sha256_of,
)
from recommender.training.figure_names import GATES

SHIPPED = current_version(DEFAULT_MODELS)


def models_folder(folder: Path) -> Path:
    return models_beside(DEFAULT_MODELS, folder)


def tiny_folder(folder: Path) -> Path:
    """As ``models_folder`` with an encoder of a few bytes: for what looks at files and never opens a model."""
    shutil.copytree(DEFAULT_MODELS / SHIPPED, folder / SHIPPED)
    manifest = json.loads((folder / SHIPPED / MANIFEST_FILE).read_text(encoding="utf-8"))
    encoder = folder / ENCODERS_FOLDER / manifest["encoder"]["folder"]
    encoder.mkdir(parents=True)
    for name in manifest["encoder"]["files"]:
        (encoder / name).write_text(name, encoding="utf-8")
        manifest["encoder"]["files"][name] = sha256_of(encoder / name)
    (folder / SHIPPED / MANIFEST_FILE).write_text(json.dumps(manifest), encoding="utf-8")
    (folder / CURRENT_FILE).write_text(SHIPPED + "\n", encoding="utf-8")
    return folder


def other_version(models: Path, name: str, *, offsets: dict[str, float] | None = None, gates: Any = "passed") -> Path:
    """A copy of the shipped version under another name and with other offsets.

    ``gates``: "passed" against the version that answers, "failed", None for none, or what to write.
    """
    folder = models / name
    shutil.copytree(models / SHIPPED, folder)
    if offsets:
        file = folder / "fusion.json"
        weights = json.loads(file.read_text(encoding="utf-8")) | {"skill_offsets": offsets}
        file.write_text(json.dumps(weights), encoding="utf-8")
    manifest = json.loads((folder / MANIFEST_FILE).read_text(encoding="utf-8"))
    manifest |= {"version": name, "files": {file: sha256_of(folder / file) for file in manifest["files"]}}
    if gates in ("passed", "failed"):
        results = [{"name": "development", "passed": True}, {"name": "held back", "passed": gates == "passed"}]
        gates = {"against": current_version(models), "files": files_digest(manifest["files"]), "results": results}
    manifest["figures"] = {} if gates is None else {GATES: gates}
    (folder / MANIFEST_FILE).write_text(json.dumps(manifest), encoding="utf-8")
    assert read_manifest(models, name).version == name
    return folder
