"""`growth audit`: whether groups, names, ways of speaking and ways of scoring change what is suggested."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from recommender.command_options import JsonOption, ModelsOption, VersionOption
from recommender.console import out, say, stop
from recommender.errors import GrowthError
from recommender.ranking.versions import DEFAULT_MODELS


def audit(
    evidence: Annotated[
        Path | None, typer.Option("--evidence", help="Lists shown and what was said of them, JSON Lines.")
    ] = None,
    attributes: Annotated[
        Path | None,
        typer.Option("--attributes", help="teacher,attribute,value (CSV); only this command reads it."),
    ] = None,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Folder for audit.md, .json and plots.")] = None,
    training_texts: Annotated[
        int | None, typer.Option("--texts", min=0, help="Training struggles beside the development ones; default 200.")
    ] = None,
    models: ModelsOption = DEFAULT_MODELS,
    version: VersionOption = None,
    as_json: JsonOption = False,
) -> None:
    """Audit a version for fairness: groups of teachers, counterfactual swaps, stress; each figure with its threshold.

    Groups need --evidence and --attributes; swaps and stress need neither (about 10 minutes).
    """
    from recommender.learning.audit_pages import print_audit, write_audit
    from recommender.learning.audit_report import audit_version
    from recommender.ranking.recommender import Recommender

    try:
        report = audit_version(Recommender.load(models, version), evidence, attributes, training_texts, say=say)
        files = write_audit(report, output) if output is not None else []
    except GrowthError as error:
        stop(error)
    if as_json:
        out.print_json(json.dumps(report.as_data(), ensure_ascii=False))
    else:
        print_audit(report, out)
    for file in files:
        say(f"Wrote {file.name}.")
