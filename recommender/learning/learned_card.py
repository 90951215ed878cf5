"""The card of a version that learned from use: what it learned from, what the gates found, what it does not know."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from recommender.catalogue.yaml_files import read_yaml
from recommender.learning.learned_plots import curve_label
from recommender.ranking.versions import Manifest
from recommender.training.card_use import gates_table
from recommender.training.evaluate import MODEL
from recommender.training.figure_names import CALIBRATION, CURVE, DEVELOPMENT, GATES
from recommender.training.report import FIGURES, interval
from recommender.training.version_plots import CURVE_PLOT, RELIABILITY_PLOT, SLICES_PLOT

TEXT_FILE = Path(__file__).parent / "learned_card.yaml"


@lru_cache(maxsize=1)
def _text() -> dict[str, str]:
    return {str(name): str(text).strip() for name, text in read_yaml(TEXT_FILE).items()}


def card_of_learned(manifest: Manifest) -> str:
    """The card as Markdown; the same manifest gives the same bytes."""
    text, learned = _text(), manifest.settings["learned_from"]
    sections = [
        f"# Model card: {manifest.version}",
        text["summary"].format(base=learned["base"]),
        f"## Intended use\n\n{text['intended_use']}",
        "## What it learned from\n\n" + "\n".join(_learned(learned)),
        "## Gates\n\n" + _gates(manifest.figures.get(GATES)),
        *_pictures(manifest.figures),
        f"## Limits\n\n{text['limits']}",
        f"Created {manifest.created}, the day of its newest evidence. Catalogue {manifest.catalogue_version}. Encoder "
        f"{manifest.encoder.folder}. Evidence SHA-256 {manifest.data['evidence'][:12]}.",
    ]
    return "\n\n".join(sections) + "\n"


def _learned(learned: Mapping[str, Any]) -> Iterator[str]:
    counts = ", ".join(f"{int(n):,} {name.replace('_', ' ')}" for name, n in learned["counts"].items())
    sizes = ", ".join(f"{size:,.0f} {name}" for name, size in learned["effective_sizes"].items())
    sds = ", ".join(f"{sd} ({name})" for name, sd in learned["prior_sds"].items())
    factors = ", ".join(f"{name} {1 + value:.3f}" for name, value in learned["factors"].items())
    yield f"- Lists shown from {learned['from']} to {learned['to']}: {counts}."
    yield f"- After weighting they count as {sizes}."
    yield f"- Texts with consent that taught the text head: {learned['texts']}."
    yield f"- SD of learned offsets, log-odds: {sds}; factors: {factors}; intercept {learned['intercept']:+.3f}."
    looks = ", ".join(f"{value:.2f}" for value in learned["examination"][:5])
    source = "moved by logged swaps" if learned["examination_from_swaps"] else "assumed"
    yield f"- Chance that a place of the list is looked at, from the first on: {looks} ({source})."


def _pictures(figures: Mapping[str, Any]) -> Iterator[str]:
    """What the gates measured of this version alone; nothing where they were not run."""
    if development := figures.get(DEVELOPMENT):
        values = development["figures"][MODEL]
        said = ", ".join(f"{name} {interval(values[name])}" for name in FIGURES)
        yield f"## Figures on the development struggles\n\n{development['rows']} struggles: {said}."
        yield f"![Quality by slice]({SLICES_PLOT})"
        yield f"Expected calibration error {development[CALIBRATION]['ece']:.3f}, {_text()['calibration']}"
        yield f"![Reliability of the probabilities]({RELIABILITY_PLOT})"
    if points := figures.get(CURVE):
        lines = [f"| {curve_label(point)} | {interval(point['gain'], signed=True)} |" for point in points]
        table = ["| learned from | nDCG@5 on the newest reviews, more than the base |", "|---|---|", *lines]
        yield "## Learning curve\n\n" + "\n".join([_text()["curve"], "", *table])
        yield f"![Gain by lists learned from]({CURVE_PLOT})"


def _gates(gates: Mapping[str, Any] | None) -> str:
    return _text()["no_gates"] if gates is None else gates_table(gates)
