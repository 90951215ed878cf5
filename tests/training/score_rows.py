"""Small score tables written by hand."""

from __future__ import annotations

import pandas as pd

from recommender.catalogue.instrument import Instrument
from recommender.observations import scores as columns

RUBRIC = "four-items"


def rubric(**changes) -> dict[str, Instrument]:
    """Items A, B, C and D (reversed) on 1 to 4; A is about participation, C mostly about routines."""
    document = {
        "id": RUBRIC,
        "title": "Four items",
        "scale": {"min": 1, "max": 4},
        "items": [
            {"code": "A", "label": "A"},
            {"code": "B", "label": "B"},
            {"code": "C", "label": "C"},
            {"code": "D", "label": "D", "direction": -1},
        ],
        "crosswalk": {"A": {"cold-calling": 1.0}, "C": {"entry-routine": 0.6, "cold-calling": 0.4}},
        **changes,
    }
    return {RUBRIC: Instrument.model_validate(document)}


def rows(teacher, values, visit="v1", day="2026-03-02", observer="o1", tenant="", **more) -> list[dict]:
    """The scores of one visit; ``values``: item -> score, or the scores of A, B, C and D."""
    items = values if isinstance(values, dict) else dict(zip("ABCD", values, strict=True))
    return [
        {
            columns.TEACHER: teacher, columns.VISIT: visit, columns.OBSERVED_ON: pd.Timestamp(day),
            columns.OBSERVER: observer, columns.INSTRUMENT: RUBRIC, columns.ITEM: item, columns.VALUE: float(value),
            columns.TENANT: tenant, columns.SCHOOL: "", columns.SEGMENT: 0, columns.OBSERVATION_TYPE: "",
            columns.OBSERVER_ROLE: "", columns.NOTE: "", **more,
        }
        for item, value in items.items()
    ]  # fmt: skip


def table(*visits: list[dict]) -> pd.DataFrame:
    """All visits as one score table."""
    return pd.DataFrame([row for visit in visits for row in visit])
