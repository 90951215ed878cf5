"""`growth data`: hold the training data to their rules and write their card."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from recommender.console import EXIT_NOTHING_USABLE, err, out, stop
from recommender.errors import GrowthError

data_app = typer.Typer(help="Check the training data and write their card.", no_args_is_help=True)


@data_app.command()
def check() -> None:
    """Print every broken rule of the real rows, one a line, and what the grown rows are about.

    Exit code 0: no broken rule; 2: at least one.
    """
    from recommender.training.corpus import load_rows
    from recommender.training.data_rules import DataFiles, check_data, domain_shares, topic_shares

    try:
        findings = check_data()
        for finding in findings:
            out.print(str(finding), highlight=False, markup=False, soft_wrap=True)
        rows = [row for file in DataFiles().grown for row in load_rows(file)]
    except GrowthError as error:
        stop(error)
    topic, share = next(iter(topic_shares(rows).items()), ("none", 0.0))
    err.print(f"{len(rows):,} grown rows; largest topic {topic} {share:.1%}; by domain:", highlight=False)
    for domain, share in domain_shares(rows).items():
        err.print(f"  {domain} {share:.1%}", highlight=False)
    err.print(f"{len(findings)} findings", highlight=False)
    if findings:
        raise typer.Exit(EXIT_NOTHING_USABLE)


@data_app.command()
def card(
    output: Annotated[Path | None, typer.Option(help="File to write; default: README.md beside the data.")] = None,
) -> None:
    """Count the training data again and write their card."""
    from recommender.training.data_card import CARD_FILE, write_data_card

    try:
        write_data_card(output or CARD_FILE)
    except GrowthError as error:
        stop(error)
    err.print(f"Wrote {(output or CARD_FILE).name}.", highlight=False, markup=False)
