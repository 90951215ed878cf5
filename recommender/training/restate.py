"""States a trained version anew: its figures, card and plots; the files that answer stay as they are."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from recommender.ranking.versions import CARD_FILE, MANIFEST_FILE, Manifest, sha256_of
from recommender.training.card import write_card
from recommender.training.encoder_record import EncoderRecord
from recommender.training.version_plots import version_plots, write_plots


def restate(folder: Path, manifest: Manifest, figures: Mapping[str, Any], record: EncoderRecord) -> Manifest:
    """Write plots, card and manifest of the version in ``folder`` with these figures; the manifest written.

    The manifest comes last since it names the SHA-256 of the others. The same figures give the same bytes.
    """
    plots = write_plots(folder, version_plots(figures))
    stated = manifest.model_copy(update={"figures": dict(figures)})
    write_card(folder / CARD_FILE, stated, record)
    files = dict(manifest.files) | {name: sha256_of(folder / name) for name in (CARD_FILE, *plots)}
    stated = stated.model_copy(update={"files": files})
    (folder / MANIFEST_FILE).write_text(stated.model_dump_json(indent=2) + "\n", encoding="utf-8")
    return stated
