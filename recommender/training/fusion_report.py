"""How far words and observations together beat either alone, on simulated districts nothing was fitted on."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from rich.console import Console
from rich.table import Table
from scipy.special import expit

from recommender.catalogue.loader import Catalogue, load_catalogue
from recommender.ranking.fusion import POINTED_SHARE, FusionWeights
from recommender.ranking.observation_weights import Weights
from recommender.ranking.versions import open_version
from recommender.training.calibration_error import calibration_error, pool_first
from recommender.training.intervals import bootstrap_mean, paired_difference
from recommender.training.metrics import ndcg_at
from recommender.training.observed_fit import JUDGING_SEEDS, VISITS, gather, need_part, observed_scores
from recommender.training.observed_texts import prior_vector, simulation_texts
from recommender.training.report import as_data, interval
from recommender.training.simulated_cases import SimulatedCases

Array = npt.NDArray[np.float64]
Say = Callable[[str], None]

WORDS, OBSERVATIONS, BOTH = "words alone", "observations alone", "words and observations"


def fusion_report(models: Path, version: str | None, say: Say = lambda _: None) -> dict[str, Any]:
    """NDCG@5 of words, of observations and of both by number of visits, with paired differences and calibration."""
    _, folder, encoder_folder = open_version(models, version)
    weights, catalogue = FusionWeights.load(folder), load_catalogue()
    cases = gather(JUDGING_SEEDS, simulation_texts(encoder_folder, weights, catalogue), catalogue, say)
    return fusion_figures(cases, weights, catalogue)


def fusion_figures(cases: SimulatedCases, weights: FusionWeights, catalogue: Catalogue) -> dict[str, Any]:
    """The same figures for cases at hand."""
    scores = _scores(cases, weights, catalogue)
    values = {name: ndcg_at(score, cases.grade, 5) for name, score in scores.items()}
    by_visits = {}
    for visits in VISITS:
        rows = cases.visits == visits
        by_visits[str(visits)] = {
            **{name: as_data(bootstrap_mean(value[rows])) for name, value in values.items()},
            **{
                f"better than {name}": as_data(paired_difference(values[BOTH][rows], values[name][rows]))
                for name in (WORDS, OBSERVATIONS)
            },
        }
    return {"teachers": len(cases.visits), "visits": by_visits, "ece": _calibration(cases, scores[BOTH])}


def _scores(cases: SimulatedCases, weights: FusionWeights, catalogue: Catalogue) -> dict[str, Array]:
    prior = np.broadcast_to(prior_vector(weights, catalogue), cases.words.shape)
    return {
        WORDS: cases.words,
        OBSERVATIONS: _alone(cases, prior, weights.observations.alone),
        BOTH: observed_scores(cases, cases.words, weights.observations.with_words),
    }


def _alone(cases: SimulatedCases, prior: Array, weights: Weights) -> Array:
    """As the engine ranks without words: skills that nothing observed speaks for come last."""
    scores = observed_scores(cases, prior, weights)
    seen = need_part(cases, weights.need) + weights.note * cases.note
    pointed_at = (seen > 0) & (seen >= POINTED_SHARE * seen.max(axis=1, keepdims=True))
    return np.where(pointed_at, scores, scores - 1_000.0)


def _calibration(cases: SimulatedCases, scores: Array) -> float:
    events = (cases.grade >= 2).astype(np.float64)
    pooled = pool_first(scores, expit(scores), events, np.ones(len(scores), dtype=np.int64))
    return round(calibration_error(pooled.probabilities, pooled.events, pooled.labellers).corrected, 4)


def print_fusion_report(report: dict[str, Any], console: Console) -> None:
    """The report as a table for a person."""
    table = Table(
        "visits",
        WORDS,
        OBSERVATIONS,
        BOTH,
        f"better than {WORDS}",
        title=f"nDCG@5 on simulated districts, {report['teachers']} teachers",
        title_justify="left",
    )
    for visits, figures in report["visits"].items():
        named = (figures[name] for name in (WORDS, OBSERVATIONS, BOTH, f"better than {WORDS}"))
        table.add_row(visits, *(interval(value) for value in named))
    console.print(table)
    console.print(f"expected calibration error {report['ece']:.3f}", highlight=False)
