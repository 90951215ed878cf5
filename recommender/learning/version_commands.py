"""`growth train`, `retrain`, `promote`, `rollback`, `models`: how versions are made, and which one answers."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape
from rich.table import Table

from recommender.command_options import JsonOption, ModelsOption
from recommender.console import EXIT_SOME_REJECTED, out, say, stop
from recommender.errors import GrowthError
from recommender.ranking.versions import DEFAULT_MODELS

if TYPE_CHECKING:
    from recommender.learning.gate_rules import GateResult


# A version that was made and did not pass: made, but not usable as it is.
EXIT_REFUSED = EXIT_SOME_REJECTED


def train_command(
    version: Annotated[str, typer.Option("--version", help="Name of the new version.")],
    encoder: Annotated[
        str | None, typer.Option(help="Folder name in models/encoders; default: the current version's.")
    ] = None,
    models: ModelsOption = DEFAULT_MODELS,
    set_current: Annotated[
        bool, typer.Option(help="Run the gates against the version that answers, and let this one answer if it passed.")
    ] = False,
) -> None:
    """Fit heads, calibration and thresholds on an encoder and write a model version with its card (minutes).

    Exit code 3: made, and refused by a gate.
    """
    from recommender.learning.take_over import take_over
    from recommender.training.fit import train_version

    try:
        train_version(models, version, encoder, say=say)
        results = take_over(models, version, say) if set_current else []
    except GrowthError as error:
        stop(error)
    _show_gates(version, results)


def retrain_command(
    evidence: Annotated[Path, typer.Argument(help="Evidence of lists shown and what was said of them, JSON Lines.")],
    version: Annotated[str, typer.Option("--version", help="Name of the new version.")],
    models: ModelsOption = DEFAULT_MODELS,
    scratch: Annotated[
        Path | None, typer.Option(help="Folder that keeps the corpus's embeddings between runs; saves minutes.")
    ] = None,
) -> None:
    """Make a candidate from evidence and run every gate on it; it does not answer until it is promoted (minutes).

    The newest fifth of the lists is held back for the gates. Exit code 0: all gates passed; 3: made and refused; 2:
    not made.
    """
    from recommender.learning.evidence import read_evidence
    from recommender.learning.gate_parameters import load_gate_parameters
    from recommender.learning.gates import GatedEvidence, gate_report
    from recommender.learning.held_back import split_by_time
    from recommender.learning.retrain import retrain
    from recommender.learning.version_copies import models_beside

    try:
        read = read_evidence(evidence)
        if read.rejects:
            say(f"{len(read.rejects)} rows refused, {len(read.rows)} used")
        learned, held_back = split_by_time(read, load_gate_parameters().held_back.share.value)
        with tempfile.TemporaryDirectory(prefix="growth-retrain-") as folder:
            # The corpus is read once for both makings and the gates.
            kept = scratch or Path(folder) / "embeddings"
            retrain(models, version, learned, say, scratch=kept)
            say("making it once more")
            beside = models_beside(models, Path(folder) / "models", leaving_out=version)
            remade = retrain(beside, version, learned, scratch=kept)
            results = gate_report(models, version, GatedEvidence(learned, held_back), say, remade=remade, scratch=kept)
    except GrowthError as error:
        stop(error)
    _show_gates(version, results)
    say(f"`growth promote {version}` lets it answer.")


def _show_gates(version: str, results: Sequence[GateResult]) -> None:
    """The table, those that refused first; stops where one did."""
    if not results:
        return
    table = Table("gate", "", "what it found", title=f"{version}: gates", title_justify="left")
    for result in sorted(results, key=lambda result: result.passed):
        table.add_row(escape(result.name), "passed" if result.passed else "[bold]refused[/]", escape(result.sentence))
    out.print(table)
    if not all(result.passed for result in results):
        raise typer.Exit(EXIT_REFUSED)


def promote_command(
    version: Annotated[str, typer.Argument(help="A version that passed every gate.")],
    models: ModelsOption = DEFAULT_MODELS,
) -> None:
    """Let a version answer that passed every gate; running services take it over within seconds."""
    from recommender.learning.registry import promote

    try:
        before = promote(models, version)
    except GrowthError as error:
        stop(error)
    out.print(f"{version} answers now, {before} before. `growth rollback` goes back.", highlight=False)


def rollback_command(models: ModelsOption = DEFAULT_MODELS) -> None:
    """Let the version answer again that answered before; running services take it over within seconds."""
    from recommender.learning.registry import rollback
    from recommender.ranking.versions import current_version

    try:
        left = current_version(models)
        now = rollback(models)
    except GrowthError as error:
        stop(error)
    out.print(f"{now} answers now, and no longer {left}.", highlight=False)


def models_command(
    models: ModelsOption = DEFAULT_MODELS,
    as_json: JsonOption = False,
) -> None:
    """List model versions: which answers, which answered before, what the gates said."""
    from recommender.learning.registry import list_versions

    try:
        entries = list_versions(models)
    except GrowthError as error:
        stop(error)
    if as_json:
        rows = [vars(entry) | {"created": entry.created.isoformat() if entry.created else None} for entry in entries]
        out.print_json(json.dumps(rows))
        return
    table = Table("version", "created", "role", "gates", "nDCG@5", title=f"{len(entries)} versions")
    for entry in entries:
        gates = {None: "not run", True: "passed", False: "refused"}[entry.gates]
        ndcg = "" if entry.ndcg is None else f"{entry.ndcg:.3f}"
        created = escape(entry.problem) or str(entry.created)
        table.add_row(entry.name, created, entry.role, gates, ndcg)
    out.print(table)
