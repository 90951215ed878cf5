"""The pictures of a version's card, drawn from the figures its manifest states."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from recommender.training.calibration_error import ReliabilityBin
from recommender.training.figure_names import CURVE, SLICES, USE
from recommender.training.interval_svg import Axis, IntervalRow, interval_svg
from recommender.training.reliability_plot import reliability_svg

RELIABILITY_PLOT = "reliability.svg"
SLICES_PLOT = "slices.svg"
CURVE_PLOT = "learning-curve.svg"
USE_PLOT = "learning-from-use.svg"
QUALITY = "nDCG@5, 95% interval"


def version_plots(figures: Mapping[str, Any]) -> dict[str, str]:
    """SVG by file name; the same figures give the same bytes."""
    plots = {
        RELIABILITY_PLOT: reliability_plot(figures["calibration, pooled"]),
        SLICES_PLOT: interval_svg(
            list(slice_rows(figures["cross-validation"][SLICES])), "Quality by slice, cross-validated", QUALITY
        ),
        CURVE_PLOT: interval_svg(
            list(_curve(figures[CURVE]["points"])), "Quality by real struggles trained on", QUALITY
        ),
    }
    if USE in figures:
        rows = [
            interval_row(f"{point['reviews']:,} reviews", point["corrected"])
            for point in figures[USE]["reviews"]["curve"]
        ]
        title, label = "Gain on later cases, simulated districts", "nDCG@5 more than this version, 95% interval"
        plots[USE_PLOT] = interval_svg(rows, title, label, Axis.around_zero(rows))
    return plots


def write_plots(folder: Path, plots: Mapping[str, str]) -> list[str]:
    """Write plots into a version's folder; their names."""
    for name, svg in plots.items():
        (folder / name).write_text(svg, encoding="utf-8")
    return list(plots)


def reliability_plot(calibration: Mapping[str, Any]) -> str:
    """The reliability plot of a calibration table."""
    return reliability_svg(
        [ReliabilityBin(b["n"], b["probability"], b["share"], b["low"], b["high"]) for b in calibration["bins"]]
    )


def slice_rows(slices: Mapping[str, Mapping[str, Mapping[str, float]]]) -> Iterator[IntervalRow]:
    """Lines of a plot: one a label of each slice."""
    for name, values in slices.items():
        for label, value in values.items():
            yield interval_row(f"{name}: {label}" if label == "unknown" else label, value)


def _curve(points: list[Mapping[str, Any]]) -> Iterator[IntervalRow]:
    for point in points:
        size = point["size"] if point["size"] is not None else f"all, {point['real rows trained on']:,}"
        yield interval_row(f"{size} struggles", point["held out"]["nDCG@5"])


def interval_row(label: str, value: Mapping[str, float]) -> IntervalRow:
    """A line of a plot from plain data of ``report.as_data``."""
    return IntervalRow(label, value["mean"], value["low"], value["high"], int(value["n"]))
