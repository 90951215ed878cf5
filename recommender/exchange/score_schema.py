"""The rules of a score table in memory, checked as a whole before what an importer made is written."""

from __future__ import annotations

from typing import get_args

import numpy as np
import pandas as pd
import pandera.pandas as pa
from pandera.errors import SchemaErrors

from recommender.errors import DataFileError
from recommender.exchange.row_checks import MAX_ID_CHARACTERS, MAX_NOTE_CHARACTERS, MAX_SEGMENT
from recommender.observations import scores as table

_REQUIRED_TEXT = {"min_value": 1, "max_value": MAX_ID_CHARACTERS}
_OPTIONAL_TEXT = {"max_value": MAX_ID_CHARACTERS}
_MOST_PROBLEMS_SAID = 5


class ScoreTable(pa.DataFrameModel):
    """One row is one item score by one observer in one segment; text is never missing, only empty."""

    teacher: str = pa.Field(alias=table.TEACHER, str_length=_REQUIRED_TEXT)
    visited: str = pa.Field(alias=table.VISIT, str_length=_REQUIRED_TEXT)
    day: pa.DateTime = pa.Field(alias=table.OBSERVED_ON)
    seen_by: str = pa.Field(alias=table.OBSERVER, str_length=_REQUIRED_TEXT)
    rubric: str = pa.Field(alias=table.INSTRUMENT, str_length=_REQUIRED_TEXT)
    rubric_item: str = pa.Field(alias=table.ITEM, str_length=_REQUIRED_TEXT)
    score: float = pa.Field(alias=table.VALUE)
    organisation: str = pa.Field(alias=table.TENANT, str_length=_OPTIONAL_TEXT)
    school_id: str = pa.Field(alias=table.SCHOOL, str_length=_OPTIONAL_TEXT)
    part: int = pa.Field(alias=table.SEGMENT, ge=0, le=MAX_SEGMENT)
    kind: str = pa.Field(alias=table.OBSERVATION_TYPE, isin=["", *get_args(table.ObservationType)])
    role: str = pa.Field(alias=table.OBSERVER_ROLE, isin=list(get_args(table.ObserverRole)))
    remark: str = pa.Field(alias=table.NOTE, str_length={"max_value": MAX_NOTE_CHARACTERS})
    source: str | None = pa.Field(alias=table.SOURCE_SYSTEM, str_length=_OPTIONAL_TEXT)
    row_hash: str | None = pa.Field(alias=table.SOURCE_ROW_HASH, str_matches=r"^[0-9a-f]{64}$")

    @pa.check(table.VALUE)
    def is_finite(cls, values: pd.Series[float]) -> pd.Series[bool]:  # noqa: N805
        """A score is a finite number."""
        return values.between(-np.inf, np.inf, inclusive="neither")

    @pa.check(table.OBSERVED_ON)
    def is_past(cls, days: pd.Series[pd.Timestamp]) -> pd.Series[bool]:  # noqa: N805
        """No lesson is observed before it is held."""
        return days <= pd.Timestamp.today()

    class Config:
        """Nothing but the columns of a score table, in any order."""

        strict = True


def check_score_table(scores: pd.DataFrame, where: str) -> None:
    """Refuse a table that breaks a rule of ``ScoreTable``; all its problems are looked for.

    Raises DataFileError that names columns and rules and repeats no cell; ``where`` names the importer.
    """
    try:
        ScoreTable.validate(scores, lazy=True)
    except SchemaErrors as error:
        raise DataFileError(
            "a score table with " + "; ".join(_problems(error)),
            wanted="every column as the score table has it",
            where=where,
        ) from None


def _problems(error: SchemaErrors) -> list[str]:
    cases = error.failure_cases
    # Of a missing or unknown column the case is its name, of a cell it is the cell, which is not repeated.
    named = cases["column"].where(cases["column"].isin(ScoreTable.to_schema().columns), "the table")
    said = sorted(set(named.astype(str) + ": " + cases["check"].astype(str).str.partition("(")[0]))
    return said[:_MOST_PROBLEMS_SAID]
