"""Estimates with their intervals as a small picture: where the lines and dots of an SVG go."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

# In the picture's own units. As wide as the narrowest phone, so that its text is never smaller than the page's.
WIDTH = 320
MARGIN = 10
ROW_HEIGHT = 44
LABEL_BASELINE = 15
LINE_OFFSET = 28
AXIS_HEIGHT = 26
# What fits on a line; the table beside the picture has it in full.
LABEL_CHARACTERS = 44


@dataclass(frozen=True)
class Interval:
    """One estimate: ``low`` <= ``value`` <= ``high``, on the axis of the plot."""

    label: str
    low: float
    value: float
    high: float


@dataclass(frozen=True)
class PlotRow:
    """Where one estimate is drawn."""

    label: str
    label_y: int
    y: int
    low_x: float
    x: float
    high_x: float


@dataclass(frozen=True)
class IntervalPlot:
    """Everything ``interval_plot.html`` draws, in units of its view box; ``marks`` are upright lines."""

    width: int
    height: int
    axis_y: int
    left_x: int
    right_x: int
    marks: tuple[float, ...]
    rows: tuple[PlotRow, ...]


def interval_plot(intervals: Sequence[Interval], low: float, high: float, marks: Sequence[float] = ()) -> IntervalPlot:
    """A plot of intervals on an axis from ``low`` to a greater ``high``; what lies beyond ends at its edge."""

    def place(value: float) -> float:
        share = (min(max(value, low), high) - low) / (high - low)
        return round(MARGIN + share * (WIDTH - 2 * MARGIN), 1)

    axis_y = ROW_HEIGHT * len(intervals)
    rows = tuple(
        PlotRow(
            _cut(interval.label),
            top + LABEL_BASELINE,
            top + LINE_OFFSET,
            place(interval.low),
            place(interval.value),
            place(interval.high),
        )
        for top, interval in zip(range(0, axis_y, ROW_HEIGHT), intervals, strict=True)
    )
    return IntervalPlot(
        WIDTH, axis_y + AXIS_HEIGHT, axis_y, MARGIN, WIDTH - MARGIN, tuple(place(mark) for mark in marks), rows
    )


def _cut(label: str) -> str:
    if len(label) <= LABEL_CHARACTERS:
        return label
    return label[: LABEL_CHARACTERS - 1].rsplit(" ", 1)[0] + " …"
