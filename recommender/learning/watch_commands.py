"""`growth watch`: whether what teachers write and what the model answers are still as in training."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from recommender.command_options import JsonOption, ModelsOption, VersionOption
from recommender.console import EXIT_ALL_USED, EXIT_NOTHING_USABLE, out, say, stop
from recommender.errors import GrowthError
from recommender.ranking.versions import DEFAULT_MODELS

EXIT_DRIFT = 4


def watch_command(
    evidence: Annotated[Path, typer.Argument(help="Lists shown and what was said of them, JSON Lines.")],
    since: Annotated[
        datetime | None, typer.Option("--since", formats=["%Y-%m-%d"], help="Only lists of this day (UTC) and later.")
    ] = None,
    models: ModelsOption = DEFAULT_MODELS,
    version: VersionOption = None,
    as_json: JsonOption = False,
) -> None:
    """Watch for drift: lengths, words, subjects, scores and reviews of a window of use beside training.

    Exit code 0: quiet; 4: drift found; 2: nothing could be checked.
    """
    from recommender.learning.evidence import Evidence, read_evidence
    from recommender.learning.watch import print_watch, watch_version

    try:
        read = read_evidence(evidence)
        if since is not None:
            first = since.replace(tzinfo=UTC)
            read = Evidence.of([row for row in read.rows if row.shown_at >= first], read.rejects)
        report = watch_version(models, version, read, say=say)
    except GrowthError as error:
        stop(error)
    if read.rejects:
        say(f"{len(read.rejects)} rows were refused.")
    if as_json:
        out.print_json(json.dumps(report.as_data(), ensure_ascii=False))
    else:
        print_watch(report, out)
    raise typer.Exit(EXIT_DRIFT if report.drifted else EXIT_ALL_USED if report.checked else EXIT_NOTHING_USABLE)
