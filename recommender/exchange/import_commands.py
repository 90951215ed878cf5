"""`growth import`: files of another system into one score table."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from recommender.console import EXIT_ALL_USED, EXIT_NOTHING_USABLE, EXIT_SOME_REJECTED, err, stop
from recommender.errors import GrowthError


def import_scores(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Files of one format.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The score table: .csv or .parquet.")],
    file_format: Annotated[
        str, typer.Option("--format", help="canonical, district, grow, teach, segments or ed-fi.")
    ] = "canonical",
    mapping: Annotated[
        Path | None, typer.Option("--map", help="YAML that says which column, label or measurement is what.")
    ] = None,
    instrument: Annotated[
        list[Path] | None, typer.Option("--instrument", help="YAML of a rubric of your own; may be repeated.")
    ] = None,
    tenant: Annotated[str, typer.Option(help="District or country of rows that name none.")] = "",
    include_formal: Annotated[
        bool, typer.Option("--include-formal", help="Also take formal evaluations; left out by default.")
    ] = False,
    key_file: Annotated[
        Path | None,
        typer.Option("--pseudonym-key-file", help="Key that replaces ids; default: GROWTH_PSEUDONYM_KEY."),
    ] = None,
    append: Annotated[
        bool, typer.Option("--append", help="Keep what the output holds; nothing is taken twice.")
    ] = False,
) -> None:
    """Import observation scores of another system. A bad row goes to <output>.rejects.jsonl and never costs a good one.

    Exit code 0: all imported; 3: some refused; 2: nothing usable.
    """
    from recommender.exchange.import_file import ImportRequest, import_file, import_format

    try:
        request = ImportRequest(
            files=files,
            file_format=import_format(file_format),
            output=output,
            mapping=mapping,
            instruments=instrument or (),
            tenant=tenant,
            include_formal=include_formal,
            key_file=key_file,
            append=append,
        )
        counts = import_file(request, err)
    except GrowthError as error:
        stop(error)
    if counts.usable == 0:
        raise typer.Exit(EXIT_NOTHING_USABLE)
    raise typer.Exit(EXIT_SOME_REJECTED if counts.refused else EXIT_ALL_USED)
