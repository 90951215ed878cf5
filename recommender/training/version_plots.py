"""The pictures of a version's card, drawn from the figures its manifest states."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from recommender.training.calibration_error import ReliabilityBin
from recommender.training.interval_svg import IntervalRow, interval_svg
from recommender.training.reliability_plot import reliability_svg

RELIABILITY_PLOT = "reliability.svg"
SLICES_PLOT = "slices.svg"
CURVE_PLOT = "learning-curve.svg"
SLICES = "slices, nDCG@5"
_QUALITY = "nDCG@5, 95% interval"


def version_plots(figures: Mapping[str, Any]) -> dict[str, str]:
    """SVG by file name; the same figures give the same bytes."""
    return {
        RELIABILITY_PLOT: reliability_plot(figures["calibration, pooled"]),
        SLICES_PLOT: interval_svg(
            list(_slices(figures["cross-validation"][SLICES])), "Quality by slice, cross-validated", _QUALITY
        ),
        CURVE_PLOT: interval_svg(
            list(_curve(figures["learning curve"]["points"])), "Quality by real struggles trained on", _QUALITY
        ),
    }


def write_plots(folder: Path, figures: Mapping[str, Any]) -> None:
    """Write the plots into a version's folder."""
    for name, svg in version_plots(figures).items():
        (folder / name).write_text(svg, encoding="utf-8")


def reliability_plot(calibration: Mapping[str, Any]) -> str:
    """The reliability plot of a calibration table."""
    return reliability_svg(
        [ReliabilityBin(b["n"], b["probability"], b["share"], b["low"], b["high"]) for b in calibration["bins"]]
    )


def _slices(slices: Mapping[str, Mapping[str, Mapping[str, float]]]) -> Iterator[IntervalRow]:
    for name, values in slices.items():
        for label, value in values.items():
            yield _row(f"{name}: {label}" if label == "unknown" else label, value)


def _curve(points: list[Mapping[str, Any]]) -> Iterator[IntervalRow]:
    for point in points:
        size = point["size"] if point["size"] is not None else f"all, {point['real rows trained on']:,}"
        yield _row(f"{size} struggles", point["held out"]["nDCG@5"])


def _row(label: str, value: Mapping[str, float]) -> IntervalRow:
    return IntervalRow(label, value["mean"], value["low"], value["high"], int(value["n"]))
