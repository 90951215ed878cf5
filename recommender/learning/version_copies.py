"""A second models folder that shares the files of the first, for making a version once more."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from recommender.ranking.versions import CURRENT_FILE, ENCODERS_FOLDER


def models_beside(models: Path, folder: Path, *, leaving_out: str = "") -> Path:
    """Make ``folder`` a models folder with the same versions but one; encoders are linked, the rest is copied."""
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(models / CURRENT_FILE, folder / CURRENT_FILE)
    for version in sorted(models.iterdir()):
        if not version.is_dir() or version.name.startswith(".") or version.name == leaving_out:
            continue
        if version.name != ENCODERS_FOLDER:
            shutil.copytree(version, folder / version.name)
            continue
        for file in version.rglob("*"):
            if file.is_file():
                _share(file, folder / ENCODERS_FOLDER / file.relative_to(version))
    return folder


def _share(file: Path, copy: Path) -> None:
    """A link where the file system has them; an encoder has ninety megabytes."""
    copy.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.symlink(file.resolve(), copy)  # noqa: PTH211 - reads like copyfile beside it
    except OSError:
        shutil.copyfile(file, copy)
