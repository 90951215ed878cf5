"""The pictures of a learned version's card, drawn from what the gates measured and its manifest states."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from recommender.training.figure_names import CALIBRATION, CURVE, DEVELOPMENT, SLICES
from recommender.training.interval_svg import Axis, IntervalRow, interval_svg
from recommender.training.version_plots import (
    CURVE_PLOT,
    QUALITY,
    RELIABILITY_PLOT,
    SLICES_PLOT,
    interval_row,
    reliability_plot,
    slice_rows,
)


def learned_plots(figures: Mapping[str, Any]) -> dict[str, str]:
    """SVG by file name; the same figures give the same bytes, and what was not measured has no picture."""
    plots = {}
    if development := figures.get(DEVELOPMENT):
        plots[RELIABILITY_PLOT] = reliability_plot(development[CALIBRATION])
        plots[SLICES_PLOT] = interval_svg(
            list(slice_rows(development[SLICES])), "Quality by slice, development struggles", QUALITY
        )
    if points := figures.get(CURVE):
        rows = list(_curve(points))
        plots[CURVE_PLOT] = interval_svg(
            rows,
            "Gain on the newest reviews by lists learned from",
            "nDCG@5 more, 95% interval",
            Axis.around_zero(rows),
        )
    return plots


def curve_label(point: Mapping[str, Any]) -> str:
    """What a point of the curve learned from, for a person."""
    lists, texts = point["lists"], point["texts"]
    return f"{lists:,} + {texts:,} texts" if texts else f"{lists:,} lists"


def _curve(points: list[Mapping[str, Any]]) -> Iterator[IntervalRow]:
    for point in points:
        yield interval_row(curve_label(point), point["gain"])
