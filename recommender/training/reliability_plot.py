"""The reliability plot as a small SVG of its own: the same table gives the same bytes, on light and dark pages."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape

from recommender.errors import GrowthError
from recommender.training.calibration_error import ReliabilityBin

TITLE = "Reliability of the suggestions' probabilities"
X_LABEL = "Predicted probability (mean of the bin)"
Y_LABEL = "Share of labellers who graded 3 or 2"

_WIDTH, _HEIGHT = 460, 480
_LEFT, _TOP, _SIDE = 70, 50, 360
_TICKS = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
# Class names carry a prefix because a page that inlines the SVG shares its style sheet.
_STYLE = """\
.rel-page{fill:#ffffff}.rel-grid{stroke:#d9d9de;stroke-width:1}.rel-axis{stroke:#55555f;stroke-width:1;fill:none}
.rel-text{fill:#1d1d22;font:13px system-ui,sans-serif}.rel-small{fill:#55555f;font:12px system-ui,sans-serif}
.rel-title{fill:#1d1d22;font:600 15px system-ui,sans-serif}
.rel-ideal{stroke:#55555f;stroke-width:1.5;stroke-dasharray:5 4}
.rel-bar{stroke:#1f5fbf;stroke-width:2}.rel-point{fill:#1f5fbf}
@media (prefers-color-scheme:dark){
.rel-page{fill:#17181c}.rel-grid{stroke:#34363d}.rel-axis{stroke:#a9abb3}.rel-text,.rel-title{fill:#ececf0}
.rel-small{fill:#a9abb3}.rel-ideal{stroke:#a9abb3}.rel-bar{stroke:#8ab8ff}.rel-point{fill:#8ab8ff}
}"""


def reliability_svg(table: Sequence[ReliabilityBin], title: str = TITLE) -> str:
    """Draw ``table``: a point a bin at (mean probability, event rate) with its 95% interval, beside the ideal diagonal.

    460 x 480 units, both axes 0 to 1. Raises GrowthError for a table without bins.
    """
    if not table:
        raise GrowthError("a reliability table without bins", wanted="one bin or more", where="reliability plot")
    total = sum(one.n for one in table)
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" width="{_WIDTH}" '
        f'height="{_HEIGHT}" role="img" aria-labelledby="rel-title rel-desc">',
        f'<title id="rel-title">{escape(title)}</title>',
        f'<desc id="rel-desc">{_description(table)}</desc>',
        f"<style>{_STYLE}</style>",
        f'<rect class="rel-page" width="{_WIDTH}" height="{_HEIGHT}"/>',
        f'<text class="rel-title" x="{_LEFT}" y="28">{escape(title)}</text>',
        *_axes(),
        f'<line class="rel-ideal" {_line(0, 0, 1, 1)}/>',
        *(mark for one in table for mark in _marks(one)),
        f'<text class="rel-small" x="22" y="{_HEIGHT - 10}">{total:,} suggestions in {len(table)} bins; '
        "bars: 95% interval; dashed: perfect</text>",
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


def _description(table: Sequence[ReliabilityBin]) -> str:
    """The plot in words, for who cannot see it."""
    return "; ".join(
        f"{one.n} suggestions predicted {one.mean_probability:.2f}, came true {one.event_rate:.2f}" for one in table
    )


def _axes() -> Iterator[str]:
    for tick in _TICKS:
        yield f'<line class="rel-grid" {_line(tick, 0, tick, 1)}/>'
        yield f'<line class="rel-grid" {_line(0, tick, 1, tick)}/>'
        yield f'<text class="rel-text" x="{_x(tick)}" y="{_TOP + _SIDE + 18}" text-anchor="middle">{tick:.1f}</text>'
        yield f'<text class="rel-text" x="{_LEFT - 8}" y="{_y(tick, 4)}" text-anchor="end">{tick:.1f}</text>'
    yield f'<path class="rel-axis" d="M{_x(0)} {_y(1)}V{_y(0)}H{_x(1)}"/>'
    middle = _TOP + _SIDE / 2
    yield f'<text class="rel-text" x="{_x(0.5)}" y="{_TOP + _SIDE + 38}" text-anchor="middle">{X_LABEL}</text>'
    yield (
        f'<text class="rel-text" x="22" y="{middle:.1f}" text-anchor="middle" '
        f'transform="rotate(-90 22 {middle:.1f})">{Y_LABEL}</text>'
    )


def _marks(one: ReliabilityBin) -> Iterator[str]:
    p = one.mean_probability
    yield f'<line class="rel-bar" {_line(p, one.low, p, one.high)}/>'
    yield f'<circle class="rel-point" cx="{_x(p)}" cy="{_y(one.event_rate)}" r="4"/>'


def _line(x1: float, y1: float, x2: float, y2: float) -> str:
    return f'x1="{_x(x1)}" y1="{_y(y1)}" x2="{_x(x2)}" y2="{_y(y2)}"'


def _x(value: float) -> str:
    return f"{_LEFT + _SIDE * value:.1f}"


def _y(value: float, below: int = 0) -> str:
    return f"{_TOP + _SIDE * (1 - value) + below:.1f}"
