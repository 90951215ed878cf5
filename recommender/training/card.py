"""Writes the model card of a version from its manifest and figures; nothing in it is typed by hand."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from recommender.ranking.versions import Manifest
from recommender.training.card_tables import curve_table, fusion_table, growth_table, needs_table
from recommender.training.card_use import audit_sections, gates_table, use_sections
from recommender.training.encoder_record import EncoderRecord
from recommender.training.evaluate import MODEL
from recommender.training.figure_names import AUDIT, GATES, SLICES, USE
from recommender.training.report import FIGURES, interval
from recommender.training.version_plots import CURVE_PLOT, RELIABILITY_PLOT, SLICES_PLOT

# The sentences no figure can make: use, limits, data. Kept as data beside the code.
TEXT_FILE = Path(__file__).parent / "card_text.yaml"


def write_card(file: Path, manifest: Manifest, record: EncoderRecord) -> None:
    """Write the card of ``manifest`` to ``file``; the same manifest gives the same bytes."""
    file.write_text(card_text(manifest, record), encoding="utf-8")


def card_text(manifest: Manifest, record: EncoderRecord) -> str:
    """The card as Markdown."""
    text: dict[str, str] = yaml.safe_load(TEXT_FILE.read_text(encoding="utf-8"))
    figures = manifest.figures
    sections = [
        f"# Model card: {manifest.version}",
        text["summary"].strip(),
        *_titled("Intended use", text["intended_use"]),
        *_titled("Not for", text["not_for"]),
        *_titled("How it works", text["how"]),
        *_titled("Data", text["data"]),
        "## Figures on the development struggles",
        text["development"].strip(),
        *_ranking(figures["development"]),
        "## Figures by cross-validation on the real training struggles",
        text["cross_validation"].strip(),
        *_ranking(figures["cross-validation"]),
        f"![Quality by slice]({SLICES_PLOT})",
        "## Left out of training",
        text["leave_out"].strip(),
        _left_out(figures["leave one out"]),
        "## Calibration",
        *_calibration(figures["calibration, pooled"]),
        "## Screening",
        text["screening"].strip(),
        *_screening(figures["screening"]),
        "## Growing the data",
        text["growth"].strip(),
        growth_table(figures["data growth"]),
        text["curve"].strip(),
        curve_table(figures["learning curve"]),
        f"![Quality by real struggles trained on]({CURVE_PLOT})",
        "## Needs from observations",
        text["needs"].strip(),
        needs_table(figures["needs"]),
        "## Words and observations together",
        text["fusion"].strip(),
        fusion_table(figures["fusion"]),
        f"Expected calibration error over the first five suggestions: {figures['fusion']['ece']:.3f}.",
        *(_titled("Gates", gates_table(figures[GATES])) if GATES in figures else ()),
        *(use_sections(figures[USE], text) if USE in figures else ()),
        *(audit_sections(figures[AUDIT], text) if AUDIT in figures else ()),
        *_titled("What was tried", text["tried"]),
        *_titled("Limits", text["limits"]),
        "## Provenance",
        *_provenance(manifest, record),
    ]
    return "\n\n".join(sections) + "\n"


def _titled(title: str, body: str) -> tuple[str, str]:
    return f"## {title}", body.strip()


def _ranking(part: Mapping[str, Any]) -> Iterator[str]:
    yield f"{part['rows']} struggles, {part['refused']} of them refused by screening (counted as misses)."
    header = [
        "| ranker | " + " | ".join(FIGURES) + " | nDCG@5, this version better by |",
        "|---" * (len(FIGURES) + 2) + "|",
    ]
    rows = [
        f"| {'**' + name + '**' if name == MODEL else name} | "
        + " | ".join(interval(figures[figure]) for figure in FIGURES)
        + f" | {interval(part['better than'][name]) if name in part['better than'] else ''} |"
        for name, figures in part["figures"].items()
    ]
    agreement = part["labellers' agreement, nDCG@5"]
    if agreement is not None:
        rows.append(f"| one labeller against the others | {interval(agreement)} |" + " |" * len(FIGURES))
    yield "\n".join(header + rows)
    for name, slices in part[SLICES].items():
        cells = "; ".join(f"{label}: {interval(value)} (n = {int(value['n'])})" for label, value in slices.items())
        yield f"nDCG@5 by {name}: {cells}."


def _left_out(part: Mapping[str, Any]) -> str:
    lines = ["| left out | texts | nDCG@5 with it | without it | difference |", "|---|---|---|---|---|"]
    for name, value in part.items():
        if "without" not in value:
            lines.append(f"| nothing, all real struggles | | {interval(value['with'])} | | |")
            continue
        cells = (interval(value[key]) for key in ("with", "without", "difference"))
        lines.append(f"| {name.removeprefix('written:')} | {value['texts left out']} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _calibration(part: Mapping[str, Any]) -> Iterator[str]:
    yield (
        f"Expected calibration error over the first five suggestions, cross-validated and development struggles "
        f"pooled: **{part['ece']:.3f}** (before correction for chance {part['ece_uncorrected']:.3f}, "
        f"{part['suggestions']} suggestions)."
    )
    yield f"![Reliability of the probabilities]({RELIABILITY_PLOT})"


def _screening(part: Mapping[str, Any]) -> Iterator[str]:
    lines = ["| what | share | n |", "|---|---|---|"]
    for status, value in part["recall"].items():
        lines.append(f"| {status.replace('_', ' ')} answered as such | {interval(value)} | {int(value['n'])} |")
    for status, value in part["not ranked as usual"].items():
        lines.append(f"| {status.replace('_', ' ')} not ranked as usual | {interval(value)} | {int(value['n'])} |")
    for status, value in part["not ranked as usual, retold from real pages"].items():
        name = status.replace("_", " ")
        lines.append(f"| {name}, retold from real pages, not ranked as usual | {interval(value)} | {int(value['n'])} |")
    refused = (
        "real struggles refused",
        "look-alikes refused",
        "look-alikes refused, retold from real pages",
        "written struggles refused",
        "observer notes refused",
    )
    lines += [f"| {name} | {interval(part[name])} | {int(part[name]['n'])} |" for name in refused]
    yield "\n".join(lines)
    development = part["development"]
    yield (
        f"Development struggles refused: {development['refused']} of {development['rankable']}; out of scope and "
        f"ranked all the same: {development['out of scope ranked']} of {development['out of scope']}."
    )


def _provenance(manifest: Manifest, record: EncoderRecord) -> Iterator[str]:
    yield (
        f"Created {manifest.created}. Catalogue {manifest.catalogue_version}. Instruments "
        f"{manifest.instruments_version}. Encoder {manifest.encoder.folder}, tuned "
        f"from {record.base} (SHA-256 {record.base_sha256[:12]}...)."
    )
    yield "Encoder recipe: " + ", ".join(f"{name} {value}" for name, value in record.recipe.items()) + "."
    yield "Libraries: " + ", ".join(f"{name} {value}" for name, value in manifest.libraries.items()) + "."
    yield (
        "Training and evaluation files: "
        + ", ".join(f"{name} ({digest[:12]})" for name, digest in manifest.data.items())
        + "."
    )
