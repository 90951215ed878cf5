"""The learning curve as a small SVG of its own: the same report gives the same bytes, on light and dark pages."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from recommender.errors import GrowthError

TITLE = "Rankings by real struggles learnt from"
X_LABEL = "Real training struggles, beside all written texts"
FIGURE = "nDCG@5"
# Report key -> class of its marks and name in the legend.
SERIES = {"held out": ("one", "held-out real struggles"), "development": ("two", "development struggles")}

_WIDTH, _HEIGHT = 460, 480
_LEFT, _TOP, _SIDE = 70, 50, 360
# The second series stands a little to the right, so that no interval hides another.
_APART = 5.0
_MOST_TICKS = 6
# Class names carry a prefix because a page that inlines the SVG shares its style sheet.
_STYLE = """\
.curve-page{fill:#ffffff}.curve-grid{stroke:#d9d9de;stroke-width:1}.curve-axis{stroke:#55555f;stroke-width:1;fill:none}
.curve-text{fill:#1d1d22;font:13px system-ui,sans-serif}.curve-small{fill:#55555f;font:12px system-ui,sans-serif}
.curve-title{fill:#1d1d22;font:600 15px system-ui,sans-serif}
.curve-one,.curve-two{stroke-width:2;fill:none}.curve-one{stroke:#1f5fbf}.curve-two{stroke:#a8480f;stroke-dasharray:5 4}
.curve-bar-one,.curve-bar-two{stroke-width:2}.curve-bar-one{stroke:#1f5fbf}.curve-bar-two{stroke:#a8480f}
.curve-point-one{fill:#1f5fbf}.curve-point-two{fill:#a8480f}
@media (prefers-color-scheme:dark){
.curve-page{fill:#17181c}.curve-grid{stroke:#34363d}.curve-axis{stroke:#a9abb3}.curve-text,.curve-title{fill:#ececf0}
.curve-small{fill:#a9abb3}.curve-one,.curve-bar-one{stroke:#8ab8ff}.curve-two,.curve-bar-two{stroke:#ffb27a}
.curve-point-one{fill:#8ab8ff}.curve-point-two{fill:#ffb27a}
}"""


@dataclass(frozen=True)
class _Axis:
    """Ticks from 0 up, in steps of 1, 2 or 5 times a power of ten; the last is not below the largest value."""

    step: float
    n_steps: int

    @classmethod
    def up_to(cls, largest: float) -> _Axis:
        rough = largest / _MOST_TICKS
        power = 10.0 ** math.floor(math.log10(rough))
        step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough * (1 - 1e-9))
        return cls(step, math.ceil(largest / step - 1e-9))

    def ticks(self) -> list[float]:
        return [self.step * i for i in range(self.n_steps + 1)]

    def share(self, value: float) -> float:
        return value / (self.step * self.n_steps)


def curve_svg(report: Mapping[str, Any], title: str = TITLE) -> str:
    """Draw ``learning_curve.learning_curve``'s report: nDCG@5 with its 95% interval by real rows trained on.

    460 x 480 units, both axes from 0. Raises GrowthError for a report without two points.
    """
    points: Sequence[Mapping[str, Any]] = report["points"]
    if len(points) < 2:
        raise GrowthError(f"{len(points)} points", wanted="two or more", where="learning curve")
    x = _Axis.up_to(max(point["real rows trained on"] for point in points))
    y = _Axis.up_to(max(point[name][FIGURE]["high"] for point in points for name in SERIES))
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" width="{_WIDTH}" '
        f'height="{_HEIGHT}" role="img" aria-labelledby="curve-title curve-desc">',
        f'<title id="curve-title">{escape(title)}</title>',
        f'<desc id="curve-desc">{_description(points)}</desc>',
        f"<style>{_STYLE}</style>",
        f'<rect class="curve-page" width="{_WIDTH}" height="{_HEIGHT}"/>',
        f'<text class="curve-title" x="{_LEFT}" y="28">{escape(title)}</text>',
        *_axes(x, y),
        *(mark for number, name in enumerate(SERIES) for mark in _series(points, name, x, y, number * _APART)),
        *_legend(),
        f'<text class="curve-small" x="22" y="{_HEIGHT - 10}">frozen encoder, {report["folds"]} folds; '
        "bars: 95% interval</text>",
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


def _description(points: Sequence[Mapping[str, Any]]) -> str:
    """The plot in words, for who cannot see it."""
    return "; ".join(
        f"{point['real rows trained on']} real struggles: "
        + ", ".join(f"{FIGURE} {point[name][FIGURE]['mean']:.3f} on {legend}" for name, (_, legend) in SERIES.items())
        for point in points
    )


def _axes(x: _Axis, y: _Axis) -> Iterator[str]:
    bottom = _TOP + _SIDE
    decimals = max(0, -math.floor(math.log10(y.step) + 1e-9))
    for tick in x.ticks():
        at = _x(x.share(tick))
        yield f'<line class="curve-grid" x1="{at}" y1="{_TOP:.1f}" x2="{at}" y2="{bottom:.1f}"/>'
        yield f'<text class="curve-text" x="{at}" y="{bottom + 18}" text-anchor="middle">{tick:,.0f}</text>'
    for tick in y.ticks():
        at = _y(y.share(tick))
        yield f'<line class="curve-grid" x1="{_LEFT:.1f}" y1="{at}" x2="{_LEFT + _SIDE:.1f}" y2="{at}"/>'
        below = _y(y.share(tick), 4)
        yield f'<text class="curve-text" x="{_LEFT - 8}" y="{below}" text-anchor="end">{tick:.{decimals}f}</text>'
    yield f'<path class="curve-axis" d="M{_x(0)} {_y(1)}V{_y(0)}H{_x(1)}"/>'
    middle = _TOP + _SIDE / 2
    yield f'<text class="curve-text" x="{_x(0.5)}" y="{bottom + 38}" text-anchor="middle">{X_LABEL}</text>'
    yield (
        f'<text class="curve-text" x="22" y="{middle:.1f}" text-anchor="middle" '
        f'transform="rotate(-90 22 {middle:.1f})">{FIGURE}</text>'
    )


def _series(points: Sequence[Mapping[str, Any]], name: str, x: _Axis, y: _Axis, shift: float) -> Iterator[str]:
    key, _ = SERIES[name]
    places = [(_x(x.share(point["real rows trained on"]), shift), point[name][FIGURE]) for point in points]
    path = " ".join(f"{at},{_y(y.share(value['mean']))}" for at, value in places)
    yield f'<polyline class="curve-{key}" points="{path}"/>'
    for at, value in places:
        low, high = _y(y.share(value["low"])), _y(y.share(value["high"]))
        yield f'<line class="curve-bar-{key}" x1="{at}" y1="{low}" x2="{at}" y2="{high}"/>'
        yield f'<circle class="curve-point-{key}" cx="{at}" cy="{_y(y.share(value["mean"]))}" r="4"/>'


def _legend() -> Iterator[str]:
    for number, (key, name) in enumerate(SERIES.values()):
        y = _TOP + _SIDE - 40 + 22 * number
        yield f'<line class="curve-{key}" x1="{_LEFT + 140}" y1="{y}" x2="{_LEFT + 170}" y2="{y}"/>'
        yield f'<circle class="curve-point-{key}" cx="{_LEFT + 155}" cy="{y}" r="4"/>'
        yield f'<text class="curve-small" x="{_LEFT + 178}" y="{y + 4}">{name}</text>'


def _x(share: float, shift: float = 0.0) -> str:
    return f"{_LEFT + _SIDE * share + shift:.1f}"


def _y(share: float, below: int = 0) -> str:
    return f"{_TOP + _SIDE * (1 - share) + below:.1f}"
