"""Sections of the model card on gates, learning from use and the fairness audit, where they were recorded."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from recommender.training.report import interval
from recommender.training.version_plots import USE_PLOT


def use_sections(part: Mapping[str, Any], text: Mapping[str, str]) -> Iterator[str]:
    """What the version learns from simulated reviews, what the gates do, off-policy coverage and drift alarms."""
    yield "## Learning from use"
    yield text["use"].strip()
    yield use_table(part["reviews"])
    yield f"![Gain on later cases by reviews]({USE_PLOT})"
    yield attack_table(part["reviews"])
    yield (
        text["choices"]
        .strip()
        .format(
            lists=f"{part['reviews']['choices']['lists']:,}",
            gain=interval(part["reviews"]["choices"]["gain"], signed=True),
            worth=interval(part["reviews"]["choices"]["worth of outcomes"], signed=True),
        )
    )
    yield text["texts"].strip()
    yield text_table(part["texts"])
    yield text["gates"].strip()
    yield power_table(part["gates"])
    yield text["off_policy"].strip().format(**part["off-policy"])
    yield text["drift"].strip()
    yield drift_table(part["drift"])


def use_table(part: Mapping[str, Any]) -> str:
    """Gain by number of reviews, with position bias corrected and not."""
    lines = [
        "| reviews | corrected and shrunk | counted as they are | counted and shrunk | corrected, untouched skills |",
        "|---" * 5 + "|",
    ]
    for point in part["curve"]:
        cells = (point[name] for name in ("corrected", "counted", "counted and shrunk", "untouched"))
        gains = " | ".join(interval(cell, signed=True) for cell in cells)
        lines.append(f"| {point['reviews']:,} | {gains} |")
    lines.append(f"| the coaches' own log-odds | {interval(part['best'], signed=True)} | | | |")
    return "\n".join(lines)


def attack_table(part: Mapping[str, Any]) -> str:
    """Gain beside attacks and accidents, with and without the caps, and how often the guards said something."""
    lines = [
        f"| beside {part['beside']:,} honest reviews | gain | without caps | guards speak, of {part['seeds']} |",
        "|---" * 4 + "|",
    ]
    for attack in part["attacks"]:
        gains = " | ".join(interval(attack[name], signed=True) for name in ("corrected", "without caps"))
        lines.append(f"| {attack['name']} | {gains} | {attack['flagged']} |")
    return "\n".join(lines)


def text_table(part: Sequence[Mapping[str, Any]]) -> str:
    """What texts beside a corpus are worth to a text head, by what is read in their reviews."""
    lines = ["| texts beside the corpus | number | nDCG@5 | gain |", "|---|---|---|---|"]
    for arm in part:
        gain = interval(arm["gain"], signed=True) if arm["texts"] else ""
        lines.append(f"| {arm['way']} | {arm['texts']} | {interval(arm['nDCG@5'])} | {gain} |")
    return "\n".join(lines)


def power_table(part: Sequence[Mapping[str, Any]]) -> str:
    """What the gates do with versions of known worth."""
    lines = ["| version | gates | share |", "|---|---|---|"]
    for row in part:
        share = row["share"]
        hits = round(share["mean"] * share["n"])
        lines.append(f"| {row['version']} | {row['decision']} {hits} of {int(share['n'])} | {interval(share)} |")
    return "\n".join(lines)


def drift_table(part: Mapping[str, Any]) -> str:
    """Share of windows called drifted by any check."""
    sizes = part["lists"]
    lines = ["| window | " + " | ".join(f"{size:,} lists" for size in sizes) + " |", "|---" * (len(sizes) + 1) + "|"]
    lines += [f"| {row['window']} | " + " | ".join(map(interval, row["shares"])) + " |" for row in part["rows"]]
    return "\n".join(lines)


def gates_table(gates: Mapping[str, Any]) -> str:
    """What the gates found of this very version before it could answer."""
    lines = [f"Against version {gates['against']}.", "", "| gate | passed | what it found |", "|---|---|---|"]
    lines += [
        f"| {result['name']} | {'yes' if result['passed'] else 'no'} | {result['sentence']} |"
        for result in gates["results"]
    ]
    return "\n".join(lines)


def audit_sections(part: Mapping[str, Any], text: Mapping[str, str]) -> Iterator[str]:
    """Findings of the fairness audit that are not within their threshold."""
    yield "## Fairness audit"
    yield text["audit"].strip().format(**part["texts"], **part["verdicts"])
    lines = ["| what | figure | allowed | verdict |", "|---|---|---|---|"]
    for finding in part["findings"]:
        if finding["verdict"] != "within":
            bound, figure = f"at {finding['at']} {finding['margin']:.2f}", interval(finding["figure"], signed=True)
            lines.append(f"| {finding['what']} | {figure} | {bound} | {finding['verdict']} |")
    yield "\n".join(lines)
