"""`growth needs` and `growth norms`: from a file of scores to needs, and to what is usual in a district."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from recommender.console import EXIT_ALL_USED, EXIT_SOME_REJECTED, err, stop
from recommender.errors import GrowthError

InstrumentsOption = Annotated[
    list[Path] | None, typer.Option("--instrument", help="A rubric of your own (YAML); give it several times.")
]
NormsOption = Annotated[Path | None, typer.Option("--norms", help="Norms written by `growth norms fit`.")]

norms_app = typer.Typer(help="What is usual in a district: fitted from its own scores.", no_args_is_help=True)


def needs(
    observations: Annotated[Path, typer.Argument(help="Observation scores: .csv or .parquet, one row per item score.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Needs per teacher and item: .csv or .parquet.")],
    instrument: InstrumentsOption = None,
    norms: NormsOption = None,
    skills: Annotated[Path | None, typer.Option("--skills", help="Also write needs per teacher and skill.")] = None,
) -> None:
    """Estimate each teacher's needs, relative to their own other items, with how sure they are.

    Exit code 0: all rows used; 3: some rows rejected; 2: nothing usable.
    """
    from recommender.exchange.needs_file import write_needs_of

    try:
        counts = write_needs_of(
            observations,
            output,
            instrument_files=instrument or [],
            norms_file=norms,
            skills_output=skills,
            console=err,
        )
    except GrowthError as error:
        stop(error)
    raise typer.Exit(EXIT_SOME_REJECTED if counts.rejected else EXIT_ALL_USED)


@norms_app.command("fit")
def fit_norms_command(
    observations: Annotated[Path, typer.Argument(help="Observation scores: .csv or .parquet.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Norms, .json; give it to needs and rank.")],
    instrument: InstrumentsOption = None,
) -> None:
    """Fit item distributions, rater severities and, from 30 raters on, variance components of each tenant."""
    from recommender.exchange.needs_file import write_norms_of

    try:
        counts = write_norms_of(observations, output, instrument_files=instrument or [], console=err)
    except GrowthError as error:
        stop(error)
    raise typer.Exit(EXIT_SOME_REJECTED if counts.rejected else EXIT_ALL_USED)
