"""Files of observation scores written by hand, and a small made-up district."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from typer.testing import CliRunner, Result

from recommender.cli import app

DANIELSON = "danielson-2022"
LESSON_ITEMS = ("2a", "2b", "2c", "2d", "2e", "3a", "3b", "3c", "3d", "3e")
# A word no sentence of the engine holds: where it turns up, a note was repeated.
MARKER = "zebrafish"
ROW = {
    "teacher_id": "t1", "visit": "v1", "observed_on": "2026-03-02", "observer": "o1", "instrument": DANIELSON,
    "item": "3b", "value": 3, "tenant": "", "school": "", "segment": 0, "note": "",
}  # fmt: skip


def growth(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def visit(teacher: str, values: Mapping[str, object], number: int = 0, **more: Any) -> list[dict[str, Any]]:
    """The rows of one visit, a week after the one before; item -> value."""
    place = {"visit": f"{teacher}-v{number}", "observed_on": f"2026-03-{1 + 7 * number:02d}"}
    return [
        ROW | {"teacher_id": teacher, "item": item, "value": value} | place | more for item, value in values.items()
    ]


def district(
    teachers: int = 12, visits: int = 3, observers: int = 3, seed: int = 7, **more: Any
) -> list[dict[str, Any]]:
    """Teachers d0, d1, ... scored 1 to 4 on all items of a lesson by observers in turn."""
    rng = np.random.default_rng(seed)
    rows: list[dict[str, Any]] = []
    for teacher in range(teachers):
        usual = rng.normal(2.6, 0.5, len(LESSON_ITEMS))
        for number in range(visits):
            values = np.clip(np.round(usual + rng.normal(0, 0.7, len(LESSON_ITEMS))), 1, 4).astype(int).tolist()
            observer = f"o{(teacher + number) % observers}"
            scores = dict(zip(LESSON_ITEMS, values, strict=True))
            rows += visit(f"d{teacher}", scores, number, observer=observer, **more)
    return rows


def write_rows(path: Path, *rows: Mapping[str, Any]) -> Path:
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, ROW)
        writer.writeheader()
        writer.writerows(ROW | dict(row) for row in rows)
    return path
