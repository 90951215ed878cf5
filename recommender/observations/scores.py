"""The table of observation scores: one row is one item score by one observer in one segment of a visit."""

from __future__ import annotations

from functools import lru_cache
from typing import Literal

import pandas as pd

TEACHER = "teacher_id"
VISIT = "visit"
OBSERVED_ON = "observed_on"
OBSERVER = "observer"
INSTRUMENT = "instrument"
ITEM = "item"
VALUE = "value"
TENANT = "tenant"
SCHOOL = "school"
SEGMENT = "segment"
OBSERVATION_TYPE = "observation_type"
OBSERVER_ROLE = "observer_role"
NOTE = "note"
SOURCE_SYSTEM = "source_system"
SOURCE_ROW_HASH = "source_row_hash"

REQUIRED_COLUMNS = (TEACHER, VISIT, OBSERVED_ON, OBSERVER, INSTRUMENT, ITEM, VALUE)
OPTIONAL_COLUMNS = (TENANT, SCHOOL, SEGMENT, OBSERVATION_TYPE, OBSERVER_ROLE, NOTE)
IMPORT_COLUMNS = (SOURCE_SYSTEM, SOURCE_ROW_HASH)
COLUMNS = (*REQUIRED_COLUMNS, *OPTIONAL_COLUMNS)

# A score whose observer nobody knows: no severity can be taken off it.
UNKNOWN_OBSERVER = "UNK"

ObservationType = Literal["formal", "informal", "walkthrough", "video", "peer", "self", "research", "automated"]
ObserverRole = Literal["own_admin", "other_admin", "coach", "peer", "external", "self", "model", ""]
# Rows nobody observed in a lesson: a teacher's own rating and a machine's. They never enter an observed need.
NOT_OBSERVED_TYPES = ("self", "automated")
NOT_OBSERVED_ROLES = ("self", "model")


def empty_scores() -> pd.DataFrame:
    """A score table without rows, with every column in its type; the caller's own."""
    return _no_rows().copy()


@lru_cache(maxsize=1)
def _no_rows() -> pd.DataFrame:
    # To make one takes as long as a tenth of a ranking, and most rankings want one.
    frame = pd.DataFrame({column: pd.Series(dtype=str) for column in COLUMNS})
    frame[OBSERVED_ON] = pd.Series(dtype="datetime64[ns]")
    frame[VALUE] = pd.Series(dtype="float64")
    frame[SEGMENT] = pd.Series(dtype="int64")
    return frame
