"""Small rubrics and score tables written by hand, for tests of needs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from recommender.catalogue.instrument import Instrument
from recommender.catalogue.instruments import Instruments
from recommender.observations.components import Component, VarianceComponents
from recommender.observations.norms import ItemScores, Norms, RaterItem, TenantNorms

RUBRIC = "five"
CODES = "ABCDE"


def rubric(name: str = RUBRIC, *, items: list[dict[str, Any]] | None = None, **changes: Any) -> Instrument:
    """Items A to E on 1 to 4: A, B routines, C questioning, D reversed climate, E of a family of its own; O derived."""
    document = {
        "id": name,
        "title": "Five items",
        "scale": {"min": 1, "max": 4},
        "items": items
        or [
            {"code": "A", "label": "A", "family": "routines"},
            {"code": "B", "label": "B", "family": "routines"},
            {"code": "C", "label": "C", "family": "questioning"},
            {"code": "D", "label": "D", "family": "climate", "direction": -1},
            {"code": "E", "label": "E", "family": "gardening"},
            {"code": "O", "label": "Overall", "derived": True},
        ],
        "crosswalk": {} if items else {
            "A": {"entry-routine": 0.6, "efficient-transitions": 0.4},
            "B": {"efficient-transitions": 0.5},
            "C": {"cold-calling": 0.7, "efficient-transitions": 0.3},
        },
        **changes,
    }  # fmt: skip
    return Instrument.model_validate(document)


def instruments(*own: Instrument) -> Instruments:
    """These instruments alone, the rubric of five items if none is given."""
    return Instruments({each.id: each for each in own or (rubric(),)}, "test", {})


def plain_items(n: int, **more: Any) -> list[dict[str, Any]]:
    """Items I0, I1, ... without family or norm: nothing is known of them beforehand."""
    return [{"code": f"I{i}", "label": f"I{i}", **more} for i in range(n)]


def visit(
    teacher: str, values: Mapping[str, float | None] | str, visit: str = "v1", day: str = "2026-03-02",
    observer: str = "o1", instrument: str = RUBRIC, **more: Any,
) -> list[dict[str, Any]]:  # fmt: skip
    """The rows of one visit; ``values``: item -> score, or the digits of A, B, C ... in turn ("-": no row)."""
    if isinstance(values, str):
        values = {code: float(digit) for code, digit in zip(CODES, values, strict=False) if digit != "-"}
    plain = {
        "teacher_id": teacher, "visit": visit, "observed_on": pd.Timestamp(day), "observer": observer,
        "instrument": instrument, "tenant": "", "school": "", "segment": 0, "observation_type": "",
        "observer_role": "", "note": "",
    }  # fmt: skip
    return [{**plain, "item": item, "value": value, **more} for item, value in values.items()]


def table(*visits: list[dict[str, Any]]) -> pd.DataFrame:
    """All visits as one score table."""
    frame = pd.DataFrame([row for rows in visits for row in rows])
    return frame.astype({"value": "float64", "segment": "int64", "observed_on": "datetime64[ns]"})


def components(teacher=0.2, lesson=0.1, rater=0.3, residual=0.4, stability=1.0, **shared: float) -> VarianceComponents:
    """Variance components without anything shared between items, unless ``shared`` gives a part's general share."""
    return VarianceComponents(
        source="test",
        teacher=Component(variance=teacher, general=shared.get("teacher_general", 0.0)),
        lesson=Component(variance=lesson, general=shared.get("lesson_general", 0.0)),
        rater=Component(variance=rater, general=shared.get("rater_general", 0.0)),
        residual=Component(variance=residual, general=shared.get("residual_general", 0.0)),
        annual_stability=stability,
    )


def own_norms(
    codes: str = CODES, *, instrument: str = RUBRIC, tenant: str = "", parts: VarianceComponents | None = None,
    raters: Mapping[str, Mapping[str, tuple[float, float, float]]] | None = None, **counts: tuple[float, ...],
) -> Norms:  # fmt: skip
    """Norms of one tenant: how often 1, 2, 3 and 4 were given to each item (20, 50, 80, 50 if not said).

    ``raters``: observer -> item -> (scores, teachers, sum of latent scores).
    """
    return Norms(
        tenants={
            tenant: TenantNorms(
                items={
                    f"{instrument}/{code}": ItemScores(
                        values=[1.0, 2.0, 3.0, 4.0], counts=list(counts.get(code, (20, 50, 80, 50)))
                    )
                    for code in codes
                },
                raters={
                    observer: {
                        f"{instrument}/{code}": RaterItem(n=n, teachers=teachers, total=total)
                        for code, (n, teachers, total) in cells.items()
                    }
                    for observer, cells in (raters or {}).items()
                },
                components=parts,
            )
        }
    )
