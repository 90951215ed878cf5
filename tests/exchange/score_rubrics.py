"""A small rubric with one trap of each kind, for tests of files of scores."""

from datetime import date

import pandas as pd

from recommender.catalogue.instrument import Instrument

TODAY = date(2026, 11, 20)
RUBRIC = Instrument.model_validate(
    {
        "id": "own-1",
        "title": "A rubric",
        "scale": {"labels": {"Below": 1, "Near": 2, "Meets": 3, "Exceeds": 4}},
        "missing": ["N/A", "Not Demonstrated"],
        "items": [
            {"code": "2a", "label": "Respect"},
            {"code": "3b", "label": "Questioning"},
            {"code": "3c", "label": "Tasks", "scale": {"min": 0, "max": 100}},
            {"code": "0OV", "label": "Overall", "derived": True},
        ],
    }
)
INSTRUMENTS = {RUBRIC.id: RUBRIC}


def score_table(*rows: dict[str, object]) -> pd.DataFrame:
    """A score table of rows that differ from one plain row."""
    plain: dict[str, object] = {
        "teacher_id": "t1",
        "visit": "v1",
        "observed_on": pd.Timestamp(2026, 10, 2),
        "observer": "o1",
        "instrument": RUBRIC.id,
        "item": "3b",
        "value": 3.0,
        "tenant": "",
        "school": "",
        "segment": 0,
        "observation_type": "",
        "observer_role": "",
        "note": "",
    }
    frame = pd.DataFrame([plain | row for row in rows], columns=list(plain))
    types = {"observed_on": "datetime64[ns]", "value": "float64", "segment": "int64"}
    return frame.astype({column: types.get(column, str) for column in frame.columns})
