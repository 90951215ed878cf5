"""What every importer hands back: the score table, what was refused and what was counted."""

from __future__ import annotations

from dataclasses import dataclass, field

from pandas import DataFrame

from recommender.exchange.rejects import Reject

ROWS = "rows"
NOT_SCORED = "not scored"


@dataclass(frozen=True)
class Imported:
    """The usable scores of one or more files of another system.

    ``scores`` has the columns of recommender.observations.scores; ``rejects`` are in file order. ``counts`` always has
    "rows" (rows, or objects, read) and "not scored" (cells that hold no score and are no mistake); an importer adds
    counts of what it left out by a rule of its own, in the words it should be told in. ``unread_columns`` names
    columns of the file that nothing was taken from.
    """

    scores: DataFrame
    rejects: list[Reject]
    counts: dict[str, int]
    unread_columns: list[str] = field(default_factory=list)
