"""Cases with observations, weights and evidence written by hand, for tests of ranking with observations."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from recommender.cases import Case
from recommender.catalogue.instrument import Instrument
from recommender.catalogue.instruments import Instruments
from recommender.catalogue.loader import load_catalogue
from recommender.observations.teacher_needs import TeacherNeeds
from recommender.ranking.fusion import Evidence, FusionWeights
from recommender.ranking.observation_weights import ObservationWeights, Weights

CATALOGUE = load_catalogue()
N = len(CATALOGUE)
DANIELSON = "danielson-2022"
# The items of a lesson; 1 and 4 are about planning and duties.
LESSON_ITEMS = ("2a", "2b", "2c", "2d", "2e", "3a", "3b", "3c", "3d", "3e")
# A word no sentence of the engine holds: where it turns up, somebody's text was repeated.
MARKER = "zebrafish"

PRIOR = {skill_id: -1.0 - place / 64 for place, skill_id in enumerate(CATALOGUE.ids)}
WEIGHTS = FusionWeights(
    slope=0.75,
    intercept=0.5,
    other_subject=-1.25,
    other_grade_band=-0.25,
    neighbour_spread=-0.1,
    strong=0.6,
    likely=0.4,
    prior_log_odds=PRIOR,
    observations=ObservationWeights(
        with_words=Weights(intercept=-0.25, words=0.875, need=2.0, note=0.5, interest=0.25),
        alone=Weights(intercept=0.125, words=1.5, need=3.0, note=1.0, interest=0.75),
    ),
)


def observation(
    item: str, value: object, *, visit: str | None = "v1", day: str = "2026-03-02", observer: str | None = "o1",
    instrument: str = DANIELSON, **more: object,
) -> dict[str, Any]:  # fmt: skip
    return {
        "instrument": instrument, "item": item, "value": value, "observed_on": day, "observer": observer,
        "visit": visit, **more,
    }  # fmt: skip


def lesson(values: Mapping[str, object], **more: Any) -> list[dict[str, Any]]:
    """The observations of one visit, item -> value."""
    return [observation(item, value, **more) for item, value in values.items()]


def lessons(values: Mapping[str, object], visits: int, observers: int = 2, **more: Any) -> list[dict[str, Any]]:
    """The same scores at several visits a day apart, by observers in turn."""
    return [
        each
        for i in range(visits)
        for each in lesson(values, visit=f"v{i}", day=f"2026-03-{i + 1:02d}", observer=f"o{i % observers}", **more)
    ]


def case_of(observations: list[dict[str, Any]] | None = None, struggle: str = "", **fields: object) -> Case:
    return Case.model_validate(
        {"case_id": "c", "struggle": struggle, "observations": observations or []} | fields, strict=False
    )


FAMILIES = ("questioning", "routines", "climate", "feedback", "clarity")


def rubric(
    items: int, crosswalk: dict[str, dict[str, float]], *, name: str = "own", families: bool = True
) -> Instrument:
    """A user's own rubric: items I0, I1, ... on 1 to 4; without families nothing is known of what is usual on them."""
    codes = [
        {"code": f"I{i}", "label": f"Item {i}"} | ({"family": FAMILIES[i % len(FAMILIES)]} if families else {})
        for i in range(items)
    ]
    scale = {"min": 1, "max": 4}
    document = {"id": name, "title": "Own", "scale": scale, "items": codes, "crosswalk": crosswalk}
    return Instrument.model_validate(document)


def only(*own: Instrument) -> Instruments:
    return Instruments({each.id: each for each in own}, "test", {})


def skills(**of: float) -> np.ndarray:
    """(skills,) zeros but for the named skills, dashes as underscores."""
    effects = np.zeros(N)
    for name, effect in of.items():
        effects[CATALOGUE.index[name.replace("_", "-")]] = effect
    return effects


def needs_of(
    need: list[float], shares: np.ndarray, *, sd: float = 0.0, lead: np.ndarray | None = None,
    visits: tuple[int, ...] | None = None, notices: tuple[Any, ...] = (), items: tuple[str, ...] = LESSON_ITEMS,
) -> TeacherNeeds:  # fmt: skip
    """Needs of the first items of danielson-2022; ``shares`` (items, skills), every need with the same SD."""
    return TeacherNeeds(
        items=tuple((DANIELSON, code) for code in items[: len(need)]),
        need=np.array(need),
        covariance=sd**2 * np.eye(len(need)),
        shares=shares,
        lead=np.ones(shares.shape[1]) if lead is None else lead,
        visits=visits or (1,) * len(need),
        grade="C",
        notices=notices,
    )


def evidence(**parts: Any) -> Evidence:
    """Evidence over the catalogue in which everything not given says nothing."""
    nothing: dict[str, Any] = {
        "prior": np.zeros(N), "clauses": [], "clause_effects": np.zeros((0, N)), "subject": np.zeros(N),
        "grade_band": np.zeros(N), "items": (), "item_effects": np.zeros((0, N)), "note_clauses": [],
        "note_effects": np.zeros((0, N)), "note_rest": np.zeros(N), "interest": np.zeros(N),
    }  # fmt: skip
    return Evidence(**(nothing | parts))


def score_rows(*rows: dict[str, Any], teacher: str = "t1", tenant: str = "") -> pd.DataFrame:
    """A score table as a file of scores gives it, from ``observation`` rows with numbers."""
    frame = pd.DataFrame(
        [
            {
                "teacher_id": teacher, "visit": row["visit"], "observed_on": pd.Timestamp(row["observed_on"]),
                "observer": row["observer"], "instrument": row["instrument"], "item": row["item"],
                "value": float(row["value"]), "tenant": tenant, "school": "", "segment": row.get("segment", 0),
                "observation_type": "", "observer_role": "", "note": row.get("note") or "",
            }
            for row in rows
        ]
    )  # fmt: skip
    return frame.astype({"observed_on": "datetime64[ns]", "value": "float64", "segment": "int64"})
