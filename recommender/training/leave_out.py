"""What each written file and kind of text is worth to real struggles: trained without it, measured on real ones."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from joblib import Parallel, delayed

from recommender.catalogue.loader import Catalogue
from recommender.ranking.batch import available_cores
from recommender.training.corpus import Row, gains, soft_targets
from recommender.training.heads import Head, refit
from recommender.training.intervals import bootstrap_mean, paired_difference
from recommender.training.metrics import ndcg_at
from recommender.training.report import as_data
from recommender.training.stored_vectors import StoredVectors

# Frozen MiniLM vectors and a linear head: an encoder tuned on the file left out would have seen it.
PENALTY = 2e-5
SCALE = 20.0

Floats = npt.NDArray[np.float64]
Say = Callable[[str], None]


def leave_out(written: Sequence[Row], real: Sequence[Row], catalogue: Catalogue, say: Say) -> dict[str, Any]:
    """Per written file and per kind: nDCG@5 on the real struggles it is about, with all written texts and without it.

    A file is about the skills that come first in it; a kind is about all. No real struggle is trained on.
    """
    vectors = StoredVectors.load()
    whole = scores_by_frozen_head(written, real, catalogue, vectors)
    table = gains(real, catalogue)
    full = ndcg_at(whole, table, 5)
    first = gains(real, catalogue).argmax(axis=1)
    result: dict[str, Any] = {"all written texts, all real struggles": {"with": as_data(bootstrap_mean(full))}}
    parts = _parts(written)
    say(f"leaving out {len(parts)} parts of the written texts, one at a time")
    left_out = [{row.id for row in part} for part in parts.values()]
    scores = Parallel(n_jobs=available_cores())(
        delayed(scores_by_frozen_head)([row for row in written if row.id not in ids], real, catalogue, vectors)
        for ids in left_out
    )
    for (name, part), score in zip(parts.items(), scores, strict=True):
        about = np.isin(first, gains(part, catalogue).argmax(axis=1)) if name.startswith("written:") else full >= 0
        without = ndcg_at(score, table, 5)
        result[name] = {
            "texts left out": len(part),
            "with": as_data(bootstrap_mean(full[about])),
            "without": as_data(bootstrap_mean(without[about])),
            "difference": as_data(paired_difference(full[about], without[about])),
        }
    return result


def _parts(written: Sequence[Row]) -> dict[str, list[Row]]:
    files = sorted({row.source for row in written})
    parts = {source: [row for row in written if row.source == source] for source in files}
    parts["observer notes"] = [row for row in written if row.kind == "observer_note"]
    return parts


def scores_by_frozen_head(
    training: Sequence[Row], rows: Sequence[Row], catalogue: Catalogue, vectors: StoredVectors
) -> Floats:
    """(rows, skills) log-probabilities of a linear head on stored MiniLM vectors, fitted on ``training``."""
    embeddings = _unit(vectors.embed([row.text for row in training]))
    empty = Head(
        np.zeros((len(catalogue), embeddings.shape[1]), np.float32), np.zeros(len(catalogue), np.float32), SCALE
    )
    head = refit(empty, embeddings, soft_targets(training, catalogue), np.ones(len(training), np.float32), PENALTY)
    return head.log_probabilities(_unit(vectors.embed([row.text for row in rows]))).astype(np.float64)


def _unit(vectors: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    unit: npt.NDArray[np.float32] = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return unit
