"""Writes needs as CSV or Parquet, whole or not at all."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from recommender.errors import DataFileError
from recommender.exchange.file_formats import format_of, whole_file
from recommender.observations.need_tables import NEED, P_TOP3, SD

DECIMALS = 4


def check_need_output(path: Path) -> None:
    """Refuse an output of another format before anything is computed. Raises DataFileError."""
    if format_of(path) == "json-lines":
        raise DataFileError("JSON Lines", wanted="needs as .csv or .parquet", where=str(path))


def write_needs(table: pd.DataFrame, path: Path) -> None:
    """Write a table of needs; need, SD and chance rounded to four decimals, which is finer than they are known."""
    rounded = table.assign(**{name: np.round(table[name].astype(float), DECIMALS) + 0.0 for name in (NEED, SD, P_TOP3)})
    with whole_file(path) as stream:
        if format_of(path) == "csv":
            rounded.to_csv(stream, index=False, lineterminator="\n")
        else:
            rounded.to_parquet(stream, index=False)
