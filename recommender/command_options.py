"""Options that several commands have."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

ModelsOption = Annotated[Path, typer.Option("--models", envvar="GROWTH_MODELS", help="Folder of model versions.")]
VersionOption = Annotated[str | None, typer.Option("--version", help="Model version; default: the current one.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON for a program to read.")]
