"""Runs every baseline on the rows a version is measured on: trained on all other data, or by cross-validation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from joblib import Parallel, delayed

from recommender.catalogue.loader import Catalogue
from recommender.ranking.batch import available_cores
from recommender.training.baselines import BM25, Baseline, NearestNeighbour, Popularity, Random, TfidfLogistic
from recommender.training.corpus import Row, soft_targets
from recommender.training.folds import make_folds
from recommender.training.measured import Measured
from recommender.training.stored_vectors import StoredVectors

Say = Callable[[str], None]


def baselines() -> dict[str, Callable[[], Baseline]]:
    """Name and maker of every baseline, weakest first."""
    vectors = StoredVectors.load()
    return {
        "random": Random,
        "most popular": Popularity,
        "BM25 over the catalogue": BM25,
        "nearest neighbour, MiniLM": lambda: NearestNeighbour(vectors.embed),
        "TF-IDF + logistic regression": TfidfLogistic,
    }


def run_baselines(
    training: Sequence[Row], rows: tuple[Row, ...], catalogue: Catalogue, say: Say, *, cross_validated: bool
) -> dict[str, Measured]:
    """Answers of every baseline to ``rows``.

    ``training`` rows are always learnt from; with ``cross_validated`` the rows of the other folds are as well.
    """
    results = {}
    for name, make in baselines().items():
        say(f"baseline: {name}")
        scores = (
            _cross_validate(make, training, rows, catalogue)
            if cross_validated
            else _fit_and_score(make(), training, rows, catalogue)
        )
        results[name] = Measured(rows, scores, None, np.ones(len(rows), dtype=bool))
    return results


def _fit_and_score(
    baseline: Baseline, training: Sequence[Row], rows: Sequence[Row], catalogue: Catalogue
) -> npt.NDArray[np.float64]:
    baseline.fit([row.text for row in training], soft_targets(training, catalogue))
    return np.asarray(baseline.score([row.text for row in rows]), np.float64)


def _cross_validate(
    make: Callable[[], Any], training: Sequence[Row], rows: tuple[Row, ...], catalogue: Catalogue
) -> npt.NDArray[np.float64]:
    folds = make_folds(rows)
    scores = np.zeros((len(rows), len(catalogue)))
    parts = Parallel(n_jobs=available_cores())(
        delayed(_fit_and_score)(make(), [*training, *(rows[i] for i in train)], [rows[i] for i in test], catalogue)
        for train, test in folds
    )
    for (_, test), part in zip(folds, parts, strict=True):
        scores[test] = part
    return scores
