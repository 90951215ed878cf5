"""`growth study`: reruns the figures on learning from use, on simulated districts where the truth is known."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from recommender.command_options import JsonOption, ModelsOption
from recommender.console import out, say, stop
from recommender.errors import GrowthError
from recommender.ranking.versions import DEFAULT_MODELS

study_app = typer.Typer(
    help="Figures on learning from use, on simulated districts where the truth is known.", no_args_is_help=True
)


@study_app.command("reviews")
def reviews_command(models: ModelsOption = DEFAULT_MODELS, as_json: JsonOption = False) -> None:
    """Quality on later cases after 0 to 5,000 reviews, with position bias corrected and not; attacks and accidents."""
    from recommender.learning.learning_report import learning_report, print_learning_report

    _show(lambda: learning_report(models, say=say), print_learning_report, as_json=as_json)


@study_app.command("gates")
def gates_command(models: ModelsOption = DEFAULT_MODELS, as_json: JsonOption = False) -> None:
    """What the gates do with versions known to be worse, and with versions known to be better."""
    from recommender.learning.gate_report import power_report, print_power_report

    _show(lambda: power_report(models, say), print_power_report, as_json=as_json)


@study_app.command("off-policy")
def off_policy_command(as_json: JsonOption = False) -> None:
    """How often the intervals of off-policy estimates cover the truth, over 1,000 simulated logs a setting."""
    from recommender.learning.off_policy_report import off_policy_report, print_off_policy_report

    _show(lambda: off_policy_report(say=say), print_off_policy_report, as_json=as_json)


@study_app.command("drift")
def drift_command(models: ModelsOption = DEFAULT_MODELS, as_json: JsonOption = False) -> None:
    """False alarms of each drift check where nothing drifted, and its power where something did (ten minutes)."""
    from recommender.learning.drift_report import drift_report, print_drift_report

    _show(lambda: drift_report(models, say=say), print_drift_report, as_json=as_json)


@study_app.command("record")
def record_command(
    audit: Annotated[
        Path | None, typer.Option("--audit", help="audit.json of `growth audit --output`: record that alone.")
    ] = None,
    models: ModelsOption = DEFAULT_MODELS,
) -> None:
    """Run all studies on the version that answers and state their figures in its manifest and card (ten minutes)."""
    from recommender.learning.record import read_audit, record_audit, record_use

    try:
        if audit is None:
            record_use(models, say)
        else:
            record_audit(models, read_audit(audit))
    except GrowthError as error:
        stop(error)
    out.print("Recorded in manifest and card.", highlight=False)


@study_app.command("texts")
def texts_command(as_json: JsonOption = False) -> None:
    """What texts with a coach's review are worth to the text head, beside labels and beside the corpus alone."""
    from recommender.learning.text_report import print_text_report, text_report

    _show(lambda: text_report(say=say), print_text_report, as_json=as_json)


@study_app.command("evidence")
def evidence_command(
    output: Annotated[Path, typer.Argument(help="File to write, JSON Lines; an older one is replaced.")],
    reviews: Annotated[int, typer.Option(min=1, max=100_000, help="Reviewed lists.")] = 500,
    tenants: Annotated[int, typer.Option(min=1, max=100, help="Districts.")] = 4,
    with_words: Annotated[
        float, typer.Option(min=0, max=1, help="Share of lists with the struggle, one of the training data.")
    ] = 0.3,
    seed: Annotated[int, typer.Option(min=0)] = 1,
    models: ModelsOption = DEFAULT_MODELS,
) -> None:
    """Write evidence of made-up districts, to try `growth retrain`, the gates and `growth watch` with."""
    from recommender.training.simulate.simulated_evidence import simulated_evidence

    try:
        rows = simulated_evidence(models, seed, reviews, tenants=tenants, with_words=with_words)
    except GrowthError as error:
        stop(error)
    output.write_text("".join(row.to_json() + "\n" for row in rows), encoding="utf-8")
    out.print(f"{len(rows):,} lists of {tenants} made-up districts in {output.name}.", highlight=False)


def _show(
    make: Callable[[], dict[str, Any]], print_report: Callable[[dict[str, Any], Console], None], *, as_json: bool
) -> None:
    try:
        report = make()
    except GrowthError as error:
        stop(error)
    if as_json:
        out.print_json(json.dumps(report, ensure_ascii=False))
    else:
        print_report(report, out)
