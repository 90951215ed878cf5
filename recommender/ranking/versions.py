"""Model versions on disk: a manifest names every file and its SHA-256, and nothing is opened before it matches."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Iterable
from datetime import date
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from recommender.errors import ModelVersionError

DEFAULT_MODELS = Path(__file__).resolve().parents[2] / "models"
CURRENT_FILE = "current"
MANIFEST_FILE = "manifest.json"
CARD_FILE = "card.md"
ENCODERS_FOLDER = "encoders"

# What the engine opens; the names belong to the modules that open them.
VERSION_FILES = ("text_head.npz", "screening.json", "fusion.json", CARD_FILE)
ENCODER_FILES = ("encoder.onnx", "tokenizer.json", "screening_network.npz")

_VERSION_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,60}")

Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
FileName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.-]+$")]
VersionName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,60}$")]


class EncoderEntry(BaseModel):
    """The encoder a version uses; encoders are shared between versions."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    folder: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{12}$")]
    files: dict[FileName, Sha256]


class Manifest(BaseModel):
    """Everything needed to trust and to remake one model version."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    version: VersionName
    created: date
    catalogue_version: str
    instruments_version: str
    """Of the shipped instruments and crosswalks the weights of observations were fitted with"""
    encoder: EncoderEntry
    files: dict[FileName, Sha256]
    data: dict[str, Sha256]
    """SHA-256 of every training and evaluation file."""
    libraries: dict[str, str]
    seeds: dict[str, int]
    settings: dict[str, Any] = Field(default_factory=dict)
    figures: dict[str, Any] = Field(default_factory=dict)


def sha256_of(file: Path) -> str:
    """Hex SHA-256 of a file's bytes."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def current_version(models: Path) -> str:
    """The version ``models/current`` names. Raises ModelVersionError when there is none."""
    pointer = models / CURRENT_FILE
    try:
        return pointer.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        raise ModelVersionError(
            "no file 'current'",
            wanted="a models folder with a file 'current' that names a version",
            way_out="Set GROWTH_MODELS or run `growth train`.",
            where=str(models),
        ) from None


def read_manifest(models: Path, version: str) -> Manifest:
    """The validated manifest of one version. Raises ModelVersionError."""
    if not _VERSION_NAME.fullmatch(version):
        raise ModelVersionError("no version's name", wanted="a name of letters, digits, - _ and .", where=str(models))
    file = models / version / MANIFEST_FILE
    try:
        manifest = Manifest.model_validate_json(file.read_bytes())
    except OSError:
        raise ModelVersionError(
            "no manifest", wanted="models/<version>/manifest.json", way_out="Restore the folder.", where=str(file)
        ) from None
    except ValidationError as error:
        raise ModelVersionError(
            f"a broken manifest ({error.error_count()} problems)", wanted="a valid manifest", where=str(file)
        ) from None
    if manifest.version != version:
        raise ModelVersionError(f"the manifest of {manifest.version}", wanted=f"that of {version}", where=str(file))
    return manifest


def verify_files(folder: Path, files: dict[str, str]) -> None:
    """Compare every named file with its SHA-256. Raises ModelVersionError on the first that differs or is missing.

    Called before any of them is opened: a pickle that was swapped is never loaded.
    """
    for name, wanted in files.items():
        file = folder / name
        found = sha256_of(file) if file.is_file() else "no such file"
        if found != wanted:
            raise ModelVersionError(
                found[:12], wanted=f"SHA-256 {wanted[:12]}...", way_out="Restore the file from the repository.",
                where=str(file),
            )  # fmt: skip


def _name_all(files: Collection[str], needed: Iterable[str], where: Path) -> None:
    for name in needed:
        if name not in files:
            raise ModelVersionError(f"no SHA-256 of {name}", wanted="every file the engine opens", where=str(where))


def open_version(models: Path, version: str | None = None) -> tuple[Manifest, Path, Path]:
    """Manifest, version folder and encoder folder of a version whose every file is as the manifest says.

    ``version`` None means the one ``models/current`` names. Raises ModelVersionError, also when the manifest leaves out
    a file the engine would open.
    """
    manifest = read_manifest(models, current_version(models) if version is None else version)
    _name_all(manifest.files, VERSION_FILES, models / manifest.version)
    _name_all(manifest.encoder.files, ENCODER_FILES, models / manifest.version)
    folder = models / manifest.version
    encoder_folder = models / ENCODERS_FOLDER / manifest.encoder.folder
    verify_files(folder, dict(manifest.files))
    verify_files(encoder_folder, dict(manifest.encoder.files))
    return manifest, folder, encoder_folder
