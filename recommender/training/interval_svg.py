"""Means with their 95% intervals as a small SVG: the same rows give the same bytes, on light and dark pages."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape

from recommender.errors import GrowthError

_WIDTH, _LEFT, _RIGHT, _TOP, _ROW = 560, 190, 30, 50, 26
# Half of an axis around 0 where no difference is wider.
_LEAST_WIDE = 0.001
# Class names carry a prefix because a page that inlines the SVG shares its style sheet.
_STYLE = """\
.int-page{fill:#ffffff}.int-grid{stroke:#d9d9de;stroke-width:1}.int-text{fill:#1d1d22;font:13px system-ui,sans-serif}
.int-small{fill:#55555f;font:12px system-ui,sans-serif}.int-title{fill:#1d1d22;font:600 15px system-ui,sans-serif}
.int-bar{stroke:#1f5fbf;stroke-width:2}.int-point{fill:#1f5fbf}
@media (prefers-color-scheme:dark){
.int-page{fill:#17181c}.int-grid{stroke:#34363d}.int-text,.int-title{fill:#ececf0}.int-small{fill:#a9abb3}
.int-bar{stroke:#8ab8ff}.int-point{fill:#8ab8ff}
}"""


@dataclass(frozen=True)
class IntervalRow:
    """One line of the plot; ``n`` is how many values the mean is of."""

    label: str
    mean: float
    low: float
    high: float
    n: int


@dataclass(frozen=True)
class Axis:
    """From ``low`` to ``high`` in so many ``steps``, written to ``decimals``; what lies beyond is drawn at the edge."""

    low: float = 0.0
    high: float = 1.0
    steps: int = 5
    decimals: int = 1

    @classmethod
    def around_zero(cls, rows: Sequence[IntervalRow]) -> Axis:
        """As wide on both sides as the widest interval needs, rounded up to one digit, so that 0 is the middle."""
        widest = max([_LEAST_WIDE, *(abs(end) for row in rows for end in (row.low, row.high))])
        places = -math.floor(math.log10(widest))
        half = math.ceil(widest * 10**places - 1e-9) / 10**places
        return cls(-half, half, 4, max(1, places + 1))

    def x(self, value: float) -> str:
        """Where a value is drawn."""
        share = (min(max(value, self.low), self.high) - self.low) / (self.high - self.low)
        return f"{_LEFT + (_WIDTH - _LEFT - _RIGHT) * share:.1f}"


UNIT = Axis()


def interval_svg(rows: Sequence[IntervalRow], title: str, x_label: str, axis: Axis = UNIT) -> str:
    """A point and a bar a row; the axis is that of a share by default. Raises GrowthError without a row."""
    if not rows:
        raise GrowthError("a plot without rows", wanted="one row or more", where="interval plot")
    bottom, middle = _TOP + _ROW * len(rows), axis.x((axis.low + axis.high) / 2)
    height = bottom + 60
    said = "; ".join(f"{row.label}: {row.mean:.3f} [{row.low:.3f}, {row.high:.3f}], n {row.n}" for row in rows)
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" width="{_WIDTH}" '
        f'height="{height}" role="img" aria-labelledby="int-title int-desc">',
        f'<title id="int-title">{escape(title)}</title>',
        f'<desc id="int-desc">{escape(said)}</desc>',
        f"<style>{_STYLE}</style>",
        f'<rect class="int-page" width="{_WIDTH}" height="{height}"/>',
        f'<text class="int-title" x="16" y="28">{escape(title)}</text>',
        *_ticks(axis, bottom),
        f'<text class="int-text" x="{middle}" y="{bottom + 42}" text-anchor="middle">{escape(x_label)}</text>',
        *(mark for place, row in enumerate(rows) for mark in _marks(axis, row, _TOP + _ROW * place + _ROW / 2)),
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


def _ticks(axis: Axis, bottom: int) -> Iterator[str]:
    for step in range(axis.steps + 1):
        value = axis.low + (axis.high - axis.low) * step / axis.steps
        x = axis.x(value)
        yield f'<line class="int-grid" x1="{x}" y1="{_TOP}" x2="{x}" y2="{bottom}"/>'
        label = f"{value:.{axis.decimals}f}"
        yield f'<text class="int-small" x="{x}" y="{bottom + 18}" text-anchor="middle">{label}</text>'


def _marks(axis: Axis, row: IntervalRow, y: float) -> Iterator[str]:
    label = f"{escape(row.label)} ({row.n})"
    yield f'<text class="int-text" x="{_LEFT - 12}" y="{y + 4:.1f}" text-anchor="end">{label}</text>'
    yield f'<line class="int-bar" x1="{axis.x(row.low)}" y1="{y:.1f}" x2="{axis.x(row.high)}" y2="{y:.1f}"/>'
    yield f'<circle class="int-point" cx="{axis.x(row.mean)}" cy="{y:.1f}" r="4"/>'
