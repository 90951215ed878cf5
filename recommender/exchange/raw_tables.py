"""Cells as a file has them, in columns, before anything is read off them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from recommender.exchange.row_checks import LINE


def raw_table(lines: Sequence[int], columns: Mapping[str, Sequence[object] | np.ndarray[Any, Any]]) -> pd.DataFrame:
    """Cells as a file has them, in object columns, with the line each row starts on."""
    table_columns: dict[str, Any] = {LINE: np.asarray(lines, dtype=np.int64)}
    for name, cells in columns.items():
        array = cells if isinstance(cells, np.ndarray) else object_array(cells)
        table_columns[name] = pd.Series(array, dtype=object)
    return pd.DataFrame(table_columns)


def object_array(cells: Sequence[object]) -> np.ndarray[Any, Any]:
    """A one-dimensional array of any cells, as they are."""
    array = np.empty(len(cells), dtype=object)
    array[:] = cells
    return array
