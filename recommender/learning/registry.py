"""The registry of model versions: which one answers, which answered before, and how one takes the other's place."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Literal

from recommender.errors import ModelVersionError
from recommender.ranking.versions import (
    CURRENT_FILE,
    ENCODERS_FOLDER,
    MANIFEST_FILE,
    Manifest,
    current_version,
    open_version,
    read_manifest,
)
from recommender.training.figure_names import DEVELOPMENT, GATES

PREVIOUS_FILE = "previous"
# Of files that tell of a version and answer nothing.
_ABOUT = (".md", ".svg")
# Where a manifest's figures hold the ranking on the development struggles.
_DEVELOPMENT = (DEVELOPMENT, "figures", "this version", "nDCG@5", "mean")

Role = Literal["current", "previous", "candidate"]


@dataclass(frozen=True)
class VersionEntry:
    """One version of a models folder.

    ``gates``: whether it passed all of them; None where none were run. ``ndcg``: on the development struggles, None
    where the manifest does not say. ``problem`` says why a manifest cannot be read; the rest is then empty.
    """

    name: str
    role: Role
    created: date | None = None
    gates: bool | None = None
    ndcg: float | None = None
    problem: str = ""


def list_versions(models: Path) -> list[VersionEntry]:
    """Every version of the folder by name. Raises ModelVersionError where no version is current."""
    current, previous = current_version(models), previous_version(models)
    entries = []
    for folder in sorted(models.iterdir()):
        if folder.name == ENCODERS_FOLDER or not (folder / MANIFEST_FILE).is_file():
            continue
        role: Role = "current" if folder.name == current else "previous" if folder.name == previous else "candidate"
        try:
            manifest = read_manifest(models, folder.name)
        except ModelVersionError as error:
            entries.append(VersionEntry(folder.name, role, problem=error.found))
            continue
        gates = manifest.figures.get(GATES)
        passed = None if gates is None else _all_passed(gates)
        entries.append(VersionEntry(folder.name, role, manifest.created, passed, _ndcg(manifest.figures)))
    return entries


def previous_version(models: Path) -> str | None:
    """The version that answered before the current one; None where there is none."""
    try:
        return (models / PREVIOUS_FILE).read_text(encoding="utf-8", errors="replace").strip() or None
    except OSError:
        return None


def promote(models: Path, name: str) -> str:
    """Make a version the current one and the one before it ``previous``; the name of the one before.

    Refused, with ModelVersionError, is a version that answers already, whose files are not those of its manifest, or
    whose gates were not run, not all passed, run on other files or against another version than the one that answers.
    """
    current = current_version(models)
    if name == current:
        raise ModelVersionError(f"{name}, which answers already", wanted="another version", where=str(models))
    manifest, _, _ = open_version(models, name)
    problem = _why_not(manifest, current)
    if problem is not None:
        raise ModelVersionError(
            problem, wanted="a version that passed every gate against the one that answers",
            way_out="Run `growth retrain` again; its table says what a gate found.", where=name,
        )  # fmt: skip
    # In this order a machine that stops between the two leaves the old version answering.
    write_pointer(models / PREVIOUS_FILE, current)
    write_pointer(models / CURRENT_FILE, name)
    return current


def rollback(models: Path) -> str:
    """Let the version before answer again, and make the present one ``previous``; the name of what answers now.

    Raises ModelVersionError where there is no version before, or its files are not those of its manifest.
    """
    current, previous = current_version(models), previous_version(models)
    if previous is None or previous == current:
        raise ModelVersionError(
            "no version that answered before", wanted=f"a file '{PREVIOUS_FILE}' that names another version",
            way_out="`growth models` lists the versions there are.", where=str(models),
        )  # fmt: skip
    open_version(models, previous)
    # The other way round than in promote: what matters is that the old version answers.
    write_pointer(models / CURRENT_FILE, previous)
    write_pointer(models / PREVIOUS_FILE, current)
    return previous


def write_pointer(pointer: Path, name: str) -> None:
    """Replace a pointer in one step that outlasts a power cut; a reader sees the old name or the new one."""
    scratch = pointer.with_name(f".{pointer.name}")
    with scratch.open("w", encoding="utf-8") as stream:
        stream.write(name + "\n")
        stream.flush()
        os.fsync(stream.fileno())
    os.replace(scratch, pointer)  # noqa: PTH105 - the step that tests stop at
    if os.name == "posix":
        folder = os.open(pointer.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def files_digest(files: Mapping[str, str]) -> str:
    """One SHA-256 over a version's files; the card and its pictures, which tell of the gates, are left out."""
    known = {name: digest for name, digest in files.items() if Path(name).suffix not in _ABOUT}
    return hashlib.sha256(json.dumps(known, sort_keys=True).encode()).hexdigest()


def _why_not(manifest: Manifest, current: str) -> str | None:
    gates = manifest.figures.get(GATES)
    if gates is None:
        return "no gates"
    failed = [str(result["name"]) for result in gates["results"] if not result["passed"]]
    if failed or not gates["results"]:
        return "failed gates: " + ", ".join(failed)
    if gates["against"] != current:
        return f"gates against {gates['against']}, where {current} answers"
    if gates["files"] != files_digest(manifest.files):
        return "gates of other files"
    return None


def _all_passed(gates: Mapping[str, Any]) -> bool:
    return bool(gates["results"]) and all(result["passed"] for result in gates["results"])


def _ndcg(figures: Any) -> float | None:
    for key in _DEVELOPMENT:
        figures = figures.get(key) if isinstance(figures, Mapping) else None
    return figures if isinstance(figures, float) else None
