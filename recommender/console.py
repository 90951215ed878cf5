"""How every command speaks: results to standard output, all that is said to a person to standard error."""

from __future__ import annotations

from typing import NoReturn

import typer
from rich.console import Console
from rich.markup import escape

from recommender.errors import GrowthError

out = Console()
err = Console(stderr=True)

EXIT_ALL_USED = 0
EXIT_NOTHING_USABLE = 2
EXIT_SOME_REJECTED = 3


def say(line: str) -> None:
    """Tell a person how a long command is getting on; brackets in the line are no markup."""
    err.print(line, highlight=False, markup=False)


def stop(error: GrowthError) -> NoReturn:
    """Say what was found, what was wanted and the way out, and leave with exit code 2.

    The text of an error may hold a file's name with brackets, which are no markup.
    """
    err.print("[bold red]Stopped.[/]", escape(str(error)), highlight=False, soft_wrap=True)
    raise typer.Exit(EXIT_NOTHING_USABLE)
