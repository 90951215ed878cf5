"""Slices that the gates look at: one label a row, by what the case says of the class and how its text is written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from recommender.learning.held_back import ReviewedLists
from recommender.training.corpus import REAL_DEV, Row, load_rows
from recommender.training.report import SLICES


def development_labels(rows: Sequence[Row]) -> Mapping[str, Sequence[str]]:
    """Slices of the development struggles, one label a row."""
    labels = {name: [slice_of(row) for row in rows] for name, slice_of in SLICES.items()}
    return labels | {"subject": [row.case_context().subject for row in rows]}


def held_back_labels(lists: ReviewedLists) -> Mapping[str, Sequence[str]]:
    """Slices of the lists held back; length and register only where the words may be read, else empty."""
    contexts = [row.context for row in lists.rows]
    labels: dict[str, list[str]] = {
        "grade band": [context.grade_band for context in contexts],
        "subject": [context.subject for context in contexts],
        "career stage": [context.career_stage for context in contexts],
    }
    for name in ("length", "register"):
        labels[name] = [_text_label(name, row.struggle) for row in lists.rows]
    return labels


def _text_label(name: str, text: str | None) -> str:
    if not text or not text.strip():
        return ""
    return SLICES[name](load_rows(REAL_DEV)[0].model_copy(update={"text": text}))
