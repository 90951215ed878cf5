"""Reads scores: instrument, item and raw value to a number on the item's scale, each distinct combination once."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from recommender.catalogue.instrument import Instrument
from recommender.catalogue.raw_scores import plain_number
from recommender.errors import GrowthError, ScoreError
from recommender.exchange.rejects import Reject
from recommender.exchange.row_checks import LINE, CellProblem, RowChecks, plain_text
from recommender.observations import scores as table

FIELD = "field"
"""An optional column of a raw table: what the file calls the cell a value came from, for rejects."""

ReadValue = Callable[[Instrument, str, Any], float | None]
_NO_LABEL = "text that is neither a number nor a level label"


def instrument_score(instrument: Instrument, code: str, raw: Any) -> float | None:
    """The instrument's own reading of a raw value; None when it means "not scored".

    Raises ScoreError that says what kind of value it is and never repeats it: a comment may stand in a score's place.
    """
    if isinstance(raw, CellProblem):
        raise raw.error()
    try:
        return instrument.score(code, raw)
    except ScoreError as error:
        raise ScoreError(_kind_of(raw), wanted=error.wanted) from None


def check_values(
    rows: pd.DataFrame, instruments: Mapping[str, Instrument], read_value: ReadValue = instrument_score
) -> tuple[pd.DataFrame, list[Reject], int]:
    """The scored rows with the columns of the score table, the refused ones, and how many rows hold no score.

    ``rows``: as ``check_rows`` leaves them, with ``instrument``, ``item`` and the raw ``value``, text or number.
    """
    checks = RowChecks(rows[LINE].to_numpy())
    codes, combinations = _combinations([rows[column] for column in (table.INSTRUMENT, table.ITEM, table.VALUE)])
    numbers = np.full(len(combinations), np.nan)
    read_names = np.full((2, len(combinations)), "", dtype=object)
    problems: dict[int, GrowthError] = {}
    for position, (name, item, raw) in enumerate(combinations):
        try:
            instrument, code = _instrument_and_item(name, item, instruments)
            read_names[:, position] = instrument.id, code
            number = read_value(instrument, code, raw)
            # Adding 0 makes one zero of 0 and -0.
            numbers[position] = np.nan if number is None else number + 0.0
        except GrowthError as error:
            problems[position] = error
    if problems:
        is_bad = np.zeros(len(combinations), dtype=bool)
        is_bad[list(problems)] = True
        bad = np.flatnonzero(is_bad[codes])
        checks.refuse(bad, _fields(rows, bad, codes, problems), lambda row: problems[int(codes[row])])
    values = numbers[codes]
    is_scored = checks.is_good & ~np.isnan(values)
    scored = rows.loc[is_scored].copy()
    scored[table.VALUE] = values[is_scored]
    for column, read in zip((table.INSTRUMENT, table.ITEM), read_names, strict=True):
        scored[column] = pd.Series(read[codes][is_scored], index=scored.index, dtype=str)
    not_scored = int(checks.is_good.sum() - is_scored.sum())
    columns = [column for column in (*table.COLUMNS, table.SOURCE_SYSTEM) if column in scored]
    return scored[columns].reset_index(drop=True), checks.rejects, not_scored


def _instrument_and_item(name: object, item: object, instruments: Mapping[str, Instrument]) -> tuple[Instrument, str]:
    name = plain_text(name).strip()
    if name not in instruments:
        wanted = "the id of an instrument: `growth instruments list` shows them"
        raise ScoreError("an unknown instrument" if name else "nothing", wanted=wanted, where=table.INSTRUMENT)
    code = plain_text(item).strip()
    if code not in instruments[name].by_code:
        raise ScoreError("an unknown item" if code else "nothing", wanted=f"an item of {name}", where=table.ITEM)
    return instruments[name], code


def _fields(
    rows: pd.DataFrame, bad: np.ndarray[Any, Any], codes: np.ndarray[Any, Any], problems: Mapping[int, GrowthError]
) -> np.ndarray[Any, Any]:
    if FIELD in rows:
        return rows[FIELD].to_numpy()
    fields = np.empty(len(rows), dtype=object)
    for row in bad.tolist():
        where = problems[int(codes[row])].where
        fields[row] = where if where in (table.INSTRUMENT, table.ITEM) else table.VALUE
    return fields


def _combinations(columns: list[pd.Series[Any]]) -> tuple[np.ndarray[Any, Any], list[tuple[object, ...]]]:
    """For every row the number of its combination of cells, and the distinct combinations."""
    cells = [column.to_numpy(dtype=object) for column in columns]
    numbers = np.zeros(len(columns[0]), dtype=np.int64)
    for each in cells:
        codes, distinct = pd.factorize(each, use_na_sentinel=False)
        # Numbered anew after each column, so that the product of many distinct cells cannot overflow.
        numbers, _ = pd.factorize(numbers * max(len(distinct), 1) + codes)
    _, first_rows = np.unique(numbers, return_index=True)
    return numbers, list(zip(*(each[first_rows] for each in cells), strict=True))


def _kind_of(raw: object) -> str:
    number = plain_number(raw)
    if number is None:
        return _NO_LABEL if isinstance(raw, str) else f"a value of type {type(raw).__name__}"
    return "a number outside the scale" if math.isfinite(number) else "a number that is not finite"
