"""What the grown training data is worth: the encoder trained with it beside the one trained without it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from recommender.catalogue.loader import Catalogue, load_catalogue
from recommender.ranking.versions import open_version
from recommender.struggles.text_model import TextModel
from recommender.training.corpus import DATA_FOLDER, REAL, REAL_DEV, Row, gains, load_rows
from recommender.training.heads import embed_texts
from recommender.training.intervals import bootstrap_mean, paired_difference
from recommender.training.measured import rankable
from recommender.training.metrics import first_skill_sets, hit_at, ndcg_at
from recommender.training.out_of_fold import OUT_OF_FOLD_FILE, OutOfFold
from recommender.training.report import as_data

Floats = npt.NDArray[np.float64]
Say = Callable[[str], None]

# Written by `encoder fold --without real_grown.jsonl` and `encoder development --without real_grown.jsonl`.
BEFORE_FOLDER = DATA_FOLDER / "before_growth"
DEVELOPMENT_FILE = "development.npz"
CROSS_VALIDATED, DEVELOPMENT, POOLED = "cross-validated", "development", "pooled"


def data_growth_report(models: Path, version: str | None, say: Say = lambda _: None) -> dict[str, Any]:
    """NDCG@5 and hits of the words alone with and without the grown file, and the paired difference in nDCG@5.

    Cross-validated rows were answered by encoders of the same folds; development rows by encoders trained on all
    training texts. No screening and no context: the two encoders are compared, nothing else.
    """
    _, folder, encoder_folder = open_version(models, version)
    catalogue = load_catalogue()
    real = rankable([row for file in REAL for row in load_rows(file)])
    development = rankable(load_rows(REAL_DEV))
    say(f"reading {len(development)} development struggles")
    embeddings = embed_texts(encoder_folder, [row.text for row in development])
    after = {
        CROSS_VALIDATED: _values(OutOfFold.load(encoder_folder / OUT_OF_FOLD_FILE), real, catalogue),
        DEVELOPMENT: _figures(TextModel.load(folder).log_probabilities(embeddings), development, catalogue),
    }
    before = {
        CROSS_VALIDATED: _values(OutOfFold.load(BEFORE_FOLDER / OUT_OF_FOLD_FILE), real, catalogue),
        DEVELOPMENT: _values(OutOfFold.load(BEFORE_FOLDER / DEVELOPMENT_FILE), development, catalogue),
    }
    return compare_growth(before, after)


Values = dict[str, Floats]


def compare_growth(before: dict[str, Values], after: dict[str, Values]) -> dict[str, Any]:
    """Figures of both parts and of both pooled, with the paired difference."""
    for part in (before, after):
        part[POOLED] = {
            name: np.concatenate([part[CROSS_VALIDATED][name], part[DEVELOPMENT][name]]) for name in part[DEVELOPMENT]
        }
    return {
        part: {
            "rows": len(after[part]["nDCG@5"]),
            "before": {name: as_data(bootstrap_mean(value)) for name, value in before[part].items()},
            "after": {name: as_data(bootstrap_mean(value)) for name, value in after[part].items()},
            "better by": as_data(paired_difference(after[part]["nDCG@5"], before[part]["nDCG@5"])),
        }
        for part in (CROSS_VALIDATED, DEVELOPMENT, POOLED)
    }


def _values(known: OutOfFold, rows: Sequence[Row], catalogue: Catalogue) -> Values:
    return _figures(known.take([row.id for row in rows]).skill_log_p, rows, catalogue)


def _figures(log_p: npt.NDArray[np.float32], rows: Sequence[Row], catalogue: Catalogue) -> Values:
    scores = log_p.astype(np.float64)
    first = first_skill_sets([row.labels for row in rows], catalogue.ids)
    return {
        "nDCG@5": ndcg_at(scores, gains(rows, catalogue), 5),
        "hit@1": hit_at(scores, first, 1),
        "hit@3": hit_at(scores, first, 3),
    }
