"""Figures of one ranker with their intervals, as plain data a card, a table or a program can use."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from recommender.catalogue.loader import Catalogue
from recommender.training.calibration_error import calibration_error, pool_first, reliability_table
from recommender.training.corpus import Row, acceptable, gains
from recommender.training.intervals import Interval, bootstrap_mean, paired_difference
from recommender.training.measured import Measured
from recommender.training.metrics import first_skill_sets, hit_at, labeller_agreement, ndcg_at, reciprocal_rank

Values = dict[str, npt.NDArray[np.float64]]

FIGURES = ("nDCG@5", "hit@1", "hit@3", "hit@5", "MRR")


def per_request(measured: Measured, catalogue: Catalogue) -> Values:
    """Each figure for each row; a refused rankable text scores 0 everywhere."""
    first = first_skill_sets([row.labels for row in measured.rows], catalogue.ids)
    scores = measured.scores
    values = {
        "nDCG@5": ndcg_at(scores, gains(measured.rows, catalogue), 5),
        "hit@1": hit_at(scores, first, 1),
        "hit@3": hit_at(scores, first, 3),
        "hit@5": hit_at(scores, first, 5),
        "MRR": reciprocal_rank(scores, first),
    }
    return {name: np.where(measured.answered, value, 0.0) for name, value in values.items()}


def summarise(values: Values) -> dict[str, dict[str, float]]:
    """Mean and 95% bootstrap interval of each figure."""
    return {name: as_data(bootstrap_mean(values[name])) for name in FIGURES}


def as_data(measured: Interval) -> dict[str, float]:
    """An interval as rounded plain data."""
    return {
        "mean": round(measured.mean, 4),
        "low": round(measured.low, 4),
        "high": round(measured.high, 4),
        "n": int(measured.n),
    }


def interval(value: Mapping[str, float], *, signed: bool = False) -> str:
    """Plain data of ``as_data`` for a person: the mean with its 95% interval; ``signed`` writes a + too."""
    sign = "+" if signed else ""
    return f"{value['mean']:{sign}.3f} [{value['low']:{sign}.3f}, {value['high']:{sign}.3f}]"


def compare(values: Values, other: Values) -> dict[str, float]:
    """Paired difference in nDCG@5, with its interval and p-value."""
    difference = paired_difference(values["nDCG@5"], other["nDCG@5"])
    return {**as_data(difference), "p": round(difference.p_value, 4)}


def ceiling(rows: Sequence[Row], catalogue: Catalogue) -> dict[str, float] | None:
    """nDCG@5 of one labeller's grades against the others', None where rows have a single labeller."""
    several = [row.labels for row in rows if len(row.labels) > 1]
    return as_data(bootstrap_mean(labeller_agreement(several, 5, catalogue.ids))) if several else None


def calibration(parts: Sequence[Measured], catalogue: Catalogue) -> dict[str, Any]:
    """Expected calibration error over the first five suggestions, all parts pooled, with its reliability table."""
    rows = [row for part in parts for row in part.rows]
    scores = np.concatenate([part.scores for part in parts])
    probabilities = np.concatenate([part.probabilities for part in parts if part.probabilities is not None])
    labellers = np.array([len(row.labels) for row in rows])
    pooled = pool_first(scores, probabilities, acceptable(rows, catalogue).astype(np.float64), labellers)
    error = calibration_error(pooled.probabilities, pooled.events, pooled.labellers)
    table = reliability_table(pooled.probabilities, pooled.events)
    return {
        "ece": round(error.corrected, 4),
        "ece_uncorrected": round(error.raw, 4),
        "suggestions": int(error.n),
        "bins": [
            {"probability": round(b.mean_probability, 4), "share": round(b.event_rate, 4), "low": round(b.low, 4),
             "high": round(b.high, 4), "n": int(b.n)}
            for b in table
        ],
    }  # fmt: skip


SLICES: dict[str, Callable[[Row], str]] = {
    "length": lambda row: _length(len(row.text.split())),
    "grade band": lambda row: row.context.grade_band,
    "register": lambda row: "loose" if is_loose(row.text) else "tidy",
}


def _length(words: int) -> str:
    return "under 40 words" if words < 40 else "40 to 79 words" if words < 80 else "80 words and more"


def is_loose(text: str) -> bool:
    """Whether a text is written loosely: no capital opens it, it says i for I, or its sentences run on."""
    stops = sum(text.count(mark) for mark in ".!?")
    return text[:1].islower() or " i " in text or len(text.split()) > 35 * max(stops, 1)


def by_slice(values: Values, rows: Sequence[Row]) -> dict[str, dict[str, dict[str, float]]]:
    """nDCG@5 by length, grade band and register."""
    return by_label(values, {name: [slice_of(row) for row in rows] for name, slice_of in SLICES.items()})


def by_label(values: Values, labels: Mapping[str, Sequence[str]]) -> dict[str, dict[str, dict[str, float]]]:
    """nDCG@5 of the rows of each label, for every way to label them (one label a row)."""
    result: dict[str, dict[str, dict[str, float]]] = {}
    for name, of_rows in labels.items():
        label_of = np.array(of_rows, dtype=object)
        result[name] = {
            label: as_data(bootstrap_mean(values["nDCG@5"][label_of == label])) for label in sorted(set(of_rows))
        }
    return result
