"""The findings of the audit as a small SVG: each figure as a share of its threshold, on light and dark pages."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape

from recommender.errors import GrowthError
from recommender.learning.audit_findings import Finding

_LEFT, _TOP, _WIDE, _ROW = 560, 60, 380, 20
_WIDTH = _LEFT + _WIDE + 40
# Figures beyond this many thresholds are drawn at the edge; their numbers stand in the table.
_LOWEST, _HIGHEST = -1.0, 4.0
_COLOURS = ("within", "open", "beyond")
_STYLE = """\
.aud-page{fill:#ffffff}.aud-text{fill:#1d1d22;font:12px system-ui,sans-serif}
.aud-title{fill:#1d1d22;font:600 15px system-ui,sans-serif}.aud-small{fill:#55555f;font:12px system-ui,sans-serif}
.aud-zero{stroke:#a0a0aa;stroke-width:1}.aud-limit{stroke:#55555f;stroke-width:1.5;stroke-dasharray:5 4}
.aud-within{stroke:#1f5fbf;fill:#1f5fbf}.aud-open{stroke:#8a6d00;fill:#8a6d00}.aud-beyond{stroke:#b3261e;fill:#b3261e}
@media (prefers-color-scheme:dark){
.aud-page{fill:#17181c}.aud-text,.aud-title{fill:#ececf0}.aud-small{fill:#a9abb3}.aud-zero{stroke:#6a6c74}
.aud-limit{stroke:#a9abb3}.aud-within{stroke:#8ab8ff;fill:#8ab8ff}.aud-open{stroke:#e3c25a;fill:#e3c25a}
.aud-beyond{stroke:#ff9d95;fill:#ff9d95}
}"""


def findings_svg(findings: Sequence[Finding], title: str) -> str:
    """One line a finding: its figure and 95% interval, 0 at no difference and 1 (dashed) at its own threshold.

    Colour and shape tell the verdict: a disc within, a ring open, a square beyond. Raises GrowthError without findings.
    """
    if not findings:
        raise GrowthError("no finding", wanted="one or more", where="audit plot")
    height = _TOP + _ROW * len(findings) + 50
    bottom = height - 45
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" width="{_WIDTH}" height="{height}" '
        'role="img" aria-labelledby="aud-title aud-desc">',
        f'<title id="aud-title">{escape(title)}</title>',
        f'<desc id="aud-desc">{escape(_description(findings))}</desc>',
        f"<style>{_STYLE}</style>",
        f'<rect class="aud-page" width="{_WIDTH}" height="{height}"/>',
        f'<text class="aud-title" x="20" y="28">{escape(title)}</text>',
        f'<line class="aud-zero" x1="{_x(0)}" y1="{_TOP - 10}" x2="{_x(0)}" y2="{bottom}"/>',
        f'<line class="aud-limit" x1="{_x(1)}" y1="{_TOP - 10}" x2="{_x(1)}" y2="{bottom}"/>',
        f'<text class="aud-small" x="{_x(0)}" y="{bottom + 16}" text-anchor="middle">0</text>',
        f'<text class="aud-small" x="{_x(1)}" y="{bottom + 16}" text-anchor="middle">threshold</text>',
        *(mark for row, finding in enumerate(findings) for mark in _marks(finding, _TOP + _ROW * row)),
        f'<text class="aud-small" x="20" y="{height - 12}">bars: 95% interval; disc: within, ring: open, '
        "square: beyond the threshold</text>",
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


def _description(findings: Sequence[Finding]) -> str:
    """The plot in words, for who cannot see it."""
    return " ".join(finding.sentence for finding in findings)


def _marks(finding: Finding, y: int) -> Iterator[str]:
    mean, low, high = finding.share_of_margin
    verdict = finding.verdict
    label = f"{finding.about}: {finding.measure.replace('_', ' ')}"
    yield f'<text class="aud-text" x="{_LEFT - 12}" y="{y + 4}" text-anchor="end">{escape(label)}</text>'
    yield (f'<line class="aud-{verdict}" stroke-width="2" x1="{_x(low)}" y1="{y}" x2="{_x(high)}" y2="{y}"/>')
    x = _x(mean)
    if verdict == "beyond":
        yield f'<rect class="aud-beyond" x="{float(x) - 4:.1f}" y="{y - 4}" width="8" height="8"/>'
    elif verdict == "open":
        yield f'<circle class="aud-open" cx="{x}" cy="{y}" r="4" style="fill:none" stroke-width="2"/>'
    else:
        yield f'<circle class="aud-within" cx="{x}" cy="{y}" r="4"/>'


def _x(share: float) -> str:
    inside = min(max(share, _LOWEST), _HIGHEST)
    return f"{_LEFT + _WIDE * (inside - _LOWEST) / (_HIGHEST - _LOWEST):.1f}"
