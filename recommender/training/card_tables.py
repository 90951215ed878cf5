"""Tables of the model card on data, needs and fusion."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from recommender.training.fusion_report import BOTH, OBSERVATIONS, WORDS
from recommender.training.report import interval


def growth_table(part: Mapping[str, Any]) -> str:
    """Before and after growing the data."""
    lines = ["| struggles | n | nDCG@5 before | after | better by |", "|---|---|---|---|---|"]
    for name, value in part.items():
        cells = (interval(value[key]["nDCG@5"]) for key in ("before", "after"))
        lines.append(f"| {name} | {value['rows']} | {' | '.join(cells)} | {interval(value['better by'])} |")
    return "\n".join(lines)


def curve_table(part: Mapping[str, Any]) -> str:
    """Learning curve on frozen vectors."""
    lines = ["| real struggles | held out, nDCG@5 | development, nDCG@5 |", "|---|---|---|"]
    for point in part["points"]:
        size = point["size"] if point["size"] is not None else f"all ({point['real rows trained on']})"
        held, development = point["held out"]["nDCG@5"], point["development"]["nDCG@5"]
        lines.append(f"| {size} | {interval(held)} | {interval(development)} |")
    return "\n".join(lines)


def needs_table(part: Mapping[str, Any]) -> str:
    """hit@3 against true need by design."""
    designs = part["designs"]
    names = list(next(iter(designs.values()))["figures"]["hit@3"])
    lines = [
        "| design | " + " | ".join(names) + " | reference | 90% intervals cover |",
        "|---" * (len(names) + 3) + "|",
    ]
    for design, value in designs.items():
        cells = " | ".join(f"{value['figures']['hit@3'][name]['mean']:.3f}" for name in names)
        covered = value["posterior"]["coverage of 90% intervals"]
        title = f"{design}, {value['teachers a rater']} teachers a rater"
        lines.append(f"| {title} | {cells} | {value['reference']:.2f} | {interval(covered)} |")
    return "\n".join(lines)


def fusion_table(part: Mapping[str, Any]) -> str:
    """Words, observations and both by number of visits."""
    names = (WORDS, OBSERVATIONS, BOTH, f"better than {WORDS}")
    lines = ["| visits | " + " | ".join(names) + " |", "|---" * (len(names) + 1) + "|"]
    for visits, value in part["visits"].items():
        lines.append(f"| {visits} | " + " | ".join(interval(value[name]) for name in names) + " |")
    return "\n".join(lines)
